"""Whose positions and orders a limit counts."""

from decimal import Decimal
from enum import StrEnum

from actors.model.instrument import Instrument
from actors.model.money import ZERO
from actors.model.order import Side
from actors.risk.policy import RiskRequest
from actors.risk.view import Exposure

_BUY = Side.BUY  # on Python 3.11, looking a member up takes longer than comparing it


class Per(StrEnum):
    """Whose position a limit counts."""

    ACCOUNT = "account"
    STRATEGY = "strategy"
    MARKET = "market"
    """Of every outcome of the order's market together; of the instrument, if it has none."""
    EVENT = "event"
    """Of every market of the order's event together; of its market, if it has none."""


class OrdersPer(StrEnum):
    """Whose orders a limit counts."""

    ACCOUNT = "account"
    STRATEGY = "strategy"
    INSTRUMENT = "instrument"


def siblings(request: RiskRequest, *, by_event: bool) -> tuple[Instrument, ...]:
    """Return the instruments of the order's market or event, its own among them."""
    found = tuple(request.view.group(request.instrument, by_event=by_event))
    return found or (request.instrument,)


def worst_quantity(exposure: Exposure, request: RiskRequest, *, is_strategy: bool) -> Decimal:
    """Return the largest position, long or short, that working orders can make of an exposure.

    Counts the order that is asked for where it is of the same instrument. Never negative.
    """
    if exposure.instrument.id != request.instrument.id:
        quantity, buying, selling = exposure.quantity, exposure.buying, exposure.selling
    elif is_strategy:
        quantity = request.strategy_position
        buying, selling = request.strategy_buying, request.strategy_selling
    else:
        quantity = request.account_position
        buying, selling = request.account_buying, request.account_selling
    if exposure.instrument.id == request.instrument.id:
        if request.side is _BUY:
            buying += request.quantity
        else:
            selling += request.quantity
    return max(quantity + buying, selling - quantity)


def exposures_with(
    request: RiskRequest, strategy: str | None, instruments: tuple[Instrument, ...] | None
) -> list[Exposure]:
    """Return the exposures of a scope; the order's own instrument is always among them.

    That one is in the request, so it is looked up only together with others.
    """
    own = request.instrument
    if instruments is not None and len(instruments) == 1:
        return [_nothing_of(own)]
    found = list(request.view.exposures(strategy, instruments))
    if not any(each.instrument.id == own.id for each in found):
        found.append(_nothing_of(own))
    return found


def _nothing_of(instrument: Instrument) -> Exposure:
    return Exposure(instrument=instrument, quantity=ZERO, cost=ZERO, buying=ZERO, selling=ZERO)
