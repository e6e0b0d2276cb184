"""The journal of a simulated run: in big batches, the same bytes for the same run."""

from pathlib import Path

import pytest
import trio

from actors.errors import JournalError
from runtime.kernel.envelope import Envelope
from tests.runtime.kernel.fakes import Note
from tests.runtime.kernel.journal.stored import fill, journal, numbers, read, sequences


def test_entries_show_what_has_been_flushed_and_what_has_not(tmp_path: Path) -> None:
    written = journal(tmp_path)
    fill(written, 5_000)
    assert 0 < len(read(tmp_path / "journal.sqlite")) < 5_000
    assert numbers(written) == list(range(1, 5_001))
    written.close()
    assert len(read(tmp_path / "journal.sqlite")) == 5_000


async def test_an_inline_journal_waits_for_nothing(tmp_path: Path) -> None:
    written = journal(tmp_path)
    fill(written, 1)
    with trio.fail_after(0):
        await written.durable(1)
    assert read(tmp_path / "journal.sqlite") == []
    written.close()


def test_the_same_messages_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        written = journal(tmp_path, name=name)
        fill(written, 9_000)
        written.close()
    one, two = ((tmp_path / f"{name}.sqlite").read_bytes() for name in ("one", "two"))
    assert one == two


def test_a_run_that_differs_in_a_byte_gives_other_bytes(tmp_path: Path) -> None:
    for name, text in (("one", "x"), ("two", "y")):
        written = journal(tmp_path, name=name)
        written.append(Envelope(1, 0, "a", 0, Note("b", text)), "b")
        written.close()
    assert (tmp_path / "one.sqlite").read_bytes() != (tmp_path / "two.sqlite").read_bytes()


def test_a_batch_that_cannot_be_written_is_not_written_in_part(tmp_path: Path) -> None:
    written = journal(tmp_path)
    fill(written, 4_095)
    with pytest.raises(JournalError, match="cannot be written: UNIQUE constraint"):
        fill(written, 1)  # a sequence that was used before
    assert read(tmp_path / "journal.sqlite") == []


def test_a_journal_that_is_closed_takes_no_more(tmp_path: Path) -> None:
    written = journal(tmp_path)
    written.close()
    with pytest.raises(JournalError, match="cannot be written: Cannot operate on a closed"):
        fill(written, 4_096)


def test_a_journal_is_never_overwritten(tmp_path: Path) -> None:
    first = journal(tmp_path)
    with pytest.raises(JournalError, match=r"journal\.sqlite exists already"):
        journal(tmp_path)
    fill(first, 1)
    first.close()
    assert sequences(tmp_path / "journal.sqlite") == [1]


def test_a_journal_in_no_folder_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="cannot be made: unable to open"):
        journal(tmp_path / "nowhere")


def test_a_journal_that_is_being_read_does_not_begin_another_file(tmp_path: Path) -> None:
    written = journal(tmp_path)
    fill(written, 5_000)
    entries = written.entries()
    assert next(entries).sequence == 1
    assert written.rotate() is False
    entries.close()
    fill(written, 1, 5_001)
    assert written.rotate() is True
    written.close()
    assert len(read(tmp_path / "journal.sqlite")) == 5_001
