"""What becomes of an order, decided by its id alone."""

from decimal import ROUND_DOWN, Decimal
from enum import StrEnum

from actors.model.order import Order, OrderType, TimeInForce
from actors.venues.fake.chance import Chance
from actors.venues.fake.config import FakeHabits

_IMMEDIATE = (TimeInForce.IOC, TimeInForce.FAK, TimeInForce.FOK)


class Fate(StrEnum):
    """What is to become of an order."""

    REJECT = "REJECT"
    FILL = "FILL"
    """It trades at once, whole."""
    PARTS = "PARTS"
    """One part trades soon, the rest later; of an order that may not rest, one part at once."""
    REST = "REST"
    """It rests until it is cancelled; what may not rest does not trade at all."""
    LATE_FILL = "LATE_FILL"
    """It rests, and has traded before its cancel came: that is told later."""


def fate_of(order: Order, habits: FakeHabits, chance: Chance) -> Fate:
    """Return what is to become of an order."""
    draw = chance.draw("fate", order.client_order_id)
    shares = {
        Fate.REJECT: habits.rejects,
        Fate.PARTS: habits.parts,
        Fate.REST: habits.rests,
        Fate.LATE_FILL: habits.late_fills,
    }
    for fate, share in shares.items():
        if draw < share:
            return _possible(fate, order)
        draw -= share
    return _possible(Fate.FILL, order)


def _possible(fate: Fate, order: Order) -> Fate:
    """Return the fate, or the nearest one that an order of this kind can have."""
    if order.order_type is OrderType.MARKET:
        return fate if fate is Fate.PARTS and may_rest(order) else Fate.FILL
    if order.order_type is OrderType.POST_ONLY and fate is Fate.FILL:
        return Fate.PARTS
    if not may_rest(order) and fate is Fate.LATE_FILL:
        return Fate.REST
    if order.time_in_force is TimeInForce.FOK and fate is Fate.PARTS:
        return Fate.FILL
    return fate


def may_rest(order: Order) -> bool:
    """Return whether an order may stay at the venue without trading."""
    return order.time_in_force not in _IMMEDIATE


def first_part(quantity: Decimal, share: float) -> Decimal:
    """Return a whole number of units below a quantity; all of it if there is none."""
    part = (quantity * Decimal(str(round(share, 3)))).to_integral_value(ROUND_DOWN)
    return part if 0 < part < quantity else quantity
