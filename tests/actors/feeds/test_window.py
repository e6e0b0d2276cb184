"""A window keeps the rows of a stretch of time, after the books as they were at its beginning."""

from hypothesis import given
from hypothesis import strategies as st

from actors.feeds.window import Window
from actors.messages.market import BookChange, Connection, ConnectionState, Quote, Trade
from actors.messages.records import Origin
from actors.model.book import Book, Level
from actors.venues.bookkeeper import Bookkeeper
from tests.rows import table

BOOK: list[Level] = [(1, 49, 10), (-1, 51, 7)]


def window(start_ns: int = 0, stop_ns: int | None = None) -> tuple[Window, Bookkeeper]:
    keeper = Bookkeeper()
    return Window(table(), keeper, start_ns, stop_ns), keeper


def trade(builder: Window, time_ns: int) -> None:
    builder.trade(Origin(time_ns), 0, (50, 1, 1))


def test_without_limits_every_row_is_kept() -> None:
    builder, _ = window()
    builder.open()
    for time_ns in (0, 5, 9):
        trade(builder, time_ns)
    assert builder.build().times() == [0, 5, 9]


def test_rows_from_the_start_on_and_before_the_stop_are_kept() -> None:
    builder, _ = window(start_ns=5, stop_ns=9)
    for time_ns in (3, 4, 5, 8):
        trade(builder, time_ns)
        assert not builder.is_over
    trade(builder, 9)
    assert builder.is_over
    assert builder.build().times() == [5, 8]


def test_late_rows_are_counted_and_take_the_time_of_the_row_before_them() -> None:
    builder, _ = window(start_ns=4)
    for time_ns in (3, 2, 6, 1, 6):
        trade(builder, time_ns)
    assert builder.late_rows == 2
    assert builder.build().times() == [6, 6, 6]


def test_the_first_kept_row_comes_after_the_books_as_they_were_before_it() -> None:
    builder, keeper = window(start_ns=10)
    keeper.snapshot(builder, 0, BOOK, Origin(1))
    keeper.change(builder, 0, [(1, 50, 3)], Origin(2))
    keeper.quote(builder, 1, (7, 8, 1, 1), Origin(3))
    keeper.snapshot(builder, 2, BOOK, Origin(4))
    keeper.gap(builder, 2, Origin(5))
    assert len(builder) == 0
    keeper.change(builder, 0, [(1, 50, 0)], Origin(12))
    events = list(builder.build().events())
    snapshot, top, gapped, quote, change, new_top = events
    assert [event.time_ns for event in events] == [10, 10, 10, 10, 12, 12]
    assert isinstance(snapshot, BookChange)
    assert snapshot.is_snapshot
    assert set(snapshot.levels) == {*BOOK, (1, 50, 3)}
    assert isinstance(top, Quote)
    assert (top.bid_ticks, top.ask_ticks) == (50, 51)
    assert isinstance(gapped, Connection)
    assert gapped.state is ConnectionState.GAPPED
    assert isinstance(quote, Quote)
    assert quote.bid_ticks == 7
    assert isinstance(change, BookChange)
    assert change.levels == ((1, 50, 0),)
    assert isinstance(new_top, Quote)
    assert new_top.bid_ticks == 49


def test_a_book_that_loses_its_sequence_in_the_first_kept_row_is_shown_before() -> None:
    builder, keeper = window(start_ns=10)
    keeper.snapshot(builder, 0, BOOK, Origin(1))
    keeper.gap(builder, 0, Origin(11))
    kinds = [type(event) for event in builder.build().events()]
    assert kinds == [BookChange, Quote, Connection]


def test_a_first_snapshot_after_the_start_is_not_told_twice() -> None:
    builder, keeper = window(start_ns=10)
    keeper.snapshot(builder, 0, BOOK, Origin(11))
    assert [type(event) for event in builder.build().events()] == [BookChange, Quote]


def test_without_later_rows_the_books_are_told_when_asked_for() -> None:
    builder, keeper = window(start_ns=10)
    keeper.snapshot(builder, 0, BOOK, Origin(1))
    builder.open()
    builder.open()
    rows = builder.build()
    assert rows.times() == [10, 10]


def test_levels_of_rows_after_the_stop_are_not_kept() -> None:
    builder, keeper = window(stop_ns=5)
    keeper.snapshot(builder, 0, BOOK, Origin(1))
    keeper.change(builder, 0, [(1, 50, 3)], Origin(6))
    rows = builder.build()
    assert len(rows.levels) == len(BOOK)
    assert [type(event) for event in rows.events()] == [BookChange, Quote]


levels = st.lists(
    st.tuples(st.sampled_from([1, -1]), st.integers(1, 6), st.integers(0, 3)), max_size=4
)
steps = st.lists(
    st.tuples(
        st.sampled_from(["snapshot", "change", "change", "gap", "trade"]), st.integers(0, 2), levels
    ),
    max_size=20,
)


@given(steps, st.integers(1, 25))
def test_whoever_begins_in_the_middle_ends_with_the_same_books(
    steps: list[tuple[str, int, list[Level]]], start_ns: int
) -> None:
    builder, keeper = window(start_ns)
    for time_ns, (what, index, changed) in enumerate(steps, 1):
        match what:
            case "snapshot":
                keeper.snapshot(builder, index, changed, Origin(time_ns))
            case "change":
                keeper.change(builder, index, changed, Origin(time_ns))
            case "gap":
                keeper.gap(builder, index, Origin(time_ns))
            case _:
                trade(builder, time_ns)
    builder.open()
    rows = builder.build()
    followers: dict[str, Book] = {}
    for event in rows.events():
        assert event.time_ns >= start_ns
        if isinstance(event, BookChange):
            book = followers.setdefault(event.instrument.id, Book())
            assert book.is_synced or event.is_snapshot
            book.apply(event.levels, is_snapshot=event.is_snapshot)
        elif isinstance(event, Connection):
            assert event.instrument is not None
            if event.state is ConnectionState.GAPPED:
                followers.setdefault(event.instrument.id, Book()).is_synced = False
    names = [instrument.id for instrument in table()]
    for index, own in keeper.books.items():
        follower = followers[names[index]]
        assert follower.is_synced == own.is_synced
        assert not own.is_synced or follower.levels() == own.levels()
    kept = [event for event in rows.events() if isinstance(event, Trade)]
    wanted = [ns for ns, (what, *_) in enumerate(steps, 1) if what == "trade" and ns >= start_ns]
    assert [event.time_ns for event in kept] == wanted
