"""Conditions on what is not known: differences with the venue, orders that are UNKNOWN."""

from typing import ClassVar

from actors.messages.reconciliation import Difference
from actors.messages.system import Resumed
from actors.messages.trading import OrderUpdate
from actors.model.order import OrderStatus
from actors.safety.conditions.condition import Untimed, seconds

_UNKNOWN = OrderStatus.UNKNOWN


class Differences(Untimed):
    """We and the venue do not agree, and no rule cures it.

    Those that were open when a halt was lifted are known to whoever lifted it.
    """

    name: ClassVar[str] = "reconciliation"
    hears: ClassVar[tuple[type, ...]] = (Difference,)

    def __init__(self) -> None:
        self._open: dict[str, bool] = {}
        """Whether each open difference is known to somebody."""

    def see(self, message: Difference, now_ns: int) -> str:
        """Take notice of a difference that has come or gone."""
        if not message.is_open:
            self._open.pop(message.key, None)
            return ""
        if self._open.setdefault(message.key, False):
            return ""
        ours, theirs = message.ours, message.theirs
        return f"reconciliation: limit no difference, found {message.key}: {ours}, venue {theirs}"

    def begin_anew(self, now_ns: int) -> None:
        """Excuse those that are open now."""
        self._open = dict.fromkeys(self._open, True)


class UnknownOrders:
    """An order has been UNKNOWN for too long.

    Those that were UNKNOWN when a halt was lifted get the same time once more.
    """

    name: ClassVar[str] = "unknown_orders"
    hears: ClassVar[tuple[type, ...]] = (OrderUpdate, Resumed)

    def __init__(self, limit_ns: int) -> None:
        self._limit_ns = limit_ns
        self._since_ns: dict[str, int] = {}

    @property
    def limit_ns(self) -> int:
        """Return how long an order may be UNKNOWN."""
        return self._limit_ns

    def see(self, message: OrderUpdate | Resumed, now_ns: int) -> str:
        """Take notice of what becomes of orders; what was UNKNOWN before a restart gets time."""
        if isinstance(message, Resumed):
            self.begin_anew(now_ns)
        elif message.status is _UNKNOWN:
            self._since_ns.setdefault(message.client_order_id, now_ns)
        else:
            self._since_ns.pop(message.client_order_id, None)
        return ""

    def check(self, now_ns: int) -> str:
        """Return the order that has been UNKNOWN for longest, if that is too long."""
        if not self._since_ns:
            return ""
        order_id, since_ns = min(self._since_ns.items(), key=_second)
        if now_ns - since_ns <= self._limit_ns:
            return ""
        found = f"{order_id} for {seconds(now_ns - since_ns)}"
        return f"unknown orders: limit {seconds(self._limit_ns)}, found {found}"

    def begin_anew(self, now_ns: int) -> None:
        """Give those that are UNKNOWN the same time once more."""
        self._since_ns = dict.fromkeys(self._since_ns, now_ns)


def _second(item: tuple[str, int]) -> int:
    return item[1]
