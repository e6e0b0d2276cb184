"""What venues say of orders, other than trades, applied to the records and told."""

from actors.messages.trading import CancelPlacedOrder, ExecutionReport, ReportKind
from actors.model.order import TERMINAL, OrderStatus
from actors.orders.asks import Asks
from actors.orders.changes import Changes
from actors.orders.contingent import Contingents
from actors.orders.lifecycle import OrderEvent, next_status
from actors.orders.outputs import Output, never_placed, update_of
from actors.orders.parts import Parts
from actors.orders.records import OrderRecord
from actors.orders.registry import Registry, part_of
from actors.orders.settlement import settle

# On Python 3.11 looking a member up costs as much as a call: those on an order's way have names.
_ACCEPTED = ReportKind.ACCEPTED
_CANCEL_REJECTED = ReportKind.CANCEL_REJECTED
_REPLACED = ReportKind.REPLACED
_REPLACE_REJECTED = ReportKind.REPLACE_REJECTED
_TRIGGERED = ReportKind.TRIGGERED
_ANSWERS = frozenset({_REPLACED, _REPLACE_REJECTED})
_SETTLES = frozenset({ReportKind.TRADE_SETTLED, ReportKind.TRADE_FAILED})
_FILLED = OrderStatus.FILLED

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
    """Applies reports by the status table; what says nothing new leads to nothing."""

    def __init__(
        self,
        registry: Registry,
        asks: Asks,
        changes: Changes,
        contingents: Contingents,
        parts: Parts,
    ) -> None:
        self._registry = registry
        self._records = registry.records
        self._asks = asks
        self._changes = changes
        self._contingents = contingents
        self._parts = parts

    def apply(self, report: ExecutionReport, now_ns: int) -> list[Output]:
        """Apply a report that is no trade.

        Raises:
            OrderStateError: If it contradicts what is known; nothing has changed then.
        """
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
        return outputs

    def _apply_to_part(self, report: ExecutionReport, now_ns: int) -> list[Output]:
        """Apply a report to a child order, and go on with the scheduled order it is a part of."""
        part_name = report.client_order_id
        part = self._registry.parts.get(part_name)
        if part is None:
            if self._registry.is_forgotten(part_name):
                return []
            raise never_placed(report)
        record = self._records[part_of(part_name)]
        if report.kind in _SETTLES:
            return settle(record, report) + self._contingents.after(record, now_ns)
        before = part.status
        own = self._step(part, report, now_ns)
        outputs: list[Output] = [each for each in own if isinstance(each, CancelPlacedOrder)]
        if part.status is not before:
            if part.status in TERMINAL:
                outputs += self._parts.part_over(record, part, report.reason, now_ns)
            elif report.kind is _CANCEL_REJECTED:
                outputs += self._parts.part_refused_cancel(record, report.reason, now_ns)
                outputs += self._contingents.refused_cancel(record, now_ns)
            else:
                outputs += self._parts.part_accepted(record, now_ns)
        return outputs + self._contingents.after(record, now_ns)

    def _step(self, record: OrderRecord, report: ExecutionReport, now_ns: int) -> list[Output]:
        kind = report.kind
        if kind in _SETTLES:
            return settle(record, report)
        reason = report.reason
        status = next_status(
            record.status,
            _EVENTS[kind],
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

    def _move(
        self, record: OrderRecord, status: OrderStatus, reason: str, now_ns: int
    ) -> list[Output]:
        if status in TERMINAL:
            if record.order.quantity == record.traded_quantity:
                status = _FILLED  # it waited for the answer to a change that would make it larger
            return self._asks.finish(record, status, reason, now_ns)
        record.move(status, now_ns, reason)
        return [update_of(record, reason)]
