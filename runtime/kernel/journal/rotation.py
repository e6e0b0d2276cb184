"""Begins a new segment of a journal, so that no file grows for ever.

The next segment is made beside the active one, complete with all that a start needs; then the
active one gets its number, and the next its name. Whoever finds it half done can tell how far it
had come (:func:`runtime.kernel.journal.segments.finish_rotation`).
"""

import contextlib
import json
import os
import sqlite3

from runtime.kernel.faults import reach
from runtime.kernel.journal.lookup import marks_of, snapshots_of, timers_of
from runtime.kernel.journal.schema import create
from runtime.kernel.journal.segments import (
    archived_path,
    forget,
    next_path,
    sync_folder,
)
from runtime.kernel.journal.store import INSERT_TIMER, Store, put_marks, put_snapshots

_COPY_QUARANTINE = "INSERT INTO quarantine VALUES (?, ?)"


def prepare(store: Store) -> None:
    """Make the next segment: marks, snapshots, timers, and what was set aside go along.

    Raises:
        JournalError: If it cannot be made.
        sqlite3.Error: If it cannot be written.
    """
    forget(next_path(store.path))
    timers = timers_of(store.connection)
    connection = create(next_path(store.path), _next_meta(store, [row[0] for row in timers]))
    with contextlib.closing(connection):
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN")
        put_marks(connection, marks_of(store.path, store.connection).values())
        put_snapshots(connection, snapshots_of(store.connection))
        connection.executemany(INSERT_TIMER, timers)
        aside = store.connection.execute("SELECT actor, sequence FROM quarantine")
        connection.executemany(_COPY_QUARANTINE, aside)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = DELETE")
    reach("journal.rotate.prepared")


def _next_meta(store: Store, carried: list[int]) -> dict[str, str]:
    meta = dict(store.meta)
    meta["segment"] = str(int(store.meta["segment"]) + 1)
    meta["first_sequence"] = str(store.last_sequence + 1)
    meta["previous_digest"] = store.digest.hex()
    meta["last_time_ns"] = str(store.last_time_ns)
    meta["carried"] = json.dumps(carried)
    return meta


def switch(store: Store) -> bool:
    """Let the next segment take the place of the active one, which is closed.

    Returns:
        Whether it has. Where somebody reads the active one it stays as it is.
    """
    if not _detach(store.connection):
        forget(next_path(store.path))
        return False
    store.close()
    reach("journal.rotate.closed")
    os.rename(store.path, archived_path(store.path, int(store.meta["segment"])))
    reach("journal.rotate.moved")
    os.rename(next_path(store.path), store.path)
    reach("journal.rotate.done")
    sync_folder(store.path.parent)
    return True


def _detach(connection: sqlite3.Connection) -> bool:
    """Put everything into one file, which nobody else has open."""
    try:
        connection.execute("PRAGMA busy_timeout = 0")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (mode,) = connection.execute("PRAGMA journal_mode = DELETE").fetchone()
    except sqlite3.OperationalError:
        return False
    return bool(mode == "delete")
