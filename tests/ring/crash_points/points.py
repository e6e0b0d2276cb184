"""One crash at one boundary between two messages, and what must be true after it."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import attrs

from actors.messages.reconciliation import Part, Reconciled
from actors.messages.trading import PlaceOrder, ReplaceOrder, SubmitOrder
from actors.messages.venue import CallKind, VenueCall
from actors.model.money import ZERO
from actors.model.order import TERMINAL, Order
from actors.venues.fake.books import FakeLedger
from runtime.observe.result import ExitCode
from runtime.wiring.blueprint import Blueprint
from tests.ring.crash_points.scene import ACTORS, TRACELESS, halt_for_a_while, settings
from tests.ring.rig import Ran, check_books, fold, run
from tests.ring.traps import DoubleTrap, Trap, trapped

_STRIDE = 7919
"""Spreads over its history where a recovery fails."""


class When(StrEnum):
    """At which side of a call somebody crashes."""

    BEFORE = "before"
    AFTER = "after"
    """What it has done is lost."""
    TWICE = "twice"
    """After, and again while the next incarnation recovers."""


@attrs.frozen
class Point:
    """Before or after the ``call``-th message (or row) that an actor handles."""

    actor: str
    call: int
    when: When

    def __str__(self) -> str:
        return f"{self.actor} {self.when} {self.call}"

    @property
    def command(self) -> str:
        """Return the command that tries this point alone."""
        return f"python -m tests.ring.crash_points {self}"

    @property
    def trap(self) -> Trap:
        """Return what makes the actor crash there."""
        if self.when is When.TWICE:
            return DoubleTrap(self.call, replayed=self.call * _STRIDE % (2 * self.call))
        return Trap(self.call, after=self.when is When.AFTER)


@cache
def undisturbed() -> tuple[Ran, dict[str, int]]:
    """Return the run in which nobody crashes, and how many calls each actor gets in it."""
    traps = {actor: Trap() for actor in ACTORS}

    def change(plan: Blueprint) -> Blueprint:
        for actor, trap in traps.items():
            plan = trapped(plan, actor, trap)
        return plan

    with TemporaryDirectory() as folder:
        ran = run(settings(), Path(folder), change=change, prepare=halt_for_a_while)
    check(ran)
    return ran, {actor: trap.calls for actor, trap in traps.items()}


def all_points(whens: Sequence[When] = (When.AFTER, When.BEFORE)) -> list[Point]:
    """Return every point there is, without those where somebody crashes twice."""
    counts = undisturbed()[1]
    return [
        Point(actor, call, when)
        for actor, calls in counts.items()
        for call in range(1, calls + 1)
        for when in whens
    ]


def check_point(point: Point) -> None:
    """Run with a crash there; AssertionError if something has come out wrong."""
    trap = point.trap
    change = partial(trapped, actor=point.actor, trap=trap)
    with TemporaryDirectory() as folder:
        ran = run(settings(), Path(folder), change=change, prepare=halt_for_a_while)
    assert trap.sprung == 1, f"{point}: nobody crashed"
    if isinstance(trap, DoubleTrap):
        assert trap.sprung_again == 1, f"{point}: nobody crashed twice"
    check(ran)
    if point.actor in TRACELESS:
        whole = undisturbed()[0]
        assert essence(ran) == essence(whole), f"{point}: it came to something else"


def essence(ran: Ran) -> tuple[Any, ...]:
    """Return what a crash of a core must not change: what was traded, and where orders ended."""
    result = ran.result
    ends = [(row.order, row.status, row.filled_quantity) for row in result.orders]
    return (ends, [row.fill for row in result.fills], ledger_of(ran).balances)


def ledger_of(ran: Ran) -> FakeLedger:
    """Return the true books."""
    ledger: FakeLedger = ran.system.cores["venue"].ledger()
    return ledger


def check(ran: Ran) -> None:
    """Assert that portfolio = fold of the journaled fills = the venue's ledger, and the rest."""
    assert ran.result.exit_code is ExitCode.GOOD, ran.result.reason
    check_books(ran)
    ledger = ledger_of(ran)
    check_holdings(ran, ledger)
    check_orders(ran, ledger)
    check_approvals(ran)
    last = {message.part: message for message in ran.of(Reconciled)}
    assert set(last) == set(Part)
    assert [message.open for message in last.values()] == [(), ()]


def check_holdings(ran: Ran, ledger: FakeLedger) -> None:
    """Assert that positions, cash and trades are the venue's, to the last digit."""
    folded = fold(ran.result.starting_cash, [row.fill for row in ran.result.fills])
    held: dict[str, Decimal] = defaultdict(Decimal)
    for (_, instrument), units in folded.positions.items():
        held[instrument] += units
    assert {name: units for name, units in held.items() if units} == ledger.positions
    assert ledger.balances == {ran.result.currency: folded.cash}
    ours = sorted((row.fill.venue, row.fill.trade_id) for row in ran.result.fills)
    assert ours == sorted((trade.venue, trade.trade_id) for trade in ledger.trades)


def check_orders(ran: Ran, ledger: FakeLedger) -> None:
    """Assert that nothing is open or unknown anywhere, and nothing came twice."""
    assert ledger.violations == ()
    assert ledger.places_after_halt == 0
    assert [each for each in ledger.orders if each.status not in TERMINAL] == []
    assert [row for row in ran.result.orders if row.status not in TERMINAL] == []
    assert ran.system.cores["portfolio"].reserved == ZERO
    assert ran.system.cores["broker"].open_tickets == 0


def check_approvals(ran: Ran) -> None:
    """Assert that whatever left had been approved before, with the same terms."""
    approved: dict[str, list[Order]] = defaultdict(list)
    asked: set[str] = set()
    for entry in ran.entries:
        message = entry.message
        if entry.due_ns is not None:
            continue
        if isinstance(message, SubmitOrder | ReplaceOrder):
            approved[message.order.client_order_id].append(message.order)
        elif isinstance(message, PlaceOrder):
            asked.add(message.order.client_order_id)
        elif isinstance(message, VenueCall) and message.order is not None:
            order = message.order
            assert order.client_order_id in asked, f"nobody asked for {order.client_order_id}"
            whole = order.client_order_id.rpartition("/")[0] or order.client_order_id
            assert _is_approved(order, approved[whole], message.kind), f"nobody approved {order}"


def _is_approved(sent: Order, approvals: list[Order], kind: CallKind) -> bool:
    """Return whether what was sent was approved: as it is, or of more than that.

    The quantity of an order with relatives follows theirs, up to the most that was approved.
    """
    most = max((each.quantity for each in approvals), default=ZERO)
    return any(_covers(each, sent, kind, most) for each in approvals)


def _covers(approved: Order, sent: Order, kind: CallKind, most: Decimal) -> bool:
    is_part = "/" in sent.client_order_id
    same = (approved.instrument, approved.side) == (sent.instrument, sent.side)
    if not is_part or sent.limit_price is not None:
        same = same and approved.limit_price == sent.limit_price
    if approved.group or approved.parent:
        return same and sent.quantity <= most
    if is_part or kind is CallKind.REPLACE:
        return same and sent.quantity <= approved.quantity
    return same and sent.quantity == approved.quantity
