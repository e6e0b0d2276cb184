"""The files of one journal: ``journal.db`` is written, ``journal-000001.db`` and on are full."""

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import attrs

from runtime.kernel.codec import Codec
from runtime.kernel.journal.rows import Entry, Row, entry_of, is_of
from runtime.kernel.journal.schema import COLUMNS, reading

END = (1 << 63) - 1
_FETCH = 1024
_SELECT = f"""
SELECT {COLUMNS} FROM envelopes
WHERE sequence > :after AND sequence <= :up_to
AND (:actor IS NULL OR sender = :actor OR instr(',' || receivers || ',', ',' || :actor || ','))
AND (:types IS NULL OR type IN (SELECT value FROM json_each(:types)))
ORDER BY sequence
"""
_WAS_CARRIED = """
SELECT 1 FROM meta, json_each(meta.value) AS carried
WHERE meta.key = 'carried' AND carried.value = ?
"""


def archived_path(active: Path, number: int) -> Path:
    """Return where a complete segment is kept, counted from 1."""
    return active.with_name(f"{active.stem}-{number:06d}{active.suffix}")


def next_path(active: Path) -> Path:
    """Return where the next segment is prepared."""
    return active.with_name(f"{active.stem}-next{active.suffix}")


def forget(path: Path) -> None:
    """Remove a file that was being made, with its logs."""
    for ending in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def finish_rotation(active: Path) -> None:
    """Finish a rotation in which the process ended; before its first rename it is taken back."""
    prepared = next_path(active)
    if active.exists():
        forget(prepared)
    elif prepared.exists():
        os.rename(prepared, active)
        sync_folder(active.parent)


def sync_folder(folder: Path) -> None:
    """Make renames in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@attrs.frozen(kw_only=True)
class Asked:
    """Which rows are asked for: after one sequence, up to another; of all if not of one actor."""

    after: int = 0
    up_to: int = END
    actor: str | None = None
    types: Sequence[str] | None = None


EVERYTHING = Asked()


@contextlib.contextmanager
def segments_after(
    active: Path, after: int
) -> Iterator[list[tuple[sqlite3.Connection, dict[str, str], Path]]]:
    """Open the segments that hold something after a sequence, the oldest first.

    The active one is opened first: it does not change its name while it is read.

    Raises:
        JournalError: If one is missing or cannot be read.
    """
    with contextlib.ExitStack() as stack:
        begun = active if active.exists() or not next_path(active).exists() else next_path(active)
        opened = [(*stack.enter_context(reading(begun)), begun)]
        while True:
            meta = opened[0][1]
            number, first = int(meta.get("segment", "1")), int(meta.get("first_sequence", "1"))
            if number == 1 or after >= first - 1:
                break
            path = archived_path(active, number - 1)
            opened.insert(0, (*stack.enter_context(reading(path)), path))
        yield opened


def select(connection: sqlite3.Connection, asked: Asked = EVERYTHING) -> Iterator[Row]:
    """Yield rows of one segment, in order, some at a time."""
    names = None if asked.types is None else json.dumps(list(asked.types))
    values = {
        "after": asked.after,
        "up_to": asked.up_to,
        "actor": asked.actor,
        "types": names,
    }
    cursor = connection.execute(_SELECT, values)
    while rows := cursor.fetchmany(_FETCH):
        yield from rows


class Deliveries:
    """Tells which rows deliver what was sent for later."""

    def __init__(self, after: int) -> None:
        self._after = after
        self._scheduled: set[int] = set()

    def note_before(self, row: Row) -> None:
        """Take a row before the first one, which cannot be looked up yet."""
        if row[5] is not None:
            self._scheduled.add(row[0])

    def is_delivery(self, row: Row, connection: sqlite3.Connection) -> bool:
        """Take the next row, and return whether it is a delivery.

        Args:
            row: Of the journal, in order.
            connection: Where rows before the first one taken are looked up.
        """
        cause = row[4]
        if row[5] is not None:
            self._scheduled.add(row[0])
            return False
        if cause in self._scheduled:
            self._scheduled.discard(cause)
            return True
        return 0 < cause <= self._after and _was_for_later(connection, cause)


def _was_for_later(connection: sqlite3.Connection, sequence: int) -> bool:
    asked = (sequence,)
    row = connection.execute("SELECT due_ns FROM envelopes WHERE sequence = ?", asked).fetchone()
    if row is not None:
        return row[0] is not None
    return connection.execute(_WAS_CARRIED, asked).fetchone() is not None


def stream(
    path: Path, codec: Codec, asked: Asked = EVERYTHING, queued: Iterable[Row] = ()
) -> Iterator[Entry]:
    """Yield what is asked for, over all segments; then of what is queued to be committed."""
    after, actor = asked.after, asked.actor
    deliveries = Deliveries(after)
    with segments_after(path, after) as segments:
        for connection, _meta, _path in segments:
            for row in select(connection, asked):
                yield entry_of(codec, row, deliveries.is_delivery(row, connection))
        for row in queued:
            if row[0] <= after:
                deliveries.note_before(row)
            elif actor is None or is_of(row, actor):
                yield entry_of(codec, row, deliveries.is_delivery(row, connection))


def read_journal(
    path: Path, codec: Codec, *, types: Iterable[str] | None = None, after: int = 0
) -> Iterator[Entry]:
    """Yield the entries of a finished or running journal, in order, over all its segments.

    Args:
        path: The journal: the segment that is written, or was last.
        codec: Knows the message types.
        types: Names of the message types to yield; by default all. Others are not decoded.
        after: Only what has a higher sequence.

    Raises:
        JournalError: If there is no such file, or it is no journal of a version we can read.
    """
    return stream(path, codec, Asked(types=None if types is None else tuple(types), after=after))
