"""Everything between a wish to trade and its execution.

```
strategy ── Signal ──▶ portfolio ── SubmitOrder ──▶ order manager ── PlaceOrder ──▶ broker
                          │  ▲                          ▲   │                          │
        SignalRefused ◀───┘  └── Fill, OrderUpdate ─────┼───┴──────▶ strategy          │
                                                        └────── ExecutionReport ◀──────┘
```
"""

from decimal import Decimal
from enum import StrEnum

import msgspec

from actors.model.order import (
    Liquidity,
    Order,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
)


class Signal(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A strategy's wish. The portfolio sizes it and turns it into an order or a refusal.

    Either ``quantity`` (units, above 0) on ``side``, or ``target``: the position that the strategy
    wants to hold, from which the portfolio takes side and quantity. ``signal_id`` becomes the
    order's client id.
    """

    signal_id: str
    strategy: str
    instrument: str
    side: Side | None = None
    quantity: Decimal | None = None
    target: Decimal | None = None
    order_type: OrderType = OrderType.MARKET
    limit_price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    priority: int = 0
    reason: str = ""


class Violation(msgspec.Struct, frozen=True, gc=False):
    """One rule that refused an order: which, its limit, and the value found."""

    policy: str
    limit: str
    found: str


class SignalRefused(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The portfolio's no: every policy that was violated, not only the first."""

    signal_id: str
    strategy: str
    instrument: str
    violations: tuple[Violation, ...]


class SubmitOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The portfolio's yes: an order with the policies that approved it and what they reserved."""

    order: Order
    approved_by: tuple[str, ...]
    reserved: Decimal


class CancelOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A strategy asks to cancel one of its orders."""

    client_order_id: str
    strategy: str
    reason: str = ""


class PlaceOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The order manager sends an order to its broker."""

    order: Order


class CancelPlacedOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The order manager asks the broker to cancel an order at the venue."""

    client_order_id: str
    instrument: str


class OrderArrived(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A simulated venue's own: an order has come to it, after the latency of its way."""

    order: Order


class CancelArrived(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A simulated venue's own: a cancel has come to it, after the latency of its way."""

    client_order_id: str
    instrument: str


class ReportKind(StrEnum):
    """What a venue says has happened to an order."""

    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    TRADE = "TRADE"
    CANCELLED = "CANCELLED"
    CANCEL_REJECTED = "CANCEL_REJECTED"
    EXPIRED = "EXPIRED"


class ExecutionReport(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The venue's word on one order. The last six fields are set for TRADE only."""

    client_order_id: str
    kind: ReportKind
    venue: str
    venue_time_ns: int
    reason: str = ""
    trade_id: str = ""
    last_quantity: Decimal = Decimal(0)
    last_price: Decimal = Decimal(0)
    commission: Decimal = Decimal(0)
    liquidity: Liquidity = Liquidity.TAKER


class OrderUpdate(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The order manager's word on an order's progress."""

    client_order_id: str
    strategy: str
    instrument: str
    side: Side
    status: OrderStatus
    quantity: Decimal
    filled_quantity: Decimal
    reason: str = ""


class Fill(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Our execution: ``(venue, trade_id)`` names it once and for all.

    ``leaves_quantity`` is what is still open of the order; 0 when the order is over.
    """

    client_order_id: str
    strategy: str
    instrument: str
    venue: str
    trade_id: str
    side: Side
    last_quantity: Decimal
    last_price: Decimal
    commission: Decimal
    liquidity: Liquidity
    leaves_quantity: Decimal
    venue_time_ns: int
    reason: str = ""
