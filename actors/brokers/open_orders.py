"""The orders that a simulated venue holds, and the prices at which they would react."""

from bisect import bisect_left, insort
from collections.abc import Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray

from actors.messages.market import NO_PRICE
from actors.model.instrument import Instrument
from actors.model.order import Order, TimeInForce

_GTC = TimeInForce.GTC
_NEVER_BUYS = -1
_NEVER_SELLS = NO_PRICE + 1


class OpenOrder(msgspec.Struct, eq=False, gc=False):
    """An order at the venue.

    Attributes:
        order: What was asked.
        instrument: Of what.
        index: The instrument's index.
        sign: +1 to buy, -1 to sell.
        limit: The worst price in ticks, None for market orders.
        leaves: What is still to trade, in lots.
        number: Grows from order to order: who came first.
        takes: Whether it takes what it gets: True for a market order, and for one that has found
            no price yet. A limit order that rests provides.
        trades: How many trades it has had; numbers their ids.
    """

    order: Order
    instrument: Instrument
    index: int
    sign: int
    limit: int | None
    leaves: int
    number: int
    takes: bool = True
    trades: int = 0

    @property
    def may_rest(self) -> bool:
        """Return whether what does not trade at once stays."""
        return self.order.time_in_force is _GTC

    @property
    def reach(self) -> int:
        """Return the worst price in ticks at which it reacts.

        A limit order that waits for a price reacts to any row, also to an empty side; a market
        order to any price.
        """
        if self.limit is None:
            return NO_PRICE - 1 if self.sign > 0 else 1
        if self.takes:
            return NO_PRICE if self.sign > 0 else 0
        return self.limit


def _priority(held: OpenOrder) -> tuple[int, int]:
    """Return what sorts orders: the best price first, then the oldest."""
    return -held.sign * held.reach, held.number


class OpenOrders:
    """Open orders by id, and by instrument and side in the order in which they trade.

    ``buy_reach`` and ``sell_reach`` hold, by instrument, the price that the first order reacts to:
    asks at or below the one, bids at or above the other. ``version`` changes with them.
    """

    def __init__(self) -> None:
        self.version = 0
        self.buy_reach = np.empty(0, dtype=np.int64)
        self.sell_reach = np.empty(0, dtype=np.int64)
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
        return (index, 1) in self._sides or (index, -1) in self._sides

    def instruments(self) -> Iterator[int]:
        """Yield the instruments with orders; one with orders on both sides comes twice."""
        return (index for index, _ in self._sides)

    def add(self, held: OpenOrder) -> None:
        """Take an order in."""
        self._by_id[held.order.client_order_id] = held
        insort(self._sides.setdefault((held.index, held.sign), []), held, key=_priority)
        self._update_reach(held.index, held.sign)

    def remove(self, held: OpenOrder) -> None:
        """Let an order go; its ``takes`` must be as it was when it was added."""
        del self._by_id[held.order.client_order_id]
        side = self._sides[held.index, held.sign]
        del side[bisect_left(side, _priority(held), key=_priority)]
        if not side:
            del self._sides[held.index, held.sign]
        self._update_reach(held.index, held.sign)

    def _update_reach(self, index: int, sign: int) -> None:
        self.version += 1
        self.cover(index + 1)
        side = self._sides.get((index, sign))
        if sign > 0:
            self.buy_reach[index] = side[0].reach if side else _NEVER_BUYS
        else:
            self.sell_reach[index] = side[0].reach if side else _NEVER_SELLS

    def cover(self, count: int) -> None:
        """See to it that the reaches have an entry for each of ``count`` instruments."""
        missing = count - len(self.buy_reach)
        if missing > 0:
            self.buy_reach = _extended(self.buy_reach, missing, _NEVER_BUYS)
            self.sell_reach = _extended(self.sell_reach, missing, _NEVER_SELLS)

    def reaches_without(self, indices: list[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return both reaches as if some instruments had no orders."""
        if not indices:
            return self.buy_reach, self.sell_reach
        buy, sell = self.buy_reach.copy(), self.sell_reach.copy()
        buy[indices] = _NEVER_BUYS
        sell[indices] = _NEVER_SELLS
        return buy, sell


def _extended(column: NDArray[np.int64], count: int, value: int) -> NDArray[np.int64]:
    return np.concatenate((column, np.full(count, value, dtype=np.int64)))
