"""What is written into a journal: commits, all or none, each chained to the one before it."""

import contextlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import attrs
import msgspec

from actors.errors import JournalError
from actors.messages.system import Archived, MessageQuarantined
from runtime.kernel.faults import reach
from runtime.kernel.journal.marks import Mark, Snapshot
from runtime.kernel.journal.rows import Row, chained, checksum, checksums

SNAPSHOTS_KEPT = 2
_INSERT = "INSERT INTO envelopes VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
INSERT_TIMER = "INSERT INTO timers VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_INSERT_SNAPSHOT = "INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_FORGET_SNAPSHOTS = f"""
DELETE FROM snapshots WHERE actor = :actor AND sequence NOT IN
(SELECT sequence FROM snapshots WHERE actor = :actor ORDER BY sequence DESC LIMIT {SNAPSHOTS_KEPT})
"""
_LAST_COMMIT = "SELECT last_sequence, digest FROM commits ORDER BY last_sequence DESC LIMIT 1"
_TIME_OF = "SELECT time_ns FROM envelopes WHERE sequence = ?"
_COUNT_ROWS = "SELECT sum(length(checksums)) / 4 FROM commits"
Message = TypeVar("Message")
_ARCHIVED = Archived.__name__
_QUARANTINED = MessageQuarantined.__name__
_archived = msgspec.json.Decoder(Archived).decode
_quarantined = msgspec.json.Decoder(MessageQuarantined).decode


@attrs.frozen(kw_only=True)
class Batch:
    """What goes into one commit."""

    rows: Sequence[Row]
    marks: Sequence[Mark] = ()
    snapshots: Sequence[Snapshot] = ()
    has_archived: bool = False
    """Whether there may be an :class:`Archived` among the rows."""

    @property
    def is_empty(self) -> bool:
        """Return whether there is nothing to commit."""
        return not (self.rows or self.marks or self.snapshots)


class Store:
    """The writing end of one segment.

    Attributes:
        path: The file.
        last_sequence: Of the last row that is committed, here or in the segment before.
        last_time_ns: When that row was sent.
        digest: Of the last commit.
        rows: How many rows this segment has.
    """

    def __init__(
        self,
        path: Path,
        connection: sqlite3.Connection,
        meta: Mapping[str, str],
        *,
        tracks_timers: bool,
    ) -> None:
        self.path = path
        self.connection = connection
        self.meta = meta
        self.digest = bytes.fromhex(meta.get("previous_digest", ""))
        self.last_sequence = int(meta["first_sequence"]) - 1
        self.last_time_ns = int(meta.get("last_time_ns", "0"))
        self.rows = 0
        self._tracks_timers = tracks_timers
        self._timers: set[int] = set()
        self._acknowledged: int | None = None
        self._go_on()

    def _go_on(self) -> None:
        """Take notice of what the file holds already."""
        execute = self.connection.execute
        last = execute(_LAST_COMMIT).fetchone()
        if last is not None:
            self.last_sequence, self.digest = last
            found = execute(_TIME_OF, (self.last_sequence,)).fetchone()
            self.last_time_ns = 0 if found is None else found[0]
            (self.rows,) = execute(_COUNT_ROWS).fetchone()
        if self._tracks_timers:
            self._timers = {each for (each,) in execute("SELECT sequence FROM timers")}

    def acknowledge_in(self, path: Path) -> None:
        """Note in a file of its own, after each commit, how far the commits have come."""
        self._acknowledged = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        self._acknowledge()

    def commit(self, batch: Batch) -> None:
        """Commit a batch, all or none.

        Raises:
            JournalError: If it could not be committed.
        """
        connection = self.connection
        try:
            reach("journal.before_commit", self.path)
            connection.execute("BEGIN")
            digest, timers = self._put(batch)
            connection.execute("COMMIT")
            if batch.rows:
                self.last_sequence, self.last_time_ns = batch.rows[-1][:2]
                self.rows += len(batch.rows)
                self.digest, self._timers = digest, timers
                self._acknowledge()
            reach("journal.after_commit", self.path)
        except (sqlite3.Error, OSError) as error:
            with contextlib.suppress(sqlite3.Error):  # there may be nothing to take back
                connection.execute("ROLLBACK")
            raise JournalError(f"the journal cannot be written: {error}") from error

    def _acknowledge(self) -> None:
        if self._acknowledged is not None:
            os.pwrite(self._acknowledged, b"%020d\n" % self.last_sequence, 0)

    def _put(self, batch: Batch) -> tuple[bytes, set[int]]:
        """Write a batch; return the digest, and the timers that are not delivered afterwards."""
        connection = self.connection
        digest, timers = self.digest, self._timers
        rows = batch.rows
        if rows:
            connection.executemany(_INSERT, rows)
            digest = put_commit(connection, rows, digest)
            if batch.has_archived:
                put_archived(connection, rows)
            if self._tracks_timers:
                timers = put_timers(connection, rows, timers)
                put_quarantined(connection, rows)
        put_marks(connection, batch.marks)
        put_snapshots(connection, batch.snapshots)
        return digest, timers

    def close(self, *, is_whole: bool = True) -> None:
        """Leave one complete file behind; where something has gone wrong, leave all as it is."""
        with contextlib.suppress(sqlite3.Error):  # what cannot be tidied up is found by the next
            if is_whole:
                self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                self.connection.execute("PRAGMA journal_mode = DELETE")
        self.connection.close()
        acknowledged, self._acknowledged = self._acknowledged, None
        if acknowledged is not None:
            os.close(acknowledged)


def put_commit(connection: sqlite3.Connection, rows: Sequence[Row], digest: bytes) -> bytes:
    """Vouch for rows; return the digest, which covers the one before it."""
    sums = checksums(rows)
    last = rows[-1][0]
    digest = chained(digest, last, sums)
    connection.execute("INSERT INTO commits VALUES (?, ?, ?)", (last, sums.tobytes(), digest))
    return digest


def put_marks(connection: sqlite3.Connection, marks: Iterable[Mark]) -> None:
    """Remember how far cells have come."""
    for mark in marks:
        fields = (mark.actor, mark.handled, json.dumps(mark.pending), mark.incarnation)
        row = (*fields, checksum(fields))
        connection.execute("INSERT OR REPLACE INTO marks VALUES (?, ?, ?, ?, ?)", row)


def put_snapshots(connection: sqlite3.Connection, snapshots: Iterable[Snapshot]) -> None:
    """Remember snapshots; forget those that are older than the newest two of their actor."""
    for snapshot in snapshots:
        connection.execute(_INSERT_SNAPSHOT, _snapshot_row(snapshot))
        connection.execute(_FORGET_SNAPSHOTS, {"actor": snapshot.actor})


def _snapshot_row(snapshot: Snapshot) -> tuple[object, ...]:
    fields = (
        snapshot.actor,
        snapshot.sequence,
        snapshot.handled,
        json.dumps(snapshot.pending),
        snapshot.time_ns,
        snapshot.fingerprint,
        snapshot.body,
    )
    return (*fields, checksum(fields))


def _read(decode: Callable[[bytes], Message], row: Row) -> Message:
    try:
        return decode(row[7])
    except msgspec.MsgspecError as error:
        raise JournalError(f"row {row[0]}: is no {row[6]}: {error}") from error


def put_archived(connection: sqlite3.Connection, rows: Iterable[Row]) -> None:
    """Remember where the latest of each kind and key is."""
    found = [(_read(_archived, row), row[0]) for row in rows if row[6] == _ARCHIVED]
    places = [(message.kind, message.key, sequence) for message, sequence in found]
    connection.executemany("INSERT OR REPLACE INTO archive VALUES (?, ?, ?)", places)


def put_quarantined(connection: sqlite3.Connection, rows: Iterable[Row]) -> None:
    """Remember which messages were set aside."""
    found = [_read(_quarantined, row) for row in rows if row[6] == _QUARANTINED]
    places = [(message.actor, message.message_sequence) for message in found]
    connection.executemany("INSERT OR IGNORE INTO quarantine VALUES (?, ?)", places)


def put_timers(connection: sqlite3.Connection, rows: Iterable[Row], timers: set[int]) -> set[int]:
    """Remember what was sent for later; forget what has been delivered. Return what is left."""
    left = dict.fromkeys(timers)
    new: dict[int, Row] = {}
    delivered = []
    for row in rows:
        if row[5] is not None:
            new[row[0]] = row
        elif row[4] in new:
            del new[row[4]]
        elif row[4] in left:
            del left[row[4]]
            delivered.append((row[4],))
    connection.executemany("DELETE FROM timers WHERE sequence = ?", delivered)
    connection.executemany(INSERT_TIMER, new.values())
    return {*left, *new}
