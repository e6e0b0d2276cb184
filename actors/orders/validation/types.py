"""Rules on what goes together: order types, lifetimes, schedules, and what the venue offers."""

from decimal import Decimal
from typing import Any

from actors.model.instrument import Instrument
from actors.model.money import ZERO
from actors.model.order import Order, OrderType, Schedule, ScheduleKind, TimeInForce
from actors.orders.validation.amounts import on_grid, presence
from actors.orders.validation.results import Finding, shown
from actors.orders.validation.terms import Findings, Terms

_RESTING = (TimeInForce.GTC, TimeInForce.GTD)
_MOST_SLICES = 10_000
_MAY_BE_CUT = (OrderType.MARKET, OrderType.LIMIT, OrderType.POST_ONLY)


def order_type(order: Order, terms: Terms) -> Findings:
    """Find parts of an order that do not go together, or that the venue does not offer."""
    kind: Any = order.order_type
    yield from presence(order)
    if kind is OrderType.POST_ONLY and order.time_in_force not in _RESTING:
        yield Finding("POST_ONLY_MUST_REST", "GTC or GTD", _word(order.time_in_force))
    yield from _expiry(order)
    if isinstance(order.parent, str) and order.parent and order.parent == order.client_order_id:
        yield Finding("PARENT_IS_ITSELF", "another order as parent", shown(order.parent))
    yield from _schedule(order, terms)
    yield from _capabilities(order, terms)


def _word(value: Any) -> str:
    """Return a member's own name, or whatever else it is in a few words."""
    return str(value) if isinstance(value, OrderType | TimeInForce) else shown(value)


def _expiry(order: Order) -> Findings:
    expires: Any = order.expire_time_ns
    is_gtd = order.time_in_force is TimeInForce.GTD
    has_end = type(expires) is int and expires > 0
    if is_gtd and not has_end:
        yield Finding("EXPIRY_MISSING", "an expire_time_ns for GTD", shown(expires))
    elif has_end and not is_gtd:
        yield Finding("EXPIRY_UNWANTED", "an end only for GTD", _word(order.time_in_force))


# --- schedules -----------------------------------------------------------------------------------


def _schedule(order: Order, terms: Terms) -> Findings:
    schedule: Any = order.schedule
    if schedule is None:
        return
    malformed = _malformed(schedule)
    if malformed is not None:
        yield malformed
        return
    if order.order_type not in _MAY_BE_CUT:
        yield Finding("SCHEDULE_ORDER_TYPE", ", ".join(_MAY_BE_CUT), _word(order.order_type))
    if order.time_in_force not in _RESTING:
        yield Finding("SCHEDULE_TIME_IN_FORCE", "GTC or GTD", _word(order.time_in_force))
    if order.group or order.parent:
        found = shown(order.group or order.parent)
        yield Finding("SCHEDULE_RELATIVES", "neither group nor parent", found)
    if schedule.kind is ScheduleKind.ICEBERG:
        yield from _display(schedule, terms.instrument)
    else:
        yield from _timed(schedule)


def _malformed(schedule: Any) -> Finding | None:
    if not isinstance(schedule, Schedule):
        return Finding("SCHEDULE_MALFORMED", "a Schedule", shown(schedule))
    if not isinstance(schedule.kind, ScheduleKind):
        return Finding("SCHEDULE_MALFORMED", "a ScheduleKind", shown(schedule.kind))
    for value in (schedule.duration_ns, schedule.slices):
        if type(value) is not int:
            return Finding("SCHEDULE_MALFORMED", "whole numbers", shown(value))
    display, profile = schedule.display_quantity, schedule.profile
    if not isinstance(profile, tuple):
        return Finding("SCHEDULE_MALFORMED", "a tuple of weights", shown(profile))
    for weight in (*profile, *(() if display is None else (display,))):
        if not (type(weight) is Decimal and weight.is_finite()):
            return Finding("SCHEDULE_MALFORMED", "finite Decimals", shown(weight))
    return None


def _timed(schedule: Schedule) -> Findings:
    if schedule.duration_ns <= 0:
        yield Finding("SCHEDULE_DURATION", "a duration above 0 ns", shown(schedule.duration_ns))
    if not 1 <= schedule.slices <= _MOST_SLICES:
        expected = f"a number of slices from 1 to {_MOST_SLICES}"
        yield Finding("SCHEDULE_SLICES", expected, shown(schedule.slices))
    weights = schedule.profile
    if schedule.kind is not ScheduleKind.VWAP:
        if weights:
            yield Finding("SCHEDULE_PROFILE", "no profile for TWAP", f"{len(weights)} weights")
    elif len(weights) != schedule.slices:
        expected = f"a weight for each slice ({shown(schedule.slices)})"
        yield Finding("SCHEDULE_PROFILE", expected, f"{len(weights)} weights")
    elif any(weight < ZERO for weight in weights) or not any(weights):
        found = ", ".join(shown(weight) for weight in weights[:8])
        yield Finding("SCHEDULE_PROFILE", "weights of 0 or more, one above 0", found)


def _display(schedule: Schedule, instrument: Instrument | None) -> Findings:
    display = schedule.display_quantity
    if display is None or display <= ZERO:
        yield Finding("SCHEDULE_DISPLAY", "a display quantity above 0", shown(display))
    elif instrument is not None:
        yield from on_grid(("SCHEDULE_DISPLAY", "SCHEDULE_DISPLAY"), display, instrument.lot)
        least = instrument.min_quantity
        if display < least:
            yield Finding("SCHEDULE_DISPLAY", f"at least {shown(least)}", shown(display))


# --- the venue -----------------------------------------------------------------------------------


def _capabilities(order: Order, terms: Terms) -> Findings:
    offered = terms.capabilities
    kind, lifetime = order.order_type, order.time_in_force
    if isinstance(kind, OrderType) and kind not in offered.order_types:
        yield _lacking(offered.order_types, kind)
    if isinstance(lifetime, TimeInForce) and lifetime not in offered.times_in_force:
        yield _lacking(offered.times_in_force, lifetime)
    for name, value, is_offered in (
        ("reduce_only", order.reduce_only, offered.reduce_only),
        ("groups", order.group, offered.groups),
        ("parents", order.parent, offered.parents),
        ("schedules", order.schedule, offered.schedules),
    ):
        if not (is_offered or value is None or value is False or value == ""):
            yield Finding("VENUE_LACKS", f"no {name} at this venue", shown(value))


def _lacking(offered: frozenset[Any], found: str) -> Finding:
    choices = ", ".join(sorted(offered)) or "nothing of the kind"
    return Finding("VENUE_LACKS", choices, str(found))
