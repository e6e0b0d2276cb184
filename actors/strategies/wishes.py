"""What a strategy may say of an order it wishes for, checked and made exact."""

from decimal import Decimal, InvalidOperation
from typing import NamedTuple, TypedDict

from actors.model.order import OrderType, TimeInForce

Number = Decimal | int | str
"""What strategies may write quantities and prices as; never a float, which is not exact."""


class Terms(TypedDict, total=False):
    """The keywords of ``buy``, ``sell`` and ``target``; all may be left out."""

    limit: Number | None
    """The worst price to trade at; without one it is a market order."""
    post_only: bool
    """Refuse rather than take liquidity; needs a limit."""
    time_in_force: TimeInForce
    reason: str
    """Why, for the record."""
    priority: int
    """Passed on to the portfolio."""


class OrderTerms(NamedTuple):
    """The same as a signal has them."""

    order_type: OrderType
    limit_price: Decimal | None
    time_in_force: TimeInForce
    reason: str
    priority: int


MARKET_ORDER = OrderTerms(OrderType.MARKET, None, TimeInForce.GTC, "", 0)


def order_terms(
    *,
    limit: Number | None = None,
    post_only: bool = False,
    time_in_force: TimeInForce = TimeInForce.GTC,
    reason: str = "",
    priority: int = 0,
) -> OrderTerms:
    """Return the terms as a signal has them.

    Raises:
        TypeError: If the limit is a float.
        ValueError: If the limit is no number, or is missing for a post-only order.
    """
    if limit is None:
        if post_only:
            raise ValueError("post_only needs a limit")
        return OrderTerms(OrderType.MARKET, None, time_in_force, reason, priority)
    order_type = OrderType.POST_ONLY if post_only else OrderType.LIMIT
    return OrderTerms(order_type, exact(limit, "limit"), time_in_force, reason, priority)


def exact(value: Number, what: str) -> Decimal:
    """Return a number as a decimal, exactly.

    Raises:
        TypeError: If it is a float, or something else that is not exact.
        ValueError: If it is not a finite number.
    """
    kind = value.__class__
    if kind is not Decimal:
        if kind is not int and kind is not str:
            raise TypeError(
                f"{what}: expected a Decimal, an int or a text such as '0.52', "
                f"found the {kind.__name__} {value!r}"
            )
        try:
            value = Decimal(value)
        except InvalidOperation as error:
            raise ValueError(f"{what}: expected a number, found {value!r}") from error
    assert isinstance(value, Decimal)
    if not value.is_finite():
        raise ValueError(f"{what}: expected a finite number, found {value}")
    return value


def positive(value: Number, what: str) -> Decimal:
    """Return a number above 0 as a decimal, exactly.

    Raises:
        TypeError: If it is a float, or something else that is not exact.
        ValueError: If it is not a finite number above 0.
    """
    number = exact(value, what)
    if number <= 0:
        raise ValueError(f"{what}: expected above 0, found {number}")
    return number
