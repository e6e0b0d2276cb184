"""The supervisor on trio: what it launches, stops and restarts, and in which order."""

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.errors import IntensityExceeded
from actors.messages.system import ActorFailed, ActorGaveUp, ActorRestarted
from runtime.kernel.incarnation import Incarnation
from runtime.kernel.restarts import (
    Restart,
    Scope,
)
from runtime.kernel.supervisor import (
    State,
)
from tests.runtime.kernel.workers import (
    Worker,
    World,
    crash,
    finish,
    running,
    spec,
    started,
    states,
    stopped,
)

# Start and stop


async def test_children_start_in_order_and_stop_in_reversed_order(world: World) -> None:
    async with running(world.supervisor("top", world.workers("abc"))):
        assert world.log == started("a", "b", "c")
        world.log.clear()
    assert world.log == stopped("c", "b", "a")
    assert world.reports == []


async def test_a_child_starts_only_when_the_one_before_it_is_ready(world: World) -> None:
    a, b = world.workers("ab")
    a.may_start = trio.Event()
    supervisor = world.supervisor("top", [a, b])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(supervisor.run)
        await wait_all_tasks_blocked()
        assert world.log == []
        assert states(supervisor) == {"a": State.STARTING, "b": State.STARTING}
        a.may_start.set()
        await wait_all_tasks_blocked()
        assert world.log == started("a", "b")
        assert states(supervisor) == {"a": State.RUNNING, "b": State.RUNNING}
        supervisor.request_stop()
    assert states(supervisor) == {"a": State.STOPPED, "b": State.STOPPED}


async def test_a_child_is_stopped_only_when_the_one_after_it_has_ended(world: World) -> None:
    a, b = world.workers("ab")
    b.obeys = False
    supervisor = world.supervisor("top", [a, spec(b, shutdown_s=None)])
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        supervisor.request_stop()
        await wait_all_tasks_blocked()
        assert world.log[2:] == stopped("b")
        assert states(supervisor) == {"a": State.RUNNING, "b": State.STOPPING}
        b.finish()
    assert world.log[2:] == stopped("b", "a")


async def test_who_does_not_stop_in_time_is_cancelled_and_reported(
    world: World, autojump_clock: MockClock
) -> None:
    (a,) = world.workers("a")
    a.obeys = False
    async with running(world.supervisor("top", [a])):
        began = trio.current_time()
    assert trio.current_time() - began == pytest.approx(5.0)
    assert world.log == [("start", "a"), ("stop", "a"), ("cancelled", "a")]
    (failed,) = world.said(ActorFailed)
    assert failed.failure.kind == "ShutdownTimeout"
    assert failed.failure.text == "did not stop within 5 s and was cancelled"


async def test_no_time_to_stop_means_cancelled_without_being_asked(world: World) -> None:
    (a,) = world.workers("a")
    async with running(world.supervisor("top", [spec(a, shutdown_s=0)])):
        pass
    assert world.log == [("start", "a"), ("cancelled", "a")]
    assert world.reports == []


async def test_no_limit_waits_for_ever(world: World, autojump_clock: MockClock) -> None:
    (a,) = world.workers("a")
    a.obeys = False
    supervisor = world.supervisor("top", [spec(a, shutdown_s=None)])
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        supervisor.request_stop()
        await trio.sleep(80_000)
        assert states(supervisor) == {"a": State.STOPPING}
        a.finish()
    assert world.log == [("start", "a"), ("stop", "a")]


async def test_a_child_that_cannot_be_asked_to_stop_is_cancelled(world: World) -> None:
    def break_down() -> None:
        raise RuntimeError("no ears")

    a, b = world.workers("ab")
    b.on_stop = break_down
    async with running(world.supervisor("top", [a, b])):
        world.log.clear()
    assert world.log == [("stop", "b"), ("cancelled", "b"), ("stop", "a")]
    assert [failed.failure.text for failed in world.said(ActorFailed)] == ["no ears"]


async def test_a_failure_while_stopping_is_reported_but_restarts_nothing(world: World) -> None:
    (a,) = world.workers("a")
    a.on_stop = a.crash
    supervisor = world.supervisor("top", [a])
    async with running(supervisor):
        pass
    assert [failed.failure.text for failed in world.said(ActorFailed)] == ["a crashed"]
    assert world.said(ActorRestarted) == []
    assert states(supervisor) == {"a": State.STOPPED}


async def test_a_stop_while_children_start_stops_those_that_run(world: World) -> None:
    a, b, c = world.workers("abc")
    b.may_start = trio.Event()
    supervisor = world.supervisor("top", [a, spec(b, shutdown_s=0), c])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(supervisor.run)
        await wait_all_tasks_blocked()
        supervisor.request_stop()
    assert world.log == [("start", "a"), ("stop", "a")]


async def test_a_stop_before_the_run_lets_nobody_start_and_holds_only_once(world: World) -> None:
    supervisor = world.supervisor("top", world.workers("a"))
    supervisor.request_stop()
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
    assert world.log == []
    async with running(supervisor):
        assert world.log == started("a")


async def test_a_supervisor_without_children_runs_until_it_is_stopped(world: World) -> None:
    supervisor = world.supervisor("top", [])
    async with running(supervisor):
        assert supervisor.children_states() == []
    assert world.reports == []


async def test_who_is_stopped_before_its_task_begins_never_runs(world: World) -> None:
    (a,) = world.workers("a")
    life = Incarnation(a, lambda _life, _progress: None, start_s=None, shutdown_s=None)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(life.stop)
        await wait_all_tasks_blocked()
        nursery.start_soon(life.run)
    assert world.log == []


# Restarts


async def test_a_crash_restarts_one_child_and_leaves_its_siblings_alone(world: World) -> None:
    a, b, c = world.workers("abc")
    supervisor = world.supervisor("top", [a, b, c])
    async with running(supervisor):
        world.log.clear()
        await crash(b)
        assert world.log == started("b")
        assert [child.restarts for child in supervisor.children_states()] == [0, 1, 0]
        assert set(states(supervisor).values()) == {State.RUNNING}
    (failed, restarted) = world.reports
    assert isinstance(failed, ActorFailed)
    assert (failed.actor, failed.failure.text, failed.message_sequence) == ("b", "b crashed", 0)
    assert restarted == ActorRestarted(actor="b", incarnation=1, delay_ns=0)


async def test_one_for_all_stops_and_restarts_everybody(world: World) -> None:
    a, b, c = world.workers("abc")
    async with running(world.supervisor("top", [a, b, c], scope=Scope.ONE_FOR_ALL)):
        world.log.clear()
        await crash(b)
        assert world.log == stopped("c", "a") + started("a", "b", "c")


async def test_rest_for_one_stops_and_restarts_the_later_ones(world: World) -> None:
    a, b, c, d = world.workers("abcd")
    async with running(world.supervisor("top", [a, b, c, d], scope=Scope.REST_FOR_ONE)):
        world.log.clear()
        await crash(b)
        assert world.log == stopped("d", "c") + started("b", "c", "d")


async def test_a_permanent_child_that_returns_is_restarted(world: World) -> None:
    (a,) = world.workers("a")
    async with running(world.supervisor("top", [a])):
        await finish(a)
        assert world.log == started("a", "a")
    assert world.said(ActorFailed) == []


async def test_a_transient_child_that_returns_stays_down(world: World) -> None:
    (a,) = world.workers("a")
    supervisor = world.supervisor("top", [spec(a, Restart.TRANSIENT)])
    async with running(supervisor):
        await finish(a)
        assert states(supervisor) == {"a": State.STOPPED}
    assert world.reports == []


async def test_a_temporary_child_that_fails_gives_up_and_the_rest_goes_on(world: World) -> None:
    a, b = world.workers("ab")
    supervisor = world.supervisor("top", [spec(a, Restart.TEMPORARY), b])
    async with running(supervisor):
        await crash(a)
        assert states(supervisor) == {"a": State.GAVE_UP, "b": State.RUNNING}
    (gave_up,) = world.said(ActorGaveUp)
    assert gave_up.actor == "a"
    assert gave_up.reason == "temporary, so it is not restarted; ValueError: a crashed"


async def test_siblings_that_crash_in_the_same_instant_cost_one_restart(world: World) -> None:
    a, b, c = world.workers("abc")
    supervisor = world.supervisor("top", [a, b, c], scope=Scope.ONE_FOR_ALL, intensity=1)
    async with running(supervisor):
        for worker in (a, b, c):
            worker.crash()
        await wait_all_tasks_blocked()
        assert world.log == started("a", "b", "c", "a", "b", "c")  # nobody had to be stopped
        assert sorted(failed.actor for failed in world.said(ActorFailed)) == ["a", "b", "c"]
        assert [child.restarts for child in supervisor.children_states()] == [1, 1, 1]


async def test_a_crash_while_siblings_are_being_stopped_is_not_lost(world: World) -> None:
    a, b, c = world.workers("abc")
    c.obeys = False
    supervisor = world.supervisor("top", [a, b, spec(c, shutdown_s=None)], scope=Scope.REST_FOR_ONE)
    async with running(supervisor):
        await crash(b)
        await crash(a)
        world.log.clear()
        c.obeys = True
        await finish(c)
        assert world.log == started("a", "b", "c")
        assert states(supervisor) == dict.fromkeys("abc", State.RUNNING)


async def test_a_child_that_says_started_twice_has_failed(world: World) -> None:
    class Eager(Worker):
        async def run(
            self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
        ) -> None:
            task_status.started()
            await super().run(task_status=task_status)

    async with running(world.supervisor("top", [spec(Eager("a", []), Restart.TEMPORARY)])):
        await wait_all_tasks_blocked()
    (failed,) = world.said(ActorFailed)
    assert failed.failure.text == "a called started() twice in one incarnation"


async def test_a_child_may_tell_on_which_message_it_failed(world: World) -> None:
    class Careful(Worker):
        failed_sequence = 42

    a = Careful("a", world.log)
    async with running(world.supervisor("top", [a])):
        await crash(a)
    assert [failed.message_sequence for failed in world.said(ActorFailed)] == [42]


# Failing starts


async def test_failing_starts_are_tried_again_within_the_budget(world: World) -> None:
    a, b = world.workers("ab")
    a.failing_starts = 2
    async with running(world.supervisor("top", [a, b], intensity=2)):
        assert world.log == [("fail", "a"), ("fail", "a"), *started("a", "b")]


async def test_failing_starts_spend_the_budget(world: World) -> None:
    a, b = world.workers("ab")
    b.failing_starts = 10
    with pytest.raises(
        IntensityExceeded, match="top gave up on b: more restarts than 2 within 5 s"
    ):
        await world.supervisor("top", [a, b], intensity=2).run()
    assert world.log == [*started("a"), *[("fail", "b")] * 3, *stopped("a")]


async def test_a_stop_gets_in_between_attempts_to_start(world: World) -> None:
    (a,) = world.workers("a")
    a.failing_starts = 1_000_000
    supervisor = world.supervisor("top", [a], intensity=1_000_000)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(supervisor.run)
        while len(world.log) < 10:
            await trio.lowlevel.checkpoint()
        supervisor.request_stop()
    assert len(world.log) < 20


async def test_a_sibling_can_be_restarted_while_another_starts_slowly(world: World) -> None:
    a, b = world.workers("ab")
    async with running(world.supervisor("top", [a, b])):
        a.may_start = trio.Event()
        await crash(a)
        await crash(b)
        assert world.log == started("a", "b", "b")
        a.may_start.set()
        await wait_all_tasks_blocked()
        assert world.log == started("a", "b", "b", "a")
