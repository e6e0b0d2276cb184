"""Looks up in complete segments what actors have let the journal remember."""

import contextlib
import sqlite3
from pathlib import Path

from runtime.kernel.journal.lookup import find_in
from runtime.kernel.journal.schema import read_only
from runtime.kernel.journal.segments import archived_path

OPEN = 64
"""How many complete segments stay open, the newest: opening one takes fifty times as long as
asking it, and most questions are about what no segment knows."""
_LITTLE_MEMORY = "PRAGMA cache_size = -32"


class Archives:
    """The complete segments of a journal, as far as what they remember is concerned.

    Args:
        path: The segment that is written.
        most: How many stay open; 1 or more.
    """

    def __init__(self, path: Path, most: int = OPEN) -> None:
        self._path = path
        self._most = most
        self._open: dict[int, sqlite3.Connection] = {}

    def find(self, segments: int, kind: str, key: str) -> str | None:
        """Return the latest state that is held under a key, as JSON; None if there is none.

        Args:
            segments: How many segments are complete.
            kind: What it is looked up by,
            key: and this.
        """
        for number in range(segments, 0, -1):
            if number > segments - self._most:
                found = find_in(self._opened(number), kind, key)
            else:
                with contextlib.closing(self._connect(number)) as connection:
                    found = find_in(connection, kind, key)
            if found is not None:
                return found
        return None

    def _opened(self, number: int) -> sqlite3.Connection:
        connection = self._open.get(number)
        if connection is None:
            connection = self._open[number] = self._connect(number)
            self._close(number - self._most)
        return connection

    def _connect(self, number: int) -> sqlite3.Connection:
        connection = read_only(archived_path(self._path, number))
        connection.execute(_LITTLE_MEMORY)
        return connection

    def _close(self, number: int) -> None:
        connection = self._open.pop(number, None)
        if connection is not None:
            connection.close()

    def close(self) -> None:
        """Close all that are open."""
        for number in list(self._open):
            self._close(number)
