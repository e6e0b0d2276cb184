"""One order at a time for each strategy, instrument and side."""

from actors.model.order import TERMINAL, Order, Side
from actors.orders.records import OrderRecord


class DuplicateGuard:
    """Knows the latest order of each strategy, instrument and side.

    It needs no news of orders: whatever way one has ended, its record says so.

    Attributes:
        refused: How many orders were refused.
    """

    def __init__(self, timeout_ns: int) -> None:
        self.refused = 0
        self._timeout_ns = timeout_ns
        self._latest: dict[tuple[str, str, Side], OrderRecord] = {}

    def refusal(self, order: Order, now_ns: int) -> str | None:
        """Return why an order must wait for another, or None; count it."""
        latest = self._latest.get((order.strategy, order.instrument, order.side))
        if latest is None or order.group or order.parent or latest.status in TERMINAL:
            return None
        if self._timeout_ns and now_ns - latest.received_ns >= self._timeout_ns:
            return None
        self.refused += 1
        return f"duplicate: {latest.order.client_order_id} is {latest.status} on the same side"

    def passed(self, record: OrderRecord) -> None:
        """Take notice of an order that was let through."""
        order = record.order
        if not (order.group or order.parent):
            self._latest[order.strategy, order.instrument, order.side] = record
