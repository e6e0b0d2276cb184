"""Validators of strategies' parameters that may also be left out."""

from typing import Any

import attrs


def not_negative(_instance: object, attribute: "attrs.Attribute[Any]", value: Any) -> None:
    """Accept 0, more, or None.

    Raises:
        ValueError: Says which parameter it is.
    """
    if value is not None and value < 0:
        raise ValueError(f"{attribute.name}: expected 0 or more, or nothing, found {value}")


def above_zero(_instance: object, attribute: "attrs.Attribute[Any]", value: Any) -> None:
    """Accept more than 0, or None.

    Raises:
        ValueError: Says which parameter it is.
    """
    if value is not None and value <= 0:
        raise ValueError(f"{attribute.name}: expected above 0, or nothing, found {value}")
