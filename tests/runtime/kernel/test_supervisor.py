"""The supervisor on trio: what it launches, stops, restarts and reports, and in which order."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from random import Random  # noqa: TID251 - seeded, in a test
from typing import Any

import attrs
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.errors import IntensityExceeded
from actors.messages.system import ActorFailed, ActorGaveUp, ActorRestarted, FailureReport
from runtime.kernel.clock import LiveClock, VirtualClock
from runtime.kernel.incarnation import Child, Incarnation
from runtime.kernel.restarts import (
    AutoShutdown,
    Backoff,
    ChildPolicy,
    Restart,
    Scope,
    SupervisorPolicy,
)
from runtime.kernel.supervisor import (
    ChildSpec,
    ChildState,
    State,
    Supervisor,
    SupervisorReport,
    SupervisorServices,
)
from tests.runtime.kernel.otp_model import Ending, Log, OtpModel, Spec

PERIOD_NS = 5


class Worker:
    """A child that does as it is told: it starts, waits, and ends in the way the test asks for."""

    def __init__(self, name: str, log: Log, *, failing_starts: int = 0) -> None:
        self.name = name
        self.failing_starts = failing_starts
        self.may_start = trio.Event()
        self.may_start.set()
        self.obeys = True
        self.on_stop: Callable[[], None] = lambda: None
        self._log = log
        self._end = trio.Event()
        self._error: BaseException | None = None

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        self._end = trio.Event()
        self._error = None
        if self.failing_starts:
            self.failing_starts -= 1
            self._log.append(("fail", self.name))
            raise ConnectionError(f"{self.name} cannot start")
        await self.may_start.wait()
        self._log.append(("start", self.name))
        task_status.started()
        try:
            await self._end.wait()
        except trio.Cancelled:
            self._log.append(("cancelled", self.name))
            raise
        if self._error is not None:
            raise self._error

    def request_stop(self) -> None:
        self._log.append(("stop", self.name))
        self.on_stop()
        if self.obeys:
            self._end.set()

    def crash(self, error: BaseException | None = None) -> None:
        self._error = error or ValueError(f"{self.name} crashed")
        self._end.set()

    def finish(self) -> None:
        self._end.set()


def started(*names: str) -> Log:
    return [("start", name) for name in names]


def stopped(*names: str) -> Log:
    return [("stop", name) for name in names]


@attrs.define
class World:
    """A run's clock, its log of starts and stops, and all that its supervisors report."""

    clock: Any = attrs.Factory(VirtualClock)
    log: Log = attrs.Factory(list)
    reports: list[SupervisorReport] = attrs.Factory(list)
    seed: int = 1

    def workers(self, names: str) -> list[Worker]:
        return [Worker(name, self.log) for name in names]

    def supervisor(
        self, name: str, children: Iterable[Child | ChildSpec], **policy: Any
    ) -> Supervisor:
        policy.setdefault("intensity", 3)
        services = SupervisorServices(
            clock=self.clock, random=Random(self.seed), report=self.reports.append
        )
        specs = [each if isinstance(each, ChildSpec) else spec(each) for each in children]
        return Supervisor(name, SupervisorPolicy(**policy), specs, services)

    async def advance(self, to_ns: int) -> None:
        """Move virtual time on, waking whoever sleeps till then, and let everybody settle."""
        while (next_ns := self.clock.timers.next_ns()) is not None and next_ns <= to_ns:
            at_ns, woken = self.clock.timers.pop()
            self.clock.advance(max(at_ns, self.clock.now_ns()))
            woken.set()
            await wait_all_tasks_blocked()
        self.clock.advance(to_ns)
        await wait_all_tasks_blocked()

    def said(self, kind: type) -> list[Any]:
        return [report for report in self.reports if isinstance(report, kind)]


@pytest.fixture
def world() -> World:
    return World()


def spec(child: Child, restart: Restart = Restart.PERMANENT, **options: Any) -> ChildSpec:
    limits = {"shutdown_s": options.pop("shutdown_s")} if "shutdown_s" in options else {}
    policy = ChildPolicy(name=child.name, restart=restart, **options)
    return ChildSpec(child=child, policy=policy, **limits)


@asynccontextmanager
async def running(supervisor: Supervisor) -> AsyncIterator[None]:
    """Run a supervisor around a block: all its children are up before, and stopped after it."""
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        yield
        supervisor.request_stop()


async def crash(worker: Worker, error: BaseException | None = None) -> None:
    worker.crash(error)
    await wait_all_tasks_blocked()


async def finish(worker: Worker) -> None:
    worker.finish()
    await wait_all_tasks_blocked()


def states(supervisor: Supervisor) -> dict[str, State]:
    return {child.name: child.state for child in supervisor.children_states()}


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
    life = Incarnation(a, None, lambda _life, _progress: None)
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


# Back-off


async def test_back_off_delays_grow_on_the_clock_and_reset_after_a_healthy_spell(
    world: World,
) -> None:
    (a,) = world.workers("a")
    backoff = Backoff(base_ns=100, factor=2, jitter=0, healthy_ns=1_000)
    supervisor = world.supervisor("top", [spec(a, backoff=backoff)], intensity=9)
    async with running(supervisor):
        for delay_ns in (100, 200, 400):
            await crash(a)
            assert states(supervisor) == {"a": State.BACKING_OFF}
            due_ns = world.clock.now_ns() + delay_ns
            await world.advance(due_ns - 1)
            assert states(supervisor) == {"a": State.BACKING_OFF}
            await world.advance(due_ns)
            assert states(supervisor) == {"a": State.RUNNING}
        await world.advance(world.clock.now_ns() + 1_000)
        await crash(a)
        await world.advance(world.clock.now_ns() + 100)
    delays = [restarted.delay_ns for restarted in world.said(ActorRestarted)]
    assert delays == [100, 200, 400, 100]


async def test_a_back_off_holds_the_whole_group_and_keeps_its_order(world: World) -> None:
    a, b, c = world.workers("abc")
    children: list[Child | ChildSpec] = [a, spec(b, backoff=Backoff(base_ns=100, jitter=0)), c]
    supervisor = world.supervisor("top", children, scope=Scope.REST_FOR_ONE)
    async with running(supervisor):
        world.log.clear()
        await crash(b)
        assert world.log == stopped("c")
        assert states(supervisor) == {
            "a": State.RUNNING,
            "b": State.BACKING_OFF,
            "c": State.BACKING_OFF,
        }
        await world.advance(100)
        assert world.log == stopped("c") + started("b", "c")


async def test_a_stop_ends_a_back_off_at_once(world: World) -> None:
    a, b = world.workers("ab")
    supervisor = world.supervisor("top", [a, spec(b, backoff=Backoff(base_ns=10**9))])
    async with running(supervisor):
        await crash(b)
        assert states(supervisor) == {"a": State.RUNNING, "b": State.BACKING_OFF}
    assert world.clock.now_ns() == 0
    assert world.log == started("a", "b") + stopped("a")
    assert states(supervisor) == {"a": State.STOPPED, "b": State.STOPPED}


async def test_back_offs_of_independent_children_end_each_at_its_own_time(world: World) -> None:
    a, b = world.workers("ab")
    slow, quick = (Backoff(base_ns=base_ns, jitter=0) for base_ns in (100, 50))
    async with running(world.supervisor("top", [spec(a, backoff=slow), spec(b, backoff=quick)])):
        world.log.clear()
        await crash(a)
        await crash(b)
        await world.advance(50)
        assert world.log == started("b")
        await world.advance(100)
        assert world.log == started("b", "a")


async def test_jitter_comes_from_the_seed() -> None:
    async def delays(seed: int) -> list[int]:
        world = World(seed=seed)
        (a,) = world.workers("a")
        backoff = Backoff(base_ns=10**6, jitter=0.5)
        async with running(world.supervisor("top", [spec(a, backoff=backoff)], intensity=9)):
            for _ in range(3):
                await crash(a)
                await world.advance(world.clock.now_ns() + 10**8)
        return [restarted.delay_ns for restarted in world.said(ActorRestarted)]

    assert await delays(1) == await delays(1)
    assert await delays(1) != await delays(2)


async def test_back_off_works_on_a_clock_driven_by_trio(autojump_clock: MockClock) -> None:
    world = World(clock=LiveClock(epoch_ns=1_700_000_000_000_000_000))
    (a,) = world.workers("a")
    backoff = Backoff(base_ns=3_000_000_000, jitter=0)
    async with running(world.supervisor("top", [spec(a, backoff=backoff)])):
        a.crash()
        await trio.sleep(2.9)
        assert world.log == started("a")
        await trio.sleep(0.2)
        assert world.log == started("a", "a")


async def test_a_clock_that_wakes_up_a_little_early_does_not_make_it_spin() -> None:
    class EarlyClock(VirtualClock):
        async def sleep_until_ns(self, at_ns: int) -> None:
            self.slept += 1
            await super().sleep_until_ns(at_ns - 1)

        slept = 0

    world = World(clock=EarlyClock())
    (a,) = world.workers("a")
    async with running(world.supervisor("top", [spec(a, backoff=Backoff(base_ns=9, jitter=0))])):
        await crash(a)
        await world.advance(8)
        assert world.log == started("a", "a")
        assert world.clock.slept == 1


# Giving up and escalation


async def test_a_spent_budget_stops_everybody_and_raises_what_caused_it(world: World) -> None:
    a, b, c = world.workers("abc")
    supervisor = world.supervisor("top", [a, b, c], intensity=1)
    error = KeyError("the second")
    with pytest.RaisesGroup(IntensityExceeded) as caught:
        async with running(supervisor):
            await crash(b)
            world.log.clear()
            await crash(b, error)
    assert caught.value.exceptions[0].__cause__ is error
    assert world.log == stopped("c", "a")
    (gave_up,) = world.said(ActorGaveUp)
    assert gave_up.actor == "b"
    assert gave_up.reason == "more restarts than 1 within 5 s; KeyError: 'the second'"
    assert states(supervisor) == {"a": State.STOPPED, "b": State.GAVE_UP, "c": State.STOPPED}


async def test_who_fails_while_its_supervisor_gives_up_is_only_reported(world: World) -> None:
    a, b = world.workers("ab")
    with pytest.RaisesGroup(IntensityExceeded):
        async with running(world.supervisor("top", [a, b], intensity=0)):
            a.crash()
            b.crash()
            await wait_all_tasks_blocked()
    assert sorted(failed.actor for failed in world.said(ActorFailed)) == ["a", "b"]
    assert len(world.said(ActorGaveUp)) == 1


async def test_a_child_that_gave_up_and_runs_again_has_not_given_up(world: World) -> None:
    (a,) = world.workers("a")
    inner = world.supervisor("inner", [a], intensity=0)
    async with running(world.supervisor("outer", [inner])):
        await crash(a)
        assert states(inner) == {"a": State.RUNNING}
    assert states(inner) == {"a": State.STOPPED}


async def test_a_child_that_returns_again_and_again_spends_the_budget_too(world: World) -> None:
    (a,) = world.workers("a")
    with pytest.RaisesGroup(IntensityExceeded):
        async with running(world.supervisor("top", [a], intensity=0)):
            await finish(a)
    assert world.said(ActorGaveUp)[0].reason == "more restarts than 0 within 5 s; it had returned"


async def test_an_inner_supervisor_that_gives_up_is_restarted_by_the_outer_one(
    world: World,
) -> None:
    a, b, c = world.workers("abc")
    inner = world.supervisor("inner", [a, b], intensity=0)
    outer = world.supervisor("outer", [inner, c])
    async with running(outer):
        world.log.clear()
        await crash(a)
        assert world.log == stopped("b") + started("a", "b")
        failed_actors = [failed.actor for failed in world.said(ActorFailed)]
        assert failed_actors == ["a", "inner"]
        assert world.said(ActorFailed)[1].failure.kind == "IntensityExceeded"
        restarted = [(said.actor, said.incarnation) for said in world.said(ActorRestarted)]
        assert restarted == [("a", 1), ("b", 1), ("inner", 1)]
        await crash(a)  # with a budget of its own again
        assert states(outer) == {"inner": State.RUNNING, "c": State.RUNNING}


async def test_failure_escalates_through_two_levels(world: World) -> None:
    a, b, c = world.workers("abc")
    inner = world.supervisor("inner", [a], intensity=0)
    middle = world.supervisor("middle", [inner, b], intensity=0)
    outer = world.supervisor("outer", [middle, c], intensity=0)
    error = ValueError("the root of it")
    with pytest.RaisesGroup(IntensityExceeded) as caught:
        async with running(outer):
            world.log.clear()
            await crash(a, error)
    assert world.log == stopped("b", "c")
    assert [said.actor for said in world.said(ActorGaveUp)] == ["a", "inner", "middle"]
    cause: BaseException | None = caught.value.exceptions[0]
    chain = []
    while cause is not None:
        chain.append(cause)
        cause = cause.__cause__
    assert [type(each) for each in chain[:-1]] == [IntensityExceeded] * 3
    assert chain[-1] is error


async def test_a_temporary_inner_supervisor_takes_nobody_else_along(world: World) -> None:
    a, b = world.workers("ab")
    inner = world.supervisor("inner", [a], intensity=0)
    outer = world.supervisor("outer", [spec(inner, Restart.TEMPORARY), b])
    async with running(outer):
        await crash(a)
        assert states(outer) == {"inner": State.GAVE_UP, "b": State.RUNNING}
        assert states(inner) == {"a": State.GAVE_UP}


async def test_an_inner_supervisor_gets_all_the_time_it_needs_to_stop(
    world: World, autojump_clock: MockClock
) -> None:
    a, b = world.workers("ab")
    b.obeys = False
    inner = world.supervisor("inner", [a, spec(b, shutdown_s=1_000)])
    async with running(world.supervisor("outer", [inner])):
        world.log.clear()
    assert world.log == [("stop", "b"), ("cancelled", "b"), ("stop", "a")]


async def test_significant_children_end_their_supervisor_normally(world: World) -> None:
    a, b, c = world.workers("abc")
    children: list[Child | ChildSpec] = [a, spec(b, Restart.TRANSIENT, significant=True), c]
    policy = {"auto_shutdown": AutoShutdown.ANY_SIGNIFICANT}
    inner = world.supervisor("inner", children, **policy)
    outer = world.supervisor("outer", [spec(inner, Restart.TRANSIENT)])
    async with running(outer):
        world.log.clear()
        await finish(b)
        assert world.log == stopped("c", "a")
        assert states(outer) == {"inner": State.STOPPED}
    assert world.reports == []


async def test_a_significant_temporary_child_that_fails_ends_its_supervisor(world: World) -> None:
    a, b = world.workers("ab")
    children: list[Child | ChildSpec] = [a, spec(b, Restart.TEMPORARY, significant=True)]
    supervisor = world.supervisor("top", children, auto_shutdown=AutoShutdown.ALL_SIGNIFICANT)
    async with running(supervisor):
        await crash(b)
        assert states(supervisor) == {"a": State.STOPPED, "b": State.GAVE_UP}
    assert [said.actor for said in world.said(ActorGaveUp)] == ["b"]


# Exceptions and cancellation


async def test_groups_are_reported_by_their_first_real_failure(world: World) -> None:
    class Grouped(Worker):
        async def run(
            self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
        ) -> None:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.sleep_forever)
                await super().run(task_status=task_status)
                nursery.cancel_scope.cancel()

    a = Grouped("a", world.log)
    async with running(world.supervisor("top", [a])):
        await crash(a, KeyError("deep"))
        assert world.log == started("a", "a")
    assert [failed.failure.kind for failed in world.said(ActorFailed)] == ["KeyError"]


async def test_cancelling_a_supervisor_cancels_its_children_and_is_no_failure(world: World) -> None:
    supervisor = world.supervisor("top", world.workers("ab"))
    with trio.CancelScope() as scope:
        async with running(supervisor):
            scope.cancel()
            await trio.sleep_forever()
    assert scope.cancelled_caught
    assert sorted(world.log[2:]) == [("cancelled", "a"), ("cancelled", "b")]
    assert world.reports == []
    assert states(supervisor) == {"a": State.STOPPED, "b": State.STOPPED}


async def test_a_failure_during_cancellation_is_reported_and_cancellation_goes_on(
    world: World,
) -> None:
    class Messy(Worker):
        async def run(
            self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
        ) -> None:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._fail_when_cancelled)
                await super().run(task_status=task_status)

        async def _fail_when_cancelled(self) -> None:
            try:
                await trio.sleep_forever()
            finally:
                raise OSError("cannot clean up")

    with trio.CancelScope() as scope:
        async with running(world.supervisor("top", [Messy("a", world.log)])):
            scope.cancel()
            await trio.sleep_forever()
    assert scope.cancelled_caught
    assert [failed.failure.text for failed in world.said(ActorFailed)] == ["cannot clean up"]


async def test_a_keyboard_interrupt_gets_out(world: World) -> None:
    a, b = world.workers("ab")
    with pytest.raises(BaseExceptionGroup) as caught:
        async with running(world.supervisor("top", [a, b])):
            await crash(a, KeyboardInterrupt())
    interrupts, others = caught.value.split(KeyboardInterrupt)
    assert interrupts is not None
    assert others is None
    assert ("cancelled", "b") in world.log


async def test_a_keyboard_interrupt_in_a_group_gets_out_and_the_failure_is_reported(
    world: World,
) -> None:
    (a,) = world.workers("a")
    group = BaseExceptionGroup("both", [KeyboardInterrupt(), ValueError("and this")])
    with pytest.raises(BaseExceptionGroup) as caught:
        async with running(world.supervisor("top", [a])):
            await crash(a, group)
    interrupts, _ = caught.value.split(KeyboardInterrupt)
    assert interrupts is not None
    assert [failed.failure.text for failed in world.said(ActorFailed)] == ["and this"]


# Introspection and refusals


async def test_the_tree_can_be_walked_in_start_order(world: World) -> None:
    a, b, c = world.workers("abc")
    inner = world.supervisor("inner", [a, b])
    outer = world.supervisor("outer", [inner, c])
    async with running(outer):
        await crash(b)
        failure = FailureReport(
            kind="ValueError", text="b crashed", where=world.said(ActorFailed)[0].failure.where
        )

        def child(name: str, **options: Any) -> ChildState:
            defaults = {"restarts": 0, "last_failure": None, "children": ()}
            return ChildState(name=name, state=State.RUNNING, **(defaults | options))

        assert outer.children_states() == [
            child("inner", children=(child("a"), child("b", restarts=1, last_failure=failure))),
            child("c"),
        ]


def test_before_its_run_a_supervisor_has_stopped_children(world: World) -> None:
    assert states(world.supervisor("top", world.workers("ab"))) == {
        "a": State.STOPPED,
        "b": State.STOPPED,
    }


def test_a_worker_gets_five_seconds_and_a_supervisor_no_limit_unless_told(world: World) -> None:
    (a,) = world.workers("a")
    assert spec(a).shutdown_s == 5.0
    assert spec(world.supervisor("inner", [])).shutdown_s is None
    assert spec(a, shutdown_s=1.5).shutdown_s == 1.5


def test_what_makes_no_sense_is_refused(world: World) -> None:
    (a,) = world.workers("a")
    with pytest.raises(ValueError, match="a: its policy is for b"):
        ChildSpec(child=a, policy=ChildPolicy(name="b"))
    with pytest.raises(ValueError, match="a: shutdown_s must be 0 or more"):
        spec(a, shutdown_s=-1)
    with pytest.raises(ValueError, match="share a name"):
        world.supervisor("top", [a, a])


# Against the model


@st.composite
def supervisors(draw: st.DrawFn, depth: int = 2, name: str = "s") -> Spec:
    auto_shutdown = draw(st.sampled_from(["never", "any_significant", "all_significant"]))
    children = []
    for index in range(draw(st.integers(1, 4 if depth == 2 else 3))):
        restart = draw(st.sampled_from(["permanent", "transient", "temporary"]))
        can_be_significant = restart != "permanent" and auto_shutdown != "never"
        is_significant = can_be_significant and draw(st.booleans())
        below = f"{name}.{index}"
        inner = draw(st.integers(0, 2)) == 0 and depth > 0
        base = draw(supervisors(depth - 1, below)) if inner else Spec(below)
        children.append(attrs.evolve(base, restart=restart, significant=is_significant))
    return Spec(
        name,
        children=tuple(children),
        scope=draw(st.sampled_from(["one_for_one", "one_for_all", "rest_for_one"])),
        intensity=draw(st.integers(0, 3)),
        period=PERIOD_NS,
        auto_shutdown=auto_shutdown,
    )


def build(world: World, workers: dict[str, Worker], wanted: Spec) -> Child:
    """Return the worker or the tree that a model's specification describes."""
    if not wanted.children:
        worker = workers[wanted.name] = Worker(wanted.name, world.log)
        return worker
    children = [
        spec(build(world, workers, each), Restart(each.restart), significant=each.significant)
        for each in wanted.children
    ]
    return world.supervisor(
        wanted.name,
        children,
        scope=Scope(wanted.scope),
        intensity=wanted.intensity,
        period_ns=wanted.period,
        auto_shutdown=AutoShutdown(wanted.auto_shutdown),
    )


Story = list[tuple[int, int, Ending]]


async def compare(tree: Spec, story: Story) -> None:
    """Let real tree and model live through one story; after each exit they have done the same."""
    world, workers = World(), dict[str, Worker]()
    top = build(world, workers, tree)
    assert isinstance(top, Supervisor)
    model = OtpModel(tree, [])
    ending: Ending | None = None
    try:
        async with trio.open_nursery() as nursery:
            await nursery.start(top.run)
            assert world.log == model.log
            for after, index, how in story:
                alive = model.workers()
                if ending is not None or not alive:
                    break
                await world.advance(world.clock.now_ns() + after)
                path = alive[index % len(alive)]
                ending = model.exit(path, how, world.clock.now_ns())
                worker = workers[path[-1]]
                await (crash(worker) if how == "failed" else finish(worker))
                assert world.log == model.log
            if ending is None:
                model.stop()
            top.request_stop()
    except* IntensityExceeded:
        assert ending == "failed"
    else:
        assert ending != "failed"
    assert world.log == model.log


@settings(deadline=None, max_examples=150)
@given(
    tree=supervisors(),
    story=st.lists(
        st.tuples(
            st.sampled_from([0, 1, PERIOD_NS, PERIOD_NS + 1, 10**6]),
            st.integers(0, 30),
            st.sampled_from(["failed", "normal"]),
        ),
        max_size=10,
    ),
)
def test_a_tree_of_supervisors_does_what_otp_does(tree: Spec, story: Story) -> None:
    trio.run(compare, tree, story)
    assert tree.children
