"""The supervisor on trio: how long it waits before it restarts."""

import trio
from trio.testing import MockClock

from actors.messages.system import ActorRestarted
from runtime.kernel.clock import LiveClock, VirtualClock
from runtime.kernel.incarnation import Child
from runtime.kernel.restarts import (
    Backoff,
    Scope,
)
from runtime.kernel.supervisor import (
    ChildSpec,
    State,
)
from tests.runtime.kernel.workers import (
    World,
    crash,
    running,
    spec,
    started,
    states,
    stopped,
)

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
