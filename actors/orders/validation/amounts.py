"""Rules on how much and at what price; also for parts of orders, and for anything but numbers."""

from decimal import Decimal, InvalidOperation
from typing import Any

from actors.model.instrument import Instrument
from actors.model.money import ONE, ZERO
from actors.model.order import Order, OrderType
from actors.orders.validation.results import Finding, shown
from actors.orders.validation.terms import Findings, Terms, largest, smallest

_WITH_LIMIT = (OrderType.LIMIT, OrderType.POST_ONLY, OrderType.STOP_LIMIT)
_WITH_STOP = (OrderType.STOP, OrderType.STOP_LIMIT)


def price(order: Order, terms: Terms) -> Findings:
    """Find limit and stop prices that are missing, no prices of the instrument, or far off.

    How a stop-limit's two prices lie to each other is free: a limit on either side of the stop is
    allowed by real venues.
    """
    yield from presence(order)
    for kind, value in (("PRICE", order.limit_price), ("STOP", order.stop_price)):
        if value is None:
            continue
        wrong = number(kind, value)
        if wrong is None:
            yield from _grid(kind, value, terms.instrument)
            yield from _price_bounds(kind, value, terms)
            yield from _band(kind, value, terms)
        else:
            yield wrong


def presence(order: Order) -> Findings:
    """Find prices that an order's type needs and lacks, or has no use for."""
    kind: Any = order.order_type
    if not isinstance(kind, OrderType):
        return
    for name, code, value, kinds in (
        ("limit", "LIMIT", order.limit_price, _WITH_LIMIT),
        ("stop", "STOP", order.stop_price, _WITH_STOP),
    ):
        if value is None and kind in kinds:
            yield Finding(f"{code}_MISSING", f"a {name} price for {kind}", "none")
        elif value is not None and kind not in kinds:
            yield Finding(f"{code}_UNWANTED", f"no {name} price for {kind}", shown(value))


def quantity(order: Order, terms: Terms) -> Findings:
    """Find a quantity that is none of the instrument: 0 or below, off the lots, out of bounds."""
    value = order.quantity
    wrong = number("QUANTITY", value)
    if wrong is not None:
        yield wrong
        return
    instrument = terms.instrument
    least, most = terms.min_size, terms.max_size
    if instrument is not None:
        yield from on_grid(("QUANTITY_OFF_LOT", "QUANTITY_OUT_OF_RANGE"), value, instrument.lot)
        least = largest(least, instrument.min_quantity)
        most = smallest(most, instrument.max_quantity)
    if least is not None and value < least:
        yield Finding("QUANTITY_BELOW_MIN", f"at least {shown(least)}", shown(value))
    if most is not None and value > most:
        yield Finding("QUANTITY_ABOVE_MAX", f"at most {shown(most)}", shown(value))


def number(kind: str, value: Any) -> Finding | None:
    """Return what is wrong with a value that should be a finite Decimal above 0, or None."""
    if type(value) is not Decimal:
        return Finding(f"{kind}_NOT_DECIMAL", "a Decimal", shown(value))
    if not value.is_finite():
        return Finding(f"{kind}_NOT_FINITE", "a finite number", shown(value))
    if value <= ZERO:
        return Finding(f"{kind}_NOT_POSITIVE", "above 0", shown(value))
    return None


def on_grid(codes: tuple[str, str], value: Decimal, step: Decimal) -> Findings:
    """Find a number above 0 that is not a multiple of a step, or of too many to count.

    Args:
        codes: For off the grid, and for out of range.
        value: Above 0.
        step: The lot or the tick.
    """
    off_grid, out_of_range = codes
    try:
        is_off = value < step or value % step != ZERO
    except InvalidOperation:  # the quotient has more digits than decimals are computed with
        yield Finding(out_of_range, f"fewer steps of {shown(step)}", shown(value))
        return
    if is_off:
        yield Finding(off_grid, f"a multiple of {shown(step)}", shown(value))


def _grid(kind: str, value: Decimal, instrument: Instrument | None) -> Findings:
    if instrument is None:
        return
    yield from on_grid((f"{kind}_OFF_TICK", f"{kind}_OUT_OF_RANGE"), value, instrument.order_tick)
    if instrument.outcome is not None and value >= ONE:
        yield Finding(f"{kind}_NOT_A_PROBABILITY", "below 1", shown(value))


def _price_bounds(kind: str, value: Decimal, terms: Terms) -> Findings:
    least, most = terms.min_price, terms.max_price
    instrument = terms.instrument
    if instrument is not None:
        least = largest(least, instrument.min_price)
        most = smallest(most, instrument.max_price)
    if least is not None and value < least:
        yield Finding(f"{kind}_BELOW_MIN", f"at least {shown(least)}", shown(value))
    if most is not None and value > most:
        yield Finding(f"{kind}_ABOVE_MAX", f"at most {shown(most)}", shown(value))


def _band(kind: str, value: Decimal, terms: Terms) -> Findings:
    band, reference = terms.price_band, terms.reference
    if band is None or reference is None:
        return
    low, high = reference * (ONE - band), reference * (ONE + band)
    if not low <= value <= high:
        expected = f"{shown(low)} to {shown(high)}"
        yield Finding(f"{kind}_OUT_OF_BAND", expected, shown(value))
