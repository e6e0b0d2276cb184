"""What is checked: every byte of every row, and that nothing is added or left out."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.errors import JournalError
from runtime.kernel.envelope import Envelope
from runtime.kernel.journal import LiveJournal, verify
from tests.runtime.kernel.fakes import Note
from tests.runtime.kernel.journal.stored import (
    NAME,
    change,
    fill,
    journal,
    numbered,
    send_later,
    snapshot,
)

ROWS = 12
TEXT = ("sender", "receivers", "type", "body")
NUMBERS = ("sequence", "time_ns", "cause", "due_ns")


@cache
def content() -> bytes:
    """Return a journal that is in order."""
    with TemporaryDirectory() as folder:
        made = journal(Path(folder))
        for sequence in range(1, ROWS + 1):
            message = Note("b", f"text {sequence}")
            due_ns = 99 if sequence % 3 == 0 else None
            made.append(Envelope(sequence, 7, "a", sequence // 2, message), "b,c", due_ns)
        made.close()
        return (Path(folder) / NAME).read_bytes()


def written(folder: Path) -> Path:
    """Write and return a journal that is in order."""
    (folder / NAME).write_bytes(content())
    return folder / NAME


def test_a_journal_in_order_says_what_it_holds(tmp_path: Path) -> None:
    path = written(tmp_path)
    found = verify(path)
    assert (found.segments, found.commits, found.rows, found.last_sequence) == (1, 1, ROWS, ROWS)
    other = tmp_path / "other"
    other.mkdir()
    assert verify(written(other)) == found


@given(row=st.integers(1, ROWS), column=st.sampled_from(TEXT), data=st.data())
def test_any_bit_of_a_text_that_flips_is_found(row: int, column: str, data: Any) -> None:
    with TemporaryDirectory() as folder:
        path = written(Path(folder))
        flip = Flip(path, column, row)
        flip.flip(data.draw(st.integers(0, flip.bits - 1)))
        with pytest.raises(JournalError, match=r"row \d+|not a journal: Could not decode"):
            verify(path)


@given(row=st.integers(1, ROWS), column=st.sampled_from(NUMBERS), bit=st.integers(0, 40))
def test_any_bit_of_a_number_that_flips_is_found(row: int, column: str, bit: int) -> None:
    with TemporaryDirectory() as folder:
        path = written(Path(folder))
        changed = f"({column} | {1 << bit}) - ({column} & {1 << bit})"
        change(
            path,
            f"UPDATE OR REPLACE envelopes SET {column} = coalesce({changed}, 1) WHERE sequence = ?",
            (row,),
        )
        with pytest.raises(JournalError, match=r"rows? \d+|rows before"):
            verify(path)


@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_no_flipped_bit_of_the_file_goes_unnoticed_in_what_is_read(place: float, bit: int) -> None:
    with TemporaryDirectory() as folder:
        path = written(Path(folder))
        before = verify(path)
        changed = bytearray(content())
        changed[int(place * len(changed))] ^= 1 << bit
        path.write_bytes(changed)
        try:
            assert verify(path) == before  # a bit that says nothing, in a gap between rows
        except JournalError as error:
            assert str(error).startswith(folder)  # noqa: PT017 - either is right


class Flip:
    """Flips a bit of a text in a journal."""

    def __init__(self, path: Path, column: str, row: int) -> None:
        self.path = path
        self.column = column
        self.row = row
        self.text = self._read()
        self.bits = 8 * len(self.text)

    def _read(self) -> bytes:
        query = f"SELECT CAST({self.column} AS BLOB) FROM envelopes WHERE sequence = ?"
        with closing(sqlite3.connect(self.path)) as connection:
            found: bytes = connection.execute(query, (self.row,)).fetchone()[0]
        return found

    def flip(self, bit: int) -> None:
        changed = bytearray(self.text)
        changed[bit // 8] ^= 1 << bit % 8
        value = "?" if self.column == "body" else "CAST(? AS TEXT)"
        statement = f"UPDATE envelopes SET {self.column} = {value} WHERE sequence = ?"
        change(self.path, statement, (bytes(changed), self.row))


def lose_last(path: Path) -> None:
    change(path, f"DELETE FROM envelopes WHERE sequence = {ROWS}")


def lose_one(path: Path) -> None:
    change(path, "DELETE FROM envelopes WHERE sequence = 5")


def lose_all(path: Path) -> None:
    change(path, "DELETE FROM envelopes")


def add(path: Path) -> None:
    change(path, "INSERT INTO envelopes VALUES (99, 0, 'a', 'b', 0, NULL, 'Ask', '{}')")


def lose_commit(path: Path) -> None:
    change(path, "DELETE FROM commits")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lose_last, f"rows before {ROWS} are missing"),
        (lose_one, "row 6: its checksum does not fit"),
        (lose_all, f"rows before {ROWS} are missing"),
        (add, "row 99: no commit vouches for it"),
        (lose_commit, "row 1: no commit vouches for it"),
    ],
)
def test_rows_that_are_missing_or_too_many_are_found(
    tmp_path: Path, damage: Callable[[Path], None], message: str
) -> None:
    path = written(tmp_path)
    damage(path)
    with pytest.raises(JournalError, match=message):
        verify(path)


def test_a_cause_that_is_not_before_its_effect_is_found(tmp_path: Path) -> None:
    made = journal(tmp_path)
    made.append(numbered(1, cause=1), "b")
    made.close()
    with pytest.raises(JournalError, match="row 1: its cause 1 is not before it"):
        verify(tmp_path / NAME)


def test_a_number_that_is_left_out_is_found(tmp_path: Path) -> None:
    made = journal(tmp_path)
    fill(made, 1)
    fill(made, 1, 3)
    made.close()
    with pytest.raises(JournalError, match="row 2 is missing"):
        verify(tmp_path / NAME)


def test_a_damaged_snapshot_is_found(tmp_path: Path) -> None:
    made = journal(tmp_path)
    fill(made, 1)
    made.keep([snapshot("b", 1)])
    made.close()
    change(tmp_path / NAME, "UPDATE snapshots SET fingerprint = 'other'")
    with pytest.raises(JournalError, match="a snapshot is damaged"):
        verify(tmp_path / NAME)


async def test_a_timer_that_is_not_what_was_sent_is_found(tmp_path: Path) -> None:
    made = journal(tmp_path, LiveJournal)
    send_later(made, 1)
    made.close()
    change(tmp_path / NAME, "UPDATE timers SET due_ns = 1")
    with pytest.raises(JournalError, match="timer 1: is not what its row says"):
        verify(tmp_path / NAME)


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path)
    whole = content()
    for size in (len(whole) - 8192, len(whole) // 2, 100, 1):
        path.write_bytes(whole[:size])
        with pytest.raises(JournalError, match=r"not a journal|damaged"):
            verify(path)
