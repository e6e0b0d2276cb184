"""Keeps snapshots of the cells: every so many messages, or after some time, one cell at a time."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import trio

from runtime.kernel.cell import Cell
from runtime.kernel.clock import NANOSECONDS
from runtime.kernel.journal import Mark, Snapshot
from runtime.kernel.journal.live import SEGMENT_ROWS
from runtime.kernel.post import Post

SNAPSHOT_EVERY = 10_000
SNAPSHOT_INTERVAL_NS = 60 * NANOSECONDS


class KeepingJournal(Protocol):
    """A journal that holds snapshots beside the messages."""

    marks: Callable[[], Iterable[Mark]] | None

    def keep(self, snapshots: Iterable[Snapshot]) -> None:
        """Store snapshots with the next commit."""
        ...

    def rotate(self) -> object:
        """Begin a new segment."""
        ...


class Keeper:
    """Keeps snapshots in a journal; live, a child of a supervisor.

    Where nothing has happened since a cell's last snapshot, none is taken.

    Args:
        cells: Whose cores to keep.
        journal: Where; it is told at each commit how far they have come.
        post: Counts the messages.
        every: After how many messages; 0 for never.
        segment: In simulated runs, after how many messages a new segment of the journal begins;
            a live journal decides by itself.
    """

    name = "keeper"

    def __init__(
        self,
        cells: Sequence[Cell],
        journal: KeepingJournal,
        post: Post,
        *,
        every: int = SNAPSHOT_EVERY,
        segment: int = SEGMENT_ROWS,
    ) -> None:
        if every < 0:
            raise ValueError(f"snapshot_every: expected 0 or more, found {every}")
        self.taken = 0
        self.longest_s = 0.0
        """The longest time for which a snapshot has held up everything else, in seconds."""
        self._cells = cells
        self._journal = journal
        self._post = post
        self._every = every
        self._kept_at = self._rotated_at = post.sequence
        self._segment = segment
        self._is_due = trio.Event()
        self._is_stopping = False
        journal.marks = self.marks

    def marks(self) -> list[Mark]:
        """Return how far the cells have come: asked at each commit."""
        if self._is_time:
            self._is_due.set()
        return [cell.mark() for cell in self._cells]

    @property
    def _is_time(self) -> bool:
        return 0 < self._every <= self._post.sequence - self._kept_at

    def keep_if_due(self) -> None:
        """Keep all cells at once, if it is time: the simulated way."""
        if self._is_time:
            self._kept_at = self._post.sequence
            for cell in self._cells:
                self._keep(cell)
            if self._post.sequence - self._rotated_at >= self._segment:
                self._rotated_at = self._post.sequence
                self._journal.rotate()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep one cell after the other whenever it is time, until asked to stop."""
        self._is_stopping = False
        task_status.started()
        while True:
            with trio.move_on_after(SNAPSHOT_INTERVAL_NS / NANOSECONDS):
                await self._is_due.wait()
            if self._is_stopping:
                return
            self._is_due = trio.Event()
            if self._every and self._post.sequence > self._kept_at:
                await self.keep_all()

    async def keep_all(self) -> None:
        """Keep every cell, and let others run in between."""
        self._kept_at = self._post.sequence
        for cell in self._cells:
            begun = trio.current_time()
            self._keep(cell)
            self.longest_s = max(self.longest_s, trio.current_time() - begun)
            await trio.lowlevel.checkpoint()

    def _keep(self, cell: Cell) -> None:
        snapshot = cell.keep_snapshot()
        if snapshot is not None:
            self._journal.keep([snapshot])
            self.taken += 1

    def request_stop(self) -> None:
        """Keep no more."""
        self._is_stopping = True
        self._is_due.set()
