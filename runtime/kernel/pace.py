"""How fast a simulated run goes: as fast as it can, or at a multiple of the recorded speed."""

from bisect import bisect_right
from collections.abc import Sequence

import trio

from runtime.kernel.clock import Clock


class Pace:
    """Holds rows back until the wall clock has come to them.

    ``speed`` 0 is as fast as possible; 1.0 as recorded; 2.0 twice as fast. Pacing changes nothing
    but the speed: results are the same.
    """

    def __init__(self, speed: float = 0.0, wall: Clock | None = None) -> None:
        if speed < 0:
            raise ValueError(f"speed: expected 0 or more, found {speed}")
        if speed and wall is None:
            raise ValueError("speed: pacing needs a wall clock")
        self._speed = speed
        self._wall = wall
        self._first_row_ns = 0
        self._first_wall_ns: int | None = None
        self._wait = trio.CancelScope()

    @property
    def is_held(self) -> bool:
        """Return whether anything is held back at all."""
        return self._speed > 0

    async def hold_back(self, times: Sequence[int], position: int, stop: int) -> int:
        """Return up to which row one may go now; waits until at least one has come."""
        wall = self._wall
        if not self._speed or wall is None:
            return stop
        if self._first_wall_ns is None:
            self._first_wall_ns = wall.now_ns()
            self._first_row_ns = times[position]
        await self.hold_until(times[position])
        if not self._speed:
            return position + 1
        elapsed_ns = round((wall.now_ns() - self._first_wall_ns) * self._speed)
        return max(
            position + 1, bisect_right(times, self._first_row_ns + elapsed_ns, position, stop)
        )

    async def hold_until(self, at_ns: int) -> None:
        """Return when the wall clock has come to ``at_ns``."""
        if self._speed and self._wall is not None and self._first_wall_ns is not None:
            ahead_ns = max(at_ns - self._first_row_ns, 0)
            with trio.CancelScope() as self._wait:
                await self._wall.sleep_until_ns(self._first_wall_ns + round(ahead_ns / self._speed))

    def release(self) -> None:
        """Hold nothing back any more: the run is to end."""
        self._speed = 0.0
        self._wait.cancel()
