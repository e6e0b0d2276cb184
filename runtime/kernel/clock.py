"""Time: the wall clock's owner, the virtual clock, and the queue of timers.

Timers are ordered by ``(at_ns, sequence)``: two that are due at the same instant fire in the order
in which they were set.
"""

import heapq
import time
from math import inf, nextafter
from typing import Any, Protocol

import trio

NANOSECONDS = 1_000_000_000
_FIRST = 1 << 62


class Clock(Protocol):
    """What the time is, and how to wait for a later one."""

    def now_ns(self) -> int:
        """Return the time in nanoseconds since 1970, UTC."""
        ...

    async def sleep_until_ns(self, at_ns: int) -> None:
        """Return when the clock has reached ``at_ns``; at once if it has."""
        ...


def wall_time_ns() -> int:
    """Return the machine's time in nanoseconds since 1970, UTC: names and manifests, no more."""
    return time.time_ns()


class LiveClock:
    """Wall time, driven by trio's clock: under ``trio.testing.MockClock`` it is virtual.

    It reads the machine's clock once, when it is built, so that it never steps back.
    """

    def __init__(self, epoch_ns: int | None = None) -> None:
        started_ns = time.time_ns() if epoch_ns is None else epoch_ns
        self._seconds = trio.lowlevel.current_clock().current_time
        self._offset_ns = started_ns - round(self._seconds() * NANOSECONDS)

    def now_ns(self) -> int:
        """Return the time in nanoseconds since 1970, UTC."""
        return self._offset_ns + round(self._seconds() * NANOSECONDS)

    async def sleep_until_ns(self, at_ns: int) -> None:
        """Return when the clock has reached ``at_ns``; at once if it has."""
        seconds = (at_ns - self._offset_ns) / NANOSECONDS
        while round(seconds * NANOSECONDS) < at_ns - self._offset_ns:
            seconds = nextafter(seconds, inf)  # floats are too coarse for nanoseconds
        await trio.sleep_until(seconds)


class Timers:
    """What is due when: a heap of ``(at_ns, sequence, what)``."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Any]] = []
        self._sequence = 0

    def __len__(self) -> int:
        return len(self._heap)

    def set(self, at_ns: int, what: Any) -> None:
        """Remember ``what`` for ``at_ns``."""
        self._sequence += 1
        heapq.heappush(self._heap, (at_ns, self._sequence, what))

    def set_first(self, at_ns: int, turn: int, what: Any) -> None:
        """Remember ``what`` for ``at_ns``, before all that are set; the lower turn goes first.

        At one instant a turn may be given once.
        """
        heapq.heappush(self._heap, (at_ns, turn - _FIRST, what))

    def next_ns(self) -> int | None:
        """Return when the next one is due, or None."""
        return self._heap[0][0] if self._heap else None

    def pop(self) -> tuple[int, Any]:
        """Return and forget the next one, with its time."""
        at_ns, _, what = heapq.heappop(self._heap)
        return at_ns, what


class VirtualClock:
    """Time that moves only when the sequencer moves it."""

    def __init__(self, start_ns: int = 0) -> None:
        self._now_ns = start_ns
        self._begins: int | None = None
        self._has_moved = False
        self.timers = Timers()
        self._sleeping: list[tuple[int, trio.Event]] = []

    def now_ns(self) -> int:
        """Return the virtual time in nanoseconds since 1970, UTC."""
        return self._now_ns

    def begin_at(self, start_ns: int) -> None:
        """Begin at the earliest of the times given, before time has moved."""
        if not self._has_moved:
            self._now_ns = start_ns if self._begins is None else min(self._begins, start_ns)
            self._begins = self._now_ns

    def advance(self, now_ns: int) -> None:
        """Move time forward; it never goes back."""
        assert now_ns >= self._now_ns, f"time would go back: {self._now_ns} to {now_ns}"
        self._has_moved = True
        self._now_ns = now_ns

    async def sleep_until_ns(self, at_ns: int) -> None:
        """Return when the sequencer has moved time to ``at_ns``; at once if it has."""
        if at_ns <= self._now_ns:
            await trio.lowlevel.checkpoint()
            return
        sleeper = (at_ns, trio.Event())
        self.timers.set(*sleeper)
        self._sleeping.append(sleeper)
        try:
            await sleeper[1].wait()
        finally:
            self._sleeping.remove(sleeper)

    @property
    def sleepers(self) -> int:
        """Return how many tasks wait for a later time."""
        return len(self._sleeping)

    def wake_next(self) -> None:
        """Wake the sleeper whose time comes first, without moving time."""
        at_ns = min(at_ns for at_ns, _ in self._sleeping)
        next(woken for due_ns, woken in self._sleeping if due_ns == at_ns).set()
