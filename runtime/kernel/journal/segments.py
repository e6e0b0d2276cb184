"""The files of one journal: ``journal.db`` is written, ``journal-000001.db`` and on are complete."""

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from actors.errors import JournalError
from runtime.kernel.codec import Codec
from runtime.kernel.journal.rows import Entry, Row, entry_of
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
SELECT 1 FROM meta, json_each(meta.value) AS carried WHERE key = 'carried' AND carried.value = ?
"""


def archived_path(active: Path, number: int) -> Path:
    """Return where a complete segment is kept, counted from 1."""
    return active.with_name(f"{active.stem}-{number:06d}{active.suffix}")


def next_path(active: Path) -> Path:
    """Return where the next segment is prepared."""
    return active.with_name(f"{active.stem}-next{active.suffix}")


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
        opened = [(*stack.enter_context(reading(active)), active)]
        while True:
            meta = opened[0][1]
            number, first = int(meta.get("segment", "1")), int(meta.get("first_sequence", "1"))
            if number == 1 or after >= first - 1:
                break
            path = archived_path(active, number - 1)
            opened.insert(0, (*stack.enter_context(reading(path)), path))
        yield opened


def select(
    connection: sqlite3.Connection,
    after: int = 0,
    up_to: int = END,
    *,
    actor: str | None = None,
    types: Iterable[str] | None = None,
) -> Iterator[Row]:
    """Yield rows of one segment, in order, some at a time."""
    names = None if types is None else json.dumps(list(types))
    asked = {"after": after, "up_to": up_to, "actor": actor, "types": names}
    cursor = connection.execute(_SELECT, asked)
    while rows := cursor.fetchmany(_FETCH):
        yield from rows


class Deliveries:
    """Tells which rows deliver what was sent for later."""

    def __init__(self, after: int) -> None:
        self._after = after
        self._scheduled: set[int] = set()

    def is_delivery(self, row: Row, connection: sqlite3.Connection | None) -> bool:
        """Take the next row, and return whether it is a delivery.

        Args:
            row: Of the journal, in order.
            connection: Where rows before the first one taken are looked up; None for nowhere.
        """
        cause = row[4]
        if row[5] is not None:
            self._scheduled.add(row[0])
            return False
        if cause in self._scheduled:
            self._scheduled.discard(cause)
            return True
        return 0 < cause <= self._after and _was_for_later(connection, cause)


def _was_for_later(connection: sqlite3.Connection | None, sequence: int) -> bool:
    if connection is None:
        return False
    asked = (sequence,)
    row = connection.execute("SELECT due_ns FROM envelopes WHERE sequence = ?", asked).fetchone()
    if row is not None:
        return row[0] is not None
    return connection.execute(_WAS_CARRIED, asked).fetchone() is not None


def read_journal(
    path: Path,
    codec: Codec,
    *,
    types: Iterable[str] | None = None,
    actor: str | None = None,
    after: int = 0,
) -> Iterator[Entry]:
    """Yield the entries of a finished or running journal, in order, over all its segments.

    Args:
        path: The journal: the segment that is written, or was last.
        codec: Knows the message types.
        types: Names of the message types to yield; by default all. Others are not decoded.
        actor: Whose messages to yield, sent or received; by default all.
        after: The sequence after which to begin.

    Raises:
        JournalError: If there is no such file, or it is no journal of a version we can read.
    """
    wanted = None if types is None else list(types)
    deliveries = Deliveries(after)
    with segments_after(path, after) as segments:
        for connection, _meta, _path in segments:
            for row in select(connection, after, actor=actor, types=wanted):
                yield entry_of(codec, row, deliveries.is_delivery(row, connection))
