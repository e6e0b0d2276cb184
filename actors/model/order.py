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


class TimeInForce(StrEnum):
    """How long an order lives: until cancelled; what fills at once; all at once or nothing."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"


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
    """Whether an execution took liquidity, provided it, or was a settlement."""

    TAKER = "TAKER"
    MAKER = "MAKER"
    SETTLEMENT = "SETTLEMENT"


class Order(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is asked of the venue; never changes. Its progress is the order manager's.

    ``quantity`` is in units, above 0; ``limit_price`` is None for market orders only.
    """

    client_order_id: str
    strategy: str
    instrument: str
    side: Side
    quantity: Decimal
    order_type: OrderType
    limit_price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    reason: str = ""
