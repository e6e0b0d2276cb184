"""Runs a blueprint live: each cell in a task of its own, on a clock that jumps when all wait."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import trio
import trio.testing

from actors.messages.system import CancelAll
from runtime.kernel.determinism import seeded_scheduler
from runtime.kernel.journal import LiveJournal
from runtime.wiring.blueprint import Blueprint
from runtime.wiring.plant import Plant, build_live

Look = Callable[[Plant], Any]
_SECOND_NS = 1_000_000_000


class LiveRun:
    """A live run from ``start_ns`` to a while after ``end_ns``, when all has come to rest."""

    def __init__(self, start_ns: int, end_ns: int, *, real_wait_s: float = 0.0) -> None:
        self.reports: list[Any] = []
        self.seen: list[Any] = []
        self._start_ns = start_ns
        self._end_ns = end_ns
        self._real_wait_s = real_wait_s
        """How long all must have waited before time jumps: for those who wait for a disk."""

    def run(self, plan: Blueprint, look: Look, journal: Path | None = None) -> Any:
        """Run; return what ``look`` sees of the plant before it is stopped."""
        clock = trio.testing.MockClock(autojump_threshold=self._real_wait_s)
        with seeded_scheduler(plan.seed):
            return trio.run(self._main, plan, look, journal, clock=clock)

    async def _main(self, plan: Blueprint, look: Look, journal: Path | None) -> Any:
        plant = build_live(plan, journal, self.reports.append, epoch_ns=self._start_ns)
        plant.post.observe = lambda message, _now_ns: self.seen.append(message)
        assert plant.quiescence is not None
        try:
            async with trio.open_nursery() as nursery:
                await nursery.start(plant.root.run)
                await plant.clock.sleep_until_ns(self._end_ns + _SECOND_NS)
                await plant.quiescence.wait()
                plant.post.deliver("system", 0, CancelAll("the run ends"), plant.clock.now_ns())
                await plant.quiescence.wait()
                found = look(plant)
                plant.root.request_stop()
        finally:
            if isinstance(plant.journal, LiveJournal):
                plant.journal.close()
        return found
