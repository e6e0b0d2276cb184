from hypothesis import given, settings
from hypothesis import strategies as st

from actors.messages.market import NO_PRICE, UNKNOWN_LOTS, EventKind
from actors.messages.prices import EMPTY, LastPrices, Top
from actors.messages.slices import resliced
from tests.actors.portfolio.builders import YES, Tape
from tests.actors.portfolio.builders import table as coin_and_tokens
from tests.rows import Row, built, row_lists, table

QUOTE, TRADE, BAR = EventKind.QUOTE, EventKind.TRADE, EventKind.BAR


def expected(rows: list[Row], instrument: int) -> Top:
    """Go through every row, as :class:`LastPrices` does not."""
    firm: Top | None = None
    traded = EMPTY
    for row in rows:
        if row.instrument != instrument:
            continue
        match row.kind, row.values:
            case EventKind.QUOTE, (bid, ask, bid_lots, ask_lots):
                firm = Top(
                    bid if bid_lots else 0, ask if ask_lots else NO_PRICE, bid_lots, ask_lots
                )
            case EventKind.BAR, (_, _, _, close, _):
                firm = Top(close, close, UNKNOWN_LOTS, UNKNOWN_LOTS)
            case EventKind.TRADE, (price, _, _):
                traded = Top(price, price, UNKNOWN_LOTS, UNKNOWN_LOTS)
            case _:
                pass
    return traded if firm is None else firm


@settings(deadline=None)
@given(
    rows=row_lists(),
    sizes=st.lists(st.integers(1, 6), min_size=30, max_size=30),
    steps=st.lists(st.integers(0, 3), min_size=1, max_size=5),
)
def test_last_prices_do_not_depend_on_how_rows_are_cut(
    rows: list[Row], sizes: list[int], steps: list[int]
) -> None:
    prices = LastPrices()
    before = 0
    for part in resliced([built(rows, table())], iter(sizes)):
        stops = {min(sum(steps[: n + 1]), len(part)) for n in range(len(steps))} | {len(part)}
        for stop in sorted(stops):
            prices.advance(part, stop)
            seen = rows[: before + stop]
            assert [prices.top(i) for i in range(3)] == [expected(seen, i) for i in range(3)]
        before += len(part)


def test_an_instrument_without_any_row_has_no_price() -> None:
    prices = LastPrices()
    assert prices.top(0) == EMPTY
    prices.advance(built([Row(QUOTE, 1, 1, (49, 51, 5, 5))], table()), 1)
    assert prices.top(0) == EMPTY
    assert prices.top(1) == Top(49, 51, 5, 5)


def test_a_trade_is_a_price_only_before_the_first_quote() -> None:
    prices = LastPrices()
    first = built([Row(TRADE, 1, 0, (50, 1, 1))], table())
    prices.advance(first, 1)
    assert prices.top(0) == Top(50, 50, UNKNOWN_LOTS, UNKNOWN_LOTS)
    prices.advance(
        built([Row(QUOTE, 2, 0, (49, 51, 5, 5)), Row(TRADE, 3, 0, (60, 1, 1))], table()), 2
    )
    assert prices.top(0) == Top(49, 51, 5, 5)


def test_a_slice_that_was_left_before_its_first_row_leaves_no_price() -> None:
    prices = LastPrices()
    prices.advance(built([Row(TRADE, 1, 0, (50, 1, 1))], table()), 1)
    prices.advance(built([Row(QUOTE, 2, 0, (49, 51, 5, 5))], table()), 0)
    assert prices.top(0) == Top(50, 50, UNKNOWN_LOTS, UNKNOWN_LOTS)
    prices.advance(built([Row(TRADE, 3, 0, (60, 1, 1))], table()), 1)
    assert prices.top(0) == Top(60, 60, UNKNOWN_LOTS, UNKNOWN_LOTS)


def test_rows_that_were_not_reached_when_a_slice_was_left_do_not_count() -> None:
    prices = LastPrices()
    first = built([Row(BAR, 1, 0, (1, 1, 1, 5, 1)), Row(BAR, 2, 0, (1, 1, 1, 9, 1))], table())
    prices.advance(first, 1)
    prices.advance(built([Row(TRADE, 3, 1, (7, 1, 1))], table()), 1)
    assert prices.top(0) == Top(5, 5, UNKNOWN_LOTS, UNKNOWN_LOTS)


def test_a_price_knows_when_it_was_seen() -> None:
    instruments = coin_and_tokens()
    prices = LastPrices()
    assert prices.time_ns(0) is None
    rows = Tape(instruments).trade(3, "0.10").quote(5, "0.40", "0.45", YES).rows()
    prices.advance(rows, 1)
    assert (prices.time_ns(0), prices.time_ns(1)) == (3, None)
    prices.advance(rows, 2)
    assert (prices.time_ns(0), prices.time_ns(1)) == (3, 5)
    sole = Tape(instruments).quote(7, "0.40", "0.45").quote(8, "0.40", "0.45").rows()
    prices.advance(sole, 1)
    assert (prices.time_ns(0), prices.time_ns(1)) == (7, 5)
    # a quote goes before a later print, as it does for the price
    later = Tape(instruments).trade(9, "0.10").rows()
    prices.advance(sole, 2)
    prices.advance(later, 1)
    assert (prices.time_ns(0), prices.time_ns(1)) == (8, 5)
