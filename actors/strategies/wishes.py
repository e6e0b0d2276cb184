"""What a strategy may say of an order it wishes for, checked and made exact."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Required, TypedDict

from actors.model.order import OrderType, Schedule, Side, TimeInForce

Number = Decimal | int | str
"""What strategies may write quantities and prices as; never a float, which is not exact."""


class Terms(TypedDict, total=False):
    """The keywords of ``buy``, ``sell`` and ``target``; all may be left out."""

    limit: Number | None
    """The worst price to trade at; without one it is a market order."""
    stop: Number | None
    """The price at which the order wakes up: a stop order, or with a limit a stop-limit order."""
    post_only: bool
    """Refuse rather than take liquidity; needs a limit."""
    time_in_force: TimeInForce
    expire_ns: int
    """When the order ends, in nanoseconds UTC; makes it ``GTD``."""
    reduce_only: bool
    """Trade only what makes the position smaller."""
    group: str
    """Orders of one group are alternatives: what one fills, the others give up."""
    parent: str
    """The id of the order that must fill first."""
    schedule: Schedule | None
    """How the order is cut into parts; without one it goes out whole."""
    reason: str
    """Why, for the record."""
    priority: int
    """Passed on to the portfolio."""


class ChangeTerms(TypedDict, total=False):
    """The keywords of ``modify``: what is left out stays as it is."""

    quantity: Number | None
    """Of the whole order, with what has been filled."""
    limit: Number | None
    stop: Number | None
    reason: str


class BracketTerms(TypedDict, total=False):
    """The keywords of ``bracket``."""

    take_profit: Required[Number]
    """The limit of the exit that gains."""
    stop_loss: Required[Number]
    """The stop price of the exit that loses."""
    limit: Number | None
    """The limit of the entry; without one it is a market order."""
    reason: str


OrderTerms = tuple[OrderType, Decimal | None, TimeInForce, str, int, Mapping[str, Any]]
"""The same as a signal has them: type, limit, lifetime, reason, priority, and the fields of it that
few orders have. No named tuple: making one takes longer than all the rest.
"""

_NONE: Mapping[str, Any] = {}
_PLAIN = frozenset({"limit", "post_only", "time_in_force", "reason", "priority"})
_AT_ONCE = frozenset({TimeInForce.IOC, TimeInForce.FOK, TimeInForce.FAK})
_GTC = TimeInForce.GTC  # on Python 3.11 looking a member up costs as much as a call
_GTD = TimeInForce.GTD
_LIMIT = OrderType.LIMIT
_MARKET = OrderType.MARKET

MARKET_ORDER: OrderTerms = (_MARKET, None, _GTC, "", 0, _NONE)


def order_terms(terms: Terms) -> OrderTerms:
    """Return the terms as a signal has them.

    Raises:
        TypeError: If a price is a float, a term is not of its type, or there is no such term.
        ValueError: If a price is no number, or the terms contradict each other.
    """
    others = _NONE if terms.keys() <= _PLAIN else _others(terms)
    limit = terms.get("limit")
    price = None if limit is None else exact(limit, "limit")
    time_in_force = terms.get("time_in_force", _GTC)
    order_type = _MARKET if price is None else _LIMIT
    if others:
        if others.get("stop_price") is not None:
            order_type = OrderType.STOP if price is None else OrderType.STOP_LIMIT
        if "expire_time_ns" in others:
            time_in_force = _GTD
    elif time_in_force is _GTD:
        raise ValueError("time_in_force GTD needs expire_ns")
    if terms.get("post_only"):
        if price is None:
            raise ValueError("post_only needs a limit")
        if order_type is not _LIMIT:
            raise ValueError("post_only goes with no stop: a stop takes when it wakes up")
        if time_in_force in _AT_ONCE:
            raise ValueError(f"post_only goes with no {time_in_force}: it must rest")
        order_type = OrderType.POST_ONLY
    return (
        order_type,
        price,
        time_in_force,
        terms.get("reason", ""),
        terms.get("priority", 0),
        others,
    )


def _others(terms: Terms) -> Mapping[str, Any]:
    """Return the fields of a signal that few orders have, checked."""
    _check_names("term", terms, Terms)
    others: dict[str, Any] = {}
    stop = terms.get("stop")
    if stop is not None:
        others["stop_price"] = positive(stop, "stop")
    time_in_force = terms.get("time_in_force", _GTC)
    expire_ns = _expiry(terms.get("expire_ns", 0), time_in_force)
    if expire_ns:
        others["expire_time_ns"] = expire_ns
    if _is_text(terms.get("group", ""), "group"):
        others["group"] = terms["group"]
    if _is_text(terms.get("parent", ""), "parent"):
        others["parent"] = terms["parent"]
    if terms.get("reduce_only"):
        others["reduce_only"] = True
    schedule = terms.get("schedule")
    if schedule is not None:
        _check_schedule(schedule, others, time_in_force)
        others["schedule"] = schedule
    return others


def _expiry(expire_ns: int, time_in_force: TimeInForce) -> int:
    """Return when an order ends, 0 for never."""
    if expire_ns.__class__ is not int or expire_ns < 0:
        raise TypeError(f"expire_ns: expected whole nanoseconds UTC, found {expire_ns!r}")
    if not expire_ns and time_in_force is _GTD:
        raise ValueError("time_in_force GTD needs expire_ns")
    if expire_ns and time_in_force in _AT_ONCE:
        raise ValueError(f"expire_ns goes with no {time_in_force}: that ends at once")
    return expire_ns


def _check_names(what: str, given: Mapping[str, Any], known: type) -> None:
    names = known.__annotations__
    for name in given:
        if name not in names:
            raise TypeError(f"unknown {what} {name!r}: expected one of {', '.join(names)}")


def _is_text(value: Any, what: str) -> bool:
    if not isinstance(value, str):
        raise TypeError(f"{what}: expected a text, found the {type(value).__name__} {value!r}")
    return bool(value)


def _check_schedule(schedule: Any, others: Mapping[str, Any], time_in_force: TimeInForce) -> None:
    if not isinstance(schedule, Schedule):
        raise TypeError(f"schedule: expected a Schedule, found {schedule!r}")
    for field, word in (("stop_price", "stop"), ("group", "group"), ("parent", "parent")):
        if field in others:
            raise ValueError(f"schedule goes with no {word}: its parts are orders of their own")
    if time_in_force in _AT_ONCE:
        raise ValueError(f"schedule goes with no {time_in_force}: it takes its time")


def change_terms(
    changes: ChangeTerms,
) -> tuple[Decimal | None, Decimal | None, Decimal | None, str]:
    """Return quantity, limit, stop and reason of a change.

    Raises:
        TypeError: If a number is a float, or there is no such change.
        ValueError: If a number is not above 0, or nothing is to change.
    """
    numbers: list[Decimal | None] = []
    _check_names("change", changes, ChangeTerms)
    for what, value in (
        ("quantity", changes.get("quantity")),
        ("limit", changes.get("limit")),
        ("stop", changes.get("stop")),
    ):
        numbers.append(None if value is None else positive(value, what))
    quantity, limit, stop = numbers
    if quantity is None and limit is None and stop is None:
        raise ValueError("modify: expected a quantity, a limit or a stop, found none")
    return quantity, limit, stop, changes.get("reason", "")


def bracket_prices(side: Side, terms: BracketTerms) -> tuple[Decimal, Decimal, Decimal | None, str]:
    """Return take-profit, stop-loss, the entry's limit and the reason of a bracket.

    Raises:
        TypeError: If a price is a float, or a term is missing or unknown.
        ValueError: If a price is not above 0, or the exits are not on both sides of the entry.
    """
    _check_names("term of a bracket", terms, BracketTerms)
    missing = sorted(BracketTerms.__required_keys__ - terms.keys())
    if missing:
        raise TypeError(f"bracket: expected {' and '.join(missing)}, found none")
    profit = positive(terms["take_profit"], "take_profit")
    loss = positive(terms["stop_loss"], "stop_loss")
    limit = terms.get("limit")
    entry = None if limit is None else positive(limit, "limit")
    low, high = (loss, profit) if side is Side.BUY else (profit, loss)
    if low >= high or (entry is not None and not low < entry < high):
        where = "" if entry is None else f" around the limit {entry}"
        raise ValueError(
            f"bracket to {side}: expected its exits on both sides{where}, "
            f"found take_profit {profit} and stop_loss {loss}"
        )
    return profit, loss, entry, terms.get("reason", "")


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
