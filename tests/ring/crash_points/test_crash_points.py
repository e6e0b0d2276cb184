"""Crash anywhere: a sample of all points; ``make crash-all`` tries every one."""

from collections.abc import Sequence

import pytest

from actors.messages.reconciliation import VenueOrders
from actors.messages.safety import KillSwitchChanged
from actors.messages.system import Alarm
from actors.messages.trading import ExecutionReport, PlaceOrder, ReportKind
from actors.messages.venue import CallKind, VenueCall
from actors.model.order import OrderStatus
from tests.ring.crash_points.points import Point, When, check_point, undisturbed
from tests.ring.crash_points.scene import ACTORS, CAUSE

pytestmark = pytest.mark.usefixtures("many_runs")

SAMPLES = 6
"""How many points of each actor."""
DOUBLES = 1
"""How many points of each actor where it crashes twice."""


def sample(actor: str, whens: Sequence[When], count: int) -> list[Point]:
    """Return some points of an actor, spread evenly over the run."""
    step = undisturbed()[1][actor] / count
    calls = [1 + round((number + 0.5) * step) for number in range(count)]
    return [Point(actor, call, whens[number % len(whens)]) for number, call in enumerate(calls)]


def test_the_scene_has_everything_in_it() -> None:
    ran, counts = undisturbed()
    assert len(ran.result.orders) >= 200
    assert set(counts) == set(ACTORS)
    kinds = {report.kind for report in ran.of(ExecutionReport)}
    assert kinds >= {
        ReportKind.ACCEPTED,
        ReportKind.REJECTED,
        ReportKind.TRADE,
        ReportKind.CANCELLED,
        ReportKind.REPLACED,
        ReportKind.REPLACE_REJECTED,
        ReportKind.LOST,
        ReportKind.GONE,
    }
    calls = {call.kind for call in ran.of(VenueCall)}
    assert calls == set(CallKind) - {CallKind.CANCEL_ALL}
    statuses = {row.status for row in ran.result.orders}
    assert statuses >= {OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.REJECTED}
    assert [alarm.text for alarm in ran.of(Alarm)] == [f"halted: {CAUSE}"]
    changed = [told.note for told in ran.of(KillSwitchChanged)]
    assert changed == [f"halted: {CAUSE}", "nothing is open", "the halt is lifted"]
    placed = ran.of(PlaceOrder)
    assert any("/" in message.order.client_order_id for message in placed)
    assert any(message.order.parent for message in placed)
    assert any(message.order.group for message in placed)
    assert len(ran.of(VenueOrders)) > 5


@pytest.mark.parametrize("actor", ACTORS)
def test_an_actor_may_crash_between_any_two_messages(actor: str) -> None:
    for point in sample(actor, (When.AFTER, When.BEFORE), SAMPLES):
        check_point(point)


@pytest.mark.parametrize("actor", ACTORS)
def test_it_may_crash_again_while_it_recovers(actor: str) -> None:
    for point in sample(actor, [When.TWICE], DOUBLES):
        check_point(point)
