"""Rows in a few characters: a tape of one instrument, one second apart."""

from collections.abc import Iterable
from typing import Self

from actors.messages.market import UNKNOWN_LOTS, ConnectionState
from actors.messages.records import Origin
from actors.messages.slices import WHOLE_FEED, Slice, SliceBuilder
from actors.model.instrument import Instruments
from tests.builders import SECOND, START_NS


class Tape:
    """Collects rows; ``build`` returns them as one slice."""

    def __init__(self, table: Instruments) -> None:
        self._builder = SliceBuilder(table)
        self._time_ns = START_NS - SECOND

    def _next(self) -> Origin:
        self._time_ns += SECOND
        return Origin(self._time_ns)

    def quote(
        self,
        bid: int,
        ask: int,
        bid_lots: int = UNKNOWN_LOTS,
        ask_lots: int = UNKNOWN_LOTS,
        *,
        index: int = 0,
    ) -> Self:
        self._builder.quote(self._next(), index, (bid, ask, bid_lots, ask_lots))
        return self

    def trade(self, ticks: int, lots: int = 1, *, aggressor: int = 0, index: int = 0) -> Self:
        self._builder.trade(self._next(), index, (ticks, lots, aggressor))
        return self

    def bar(
        self, open_: int, high: int, low: int, close: int, volume: int = 0, *, index: int = 0
    ) -> Self:
        self._builder.bar(self._next(), index, (open_, high, low, close, volume))
        return self

    def book(
        self,
        bids: Iterable[tuple[int, int]] = (),
        asks: Iterable[tuple[int, int]] = (),
        *,
        is_snapshot: bool = False,
        index: int = 0,
    ) -> Self:
        levels = [(1, *level) for level in bids] + [(-1, *level) for level in asks]
        self._builder.book(self._next(), index, levels, is_snapshot=is_snapshot)
        return self

    def connection(self, state: ConnectionState, index: int = WHOLE_FEED) -> Self:
        self._builder.connection(self._next(), state, index)
        return self

    def resolution(self, payoff_ticks: int, *, index: int = 0) -> Self:
        self._builder.resolution(self._next(), index, payoff_ticks)
        return self

    def build(self) -> Slice:
        return self._builder.build()
