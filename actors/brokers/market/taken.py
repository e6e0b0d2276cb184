"""What our own orders have taken of the sizes that the market shows."""

from bisect import bisect_left
from collections.abc import Set

import msgspec

from actors.brokers.market.sizes import Consumption, SizeRules, left_of
from actors.brokers.market.walking import PriceLevel
from actors.messages.market import KIND_BITS, KIND_MASK, NO_PRICE, EventKind
from actors.messages.slices import Slice

_QUOTE, _BAR = int(EventKind.QUOTE), int(EventKind.BAR)
_VOLUME = (0, 0)
"""Stands for the side and the price of what was taken of a bar's volume."""

OwnTrade = tuple[str, int, int, int, int]
"""``(trade id, sign, ticks, lots, time)`` of a trade that took: +1 has bought, -1 sold."""


class Taken(msgspec.Struct, eq=False, gc=False):
    """Lots taken of one instrument's prices.

    Attributes:
        since: The row of the slice at hand since which they are gone.
        trades: What took them.
    """

    since: int
    trades: list[OwnTrade] = []
    _lots: dict[tuple[int, int], int] = {}
    _added: int = 0

    def keep(self, trade_ids: Set[str]) -> None:
        """Give back what other trades than these have taken."""
        self._only([trade for trade in self.trades if trade[0] in trade_ids])

    def keep_shown(self, highest_ask: int, lowest_bid: int) -> None:
        """Give back what was taken of prices that the best quotes have moved past."""
        kept = [
            trade
            for trade in self.trades
            if (trade[2] >= highest_ask if trade[1] > 0 else trade[2] <= lowest_bid) and trade[1]
        ]
        if len(kept) < len(self.trades):
            self._only(kept)

    def _only(self, trades: list[OwnTrade]) -> None:
        self.trades = trades
        self._lots = {}
        self._added = 0

    def rest_of(self, level: PriceLevel, sign: int) -> PriceLevel:
        """Return a level with what is left of it; there is always enough of unlimited ones."""
        ticks, lots = level
        if lots <= 0:
            return level
        if self._added < len(self.trades):
            self._add()
        return ticks, max(lots - self._lots.get((sign, ticks), 0), 0)

    def rest_at(self, level: PriceLevel, sign: int, now_ns: int, half_life_ns: int) -> PriceLevel:
        """Return the same where what is gone comes back in time."""
        ticks, lots = level
        if lots <= 0:
            return level
        for _, of, at, taken, then_ns in self.trades:
            if of == sign and at == ticks:
                lots -= left_of(taken, now_ns - then_ns, half_life_ns)
        return ticks, max(lots, 0)

    def _add(self) -> None:
        """Add up what has been taken since it was last asked for."""
        for _, sign, ticks, lots, _ in self.trades[self._added :]:
            self._lots[sign, ticks] = self._lots.get((sign, ticks), 0) + lots
        self._added = len(self.trades)


class TakenSizes:
    """What was taken of each instrument, as long as it is gone."""

    def __init__(self, rules: SizeRules) -> None:
        self.rules = rules
        self._persists = rules.consumption is Consumption.PERSISTENT
        self._half_life_ns = rules.half_life_ns
        self._taken: dict[int, Taken] = {}

    def __bool__(self) -> bool:
        return bool(self._taken)

    def note(self, index: int, stop: int, trade: OwnTrade) -> None:
        """Note that a trade of ours has taken lots of a price that was just asked for."""
        taken = self._taken.get(index)
        if taken is None:
            taken = self._taken[index] = Taken(stop)
        taken.trades.append(trade)

    def note_volume(self, index: int, stop: int, trade: tuple[str, int, int]) -> None:
        """Note that a trade (id, lots, time) has taken lots of the volume of the last bar."""
        trade_id, lots, now_ns = trade
        self.note(index, stop, (trade_id, *_VOLUME, lots, now_ns))

    def keep(self, trade_ids: Set[str]) -> None:
        """Give back what trades have taken that were never told to anybody."""
        for taken in self._taken.values():
            taken.keep(trade_ids)

    def trade_ids(self) -> set[str]:
        """Return the ids of the trades that something is gone by."""
        return {trade[0] for taken in self._taken.values() for trade in taken.trades}

    def rest_of(self, index: int, level: PriceLevel, sign: int, now_ns: int) -> PriceLevel:
        """Return a level with what is left of it."""
        taken = self._taken.get(index)
        if taken is None:
            return level
        if self._half_life_ns:
            return taken.rest_at(level, sign, now_ns, self._half_life_ns)
        return taken.rest_of(level, sign)

    def rest_of_volume(self, index: int, lots: int) -> int:
        """Return what is left of so many lots of the last bar's volume."""
        taken = self._taken.get(index)
        sign, ticks = _VOLUME
        return lots if taken is None else taken.rest_of((ticks, lots), sign)[1]

    def forget_shown(self, index: int, rows: Slice | None, stop: int) -> None:
        """Forget what an instrument has shown anew in the rows before ``stop``."""
        taken = self._taken.get(index)
        if taken is None or rows is None or taken.since >= stop:
            return
        first, last = _firm_rows(rows, index, taken.since, stop)
        if first >= last:
            return
        if self._persists:
            shown = rows.price_rows(index, firm=True)[first:last]
            is_quote = rows.kind[shown] == EventKind.QUOTE
            asks, bids = rows.b[shown][is_quote], rows.a[shown][is_quote]
            taken.since = stop
            if len(asks):
                taken.keep_shown(int(asks.max()), int(bids.min()))
            else:
                taken.keep_shown(0, NO_PRICE)
        else:
            taken.trades = []
        if not taken.trades:
            del self._taken[index]

    def leave(self, rows: Slice, stop: int) -> None:
        """Forget what was shown anew, and go on with the next slice."""
        for index in list(self._taken):
            self.forget_shown(index, rows, stop)
        for taken in self._taken.values():
            taken.since = 0


def _firm_rows(rows: Slice, index: int, start: int, stop: int) -> tuple[int, int]:
    """Return which of an instrument's quotes and bars are in ``[start, stop)``: from, to."""
    if rows.uniform_code is not None:
        kind = rows.uniform_code & KIND_MASK
        is_mine = kind in (_QUOTE, _BAR) and rows.uniform_code >> KIND_BITS == index
        return (start, stop) if is_mine else (0, 0)
    shown = rows.price_rows(index, firm=True)
    return bisect_left(shown, start), bisect_left(shown, stop)
