"""Orders that are open for too long."""

from actors.actor import Later
from actors.messages.system import TimerFired
from actors.model.order import TimeInForce
from actors.orders.config import HOUR_NS
from actors.orders.records import OrderRecord
from actors.orders.registry import Registry

AGEING = "ageing"
_GTC = TimeInForce.GTC


class Ageing:
    """Finds GTC orders that are older than allowed; one timer at a time, for the oldest of them."""

    def __init__(self, actor: str, registry: Registry, max_age_ns: int) -> None:
        self.cause = f"open for more than {max_age_ns / HOUR_NS:g} hours"
        self._actor = actor
        self._registry = registry
        self._max_age_ns = max_age_ns
        self._is_set = False

    def watch(self, record: OrderRecord) -> list[Later]:
        """Return the timer for an order that has come, if there is none yet."""
        if self._is_set or record.order.time_in_force is not _GTC:
            return []
        return [self._timer(record.received_ns + self._max_age_ns)]

    def again(self, now_ns: int) -> list[Later]:
        """Return the timer of the oldest order, where it was lost."""
        for record in self._registry.open.values():
            if record.order.time_in_force is _GTC:
                return [self._timer(max(now_ns, record.received_ns + self._max_age_ns))]
        self._is_set = False
        return []

    def due(self, timer: TimerFired) -> tuple[list[OrderRecord], list[Later]]:
        """Return the orders that are too old, and the timer for the next."""
        self._is_set = False
        too_old: list[OrderRecord] = []
        for record in self._registry.open.values():
            if record.order.time_in_force is _GTC:
                due_ns = record.received_ns + self._max_age_ns
                if due_ns > timer.at_ns:
                    return too_old, [self._timer(due_ns)]
                too_old.append(record)
        return too_old, []

    def _timer(self, at_ns: int) -> Later:
        self._is_set = True
        return Later(TimerFired(self._actor, AGEING, at_ns), at_ns, background=True)
