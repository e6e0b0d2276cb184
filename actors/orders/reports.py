"""What venues say of orders, other than trades, applied to the records and told."""

import msgspec

from actors.messages.trading import ExecutionReport, OrderUpdate, ReportKind
from actors.model.order import TERMINAL, OrderStatus
from actors.orders.asks import Asks
from actors.orders.changes import Changes
from actors.orders.contingent import Contingents
from actors.orders.doubts import Doubts
from actors.orders.lifecycle import OrderEvent, next_status
from actors.orders.memory import Memory
from actors.orders.outputs import Output, never_placed, update_of
from actors.orders.parts import Parts
from actors.orders.records import OrderRecord
from actors.orders.registry import part_of
from actors.orders.settlement import settle

# On Python 3.11 looking a member up costs as much as a call: those on an order's way have names.
_ACCEPTED = ReportKind.ACCEPTED
_CANCEL_REJECTED = ReportKind.CANCEL_REJECTED
_REPLACED = ReportKind.REPLACED
_REPLACE_REJECTED = ReportKind.REPLACE_REJECTED
_TRIGGERED = ReportKind.TRIGGERED
_ANSWERS = frozenset({_REPLACED, _REPLACE_REJECTED})
_SETTLES = frozenset({ReportKind.TRADE_SETTLED, ReportKind.TRADE_FAILED})
_SAYS_NOTHING = frozenset({ReportKind.LOST, ReportKind.NOT_FOUND})
_FILLED = OrderStatus.FILLED
_UNKNOWN = OrderStatus.UNKNOWN
_DENIED = OrderStatus.DENIED

_EVENTS = {
    ReportKind.ACCEPTED: OrderEvent.ACCEPT,
    ReportKind.REJECTED: OrderEvent.REJECT,
    ReportKind.CANCELLED: OrderEvent.CANCEL,
    ReportKind.CANCEL_REJECTED: OrderEvent.CANCEL_REJECT,
    ReportKind.EXPIRED: OrderEvent.EXPIRE,
    ReportKind.REPLACED: OrderEvent.REPLACE,
    ReportKind.REPLACE_REJECTED: OrderEvent.REPLACE_REJECT,
    ReportKind.TRIGGERED: OrderEvent.TRIGGER,
}


class Reports:
    """Applies reports by the status table; what says nothing new leads to nothing.

    Attributes:
        memory: What remembers evicted orders; None where nothing does.
    """

    def __init__(
        self,
        asks: Asks,
        changes: Changes,
        contingents: Contingents,
        parts: Parts,
        doubts: Doubts,
    ) -> None:
        self.memory: Memory | None = None
        self._registry = asks.registry
        self._records = asks.registry.records
        self._asks = asks
        self._changes = changes
        self._contingents = contingents
        self._parts = parts
        self._doubts = doubts

    def apply(self, report: ExecutionReport, now_ns: int) -> list[Output]:
        """Apply a report that is no trade.

        Raises:
            OrderStateError: If it contradicts what is known; nothing has changed then.
        """
        record = self._records.get(report.client_order_id)
        if record is None:
            if self.memory is not None:
                if not self.memory.admits(report):
                    return []
                record = self._records.get(report.client_order_id)
            if record is None:
                return self._apply_to_part(report, now_ns)
        extras = record.extras
        if extras is not None and (extras.is_held or extras.work is not None):
            raise never_placed(report)
        outputs = self._step(record, report, now_ns)
        if extras is not None:
            outputs += self._contingents.after(record, now_ns)
        if report.kind is _CANCEL_REJECTED:
            outputs += self._contingents.refused_cancel(record, now_ns)
            outputs += self._doubts.refused_cancel(record, report)
        return outputs

    def _apply_to_part(self, report: ExecutionReport, now_ns: int) -> list[Output]:
        """Apply a report to a child order, and go on with the scheduled order it is a part of."""
        part_name = report.client_order_id
        part = self._registry.parts.get(part_name)
        if part is None:
            registry = self._registry
            if registry.is_forgotten(part_name) or part_name in registry.strangers:
                return []
            raise never_placed(report)
        record = self._records[part_of(part_name)]
        if report.kind in _SETTLES:
            return settle(record, report) + self._contingents.after(record, now_ns)
        before = part.status
        own = self._step(part, report, now_ns)
        outputs: list[Output] = [each for each in own if not isinstance(each, OrderUpdate)]
        if part.status is not before:
            if part.status is _UNKNOWN:
                outputs += self._parts.part_in_doubt(record, part, report.reason)
            elif part.status in TERMINAL:
                outputs += self._parts.part_over(record, part, report.reason, now_ns)
            elif report.kind is _CANCEL_REJECTED:
                outputs += self._parts.part_refused_cancel(record, report.reason, now_ns)
                outputs += self._contingents.refused_cancel(record, now_ns)
                outputs += self._doubts.refused_cancel(part, report)
            else:
                outputs += self._parts.part_accepted(record, now_ns)
        return outputs + self._contingents.after(record, now_ns)

    def _step(self, record: OrderRecord, report: ExecutionReport, now_ns: int) -> list[Output]:
        kind = report.kind
        event = _EVENTS.get(kind)
        if event is None:
            return self._no_event(record, report, now_ns)
        reason = report.reason
        status = next_status(
            record.status,
            event,
            report.client_order_id,
            report.venue,
            has_fills=bool(record.trade_ids),
        )
        if kind is _CANCEL_REJECTED and not record.is_acknowledged:
            # The cancel has overtaken its order: ask again when the venue has seen the order.
            record.is_cancel_early = record.status not in TERMINAL
            return []
        record.venue = report.venue
        outputs: list[Output] = []
        if record.is_answer_due and kind in _ANSWERS:
            record.is_answer_due = False
        elif kind is _REPLACED:
            outputs = self._changes.replaced(record, reason, now_ns)
        elif kind is _REPLACE_REJECTED:
            outputs = self._changes.kept(record, reason, now_ns)
        elif status is not record.status:
            outputs = self._move(record, status, reason, now_ns)
        if status not in TERMINAL and kind is not _CANCEL_REJECTED:
            if kind is _TRIGGERED and not record.is_triggered:
                record.is_triggered = True
                outputs = [update_of(record, reason or "triggered")]
            record.is_acknowledged = True
            if record.is_cancel_early or record.waiting is not None:
                outputs += self._changes.ask_now(record, now_ns)
        return outputs

    def _no_event(self, record: OrderRecord, report: ExecutionReport, now_ns: int) -> list[Output]:
        """Apply what the table has no event for: words on trades, and on what nobody knows."""
        if report.kind in _SETTLES:
            return settle(record, report)
        if report.kind in _SAYS_NOTHING:
            return self._doubts.lost(record, report, now_ns)
        if record.status in TERMINAL and record.status is not _DENIED:
            return []
        # It is gone: one that the venue has shown was cancelled, one that it never did not taken.
        kind = ReportKind.CANCELLED if record.is_acknowledged else ReportKind.REJECTED
        reason = report.reason or "the venue does not have it"
        over = msgspec.structs.replace(report, kind=kind, reason=reason)
        return self._step(record, over, now_ns)

    def _move(
        self, record: OrderRecord, status: OrderStatus, reason: str, now_ns: int
    ) -> list[Output]:
        if status in TERMINAL:
            if record.order.quantity == record.traded_quantity:
                status = _FILLED  # it waited for the answer to a change that would make it larger
            return self._asks.finish(record, status, reason, now_ns)
        record.move(status, now_ns, reason)
        return [update_of(record, reason)]
