"""Pacing: rows do not come before their time, and are only held back, never changed."""

import pytest
import trio
from trio.testing import MockClock

from runtime.kernel.clock import LiveClock
from runtime.kernel.pace import Pace
from tests.runtime.kernel.fakes import SECOND

FIRST_NS = 1_700_000_000 * SECOND
TIMES = [FIRST_NS + second * SECOND for second in (0, 1, 1, 4, 10)]


async def released(pace: Pace, clock: LiveClock) -> list[tuple[float, int]]:
    """Return when how many rows had been let go."""
    position = 0
    seen: list[tuple[float, int]] = []
    while position < len(TIMES):
        position = await pace.hold_back(TIMES, position, len(TIMES))
        seen.append((clock.now_ns() / SECOND, position))
    return seen


async def test_without_a_speed_everything_goes_at_once(autojump_clock: MockClock) -> None:
    clock = LiveClock(epoch_ns=0)
    assert await released(Pace(), clock) == [(0, 5)]
    assert await released(Pace(0.0, clock), clock) == [(0, 5)]


async def test_at_speed_one_rows_come_as_they_were_recorded(autojump_clock: MockClock) -> None:
    clock = LiveClock(epoch_ns=0)
    expected = [(0, 1), (1, 3), (4, 4), (10, 5)]
    assert await released(Pace(1.0, clock), clock) == expected


async def test_at_speed_four_rows_come_four_times_as_fast(autojump_clock: MockClock) -> None:
    clock = LiveClock(epoch_ns=0)
    expected = [(0, 1), (0.25, 3), (1, 4), (2.5, 5)]
    assert await released(Pace(4.0, clock), clock) == expected


async def test_rows_that_are_overdue_go_together(autojump_clock: MockClock) -> None:
    pace = Pace(1.0, LiveClock(epoch_ns=0))
    assert await pace.hold_back(TIMES, 0, 5) == 1
    autojump_clock.jump(6)
    assert await pace.hold_back(TIMES, 1, 5) == 4


async def test_it_never_lets_go_more_than_it_was_asked_about(autojump_clock: MockClock) -> None:
    pace = Pace(1.0, LiveClock(epoch_ns=0))
    await pace.hold_back(TIMES, 0, 5)
    autojump_clock.jump(100)
    assert await pace.hold_back(TIMES, 1, 2) == 2


async def test_timers_are_held_back_too_but_not_before_the_first_row(
    autojump_clock: MockClock,
) -> None:
    clock = LiveClock(epoch_ns=0)
    pace = Pace(2.0, clock)
    await pace.hold_until(TIMES[-1])
    assert clock.now_ns() == 0
    await pace.hold_back(TIMES, 0, 5)
    await pace.hold_until(TIMES[-1])
    assert clock.now_ns() == 5 * SECOND
    await pace.hold_until(FIRST_NS - SECOND)
    assert clock.now_ns() == 5 * SECOND


async def test_a_release_ends_the_waiting_at_once_and_for_good(autojump_clock: MockClock) -> None:
    clock = LiveClock(epoch_ns=0)
    pace = Pace(1.0, clock)
    await pace.hold_back(TIMES, 0, 5)

    async def release() -> None:
        await trio.sleep(0.5)
        pace.release()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(release)
        assert await pace.hold_back(TIMES, 4, 5) == 5
        assert await pace.hold_back(TIMES, 1, 5) == 5
        await pace.hold_until(TIMES[-1])
    assert clock.now_ns() == 0.5 * SECOND


async def test_whoever_is_released_while_waiting_goes_on_by_one_row(
    autojump_clock: MockClock,
) -> None:
    pace = Pace(1.0, LiveClock(epoch_ns=0))
    await pace.hold_back(TIMES, 0, 5)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.to_thread.run_sync, lambda: None)
        nursery.start_soon(_release, pace)
        assert await pace.hold_back(TIMES, 1, 5) == 2


async def _release(pace: Pace) -> None:
    pace.release()


def test_a_speed_must_make_sense() -> None:
    with pytest.raises(ValueError, match="speed: expected 0 or more, found -1"):
        Pace(-1.0)
    with pytest.raises(ValueError, match="speed: pacing needs a wall clock"):
        Pace(1.0)
