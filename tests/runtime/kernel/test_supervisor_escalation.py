"""The supervisor on trio: giving up, escalation, cancellation, what it shows of itself."""

from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.errors import IntensityExceeded
from actors.messages.system import ActorFailed, ActorGaveUp, ActorRestarted, FailureReport
from runtime.kernel.incarnation import Child
from runtime.kernel.restarts import (
    AutoShutdown,
    ChildPolicy,
    Restart,
)
from runtime.kernel.supervisor import (
    ChildSpec,
    ChildState,
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
