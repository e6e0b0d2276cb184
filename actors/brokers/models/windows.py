"""Windows of time that come and go by chance: bursts, stalls, halts."""

from bisect import bisect_right
from functools import lru_cache

import attrs

from actors.brokers.models.chance import exponential, uniform

Window = tuple[int, int]
"""``(start, end)`` in nanoseconds; the end is not in it."""

_CYCLES = 64


@attrs.frozen(kw_only=True)
class RandomWindows:
    """A two-state Markov chain in time, as a pure function of time.

    Time is cut into blocks of 64 mean cycles. Within a block both states last exponentially
    distributed times; each block begins in the stationary state, by itself, so that any moment can
    be asked for without the past.

    Attributes:
        seed: Decides everything, together with ``name``.
        name: Tells this chain from others of the same seed.
        every_ns: Mean time between two windows; above 0.
        lasts_ns: Mean length of a window; above 0.
    """

    seed: int
    name: str
    every_ns: int
    lasts_ns: int

    def at(self, now_ns: int) -> Window | None:
        """Return the window that holds at a moment, or None."""
        windows = self._block(now_ns)
        position = bisect_right(windows, now_ns, key=_start) - 1
        if position >= 0 and now_ns < windows[position][1]:
            return windows[position]
        return None

    def next_change(self, now_ns: int) -> int:
        """Return the next moment, after ``now_ns``, at which a window may begin or end."""
        window = self.at(now_ns)
        if window is not None:
            return window[1]
        windows = self._block(now_ns)
        position = bisect_right(windows, now_ns, key=_start)
        length = self._length
        return windows[position][0] if position < len(windows) else (now_ns // length + 1) * length

    @property
    def _length(self) -> int:
        return _CYCLES * (self.every_ns + self.lasts_ns)

    def _block(self, now_ns: int) -> list[Window]:
        return _windows(self, now_ns // self._length)


def _start(window: Window) -> int:
    return window[0]


@lru_cache(maxsize=256)
def _windows(chain: RandomWindows, block: int) -> list[Window]:
    """Return the windows of a block, in order; they are the same each time."""
    cycle = chain.every_ns + chain.lasts_ns
    start_ns, end_ns = block * _CYCLES * cycle, (block + 1) * _CYCLES * cycle
    is_on = uniform(chain.seed, chain.name, block, "state") < chain.lasts_ns / cycle
    found: list[Window] = []
    now_ns, number = start_ns, 0
    while now_ns < end_ns:
        mean = chain.lasts_ns if is_on else chain.every_ns
        lasts = exponential(mean, uniform(chain.seed, chain.name, block, number))
        until_ns = min(now_ns + max(int(lasts), 1), end_ns)
        if is_on:
            found.append((now_ns, until_ns))
        now_ns, number, is_on = until_ns, number + 1, not is_on
    return found
