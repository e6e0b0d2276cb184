"""Trades, applied to orders and told as fills."""

from decimal import Decimal

import msgspec

from actors.messages.trading import CancelPlacedOrder, ExecutionReport
from actors.model.money import ZERO
from actors.model.order import TERMINAL, OrderStatus
from actors.orders.asks import Asks
from actors.orders.changes import Changes
from actors.orders.contingent import Contingents
from actors.orders.lifecycle import OrderEvent, next_status
from actors.orders.outputs import (
    Output,
    fill_of,
    forgotten,
    never_placed,
    result_of,
    too_much,
    update_of,
)
from actors.orders.parts import Parts, told_shortfall
from actors.orders.records import OrderRecord
from actors.orders.registry import Registry, part_of
from actors.orders.settlement import note_provisional

# On Python 3.11 looking a member up costs as much as a call: those on an order's way have names.
_FILLED = OrderStatus.FILLED
_FILL = OrderEvent.FILL
_PARTIAL_FILL = OrderEvent.PARTIAL_FILL


class Trades:
    """Applies trades; one that comes again says nothing new."""

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
        self._close = registry.close
        self._changes = changes
        self._contingents = contingents
        self._parts = parts

    def apply(self, report: ExecutionReport, now_ns: int) -> list[Output]:
        """Apply a trade.

        Raises:
            OrderStateError: If it contradicts what is known; nothing has changed then.
        """
        record = self._records.get(report.client_order_id)
        if record is None:
            return self._apply_to_part(report, now_ns)
        if record.extras is None and not report.provisional:
            known = record.trade_ids
            if known is not None and report.trade_id in known:
                return []
            return self._fill(record, report, now_ns)
        return self._apply_with_extras(record, report, now_ns)

    def _apply_with_extras(
        self, record: OrderRecord, report: ExecutionReport, now_ns: int
    ) -> list[Output]:
        if report.trade_id in (record.trade_ids or ()):
            return []
        extras = record.extras
        if extras is not None and (extras.is_held or extras.work is not None):
            raise never_placed(report)
        outputs = self._fill(record, report, now_ns) + self._settlement(record, report)
        return outputs + self._contingents.after(record, now_ns)

    def _apply_to_part(self, report: ExecutionReport, now_ns: int) -> list[Output]:
        """Apply a trade to a child order and to the scheduled order that it is a part of."""
        part_name = report.client_order_id
        part = self._registry.parts.get(part_name)
        if part is None:
            is_forgotten = self._registry.is_forgotten(part_name)
            raise forgotten(report) if is_forgotten else never_placed(report)
        record = self._records[part_of(part_name)]
        if report.trade_id in (record.trade_ids or ()):
            return []
        was_over = part.status in TERMINAL
        own = self._fill(part, report, now_ns)
        outputs: list[Output] = [each for each in own if isinstance(each, CancelPlacedOrder)]
        excess = report.last_quantity + record.traded_quantity - record.order.quantity
        if excess > ZERO:
            outputs += self._grow(record, excess, now_ns)
        outputs += self._fill(record, report, now_ns)
        if record.status is _FILLED:
            told = f"filled in parts{told_shortfall(record)}"
            outputs[-1] = update_of(record, told)
        outputs += self._settlement(record, report)
        if part.status in TERMINAL and not was_over:
            outputs += self._parts.part_over(record, part, report.reason, now_ns)
        return outputs + self._contingents.after(record, now_ns)

    def _settlement(self, record: OrderRecord, trade: ExecutionReport) -> list[Output]:
        """Remember a trade that is to be settled, before its order can be evicted."""
        extras = record.extras
        outputs: list[Output] = []
        if trade.provisional or (extras is not None and trade.trade_id in extras.early):
            outputs = note_provisional(record, trade)
        if record.status in TERMINAL:
            self._close(record)
        return outputs

    def _grow(self, record: OrderRecord, excess: Decimal, now_ns: int) -> list[Output]:
        """Make a scheduled order larger: a part has filled after its rest was sent once more."""
        order = record.order
        record.order = msgspec.structs.replace(order, quantity=order.quantity + excess)
        reason = "a part has filled after its rest was sent once more"
        if record.status is _FILLED:
            record.move(OrderStatus.PARTIALLY_FILLED, now_ns, reason)  # for no longer than this
        return [result_of(record, reason, accepted=True)]

    def _fill(self, record: OrderRecord, report: ExecutionReport, now_ns: int) -> list[Output]:
        """Apply a trade that is new."""
        order_id = report.client_order_id
        quantity = report.last_quantity
        filled = record.filled_quantity + quantity
        leaves = record.order.quantity - filled
        if record.extras is not None:
            leaves -= record.extras.failed_quantity
        outputs: list[Output] = []
        if leaves < ZERO or quantity <= ZERO:
            outputs, leaves = self._beyond(record, report, leaves, now_ns)
        if record.replacement is not None or record.late_change is not None:
            leaves += _growth(record)  # a change may have made it larger: more may come
        event = _PARTIAL_FILL if leaves else _FILL
        status = next_status(record.status, event, order_id, report.venue)
        if record.trade_ids is None:
            record.trade_ids = {report.trade_id}
        else:
            record.trade_ids.add(report.trade_id)
        record.venue = report.venue
        record.is_acknowledged = True
        record.filled_quantity = filled
        record.filled_cost += report.last_price * quantity
        record.commission += report.commission
        outputs.append(fill_of(record, report, leaves))
        reason = report.reason
        if status is not record.status:
            if event is _FILL:
                if record.replacement is not None or record.waiting is not None:
                    outputs += self._asks.answers(record, status)
                if not report.provisional:  # what has a trade to be settled is not evicted
                    self._close(record)
            record.status = status
            record.history.append((status, now_ns, reason))
        outputs.append(update_of(record, reason))
        if record.is_cancel_early or record.waiting is not None:
            outputs += self._changes.ask_now(record, now_ns)
        return outputs

    def _beyond(
        self, record: OrderRecord, report: ExecutionReport, leaves: Decimal, now_ns: int
    ) -> tuple[list[Output], Decimal]:
        """Take a trade of more than was left as proof of the change that is under way.

        Raises:
            OrderStateError: If none is, or not to as much, or nothing has traded.
        """
        growth = _growth(record)
        if report.last_quantity <= ZERO or leaves + growth < ZERO:
            raise too_much(report, record)
        if record.late_change is not None:
            record.order, record.late_change = record.late_change, None
            return [], leaves + growth
        outputs = self._changes.replaced(record, "shown by a trade of more", now_ns)
        record.is_answer_due = True
        return outputs, leaves + growth


def _growth(record: OrderRecord) -> Decimal:
    """Return by how much the change under way, now or at the end, makes an order larger."""
    change = record.replacement or record.late_change
    return ZERO if change is None else max(change.quantity - record.order.quantity, ZERO)
