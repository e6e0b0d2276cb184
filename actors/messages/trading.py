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
    Schedule,
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
    stop_price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    expire_time_ns: int = 0
    reduce_only: bool = False
    group: str = ""
    parent: str = ""
    schedule: Schedule | None = None
    priority: int = 0
    reason: str = ""


class SignalBatch(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Wishes that were made together; of ``all_or_none`` ones, all are approved or all refused."""

    strategy: str
    signals: tuple[Signal, ...]
    all_or_none: bool = False


class ModifyOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A strategy asks to change one of its open orders; what is None stays as it is.

    ``quantity`` is that of the whole order, with what has been filled. The portfolio decides, as it
    does on a new order.
    """

    client_order_id: str
    strategy: str
    quantity: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
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


class ReplaceOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The portfolio's yes to a change: ``order`` is the order as it shall be, under its old id."""

    order: Order
    approved_by: tuple[str, ...]
    reserved: Decimal


class CancelOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A strategy asks to cancel one of its orders."""

    client_order_id: str
    strategy: str
    reason: str = ""


class CancelOrders(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A strategy asks to cancel all its orders: of one instrument or side, if these are named."""

    strategy: str
    instrument: str = ""
    side: Side | None = None
    reason: str = ""


class PlaceOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The order manager sends an order to its broker."""

    order: Order


class CancelPlacedOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The order manager asks the broker to cancel an order at the venue."""

    client_order_id: str
    instrument: str


class ReplacePlacedOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The order manager asks the broker to change an order at the venue into ``order``."""

    order: Order


class OrderArrived(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A simulated venue's own: an order has come to it, after the latency of its way."""

    order: Order


class CancelArrived(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A simulated venue's own: a cancel has come to it, after the latency of its way."""

    client_order_id: str
    instrument: str


class ReplaceArrived(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A simulated venue's own: a change has come to it, after the latency of its way."""

    order: Order


class ReportKind(StrEnum):
    """What a venue says has happened to an order."""

    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    TRADE = "TRADE"
    CANCELLED = "CANCELLED"
    CANCEL_REJECTED = "CANCEL_REJECTED"
    EXPIRED = "EXPIRED"
    REPLACED = "REPLACED"
    REPLACE_REJECTED = "REPLACE_REJECTED"
    TRIGGERED = "TRIGGERED"
    """A stop price was reached: the order works from now on."""
    TRADE_SETTLED = "TRADE_SETTLED"
    """A provisional trade has become final; only ``trade_id`` says which."""
    TRADE_FAILED = "TRADE_FAILED"
    """A provisional trade has come to nothing: its fill is taken back."""
    LOST = "LOST"
    """Our broker's own: the answer to a request is lost; it may have arrived or not."""
    NOT_FOUND = "NOT_FOUND"
    """The venue does not know the order now: that proves nothing yet."""
    GONE = "GONE"
    """It does not know the order, it would by now, and its trades were asked for: it is over."""


class ExecutionReport(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The venue's word on one order. The fields from ``trade_id`` on are those of trades.

    A ``provisional`` trade is traded but not settled: TRADE_SETTLED or TRADE_FAILED follows.
    """

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
    provisional: bool = False


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


class ReplaceResult(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What became of a change: ``order`` is the order as it stands from now on."""

    client_order_id: str
    strategy: str
    accepted: bool
    order: Order
    reason: str = ""


class Fill(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Our execution: ``(venue, trade_id, client_order_id)`` names it once and for all.

    The order belongs to it: two orders of ours that meet each other share one trade.

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
    provisional: bool = False
    """Whether the trade is yet to be settled: :class:`FillSettled` follows."""


class FillSettled(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A provisional fill is final, or has failed and is taken back."""

    client_order_id: str
    strategy: str
    instrument: str
    venue: str
    trade_id: str
    failed: bool = False
    reason: str = ""
