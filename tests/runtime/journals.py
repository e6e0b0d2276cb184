"""Entries of a journal as a run would write them: each gets the next number."""

from decimal import Decimal
from typing import Any

from actors.messages.trading import (
    ExecutionReport,
    Fill,
    OrderUpdate,
    PlaceOrder,
    ReportKind,
    SubmitOrder,
)
from actors.model.order import Liquidity, Order, OrderStatus
from runtime.kernel.journal import Entry
from tests.builders import START_NS

MS = 1_000_000


class Log:
    """Collects entries."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def add(
        self, message: Any, *, at_ms: int = 0, due_ms: int | None = None, cause: int = 0
    ) -> int:
        """Add an entry and return its number."""
        entry = Entry(
            sequence=len(self.entries) + 1,
            time_ns=START_NS + at_ms * MS,
            sender="somebody",
            receivers=("anybody",),
            cause=cause,
            due_ns=None if due_ms is None else START_NS + due_ms * MS,
            type=type(message).__name__,
            message=message,
        )
        self.entries.append(entry)
        return entry.sequence

    def submitted(self, order: Order, *, at_ms: int = 0) -> None:
        """Add an approved order and its way to the venue."""
        self.add(submit(order), at_ms=at_ms)
        self.add(PlaceOrder(order=order), at_ms=at_ms)


def submit(order: Order) -> SubmitOrder:
    """Return an order's approval."""
    return SubmitOrder(order=order, approved_by=(), reserved=Decimal(0))


def update(order: Order, status: OrderStatus, reason: str = "") -> OrderUpdate:
    """Return the order manager's word on an order."""
    return OrderUpdate(
        client_order_id=order.client_order_id,
        strategy=order.strategy,
        instrument=order.instrument,
        side=order.side,
        status=status,
        quantity=order.quantity,
        filled_quantity=Decimal(0),
        reason=reason,
    )


def answer(
    order_id: str, kind: ReportKind = ReportKind.ACCEPTED, reason: str = ""
) -> ExecutionReport:
    """Return a venue's word on an order."""
    return ExecutionReport(
        client_order_id=order_id, kind=kind, venue="simulated", venue_time_ns=0, reason=reason
    )


def executed(
    order: Order,
    quantity: str,
    price: str,
    commission: str = "0",
    liquidity: Liquidity = Liquidity.TAKER,
) -> Fill:
    """Return an execution of an order."""
    return Fill(
        client_order_id=order.client_order_id,
        strategy=order.strategy,
        instrument=order.instrument,
        venue="simulated",
        trade_id="t",
        side=order.side,
        last_quantity=Decimal(quantity),
        last_price=Decimal(price),
        commission=Decimal(commission),
        liquidity=liquidity,
        leaves_quantity=Decimal(0),
        venue_time_ns=0,
    )
