"""What every journal can be asked: its entries, and what a start or an actor needs of them."""

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from actors.messages.system import Archived
from runtime.kernel.codec import Codec
from runtime.kernel.envelope import Envelope
from runtime.kernel.journal.archives import Archives
from runtime.kernel.journal.lookup import (
    find_in,
    marks_of,
    quarantined_of,
    snapshots_of,
    timers_of,
    undelivered,
)
from runtime.kernel.journal.marks import Mark, MarksOf, Snapshot
from runtime.kernel.journal.rows import Entry, Row
from runtime.kernel.journal.schema import read_only
from runtime.kernel.journal.segments import Asked, segments_after, select, stream
from runtime.kernel.journal.store import Batch, Store


class Journal(Protocol):
    """Where envelopes are recorded."""

    def append(self, envelope: Envelope, receivers: str, due_ns: int | None = None) -> None:
        """Record an envelope; it is durable after the next commit."""
        ...

    async def durable(self, sequence: int) -> None:
        """Return when everything up to ``sequence`` is committed."""
        ...

    def entries(self, actor: str | None = None, *, after: int = 0) -> Iterator[Entry]:
        """Yield everything recorded so far, in order; or what one actor has received or sent."""
        ...

    def close(self) -> None:
        """Commit and close."""
        ...


class Recorded:
    """A journal as those see it who ask it: what is committed, and what is queued for that.

    Attributes:
        marks: Asked at each commit how far the cells have come, in the same step in which the
            rows are taken that go into it; None for no marks.
    """

    def __init__(self, store: Store, codec: Codec) -> None:
        self.marks: MarksOf | None = None
        self._path = store.path
        self._codec = codec
        self._encode = codec.encode
        self._store = store
        self._rows: list[Row] = []
        self._kept: list[Snapshot] = []
        self._marked: dict[str, Mark] = {}
        self._archived: dict[tuple[str, str], tuple[int, str]] = {}
        self._appended = self._committed = store.last_sequence
        self._reader: sqlite3.Connection | None = None
        self._archives = Archives(store.path)

    @property
    def path(self) -> Path:
        """Return the file that is written; complete segments lie beside it."""
        return self._path

    @property
    def last_sequence(self) -> int:
        """Return the sequence of the last row, committed or not; 0 if there is none."""
        return self._appended

    def keep(self, snapshots: Iterable[Snapshot]) -> None:
        """Let snapshots go into the next commit; the newest two of an actor are kept."""
        self._kept.extend(snapshots)

    # --- what is asked ---------------------------------------------------------------------------

    def entries(self, actor: str | None = None, *, after: int = 0) -> Iterator[Entry]:
        """Yield everything recorded so far, in order; or what one actor has received or sent.

        Args:
            actor: Whose messages; by default all.
            after: The sequence after which to begin.
        """
        asked = Asked(actor=actor, after=after, up_to=self._committed)
        return stream(self._path, self._codec, asked, self._rows.copy())

    def stored_marks(self) -> dict[str, Mark]:
        """Return how far each cell had come at the last commit that said so.

        Raises:
            JournalError: If a mark is damaged.
        """
        return marks_of(self._path, self._connection)

    def snapshot(self, actor: str) -> Snapshot | None:
        """Return the newest snapshot of an actor that is in order; None if there is none."""
        kept = [each for each in self._kept if each.actor == actor]
        return kept[-1] if kept else next(snapshots_of(self._connection, actor), None)

    def undelivered(self) -> list[Entry]:
        """Return what was sent for later and is not delivered yet, in order of sequence."""
        return undelivered(self._codec, [*self._for_later(), *self._rows])

    def _for_later(self) -> list[Row]:
        return timers_of(self._connection)

    def quarantined(self, actor: str) -> set[int]:
        """Return the sequences of the messages that an actor has set aside."""
        return quarantined_of(self._connection, actor)

    def find(self, kind: str, key: str) -> str | None:
        """Return the latest state that was archived under a key, as JSON; None if there is none."""
        queued = self._archived.get((kind, key))
        if queued is not None:
            return queued[1]
        found = find_in(self._connection, kind, key)
        if found is None:
            complete = int(self._store.meta["segment"]) - 1
            found = self._archives.find(complete, kind, key)
        return found

    @property
    def _connection(self) -> sqlite3.Connection:
        """Return a connection of the reader's own: the writer may be at work in its thread."""
        if self._reader is None:
            self._reader = read_only(self._path)
        return self._reader

    def _stop_reading(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _close_all(self, *, is_whole: bool = True) -> None:
        """Close the file that is written, and all that are read."""
        self._stop_reading()
        self._archives.close()
        self._store.close(is_whole=is_whole)

    # --- what is written -------------------------------------------------------------------------

    def _remember(self, sequence: int, message: Archived) -> None:
        """Let a message be found that is queued to be committed."""
        self._archived[message.kind, message.key] = (sequence, message.state)

    def _take(self) -> Batch:
        """Return what is to be committed: rows, and the marks that are another than before."""
        marks = () if self.marks is None else self.marks()
        return Batch(
            rows=self._rows.copy(),
            marks=[mark for mark in marks if self._marked.get(mark.actor) != mark],
            snapshots=self._kept.copy(),
            has_archived=bool(self._archived),
        )

    def _was_committed(self, batch: Batch) -> None:
        if batch.rows:
            del self._rows[: len(batch.rows)]
            last = self._committed = batch.rows[-1][0]
            if self._archived:
                left = {key: what for key, what in self._archived.items() if what[0] > last}
                self._archived = left
        del self._kept[: len(batch.snapshots)]
        self._marked.update({mark.actor: mark for mark in batch.marks})


def all_rows(path: Path) -> Iterator[Row]:
    """Yield the rows of all segments, in order."""
    with segments_after(path, 0) as segments:
        for connection, _meta, _path in segments:
            yield from select(connection)
