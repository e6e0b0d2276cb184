"""What the portfolio, strategies and the system ask for: submit, cancel, change, halt."""

from actors.messages.system import TimerFired
from actors.messages.trading import (
    CancelOrder,
    CancelOrders,
    PlaceOrder,
    ReplaceOrder,
    ReplaceResult,
)
from actors.model.halts import Halts
from actors.model.instrument import Instruments
from actors.model.money import plain
from actors.model.order import TERMINAL, Order, OrderStatus
from actors.orders.ageing import Ageing
from actors.orders.contingent import Contingents
from actors.orders.guard import DuplicateGuard
from actors.orders.memory import Memory
from actors.orders.outputs import Output, result_of, update_of
from actors.orders.parts import Parts
from actors.orders.records import OrderRecord
from actors.orders.registry import Registry
from actors.orders.validation import reason_of, validate

# On Python 3.11 looking a member up costs as much as a call: those on an order's way have names.
_RECEIVED = OrderStatus.RECEIVED
_VALIDATED = OrderStatus.VALIDATED
_SUBMITTING = OrderStatus.SUBMITTING
_CANCELLING = OrderStatus.CANCELLING
_UNKNOWN = OrderStatus.UNKNOWN
_DENIED = OrderStatus.DENIED
_STAYS = ("strategy", "instrument", "side", "order_type", "time_in_force", "group", "parent")
"""What a change leaves alone."""


class Requests:
    """Decides on requests; a request that comes twice is answered or ignored, never done twice.

    Attributes:
        guard: Who refuses duplicates; None if they are allowed.
        validates: Whether orders are checked before they are placed.
        memory: What remembers evicted orders; None where nothing does.
        stale_ns: What was approved until then comes too late, by an earlier process: the exits of
            an entry that was taken do not.
    """

    def __init__(
        self,
        registry: Registry,
        contingents: Contingents,
        parts: Parts,
        instruments: Instruments,
        ageing: Ageing | None,
    ) -> None:
        self.guard: DuplicateGuard | None = None
        self.validates = True
        self.memory: Memory | None = None
        self.stale_ns = -1
        self._registry = registry
        self._records = registry.records
        self._open = registry.open
        self._forgotten = registry.forgotten
        self._contingents = contingents
        self._parts = parts
        self._instruments = instruments
        self._ageing = ageing
        self._halts = Halts()
        self._halted: str | None = None
        """The first cause of a halt."""
        self._stopped: dict[str, str] = {}

    # --- new orders --------------------------------------------------------------------------

    def submit(self, order: Order, now_ns: int) -> list[Output]:
        """Take an order that the portfolio has approved: place, hold or deny it."""
        order_id = order.client_order_id
        if order_id in self._records or order_id in self._forgotten:
            return []
        if self.memory is not None and self.memory.knows(order_id):
            return []
        is_plain = not (order.group or order.parent or order.schedule is not None)
        refusal = self._refusal(order)
        if refusal is None and order.parent:
            if self.memory is not None:
                self.memory.bring_back(order.parent)
            refusal = self._contingents.missing_parent(order)
        if refusal is None and self.guard is not None:
            refusal = self.guard.refusal(order, now_ns)
        received = (_RECEIVED, now_ns, order.reason)
        if refusal is not None:
            denied = (_DENIED, now_ns, refusal)
            record = self._add(OrderRecord(order, _DENIED, [received, denied]))
            self._registry.close(record)
            return [update_of(record, refusal)]
        validated = (_VALIDATED, now_ns, "")
        if is_plain:
            history = [received, validated, (_SUBMITTING, now_ns, "")]
            record = OrderRecord(order, _SUBMITTING, history)
            self._records[order_id] = self._open[order_id] = record
            outputs: list[Output] = [PlaceOrder(order=order)]
        else:
            record = self._add(OrderRecord(order, _VALIDATED, [received, validated]))
            outputs = self._begin(record, now_ns)
        if self.guard is not None:
            self.guard.passed(record)
        if self._ageing is not None:
            outputs += self._ageing.watch(record)
        return outputs

    def _begin(self, record: OrderRecord, now_ns: int) -> list[Output]:
        if record.order.schedule is not None:
            return self._parts.begin(record, now_ns)
        return self._contingents.begin(record, now_ns)

    def _add(self, record: OrderRecord) -> OrderRecord:
        order_id = record.order.client_order_id
        self._records[order_id] = self._open[order_id] = record
        return record

    def _refusal(self, order: Order) -> str | None:
        if self._halted is not None:
            return f"halted: {self._halted}"
        # those that close the account have no time, and an exit is never too late
        if 0 < order.created_ns <= self.stale_ns and not order.parent:
            return "approved before the restart"
        if order.strategy in self._stopped:
            return f"strategy stopped: {self._stopped[order.strategy]}"
        if not self.validates and not (order.group or order.parent or order.schedule):
            return None  # what depends on others, or is cut, must make sense to be worked off
        findings = validate(order, self._instruments.get(order.instrument))
        return reason_of(findings) if findings else None

    # --- cancels -----------------------------------------------------------------------------

    def cancel(self, message: CancelOrder, now_ns: int) -> list[Output]:
        """Cancel one order of a strategy; say so if it is over."""
        record = self._records.get(message.client_order_id)
        if record is None or record.order.strategy != message.strategy:
            return []
        if record.status in TERMINAL:
            return [update_of(record, f"nothing to cancel: the order is {record.status}")]
        if _is_being_cancelled(record):
            return []
        return self._contingents.cancel(record, message.reason or "cancel asked for", now_ns)

    def cancel_some(self, message: CancelOrders, now_ns: int) -> list[Output]:
        """Cancel a strategy's orders, of one instrument or side if these are named."""
        outputs: list[Output] = []
        cause = message.reason or "cancel asked for"
        for record in self._registry.open_orders(message.strategy):
            order = record.order
            if (
                message.instrument in ("", order.instrument)
                and message.side in (None, order.side)
                and not _is_being_cancelled(record)
                and record.status not in TERMINAL
            ):
                outputs += self._contingents.cancel(record, cause, now_ns)
        return outputs

    def cancel_all(self, strategy: str | None, cause: str, now_ns: int) -> list[Output]:
        """Cancel every open order, also where that has been asked before."""
        return self._cancel_each(self._registry.open_orders(strategy), cause, now_ns)

    def halt(self, cause: str, now_ns: int, *, is_final: bool = True) -> list[Output]:
        """Deny every new order from now on, and cancel every open one; the first cause stays."""
        self._halts.add(cause, is_final=is_final)
        self._halted = self._halts.cause
        return self.cancel_all(None, f"halted: {cause}", now_ns)

    def lift_halt(self, cause: str) -> list[Output]:
        """Let new orders pass again if no other cause holds; what was cancelled is over."""
        self._halts.lift(cause)
        self._halted = self._halts.cause
        return []

    def go_on(self) -> None:
        """Go on in a new process: stopped strategies run again, what was final can be lifted."""
        self._halts.go_on()
        self._halted = self._halts.cause
        self._stopped.clear()

    def stop_strategy(self, strategy: str, cause: str, now_ns: int) -> list[Output]:
        """Deny every new order of one strategy, and cancel its open ones."""
        self._stopped.setdefault(strategy, cause)
        return self.cancel_all(strategy, f"strategy stopped: {cause}", now_ns)

    def age(self, timer: TimerFired, now_ns: int) -> list[Output]:
        """Cancel what has been open for too long."""
        if self._ageing is None:
            return []
        too_old, later = self._ageing.due(timer)
        return [*self._cancel_each(too_old, self._ageing.cause, now_ns), *later]

    def _cancel_each(self, records: list[OrderRecord], cause: str, now_ns: int) -> list[Output]:
        """Cancel orders that must not work on: what the venue refuses is tried again later."""
        outputs: list[Output] = []
        for record in records:
            if record.status not in TERMINAL:  # a relative may have ended it just now
                record.end_cause = cause
                outputs += self._contingents.cancel(record, cause, now_ns)
        return outputs

    # --- changes -----------------------------------------------------------------------------

    def replace(self, message: ReplaceOrder, now_ns: int) -> list[Output]:
        """Change an open order, or refuse to.

        Each request has one answer, :class:`ReplaceResult`, in the order of the requests. One that
        comes before the venue has shown the order waits for that; one that comes while another is
        under way is refused: its strategy is told at once, its answer follows the other's.
        """
        order = message.order
        record = self._records.get(order.client_order_id)
        if record is None:
            return [
                ReplaceResult(
                    client_order_id=order.client_order_id,
                    strategy=order.strategy,
                    accepted=False,
                    order=order,
                    reason="the order is not known",
                )
            ]
        refusal = self._refusal(order) or _unchangeable(record, order)
        if refusal is not None:
            update = update_of(record, refusal)
            if _is_asked(record):
                record.refused_changes += 1
                return [update]
            return [result_of(record, refusal, accepted=False), update]
        extras = record.extras
        if extras is not None and extras.work is not None:
            return self._parts.change(record, order, now_ns)
        is_held = extras is not None and extras.is_held
        is_known = record.is_acknowledged and record.status is not _UNKNOWN
        if not is_held and (not is_known or record.replacement is not None):
            record.waiting = order
            return []
        return self._contingents.change(record, order, now_ns)


def _is_being_cancelled(record: OrderRecord) -> bool:
    """Return whether a cancel was asked for, and neither made nor refused."""
    return record.status is _CANCELLING or (record.status is _UNKNOWN and record.is_cancel_early)


def _is_asked(record: OrderRecord) -> bool:
    """Return whether a change that its strategy wished for is under way."""
    if record.waiting is not None:
        return True
    return record.replacement is not None and not record.is_replaced_for_relatives


def _unchangeable(record: OrderRecord, order: Order) -> str | None:
    """Return why an order cannot be changed into another, or None."""
    if record.status in TERMINAL or _is_being_cancelled(record):
        return f"nothing to change: the order is {record.status}"
    for field in _STAYS:
        before, after = getattr(record.order, field), getattr(order, field)
        if before != after:
            return f"{field} cannot be changed: it is {before}, asked for was {after}"
    traded = record.traded_quantity
    if order.quantity <= traded:
        return f"quantity: expected above the {plain(traded)} filled, found {plain(order.quantity)}"
    if _is_asked(record):
        return "another change is under way"
    return None
