"""Which plain values a scalar type accepts, and what it makes of them."""

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from enum import Enum
from pathlib import Path
from typing import Any, get_args

from runtime.config.problems import nearest, shown

Hook = Callable[[Any, Any], Any]
"""Takes a plain value and the type that is wanted; returns the value or raises."""


LONGEST_NUMBER = 100
"""A number of more digits than that, before or behind the point, is a slip."""


class Mismatch(ValueError):
    """A value is not what was expected; ``near`` is what may have been meant."""

    def __init__(self, expected: str, value: Any, near: str | None = None) -> None:
        self.expected = expected
        self.found = shown(value)
        self.near = near
        super().__init__(f"expected {expected}, found {self.found}")


def decimal_of(value: Decimal | int | str) -> Decimal | None:
    """Return a number that can be computed with, exactly; None for NaN, infinity and the absurd."""
    try:
        number = Decimal(value)
    except (InvalidOperation, ValueError):
        return None
    is_usable = number.is_finite() and abs(number.adjusted()) <= LONGEST_NUMBER
    return number if is_usable else None


def _boolean(value: Any, _type: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise Mismatch("true or false", value)


def _whole(value: Any, _type: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise Mismatch("a whole number", value)


def _decimal(value: Any, _type: Any) -> Decimal:
    if isinstance(value, Decimal | int | str) and not isinstance(value, bool):
        number = decimal_of(value)
        if number is not None:
            return number
    raise Mismatch("a number", value)


def _floating(value: Any, _type: Any) -> float:
    return float(_decimal(Decimal(value) if isinstance(value, float) else value, Decimal))


def _text(value: Any, _type: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise Mismatch("a text" if value is None else "a text (in quotes)", value)


def _path(value: Any, _type: Any) -> Path:
    return Path(_text(value, str))


def _choice(value: Any, choices: Mapping[str, Any]) -> Any:
    for name, each in choices.items():
        if isinstance(value, str) and name.lower() == value.lower():
            return each
    raise Mismatch(f"one of {', '.join(choices)}", value, nearest(str(value), choices))


def _enumerated(value: Any, target: Any) -> Any:
    choices = {str(member.value): member for member in target}
    return _choice(str(value) if type(value) is int else value, choices)


def _unless_enumeration(hook: Hook) -> Hook:
    """Return a hook for a type that its enumerations (``StrEnum`` is a ``str``) do not share."""

    def structure(value: Any, target: Any) -> Any:
        is_enumeration = isinstance(target, type) and issubclass(target, Enum)
        return _enumerated(value, target) if is_enumeration else hook(value, target)

    return structure


def literal(value: Any, target: Any) -> Any:
    """Structure a value of a ``Literal[...]``: equal to a choice, or spelled like one."""
    if value in get_args(target) and not isinstance(value, bool):
        return value
    return _choice(value, {str(each): each for each in get_args(target)})


SCALARS: dict[Any, Hook] = {
    bool: _boolean,
    int: _unless_enumeration(_whole),
    float: _unless_enumeration(_floating),
    Decimal: _decimal,
    str: _unless_enumeration(_text),
    Path: _path,
    Enum: _enumerated,
}
"""What structures each scalar type."""
