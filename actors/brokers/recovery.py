"""Which orders a venue still holds, from what its broker has received and sent."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import attrs

from actors.actor import Later
from actors.messages.trading import ExecutionReport, OrderArrived, PlaceOrder, ReportKind
from actors.model.money import ZERO
from actors.model.order import Order

WAITS = "waits for a price"
"""Reason of the ACCEPTED report of an order that has found no price yet."""

_OVER = (ReportKind.REJECTED, ReportKind.CANCELLED, ReportKind.EXPIRED)


@attrs.define(kw_only=True)
class HeldOrder:
    """An order that was accepted and is not over."""

    order: Order
    waits: bool
    filled: Decimal = ZERO
    trades: int = 0


def held_orders(history: Iterable[tuple[str, Any]]) -> tuple[list[HeldOrder], set[str]]:
    """Return the open orders in the order of their acceptance, and the ids of all that arrived.

    Args:
        history: ``("received" | "sent", message)``; a sent report may be on its way, in a
            :class:`Later`. An order of which nothing was said has not arrived yet.
    """
    placed: dict[str, Order] = {}
    held: dict[str, HeldOrder] = {}
    arrived: set[str] = set()
    for direction, message in history:
        if direction == "received":
            if isinstance(message, PlaceOrder | OrderArrived):
                placed.setdefault(message.order.client_order_id, message.order)
            continue
        said = message.message if isinstance(message, Later) else message
        if isinstance(said, ExecutionReport) and said.client_order_id in placed:
            arrived.add(said.client_order_id)
            _apply(held, placed[said.client_order_id], said)
    return list(held.values()), arrived


def _apply(held: dict[str, HeldOrder], order: Order, said: ExecutionReport) -> None:
    order_id = order.client_order_id
    if said.kind is ReportKind.ACCEPTED:
        held[order_id] = HeldOrder(order=order, waits=said.reason == WAITS)
        return
    known = held.get(order_id)
    if known is None:
        return
    if said.kind is ReportKind.TRADE:
        known.filled += said.last_quantity
        known.trades += 1
    if said.kind in _OVER or known.filled >= order.quantity:
        del held[order_id]
