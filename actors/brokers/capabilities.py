"""What a venue can do by itself."""

from collections.abc import Iterable
from typing import Self

import attrs

from actors.model.order import Order, OrderType, TimeInForce

_REPLACE = "REPLACE"
_REDUCE_ONLY = "REDUCE_ONLY"
_EMULATED = (OrderType.STOP, OrderType.STOP_LIMIT, OrderType.POST_ONLY, TimeInForce.GTD)

WORDS: tuple[str, ...] = (*OrderType, *TimeInForce, _REPLACE, _REDUCE_ONLY)
"""Everything that a venue may lack."""
EMULATED: tuple[str, ...] = _EMULATED
"""What can be done on our side for a venue that lacks it."""


@attrs.frozen(kw_only=True)
class Capabilities:
    """Order types and lifetimes that a venue takes, and what else it can do.

    Attributes:
        order_types: The types.
        times_in_force: The lifetimes.
        replace: Whether an open order can be changed.
        reduce_only: Whether it knows orders that may only make a position smaller.
    """

    order_types: frozenset[OrderType] = frozenset(OrderType)
    times_in_force: frozenset[TimeInForce] = frozenset(TimeInForce)
    replace: bool = True
    reduce_only: bool = True

    @classmethod
    def without(cls, words: Iterable[str]) -> Self:
        """Return everything but what these words name."""
        lacks = frozenset(words)
        return cls(
            order_types=frozenset(OrderType) - lacks,
            times_in_force=frozenset(TimeInForce) - lacks,
            replace=_REPLACE not in lacks,
            reduce_only=_REDUCE_ONLY not in lacks,
        )

    def missing(self, order: Order) -> str | None:
        """Return what of an order the venue does not take, in words; None if it takes it."""
        if order.order_type not in self.order_types:
            return f"order type {order.order_type} is not supported"
        if order.time_in_force not in self.times_in_force:
            return f"time in force {order.time_in_force} is not supported"
        if order.reduce_only and not self.reduce_only:
            return "reduce-only orders are not supported"
        return None


def known_words(
    _instance: object, attribute: "attrs.Attribute[tuple[str, ...]]", value: tuple[str, ...]
) -> None:
    """Raise ValueError unless each word of an option is one that a venue may lack."""
    allowed = EMULATED if attribute.name == "emulate" else WORDS
    for word in value:
        if word not in allowed:
            expected = ", ".join(allowed)
            raise ValueError(f"{attribute.name}: expected some of {expected}, found {word!r}")
