"""How an order is cut into parts: TWAP, VWAP, iceberg. Pure arithmetic on lots."""

from decimal import Decimal
from fractions import Fraction

from actors.model.money import ZERO, to_steps
from actors.model.order import Schedule


def slices(
    schedule: Schedule, quantity: Decimal, lot: Decimal, least: Decimal
) -> tuple[Decimal, ...]:
    """Return what is sent in each slice of a TWAP or VWAP; they add up to the quantity.

    Each is on the grid of lots. Part ``k`` ends where ``quantity * weights up to k / all weights``,
    rounded down to a lot, is reached, so that no slice is more than a lot off. A part below the
    smallest order is sent with the next one, the last such with the one before: a slice may be 0.

    Args:
        schedule: How to cut; its slices, and its profile for VWAP.
        quantity: What to cut, in units; a multiple of the lot.
        lot: The instrument's lot.
        least: The instrument's smallest order; 0 for none.

    Raises:
        ValueError: If the quantity is not a whole number of lots.
    """
    lots = to_steps(quantity, lot)
    weights = [Fraction(each) for each in schedule.profile] or [Fraction(1)] * schedule.slices
    whole = sum(weights)
    parts: list[Decimal] = []
    weight, sent, latest = Fraction(0), 0, -1
    for number, each in enumerate(weights):
        weight += each
        reached = int(lots * weight / whole)
        part = lot * (reached - sent)
        if part < least or not part:
            part = ZERO
        else:
            sent, latest = reached, number
        parts.append(part)
    rest = lot * (lots - sent)
    if rest:
        parts[latest] += rest
    return tuple(parts)


def next_part(remaining: Decimal, display: Decimal, least: Decimal) -> Decimal:
    """Return what an iceberg shows next: ``display``, or all of it if too little would be left.

    Args:
        remaining: What is not sent yet, in units.
        display: What is shown at a time.
        least: The instrument's smallest order; 0 for none.
    """
    rest = remaining - display
    return remaining if rest <= ZERO or rest < least else display


def slice_ns(schedule: Schedule, number: int) -> int:
    """Return when a slice begins, in nanoseconds after the first; one past the last: the end."""
    return schedule.duration_ns * number // schedule.slices
