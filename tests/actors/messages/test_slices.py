from itertools import repeat

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.messages.market import (
    NO_PRICE,
    UNKNOWN_LOTS,
    ConnectionState,
    EventKind,
    Quote,
)
from actors.messages.records import Origin
from actors.messages.slices import WHOLE_FEED, Slice, SliceBuilder, resliced
from tests.rows import Row, add, built, event, row_lists, table, texts

QUOTE, TRADE, BAR = EventKind.QUOTE, EventKind.TRADE, EventKind.BAR


@settings(deadline=None, max_examples=50)
@given(rows=row_lists(), start=st.integers(0, 25))
def test_row_objects_are_what_was_built(rows: list[Row], start: int) -> None:
    of = table()
    made = built(rows, of)
    assert len(made) == len(rows)
    assert texts(list(made.events(start))) == texts([event(row, of) for row in rows[start:]])


@settings(deadline=None, max_examples=50)
@given(rows=row_lists(), start=st.integers(0, 25))
def test_a_cursor_knows_which_row_comes_next(rows: list[Row], start: int) -> None:
    start = min(start, len(rows))
    cursor = built(rows, table()).cursor(start)
    assert cursor.position == start
    for taken, _ in enumerate(cursor.events, start + 1):
        assert cursor.position == taken
    assert cursor.position == len(rows)


def test_sizes_that_are_the_same_in_every_row_are_told_with_each_row() -> None:
    rows = [Row(QUOTE, 1 + n, 0, (100 + n, 102, 7, UNKNOWN_LOTS)) for n in range(3)]
    made = built(rows, table())
    quotes = [each for each in made.events(1) if isinstance(each, Quote)]
    assert [(q.bid_ticks, q.ask_ticks, q.bid_lots, q.ask_lots) for q in quotes] == [
        (101, 102, 7, UNKNOWN_LOTS),
        (102, 102, 7, UNKNOWN_LOTS),
    ]


@settings(deadline=None, max_examples=50)
@given(row_lists())
def test_columns_tell_codes_times_and_breaks(rows: list[Row]) -> None:
    made = built(rows, table())
    breaking = (EventKind.CONNECTION, EventKind.RESOLUTION)
    assert made.codes == [row.instrument * 8 + row.kind for row in rows]
    assert made.times() == [row.time_ns for row in rows]
    assert made.breaks() == [i for i, row in enumerate(rows) if row.kind in breaking]
    assert made.breaks() is made.breaks()
    assert made.line.tolist() == list(range(1, len(rows) + 1))
    assert made.venue_time_ns.tolist() == [row.time_ns + 7 for row in rows]
    assert (made.uniform_code is not None) == (len(set(made.codes)) == 1)


@settings(deadline=None, max_examples=50)
@given(rows=row_lists(), index=st.integers(0, 2), firm=st.booleans())
def test_price_rows_are_the_rows_that_give_a_price(rows: list[Row], index: int, firm: bool) -> None:
    made = built(rows, table())
    wanted = (QUOTE, BAR) if firm else (TRADE,)
    expected = [i for i, row in enumerate(rows) if row.instrument == index and row.kind in wanted]
    assert list(made.price_rows(index, firm=firm)) == expected
    assert list(made.price_rows(index, firm=firm)) == expected  # the second time from memory


@settings(deadline=None, max_examples=50)
@given(rows=row_lists(), bounds=st.tuples(st.integers(0, 25), st.integers(0, 25)))
def test_book_rows_are_found_within_bounds(rows: list[Row], bounds: tuple[int, int]) -> None:
    start, stop = sorted(bounds)
    made = built(rows, table())
    is_book = [row.kind is EventKind.BOOK for row in rows]
    expected = [i for i in range(start, min(stop, len(rows))) if is_book[i]]
    assert made.book_rows(start, stop) == expected


@settings(deadline=None, max_examples=50)
@given(rows=row_lists(), sizes=st.lists(st.integers(1, 7), min_size=30, max_size=30))
def test_cutting_anew_keeps_every_row(rows: list[Row], sizes: list[int]) -> None:
    of = table()
    cut = list(resliced([built(rows, of)], iter(sizes)))
    events = [each for part in cut for each in part.events()]
    assert texts(events) == texts([event(row, of) for row in rows])
    assert [len(part) for part in cut[:-1]] == sizes[: max(len(cut) - 1, 0)]


@settings(deadline=None, max_examples=50)
@given(st.lists(row_lists(max_size=8), min_size=1, max_size=4))
def test_joining_orders_by_time_then_source_and_keeps_each_books_levels(
    sources: list[list[Row]],
) -> None:
    of = table()
    parts = [built(rows, of).of_source(number) for number, rows in enumerate(sources)]
    joined = Slice.joined(parts)
    numbered = [(number, row) for number, rows in enumerate(sources) for row in rows]
    numbered.sort(key=lambda pair: (pair[1].time_ns, pair[0]))
    assert texts(list(joined.events())) == texts([event(row, of) for _, row in numbered])
    assert joined.source.tolist() == [number for number, _ in numbered]


@settings(deadline=None, max_examples=50)
@given(row_lists(kinds=(EventKind.BOOK, EventKind.TRADE)))
def test_joining_pieces_of_one_slice_does_not_multiply_its_levels(rows: list[Row]) -> None:
    of = table()
    whole = built(rows, of)
    pieces = list(resliced([whole], repeat(1)))
    if len(pieces) > 1:
        joined = Slice.joined(pieces)
        assert texts(list(joined.events())) == texts([event(row, of) for row in rows])
        assert np.array_equal(joined.levels, whole.levels)


@settings(deadline=None, max_examples=50)
@given(rows=row_lists(), cut=st.integers(0, 25))
def test_conflating_keeps_the_latest_price_and_every_other_row(rows: list[Row], cut: int) -> None:
    of = table()
    older, newer = built(rows[:cut], of), built(rows[cut:], of)
    latest = {(row.instrument, row.kind): number for number, row in enumerate(rows)}
    expected = [
        event(row, of)
        for number, row in enumerate(rows)
        if row.kind not in (QUOTE, TRADE, BAR) or latest[row.instrument, row.kind] == number
    ]
    assert texts(list(older.conflated(newer).events())) == texts(expected)


@pytest.mark.parametrize(
    ("row", "values"),
    [
        (
            Row(QUOTE, 5, 0, (49, 51, 10, UNKNOWN_LOTS)),
            {"bid": "0.49", "ask": "0.51", "bid_quantity": "0.1", "ask_quantity": ""},
        ),
        (
            Row(QUOTE, 5, 0, (49, 51, 0, 0)),
            {"bid": "", "ask": "", "bid_quantity": "0", "ask_quantity": "0"},
        ),
        (Row(TRADE, 5, 0, (50, 200, -1)), {"price": "0.5", "quantity": "2"}),
        (
            Row(BAR, 5, 0, (100, 120, 90, 110, 300)),
            {"open": "1", "high": "1.2", "low": "0.9", "close": "1.1", "volume": "3"},
        ),
        (
            Row(EventKind.BOOK, 5, 0, (1, 8), ((1, 49, 5), (-1, 51, 5))),
            {"snapshot": "2 levels", "update_id": "8"},
        ),
        (
            Row(EventKind.BOOK, 5, 0, (0, 9), ((1, 49, 0),)),
            {"change": "1 levels", "update_id": "9"},
        ),
        (Row(EventKind.CONNECTION, 5, 0, (2,)), {"state": "GAPPED"}),
        (Row(EventKind.RESOLUTION, 5, 0, (100,)), {"payoff": "1"}),
    ],
)
def test_a_row_is_recorded_in_the_trades_words(row: Row, values: dict[str, str]) -> None:
    made = built([Row(TRADE, 1, 1, (1, 1, 0)), row], table())
    record = made.record(1)
    assert (record.kind, record.instrument, record.time_ns) == (row.kind.name, "A", 5)
    assert (record.venue_time_ns, record.line, record.values) == (12, 2, values)


@settings(deadline=None, max_examples=50)
@given(row_lists(max_size=6))
def test_a_row_object_is_described_like_its_row(rows: list[Row]) -> None:
    made = built(rows, table())
    for number, each in enumerate(made.events()):
        record = made.record(number)
        described = made.describe(each)
        assert (described.venue_time_ns, described.line) == (0, 0)
        assert (described.kind, described.instrument) == (record.kind, record.instrument)
        assert (described.time_ns, described.values) == (record.time_ns, record.values)


def test_the_whole_feeds_connection_is_recorded_without_an_instrument() -> None:
    builder = SliceBuilder(table())
    made = builder.connection(Origin(3), ConnectionState.DOWN).build()
    assert made.instrument.tolist() == [WHOLE_FEED]
    assert made.record(0).instrument == ""
    assert made.record(0).values == {"state": "DOWN"}


def test_a_row_whose_clock_steps_back_gets_the_time_of_the_row_before() -> None:
    builder = SliceBuilder(table())
    for time_ns in (10, 4, 11):
        add(builder, Row(TRADE, time_ns, 0, (1, 1, 1)))
    assert builder.build().times() == [10, 10, 11]
    add(builder, Row(TRADE, 5, 0, (1, 1, 1)))
    assert builder.build().times() == [11]


def test_an_empty_side_has_a_price_that_no_limit_can_reach() -> None:
    builder = SliceBuilder(table())
    builder.quote(Origin(1), 0, (49, 51, 0, 0))
    assert len(builder) == 1
    (quote,) = builder.build().events()
    assert isinstance(quote, Quote)
    assert (quote.bid_ticks, quote.ask_ticks) == (0, NO_PRICE)
    assert quote.mid != quote.mid
    assert len(builder) == 0


def test_a_slice_of_nothing_has_nothing() -> None:
    empty = SliceBuilder(table()).build()
    assert len(empty) == 0
    assert list(empty.events()) == []
    assert empty.codes == []
    assert list(resliced([empty], repeat(3))) == []
