"""Crash anywhere: a sample of all points; ``make crash-all`` tries every one."""

import pytest

from actors.messages.system import Alarm
from actors.messages.trading import ExecutionReport, ReportKind
from actors.messages.venue import CallKind, VenueCall
from actors.model.order import OrderStatus
from tests.ring.crash_points.points import Point, all_points, check_point, undisturbed
from tests.ring.crash_points.scene import ACTORS

pytestmark = pytest.mark.usefixtures("many_runs")

SAMPLES = 8
"""How many points of each actor, before and after each."""


def sample(actor: str) -> list[Point]:
    """Return some points of an actor, spread evenly over the run."""
    points = [point for point in all_points() if point.actor == actor]
    step = len(points) / SAMPLES
    return [points[round(number * step)] for number in range(SAMPLES)]


def test_the_scene_has_everything_in_it() -> None:
    ran, counts = undisturbed()
    assert len(ran.result.orders) > 140
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
    assert ran.of(Alarm) == []


@pytest.mark.parametrize("actor", ACTORS)
def test_an_actor_may_crash_between_any_two_messages(actor: str) -> None:
    points = sample(actor)
    assert {point.after for point in points} == {True, False} or len(points) < 2
    for point in points:
        check_point(point)
