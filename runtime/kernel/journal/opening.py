"""Opens the journal of a live run: a new one, or one of an earlier process to go on with."""

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import attrs

from actors.errors import JournalError
from runtime.kernel.faults import reach
from runtime.kernel.journal.migration import migrate
from runtime.kernel.journal.schema import (
    check_version,
    connect,
    create,
    limit_size,
    read_meta,
)
from runtime.kernel.journal.segments import archived_path, finish_rotation, forget, sync_folder
from runtime.kernel.journal.store import Store
from runtime.kernel.journal.verify import check_between, check_structure, check_tail

_SMALL_BYTES = 32 * 1024 * 1024
_CURE = (
    "put back a copy, or move the file away and begin with an empty journal and what the venue says"
)


def acknowledged_path(path: Path) -> Path:
    """Return where a running journal notes how far its commits have come."""
    return path.with_name(f"{path.name}-last")


@attrs.frozen(kw_only=True)
class Opened:
    """A journal to be written.

    Attributes:
        store: Its writing end.
        is_resumed: Whether it is one to go on with.
        checked_after: The sequence after which all its rows have been checked.
    """

    store: Store
    is_resumed: bool
    checked_after: int


def open_live(path: Path, meta: dict[str, str]) -> Opened:
    """Open a journal, new or not.

    A rotation that was interrupted is finished, an older version is brought up to date.

    Raises:
        JournalError: If it is another run's, or is damaged; what was committed and acknowledged
            must be there.
    """
    finish_rotation(path)
    is_resumed = path.exists()
    if not is_resumed:
        _check_not_lost(path)
        connection, checked_after = _create(path, meta), 0
    else:
        connection, checked_after = _open_existing(path, meta)
    connection.execute("PRAGMA synchronous = FULL")
    limit_size(connection)
    store = Store(path, connection, read_meta(connection), tracks_timers=True)
    if is_resumed:
        _check_acknowledged(store)
    store.acknowledge_in(acknowledged_path(path))
    return Opened(store=store, is_resumed=is_resumed, checked_after=checked_after)


def reopen(path: Path) -> Store:
    """Open the segment that a rotation has just begun."""
    connection = connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    limit_size(connection)
    store = Store(path, connection, read_meta(connection), tracks_timers=True)
    store.acknowledge_in(acknowledged_path(path))
    return store


def _create(path: Path, meta: dict[str, str]) -> sqlite3.Connection:
    """Make a journal beside its place, so that there is either a whole one or none."""
    new = path.with_name(f"{path.stem}-new{path.suffix}")
    forget(new)
    connection = create(new, meta)
    try:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.close()
        reach("journal.created")
        os.rename(new, path)
        sync_folder(path.parent)
        connection = connect(path)
        connection.execute("PRAGMA journal_mode = WAL")
    except (sqlite3.Error, OSError) as error:
        connection.close()
        raise JournalError(f"{path}: cannot be made: {error}") from error
    return connection


def _check_not_lost(path: Path) -> None:
    first = archived_path(path, 1)
    for witness in (first, acknowledged_path(path)):
        if witness.exists():
            raise JournalError(f"{path}: is missing, but {witness.name} is there: {_CURE}")


def check_rows(path: Path, after: int, up_to: int) -> None:
    """Check rows that a process has left, after one sequence and up to another.

    Raises:
        JournalError: If one is not as it was written.
    """
    with _telling_damage(path):
        check_between(path, after, up_to)


def _open_existing(path: Path, meta: Mapping[str, str]) -> tuple[sqlite3.Connection, int]:
    with _telling_damage(path):
        _check_size(path)
        connection = connect(path)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            found = read_meta(connection)
            version = check_version(path, found)
            _check_same_run(path, found, meta)
            if version == 1:
                migrate(connection)
                found = read_meta(connection)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            _check_size(path)
            if path.stat().st_size <= _SMALL_BYTES:
                check_structure(path, connection)
            checked_after = check_tail(path, connection, found)
        except BaseException:
            connection.close()
            raise
    return connection, checked_after


@contextmanager
def _telling_damage(path: Path) -> Iterator[None]:
    """Say what to do about a journal that cannot be used."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise JournalError(f"{path}: not a journal: {error}: {_CURE}") from error
    except JournalError as error:
        where = "" if str(error).startswith(str(path)) else f"{path}: "
        raise JournalError(f"{where}{error}: {_CURE}") from error


def _check_size(path: Path) -> None:
    """Check that no page is missing at the end: without a log, the header must be right."""
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size:
        return
    with path.open("rb") as opened:
        header = opened.read(32)
    page_size = int.from_bytes(header[16:18], "big")
    pages = int.from_bytes(header[28:32], "big")
    found = path.stat().st_size
    if found < pages * page_size:
        raise JournalError(f"{path}: expected {pages * page_size} bytes, found {found}: cut off")


def _check_same_run(path: Path, found: Mapping[str, str], meta: Mapping[str, str]) -> None:
    for key, expected in sorted(meta.items()):
        if found.get(key) != expected:
            raise JournalError(
                f"{path}: is another run's: {key}: expected {expected}, found {found.get(key)}: use"
                " that name and seed, or another folder"
            )


def _check_acknowledged(store: Store) -> None:
    """Check that nothing is lost that was reported as durable."""
    witness = acknowledged_path(store.path)
    if not witness.exists():
        return
    noted = witness.read_bytes().strip()
    if noted.isdigit() and int(noted) > store.last_sequence:
        lost = f"ends with row {store.last_sequence}, but row {int(noted)} was committed"
        store.close(is_whole=False)
        raise JournalError(f"{store.path}: {lost}: its end is damaged: {_CURE}")
