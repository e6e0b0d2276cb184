"""Which orders a venue still holds, from what its broker has received and sent."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import attrs
import msgspec

from actors.actor import Later
from actors.messages.account import CloseOut
from actors.messages.system import CancelAllAtVenue, HaltLifted, Resumed
from actors.messages.trading import (
    ExecutionReport,
    OrderArrived,
    PlaceOrder,
    ReplaceArrived,
    ReplacePlacedOrder,
    ReportKind,
)
from actors.model.halts import Halts
from actors.model.money import ZERO
from actors.model.order import Order, OrderType
from actors.model.recent import RecentIds

WAITS = "waits for a price"
"""Reason of the report (ACCEPTED, REPLACED, TRIGGERED) of an order that has found no price yet."""
RESTS = "rests"
"""Reason of the second ACCEPTED report of such an order, when it found one and did not trade."""
HELD_HERE = "emulated"
"""Reason of the ACCEPTED and TRIGGERED reports of an order that is held on our side."""

_ANSWERS = (ReportKind.ACCEPTED, ReportKind.REJECTED, ReportKind.TRADE)
_OVER = (ReportKind.REJECTED, ReportKind.CANCELLED, ReportKind.EXPIRED)
_AWAKE = {OrderType.STOP: OrderType.MARKET, OrderType.STOP_LIMIT: OrderType.LIMIT}


@attrs.define(kw_only=True)
class HeldOrder:
    """An order that was accepted and is not over.

    Attributes:
        order: As it stands now.
        waits: Whether it has found no price yet.
        filled: What has traded, in units.
        trades: In how many trades.
        is_awake: Whether its stop price was reached.
        turn: How often it had to queue up anew.
    """

    order: Order
    waits: bool
    filled: Decimal = ZERO
    trades: int = 0
    is_awake: bool = False
    turn: int = 0


@attrs.define(kw_only=True)
class Past:
    """What a venue has heard and said.

    Attributes:
        held: The open orders in the order of their turn: of their acceptance, or of their last
            change that cost them their place.
        held_here: The orders that are held on our side, for a venue that does not know their kind.
        sent: The ids of the latest orders that have left our side, or were answered there.
        arrived: The ids of the latest orders that the venue has answered.
        trades: All trades that were reported, each with its order.
        closures: Why the venue takes no orders any more, if it does not.
        has_ended: Whether the market data have ended.
    """

    held: list[HeldOrder] = attrs.field(factory=list)
    held_here: list[Order] = attrs.field(factory=list)
    sent: RecentIds = attrs.field(factory=RecentIds)
    arrived: RecentIds = attrs.field(factory=RecentIds)
    trades: list[tuple[Order, ExecutionReport]] = attrs.field(factory=list)
    closures: Halts = attrs.field(factory=Halts)
    has_ended: bool = False

    @property
    def closed(self) -> str | None:
        """Return why the venue takes no orders any more, None if it does."""
        return self.closures.cause

    @property
    def trade_ids(self) -> set[str]:
        """Return the ids of all trades that were reported."""
        return {said.trade_id for _, said in self.trades}


def keeps_place(old: Order, new: Order) -> bool:
    """Return whether a changed order keeps its place: it became smaller at the same prices."""
    same_prices = old.limit_price == new.limit_price and old.stop_price == new.stop_price
    return same_prices and new.quantity <= old.quantity


def changed(old: Order, new: Order) -> Order:
    """Return an order with the quantity and the prices of another; what is awake stays awake."""
    stop = None if old.stop_price is None else new.stop_price
    return msgspec.structs.replace(
        old, quantity=new.quantity, limit_price=new.limit_price, stop_price=stop
    )


def released(order: Order) -> Order:
    """Return what a stop order is once it is awake: a market or a limit order."""
    return msgspec.structs.replace(order, order_type=_AWAKE[order.order_type], stop_price=None)


def held_orders(history: Iterable[tuple[str, Any]], before: Past | None = None) -> Past:
    """Return what is open, and what has been said.

    Args:
        history: ``("received" | "sent", message)``; a sent report may be on its way, in a
            :class:`Later`. An order that was not answered has not arrived yet; one that was
            filled whole on arrival is answered by its trades.
        before: What was open before the history begins; it is changed.
    """
    reader = _Reader(before or Past())
    for direction, message in history:
        if direction == "received":
            reader.hear(message)
            continue
        said = message.message if isinstance(message, Later) else message
        if isinstance(said, OrderArrived):
            reader.past.sent.add(said.order.client_order_id)
        elif isinstance(said, ExecutionReport) and said.client_order_id in reader.placed:
            reader.read(said)
    reader.past.held = list(reader.held.values())
    reader.past.held_here = list(reader.held_here.values())
    return reader.past


class _Reader:
    """Goes through a history."""

    def __init__(self, past: Past) -> None:
        self.past = past
        self.held = {held.order.client_order_id: held for held in past.held}
        self.held_here = {order.client_order_id: order for order in past.held_here}
        self.placed = {**self.held_here}
        self.placed |= {order_id: held.order for order_id, held in self.held.items()}
        self._changed: dict[str, Order] = {}

    def hear(self, message: Any) -> None:
        """Take notice of what was received."""
        if isinstance(message, PlaceOrder):
            self.placed.setdefault(message.order.client_order_id, message.order)
        elif isinstance(message, OrderArrived):
            self.placed[message.order.client_order_id] = message.order
        elif isinstance(message, ReplacePlacedOrder | ReplaceArrived):
            self._changed[message.order.client_order_id] = message.order
        elif isinstance(message, CancelAllAtVenue):
            self.past.closures.add(message.cause)
        elif isinstance(message, HaltLifted):
            self.past.closures.lift(message.cause)
        elif isinstance(message, CloseOut):
            self.past.has_ended = True
        elif isinstance(message, Resumed):
            self.past.has_ended = False
            self.past.closures.forget()

    def read(self, said: ExecutionReport) -> None:
        """Take notice of a report."""
        order_id = said.client_order_id
        if said.kind is ReportKind.ACCEPTED and said.reason == HELD_HERE:
            self.held_here[order_id] = self.placed[order_id]
            self.past.sent.add(order_id)
        elif order_id in self.held_here:
            self._read_here(said)
        else:
            if said.kind in _ANSWERS:
                self.past.arrived.add(order_id)
                self.past.sent.add(order_id)
            self._apply(said)

    def _read_here(self, said: ExecutionReport) -> None:
        order_id = said.client_order_id
        if said.kind is ReportKind.REPLACED:
            old = self.held_here[order_id]
            self.held_here[order_id] = changed(old, self._changed[order_id])
        elif said.kind is ReportKind.TRIGGERED or said.kind in _OVER:
            del self.held_here[order_id]

    def _apply(self, said: ExecutionReport) -> None:
        order_id = said.client_order_id
        known = self.held.get(order_id)
        if said.kind is ReportKind.TRADE:
            self.past.trades.append((known.order if known else self.placed[order_id], said))
        if known is None:
            if said.kind is ReportKind.ACCEPTED:
                waits = said.reason == WAITS
                self.held[order_id] = HeldOrder(order=self.placed[order_id], waits=waits)
            return
        if said.kind is ReportKind.TRADE:
            known.filled += said.last_quantity
            known.trades += 1
            known.waits = False
        elif said.kind is ReportKind.TRIGGERED:
            known.is_awake = True
            self._queue_up(known, said)
        elif said.kind is ReportKind.REPLACED:
            old = known.order
            known.order = changed(old, self._changed[order_id])
            if not keeps_place(old, known.order):
                self._queue_up(known, said)
        elif said.reason == RESTS:
            known.waits = False
        if said.kind in _OVER or known.filled >= known.order.quantity:
            del self.held[order_id]

    def _queue_up(self, known: HeldOrder, said: ExecutionReport) -> None:
        """Put an order behind all others."""
        known.turn += 1
        known.waits = said.reason == WAITS
        order_id = said.client_order_id
        del self.held[order_id]
        self.held[order_id] = known
