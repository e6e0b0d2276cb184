from hypothesis import given, settings
from hypothesis import strategies as st

from actors.messages.market import (
    NO_PRICE,
    BookChange,
    Connection,
    ConnectionState,
    MarketEvent,
    Quote,
)
from actors.messages.records import Origin
from actors.messages.slices import SliceBuilder
from actors.model.book import Book, Level
from actors.venues.bookkeeper import Bookkeeper
from tests.rows import table

levels = st.lists(
    st.tuples(st.sampled_from([1, -1]), st.integers(1, 6), st.integers(0, 3)), max_size=5
)
steps = st.lists(st.tuples(st.sampled_from(["snapshot", "change", "gap"]), levels), max_size=15)

BOOK: list[Level] = [(1, 49, 10), (1, 48, 5), (-1, 51, 7)]
AT = Origin(time_ns=5, venue_time_ns=4, line=3, update_id=9)


class Desk:
    """A bookkeeper with the builder that it writes to."""

    def __init__(self) -> None:
        self.keeper = Bookkeeper()
        self.builder = SliceBuilder(table())

    def snapshot(self, levels: list[Level], instrument: int = 0) -> list[MarketEvent]:
        self.keeper.snapshot(self.builder, instrument, levels, AT)
        return self.written()

    def change(self, levels: list[Level], instrument: int = 0) -> list[MarketEvent]:
        self.keeper.change(self.builder, instrument, levels, AT)
        return self.written()

    def gap(self, instrument: int = 0) -> list[MarketEvent]:
        self.keeper.gap(self.builder, instrument, AT)
        return self.written()

    def written(self) -> list[MarketEvent]:
        return list(self.builder.build().events())


def tops(events: list[MarketEvent]) -> list[tuple[int, int, int, int]]:
    return [
        (each.bid_ticks, each.ask_ticks, each.bid_lots, each.ask_lots)
        for each in events
        if isinstance(each, Quote)
    ]


def states(events: list[MarketEvent]) -> list[ConnectionState]:
    return [each.state for each in events if isinstance(each, Connection)]


def test_a_snapshot_writes_the_book_and_then_its_best_quote() -> None:
    desk = Desk()
    desk.keeper.snapshot(desk.builder, 0, BOOK, AT)
    rows = desk.builder.build()
    book, quote = rows.events()
    assert isinstance(book, BookChange)
    assert (book.is_snapshot, book.levels, book.update_id) == (True, tuple(BOOK), 9)
    assert isinstance(quote, Quote)
    assert tops([quote]) == [(49, 51, 10, 7)]
    assert rows.line.tolist() == [3, 3]
    assert rows.venue_time_ns.tolist() == [4, 4]


def test_only_a_change_at_the_top_writes_a_quote() -> None:
    desk = Desk()
    desk.snapshot(BOOK)
    assert tops(desk.change([(1, 48, 6)])) == []
    assert tops(desk.change([(1, 49, 6)])) == [(49, 51, 6, 7)]
    assert tops(desk.change([(1, 50, 1), (-1, 51, 0)])) == [(50, NO_PRICE, 1, 0)]


def test_changes_before_the_first_snapshot_are_ignored() -> None:
    desk = Desk()
    assert desk.change([(1, 49, 6)]) == []
    assert 0 not in desk.keeper.books


def test_a_gapped_book_is_not_used_until_its_next_snapshot() -> None:
    desk = Desk()
    desk.snapshot(BOOK)
    assert states(desk.gap()) == [ConnectionState.GAPPED]
    assert not desk.keeper.books[0].is_synced
    assert desk.gap() == []
    assert desk.change([(1, 49, 6)]) == []
    events = desk.snapshot(BOOK)
    assert [type(each) for each in events] == [BookChange, Quote, Connection]
    assert states(events) == [ConnectionState.SYNCED]


def test_books_of_several_instruments_are_apart() -> None:
    desk = Desk()
    desk.snapshot(BOOK, instrument=0)
    desk.snapshot([(1, 10, 1)], instrument=1)
    desk.gap(instrument=0)
    assert not desk.keeper.books[0].is_synced
    assert tops(desk.change([(1, 11, 1)], instrument=1)) == [(11, NO_PRICE, 1, 0)]


def test_a_feed_that_begins_in_the_middle_begins_with_its_synced_books() -> None:
    desk = Desk()
    desk.snapshot(BOOK, instrument=1)
    desk.snapshot(BOOK, instrument=0)
    desk.change([(1, 50, 2)], instrument=0)
    desk.snapshot(BOOK, instrument=2)
    desk.gap(instrument=2)
    desk.keeper.resume(desk.builder, time_ns=77)
    rows = desk.builder.build()
    books = [each for each in rows.events() if isinstance(each, BookChange)]
    assert [each.instrument.id for each in books] == ["B", "A"]
    assert all(each.is_snapshot for each in books)
    assert set(books[1].levels) == {*BOOK, (1, 50, 2)}
    assert set(rows.times()) == {77}
    assert tops(list(rows.events())) == [(49, 51, 10, 7), (50, 51, 2, 7)]


def test_a_faster_stream_of_quotes_replaces_those_from_the_book() -> None:
    desk = Desk()
    desk.snapshot(BOOK)
    desk.keeper.quote(desk.builder, 0, (50, 51, 1, 1), AT)
    assert tops(desk.written()) == [(50, 51, 1, 1)]
    assert tops(desk.change([(1, 49, 0)])) == []
    desk.keeper.resume(desk.builder, time_ns=77)
    assert tops(desk.written()) == [(50, 51, 1, 1)]


@settings(deadline=None)
@given(steps)
def test_whoever_follows_the_rows_has_the_same_book_and_the_same_top(
    steps: list[tuple[str, list[Level]]],
) -> None:
    desk, follower = Desk(), Book()
    top: tuple[int, int, int, int] | None = None
    for what, levels in steps:
        events = {
            "snapshot": desk.snapshot,
            "change": desk.change,
            "gap": lambda _levels: desk.gap(),
        }[what](levels)
        for each in events:
            if isinstance(each, BookChange):
                follower.apply(each.levels, is_snapshot=each.is_snapshot)
            elif isinstance(each, Connection):
                follower.is_synced = each.state is ConnectionState.SYNCED
        top = tops(events)[-1] if tops(events) else top
        own = desk.keeper.books.get(0)
        if own is not None and own.is_synced:
            assert follower.is_synced
            assert follower.levels() == own.levels()
            bid, ask = own.best_bid() or (0, 0), own.best_ask() or (NO_PRICE, 0)
            assert top == (bid[0], ask[0], bid[1], ask[1])
