"""The one place where decimals become integer ticks and lots, and back."""

from decimal import Decimal, InvalidOperation
from typing import NewType

Price = NewType("Price", Decimal)
"""A price per unit, in the instrument's currency."""
Quantity = NewType("Quantity", Decimal)
"""A number of units; never negative except in a position."""
Money = NewType("Money", Decimal)
"""An amount of the account's currency."""

ZERO = Decimal(0)
ONE = Decimal(1)
NANOSECONDS = 1_000_000_000


def to_steps(value: Decimal, step: Decimal) -> int:
    """Return how many steps of ``step`` make ``value``, exactly.

    Args:
        value: A price or a quantity.
        step: The tick or the lot; positive.

    Raises:
        ValueError: If ``value`` is not a whole number of steps.
    """
    try:
        if value % step:
            raise ValueError(f"{value} is not a multiple of {step}")
        return int(value // step)
    except InvalidOperation as error:
        raise ValueError(f"{value} is not a number of steps of {step}") from error


def round_down(value: Decimal, step: Decimal) -> Decimal:
    """Return the largest multiple of ``step`` that is not above ``value`` (towards zero)."""
    return value // step * step


def is_on_grid(value: Decimal, step: Decimal) -> bool:
    """Return whether ``value`` is a whole number of steps."""
    return value % step == 0


def plain(value: Decimal) -> str:
    """Return a decimal without exponent and without trailing zeros: ``0.5``, ``1200``."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
