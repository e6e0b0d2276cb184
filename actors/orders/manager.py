"""The order manager: owns every order's life, from the portfolio's yes to the venue's last word."""

from collections.abc import Iterable, Iterator
from typing import Any, assert_never

from actors.actor import Context
from actors.errors import OrderStateError
from actors.messages.system import CancelAll, CancelStrategy, Halt
from actors.messages.trading import (
    CancelOrder,
    CancelPlacedOrder,
    ExecutionReport,
    Fill,
    OrderUpdate,
    PlaceOrder,
    ReportKind,
    SubmitOrder,
)
from actors.model.instrument import Instruments
from actors.model.money import ZERO
from actors.model.order import TERMINAL, Order, OrderStatus
from actors.orders.lifecycle import OrderEvent, next_status
from actors.orders.outputs import fill_of, never_placed, too_much, update_of
from actors.orders.records import OrderRecord
from actors.orders.validators import reason_of, validate

OrderInput = SubmitOrder | CancelOrder | ExecutionReport | Halt | CancelAll | CancelStrategy
OrderOutput = PlaceOrder | CancelPlacedOrder | OrderUpdate | Fill

# On Python 3.11 looking a member up costs as much as a call: those on an order's way have names.
_TRADE = ReportKind.TRADE
_ACCEPTED = ReportKind.ACCEPTED
_CANCEL_REJECTED = ReportKind.CANCEL_REJECTED
_RECEIVED = OrderStatus.RECEIVED
_VALIDATED = OrderStatus.VALIDATED
_SUBMITTING = OrderStatus.SUBMITTING
_FILL = OrderEvent.FILL
_PARTIAL_FILL = OrderEvent.PARTIAL_FILL

_EVENTS = {
    ReportKind.ACCEPTED: OrderEvent.ACCEPT,
    ReportKind.REJECTED: OrderEvent.REJECT,
    ReportKind.CANCELLED: OrderEvent.CANCEL,
    ReportKind.CANCEL_REJECTED: OrderEvent.CANCEL_REJECT,
    ReportKind.EXPIRED: OrderEvent.EXPIRE,
}


class OrderManager:
    """Validates, tracks and cancels orders; turns the venue's reports into fills and updates.

    Everything may come twice: an order id that was seen, a trade that was applied and news that
    change nothing are ignored. A report that contradicts what is known (an order that nobody
    placed, a trade that would fill more than was ordered) raises :class:`OrderStateError` and
    changes nothing: the runtime sets it aside with its place in the journal and tells, so that a
    wrong position is never booked in silence.
    """

    def __init__(self, context: Context, instruments: Instruments) -> None:
        self._context = context
        self._instruments = instruments
        self._records: dict[str, OrderRecord] = {}
        self._halted: str | None = None
        self._stopped: dict[str, str] = {}

    # --- look-ups ----------------------------------------------------------------------------

    def orders(self) -> Iterator[OrderRecord]:
        """Yield every order in the order of receipt."""
        return iter(self._records.values())

    def open_orders(self, strategy: str | None = None) -> list[OrderRecord]:
        """Return the orders that are not over, in the order of receipt."""
        return [
            record
            for record in self._records.values()
            if record.status not in TERMINAL and strategy in (None, record.order.strategy)
        ]

    def order(self, client_order_id: str) -> OrderRecord | None:
        """Return an order by our id, or None."""
        return self._records.get(client_order_id)

    # --- core --------------------------------------------------------------------------------

    def start(self, now_ns: int) -> list[Any]:
        """Return nothing: orders come from outside."""
        return []

    def stop(self, now_ns: int) -> list[Any]:
        """Return nothing: whether to cancel at the end is the system's to say."""
        return []

    def handle(self, message: OrderInput, now_ns: int) -> list[OrderOutput]:
        """Return what a request or a report leads to.

        Raises:
            OrderStateError: If a report contradicts what is known; nothing has changed then.
        """
        # The two that every order brings come first, and outside of ``match``, which is slower.
        if isinstance(message, ExecutionReport):
            if message.kind is _TRADE:
                return self._trade(message, now_ns)
            return self._report(message, now_ns)
        if isinstance(message, SubmitOrder):
            return self._submit(message.order, now_ns)
        match message:
            case CancelOrder():
                return self._cancel(message, now_ns)
            case Halt():
                self._halted = self._halted or message.cause or "no cause given"
                return self._cancel_all(None, f"halted: {message.cause}", now_ns)
            case CancelAll():
                return self._cancel_all(None, message.cause, now_ns)
            case CancelStrategy():
                self._stopped.setdefault(message.strategy, message.cause)
                cause = f"strategy stopped: {message.cause}"
                return self._cancel_all(message.strategy, cause, now_ns)
            case _:
                assert_never(message)

    def recover(self, history: Iterable[tuple[str, Any]]) -> None:
        """Rebuild by handling what was received again; what it led to was sent already.

        The journal's messages tell the venue's times only: histories that are rebuilt carry the
        latest of these. A report that was refused the first time is refused again.
        """
        now_ns = 0
        for direction, message in history:
            if direction != "received":
                continue
            if isinstance(message, ExecutionReport):
                now_ns = max(now_ns, message.venue_time_ns)
            try:
                self.handle(message, now_ns)
            except OrderStateError:
                continue

    # --- requests ----------------------------------------------------------------------------

    def _submit(self, order: Order, now_ns: int) -> list[OrderOutput]:
        order_id = order.client_order_id
        if order_id in self._records:
            return []
        received = (_RECEIVED, now_ns, order.reason)
        refusal = self._refusal(order)
        if refusal is not None:
            history = [received, (OrderStatus.DENIED, now_ns, refusal)]
            record = OrderRecord(order, OrderStatus.DENIED, history)
            self._records[order_id] = record
            return [update_of(record, refusal)]
        history = [received, (_VALIDATED, now_ns, ""), (_SUBMITTING, now_ns, "")]
        self._records[order_id] = OrderRecord(order, _SUBMITTING, history)
        return [PlaceOrder(order=order)]

    def _refusal(self, order: Order) -> str | None:
        if self._halted is not None:
            return f"halted: {self._halted}"
        if order.strategy in self._stopped:
            return f"strategy stopped: {self._stopped[order.strategy]}"
        violations = validate(order, self._instruments.get(order.instrument))
        return reason_of(violations) if violations else None

    def _cancel(self, message: CancelOrder, now_ns: int) -> list[OrderOutput]:
        record = self._records.get(message.client_order_id)
        if record is None or record.order.strategy != message.strategy:
            return []
        if record.status in TERMINAL:
            return [update_of(record, f"nothing to cancel: the order is {record.status}")]
        if record.status is OrderStatus.CANCELLING:
            return []
        return self._request_cancel(record, message.reason or "cancel asked for", now_ns)

    def _cancel_all(self, strategy: str | None, cause: str, now_ns: int) -> list[OrderOutput]:
        """Ask the venue to cancel every open order, also where it has been asked before."""
        outputs: list[OrderOutput] = []
        for record in self.open_orders(strategy):
            outputs += self._request_cancel(record, cause, now_ns)
        return outputs

    def _request_cancel(self, record: OrderRecord, cause: str, now_ns: int) -> list[OrderOutput]:
        order = record.order
        record.is_cancel_early = False
        outputs: list[OrderOutput] = [
            CancelPlacedOrder(client_order_id=order.client_order_id, instrument=order.instrument)
        ]
        status = next_status(record.status, OrderEvent.REQUEST_CANCEL, order.client_order_id)
        if status is not record.status:
            record.move(status, now_ns, cause)
            outputs.append(update_of(record, cause))
        return outputs

    # --- reports -----------------------------------------------------------------------------

    def _report(self, report: ExecutionReport, now_ns: int) -> list[OrderOutput]:
        record = self._records.get(report.client_order_id)
        if record is None:
            raise never_placed(report)
        kind = report.kind
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
        outputs: list[OrderOutput] = []
        if status is not record.status:
            record.move(status, now_ns, report.reason)
            outputs.append(update_of(record, report.reason))
        if kind is _ACCEPTED:
            record.is_acknowledged = True
            if record.is_cancel_early:
                outputs += self._cancel_again(record, now_ns)
        return outputs

    def _trade(self, report: ExecutionReport, now_ns: int) -> list[OrderOutput]:
        order_id = report.client_order_id
        record = self._records.get(order_id)
        if record is None:
            raise never_placed(report)
        trade_id = report.trade_id
        known = record.trade_ids
        if known is not None and trade_id in known:
            return []
        order = record.order
        quantity = report.last_quantity
        filled = record.filled_quantity + quantity
        leaves = order.quantity - filled
        if leaves < ZERO or quantity <= ZERO:
            raise too_much(report, record)
        event = _PARTIAL_FILL if leaves else _FILL
        status = next_status(record.status, event, order_id, report.venue)
        if known is None:
            record.trade_ids = {trade_id}
        else:
            known.add(trade_id)
        record.venue = report.venue
        record.is_acknowledged = True
        record.filled_quantity = filled
        record.filled_cost += report.last_price * quantity
        record.commission += report.commission
        if status is not record.status:
            record.move(status, now_ns, report.reason)
        outputs: list[OrderOutput] = [
            fill_of(record, report, leaves),
            update_of(record, report.reason),
        ]
        if record.is_cancel_early:
            outputs += self._cancel_again(record, now_ns)
        return outputs

    def _cancel_again(self, record: OrderRecord, now_ns: int) -> list[OrderOutput]:
        if record.status in TERMINAL:
            return []
        return self._request_cancel(record, "the first cancel came before the order", now_ns)
