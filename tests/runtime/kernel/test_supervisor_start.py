"""The supervisor on trio: children that take too long to start."""

import pytest
import trio
from trio.testing import MockClock

from actors.errors import IntensityExceeded
from actors.messages.system import ActorFailed, ActorGaveUp
from runtime.kernel.restarts import Restart
from runtime.kernel.supervisor import State
from tests.runtime.kernel.workers import (
    Worker,
    World,
    crash,
    running,
    spec,
    started,
    states,
    stopped,
)


class Sluggish(Worker):
    """Takes a while to start, the first times."""

    def __init__(self, name: str, world: World, *takes_s: float) -> None:
        super().__init__(name, world.log)
        self.takes_s = list(takes_s)
        self.trouble: Exception | None = None

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        try:
            await trio.sleep(self.takes_s.pop(0) if self.takes_s else 0)
        except trio.Cancelled:
            if self.trouble is not None:
                raise self.trouble from None
            raise
        await super().run(task_status=task_status)


async def test_a_child_that_is_not_ready_in_time_has_failed_and_is_started_again(
    world: World, autojump_clock: MockClock
) -> None:
    a, b = Sluggish("a", world, 31, 29), Worker("b", world.log)
    async with running(world.supervisor("top", [spec(a, start_s=30), b])):
        assert trio.current_time() == pytest.approx(59)
        assert world.log == started("a", "b")
        (failed,) = world.said(ActorFailed)
        assert failed.actor == "a"
        assert failed.failure.kind == "StartTimeout"
        assert failed.failure.text == "was not ready within 30 s and was cancelled"


async def test_a_child_that_never_starts_spends_the_budget(
    world: World, autojump_clock: MockClock
) -> None:
    a = Sluggish("a", world, 9, 9, 9)
    with pytest.RaisesGroup(IntensityExceeded):
        async with running(world.supervisor("top", [spec(a, start_s=2.5)], intensity=2)):
            raise AssertionError("nothing has started")
    assert trio.current_time() == pytest.approx(7.5)
    assert len(world.said(ActorFailed)) == 3
    assert world.said(ActorGaveUp)[0].reason == (
        "more restarts than 2 within 5 s; "
        "StartTimeout: was not ready within 2.5 s and was cancelled"
    )


async def test_one_that_hangs_does_not_hold_back_those_after_it_for_ever(
    world: World, autojump_clock: MockClock
) -> None:
    a, b = Sluggish("a", world, 1_000), Worker("b", world.log)
    supervisor = world.supervisor("top", [spec(a, Restart.TEMPORARY, start_s=30), b])
    async with running(supervisor):
        assert states(supervisor) == {"a": State.GAVE_UP, "b": State.RUNNING}
        assert trio.current_time() == pytest.approx(30)


async def test_once_it_is_ready_it_may_take_its_time(
    world: World, autojump_clock: MockClock
) -> None:
    a = Sluggish("a", world, 1)
    supervisor = world.supervisor("top", [spec(a, start_s=2)])
    async with running(supervisor):
        await trio.sleep(100)
        assert states(supervisor) == {"a": State.RUNNING}
    assert world.reports == []
    assert world.log == [*started("a"), *stopped("a")]


async def test_what_goes_wrong_when_a_late_one_is_cancelled_is_what_is_told(
    world: World, autojump_clock: MockClock
) -> None:
    a = Sluggish("a", world, 9)
    a.trouble = OSError("the port is in use")
    async with running(world.supervisor("top", [spec(a, start_s=1)])):
        pass
    assert [failed.failure.kind for failed in world.said(ActorFailed)] == ["OSError"]


async def test_one_that_is_stopped_while_it_starts_has_the_time_that_stopping_has(
    world: World, autojump_clock: MockClock
) -> None:
    a, b = Worker("a", world.log), Sluggish("b", world, 0, 20)
    supervisor = world.supervisor("top", [a, spec(b, start_s=1, shutdown_s=30)])
    async with running(supervisor):
        await crash(b)
        supervisor.request_stop()
    kinds = [failed.failure.kind for failed in world.said(ActorFailed)]
    assert kinds == ["ValueError", "ShutdownTimeout"]
    assert world.log.count(("start", "b")) == 2  # after 20 s: it was asked too early to hear it
    assert trio.current_time() == pytest.approx(30)


@pytest.mark.parametrize("start_s", [0, -1, float("nan")])
def test_a_start_takes_some_time(world: World, start_s: float) -> None:
    with pytest.raises(ValueError, match="a: start_s must be more than 0, or None"):
        spec(world.workers("a")[0], start_s=start_s)
