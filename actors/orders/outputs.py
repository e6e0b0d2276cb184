"""What the order manager says: its words on one order, built from the order's record."""

from decimal import Decimal

from actors.actor import Later
from actors.errors import OrderNeverPlaced, OrderStateError
from actors.messages.reconciliation import Difference, Reconciled
from actors.messages.system import Alarm, Archived
from actors.messages.trading import (
    CancelPlacedOrder,
    ExecutionReport,
    Fill,
    FillSettled,
    OrderUpdate,
    PlaceOrder,
    ReplacePlacedOrder,
    ReplaceResult,
)
from actors.messages.venue import QueryOrder
from actors.model.money import ZERO
from actors.model.order import TERMINAL
from actors.orders.records import OrderRecord

Output = (
    PlaceOrder
    | CancelPlacedOrder
    | ReplacePlacedOrder
    | QueryOrder
    | OrderUpdate
    | Fill
    | FillSettled
    | ReplaceResult
    | Difference
    | Reconciled
    | Alarm
    | Archived
    | Later
)
"""Everything that the order manager says."""


def update_of(record: OrderRecord, reason: str) -> OrderUpdate:
    """Return the news of where an order is now."""
    order = record.order
    return OrderUpdate(
        client_order_id=order.client_order_id,
        strategy=order.strategy,
        instrument=order.instrument,
        side=order.side,
        status=record.status,
        quantity=order.quantity,
        filled_quantity=record.filled_quantity,
        reason=reason,
    )


def fill_of(record: OrderRecord, report: ExecutionReport, leaves: Decimal) -> Fill:
    """Return our execution, after its trade was applied; an order that is over has no leaves."""
    order = record.order
    return Fill(
        client_order_id=order.client_order_id,
        strategy=order.strategy,
        instrument=order.instrument,
        venue=report.venue,
        trade_id=report.trade_id,
        side=order.side,
        last_quantity=report.last_quantity,
        last_price=report.last_price,
        commission=report.commission,
        liquidity=report.liquidity,
        leaves_quantity=ZERO if record.status in TERMINAL else leaves,
        venue_time_ns=report.venue_time_ns,
        reason=order.reason,
        provisional=report.provisional,
    )


def result_of(record: OrderRecord, reason: str, *, accepted: bool) -> ReplaceResult:
    """Return what became of a change: the order as it stands."""
    order = record.order
    return ReplaceResult(
        client_order_id=order.client_order_id,
        strategy=order.strategy,
        accepted=accepted,
        order=order,
        reason=reason,
    )


def never_placed(report: ExecutionReport) -> OrderNeverPlaced:
    """Return the error for a report on an order that nobody has placed."""
    return OrderNeverPlaced(
        f"{report.kind} for order {report.client_order_id}, which was never placed",
        venue=report.venue,
        order_id=report.client_order_id,
    )


def too_much(report: ExecutionReport, record: OrderRecord) -> OrderStateError:
    """Return the error for a trade of nothing, or of more than is left of its order."""
    whole = record.order.quantity
    return OrderStateError(
        f"trade {report.trade_id} of {report.last_quantity} in order {report.client_order_id}: "
        f"{whole - record.traded_quantity} of {whole} is left",
        venue=report.venue,
        order_id=report.client_order_id,
    )


def forgotten(report: ExecutionReport) -> OrderStateError:
    """Return the error for a trade in an order that was evicted: nobody knows what it had."""
    return OrderStateError(
        f"trade {report.trade_id} of {report.last_quantity} in order {report.client_order_id}, "
        "which was over long ago: its record was evicted to the journal",
        venue=report.venue,
        order_id=report.client_order_id,
    )


def contradicted(report: ExecutionReport) -> OrderStateError:
    """Return the error for a word on a trade's settlement that contradicts what was said."""
    return OrderStateError(
        f"{report.kind} of trade {report.trade_id} in order {report.client_order_id}, "
        "of which the opposite is known",
        venue=report.venue,
        order_id=report.client_order_id,
    )
