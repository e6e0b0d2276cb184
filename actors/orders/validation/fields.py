"""Rules on what an order is, whose, of what and since when: basic, symbol, timestamps."""

import re
from decimal import Decimal
from typing import Any

from actors.model.instrument import Instrument
from actors.model.order import Order, OrderType, Side, TimeInForce
from actors.orders.validation.results import Finding, shown, shown_time
from actors.orders.validation.terms import Findings, Terms

_SYMBOL = re.compile(r"[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]{0,198}[^\s\x00-\x1f\x7f])?")
"""1 to 200 characters: no control characters, no spaces at the ends."""

VENUE_SYMBOLS = {
    "polymarket": r"[0-9]{1,78}",
    "binance": r"[A-Z0-9]{1,20}(?:_[A-Z0-9]{1,10})?",
    "coinbase": r"[A-Z0-9]{1,20}-[A-Z0-9]{2,10}",
}
"""What real venues' own names look like (token ids; BTCUSDT; BTC-USD), for validators of live
orders: recordings and made-up markets may call theirs as they like.

Source: the venues' documents; Polymarket's ids are ERC-1155 token ids (256 bits, 78 digits).
"""


def basic(order: Order, terms: Terms) -> Findings:
    """Find an order that does not say what it is: id, strategy, symbol, side, type, lifetime."""
    if not _is_name(order.client_order_id):
        yield Finding("ORDER_ID_MISSING", "an id, as a text", shown(order.client_order_id))
    if not _is_name(order.strategy):
        yield Finding("STRATEGY_MISSING", "a strategy, as a text", shown(order.strategy))
    if not _is_name(order.instrument):
        yield Finding("SYMBOL_MISSING", "an instrument's id, as a text", shown(order.instrument))
    if not isinstance(order.side, Side):
        yield Finding("SIDE_UNKNOWN", "Side.BUY or Side.SELL", shown(order.side))
    if not isinstance(order.order_type, OrderType):
        yield Finding("ORDER_TYPE_UNKNOWN", "an OrderType", shown(order.order_type))
    if not isinstance(order.time_in_force, TimeInForce):
        yield Finding("TIME_IN_FORCE_UNKNOWN", "a TimeInForce", shown(order.time_in_force))
    yield from _descriptions(order)


def _descriptions(order: Order) -> Findings:
    for name in ("reason", "group", "parent"):
        value: Any = getattr(order, name)
        if not isinstance(value, str):
            yield Finding("FIELD_WRONG_TYPE", f"a text as {name}", shown(value))
    if not isinstance(order.reduce_only, bool):
        yield Finding("FIELD_WRONG_TYPE", "True or False as reduce_only", shown(order.reduce_only))
    arrival: Any = order.arrival_price
    if arrival is not None and not (type(arrival) is Decimal and arrival.is_finite()):
        yield Finding("FIELD_WRONG_TYPE", "a finite Decimal as arrival_price", shown(arrival))


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def symbol(order: Order, terms: Terms) -> Findings:
    """Find a name that cannot be an instrument's, that nobody knows, or that a venue cannot."""
    name: Any = order.instrument
    if not _is_name(name):
        yield Finding("SYMBOL_MISSING", "an instrument's id, as a text", shown(name))
    elif terms.instrument is not None:
        yield from _venue_symbol(terms.instrument, terms.symbol_pattern)
    elif not _SYMBOL.fullmatch(name):
        yield Finding("SYMBOL_FORMAT", "1 to 200 visible characters", shown(name))
    elif terms.is_listed:
        yield Finding("SYMBOL_UNKNOWN", "a known instrument", shown(name))


def _venue_symbol(instrument: Instrument, pattern: str | None) -> Findings:
    if pattern is not None and not re.fullmatch(pattern, instrument.symbol):
        expected = f"a symbol of {instrument.venue} ({pattern})"
        yield Finding("SYMBOL_VENUE_FORMAT", expected, shown(instrument.symbol))


def timestamps(order: Order, terms: Terms) -> Findings:
    """Find times that are none, an order from the future or too old, and an end in the past.

    Where the time of the judgement is not given, an order is judged as of when it was made.
    """
    wrong = [*_wrong_times(order)]
    yield from wrong
    if wrong:
        return
    created, expires, now = order.created_ns, order.expire_time_ns, terms.now_ns
    if now is not None and created > now:
        yield Finding("CREATED_IN_FUTURE", f"made by {shown_time(now)}", shown_time(created))
    oldest = terms.max_age_ns
    if now is not None and oldest is not None and created and now - created > oldest:
        yield Finding("ORDER_TOO_OLD", f"at most {oldest} ns old", f"{now - created} ns")
    begins = created if now is None else now
    if expires and expires <= begins:
        yield Finding("EXPIRY_PASSED", f"an end after {shown_time(begins)}", shown_time(expires))


def _wrong_times(order: Order) -> Findings:
    for name in ("created_ns", "expire_time_ns"):
        value: Any = getattr(order, name)
        if type(value) is not int or value < 0:
            yield Finding("TIME_NOT_WHOLE", f"whole nanoseconds as {name}", shown(value))
