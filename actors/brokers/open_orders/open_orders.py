"""The orders that a simulated venue holds, and the prices at which they would react."""

from bisect import bisect_left, insort
from collections.abc import Iterator

import numpy as np

from actors.brokers.open_orders.columns import extended
from actors.brokers.open_orders.open_order import OpenOrder as OpenOrder
from actors.brokers.open_orders.stops import StopOrders
from actors.messages.market import NO_PRICE
from actors.messages.slices import Column

_NEVER_BUYS = -1
_NEVER_SELLS = NO_PRICE + 1


def _priority(held: OpenOrder) -> tuple[int, int]:
    """Return what sorts orders: the best price first, then the oldest."""
    return -held.sign * held.reach, held.number


class OpenOrders:
    """Open orders by id, and by instrument and side in the order in which they trade.

    ``buy_reach`` and ``sell_reach`` hold, by instrument, the price that the first order reacts to:
    asks at or below the one, bids at or above the other. ``version`` changes with every
    order that comes or goes; those in ``stops`` sleep until their stop price is reached.
    """

    def __init__(self) -> None:
        self.version = 0
        self.buy_reach = np.empty(0, dtype=np.int64)
        self.sell_reach = np.empty(0, dtype=np.int64)
        self.stops = StopOrders()
        self._by_id: dict[str, OpenOrder] = {}
        self._sides: dict[tuple[int, int], list[OpenOrder]] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, client_order_id: str) -> OpenOrder | None:
        """Return an open order by its id, or None."""
        return self._by_id.get(client_order_id)

    def side(self, index: int, sign: int) -> list[OpenOrder]:
        """Return an instrument's orders of one side in the order in which they trade."""
        return [*self._sides.get((index, sign), ())]

    def has(self, index: int) -> bool:
        """Return whether an instrument has orders."""
        sides = self._sides
        return (index, 1) in sides or (index, -1) in sides or self.stops.has(index)

    def instruments(self) -> Iterator[int]:
        """Yield the instruments with orders that are awake; some may come twice."""
        return (index for index, _ in self._sides)

    def of(self, index: int) -> list[OpenOrder]:
        """Return an instrument's orders: awake ones first, those to buy before those to sell."""
        stops = self.stops
        return [
            *self.side(index, 1),
            *self.side(index, -1),
            *stops.side(index, 1),
            *stops.side(index, -1),
        ]

    def all(self) -> list[OpenOrder]:
        """Return every order, by instrument."""
        indices = sorted({*self.instruments(), *self.stops.instruments()})
        return [held for index in indices for held in self.of(index)]

    def add(self, held: OpenOrder) -> None:
        """Take an order in."""
        self._by_id[held.order.client_order_id] = held
        self.version += 1
        if held.stop is not None:
            self.stops.add(held)
            return
        side = self._sides.get((held.index, held.sign))
        if side is None:
            side = self._sides[held.index, held.sign] = [held]
        else:
            insort(side, held, key=_priority)
        if side[0] is held:
            self._set_reach(held.index, held.sign, held.reach)

    def remove(self, held: OpenOrder) -> None:
        """Let an order go; its ``takes`` and ``stop`` must be as they were when it was added."""
        del self._by_id[held.order.client_order_id]
        self.version += 1
        if held.stop is not None:
            self.stops.remove(held)
            return
        index, sign = held.index, held.sign
        side = self._sides[index, sign]
        was_first = side[0] is held
        if len(side) == 1:
            del self._sides[index, sign]
            self._set_reach(index, sign, _NEVER_BUYS if sign > 0 else _NEVER_SELLS)
            return
        del side[0 if was_first else bisect_left(side, _priority(held), key=_priority)]
        if was_first:
            self._set_reach(index, sign, side[0].reach)

    def _set_reach(self, index: int, sign: int, reach: int) -> None:
        if index >= len(self.buy_reach):
            self.cover(index + 1)
        (self.buy_reach if sign > 0 else self.sell_reach)[index] = reach

    def cover(self, count: int) -> None:
        """See to it that the reaches have an entry for each of ``count`` instruments."""
        missing = count - len(self.buy_reach)
        if missing > 0:
            self.buy_reach = extended(self.buy_reach, missing, _NEVER_BUYS)
            self.sell_reach = extended(self.sell_reach, missing, _NEVER_SELLS)
        if self.stops:
            self.stops.cover(count)

    def reaches_without(self, indices: list[int]) -> tuple[Column, Column]:
        """Return both reaches as if some instruments had no orders."""
        if not indices:
            return self.buy_reach, self.sell_reach
        buy, sell = self.buy_reach.copy(), self.sell_reach.copy()
        buy[indices] = _NEVER_BUYS
        sell[indices] = _NEVER_SELLS
        return buy, sell
