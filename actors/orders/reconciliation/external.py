"""Orders and trades at the venue that are not ours, taken for ours: strategy ``external``."""

from decimal import Decimal

import msgspec

from actors.messages.venue import VenueOrder, VenueTrade
from actors.model.money import ZERO
from actors.model.order import Order, OrderStatus, OrderType
from actors.orders.outputs import Output, update_of
from actors.orders.records import OrderRecord
from actors.orders.registry import Registry

EXTERNAL = "external"
_REASON = "adopted from the venue"


def id_of(theirs: VenueOrder | VenueTrade) -> str:
    """Return under which id an order, or a trade's order, is known here.

    Ours if it has one, else the venue's; a trade of no order at all has one of its own.
    """
    own = theirs.client_order_id or theirs.venue_order_id
    if own or isinstance(theirs, VenueOrder):
        return own
    return f"{EXTERNAL}:{theirs.trade_id}"


def adopt_order(registry: Registry, theirs: VenueOrder, told: Decimal, now_ns: int) -> list[Output]:
    """Track an order of the venue from now on.

    Args:
        registry: Where it is entered.
        theirs: The order.
        told: How much of what it has filled the venue shows trades of: these are booked next. The
            rest was before our time: the order is taken to be smaller by it.
        now_ns: The time.
    """
    hidden = max(theirs.filled_quantity - told, ZERO)
    record = _record(theirs, theirs.quantity - hidden, theirs.limit_price, now_ns)
    record.move(OrderStatus.WORKING, now_ns, _REASON)
    record.is_acknowledged = True
    _enter(registry, record)
    return [update_of(record, _REASON)]


def make_room(
    registry: Registry, trade: VenueTrade, now_ns: int
) -> tuple[Order, OrderStatus] | None:
    """Let a trade of the venue have an adopted order that is large enough for it.

    Return how the order was before, for :func:`undo_room`; None if there was none.
    """
    record = registry.find(id_of(trade))
    if record is None:
        _enter(registry, _record(trade, trade.quantity, None, now_ns))
        return None
    before = record.order, record.status
    whole = record.traded_quantity + trade.quantity
    if whole > record.order.quantity:
        record.order = msgspec.structs.replace(record.order, quantity=whole)
        if record.status is OrderStatus.FILLED:
            record.move(OrderStatus.PARTIALLY_FILLED, now_ns, "more of it has traded")
    return before


def undo_room(
    registry: Registry, trade: VenueTrade, before: tuple[Order, OrderStatus] | None
) -> None:
    """Take back what :func:`make_room` has done for a trade that cannot be booked."""
    order_id = id_of(trade)
    if before is None:
        del registry.records[order_id], registry.open[order_id]
        return
    record = registry.records[order_id]
    if record.status is not before[1]:
        record.history.pop()
    record.order, record.status = before


def _record(
    theirs: VenueOrder | VenueTrade, quantity: Decimal, limit: Decimal | None, now_ns: int
) -> OrderRecord:
    order = Order(
        client_order_id=id_of(theirs),
        strategy=EXTERNAL,
        instrument=theirs.instrument,
        side=theirs.side,
        quantity=quantity,
        order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
        limit_price=limit,
        created_ns=now_ns,
        reason=_REASON,
    )
    history = [
        (OrderStatus.RECEIVED, now_ns, _REASON),
        (OrderStatus.SUBMITTING, now_ns, "by somebody else"),
    ]
    return OrderRecord(order, OrderStatus.SUBMITTING, history)


def _enter(registry: Registry, record: OrderRecord) -> None:
    order_id = record.order.client_order_id
    registry.records[order_id] = registry.open[order_id] = record
