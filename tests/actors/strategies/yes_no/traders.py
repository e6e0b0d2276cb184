"""The strategy at work, with what it is told and what it says."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from actors.actor import Later
from actors.messages.account import PositionChanged
from actors.messages.system import TimerFired
from actors.messages.trading import Signal, SignalBatch
from actors.model.instrument import Instrument
from actors.model.order import OrderStatus, Side
from actors.strategies.yes_no import YesNo
from tests.actors.strategies.builders import outcome_pair, quote, started, update
from tests.builders import instrument, instruments

YES, NO = outcome_pair()
BITCOIN = instrument("BTC")


def core(incarnation: int = 0, **given_: Any) -> YesNo:
    """Return a strategy that buys up to 10 pairs at a time, and nothing alone."""
    defaults = {"max_size": Decimal(10), "inventory": False}
    return started(
        YesNo,
        instruments(YES, NO, BITCOIN),
        parameters=YesNo.Parameters(**{**defaults, **given_}),
        incarnation=incarnation,
    )


def alone(**given_: Any) -> YesNo:
    """Return a strategy that buys sides one by one, and no pairs."""
    return core(**{"inventory": True, "arbitrage": False, **given_})


def offered(of: YesNo, yes: int, no: int, *, time_ns: int = 1) -> list[Any]:
    """Quote YES, then NO, at these asks, bids one below; return what is sent."""
    of.on_quote(quote(YES, yes - 1, yes, (5000, 5000), time_ns=time_ns))
    of.on_quote(quote(NO, no - 1, no, (5000, 5000), time_ns=time_ns))
    return of.take_outbox(time_ns)


def signals(sent: Iterable[Any]) -> list[Signal]:
    found: list[Signal] = []
    for message in sent:
        if isinstance(message, SignalBatch):
            found += message.signals
        elif isinstance(message, Signal):
            found.append(message)
    return found


def held(
    of: YesNo, what: Instrument, quantity: str, cost: str = "0", *, realized: str = "0"
) -> None:
    of.handle(
        PositionChanged(
            strategy="s",
            instrument=what.id,
            quantity=Decimal(quantity),
            cost=Decimal(cost),
            realized_pnl=Decimal(realized),
            commission=Decimal(0),
        ),
        1,
    )


def ended(of: YesNo, signal: Signal, filled: str, status: OrderStatus | None = None) -> None:
    """Tell of an order's end and, if it was filled, of the position after it."""
    status = status or OrderStatus.CANCELLED
    of.handle(update(signal, status, filled=filled, side=signal.side or Side.BUY), 1)
    if Decimal(filled):
        known = of._memory.quantity(signal.instrument)
        sign = (signal.side or Side.BUY).sign
        what = YES if signal.instrument == YES.id else NO
        quantity = known + sign * Decimal(filled)
        held(of, what, str(quantity), str(quantity * (signal.limit_price or 0)))


def fired(of: YesNo, later: Later) -> list[Any]:
    assert isinstance(later.message, TimerFired)
    return of.handle(later.message, later.at_ns)
