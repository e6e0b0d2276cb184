"""Is this an order that its instrument and its venue allow? Everything wrong at once."""

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import attrs

from actors.model.instrument import Instrument, Instruments
from actors.model.money import ONE, ZERO
from actors.model.order import Order, OrderType, Side, TimeInForce
from actors.orders.validation.amounts import price, quantity
from actors.orders.validation.fields import basic, symbol, timestamps
from actors.orders.validation.results import Finding, ValidationResult, distinct, shown
from actors.orders.validation.terms import (
    EVERYTHING,
    Capabilities,
    Findings,
    Terms,
    reference_price,
)
from actors.orders.validation.types import order_type

Rule = Callable[[Order, Terms], Findings]

RULES: Mapping[str, Rule] = {
    "basic": basic,
    "symbol": symbol,
    "quantity": quantity,
    "price": price,
    "order_type": order_type,
    "timestamps": timestamps,
}
"""The rules by name, in the order in which they speak."""

_LARGEST_BOUND = Decimal("1e30")

# On Python 3.11 looking a member up costs as much as a call.
_BUY, _SELL = Side.BUY, Side.SELL
_MARKET, _LIMIT, _POST_ONLY = OrderType.MARKET, OrderType.LIMIT, OrderType.POST_ONLY
_GTC, _IOC, _FOK = TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK


def validate(order: Order, instrument: Instrument | None) -> tuple[Finding, ...]:
    """Return everything that is wrong with an order by all rules; empty if nothing is.

    What it says depends on its arguments only, not on the time: an end is compared with when the
    order was made.

    Args:
        order: What is to be sent.
        instrument: What the order names; None if that is not known.
    """
    if instrument is not None and is_plainly_good(order, instrument):
        return ()
    terms = Terms(instrument=instrument, is_listed=True)
    return _findings(order, RULES.values(), terms)


def _findings(order: Any, rules: Iterable[Rule], terms: Terms) -> tuple[Finding, ...]:
    if not isinstance(order, Order):
        return (Finding("ORDER_MALFORMED", "an Order", shown(order)),)
    return distinct(finding for rule in rules for finding in rule(order, terms))


def is_plainly_good(order: Order, instrument: Instrument) -> bool:
    """Return True if a plain order (market, limit or post-only) has nothing wrong with it.

    False says only that the rules must be asked. Cheap: nearly every order ends here.
    """
    try:
        return type(order) is Order and _is_described(order) and _is_within(order, instrument)
    except InvalidOperation:  # too many steps to be counted
        return False


def _is_described(order: Order) -> bool:
    """Return whether every field but the numbers is as in a plain order."""
    arrival = order.arrival_price
    return (
        type(order.client_order_id) is str
        and order.client_order_id != ""
        and type(order.strategy) is str
        and order.strategy != ""
        and type(order.instrument) is str
        and type(order.reason) is str
        and (order.side is _BUY or order.side is _SELL)
        and order.stop_price is None
        and order.schedule is None
        and (arrival is None or (type(arrival) is Decimal and arrival.is_finite()))
        and type(order.reduce_only) is bool
        and type(order.expire_time_ns) is int
        and order.expire_time_ns == 0
        and type(order.created_ns) is int
        and order.created_ns >= 0
        and type(order.group) is str
        and type(order.parent) is str
        and (order.parent == "" or order.parent != order.client_order_id)
    )


def _is_within(order: Order, instrument: Instrument) -> bool:
    """Return whether type, lifetime and numbers go together and keep the instrument's grids."""
    kind, lifetime, limit = order.order_type, order.time_in_force, order.limit_price
    if lifetime is not _GTC and (kind is _POST_ONLY or not (lifetime is _IOC or lifetime is _FOK)):
        return False
    quantity = order.quantity
    if not (
        type(quantity) is Decimal
        and quantity.is_finite()
        and quantity >= instrument.lot
        and not quantity % instrument.lot
        and quantity >= instrument.min_quantity
        and (instrument.max_quantity is None or quantity <= instrument.max_quantity)
    ):
        return False
    if limit is None:
        return kind is _MARKET
    tick = instrument.order_tick
    return (
        (kind is _LIMIT or kind is _POST_ONLY)
        and type(limit) is Decimal
        and limit.is_finite()
        and limit >= tick
        and not limit % tick
        and (instrument.outcome is None or limit < ONE)
        and (instrument.min_price is None or limit >= instrument.min_price)
        and (instrument.max_price is None or limit <= instrument.max_price)
    )


def _bound(value: Any) -> Decimal | None:
    """Return a bound as a decimal; a float as it is written (0.1 is a tenth)."""
    if value is None or isinstance(value, Decimal):
        return value
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            return Decimal(str(value))
        except InvalidOperation:
            pass
    raise ValueError(f"expected a number or None, found {value!r}")


def _bounded(_owner: object, field: "attrs.Attribute[Any]", value: Decimal | None) -> None:
    if value is not None and not (value.is_finite() and ZERO <= value <= _LARGEST_BOUND):
        raise ValueError(f"{field.name}: expected a number of 0 or more, found {value}")


def _age(_owner: object, field: "attrs.Attribute[Any]", value: Any) -> None:
    if value is not None and not (type(value) is int and value > 0):
        raise ValueError(f"{field.name}: expected nanoseconds above 0, found {value!r}")


def _patterns(_owner: object, field: "attrs.Attribute[Any]", value: Mapping[str, str]) -> None:
    for venue, pattern in value.items():
        try:
            re.compile(pattern)
        except (re.error, TypeError) as error:
            raise ValueError(
                f"{field.name}: expected a regular expression for {venue}, found {pattern!r}"
            ) from error


@attrs.frozen(kw_only=True)
class OrderValidator:
    """Finds what is wrong with orders. Pure: it remembers nothing, and never raises for an order.

    Attributes:
        instruments: What may be traded, with grids and bounds; None: any symbol, no grids.
        min_size: The smallest quantity, in units; so ``max_size``, ``min_price``, ``max_price``.
            They go together with the instrument's own bounds: the tighter one binds.
        price_band: How far limit and stop may be from the market, as a fraction of its price.
        max_age_ns: How old an order may be, where the time is given.
        capabilities: What the venue offers.
        symbol_patterns: Regular expressions of the venues' symbols by venue (see
            ``VENUE_SYMBOLS``); a venue without one is not asked.
    """

    instruments: Instruments | None = None
    min_size: Decimal | None = attrs.field(default=None, converter=_bound, validator=_bounded)
    max_size: Decimal | None = attrs.field(default=None, converter=_bound, validator=_bounded)
    min_price: Decimal | None = attrs.field(default=None, converter=_bound, validator=_bounded)
    max_price: Decimal | None = attrs.field(default=None, converter=_bound, validator=_bounded)
    price_band: Decimal | None = attrs.field(default=None, converter=_bound, validator=_bounded)
    max_age_ns: int | None = attrs.field(default=None, validator=_age)
    capabilities: Capabilities = EVERYTHING
    symbol_patterns: Mapping[str, str] = attrs.field(factory=dict, validator=_patterns)

    @classmethod
    def custom(
        cls,
        *,
        min_size: Any = Decimal(10),
        max_size: Any = Decimal(10_000),
        min_price: Any = Decimal("0.01"),
        max_price: Any = Decimal("0.99"),
    ) -> "OrderValidator":
        """Return a validator with bounds for every order, and without a table of instruments.

        Raises:
            ValueError: If a bound is no number of 0 or more.
        """
        return cls(min_size=min_size, max_size=max_size, min_price=min_price, max_price=max_price)

    def validate(self, order: Order, *, now_ns: int | None = None) -> ValidationResult:
        """Judge an order by all rules."""
        return self.validate_order(order, now_ns=now_ns)

    def validate_order(
        self,
        order: Order,
        rules: Iterable[str] = tuple(RULES),
        market_data: Any = None,
        *,
        now_ns: int | None = None,
    ) -> ValidationResult:
        """Judge an order.

        Args:
            order: Whatever should be one; anything else is found to be none.
            rules: Names of :data:`RULES`.
            market_data: For the price band: see ``reference_price``; None for no comparison.
            now_ns: The time of the judgement; without it, ages are not asked for.

        Raises:
            ValueError: If a rule's name is not known.
        """
        chosen = [_rule(name) for name in rules]
        reference = None if market_data is None else reference_price(market_data)
        found = _findings(order, chosen, self._terms(order, reference, now_ns))
        if market_data is not None and reference is None and price in chosen:
            expected = "a quote, a trade, a bar or a price above 0"
            found += (Finding("MARKET_DATA_UNREADABLE", expected, shown(market_data)),)
        return ValidationResult(found)

    def _terms(self, order: Any, reference: Decimal | None, now_ns: int | None) -> Terms:
        name: Any = getattr(order, "instrument", None)
        instrument = None
        if self.instruments is not None and isinstance(name, str):
            instrument = self.instruments.get(name)
        venue = "" if instrument is None else instrument.venue
        return Terms(
            instrument=instrument,
            is_listed=self.instruments is not None,
            min_size=self.min_size,
            max_size=self.max_size,
            min_price=self.min_price,
            max_price=self.max_price,
            price_band=self.price_band,
            reference=reference,
            capabilities=self.capabilities,
            symbol_pattern=self.symbol_patterns.get(venue),
            now_ns=now_ns,
            max_age_ns=self.max_age_ns,
        )


def _rule(name: Any) -> Rule:
    rule = RULES.get(name) if isinstance(name, str) else None
    if rule is None:
        raise ValueError(f"rules: expected some of {', '.join(RULES)}, found {name!r}")
    return rule
