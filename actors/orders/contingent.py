"""Orders that depend on each other: alternatives (OCO) and exits (brackets).

Orders of one ``group`` are alternatives: what one fills, the others give up, and when one has
filled they are cancelled. Two may fill at the same instant at the venue: both fills are taken.

An order with a ``parent`` is its exit. It is held here (``VALIDATED``) until the parent has filled
something, then placed for what the parent has filled so far, and grown with it. A parent that ends
unfilled ends its exits. As soon as an exit begins to fill, the rest of the parent is cancelled;
what the parent still fills in that race is protected only by exits that are not over yet.
"""

from decimal import Decimal

import msgspec

from actors.actor import Later
from actors.messages.system import TimerFired
from actors.model.instrument import Instruments
from actors.model.money import NANOSECONDS, ZERO
from actors.model.order import TERMINAL, Order, OrderStatus, TimeInForce
from actors.orders.asks import Asks
from actors.orders.outputs import Output, result_of, update_of
from actors.orders.parts import Parts
from actors.orders.records import Extras, OrderRecord
from actors.orders.registry import Registry

RETRY = "retry:"
RETRY_NS = NANOSECONDS
"""How long to wait after a refused cancel: a venue that is out refuses each at once."""

_CANCELLING = OrderStatus.CANCELLING
_OVER = TERMINAL | {_CANCELLING}
_FILLED = OrderStatus.FILLED
_UNKNOWN = OrderStatus.UNKNOWN
_VALIDATED = OrderStatus.VALIDATED


class Contingents:
    """Keeps relatives in step, and knows how an order of any kind is cancelled."""

    def __init__(
        self, actor: str, registry: Registry, asks: Asks, parts: Parts, instruments: Instruments
    ) -> None:
        self._actor = actor
        self._registry = registry
        self._records = registry.records
        self._asks = asks
        self._parts = parts
        self._instruments = instruments

    # --- requests ----------------------------------------------------------------------------

    def missing_parent(self, order: Order) -> str | None:
        """Return why an order cannot wait for the parent that it names, or None."""
        parent = self._records.get(order.parent)
        if parent is not None and parent.order.strategy == order.strategy:
            return None
        return f"its parent {order.parent} is not known"

    def begin(self, record: OrderRecord, now_ns: int) -> list[Output]:
        """Take an order that has relatives; place it as far as it may work now."""
        order = record.order
        extras = record.add_extras()
        extras.is_held = True
        if order.group:
            extras.group = f"{order.strategy} {order.group}"
            self._registry.groups.setdefault(extras.group, []).append(order.client_order_id)
        if order.parent:
            extras.parent = order.parent
            self._records[order.parent].add_extras().children.append(order.client_order_id)
        outputs = self._adjust(record, now_ns)
        return outputs or [update_of(record, f"held until {order.parent} fills")]

    def cancel(self, record: OrderRecord, cause: str, now_ns: int) -> list[Output]:
        """Cancel an open order, whether it is held, scheduled or at the venue."""
        extras = record.extras
        if extras is None or not (extras.is_held or extras.work is not None):
            return self._asks.cancel(record, cause, now_ns)
        if extras.is_held:
            extras.is_held = False
            outputs = self._asks.finish(record, OrderStatus.CANCELLED, cause, now_ns)
        else:
            outputs = self._parts.cancel(record, cause, now_ns)
        return outputs + self.after(record, now_ns)

    def change(self, record: OrderRecord, order: Order, now_ns: int) -> list[Output]:
        """Change an order as its strategy wishes, as far as its relatives leave room.

        A quantity that stands, or stood before its relatives changed it, is taken as left alone: a
        change of the price alone was made from it.
        """
        extras = record.extras
        if extras is None:
            return self._asks.replace(record, order, "change asked for", now_ns)
        if not extras.has_relatives:
            extras.next_base, extras.wished = order.quantity, None
            return self._asks.replace(record, order, "change asked for", now_ns)
        base = self._new_base(record, extras, order.quantity)
        if extras.is_held:
            record.order = order
            extras.base = base
            record.move(_VALIDATED, now_ns, "changed while held")
            answer = result_of(record, "changed while held", accepted=True)
            return [answer, update_of(record, "changed while held"), *self._adjust(record, now_ns)]
        quantity = self._room(extras, base)
        if quantity <= record.traded_quantity:
            reason = "its alternatives have traded in its place"
            return [result_of(record, reason, accepted=False), update_of(record, reason)]
        extras.next_base = base
        extras.wished = None if quantity == order.quantity else order
        wanted = msgspec.structs.replace(order, quantity=quantity)
        return self._asks.replace(record, wanted, "change asked for", now_ns)

    def _new_base(self, record: OrderRecord, extras: Extras, quantity: Decimal) -> Decimal:
        if quantity == record.order.quantity or quantity in extras.stood:
            return extras.base
        return quantity + self._taken(extras)

    # --- news --------------------------------------------------------------------------------

    def changed(self, record: OrderRecord, *, accepted: bool) -> None:
        """Take notice of the venue's answer to a change, before it is applied."""
        extras = record.extras
        assert extras is not None
        if not record.is_replaced_for_relatives:
            if accepted:
                extras.base = extras.next_base
            extras.refused = None
        elif accepted:
            extras.wished = None
            extras.stood.append(record.order.quantity)
        elif record.replacement is not None:
            extras.refused = record.replacement.quantity

    def after(self, record: OrderRecord, now_ns: int) -> list[Output]:
        """Let an order's relatives, and itself, follow what has happened to it."""
        extras = record.extras
        if extras is None or not extras.has_relatives:
            return []
        outputs: list[Output] = []
        if extras.parent and record.filled_quantity:
            outputs += self._end_entry(extras.parent, record, now_ns)
        outputs += self._adjust(record, now_ns)
        own_id = record.order.client_order_id
        group = self._registry.groups.get(extras.group, ())
        for relative in (*group, *extras.children):
            if relative != own_id:
                outputs += self._adjust(self._records.get(relative), now_ns)
        return outputs

    def _end_entry(self, parent_id: str, exit_: OrderRecord, now_ns: int) -> list[Output]:
        parent = self._registry.open.get(parent_id)
        if parent is None or parent.status is _CANCELLING or _is_ending(parent):
            return []
        if parent.status is _UNKNOWN and parent.is_cancel_early:
            return []
        cause = f"its exit {exit_.order.client_order_id} has begun to fill"
        return self.cancel(parent, cause, now_ns)

    # --- how much of an order may work -------------------------------------------------------

    def _adjust(self, record: OrderRecord | None, now_ns: int) -> list[Output]:
        """Place, change or cancel an order, so that it works for what its relatives leave."""
        if record is None or record.status in TERMINAL or record.status is _CANCELLING:
            return []
        extras = record.extras
        assert extras is not None
        if extras.work is not None or not (extras.group or extras.parent):
            return []
        done = self._is_done(record, extras)
        if done is not None:
            return self._give_up(record, extras, done, now_ns)
        room = self._room(extras, extras.base)
        if extras.is_held:
            return self._release(record, extras, room, now_ns)
        is_known = record.is_acknowledged and record.status is not _UNKNOWN
        if record.replacement is not None or not is_known:
            return []  # the venue's next word leads here again
        if room <= record.traded_quantity:
            why = "its alternatives have traded in its place"
            return self._give_up(record, extras, why, now_ns)
        extras.is_given_up = False
        if room in (record.order.quantity, extras.refused):
            return []
        wanted = msgspec.structs.replace(record.order, quantity=room)
        cause = "its relatives have traded"
        return self._asks.replace(record, wanted, cause, now_ns, for_relatives=True)

    def _give_up(self, record: OrderRecord, extras: Extras, why: str, now_ns: int) -> list[Output]:
        """Cancel an order that has nothing left to do; once, a refusal leads to :meth:`retry`."""
        if extras.is_given_up:
            return []
        extras.is_given_up = True
        return self.cancel(record, why, now_ns)

    def refused_cancel(self, record: OrderRecord, now_ns: int) -> list[Output]:
        """Return the timer of another try, if an order works on that must not.

        That is one that was cancelled for good, or one that has nothing left to do.
        """
        extras = record.extras
        is_given_up = extras is not None and extras.is_given_up
        if record.status in _OVER or not (is_given_up or record.end_cause is not None):
            return []
        at_ns = now_ns + RETRY_NS
        name = f"{RETRY}{record.order.client_order_id}"
        return [Later(TimerFired(self._actor, name, at_ns), at_ns, background=True)]

    def again(self, now_ns: int) -> list[Output]:
        """Return the timers of all tries that are to come, where they were lost."""
        outputs: list[Output] = []
        for record in self._registry.open.values():
            outputs += self.refused_cancel(record, now_ns)
        return outputs

    def retry(self, timer: TimerFired, now_ns: int) -> list[Output]:
        """Try again to cancel an order that must not work on."""
        record = self._registry.open.get(timer.name.removeprefix(RETRY))
        if record is None or record.status is _CANCELLING:
            return []
        if record.end_cause is not None:
            return self.cancel(record, record.end_cause, now_ns)
        assert record.extras is not None
        record.extras.is_given_up = False
        return self._adjust(record, now_ns)

    def _is_done(self, record: OrderRecord, extras: Extras) -> str | None:
        """Return why an order has nothing left to do, or None."""
        for sibling in self._siblings(extras):
            if sibling.status is _FILLED and sibling is not record:
                return f"its alternative {sibling.order.client_order_id} has filled"
        if extras.parent and extras.parent not in self._registry.open:
            parent = self._records[extras.parent]
            if not parent.filled_quantity:
                return f"its parent {extras.parent} ended unfilled: {parent.status}"
            if self._room(extras, extras.base) <= record.traded_quantity:
                return "its alternatives have traded in its place"
        return None

    def _room(self, extras: Extras, quantity: Decimal) -> Decimal:
        """Return how much an order may fill in all, of the quantity that was approved."""
        if extras.parent:
            quantity = min(quantity, self._records[extras.parent].filled_quantity)
        return quantity - self._taken(extras)

    def _taken(self, extras: Extras) -> Decimal:
        """Return what an order's alternatives have filled."""
        siblings = self._siblings(extras)
        return sum((s.filled_quantity for s in siblings if s.extras is not extras), ZERO)

    def _siblings(self, extras: Extras) -> list[OrderRecord]:
        return [self._records[each] for each in self._registry.groups.get(extras.group, ())]

    def _release(
        self, record: OrderRecord, extras: Extras, room: Decimal, now_ns: int
    ) -> list[Output]:
        """Place a held order, if there is something for it to do."""
        order = record.order
        found = self._instruments.get(order.instrument)
        assert found is not None, order.instrument
        may_grow = extras.parent in self._registry.open and room < extras.base
        if room <= ZERO or (may_grow and room < found.min_quantity):
            return []
        extras.is_held = False
        if order.time_in_force is TimeInForce.GTD and order.expire_time_ns <= now_ns:
            cause = "its time had passed when its parent filled"
            outputs = self._asks.finish(record, OrderStatus.EXPIRED, cause, now_ns)
            return outputs + self.after(record, now_ns)
        if room == order.quantity:
            return self._asks.place(record, now_ns)
        extras.stood.append(order.quantity)
        record.order = msgspec.structs.replace(order, quantity=room)
        answer = result_of(record, "as much as its parent has filled", accepted=True)
        return [answer, *self._asks.place(record, now_ns)]


def _is_ending(record: OrderRecord) -> bool:
    work = None if record.extras is None else record.extras.work
    return work is not None and work.ending is not None
