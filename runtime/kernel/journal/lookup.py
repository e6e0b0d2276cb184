"""What is looked up in one segment: marks, snapshots, timers, what was archived or set aside."""

import json
import sqlite3
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from actors.errors import JournalError
from actors.messages.system import Archived, MessageQuarantined
from runtime.kernel.codec import Codec
from runtime.kernel.journal.marks import Mark, Snapshot
from runtime.kernel.journal.rows import Entry, Row, checksum, entry_of
from runtime.kernel.journal.schema import COLUMNS

_QUARANTINED = MessageQuarantined.__name__
_SNAPSHOT_PLACES = """
SELECT rowid FROM snapshots WHERE :actor IS NULL OR actor = :actor ORDER BY sequence DESC
"""
_SNAPSHOT = """
SELECT actor, sequence, handled, pending, time_ns, fingerprint, body, checksum FROM snapshots
WHERE rowid = ?
"""
_FIND = """
SELECT body FROM envelopes WHERE sequence =
(SELECT sequence FROM archive WHERE kind = ? AND key = ?)
"""
_quarantined = msgspec.json.Decoder(MessageQuarantined).decode
_archived = msgspec.json.Decoder(Archived).decode


def marks_of(path: Path, connection: sqlite3.Connection) -> dict[str, Mark]:
    """Return how far each cell has come.

    Raises:
        JournalError: If a mark is damaged.
    """
    marks = {}
    for actor, handled, pending, incarnation, found in connection.execute("SELECT * FROM marks"):
        if checksum((actor, handled, pending, incarnation)) != found:
            raise JournalError(f"{path}: the mark of {actor}: its checksum does not fit")
        marks[actor] = Mark(actor, handled, tuple(json.loads(pending)), incarnation)
    return marks


def snapshots_of(connection: sqlite3.Connection, actor: str | None = None) -> Iterator[Snapshot]:
    """Yield the snapshots of an actor, or of all, the newest first; not those that are damaged.

    Each is read when it is asked for: they may be large.
    """
    for place in connection.execute(_SNAPSHOT_PLACES, {"actor": actor}).fetchall():
        row = connection.execute(_SNAPSHOT, place).fetchone()
        if row is not None and checksum(row[:-1]) == row[-1]:  # None: the writer has let it go
            yield Snapshot(
                actor=row[0],
                sequence=row[1],
                handled=row[2],
                pending=tuple(json.loads(row[3])),
                time_ns=row[4],
                fingerprint=row[5],
                body=row[6],
            )


def timers_of(connection: sqlite3.Connection) -> list[Row]:
    """Return what was sent for later and is not delivered yet."""
    return connection.execute(f"SELECT {COLUMNS} FROM timers ORDER BY sequence").fetchall()


def undelivered(codec: Codec, rows: Iterable[Row]) -> list[Entry]:
    """Return what was sent for later and has no delivery among these rows."""
    left: dict[int, Row] = {}
    for row in rows:
        if row[5] is not None:
            left[row[0]] = row
        else:
            left.pop(row[4], None)
    return [entry_of(codec, row) for row in left.values()]


def quarantined_of(connection: sqlite3.Connection, actor: str) -> set[int]:
    """Return which messages an actor has set aside."""
    query = "SELECT sequence FROM quarantine WHERE actor = ?"
    return {sequence for (sequence,) in connection.execute(query, (actor,))}


def quarantined_among(rows: Iterable[Row], actor: str) -> set[int]:
    """Return which messages an actor has set aside, by what rows say."""
    found = [_quarantined(row[7]) for row in rows if row[6] == _QUARANTINED]
    return {message.message_sequence for message in found if message.actor == actor}


def find_in(connection: sqlite3.Connection, kind: str, key: str) -> str | None:
    """Return the latest state that a segment holds under a key; None if there is none."""
    row = connection.execute(_FIND, (kind, key)).fetchone()
    return None if row is None else _archived(row[0]).state


def checksums_in(blob: bytes) -> "array[int]":
    """Return the checksums that a commit has stored."""
    sums = array("I")
    sums.frombytes(blob[: len(blob) // sums.itemsize * sums.itemsize])
    return sums
