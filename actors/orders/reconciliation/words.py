"""What the venue's lists say, in our messages; and what is said of them."""

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from actors.messages.reconciliation import Cure, Difference, DifferenceKind, VenueOrders
from actors.messages.trading import CancelPlacedOrder, ExecutionReport, ReportKind
from actors.messages.venue import VenueOrder, VenueTrade
from actors.model.money import ZERO, plain
from actors.orders.reconciliation.external import id_of


def difference(
    kind: DifferenceKind, name: str, cure: Cure, now_ns: int, views: tuple[str, str]
) -> Difference:
    """Return an open difference about the order or trade of this name.

    Args:
        kind: What does not agree.
        name: The order's or the trade's.
        cure: What is done about it, or can be.
        now_ns: The time.
        views: What we believe, and what the venue says.
    """
    ours, theirs = views
    return Difference(
        kind=kind,
        key=f"{kind}:{name}",
        ours=ours,
        theirs=theirs,
        cure=cure,
        is_open=True,
        time_ns=now_ns,
    )


def closed(told: Difference) -> Difference:
    """Return a difference that is cured as it is told."""
    return msgspec.structs.replace(told, is_open=False)


def words(theirs: VenueOrder | VenueTrade) -> str:
    """Return an order or a trade of the venue in words."""
    what = f"{theirs.side} {plain(theirs.quantity)} {theirs.instrument}"
    if isinstance(theirs, VenueTrade):
        return f"{what} at {plain(theirs.price)}, order {id_of(theirs)}"
    limit = "" if theirs.limit_price is None else f" at {plain(theirs.limit_price)}"
    return f"{what}{limit}, {plain(theirs.filled_quantity)} filled, {theirs.status}"


def report_of(trade: VenueTrade) -> ExecutionReport:
    """Return a trade from the venue's list as the report that has not come."""
    return ExecutionReport(
        client_order_id=id_of(trade),
        kind=ReportKind.TRADE,
        venue=trade.venue,
        venue_time_ns=trade.venue_time_ns,
        trade_id=trade.trade_id,
        last_quantity=trade.quantity,
        last_price=trade.price,
        commission=trade.commission,
        liquidity=trade.liquidity,
        provisional=trade.provisional,
    )


def shown(order_id: str, lists: VenueOrders) -> ExecutionReport:
    """Return the report that an order works: the venue's list has it."""
    return ExecutionReport(
        client_order_id=order_id,
        kind=ReportKind.ACCEPTED,
        venue=lists.venue,
        venue_time_ns=lists.asked_ns,
        reason="it is in the venue's list",
    )


def cancel_of(theirs: VenueOrder) -> CancelPlacedOrder:
    """Return the request to cancel an order that the venue's list has."""
    return CancelPlacedOrder(client_order_id=id_of(theirs), instrument=theirs.instrument)


def traded_in(theirs: VenueOrder, trades: Iterable[VenueTrade]) -> Decimal:
    """Return how much of an order these trades have filled."""
    name = id_of(theirs)
    return sum((trade.quantity for trade in trades if id_of(trade) == name), ZERO)
