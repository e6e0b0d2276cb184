"""Time: timers, the virtual clock, and the live one under trio's mock clock."""

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

from runtime.kernel.clock import LiveClock, Timers, VirtualClock, wall_time_ns

YEAR_NS = 365 * 86_400 * 1_000_000_000


def popped(timers: Timers) -> list[tuple[int, str]]:
    return [timers.pop() for _ in range(len(timers))]


# Timers


def test_timers_go_off_by_time_and_then_in_the_order_in_which_they_were_set() -> None:
    timers = Timers()
    for at_ns, what in [(5, "a"), (3, "b"), (5, "c"), (3, "d")]:
        timers.set(at_ns, what)
    assert timers.next_ns() == 3
    assert popped(timers) == [(3, "b"), (3, "d"), (5, "a"), (5, "c")]
    assert timers.next_ns() is None


def test_what_is_set_first_goes_off_before_all_others_of_its_instant_by_turn() -> None:
    timers = Timers()
    timers.set(5, "ordinary")
    timers.set_first(5, 1, "second feed")
    timers.set_first(5, 0, "first feed")
    timers.set(4, "earlier")
    assert [what for _, what in popped(timers)] == [
        "earlier",
        "first feed",
        "second feed",
        "ordinary",
    ]


def test_things_that_cannot_be_compared_may_be_due_at_the_same_time() -> None:
    timers = Timers()
    timers.set(1, {"a": 1})
    timers.set(1, object())
    assert timers.pop()[1] == {"a": 1}


@given(st.lists(st.integers(0, 5)))
def test_timers_are_a_stable_sort(times: list[int]) -> None:
    timers = Timers()
    for number, at_ns in enumerate(times):
        timers.set(at_ns, str(number))
    expected = sorted(enumerate(times), key=lambda pair: pair[1])
    assert popped(timers) == [(at_ns, str(number)) for number, at_ns in expected]


# The virtual clock


def test_virtual_time_moves_only_forward() -> None:
    clock = VirtualClock(10)
    clock.advance(10)
    clock.advance(12)
    assert clock.now_ns() == 12
    with pytest.raises(AssertionError, match="time would go back: 12 to 11"):
        clock.advance(11)


def test_virtual_time_begins_at_the_earliest_of_the_times_given() -> None:
    clock = VirtualClock()
    clock.begin_at(50)
    assert clock.now_ns() == 50
    clock.begin_at(70)
    assert clock.now_ns() == 50
    clock.begin_at(20)
    assert clock.now_ns() == 20


def test_virtual_time_does_not_begin_anew_once_it_has_moved() -> None:
    clock = VirtualClock()
    clock.advance(30)
    clock.begin_at(20)
    assert clock.now_ns() == 30


async def test_a_sleeper_wakes_up_when_its_timer_is_set_off_and_is_counted_until_then() -> None:
    clock = VirtualClock()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(clock.sleep_until_ns, 7)
        await wait_all_tasks_blocked()
        assert (clock.sleepers, clock.timers.next_ns()) == (1, 7)
        at_ns, woken = clock.timers.pop()
        clock.advance(at_ns)
        woken.set()
    assert clock.sleepers == 0


async def test_a_sleeper_that_is_cancelled_is_counted_no_more() -> None:
    clock = VirtualClock()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(clock.sleep_until_ns, 7)
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert clock.sleepers == 0


async def test_the_sleeper_whose_time_comes_first_can_be_woken_without_moving_time() -> None:
    clock = VirtualClock()
    woken: list[int] = []

    async def sleep(at_ns: int) -> None:
        await clock.sleep_until_ns(at_ns)
        woken.append(at_ns)

    async with trio.open_nursery() as nursery:
        for at_ns in (7, 5, 9):
            nursery.start_soon(sleep, at_ns)
        await wait_all_tasks_blocked()
        for _ in range(3):
            clock.wake_next()
            await wait_all_tasks_blocked()
    assert (woken, clock.now_ns(), clock.sleepers) == ([5, 7, 9], 0, 0)


async def test_nobody_sleeps_until_a_time_that_has_passed() -> None:
    clock = VirtualClock(5)
    await clock.sleep_until_ns(5)
    assert len(clock.timers) == 0
    with trio.CancelScope() as scope:
        scope.cancel()
        await clock.sleep_until_ns(4)
    assert scope.cancelled_caught


# The live clock


async def test_the_live_clock_goes_by_trios_clock(autojump_clock: MockClock) -> None:
    clock = LiveClock(epoch_ns=1_000)
    assert clock.now_ns() == 1_000
    await trio.sleep(2.5)
    assert clock.now_ns() == 1_000 + 2_500_000_000
    autojump_clock.jump(1)
    assert clock.now_ns() == 1_000 + 3_500_000_000


async def test_the_live_clock_begins_with_the_machines_time(autojump_clock: MockClock) -> None:
    before_ns = wall_time_ns()
    now_ns = LiveClock().now_ns()
    assert before_ns <= now_ns <= wall_time_ns()


async def test_sleeping_until_a_past_time_takes_no_time(autojump_clock: MockClock) -> None:
    clock = LiveClock(epoch_ns=1_000)
    await clock.sleep_until_ns(10)
    assert clock.now_ns() == 1_000


@given(
    epoch_ns=st.integers(0, 60 * YEAR_NS),
    delay_ns=st.integers(1, 20 * YEAR_NS),
    seconds=st.floats(0, 1e6),
)
def test_who_slept_until_a_time_finds_that_it_has_come(
    epoch_ns: int, delay_ns: int, seconds: float
) -> None:
    async def main() -> int:
        trio_clock.jump(seconds)
        clock = LiveClock(epoch_ns)
        await clock.sleep_until_ns(epoch_ns + delay_ns)
        return clock.now_ns() - (epoch_ns + delay_ns)

    trio_clock = MockClock(autojump_threshold=0)
    late_ns = trio.run(main, clock=trio_clock)
    assert 0 <= late_ns < 1_000
