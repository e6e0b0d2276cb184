"""Validators of the models' options; each names the option, what is expected and what was found."""

from decimal import Decimal
from math import isfinite
from typing import Any

Attribute = Any


def _is_finite(value: Any) -> bool:
    if isinstance(value, Decimal):
        return value.is_finite()
    return isinstance(value, int) or isfinite(value)


def a_number(_owner: object, attribute: Attribute, value: Any) -> None:
    """Accept any finite number; raise ValueError otherwise."""
    if not _is_finite(value):
        raise ValueError(f"{attribute.name}: expected a number, found {value}")


def not_negative(_owner: object, attribute: Attribute, value: Any) -> None:
    """Accept 0 and more; raise ValueError otherwise."""
    if not _is_finite(value) or value < 0:
        raise ValueError(f"{attribute.name}: expected 0 or more, found {value}")


def above_zero(_owner: object, attribute: Attribute, value: Any) -> None:
    """Accept what is above 0; raise ValueError otherwise."""
    if not _is_finite(value) or value <= 0:
        raise ValueError(f"{attribute.name}: expected more than 0, found {value}")


def at_least_one(_owner: object, attribute: Attribute, value: Any) -> None:
    """Accept 1 and more; raise ValueError otherwise."""
    if not _is_finite(value) or value < 1:
        raise ValueError(f"{attribute.name}: expected 1 or more, found {value}")


def a_share(_owner: object, attribute: Attribute, value: Any) -> None:
    """Accept 0 to 1; raise ValueError otherwise."""
    if not _is_finite(value) or not 0 <= value <= 1:
        raise ValueError(f"{attribute.name}: expected a number from 0 to 1, found {value}")


def not_negative_if_given(owner: object, attribute: Attribute, value: Any) -> None:
    """Accept None, 0 and more; raise ValueError otherwise."""
    if value is not None:
        not_negative(owner, attribute, value)


def above_zero_if_given(owner: object, attribute: Attribute, value: Any) -> None:
    """Accept None and what is above 0; raise ValueError otherwise."""
    if value is not None:
        above_zero(owner, attribute, value)
