"""Which orders a venue still holds, from what its broker has received and sent."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import attrs

from actors.actor import Later
from actors.messages.system import CancelAllAtVenue
from actors.messages.trading import ExecutionReport, OrderArrived, PlaceOrder, ReportKind
from actors.model.money import ZERO
from actors.model.order import Order

WAITS = "waits for a price"
"""Reason of the ACCEPTED report of an order that has found no price yet."""
RESTS = "rests"
"""Reason of the second ACCEPTED report of such an order, when it found one and did not trade."""

_ANSWERS = (ReportKind.ACCEPTED, ReportKind.REJECTED, ReportKind.TRADE)
_OVER = (ReportKind.REJECTED, ReportKind.CANCELLED, ReportKind.EXPIRED)


@attrs.define(kw_only=True)
class HeldOrder:
    """An order that was accepted and is not over."""

    order: Order
    waits: bool
    filled: Decimal = ZERO
    trades: int = 0


@attrs.define(kw_only=True)
class Past:
    """What a venue has heard and said.

    Attributes:
        held: The open orders in the order of their acceptance.
        arrived: The ids of all orders that were answered.
        trade_ids: All trades that were reported.
        closed: Why the venue takes no orders any more, None if it does.
    """

    held: list[HeldOrder] = attrs.field(factory=list)
    arrived: set[str] = attrs.field(factory=set)
    trade_ids: set[str] = attrs.field(factory=set)
    closed: str | None = None


def held_orders(history: Iterable[tuple[str, Any]]) -> Past:
    """Return what is open, and what has been said.

    Args:
        history: ``("received" | "sent", message)``; a sent report may be on its way, in a
            :class:`Later`. An order that was not answered has not arrived yet; one that was
            filled whole on arrival is answered by its trades.
    """
    past = Past()
    placed: dict[str, Order] = {}
    held: dict[str, HeldOrder] = {}
    for direction, message in history:
        if direction == "received":
            if isinstance(message, PlaceOrder | OrderArrived):
                placed.setdefault(message.order.client_order_id, message.order)
            elif isinstance(message, CancelAllAtVenue):
                past.closed = past.closed or message.cause
            continue
        said = message.message if isinstance(message, Later) else message
        if isinstance(said, ExecutionReport) and said.client_order_id in placed:
            if said.kind in _ANSWERS:
                past.arrived.add(said.client_order_id)
            past.trade_ids.add(said.trade_id)
            _apply(held, placed[said.client_order_id], said)
    past.held = list(held.values())
    return past


def _apply(held: dict[str, HeldOrder], order: Order, said: ExecutionReport) -> None:
    order_id = order.client_order_id
    known = held.get(order_id)
    if said.kind is ReportKind.ACCEPTED and known is None:
        held[order_id] = HeldOrder(order=order, waits=said.reason == WAITS)
    if known is None:
        return
    if said.reason == RESTS:
        known.waits = False
    if said.kind is ReportKind.TRADE:
        known.filled += said.last_quantity
        known.trades += 1
    if said.kind in _OVER or known.filled >= order.quantity:
        del held[order_id]
