"""The room that an order has beside others: what it stands in for, and what its parent opens."""

from decimal import Decimal

import msgspec

from actors.messages.trading import Signal
from actors.model.money import ZERO
from actors.model.order import Order, Side
from actors.portfolio.books.exact import add, subtract
from actors.portfolio.claims.alternatives import Claim, OwnWorking
from actors.portfolio.claims.reservations import Reservations

_BUY = Side.BUY  # on Python 3.11, looking a member up takes longer than comparing it


class Room(msgspec.Struct, frozen=True, gc=False):
    """What an order need not be weighed against.

    ``buying``, ``selling`` and ``cost`` are counted already for what it stands in for: its
    alternatives, its form before a change. ``parent`` is what an order will open that it waits for.
    """

    buying: Decimal = ZERO
    selling: Decimal = ZERO
    cost: Decimal = ZERO
    parent: Decimal = ZERO


ALONE = Room()


def room_of_new(
    order: Signal | Order, own: OwnWorking, reservations: Reservations, *, is_buy: bool
) -> Room:
    """Return the room of an order that is not counted yet."""
    buying = selling = cost = ZERO
    group = reservations.group(order.strategy, order.group) if order.group else None
    if group is not None:
        buying, selling = group.counted(own)
        cost = group.cost
    name = (order.strategy, order.group) if order.group else None
    return Room(buying, selling, cost, _parent_room(order, reservations, name, is_buy=is_buy))


def room_of_change(claim: Claim, reservations: Reservations) -> Room:
    """Return the room of another form of an order that works."""
    buying, selling, cost = reservations.counted_with(claim)
    parent = ZERO
    if claim.filled_by_parent is not None:
        order = claim.order
        parent = _parent_room(order, reservations, claim.group, is_buy=claim.is_buy)
    return Room(buying, selling, cost, parent)


def _parent_room(
    order: Signal | Order,
    reservations: Reservations,
    group: tuple[str, str] | None,
    *,
    is_buy: bool,
) -> Decimal:
    """Return what the parent will open that this order may close."""
    parent = reservations.claim(order.parent) if order.parent else None
    if parent is None or parent.is_buy is is_buy:
        return ZERO
    if (parent.order.strategy, parent.order.instrument) != (order.strategy, order.instrument):
        return ZERO
    return reservations.room_of(order.parent, group)


def closable(held: Decimal, own: OwnWorking, room: Room, *, is_buy: bool) -> Decimal:
    """Return what an order can close: of what is held and its parent opens, what others do not.

    Negative where the others close more than there is, or where it is on the side of the position.
    """
    if is_buy:
        return add(subtract(room.parent, held), subtract(room.buying, own.buying))
    return add(add(room.parent, held), subtract(room.selling, own.selling))
