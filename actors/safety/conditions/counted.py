"""Conditions on how often something has happened: failures of actors, refused orders."""

from collections import deque
from typing import ClassVar

from actors.messages.system import ActorFailed
from actors.messages.trading import OrderUpdate
from actors.model.order import TERMINAL, OrderStatus
from actors.safety.conditions.condition import Untimed, seconds
from actors.safety.config import ErrorLimit, RejectLimit

_REFUSED = frozenset({OrderStatus.DENIED, OrderStatus.REJECTED})
_TAKEN = frozenset(
    {
        OrderStatus.WORKING,
        OrderStatus.PARTIALLY_FILLED,
        OrderStatus.FILLED,
        OrderStatus.CANCELLED,
        OrderStatus.EXPIRED,
    }
)


class Errors(Untimed):
    """Actors fail too often."""

    name: ClassVar[str] = "errors"
    hears: ClassVar[tuple[type, ...]] = (ActorFailed,)

    def __init__(self, limit: ErrorLimit) -> None:
        self._limit = limit
        self._times: deque[int] = deque(maxlen=limit.count)

    def see(self, message: ActorFailed, now_ns: int) -> str:
        """Count a failure."""
        self._times.append(now_ns)
        limit = self._limit
        if len(self._times) < limit.count or now_ns - self._times[0] > limit.within_ns:
            return ""
        last = f"{message.actor}: {message.failure.kind}: {message.failure.text}"
        return (
            f"errors: limit fewer than {limit.count} failures in {seconds(limit.within_ns)},"
            f" found {limit.count}, the last {last}"
        )

    def begin_anew(self, now_ns: int) -> None:
        """Forget the failures."""
        self._times.clear()


class Rejects(Untimed):
    """Too many orders are refused, by the order manager or the venue.

    An order counts once: when it is refused, or when it first works, trades or ends otherwise.
    """

    name: ClassVar[str] = "rejects"
    hears: ClassVar[tuple[type, ...]] = (OrderUpdate,)

    def __init__(self, limit: RejectLimit) -> None:
        self._limit = limit
        self._judged: deque[tuple[int, bool]] = deque()
        """When, and whether it was refused; no older than the limit looks back."""
        self._refused = 0
        self._counted: set[str] = set()
        """The orders that were counted and are not over yet."""

    def see(self, message: OrderUpdate, now_ns: int) -> str:
        """Count an order the first time that it counts."""
        self._drop_old(now_ns - self._limit.within_ns)
        status, order_id = message.status, message.client_order_id
        is_refused = status in _REFUSED
        counts = (is_refused or status in _TAKEN) and order_id not in self._counted
        if status in TERMINAL:
            self._counted.discard(order_id)
        elif counts:
            self._counted.add(order_id)
        if not counts:
            return ""
        self._judged.append((now_ns, is_refused))
        self._refused += is_refused
        return self._judge(message) if is_refused else ""

    def _judge(self, last: OrderUpdate) -> str:
        limit, refused, orders = self._limit, self._refused, len(self._judged)
        words = f"in {seconds(limit.within_ns)}, the last {last.client_order_id}: {last.reason}"
        if limit.count is not None and refused >= limit.count:
            return f"rejects: limit fewer than {limit.count}, found {refused} {words}"
        if limit.rate is not None and orders >= limit.least and refused > limit.rate * orders:
            return f"rejects: limit {limit.rate:.0%}, found {refused} of {orders} orders {words}"
        return ""

    def _drop_old(self, before_ns: int) -> None:
        judged = self._judged
        while judged and judged[0][0] < before_ns:
            self._refused -= judged.popleft()[1]

    def begin_anew(self, now_ns: int) -> None:
        """Forget what was refused."""
        self._judged.clear()
        self._refused = 0
