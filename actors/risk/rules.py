"""What a policy's own numbers must keep, in the words that configurations are answered with."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import attrs


def not_negative(_owner: object, field: "attrs.Attribute[Any]", value: Decimal | int) -> None:
    """Raise ValueError if a number is below 0."""
    _check(field, value, value >= 0, "0 or more")


def above_zero(_owner: object, field: "attrs.Attribute[Any]", value: Decimal | int) -> None:
    """Raise ValueError if a number is not above 0."""
    _check(field, value, value > 0, "above 0")


def fraction(_owner: object, field: "attrs.Attribute[Any]", value: Decimal) -> None:
    """Raise ValueError if a number is not above 0 and at most 1."""
    _check(field, value, 0 < value <= 1, "above 0 and at most 1")


def at_least_one(_owner: object, field: "attrs.Attribute[Any]", value: int | None) -> None:
    """Raise ValueError if a number is given and below 1."""
    _check(field, value, value is None or value >= 1, "1 or more")


def _check(field: "attrs.Attribute[Any]", value: Any, is_right: bool, expected: str) -> None:
    if not is_right:
        raise ValueError(f"{field.name}: expected {expected}, found {value}")
