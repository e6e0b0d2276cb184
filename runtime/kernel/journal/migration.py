"""Brings a journal of an older version up to date, in one transaction."""

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import islice

from runtime.kernel.journal.rows import NO_DIGEST, Row
from runtime.kernel.journal.schema import MIGRATED, MORE_TABLES, SCHEMA_VERSION
from runtime.kernel.journal.segments import select
from runtime.kernel.journal.store import put_archived, put_commit, put_quarantined, put_timers

_ROWS_PER_COMMIT = 4096
_META = {
    "schema_version": str(SCHEMA_VERSION),
    "segment": "1",
    "first_sequence": "1",
    MIGRATED: "1",
}


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a journal of version 1 to version 2: give its rows checksums, index them."""
    connection.execute("BEGIN")
    try:
        for table in MORE_TABLES:
            connection.execute(table)
        connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", _META.items())
        digest, timers = NO_DIGEST, set[int]()
        for rows in _batches(select(connection)):
            digest = put_commit(connection, rows, digest)
            put_archived(connection, rows)
            put_quarantined(connection, rows)
            timers = put_timers(connection, rows, timers)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    left = iter(rows)
    while batch := list(islice(left, _ROWS_PER_COMMIT)):
        yield batch
