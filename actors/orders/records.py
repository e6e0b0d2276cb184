"""What the order manager knows of one order."""

from decimal import Decimal

import msgspec

from actors.model.money import ZERO
from actors.model.order import Order, OrderStatus


class OrderRecord(msgspec.Struct, eq=False, gc=False):
    """One order's progress; only the order manager changes it.

    Attributes:
        order: What was asked.
        status: Where it is.
        history: ``(status, time_ns, cause)`` of each change of status, oldest first.
        filled_quantity: What has traded, in units; never more than was ordered.
        filled_cost: Sum of price times quantity over its trades.
        commission: Sum of its trades' commissions.
        venue: The name of the venue that reports on it; empty before the first report.
        trade_ids: The trades that were applied: one that comes again is ignored.
        is_acknowledged: Whether the venue has shown that it has the order.
        is_cancel_early: Whether the venue refused to cancel what it had not seen yet.
    """

    order: Order
    status: OrderStatus
    history: list[tuple[OrderStatus, int, str]]
    filled_quantity: Decimal = ZERO
    filled_cost: Decimal = ZERO
    commission: Decimal = ZERO
    venue: str = ""
    trade_ids: set[str] | None = None
    is_acknowledged: bool = False
    is_cancel_early: bool = False

    @property
    def leaves_quantity(self) -> Decimal:
        """Return what may still trade: 0 when the order is over."""
        if self.status.is_terminal:
            return ZERO
        return self.order.quantity - self.filled_quantity

    @property
    def average_price(self) -> Decimal | None:
        """Return the mean price of its trades, None before the first; may be rounded."""
        return self.filled_cost / self.filled_quantity if self.filled_quantity else None

    @property
    def received_ns(self) -> int:
        """Return when the order manager got the order."""
        return self.history[0][1]

    def move(self, status: OrderStatus, now_ns: int, cause: str) -> None:
        """Change the status and write it into the history."""
        self.status = status
        self.history.append((status, now_ns, cause))
