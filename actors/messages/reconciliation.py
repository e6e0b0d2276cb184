"""Comparing what we believe with what the venue says.

```
BROKER ── VenueOrders ──▶ ORDER MANAGER ── Reconciled ──▶ PORTFOLIO (lets orders pass again)
BROKER ── VenueHoldings ─▶ PORTFOLIO    ── Difference ──▶ for the record, kill switch
```
Whoever owns a fact compares it. Every difference is told with the cure that is proposed; what no
rule cures keeps the gate closed until somebody decides (:class:`ResolveDifference`).
"""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

import msgspec

from actors.messages.venue import VenueOrder, VenueTrade


class Reconcile(msgspec.Struct, frozen=True, gc=False):
    """Compare with the venue now, whatever the timetable says."""

    cause: str


class VenueOrders(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Every open order at the venue, and the trades since the last round.

    ``asked_ns`` is when the first of them was asked for: what is younger may be missing.
    """

    round: int
    venue: str
    asked_ns: int
    orders: tuple[VenueOrder, ...]
    trades: tuple[VenueTrade, ...]
    is_truncated: bool = False


class VenueHoldings(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Positions (signed units by instrument) and balances (money by currency) at the venue."""

    round: int
    venue: str
    asked_ns: int
    positions: Mapping[str, Decimal]
    balances: Mapping[str, Decimal]


class DifferenceKind(StrEnum):
    """What does not agree."""

    ORDER_MISSING = "ORDER_MISSING"
    """Ours is open, the venue's list does not have it: asked for by itself."""
    ORDER_EXTERNAL = "ORDER_EXTERNAL"
    """The venue's list has one that is not ours."""
    TRADE_MISSED = "TRADE_MISSED"
    """The venue has a trade of our order that we had not heard of: booked."""
    TRADE_EXTERNAL = "TRADE_EXTERNAL"
    """The venue has a trade of no order of ours."""
    HISTORY_TRUNCATED = "HISTORY_TRUNCATED"
    """The venue does not tell all trades since the last round."""
    POSITION = "POSITION"
    BALANCE = "BALANCE"


class Cure(StrEnum):
    """What can be done about a difference."""

    ASK = "ASK"
    """Ask the venue for this one order."""
    BOOK = "BOOK"
    """Book what the venue says."""
    ADOPT = "ADOPT"
    """Take it for ours from now on."""
    CANCEL = "CANCEL"
    """Cancel it at the venue."""
    IGNORE = "IGNORE"
    """Leave it alone, and tell no more of it."""
    REFUSE = "REFUSE"
    """None by rule: no new order until somebody decides."""


class Difference(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something on which we and the venue do not agree.

    ``key`` names it in :class:`ResolveDifference`: kind, then the id of order or trade, the
    instrument or the currency. ``is_open`` while it keeps the gate closed; told again with False
    when it is gone, cured or decided.
    """

    kind: DifferenceKind
    key: str
    ours: str
    theirs: str
    cure: Cure
    is_open: bool
    time_ns: int


class Part(StrEnum):
    """Who has compared."""

    ORDERS = "ORDERS"
    HOLDINGS = "HOLDINGS"


class Reconciled(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One side of a round is over; ``open`` are the keys of what is not explained."""

    part: Part
    round: int
    open: tuple[str, ...] = ()


class ResolveDifference(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Somebody decides on an open difference: ADOPT or IGNORE it (BOOK for trades and holdings)."""

    key: str
    cure: Cure
    cause: str
