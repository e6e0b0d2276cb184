"""The tables of a journal, and the connections to them.

=========== =====================================================================
table       holds
=========== =====================================================================
meta        what run it is, the schema's version, where this segment begins
envelopes   the messages: append-only, one row each, in the order of sequence
commits     per commit: its last sequence, its rows' checksums, the digest of
            all commits up to it (each digest covers the one before)
marks       how far each cell has come: as of the last commit
snapshots   the newest two states of each core
timers      what was sent for later and is not delivered yet (live journals)
archive     where the latest :class:`Archived` message of a kind and key is
quarantine  which messages were set aside by whom (live journals)
=========== =====================================================================

Of ``envelopes``:

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
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from actors.errors import JournalError
from runtime.kernel import faults

MIGRATED = "migrated"
"""Says in the meta table that a journal was one of version 1, which had no marks."""

SCHEMA_VERSION = 2
READABLE = frozenset({1, SCHEMA_VERSION})
PAGE_SIZE = 8192
SIMULATED = "simulated"
"""The `kind` in the meta data of a journal in which no number is left out."""

_ENVELOPE = """
    sequence INTEGER PRIMARY KEY,
    time_ns INTEGER NOT NULL,
    sender TEXT NOT NULL,
    receivers TEXT NOT NULL,
    cause INTEGER NOT NULL,
    due_ns INTEGER,
    type TEXT NOT NULL,
    body BLOB NOT NULL
"""
_FIRST_TABLES = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    f"CREATE TABLE envelopes ({_ENVELOPE})",
)
MORE_TABLES = (
    """CREATE TABLE commits (
    last_sequence INTEGER PRIMARY KEY,
    checksums BLOB NOT NULL,
    digest BLOB NOT NULL
)""",
    """CREATE TABLE marks (
    actor TEXT PRIMARY KEY,
    handled INTEGER NOT NULL,
    pending TEXT NOT NULL,
    incarnation INTEGER NOT NULL,
    checksum INTEGER NOT NULL
) WITHOUT ROWID""",
    """CREATE TABLE snapshots (
    actor TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    handled INTEGER NOT NULL,
    pending TEXT NOT NULL,
    time_ns INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    body BLOB NOT NULL,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (actor, sequence)
)""",
    f"CREATE TABLE timers ({_ENVELOPE})",
    """CREATE TABLE archive (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (kind, key)
) WITHOUT ROWID""",
    """CREATE TABLE quarantine (
    actor TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (actor, sequence)
) WITHOUT ROWID""",
)
COLUMNS = "sequence, time_ns, sender, receivers, cause, due_ns, type, body"


def connect(path: Path) -> sqlite3.Connection:
    """Return a connection that writes and commits only where it is told to."""
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False)


def read_only(path: Path) -> sqlite3.Connection:
    """Return a connection that only reads."""
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)


def create(path: Path, meta: dict[str, str]) -> sqlite3.Connection:
    """Make a journal and return a connection to it.

    Raises:
        JournalError: If the file exists, or cannot be made.
    """
    if path.exists():
        raise JournalError(f"{path.name} exists already: a journal is never overwritten")
    try:
        connection = connect(path)
        connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN")
        for table in _FIRST_TABLES + MORE_TABLES:
            connection.execute(table)
        rows = {"schema_version": str(SCHEMA_VERSION), "segment": "1", "first_sequence": "1"}
        connection.executemany("INSERT INTO meta VALUES (?, ?)", sorted((rows | meta).items()))
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise JournalError(f"{path}: cannot be made: {error}") from error
    return connection


def limit_size(connection: sqlite3.Connection) -> None:
    """Let the database be full at the size that a plan of faults sets, if it does."""
    pages = faults.limit("journal.pages")
    if pages is not None:
        connection.execute(f"PRAGMA max_page_count = {pages}")


def read_meta(connection: sqlite3.Connection) -> dict[str, str]:
    """Return what a journal says of itself."""
    return dict(connection.execute("SELECT key, value FROM meta").fetchall())


def check_version(path: Path, meta: dict[str, str]) -> int:
    """Return the schema's version.

    Raises:
        JournalError: If it is none that we can read.
    """
    found = meta.get("schema_version", "none")
    if not found.isdigit() or int(found) not in READABLE:
        raise JournalError(f"{path}: expected schema version {SCHEMA_VERSION}, found {found}")
    return int(found)


@contextlib.contextmanager
def reading(path: Path) -> Iterator[tuple[sqlite3.Connection, dict[str, str]]]:
    """Open a journal to read it, also while it is written; give the connection and its meta.

    Raises:
        JournalError: If there is no such file, or it is no journal of a version we can read.
    """
    if not path.exists():
        raise JournalError(f"{path}: no such journal")
    try:
        with contextlib.closing(read_only(path)) as connection:
            meta = read_meta(connection)
            check_version(path, meta)
            yield connection, meta
    except sqlite3.DatabaseError as error:
        raise JournalError(f"{path}: not a journal: {error}") from error
