"""What an order is judged by: its instrument, bounds, the venue's capabilities and the market."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import attrs

from actors.messages.market import Bar, Quote, Trade
from actors.model.instrument import Instrument
from actors.model.money import ZERO
from actors.model.order import OrderType, TimeInForce
from actors.orders.validation.results import Finding


@attrs.frozen(kw_only=True)
class Capabilities:
    """What a venue offers, with what stands in for it on our side; everything unless told."""

    order_types: frozenset[OrderType] = frozenset(OrderType)
    times_in_force: frozenset[TimeInForce] = frozenset(TimeInForce)
    reduce_only: bool = True
    groups: bool = True
    parents: bool = True
    schedules: bool = True


EVERYTHING = Capabilities()


@attrs.frozen(kw_only=True)
class Terms:
    """What one order is judged by; what is None is not asked for.

    Attributes:
        instrument: What the order names.
        is_listed: Whether only instruments of a table may be traded.
        min_size: The smallest quantity, in units; so ``max_size``, ``min_price``, ``max_price``.
        price_band: How far from ``reference`` a price may be, as a fraction of it (0.1 is 10 %).
        reference: A price of the market now.
        capabilities: What the venue offers.
        symbol_pattern: What the venue's symbols look like, as a regular expression.
        now_ns: The time of the judgement.
        max_age_ns: How old an order may be.
    """

    instrument: Instrument | None = None
    is_listed: bool = False
    min_size: Decimal | None = None
    max_size: Decimal | None = None
    min_price: Decimal | None = None
    max_price: Decimal | None = None
    price_band: Decimal | None = None
    reference: Decimal | None = None
    capabilities: Capabilities = EVERYTHING
    symbol_pattern: str | None = None
    now_ns: int | None = None
    max_age_ns: int | None = None


Findings = Iterator[Finding]
_MOST_DIGITS = 30


def largest(*bounds: Decimal | None) -> Decimal | None:
    """Return the largest of the bounds that are given: the lower bound that binds."""
    return max((bound for bound in bounds if bound is not None), default=None)


def smallest(*bounds: Decimal | None) -> Decimal | None:
    """Return the smallest of the bounds that are given: the upper bound that binds."""
    return min((bound for bound in bounds if bound is not None), default=None)


def reference_price(market_data: Any) -> Decimal | None:
    """Return a price of the market: the middle of bid and ask, the last trade, the close.

    Args:
        market_data: A ``Quote``, ``Trade`` or ``Bar``, a mapping with ``bid`` and ``ask``,
            ``price``, ``last`` or ``close``, or a Decimal.

    Returns:
        None if there is no price above 0 in it.
    """
    if isinstance(market_data, Quote):
        return _middle(market_data.bid, market_data.ask)
    if isinstance(market_data, Trade):
        return _price(market_data.price)
    if isinstance(market_data, Bar):
        return _price(market_data.close_price)
    if isinstance(market_data, Mapping):
        middle = _middle(market_data.get("bid"), market_data.get("ask"))
        named = (_price(market_data.get(name)) for name in ("price", "last", "close"))
        return middle or next((price for price in named if price is not None), None)
    return _price(market_data)


def _middle(bid: Any, ask: Any) -> Decimal | None:
    low, high = _price(bid), _price(ask)
    if low is None or high is None:
        return low or high
    return (low + high) / 2


def _price(value: Any) -> Decimal | None:
    """Return a value if it is a price that can be computed with."""
    is_price = type(value) is Decimal and value.is_finite() and value > ZERO
    return value if is_price and abs(value.adjusted()) <= _MOST_DIGITS else None
