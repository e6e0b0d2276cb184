"""A source's cell: runs it in a task of its own and hands its slices to whoever paces the run.

A source that fails tells so in band: its failure takes place when its last row has been reached,
not when the file was read ahead. So a run does not depend on how its data are cut into slices.
"""

from collections.abc import Callable, Iterator
from typing import Any

import attrs
import trio

from actors.actor import Rows, Source
from runtime.kernel.cell_spec import CellState
from runtime.kernel.clock import VirtualClock

_AHEAD = 2
"""How many slices a source may be ahead of the run."""


@attrs.frozen
class Ended:
    """The source has no more rows."""


@attrs.frozen
class Failed:
    """The source has raised."""

    error: Exception


def _next(slices: Iterator[Rows]) -> Rows | Ended | Failed:
    """Return the next slice that has rows, or how the source has ended."""
    try:
        for rows in slices:
            if len(rows):
                return rows
    except Exception as error:  # noqa: BLE001 - told in band, raised when its time has come
        return Failed(error)
    return Ended()


class SourceCell:
    """One feed; a child of a supervisor."""

    def __init__(
        self, name: str, make_source: Callable[[int], Source], clock: VirtualClock
    ) -> None:
        self.name = name
        self.state = CellState.DOWN
        self.incarnation = -1
        self.failures = 0
        self.source: Source | None = None
        self.on_start: Callable[[], None] = lambda: None
        self._make_source = make_source
        self._clock = clock
        self._begin_at = clock.begin_at
        self._send, self._receive = trio.open_memory_channel[Any](_AHEAD)
        self._reached = trio.Event()
        self._is_stopping = False

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run one incarnation: return at the end of the data, raise what the source raised."""
        self.incarnation += 1
        self._send, self._receive = trio.open_memory_channel[Any](_AHEAD)
        self._reached = trio.Event()
        self._is_stopping = False
        resume_ns = self._clock.now_ns() if self.incarnation else 0
        self.source = self._make_source(self.incarnation)
        self.state = CellState.RUNNING
        try:
            await self._pump(self.source.slices(resume_ns), task_status)
        except BaseException:
            self.state = CellState.DOWN
            raise
        self.state = CellState.STOPPED

    async def _pump(self, slices: Iterator[Rows], task_status: trio.TaskStatus[None]) -> None:
        """Send slice after slice; a source has started when it has its first one."""
        item = _next(slices)
        if not self.incarnation and not isinstance(item, Ended | Failed):
            self._begin_at(item.times()[0])
        self.on_start()
        task_status.started()
        try:
            while not isinstance(item, Ended | Failed):
                await self._send.send(item)
                item = _next(slices)
            await self._send.send(item)
        except trio.BrokenResourceError:
            return  # it was asked to stop
        await self._reached.wait()
        if isinstance(item, Failed) and not self._is_stopping:
            self.failures += 1
            raise item.error

    async def next(self) -> Rows | Ended | Failed:
        """Return the next slice, or how the source has ended."""
        try:
            item: Rows | Ended | Failed = await self._receive.receive()
        except trio.ClosedResourceError:
            return Ended()  # it was asked to stop
        return item

    def reach_end(self) -> None:
        """Let the source end: the run has come to its last row."""
        self._reached.set()

    def request_stop(self) -> None:
        """Let the source go: what it has read ahead, failures too, does not take place."""
        self._is_stopping = True
        self._receive.close()
        self._reached.set()
