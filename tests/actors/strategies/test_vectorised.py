"""An example of a strategy on whole columns, held against its twin with a callback per row."""

from decimal import Decimal
from itertools import cycle

import attrs
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from actors.actor import Vectorised
from actors.messages.market import NO_PRICE, EventKind, Quote
from actors.messages.slices import MarketData, Slice, resliced
from actors.strategies import Strategy
from tests.actors.strategies.builders import play, started
from tests.builders import quote_rows
from tests.rows import Row, built, row_lists, table

Column = NDArray[np.int64]


class BreakOut(Strategy):
    """Buys when the ask has risen so many ticks above the lowest since the last act."""

    @attrs.frozen(kw_only=True)
    class Parameters:
        rise: int = 20

    parameters: Parameters

    def on_start(self) -> None:
        self.lowest = NO_PRICE


class ByRow(BreakOut):
    def on_quote(self, quote: Quote) -> None:
        self.lowest = min(self.lowest, quote.ask_ticks)
        if quote.ask_ticks - self.lowest >= self.parameters.rise:
            self.buy(quote.instrument, 1, reason=f"{quote.time_ns}")
            self.lowest = NO_PRICE


class ByColumn(BreakOut):
    def on_slice(self, rows: Slice, start: int, stop: int) -> int | None:
        acts = np.flatnonzero(self._rises(rows, start, stop) >= self.parameters.rise)
        return start + int(acts[0]) if len(acts) else None

    def on_rows(self, rows: Slice, start: int, stop: int) -> None:
        if self._rises(rows, start, stop)[-1] >= self.parameters.rise:
            row = stop - 1
            instrument = rows.instruments[int(rows.instrument[row])]
            self.buy(instrument, 1, reason=f"{rows.times()[row]}")
            self.lowest = NO_PRICE
        else:
            self.lowest = min(self.lowest, *self._asks(rows, start, stop).tolist())

    def _asks(self, rows: Slice, start: int, stop: int) -> Column:
        is_mine = rows.kind[start:stop] == EventKind.QUOTE
        return np.where(is_mine, rows.b[start:stop], NO_PRICE)

    def _rises(self, rows: Slice, start: int, stop: int) -> Column:
        asks = self._asks(rows, start, stop)
        lowest = np.minimum(np.minimum.accumulate(asks), self.lowest)
        is_mine = rows.kind[start:stop] == EventKind.QUOTE
        return np.where(is_mine, asks - lowest, 0)


cuts = st.lists(st.integers(1, 9), min_size=1, max_size=5)


@settings(deadline=None, max_examples=150)
@given(row_lists(max_size=60), cuts, cuts)
def test_columns_give_what_callbacks_give_however_the_rows_are_cut(
    drawn: list[Row], sizes: list[int], horizons: list[int]
) -> None:
    known = table()
    rows = built(drawn, known)
    expected = play(started(ByRow, known), [rows])
    core = started(ByColumn, known)
    assert isinstance(core, Vectorised)
    assert play(core, resliced([rows], cycle(sizes)), horizons) == expected


def test_live_rows_reach_a_strategy_on_columns_too() -> None:
    rows = quote_rows([(1, 50), (1, 40), (1, 60), (1, 30), (1, 50), (1, 50)])
    core = started(ByColumn, rows.instruments)
    sent = core.handle(MarketData(rows), 9)
    assert [signal.reason for signal in sent] == [str(rows.times()[2]), str(rows.times()[4])]
    assert {signal.quantity for signal in sent} == {Decimal(1)}
    assert core.handle(MarketData(rows.take(slice(0, 1))), 9) == []
