"""What is read back, and what is refused."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from actors.errors import JournalError
from runtime.kernel.journal import SCHEMA_VERSION, read_journal
from tests.runtime.kernel.journal.stored import any_codec, fill, journal, read, running


def not_there(_path: Path) -> None:
    pass


def text(path: Path) -> None:
    path.write_text("not a database, but long enough to be one " * 30)


def folder(path: Path) -> None:
    path.mkdir()


def other_database(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE meta (key TEXT, value TEXT)")
    connection.close()


def set_version(version: str) -> Callable[[Path], None]:
    def prepare(path: Path) -> None:
        other_database(path)
        with sqlite3.connect(path) as connection:
            connection.execute("INSERT INTO meta VALUES ('schema_version', ?)", (version,))
        connection.close()

    return prepare


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (not_there, "no such journal"),
        (text, "not a journal"),
        (folder, "not a journal"),
        (lambda path: path.write_bytes(b""), "not a journal: no such table: meta"),
        (other_database, f"expected schema version {SCHEMA_VERSION}, found none"),
        (set_version("99"), f"expected schema version {SCHEMA_VERSION}, found 99"),
        (set_version("new"), f"expected schema version {SCHEMA_VERSION}, found new"),
        (set_version(str(SCHEMA_VERSION)), "not a journal: no such table: envelopes"),
    ],
)
def test_what_is_no_journal_is_refused_with_a_reason(
    tmp_path: Path, prepare: Callable[[Path], None], message: str
) -> None:
    path = tmp_path / "found.sqlite"
    prepare(path)
    with pytest.raises(JournalError, match=message):
        read(path)


def test_a_journal_of_other_message_types_is_read_up_to_the_first_unknown(tmp_path: Path) -> None:
    written = journal(tmp_path)
    fill(written, 1)
    written.close()
    with sqlite3.connect(tmp_path / "journal.sqlite") as connection:
        connection.execute("INSERT INTO envelopes VALUES (2, 0, 'a', 'b', 0, NULL, 'New', '{}')")
    connection.close()
    entries = read_journal(tmp_path / "journal.sqlite", any_codec())
    assert next(entries).sequence == 1
    with pytest.raises(JournalError, match="message type 'New' is not known"):
        next(entries)


async def test_the_journal_of_a_process_that_was_killed_holds_what_was_durable(
    tmp_path: Path,
) -> None:
    async with trio.open_nursery() as nursery:
        written = await running(nursery, tmp_path)
        fill(written, 3)
        await written.durable(3)
        left = tmp_path / "left"
        left.mkdir()
        for name in ("journal.sqlite", "journal.sqlite-wal"):
            (left / name).write_bytes((tmp_path / name).read_bytes())
        written.request_stop()
    written.close()
    assert [entry.sequence for entry in read(left / "journal.sqlite")] == [1, 2, 3]
