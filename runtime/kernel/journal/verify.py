"""Checks a journal: every row against its checksum, every commit against the chain."""

import sqlite3
from array import array
from collections.abc import Iterable, Mapping
from itertools import zip_longest
from pathlib import Path

import attrs

from actors.errors import JournalError
from runtime.kernel.journal.lookup import checksums_in, marks_of, snapshots_of
from runtime.kernel.journal.rows import NO_DIGEST, Row, chained, checksum
from runtime.kernel.journal.schema import COLUMNS, SIMULATED
from runtime.kernel.journal.segments import END, Asked, segments_after, select

_COMMITS = "SELECT last_sequence, checksums, digest FROM commits WHERE last_sequence > ?"
_COMMIT_BEFORE = """
SELECT last_sequence, digest FROM commits WHERE last_sequence <= ?
ORDER BY last_sequence DESC LIMIT 1
"""
_TIMERS_THAT_DIFFER = f"""
SELECT sequence FROM (SELECT {COLUMNS} FROM timers EXCEPT SELECT {COLUMNS} FROM envelopes)
WHERE sequence >= ?
"""
_TAIL_ROWS = 1000
_TAIL = "SELECT sequence FROM envelopes ORDER BY sequence DESC LIMIT 1 OFFSET ?"


@attrs.frozen(kw_only=True)
class Verified:
    """What a journal that is in order holds; ``digest`` covers everything, empty if it is old."""

    segments: int
    commits: int
    rows: int
    last_sequence: int
    digest: str


@attrs.define
class Chain:
    """How far the rows of a journal have been checked.

    ``is_gapless`` says whether every number must have a row (in simulated runs).
    """

    last_sequence: int = 0
    digest: bytes = NO_DIGEST
    rows: int = 0
    commits: int = 0
    is_gapless: bool = False
    _expected: int = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._expected = self.last_sequence + 1

    def check_commits(self, path: Path, connection: sqlite3.Connection, up_to: int = END) -> None:
        """Check the commits that follow, with their rows; those that end after ``up_to`` are left.

        Raises:
            JournalError: At the first row or commit that is not in order.
        """
        query = f"{_COMMITS} ORDER BY last_sequence"
        for last, blob, digest in connection.execute(query, (self.last_sequence,)):
            if last > up_to:
                return
            rows = select(connection, Asked(after=self.last_sequence, up_to=last))
            sums = checksums_in(blob)
            self._check_rows(path, rows, sums, last)
            found = chained(self.digest, last, sums)
            if found != digest:
                raise JournalError(f"{path}: row {last}: its commit's digest does not fit")
            self.last_sequence, self.digest = last, found
            self.commits += 1
        for row in select(connection, Asked(after=self.last_sequence, up_to=up_to)):
            raise JournalError(f"{path}: row {row[0]}: no commit vouches for it")

    def _check_rows(self, path: Path, rows: Iterable[Row], sums: "array[int]", last: int) -> None:
        for row, expected in zip_longest(rows, sums, fillvalue=None):
            if row is None:
                raise JournalError(f"{path}: rows before {last} are missing")
            if expected is None or checksum(row) != expected:
                raise JournalError(f"{path}: row {row[0]}: its checksum does not fit")
            self.check_row(path, row)

    def check_row(self, path: Path, row: Row) -> None:
        """Check what a row says of others.

        Raises:
            JournalError: If it names a cause that is not before it, or rows before it are missing.
        """
        sequence, cause = row[0], row[4]
        if self.is_gapless and sequence != self._expected:
            raise JournalError(f"{path}: row {self._expected} is missing")
        if not 0 <= cause < sequence:
            raise JournalError(f"{path}: row {sequence}: its cause {cause} is not before it")
        self.rows += 1
        self._expected = sequence + 1


def verify(path: Path) -> Verified:
    """Check all segments of a journal.

    Raises:
        JournalError: If something is not in order: the file and the row.
    """
    chain = Chain()
    with segments_after(path, 0) as segments:
        for connection, meta, file in segments:
            _check_segment(file, connection, meta, chain)
    return Verified(
        segments=len(segments),
        commits=chain.commits,
        rows=chain.rows,
        last_sequence=chain.last_sequence,
        digest=chain.digest.hex(),
    )


def _check_segment(
    path: Path, connection: sqlite3.Connection, meta: Mapping[str, str], chain: Chain
) -> None:
    check_structure(path, connection)
    chain.is_gapless = meta.get("kind") == SIMULATED
    if meta["schema_version"] == "1":
        for row in select(connection):
            chain.check_row(path, row)
            chain.last_sequence = row[0]
        return
    _check_joint(path, meta, chain)
    chain.check_commits(path, connection)
    _check_sides(path, connection, int(meta["first_sequence"]))


def _check_joint(path: Path, meta: Mapping[str, str], chain: Chain) -> None:
    """Check that a segment begins where the one before it ends."""
    begins = (int(meta["first_sequence"]), meta.get("previous_digest", ""))
    expected = (chain.last_sequence + 1, chain.digest.hex())
    if begins != expected:
        raise JournalError(
            f"{path}: begins with row {begins[0]}, digest {begins[1] or 'none'}: the segment before"
            f" ends before row {expected[0]}, digest {expected[1] or 'none'}"
        )


def check_structure(path: Path, connection: sqlite3.Connection) -> None:
    """Let the database check itself.

    Raises:
        JournalError: If its pages are damaged.
    """
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise JournalError(f"{path}: the database is damaged: {' '.join(found.split())}")


def _check_sides(path: Path, connection: sqlite3.Connection, first: int) -> None:
    """Check what stands beside the messages."""
    marks_of(path, connection)
    (count,) = connection.execute("SELECT count(*) FROM snapshots").fetchone()
    if len(list(snapshots_of(connection))) != count:
        raise JournalError(f"{path}: a snapshot is damaged: its checksum does not fit")
    differs = connection.execute(_TIMERS_THAT_DIFFER, (first,)).fetchone()
    if differs is not None:
        raise JournalError(f"{path}: timer {differs[0]}: is not what its row says")


def check_tail(path: Path, connection: sqlite3.Connection, meta: Mapping[str, str]) -> int:
    """Check the last 1,000 rows, and their commits; return after which sequence.

    Raises:
        JournalError: If one is not in order.
    """
    row = connection.execute(_TAIL, (_TAIL_ROWS,)).fetchone()
    chain = _chain_at(connection, meta, 0 if row is None else row[0])
    checked_after = chain.last_sequence
    chain.check_commits(path, connection)
    return checked_after


def check_between(path: Path, after: int, up_to: int) -> None:
    """Check the rows of a journal after one sequence, and up to that at which a commit ends.

    Raises:
        JournalError: If one is not in order, or is missing.
    """
    with segments_after(path, after) as segments:
        chain: Chain | None = None
        for connection, meta, file in segments:
            if chain is None:
                chain = _chain_at(connection, meta, after)
            else:
                _check_joint(file, meta, chain)
            chain.check_commits(file, connection, up_to)


def _chain_at(connection: sqlite3.Connection, meta: Mapping[str, str], sequence: int) -> Chain:
    """Return the chain as it is before the commit with what comes after a sequence."""
    before = connection.execute(_COMMIT_BEFORE, (sequence,)).fetchone()
    if before is None:
        first = int(meta["first_sequence"])
        before = (first - 1, bytes.fromhex(meta.get("previous_digest", "")))
    return Chain(*before)
