"""Orders: the words for sides, types, lifetimes and statuses, and the order itself."""

from decimal import Decimal
from enum import StrEnum
from typing import NewType

import msgspec

ClientOrderId = NewType("ClientOrderId", str)
"""Ours: ``<run>-<strategy>-<number>``, known before the order is sent."""
TradeId = NewType("TradeId", str)
"""The venue's name for one execution; unique with the venue."""
StrategyId = NewType("StrategyId", str)


class Side(StrEnum):
    """Which way an order trades."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        """Return +1 for BUY, -1 for SELL."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> "Side":
        """Return the other side."""
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(StrEnum):
    """What an order asks of the book."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    POST_ONLY = "POST_ONLY"
    STOP = "STOP"
    """Becomes a market order when the market trades at its stop price or beyond."""
    STOP_LIMIT = "STOP_LIMIT"
    """Becomes a limit order when the market trades at its stop price or beyond."""


class TimeInForce(StrEnum):
    """How long an order lives."""

    GTC = "GTC"
    """Until it is cancelled."""
    IOC = "IOC"
    """What fills at once; the rest is cancelled."""
    FOK = "FOK"
    """All at once, or nothing."""
    FAK = "FAK"
    """What other venues call IOC."""
    GTD = "GTD"
    """Until its ``expire_time_ns``."""


class OrderStatus(StrEnum):
    """Where an order is; the table of allowed moves is ``actors.orders.lifecycle``."""

    RECEIVED = "RECEIVED"
    VALIDATED = "VALIDATED"
    DENIED = "DENIED"
    SUBMITTING = "SUBMITTING"
    UNKNOWN = "UNKNOWN"
    WORKING = "WORKING"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    CANCELLING = "CANCELLING"
    REPLACING = "REPLACING"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"

    @property
    def is_terminal(self) -> bool:
        """Return whether the order is over (a late fill may still arrive)."""
        return self in TERMINAL


TERMINAL = frozenset(
    {
        OrderStatus.DENIED,
        OrderStatus.FILLED,
        OrderStatus.CANCELLED,
        OrderStatus.REJECTED,
        OrderStatus.EXPIRED,
    }
)


class Liquidity(StrEnum):
    """Whether an execution took liquidity, provided it, or was no trade at all."""

    TAKER = "TAKER"
    MAKER = "MAKER"
    SETTLEMENT = "SETTLEMENT"
    CONVERSION = "CONVERSION"
    """Outcome tokens were made of cash, or cash of outcome tokens."""


class ScheduleKind(StrEnum):
    """How an order is cut into child orders."""

    TWAP = "TWAP"
    """Equal parts at equal distances of time."""
    VWAP = "VWAP"
    """Parts after a profile of volume, at equal distances of time."""
    ICEBERG = "ICEBERG"
    """One part after the other: only the part at work is shown."""


class Schedule(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How the order manager works off an order by child orders.

    ``duration_ns`` and ``slices`` are those of TWAP and VWAP, ``profile`` (weights, one a slice) is
    VWAP's, ``display_quantity`` (units shown at a time) the iceberg's.
    """

    kind: ScheduleKind
    duration_ns: int = 0
    slices: int = 0
    profile: tuple[Decimal, ...] = ()
    display_quantity: Decimal | None = None


class Order(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is asked of the venue; never changes. Its progress is the order manager's.

    Attributes:
        client_order_id: Ours.
        strategy: Whose it is.
        instrument: Of what.
        side: Which way.
        quantity: In units, above 0.
        order_type: What it asks of the book.
        limit_price: The worst price that will do; None for MARKET and STOP.
        stop_price: Where a STOP or STOP_LIMIT wakes up; None for the others.
        time_in_force: How long it lives.
        expire_time_ns: When a GTD order ends; 0 for the others.
        reduce_only: Whether it may only make the strategy's position smaller.
        group: Orders of one group are alternatives: what one fills, the others give up (OCO).
        parent: The order that must fill first (a bracket's entry); empty if there is none.
        schedule: How it is cut into child orders; None if it goes out whole.
        arrival_price: What one unit would have met in the market when the order was approved; None
            if nobody knew.
        created_ns: When it was approved.
        reason: Why it was wished for.
    """

    client_order_id: str
    strategy: str
    instrument: str
    side: Side
    quantity: Decimal
    order_type: OrderType
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    expire_time_ns: int = 0
    reduce_only: bool = False
    group: str = ""
    parent: str = ""
    schedule: Schedule | None = None
    arrival_price: Decimal | None = None
    created_ns: int = 0
    reason: str = ""
