"""An order manager with its venue, and short ways to say things."""

from decimal import Decimal
from typing import Any

import msgspec

from actors.messages.trading import (
    ExecutionReport,
    OrderUpdate,
    ReplaceOrder,
    ReplaceResult,
    ReportKind,
    SubmitOrder,
)
from actors.model.instrument import Instruments
from actors.model.order import Order, OrderStatus, Side
from actors.orders.config import OrderManagerConfig
from actors.orders.manager import OrderManager
from actors.orders.records import OrderRecord
from tests.builders import context, instrument, instruments, order, submit

TABLE = instruments(instrument(lot="1", tick="1"))


def manager(
    *messages: Any, config: OrderManagerConfig | None = None, table: Instruments = TABLE
) -> OrderManager:
    """Return an order manager that has handled some messages, at 1 ns."""
    core = OrderManager(context("orders"), table, config)
    for message in messages:
        core.handle(message, 1)
    return core


def asked(
    quantity: int = 10,
    limit: int | None = 100,
    side: Side = Side.BUY,
    *,
    name: str = "a",
    **more: Any,
) -> SubmitOrder:
    """Return the portfolio's approval of an order."""
    made = order(side, str(quantity), None if limit is None else str(limit), id=name)
    return submit(msgspec.structs.replace(made, **more))


def changed(of: SubmitOrder | Order, **more: Any) -> ReplaceOrder:
    """Return the portfolio's approval of a change."""
    before = of.order if isinstance(of, SubmitOrder) else of
    fields = {
        name: Decimal(value) if isinstance(value, int) else value for name, value in more.items()
    }
    after = msgspec.structs.replace(before, **fields)
    return ReplaceOrder(order=after, approved_by=("CashLimit",), reserved=Decimal(0))


def said(kind: ReportKind, name: str = "a", reason: str = "", **more: Any) -> ExecutionReport:
    """Return a venue's word on an order."""
    return ExecutionReport(
        client_order_id=name, kind=kind, venue="venue", venue_time_ns=2, reason=reason, **more
    )


def traded(
    quantity: int,
    name: str = "a",
    trade: str = "t1",
    price: int = 100,
    *,
    provisional: bool = False,
) -> ExecutionReport:
    """Return a venue's word on a trade."""
    return said(
        ReportKind.TRADE,
        name,
        trade_id=trade,
        last_quantity=Decimal(quantity),
        last_price=Decimal(price),
        commission=Decimal("0.5"),
        provisional=provisional,
    )


def record_of(core: OrderManager, name: str = "a") -> OrderRecord:
    record = core.get_order(name)
    assert record is not None
    return record


def updates(outputs: list[Any]) -> list[tuple[str, OrderStatus]]:
    """Return whose status was told, and which."""
    return [(u.client_order_id, u.status) for u in outputs if isinstance(u, OrderUpdate)]


def answers(outputs: list[Any]) -> list[tuple[bool, int]]:
    """Return of each answer to a change whether it was made, and the quantity that stands."""
    return [
        (each.accepted, int(each.order.quantity))
        for each in outputs
        if isinstance(each, ReplaceResult)
    ]


def kinds(outputs: list[Any]) -> list[str]:
    return [type(each).__name__ for each in outputs]


def of_kind(outputs: list[Any], kind: type) -> list[Any]:
    return [each for each in outputs if isinstance(each, kind)]
