"""How far a venue can look ahead does not depend on what it has looked at before."""

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.brokers.market.venue_market import VenueMarket
from actors.brokers.open_orders.open_orders import OpenOrder, OpenOrders
from actors.brokers.open_orders.watch import Watch
from actors.messages.slices import Slice
from actors.model.instrument import Instruments
from actors.model.order import Side
from tests.actors.brokers.rows import Tape
from tests.builders import instrument, instruments, order

_ROWS = 300
"""Enough for the extremes of a slice to be known."""


def _held(table: Instruments, number: int, side: Side, limit: int) -> OpenOrder:
    made = order(side, "1", f"{limit}e-2", id=f"run-strategy-{number}")
    return OpenOrder(made, table[0], 0, side.sign, limit, 1, number, takes=False)


def _rows(table: Instruments, bids: list[int]) -> Slice:
    tape = Tape(table)
    for bid in bids:
        tape.quote(bid, bid + 2)
    return tape.build()


def _first_reached(bids: list[int], held: list[OpenOrder], start: int, stop: int) -> int:
    for row in range(start, stop):
        for each in held:
            if (bids[row] + 2 <= each.reach) if each.sign > 0 else (bids[row] >= each.reach):
                return row
    return stop


_LIMITS = st.one_of(st.integers(1, 20), st.integers(80, 120), st.integers(180, 200))


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_the_first_row_that_reaches_an_order_is_found_in_long_slices(data: st.DataObject) -> None:
    table = instruments(instrument(lot="1"))
    peak = data.draw(st.integers(0, _ROWS - 1))
    height = data.draw(st.integers(0, 60))
    bids = [100 + max(height - abs(row - peak), 0) for row in range(_ROWS)]
    rows = _rows(table, bids)
    orders, market = OpenOrders(), VenueMarket(table)
    watch = Watch(table, orders)
    held: list[OpenOrder] = []
    for number in range(data.draw(st.integers(1, 12))):
        removes = data.draw(st.booleans())
        if held and removes:
            orders.remove(held.pop(data.draw(st.integers(0, len(held) - 1))))
        if data.draw(st.booleans()):
            side = data.draw(st.sampled_from(Side))
            held.append(_held(table, number, side, data.draw(_LIMITS)))
            orders.add(held[-1])
        start = data.draw(st.integers(0, _ROWS))
        stop = data.draw(st.integers(start, _ROWS))
        found = watch.first(market, rows, start, stop)
        assert found == _first_reached(bids, held, start, stop)


def test_rows_that_reach_nobody_are_looked_at_again_when_an_order_comes() -> None:
    table = instruments(instrument(lot="1"))
    rows = _rows(table, [100] * 200 + [110] * 100)
    orders, market = OpenOrders(), VenueMarket(table)
    watch = Watch(table, orders)
    orders.add(_held(table, 1, Side.BUY, 50))
    assert watch.first(market, rows, 250, _ROWS) == _ROWS
    assert watch.first(market, rows, 260, _ROWS) == _ROWS
    orders.add(_held(table, 2, Side.SELL, 110))
    assert watch.first(market, rows, 0, _ROWS) == 200
    assert watch.first(market, rows, 260, _ROWS) == 260


def test_rows_that_reach_nobody_say_nothing_of_those_before_them() -> None:
    table = instruments(instrument(lot="1"))
    rows = _rows(table, [110] * 100 + [100] * 200)
    orders, market = OpenOrders(), VenueMarket(table)
    watch = Watch(table, orders)
    orders.add(_held(table, 1, Side.SELL, 105))
    assert watch.first(market, rows, 100, _ROWS) == _ROWS
    assert watch.first(market, rows, 40, _ROWS) == 40
