"""Builds kill switches, and what they hear."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from actors.actor import Context, Later
from actors.messages.account import EquityMarked
from actors.messages.reconciliation import Cure, Difference, DifferenceKind
from actors.messages.system import ActorFailed, FailureReport, TimerFired
from actors.messages.trading import OrderUpdate
from actors.messages.venue import CallKind, Outcome, VenueAnswer, VenueCall, VenueOrder
from actors.model.instrument import Instruments
from actors.model.order import OrderStatus, Side
from actors.safety.config import KillSwitchConfig
from actors.safety.kill_switch import KillSwitch
from runtime.kernel.determinism import seeded_random
from tests.builders import instruments as table

SECOND = 1_000_000_000
T0 = 1_800_000_000 * SECOND


def switch(
    config: KillSwitchConfig | None = None,
    *,
    has_venue: bool = True,
    incarnation: int = 0,
    instruments: Instruments | None = None,
    feeds: Sequence[str] = ("market",),
) -> KillSwitch:
    """Return a kill switch that has not been started."""
    context = Context(
        run_id="run", actor="safety", incarnation=incarnation, random=seeded_random(1, "safety")
    )
    return KillSwitch(
        context,
        instruments if instruments is not None else table(),
        config or KillSwitchConfig(),
        feeds=feeds,
        has_venue=has_venue,
    )


def of(kind: type, outputs: Sequence[Any]) -> list[Any]:
    """Return the outputs of one type."""
    return [each for each in outputs if isinstance(each, kind)]


def only(kind: type, outputs: Sequence[Any]) -> Any:
    """Return the one output of a type."""
    (found,) = of(kind, outputs)
    return found


def answer(call: VenueCall, *open_ids: str, **more: Any) -> VenueAnswer:
    """Return what the venue says of its open orders."""
    more.setdefault("outcome", Outcome.ANSWERED)
    return VenueAnswer(
        number=call.number,
        kind=CallKind.OPEN_ORDERS,
        venue="venue",
        venue_time_ns=T0,
        orders=tuple(venue_order(each) for each in open_ids),
        **more,
    )


def venue_order(order_id: str) -> VenueOrder:
    """Return an open order of the venue; of somebody else if its id begins with ``v``."""
    is_ours = not order_id.startswith("v")
    return VenueOrder(
        client_order_id=order_id if is_ours else "",
        venue_order_id=f"venue-{order_id}" if is_ours else order_id,
        instrument="YES",
        side=Side.BUY,
        quantity=Decimal(1),
        filled_quantity=Decimal(0),
        status=OrderStatus.WORKING,
    )


def update(order_id: str, status: OrderStatus, reason: str = "") -> OrderUpdate:
    """Return the order manager's word on an order."""
    return OrderUpdate(
        client_order_id=order_id,
        strategy="one",
        instrument="YES",
        side=Side.BUY,
        status=status,
        quantity=Decimal(1),
        filled_quantity=Decimal(0),
        reason=reason,
    )


def failed(actor: str = "one", kind: str = "ValueError", text: str = "boom") -> ActorFailed:
    """Return the news that an actor has failed."""
    report = FailureReport(kind=kind, text=text, where="file:function:1")
    return ActorFailed(actor=actor, failure=report, message_sequence=7)


def equity(value: str, time_ns: int) -> EquityMarked:
    """Return a value of the account."""
    return EquityMarked(time_ns=time_ns, cash=Decimal(0), equity=Decimal(value))


def difference(key: str, *, is_open: bool = True, cure: Cure = Cure.REFUSE) -> Difference:
    """Return a difference with the venue."""
    return Difference(
        kind=DifferenceKind.POSITION,
        key=key,
        ours="3",
        theirs="5",
        cure=cure,
        is_open=is_open,
        time_ns=T0,
    )


def timer(name: str, at_ns: int) -> TimerFired:
    """Return a timer of the kill switch."""
    return TimerFired("safety", name, at_ns)


def next_timer(name: str, outputs: Sequence[Any]) -> TimerFired | None:
    """Return the timer of a name that was set last, or None."""
    found = [each.message for each in of(Later, outputs) if each.message.name == name]
    return found[-1] if found else None
