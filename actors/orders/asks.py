"""What the order manager asks of the broker: to place, to cancel, to change."""

from actors.messages.trading import (
    CancelPlacedOrder,
    PlaceOrder,
    ReplacePlacedOrder,
)
from actors.model.order import Order, OrderStatus
from actors.orders.fill_check import loosest_limit
from actors.orders.lifecycle import OrderEvent, next_status
from actors.orders.outputs import Output, result_of, update_of
from actors.orders.records import OrderRecord
from actors.orders.registry import Registry

_FILLED = OrderStatus.FILLED
_UNKNOWN = OrderStatus.UNKNOWN
_REQUEST_CANCEL = OrderEvent.REQUEST_CANCEL
_REQUEST_REPLACE = OrderEvent.REQUEST_REPLACE


class Asks:
    """Writes the requests, and moves the orders that they are about."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry

    def place(self, record: OrderRecord, now_ns: int) -> list[Output]:
        """Send an order to the broker."""
        record.move(OrderStatus.SUBMITTING, now_ns, "")
        return [PlaceOrder(order=record.order)]

    def cancel(self, record: OrderRecord, cause: str, now_ns: int) -> list[Output]:
        """Ask to cancel an order that was placed, also where that was asked before.

        Of an order in doubt it is asked at once, and once more when the venue shows that it works.
        """
        order = record.order
        record.is_cancel_early = record.status is _UNKNOWN
        outputs: list[Output] = [
            CancelPlacedOrder(client_order_id=order.client_order_id, instrument=order.instrument)
        ]
        if record.waiting is not None:
            outputs += self.drop_waiting(record, f"cancelled first: {cause}")
        status = next_status(record.status, _REQUEST_CANCEL, order.client_order_id)
        if status is not record.status:
            record.move(status, now_ns, cause)
            outputs.append(update_of(record, cause))
        elif record.is_cancel_early:
            outputs.append(update_of(record, f"{cause}; the venue's word is awaited"))
        return outputs

    def replace(
        self,
        record: OrderRecord,
        order: Order,
        cause: str,
        now_ns: int,
        *,
        for_relatives: bool = False,
    ) -> list[Output]:
        """Ask to change an order that the venue has."""
        record.replacement = order
        limits = (record.order.limit_price, record.loosest_limit)
        record.loosest_limit = loosest_limit(order, *limits)
        record.is_replaced_for_relatives = for_relatives
        status = next_status(
            record.status,
            _REQUEST_REPLACE,
            order.client_order_id,
            has_fills=bool(record.trade_ids),
        )
        record.move(status, now_ns, cause)
        return [ReplacePlacedOrder(order=order), update_of(record, cause)]

    def answer(self, record: OrderRecord, reason: str, *, accepted: bool) -> list[Output]:
        """Return the answer to a change that was under way, and to those refused meanwhile."""
        refused = result_of(record, "another change was under way", accepted=False)
        answers = [
            result_of(record, reason, accepted=accepted),
            *[refused] * record.refused_changes,
        ]
        record.refused_changes = 0
        return [*answers]

    def drop_waiting(self, record: OrderRecord, reason: str) -> list[Output]:
        """Give up the change that waits; return the answer to it."""
        record.waiting = None
        return self.answer(record, reason, accepted=False)

    def answers(self, record: OrderRecord, status: OrderStatus) -> list[Output]:
        """Give up what was asked of an order that is over now; return the answers."""
        outputs: list[Output] = []
        if record.replacement is not None:
            record.late_change, record.replacement = record.replacement, None
            if not record.is_replaced_for_relatives:
                outputs += self.answer(record, f"{status} first", accepted=False)
        if record.waiting is not None:
            outputs += self.drop_waiting(record, f"{status} first")
        return outputs

    def finish(
        self, record: OrderRecord, status: OrderStatus, cause: str, now_ns: int
    ) -> list[Output]:
        """End an order; what was asked of it is answered first."""
        outputs: list[Output] = []
        if record.replacement is not None or record.waiting is not None:
            outputs = self.answers(record, status)
        if status is _FILLED and record.is_replaced_for_relatives:
            # its last fill told of room that a change, which nobody wished for, has not made
            outputs.append(result_of(record, cause, accepted=False))
        record.move(status, now_ns, cause)
        self.registry.close(record)
        outputs.append(update_of(record, cause))
        return outputs
