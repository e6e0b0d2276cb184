"""Stop orders that sleep at a venue, and the prices that wake them."""

from bisect import bisect_left, insort
from collections.abc import Iterator

import numpy as np

from actors.brokers.market.shown import ShownRow
from actors.brokers.open_orders.columns import extended
from actors.brokers.open_orders.open_order import OpenOrder
from actors.messages.market import NO_PRICE
from actors.messages.slices import Column

_NEVER_RISES = NO_PRICE + 1
_NEVER_FALLS = -1


class StopOrders:
    """Sleeping orders by instrument and side, those that wake first in front.

    A BUY wakes when an ask, a public trade or the high of a bar is at its stop or above; a SELL
    when a bid, a public trade or the low of a bar is at its stop or below. ``buy`` and ``sell``
    hold, by instrument, the price that wakes the first one.
    """

    def __init__(self) -> None:
        self.buy = np.empty(0, dtype=np.int64)
        self.sell = np.empty(0, dtype=np.int64)
        self._sides: dict[tuple[int, int], list[OpenOrder]] = {}

    def __bool__(self) -> bool:
        return bool(self._sides)

    def has(self, index: int) -> bool:
        """Return whether orders of an instrument sleep."""
        return (index, 1) in self._sides or (index, -1) in self._sides

    def instruments(self) -> Iterator[int]:
        """Yield the instruments with sleeping orders; one with both sides comes twice."""
        return (index for index, _ in self._sides)

    def side(self, index: int, sign: int) -> list[OpenOrder]:
        """Return an instrument's sleeping orders of one side in the order of their waking."""
        return [*self._sides.get((index, sign), ())]

    def add(self, held: OpenOrder) -> None:
        """Let an order sleep."""
        insort(self._sides.setdefault((held.index, held.sign), []), held, key=_turn)
        self._update(held.index, held.sign)

    def remove(self, held: OpenOrder) -> None:
        """Let an order go; its stop must be as it was when it was added."""
        side = self._sides[held.index, held.sign]
        del side[bisect_left(side, _turn(held), key=_turn)]
        if not side:
            del self._sides[held.index, held.sign]
        self._update(held.index, held.sign)

    def woken(self, shown: ShownRow) -> list[OpenOrder]:
        """Return the orders that a row wakes: those to buy first."""
        found: list[OpenOrder] = []
        for sign in (1, -1):
            side = self._sides.get((shown.index, sign))
            price = None if side is None else shown.farthest(sign)
            if side is not None and price is not None:
                found += [held for held in side if wakes(held, price)]
        return found

    def cover(self, count: int) -> None:
        """See to it that ``buy`` and ``sell`` have an entry for each of ``count`` instruments."""
        missing = count - len(self.buy)
        if missing > 0:
            self.buy = extended(self.buy, missing, _NEVER_RISES)
            self.sell = extended(self.sell, missing, _NEVER_FALLS)

    def without(self, indices: list[int]) -> tuple[Column, Column]:
        """Return ``buy`` and ``sell`` as if no orders of some instruments slept."""
        if not indices:
            return self.buy, self.sell
        buy, sell = self.buy.copy(), self.sell.copy()
        buy[indices] = _NEVER_RISES
        sell[indices] = _NEVER_FALLS
        return buy, sell

    def _update(self, index: int, sign: int) -> None:
        self.cover(index + 1)
        side = self._sides.get((index, sign))
        if sign > 0:
            self.buy[index] = _NEVER_RISES if side is None else _stop_of(side[0])
        else:
            self.sell[index] = _NEVER_FALLS if side is None else _stop_of(side[0])


def wakes(held: OpenOrder, ticks: int) -> bool:
    """Return whether a price wakes a sleeping order."""
    return (ticks - _stop_of(held)) * held.sign >= 0


def _stop_of(held: OpenOrder) -> int:
    assert held.stop is not None, "only stop orders sleep"
    return held.stop


def _turn(held: OpenOrder) -> tuple[int, int]:
    return held.sign * _stop_of(held), held.number
