"""What must not work on is cancelled again where the venue refuses: halts, stops, all of it."""

from pathlib import Path
from typing import Any

import pytest

from actors.actor import Later
from actors.messages.system import ActorRestarted, CancelAll, CancelStrategy, Halt
from actors.messages.trading import (
    CancelOrder,
    CancelOrders,
    CancelPlacedOrder,
    ExecutionReport,
    ReportKind,
)
from actors.model.money import NANOSECONDS
from actors.model.order import OrderStatus, Schedule, ScheduleKind
from actors.orders.config import OrderManagerConfig
from actors.orders.manager import OrderManager
from runtime.wiring.blueprint import Blueprint
from tests.actors.orders.rooms import asked, manager, of_kind, record_of, said, traded, updates
from tests.builders import context
from tests.ring.rig import Ran, config, run
from tests.ring.traps import Trap, trapped

OUT = "the venue is out of reach"
REFUSED = said(ReportKind.CANCEL_REJECTED, reason=OUT)
SEEN = said(ReportKind.ACCEPTED)
FOR_GOOD: list[Any] = [
    Halt("loss"),
    CancelAll("halted by risk"),
    CancelStrategy("strategy", "it failed"),
]
TWAP = Schedule(kind=ScheduleKind.TWAP, duration_ns=90, slices=3)


def cancels(outputs: list[Any]) -> list[str]:
    """Return the ids of the orders that the broker is asked to cancel."""
    return [each.client_order_id for each in of_kind(outputs, CancelPlacedOrder)]


def refused(cancel: Any) -> tuple[OrderManager, Later]:
    """Return a manager whose cancel was refused at 4 ns, and the timer of the next try."""
    core = manager(asked(), SEEN, cancel)
    outputs = core.handle(REFUSED, 4)
    assert updates(outputs) == [("a", OrderStatus.WORKING)]
    assert cancels(outputs) == [], "a venue that is out would refuse for ever"
    [later] = of_kind(outputs, Later)
    return core, later


@pytest.mark.parametrize("cancel", FOR_GOOD)
def test_a_refused_cancel_is_tried_again_a_second_later_until_it_is_heard(cancel: Any) -> None:
    core, later = refused(cancel)
    assert (later.at_ns, later.background) == (4 + NANOSECONDS, True)
    cause = record_of(core).history[-2][2]
    for _ in range(3):
        outputs = core.handle(later.message, later.at_ns)
        assert cancels(outputs) == ["a"]
        assert record_of(core).history[-1] == (OrderStatus.CANCELLING, later.at_ns, cause)
        [again] = of_kind(core.handle(REFUSED, later.at_ns + 5), Later)
        assert again.at_ns == later.at_ns + 5 + NANOSECONDS
        later = again
    assert cancels(core.handle(later.message, later.at_ns)) == ["a"]
    core.handle(said(ReportKind.CANCELLED), later.at_ns)
    assert core.handle(later.message, later.at_ns + 1) == []


@pytest.mark.parametrize("cancel", FOR_GOOD)
def test_a_rebuilt_core_tries_again_too(cancel: Any) -> None:
    core, later = refused(cancel)
    again = OrderManager(context("orders"), core._requests._instruments)
    received = [asked(), SEEN, cancel, REFUSED]
    again.recover([("received", each) for each in received])
    outputs = core.handle(later.message, later.at_ns)
    assert again.handle(later.message, later.at_ns) == outputs
    assert cancels(outputs) == ["a"]
    assert again.handle(REFUSED, later.at_ns + 1) == core.handle(REFUSED, later.at_ns + 1)


@pytest.mark.parametrize(
    "cancel",
    [CancelOrder(client_order_id="a", strategy="strategy"), CancelOrders(strategy="strategy")],
)
def test_what_a_strategy_could_not_cancel_is_left_to_it(cancel: Any) -> None:
    core = manager(asked(), SEEN, cancel)
    assert of_kind(core.handle(REFUSED, 4), Later) == []


def test_an_order_that_has_filled_meanwhile_is_left_alone() -> None:
    core, later = refused(FOR_GOOD[0])
    core.handle(traded(10), 5)
    assert core.handle(later.message, later.at_ns) == []


def test_a_cancel_that_is_under_way_again_is_not_asked_twice() -> None:
    core, later = refused(FOR_GOOD[0])
    assert cancels(core.handle(FOR_GOOD[1], 5)) == ["a"]
    assert core.handle(later.message, later.at_ns) == []


def test_an_order_that_fills_while_the_refusal_is_on_its_way_sets_no_timer() -> None:
    core = manager(asked(), SEEN, FOR_GOOD[0], traded(10))
    assert core.handle(REFUSED, 4) == []


def test_an_order_that_is_too_old_is_cancelled_again() -> None:
    core = manager(config=OrderManagerConfig(max_order_age_hours=1))
    [ageing] = of_kind(core.handle(asked(), 1), Later)
    core.handle(SEEN, 2)
    assert cancels(core.handle(ageing.message, ageing.at_ns)) == ["a"]
    [later] = of_kind(core.handle(REFUSED, ageing.at_ns + 1), Later)
    assert cancels(core.handle(later.message, later.at_ns)) == ["a"]


def test_alternatives_are_cancelled_again_each() -> None:
    core = manager(asked(group="g"), asked(10, 99, name="b", group="g"))
    for name in "ab":
        core.handle(said(ReportKind.ACCEPTED, name), 2)
    assert cancels(core.handle(FOR_GOOD[1], 3)) == ["a", "b"]
    timers = [
        of_kind(core.handle(said(ReportKind.CANCEL_REJECTED, name), 4), Later) for name in "ab"
    ]
    asks = [cancels(core.handle(timer.message, timer.at_ns)) for [timer] in timers]
    assert asks == [["a"], ["b"]]


def test_the_parts_of_a_schedule_are_cancelled_again_and_no_more_are_sent() -> None:
    core = manager(asked(9, schedule=TWAP), said(ReportKind.ACCEPTED, "a/1"), FOR_GOOD[0])
    outputs = core.handle(said(ReportKind.CANCEL_REJECTED, "a/1", OUT), 4)
    assert updates(outputs) == [("a", OrderStatus.WORKING)]
    [later] = of_kind(outputs, Later)
    assert cancels(core.handle(later.message, later.at_ns)) == ["a/1"]
    outputs = core.handle(said(ReportKind.CANCELLED, "a/1"), later.at_ns + 1)
    assert updates(outputs) == [("a", OrderStatus.CANCELLED)]


RING = """\
mode: simulate
close_out: false
feeds: [{name: market, type: synthetic, assets: [ACME], duration: 10s, interval: 100ms}]
strategies:
  - {name: one, type: "tests.ring.traders:Patient", supervision: {intensity: 0}}
supervision: {intensity: 10, backoff: {base: 0ms}}
broker:
  type: simulated
  regimes: {schedule: [{kind: outage, from: "2026-01-01T00:00:01Z", to: "2026-01-01T00:00:04Z"}]}
"""


def stopped(folder: Path, crashes_at: int = 0) -> Ran:
    """Run; a strategy is stopped, for a mistake, while the venue is out."""

    def change(plan: Blueprint) -> Blueprint:
        plan = trapped(plan, "one", Trap(20))
        return trapped(plan, "orders", Trap(crashes_at)) if crashes_at else plan

    return run(config(RING), folder, change=change)


def test_orders_of_a_stopped_strategy_end_when_the_venue_is_back(tmp_path: Path) -> None:
    ran = stopped(tmp_path)
    [stop] = ran.of(CancelStrategy)
    assert stop.strategy == "one"
    refused = [each for each in ran.of(ExecutionReport) if each.reason == OUT]
    assert {each.kind for each in refused} == {ReportKind.CANCEL_REJECTED}
    assert len(refused) >= 4
    back_ns = ran.system.started_ns + 4 * NANOSECONDS
    ends = [record.history[-1] for record in ran.system.cores["orders"].orders()]
    assert ends
    for status, time_ns, _ in ends:
        assert status is OrderStatus.CANCELLED
        assert back_ns <= time_ns <= back_ns + NANOSECONDS


@pytest.mark.parametrize("at", [5, 6, 8, 11])
def test_even_if_the_order_manager_crashes_meanwhile(at: int, tmp_path: Path) -> None:
    whole, crashed = stopped(tmp_path), stopped(tmp_path, at)
    assert crashed.messages == whole.messages
    restarts = [row.event for row in crashed.result.system if isinstance(row.event, ActorRestarted)]
    assert [each.actor for each in restarts] == ["orders"]
