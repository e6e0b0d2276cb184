"""The venue's answers to changes (cancel-replace), and what fills have to say to them.

One change at a time is under way. A fill may win the race: then the venue refuses the change, or
what it has filled proves that the change took place. Quantities are settled by counting fills.
"""

import msgspec

from actors.model.order import TERMINAL, OrderStatus
from actors.orders.asks import Asks
from actors.orders.contingent import Contingents
from actors.orders.lifecycle import OrderEvent, next_status
from actors.orders.outputs import Output, result_of, update_of
from actors.orders.records import OrderRecord

_FILLED = OrderStatus.FILLED
_UNKNOWN = OrderStatus.UNKNOWN
_REPLACE = OrderEvent.REPLACE
_REPLACE_REJECT = OrderEvent.REPLACE_REJECT


class Changes:
    """Applies answers to changes, and sends what had to wait for them."""

    def __init__(self, asks: Asks, contingents: Contingents) -> None:
        self._asks = asks
        self._contingents = contingents

    def replaced(self, record: OrderRecord, reason: str, now_ns: int) -> list[Output]:
        """Let the change that is under way have taken place; nothing if none is."""
        order = record.replacement
        if order is None:
            return []
        wished = order
        extras = record.extras
        if extras is not None:
            self._contingents.changed(record, accepted=True)
            wished = extras.wished or order
        record.replacement = None
        traded = record.traded_quantity
        if order.quantity < traded:
            order = msgspec.structs.replace(order, quantity=traded)
            reason = f"{reason}; fills came first".removeprefix("; ")
        record.order = order
        if record.is_replaced_for_relatives:
            answers: list[Output] = [result_of(record, reason, accepted=True)]
        else:
            answers = self._asks.answer(record, reason, accepted=True)
            if wished.quantity != order.quantity:
                # the wish is answered as it was approved, then what has become of it is told
                answer = result_of(record, reason, accepted=True)
                answers = [msgspec.structs.replace(answer, order=wished), *answers]
        return answers + self._go_on(record, _REPLACE, reason, now_ns)

    def kept(self, record: OrderRecord, reason: str, now_ns: int) -> list[Output]:
        """Let the change that is under way be refused; nothing if none is."""
        if record.replacement is None:
            return []
        if record.extras is not None:
            self._contingents.changed(record, accepted=False)
        record.replacement = None
        outputs: list[Output] = []
        if not record.is_replaced_for_relatives:
            outputs = self._asks.answer(record, reason, accepted=False)
        return outputs + self._go_on(record, _REPLACE_REJECT, reason, now_ns)

    def _go_on(
        self, record: OrderRecord, event: OrderEvent, reason: str, now_ns: int
    ) -> list[Output]:
        order = record.order
        if order.quantity == record.traded_quantity:
            return self._asks.finish(record, _FILLED, reason, now_ns)
        order_id = order.client_order_id
        status = next_status(record.status, event, order_id, has_fills=bool(record.trade_ids))
        if status is not record.status:
            record.move(status, now_ns, reason)
        return [update_of(record, reason)]

    def ask_now(self, record: OrderRecord, now_ns: int) -> list[Output]:
        """Send what had to wait until the venue has the order, or until another change is done."""
        if record.status in TERMINAL:
            return []
        if record.is_cancel_early:
            cause = "asked again: the first cancel was too early, or its answer is lost"
            return self._asks.cancel(record, cause, now_ns)
        order = record.waiting
        if order is None or record.replacement is not None or record.status is _UNKNOWN:
            return []
        if order.quantity <= record.traded_quantity:
            return self._asks.drop_waiting(record, "fills came first")
        record.waiting = None
        return self._contingents.change(record, order, now_ns)
