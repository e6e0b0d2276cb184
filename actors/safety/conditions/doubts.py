"""Conditions on what is not known: differences with the venue, orders that are UNKNOWN."""

from typing import ClassVar

from actors.messages.reconciliation import Cure, Difference, Reconciled
from actors.messages.system import Resumed
from actors.messages.trading import OrderUpdate
from actors.model.order import OrderStatus
from actors.safety.conditions.condition import Untimed, seconds

_UNKNOWN = OrderStatus.UNKNOWN
_UNDER_WAY = frozenset({Cure.ASK, Cure.CANCEL})


class Differences(Untimed):
    """We and the venue do not agree, and no rule cures it.

    One about which the venue is being asked, or that a cancel is to end, counts if the round after
    the one that has found it finds it still.
    Those that were open when a halt was lifted are known to whoever lifted it.
    """

    name: ClassVar[str] = "reconciliation"
    hears: ClassVar[tuple[type, ...]] = (Difference, Reconciled)

    def __init__(self) -> None:
        self._open: dict[str, bool] = {}
        """Whether each open difference is known to somebody."""
        self._under_way: dict[str, tuple[Difference, int | None]] = {}
        """Those that something is being done about, each with the round that has found it."""

    def see(self, message: Difference | Reconciled, now_ns: int) -> str:
        """Take notice of a difference that has come or gone, and of the end of a round."""
        if isinstance(message, Reconciled):
            return self._end_round(message)
        self._under_way.pop(message.key, None)
        if not message.is_open:
            self._open.pop(message.key, None)
            return ""
        if self._open.setdefault(message.key, False):
            return ""
        if message.cure in _UNDER_WAY:
            self._under_way[message.key] = message, None
            return ""
        return _cause(message)

    def _end_round(self, word: Reconciled) -> str:
        """Return the cause of what was found in an earlier round already."""
        found = ""
        for key in word.open:
            if key not in self._under_way:
                continue
            difference, first = self._under_way[key]
            if first is None:
                self._under_way[key] = difference, word.round
            elif word.round != first:
                del self._under_way[key]
                found = found or _cause(difference)
        return found

    def begin_anew(self, now_ns: int) -> None:
        """Excuse those that are open now."""
        self._open = dict.fromkeys(self._open, True)
        self._under_way.clear()


def _cause(difference: Difference) -> str:
    ours, theirs = difference.ours, difference.theirs
    return f"reconciliation: limit no difference, found {difference.key}: {ours}, venue {theirs}"


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
