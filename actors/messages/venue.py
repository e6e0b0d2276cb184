"""What a broker asks of a venue's link, and what the venue says.

```
BROKER ── VenueCall ──▶ VENUE LINK ── bytes ──▶ (the venue)
   ▲                        │
   └─ VenueAnswer, VenueNews ┘
```
The link is the last of our side: a real one speaks to a socket, a fake one is the venue itself.
Each call gets one answer at most; one that is overdue counts as lost. News come unasked.
"""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

import msgspec

from actors.messages.trading import ExecutionReport
from actors.model.money import ZERO
from actors.model.order import Liquidity, Order, OrderStatus, Side


class CallKind(StrEnum):
    """What is asked of a venue."""

    PLACE = "PLACE"
    CANCEL = "CANCEL"
    REPLACE = "REPLACE"
    CANCEL_ALL = "CANCEL_ALL"
    """Cancel whatever works for this account."""
    ORDER = "ORDER"
    """How one order stands, with its trades."""
    OPEN_ORDERS = "OPEN_ORDERS"
    TRADES = "TRADES"
    """All trades of the account after ``cursor``."""
    ACCOUNT = "ACCOUNT"
    """Positions and balances."""

    @property
    def is_write(self) -> bool:
        """Return whether it changes something at the venue, so that it must not be repeated."""
        return self in _WRITES


_WRITES = frozenset({CallKind.PLACE, CallKind.CANCEL, CallKind.REPLACE, CallKind.CANCEL_ALL})


class VenueCall(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One request to the venue.

    Attributes:
        number: Names it: unique in the life of the journal.
        kind: What is asked.
        deadline_ns: When nobody waits for the answer any more.
        client_order_id: The order it is about; empty for those about the account.
        instrument: That order's.
        order: What to place, or what to make of it; None for the others.
        cursor: Of TRADES: where the last answer ended, in the venue's own words; empty for all. Of
            OPEN_ORDERS: the same, where the last answer was one page of several.
        cause: Of CANCEL_ALL: why.
        made_ns: When it was made; 0 if that does not matter. What an earlier process has made does
            not leave any more: it may have left already.
    """

    number: int
    kind: CallKind
    deadline_ns: int
    client_order_id: str = ""
    instrument: str = ""
    order: Order | None = None
    cursor: str = ""
    cause: str = ""
    made_ns: int = 0


class Outcome(StrEnum):
    """What has become of a call."""

    ANSWERED = "ANSWERED"
    REFUSED = "REFUSED"
    """The venue has heard it and says no: nothing has changed there."""
    LOST = "LOST"
    """No answer, or one that says nothing: it may have arrived or not."""
    NOT_SENT = "NOT_SENT"
    """It certainly has not left."""


class VenueOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An order as the venue knows it; ``client_order_id`` is empty for one that is not ours."""

    client_order_id: str
    venue_order_id: str
    instrument: str
    side: Side
    quantity: Decimal
    filled_quantity: Decimal
    status: OrderStatus
    """WORKING, PARTIALLY_FILLED, or how it has ended."""
    limit_price: Decimal | None = None


class VenueTrade(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A trade of the account; with its order, ``(venue, trade_id)`` names it once and for all."""

    venue: str
    trade_id: str
    client_order_id: str
    venue_order_id: str
    instrument: str
    side: Side
    quantity: Decimal
    price: Decimal
    venue_time_ns: int
    commission: Decimal = ZERO
    liquidity: Liquidity = Liquidity.TAKER
    provisional: bool = False


class VenueAnswer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a call has led to.

    ``order`` is the answer to PLACE, REPLACE, CANCEL and ORDER; None there means that the venue
    does not know the order. ``cursor`` ends TRADES; ``has_more`` says that this is one page of
    several, of which the next begins at ``cursor``, ``is_truncated`` that the venue does not tell
    all that there are.
    """

    number: int
    kind: CallKind
    outcome: Outcome
    venue: str
    venue_time_ns: int
    client_order_id: str = ""
    reason: str = ""
    order: VenueOrder | None = None
    orders: tuple[VenueOrder, ...] = ()
    trades: tuple[VenueTrade, ...] = ()
    cursor: str = ""
    has_more: bool = False
    is_truncated: bool = False
    positions: Mapping[str, Decimal] = {}
    """Units by instrument, signed; those that are 0 may be left out."""
    balances: Mapping[str, Decimal] = {}
    """Money by currency."""


class VenueNews(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the venue says unasked: its reports on orders, and trades."""

    reports: tuple[ExecutionReport, ...] = ()
    trades: tuple[VenueTrade, ...] = ()


class QueryOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The order manager asks how an order stands at the venue, which it sent at ``sent_ns``."""

    client_order_id: str
    instrument: str
    sent_ns: int
