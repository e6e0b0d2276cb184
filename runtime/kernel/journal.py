"""The journal: an append-only record of envelopes in SQLite, and reading it back.

One row per message, in the order of sequence numbers. A message that is to be delivered later is
written when it is sent, with ``due_ns``, and again (as a row that names the first as its cause)
when it is delivered.

=========== =====================================================================
column      meaning
=========== =====================================================================
sequence    unique, growing: the order in which every receiver handles
time_ns     when it was sent
sender      actor name
receivers   actor names, comma-separated
cause       sequence of the message that led to this one, 0 for none
due_ns      when it is to be delivered, NULL for at once
type        message type
body        the message as JSON
=========== =====================================================================
"""

import contextlib
import json
import sqlite3
from collections.abc import Container, Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

import attrs
import trio

from actors.errors import JournalError
from runtime.kernel.codec import Codec
from runtime.kernel.envelope import Envelope

SCHEMA_VERSION = 1
_FLUSH_ROWS = 4096

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE envelopes (
    sequence INTEGER PRIMARY KEY,
    time_ns INTEGER NOT NULL,
    sender TEXT NOT NULL,
    receivers TEXT NOT NULL,
    cause INTEGER NOT NULL,
    due_ns INTEGER,
    type TEXT NOT NULL,
    body BLOB NOT NULL
);
"""
_INSERT = "INSERT INTO envelopes VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_COLUMNS = "sequence, time_ns, sender, receivers, cause, due_ns, type, body"
_SELECT = f"""
SELECT {_COLUMNS} FROM envelopes
WHERE :types IS NULL OR type IN (SELECT value FROM json_each(:types))
ORDER BY sequence
"""
_SELECT_OF = f"""
SELECT {_COLUMNS} FROM envelopes
WHERE sequence <= :up_to
AND (:actor IS NULL OR sender = :actor OR instr(',' || receivers || ',', ',' || :actor || ','))
ORDER BY sequence
"""
_END = (1 << 63) - 1

Row = tuple[int, int, str, str, int, int | None, str, bytes]


@attrs.frozen(kw_only=True)
class Entry:
    """One row of the journal, read back."""

    sequence: int
    time_ns: int
    sender: str
    receivers: tuple[str, ...]
    cause: int
    due_ns: int | None
    type: str
    message: Any

    @property
    def receiver(self) -> str:
        """Return the receivers as text."""
        return ",".join(self.receivers)


class Journal(Protocol):
    """Where envelopes are recorded."""

    def append(self, envelope: Envelope, receivers: str, due_ns: int | None = None) -> None:
        """Record an envelope; it is durable after the next :meth:`flush` or group commit."""
        ...

    async def durable(self, sequence: int) -> None:
        """Return when everything up to ``sequence`` is committed."""
        ...

    def entries(self, actor: str | None = None) -> Iterator[Entry]:
        """Yield everything recorded so far, in order; or what one actor has received or sent."""
        ...

    def close(self) -> None:
        """Commit and close."""
        ...


def _open_new(path: Path, meta: dict[str, str]) -> sqlite3.Connection:
    if path.exists():
        raise JournalError(f"{path.name} exists already: a journal is never overwritten")
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA page_size = 8192")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(_SCHEMA)
    rows = {"schema_version": str(SCHEMA_VERSION), **meta}
    connection.executemany("INSERT INTO meta VALUES (?, ?)", sorted(rows.items()))
    return connection


def _write(connection: sqlite3.Connection, rows: list[Row]) -> None:
    """Commit rows, all or none."""
    try:
        connection.execute("BEGIN")
        connection.executemany(_INSERT, rows)
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        with contextlib.suppress(sqlite3.Error):  # there may be nothing to take back
            connection.execute("ROLLBACK")
        raise JournalError(f"the journal cannot be written: {error}") from error


def _close(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()


def _committed_rows(
    connection: sqlite3.Connection, actor: str | None, up_to: int = _END
) -> list[Row]:
    """Return what is committed, of everybody or of one actor: found before it is decoded."""
    return connection.execute(_SELECT_OF, {"actor": actor, "up_to": up_to}).fetchall()


def _is_of(row: Row, actor: str) -> bool:
    return row[2] == actor or actor in row[3].split(",")


def _entry(codec: Codec, row: Row) -> Entry:
    sequence, time_ns, sender, receivers, cause, due_ns, kind, body = row
    return Entry(
        sequence=sequence,
        time_ns=time_ns,
        sender=sender,
        receivers=tuple(receivers.split(",")),
        cause=cause,
        due_ns=due_ns,
        type=kind,
        message=codec.decode(kind, body),
    )


class InlineJournal:
    """The journal of a simulated run: written by the sequencer's task itself, in big batches.

    The same run gives the same bytes: rows are committed in batches of a fixed size.
    """

    def __init__(self, path: Path, codec: Codec, meta: dict[str, str]) -> None:
        self._codec = codec
        self._encode = codec.encode
        self._connection = _open_new(path, meta)
        self._connection.execute("PRAGMA synchronous = OFF")
        self._rows: list[Row] = []

    def append(self, envelope: Envelope, receivers: str, due_ns: int | None = None) -> None:
        """Record an envelope."""
        message = envelope.message
        rows = self._rows
        rows.append(
            (
                envelope.sequence,
                envelope.time_ns,
                envelope.sender,
                receivers,
                envelope.cause,
                due_ns,
                message.__class__.__name__,
                self._encode(message),
            )
        )
        if len(rows) >= _FLUSH_ROWS:
            _write(self._connection, rows)
            self._rows = []

    async def durable(self, sequence: int) -> None:
        """Return at once: a simulated run is repeated, not recovered."""

    def entries(self, actor: str | None = None) -> Iterator[Entry]:
        """Yield everything recorded so far, in order; or what one actor has received or sent."""
        rows = _committed_rows(self._connection, actor)
        for row in rows + self._rows:
            if actor is None or _is_of(row, actor):
                yield _entry(self._codec, row)

    def close(self) -> None:
        """Commit and close."""
        _write(self._connection, self._rows)
        self._rows = []
        _close(self._connection)


class LiveJournal:
    """The journal of a live run: one writer actor commits in groups, in a thread of its own.

    Whoever needs a message to be durable waits in :meth:`durable`; everybody who waits while a
    commit is under way shares the next one.
    """

    name = "journal"

    def __init__(self, path: Path, codec: Codec, meta: dict[str, str]) -> None:
        self._codec = codec
        self._connection = _open_new(path, meta)
        self._connection.execute("PRAGMA synchronous = FULL")
        self._rows: list[Row] = []
        self._appended = 0
        self._committed = 0
        self._work = trio.Event()
        self._done = trio.Event()
        self._is_stopping = False
        self._thread = trio.CapacityLimiter(1)
        self.commits = 0

    def append(self, envelope: Envelope, receivers: str, due_ns: int | None = None) -> None:
        """Record an envelope; the writer actor commits it."""
        message = envelope.message
        row = (
            envelope.sequence,
            envelope.time_ns,
            envelope.sender,
            receivers,
            envelope.cause,
            due_ns,
            type(message).__name__,
            self._codec.encode(message),
        )
        self._rows.append(row)
        self._appended = envelope.sequence
        self._work.set()

    async def durable(self, sequence: int) -> None:
        """Return when everything up to ``sequence`` that was appended is committed."""
        while self._committed < min(sequence, self._appended):
            await self._done.wait()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Commit whatever has been appended, group by group, until asked to stop."""
        self._is_stopping = False
        task_status.started()
        while self._rows or not self._is_stopping:
            if self._rows:
                await self._commit(self._rows.copy())
            else:
                self._work = trio.Event()
                await self._work.wait()

    async def _commit(self, rows: list[Row]) -> None:
        """Commit the oldest rows; they stay queued until they are durable."""
        await trio.to_thread.run_sync(_write, self._connection, rows, limiter=self._thread)
        del self._rows[: len(rows)]
        self._committed = rows[-1][0]
        self.commits += 1
        done, self._done = self._done, trio.Event()
        done.set()

    def request_stop(self) -> None:
        """Ask the writer to commit what is left and return."""
        self._is_stopping = True
        self._work.set()

    def entries(self, actor: str | None = None) -> Iterator[Entry]:
        """Yield everything recorded so far, in order; or what one actor has received or sent."""
        rows = _committed_rows(self._connection, actor, self._committed)
        for row in rows + self._rows:
            if actor is None or _is_of(row, actor):
                yield _entry(self._codec, row)

    def close(self) -> None:
        """Commit what is left and close."""
        _write(self._connection, self._rows)
        self._rows = []
        _close(self._connection)


def history(
    entries: Iterable[Entry], actor: str, handled: int, not_handled: Container[int] = ()
) -> Iterator[tuple[str, Any]]:
    """Yield what an actor has received (up to ``handled``, some excepted) and sent, in order.

    A message that was sent for later counts once, when it was sent.
    """
    scheduled: set[int] = set()
    for entry in entries:
        if entry.due_ns is not None:
            scheduled.add(entry.sequence)
        if entry.sender == actor and entry.cause not in scheduled:
            yield "sent", entry.message
        is_delivery = actor in entry.receivers and entry.due_ns is None
        if is_delivery and entry.sequence <= handled and entry.sequence not in not_handled:
            yield "received", entry.message


def read_journal(
    path: Path, codec: Codec, *, types: Iterable[str] | None = None
) -> Iterator[Entry]:
    """Yield the entries of a finished or running journal, in order.

    Args:
        path: The journal.
        codec: Knows the message types.
        types: Names of the message types to yield; by default all. Others are not decoded.

    Raises:
        JournalError: If there is no such file, or it is no journal of a version we can read.
    """
    if not path.exists():
        raise JournalError(f"{path}: no such journal")
    try:
        uri = f"{path.resolve().as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
            _check_version(path, connection)
            names = None if types is None else json.dumps(list(types))
            for row in connection.execute(_SELECT, {"types": names}):
                yield _entry(codec, row)
    except sqlite3.DatabaseError as error:
        raise JournalError(f"{path}: not a journal: {error}") from error


def _check_version(path: Path, connection: sqlite3.Connection) -> None:
    row = connection.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone()
    found = "none" if row is None else row[0]
    if found != str(SCHEMA_VERSION):
        raise JournalError(f"{path}: expected schema version {SCHEMA_VERSION}, found {found}")
