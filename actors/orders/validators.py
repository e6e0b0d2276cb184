"""Is this an order that its instrument allows? Pure checks that find everything wrong at once."""

from collections.abc import Callable

from actors.messages.trading import Violation
from actors.model.instrument import Instrument
from actors.model.money import ONE, ZERO, plain
from actors.model.order import Order, OrderType, TimeInForce

_MARKET = OrderType.MARKET  # on Python 3.11 looking a member up costs as much as a call
_POST_ONLY = OrderType.POST_ONLY
_GTC = TimeInForce.GTC

Rule = Callable[[Order, Instrument], Violation | None]


def positive_quantity(order: Order, instrument: Instrument) -> Violation | None:
    """Refuse a quantity that is not above 0."""
    if order.quantity > ZERO:
        return None
    return Violation("Quantity", "above 0", plain(order.quantity))


def lot_grid(order: Order, instrument: Instrument) -> Violation | None:
    """Refuse a quantity that is not a whole number of lots."""
    if order.quantity % instrument.lot == ZERO:
        return None
    return Violation("Lot", f"a multiple of {plain(instrument.lot)}", plain(order.quantity))


def min_quantity(order: Order, instrument: Instrument) -> Violation | None:
    """Refuse a quantity below the instrument's smallest."""
    if order.quantity >= instrument.min_quantity:
        return None
    return Violation(
        "MinQuantity", f"at least {plain(instrument.min_quantity)}", plain(order.quantity)
    )


def limit_given(order: Order, instrument: Instrument) -> Violation | None:
    """Refuse a limit order without a limit, and a market order with one."""
    if (order.limit_price is None) == (order.order_type is _MARKET):
        return None
    found = "none" if order.limit_price is None else plain(order.limit_price)
    wanted = "none" if order.order_type is _MARKET else "a limit price"
    return Violation("LimitPrice", f"{wanted} for {order.order_type}", found)


def price_grid(order: Order, instrument: Instrument) -> Violation | None:
    """Refuse a limit that is not above 0 or not on the grid of orders."""
    limit = order.limit_price
    if limit is None:
        return None
    if limit <= ZERO:
        return Violation("Price", "above 0", plain(limit))
    if limit % instrument.order_tick != ZERO:
        return Violation("Tick", f"a multiple of {plain(instrument.order_tick)}", plain(limit))
    return None


def outcome_price(order: Order, instrument: Instrument) -> Violation | None:
    """Refuse a limit for an outcome token that is not a probability: it pays 0 or 1."""
    limit = order.limit_price
    if instrument.outcome is None or limit is None or limit < ONE:
        return None
    return Violation("OutcomePrice", "below 1", plain(limit))


def post_only_rests(order: Order, instrument: Instrument) -> Violation | None:
    """Refuse an order that must not take and must not rest."""
    if order.order_type is not _POST_ONLY or order.time_in_force is _GTC:
        return None
    return Violation("PostOnly", "GTC", order.time_in_force)


MARKET_RULES: tuple[Rule, ...] = (
    positive_quantity,
    lot_grid,
    min_quantity,
    limit_given,
    post_only_rests,
)
"""What can be wrong without a limit."""
RULES: tuple[Rule, ...] = (*MARKET_RULES, price_grid, outcome_price)


def validate(order: Order, instrument: Instrument | None) -> tuple[Violation, ...]:
    """Return everything that is wrong with an order; empty if nothing is.

    Args:
        order: What is to be sent.
        instrument: What the order names; None if that is not known.
    """
    if instrument is None:
        return (Violation("Instrument", "a known instrument", order.instrument),)
    limit = order.limit_price
    if not order.quantity.is_finite() or (limit is not None and not limit.is_finite()):
        return (Violation("Number", "finite", f"{order.quantity} at {limit}"),)
    found: tuple[Violation, ...] = ()
    for rule in MARKET_RULES if limit is None else RULES:
        violation = rule(order, instrument)
        if violation is not None:
            found = (*found, violation)
    return found


def reason_of(violations: tuple[Violation, ...]) -> str:
    """Return violations in words: ``Lot: expected a multiple of 0.1, found 0.15``."""
    return "; ".join(f"{v.policy}: expected {v.limit}, found {v.found}" for v in violations)
