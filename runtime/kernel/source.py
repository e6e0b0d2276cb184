"""A source's cell: runs it in a task of its own and hands its slices to whoever paces the run.

A source that fails tells so in band: its failure takes place when its last row has been reached,
not when the file was read ahead. So a run does not depend on how its data are cut into slices.
"""

import contextlib
from collections.abc import Callable
from typing import Any

import attrs
import trio

from actors.actor import Rows, Source
from runtime.kernel.cell import CellState
from runtime.kernel.clock import Clock

_AHEAD = 2
"""How many slices a source may be ahead of the run."""


@attrs.frozen
class Ended:
    """The source has no more rows."""


@attrs.frozen
class Failed:
    """The source has raised."""

    error: Exception


class SourceCell:
    """One feed; a child of a supervisor."""

    def __init__(self, name: str, make_source: Callable[[int], Source], clock: Clock) -> None:
        self.name = name
        self.state = CellState.DOWN
        self.incarnation = -1
        self.failures = 0
        self.source: Source | None = None
        self.on_start: Callable[[], None] = lambda: None
        self._make_source = make_source
        self._clock = clock
        self._send, self._receive = trio.open_memory_channel[Any](_AHEAD)
        self._reached = trio.Event()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run one incarnation: return at the end of the data, raise what the source raised."""
        self.incarnation += 1
        self._send, self._receive = trio.open_memory_channel[Any](_AHEAD)
        self._reached = trio.Event()
        resume_ns = self._clock.now_ns() if self.incarnation else 0
        self.source = self._make_source(self.incarnation)
        self.state = CellState.RUNNING
        self.on_start()
        task_status.started()
        try:
            await self._pump(self.source, resume_ns)
        except BaseException:
            self.state = CellState.DOWN
            raise
        self.state = CellState.STOPPED

    async def _pump(self, source: Source, resume_ns: int) -> None:
        outcome: Ended | Failed = Ended()
        try:
            for rows in source.slices(resume_ns):
                await self._send.send(rows)
        except trio.BrokenResourceError:
            return  # it was asked to stop
        except Exception as error:  # noqa: BLE001 - told in band, raised when its time has come
            outcome = Failed(error)
        with contextlib.suppress(trio.BrokenResourceError):
            await self._send.send(outcome)
        await self._reached.wait()
        if isinstance(outcome, Failed):
            self.failures += 1
            raise outcome.error

    async def next(self) -> Rows | Ended | Failed:
        """Return the next slice, or how the source has ended."""
        item: Rows | Ended | Failed = await self._receive.receive()
        return item

    def reach_end(self) -> None:
        """Let the source end: the run has come to its last row."""
        self._reached.set()

    def request_stop(self) -> None:
        """Let the source go."""
        self._receive.close()
        self._reached.set()
