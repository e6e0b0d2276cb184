"""A journal of several files: complete ones with a number, and the one that is written."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio
from loguru import logger

from actors.errors import JournalError
from runtime.kernel import faults
from runtime.kernel.journal import LiveJournal, Mark, verify
from tests.runtime.kernel.journal.stored import (
    NAME,
    archive,
    change,
    deliver,
    file_names,
    fill,
    journal,
    read,
    running,
    send_later,
    sequences,
    set_aside,
    snapshot,
    write,
)

FIRST = "journal-000001.sqlite"
SECOND = "journal-000002.sqlite"


async def in_three_files(folder: Path) -> None:
    """Write a journal with timers, archived states, and something set aside."""
    async with trio.open_nursery() as nursery:
        written = await running(nursery, folder)
        written.marks = lambda: [Mark("b", 2)]
        send_later(written, 1)
        send_later(written, 2)
        archive(written, 3, "A", '{"n":1}')
        archive(written, 4, "B", '{"n":1}')
        set_aside(written, 5, "b", 4)
        written.keep([snapshot("b", 5)])
        written.rotate()
        await written.durable(5)
        archive(written, 6, "A", '{"n":2}')
        deliver(written, 7, 1)
        written.rotate()
        await written.durable(7)
        fill(written, 2, 8)
        await written.durable(9)
        written.request_stop()
    written.close()


async def test_the_files_are_read_as_one(tmp_path: Path) -> None:
    await in_three_files(tmp_path)
    assert file_names(tmp_path) == [FIRST, SECOND, NAME]
    assert sequences(tmp_path / NAME) == list(range(1, 10))
    found = verify(tmp_path / NAME)
    assert (found.segments, found.rows, found.last_sequence) == (3, 9, 9)


async def test_a_complete_file_can_be_checked_and_read_by_itself(tmp_path: Path) -> None:
    await in_three_files(tmp_path)
    alone = tmp_path / "alone"
    alone.mkdir()
    (tmp_path / FIRST).rename(alone / NAME)
    assert verify(alone / NAME).rows == 5
    assert sequences(alone / NAME) == [1, 2, 3, 4, 5]


async def test_a_new_process_needs_the_last_file_only(tmp_path: Path) -> None:
    await in_three_files(tmp_path)
    for name in (FIRST, SECOND):
        (tmp_path / name).rename(tmp_path / f"away-{name}")
    written = journal(tmp_path, LiveJournal)
    assert (written.last_sequence, written.last_time_ns) == (9, 90)
    assert written.stored_marks() == {"b": Mark("b", 2)}
    assert written.snapshot("b") == snapshot("b", 5)
    assert [each.sequence for each in written.undelivered()] == [2]
    assert written.quarantined("b") == {4}
    assert [each.sequence for each in written.entries(after=7)] == [8, 9]
    with pytest.raises(JournalError, match=rf"{SECOND}: no such journal"):
        list(written.entries(after=6))
    written.close()


async def test_what_was_archived_is_found_in_the_newest_file_that_has_it(tmp_path: Path) -> None:
    await in_three_files(tmp_path)
    written = journal(tmp_path, LiveJournal)
    assert written.find("order", "A") == '{"n":2}'
    assert written.find("order", "B") == '{"n":1}'
    assert written.find("order", "C") is None
    written.close()


async def test_a_delivery_is_told_as_such_where_its_sending_is_in_an_older_file(
    tmp_path: Path,
) -> None:
    await in_three_files(tmp_path)
    written = journal(tmp_path, LiveJournal)
    told = {each.sequence: each.is_delivery for each in written.entries(after=5)}
    assert told == {6: False, 7: True, 8: False, 9: False}
    written.close()


async def test_a_file_that_has_begun_and_is_empty_is_gone_on_with(tmp_path: Path) -> None:
    async with trio.open_nursery() as nursery:
        written = await running(nursery, tmp_path)
        fill(written, 3)
        written.rotate()
        await written.durable(3)
        written.request_stop()
    written.close()
    again = journal(tmp_path, LiveJournal)
    assert (again.last_sequence, again.last_time_ns) == (3, 30)
    fill(again, 1, 4)
    again.close()
    assert verify(tmp_path / NAME).last_sequence == 4


async def filled(folder: Path, rows: int, *snapshots: str) -> int:
    """Write a journal of at most ten rows a file; return how many files it has got."""
    async with trio.open_nursery() as nursery:
        written = await running(nursery, folder, segment_rows=10)
        written.marks = lambda: [Mark("b", 1), Mark("c", 1)]
        for sequence in range(1, rows + 1):
            fill(written, 1, sequence)
            if sequence == 5:
                written.keep([snapshot(actor, 5) for actor in snapshots])
            await written.durable(sequence)
        written.request_stop()
    written.close()
    return verify(folder / NAME).segments


async def test_a_new_file_begins_when_the_old_one_is_full(tmp_path: Path) -> None:
    assert await filled(tmp_path, 25, "b", "c") == 3


async def test_a_new_file_waits_for_everybodys_snapshot_but_not_for_ever(tmp_path: Path) -> None:
    assert await filled(tmp_path, 20, "b") == 1
    other = tmp_path / "other"
    other.mkdir()
    assert await filled(other, 25, "b") == 2


async def test_a_new_file_waits_until_nobody_reads_the_old_one(tmp_path: Path) -> None:
    """A commit begins when the rotation after the one before it has been tried."""
    async with trio.open_nursery() as nursery:
        written = await running(nursery, tmp_path, segment_rows=1)
        fill(written, 1_500)
        await written.durable(1_500)
        fill(written, 1, 1_501)
        await written.durable(1_501)
        assert FIRST in file_names(tmp_path)
        entries = written.entries()
        next(entries)
        for first in (1_502, 1_504):
            fill(written, 2, first)
            await written.durable(first + 1)
        assert SECOND not in file_names(tmp_path)
        assert len(list(entries)) == 1_500
        for first in (1_506, 1_508):
            fill(written, 2, first)
            await written.durable(first + 1)
        assert SECOND in file_names(tmp_path)
        written.request_stop()
    written.close()
    assert verify(tmp_path / NAME).rows == 1_509


async def test_a_new_file_that_cannot_be_made_is_tried_again_some_time_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faults, "_plan", faults.parse("journal.rotate.prepared:1=full"))
    told: list[str] = []
    handler = logger.add(told.append, format="{message}")
    began = []
    async with trio.open_nursery() as nursery:
        written = await running(nursery, tmp_path, segment_rows=40)
        for sequence in range(1, 100):
            fill(written, 1, sequence)
            await written.durable(sequence)
            if FIRST in file_names(tmp_path):
                began.append(sequence)
        written.request_stop()
    written.close()
    logger.remove(handler)
    assert len(told) == 1
    assert "cannot begin a new file, and goes on in this one: " in told[0]
    assert "No space left" in told[0]
    assert began[0] in (46, 47), "after 40 rows, then after 4 more"
    assert "journal-next.sqlite" not in file_names(tmp_path)
    assert verify(tmp_path / NAME).rows == 99


async def test_a_file_that_cannot_be_renamed_ends_the_journal_and_harms_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_names: Any) -> None:
        raise OSError(28, "No space left on device")

    written = journal(tmp_path, LiveJournal)
    fill(written, 1)
    written.rotate()
    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", full)
        with pytest.raises(JournalError, match=r"cannot begin a new file: .*No space left"):
            await written.run()
    with pytest.raises(JournalError, match="cannot begin a new file"):
        fill(written, 1, 2)
    with (tmp_path / "other").open("w") as other:  # gets the first free descriptor
        written.close()
        other.write("unharmed")
    assert (tmp_path / "other").read_text() == "unharmed"
    again = journal(tmp_path, LiveJournal)
    assert sequences(tmp_path / NAME) == [1]
    again.close()


# What an earlier process has left is checked before it is read


async def test_an_old_row_that_has_changed_is_found_before_it_is_read(tmp_path: Path) -> None:
    await write(tmp_path, 2_500)
    await write(tmp_path, 1_200, 2_501)
    change(tmp_path / NAME, "UPDATE envelopes SET time_ns = 7 WHERE sequence = 4")
    written = journal(tmp_path, LiveJournal)
    assert len(list(written.entries(after=2_500))) == 1_200
    with pytest.raises(JournalError, match="row 4: its checksum does not fit: put back a copy"):
        written.entries(after=0)
    written.close()


@pytest.mark.parametrize("name", [FIRST, SECOND])
async def test_a_row_that_has_changed_in_an_older_file_is_found(tmp_path: Path, name: str) -> None:
    await in_three_files(tmp_path)
    change(tmp_path / name, "UPDATE envelopes SET time_ns = time_ns + 1 WHERE sequence IN (2, 7)")
    written = journal(tmp_path, LiveJournal)
    assert [each.sequence for each in written.entries(after=7)] == [8, 9]
    with pytest.raises(JournalError, match=rf"{name}: row [27]: its checksum does not fit"):
        written.entries()
    written.close()


async def test_an_older_file_that_has_lost_its_end_is_found(tmp_path: Path) -> None:
    await in_three_files(tmp_path)
    for table in ("envelopes", "commits"):
        change(tmp_path / FIRST, f"DELETE FROM {table}")
    written = journal(tmp_path, LiveJournal)
    with pytest.raises(JournalError, match=f"{SECOND}: begins with row 6"):
        written.entries()
    written.close()


async def test_the_tail_that_is_always_checked_is_counted_in_rows(tmp_path: Path) -> None:
    """Most numbers belong to market data, which have no rows."""
    written = journal(tmp_path, LiveJournal)
    async with trio.open_nursery() as nursery:
        await nursery.start(written.run)
        for sequence in range(1, 20_000, 1_000):
            fill(written, 1, sequence)
            await written.durable(sequence)
        written.request_stop()
    written.close()
    change(tmp_path / NAME, "UPDATE envelopes SET time_ns = 7 WHERE sequence = 1001")
    with pytest.raises(JournalError, match="row 1001: its checksum does not fit"):
        journal(tmp_path, LiveJournal)


# What is found when the files do not join


def lose_first(folder: Path) -> None:
    (folder / FIRST).unlink()


def lose_second(folder: Path) -> None:
    (folder / FIRST).replace(folder / SECOND)


def change_digest(folder: Path) -> None:
    change(folder / NAME, "UPDATE meta SET value = 'ab' WHERE key = 'previous_digest'")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lose_first, f"{FIRST}: no such journal"),
        (lose_second, f"{NAME}: begins with row 8"),
        (change_digest, f"{NAME}: begins with row 8, digest ab: the segment before ends before"),
    ],
)
async def test_files_that_do_not_join_are_found(
    tmp_path: Path, damage: Callable[[Path], None], message: str
) -> None:
    await in_three_files(tmp_path)
    damage(tmp_path)
    with pytest.raises(JournalError, match=message):
        verify(tmp_path / NAME)


async def test_a_journal_whose_active_file_is_gone_is_not_begun_anew(tmp_path: Path) -> None:
    await write(tmp_path, 12, segment_rows=5)
    (tmp_path / NAME).unlink()
    with pytest.raises(JournalError, match=f"is missing, but {FIRST} is there"):
        journal(tmp_path, LiveJournal)
    with pytest.raises(JournalError, match="no such journal"):
        read(tmp_path / NAME)
