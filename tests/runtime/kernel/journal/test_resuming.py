"""A new process goes on with the journal of an earlier one, or says why not."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import trio

from actors.errors import JournalError
from runtime.kernel import faults
from runtime.kernel.faults import tear
from runtime.kernel.journal import SCHEMA_VERSION, LiveJournal, Mark, read_journal, verify
from tests.runtime.kernel.journal.stored import (
    META,
    NAME,
    any_codec,
    archive,
    change,
    deliver,
    file_names,
    fill,
    journal,
    numbers,
    running,
    send_later,
    set_aside,
    snapshot,
    write,
)

SAMPLE = Path(__file__).parents[1] / "samples" / "journal-v1.db"
SAMPLE_META = {"run_id": "sample-7"}


def left_behind(folder: Path, name: str = "left") -> Path:
    """Copy what a process that is killed now leaves behind."""
    left = folder / name
    left.mkdir()
    for path in folder.iterdir():
        if path.is_file() and not path.name.endswith("-shm"):
            shutil.copy(path, left)
    return left


async def killed(folder: Path) -> Path:
    """Return the folder of a process that was killed when it had written six rows."""
    async with trio.open_nursery() as nursery:
        written = await running(nursery, folder)
        written.marks = lambda: [Mark("b", 3, (2,))]
        send_later(written, 1)
        send_later(written, 2)
        deliver(written, 3, 2)
        archive(written, 4, "A", '{"n":1}')
        await written.durable(4)
        written.keep([snapshot("b", 4, (2,))])
        set_aside(written, 5, "b", 4)
        fill(written, 1, 6)
        await written.durable(6)
        left = left_behind(folder)
        written.request_stop()
    written.close()
    return left


async def test_a_new_process_knows_all_that_was_durable(tmp_path: Path) -> None:
    left = await killed(tmp_path)
    written = journal(left, LiveJournal)
    assert written.is_resumed
    assert (written.last_sequence, written.last_time_ns) == (6, 60)
    assert written.stored_marks() == {"b": Mark("b", 3, (2,))}
    assert written.snapshot("b") == snapshot("b", 4, (2,))
    assert [each.sequence for each in written.undelivered()] == [1]
    assert written.quarantined("b") == {4}
    assert written.find("order", "A") == '{"n":1}'
    assert [each.sequence for each in written.entries(after=2)] == [3, 4, 5, 6]
    assert [each.is_delivery for each in written.entries(after=2)] == [True, False, False, False]
    written.close()
    assert verify(left / NAME).rows == 6


async def test_what_is_written_on_joins_what_was_there(tmp_path: Path) -> None:
    await write(tmp_path, 3)
    await write(tmp_path, 3, 4)
    written = journal(tmp_path, LiveJournal)
    assert numbers(written) == [1, 2, 3, 4, 5, 6]
    written.close()
    assert verify(tmp_path / NAME).commits == 2
    assert file_names(tmp_path) == [NAME]


async def test_a_timer_of_an_earlier_process_is_delivered_by_a_later_one(tmp_path: Path) -> None:
    left = await killed(tmp_path)
    async with trio.open_nursery() as nursery:
        written = await running(nursery, left)
        deliver(written, 7, 1)
        await written.durable(7)
        written.request_stop()
    assert written.undelivered() == []
    written.close()
    assert verify(left / NAME).rows == 7


async def test_a_new_journal_is_not_resumed(tmp_path: Path) -> None:
    written = journal(tmp_path, LiveJournal)
    assert not written.is_resumed
    assert (written.last_sequence, written.last_time_ns) == (0, 0)
    assert written.undelivered() == []
    written.close()
    again = journal(tmp_path, LiveJournal)
    assert again.is_resumed
    assert again.last_sequence == 0
    again.close()


async def test_a_journal_that_cannot_be_made_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faults, "_plan", faults.parse("journal.created:1=full"))
    with pytest.raises(JournalError, match=r"journal\.sqlite: cannot be made: .*No space left"):
        journal(tmp_path, LiveJournal)
    assert not journal(tmp_path, LiveJournal).is_resumed


async def test_another_run_is_not_gone_on_with(tmp_path: Path) -> None:
    await write(tmp_path, 1)
    with pytest.raises(JournalError, match="run_id: expected other, found run"):
        LiveJournal(tmp_path / NAME, any_codec(), {"run_id": "other"})


async def test_a_damaged_snapshot_is_passed_over(tmp_path: Path) -> None:
    async with trio.open_nursery() as nursery:
        written = await running(nursery, tmp_path)
        fill(written, 2)
        written.keep([snapshot("b", 1), snapshot("b", 2)])
        await written.durable(2)
        written.request_stop()
    written.close()
    change(tmp_path / NAME, "UPDATE snapshots SET body = x'00' WHERE sequence = 2")
    written = journal(tmp_path, LiveJournal)
    assert written.snapshot("b") == snapshot("b", 1)
    written.close()


async def test_a_damaged_mark_is_refused(tmp_path: Path) -> None:
    left = await killed(tmp_path)
    change(left / NAME, "UPDATE marks SET handled = 4")
    written = journal(left, LiveJournal)
    with pytest.raises(JournalError, match="the mark of b: its checksum does not fit"):
        written.stored_marks()
    written.close()


# What is damaged


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-8192])


def change_row(path: Path) -> None:
    change(path, "UPDATE envelopes SET body = replace(body, '4', '5') WHERE sequence = 4")


def lose_row(path: Path) -> None:
    change(path, "DELETE FROM envelopes WHERE sequence = 5")


def add_row(path: Path) -> None:
    change(path, "INSERT INTO envelopes VALUES (29, 0, 'a', 'b', 0, NULL, 'Ask', '{}')")


def change_digest(path: Path) -> None:
    change(path, "UPDATE commits SET digest = x'00'")


def overwrite_header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"garbage!" * 4)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (cut_off, "cut off"),
        (tear, "the database is damaged|is malformed|does not fit|missing"),
        (change_row, "row 4: its checksum does not fit"),
        (lose_row, "rows before 5 are missing|row 6: its checksum does not fit"),
        (add_row, "row 29: no commit vouches for it"),
        (change_digest, "row 20: its commit's digest does not fit"),
        (overwrite_header, "cut off|not a journal"),
    ],
)
async def test_a_damaged_journal_is_refused_in_one_line(
    tmp_path: Path, damage: Callable[[Path], None], message: str
) -> None:
    await write(tmp_path, 20)
    damage(tmp_path / NAME)
    with pytest.raises(JournalError, match=message) as caught:
        journal(tmp_path, LiveJournal)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path / NAME}: ")
    assert "put back a copy" in str(caught.value)


async def test_an_acknowledged_commit_that_is_lost_is_noticed(tmp_path: Path) -> None:
    async with trio.open_nursery() as nursery:
        written = await running(nursery, tmp_path)
        for sequence in (1, 2, 3):
            fill(written, 1, sequence)
            await written.durable(sequence)
        left = left_behind(tmp_path)
        written.request_stop()
    written.close()
    tear(left / NAME)
    with pytest.raises(JournalError, match="ends with row 2, but row 3 was committed"):
        journal(left, LiveJournal)


async def test_a_journal_that_is_gone_is_not_begun_anew(tmp_path: Path) -> None:
    async with trio.open_nursery() as nursery:
        written = await running(nursery, tmp_path)
        fill(written, 1)
        await written.durable(1)
        left = left_behind(tmp_path)
        written.request_stop()
    written.close()
    (left / NAME).unlink()
    with pytest.raises(JournalError, match=r"is missing, but journal\.sqlite-last is there"):
        journal(left, LiveJournal)


# Older versions


def test_the_sample_of_version_1_is_read_as_it_is(tmp_path: Path) -> None:
    from runtime.wiring.plant import codec

    path = tmp_path / "journal.db"
    shutil.copy(SAMPLE, path)
    entries = list(read_journal(path, codec()))
    assert [each.sequence for each in entries] == list(range(1, 168))
    assert sum(each.is_delivery for each in entries) == 28
    found = verify(path)
    assert (found.rows, found.last_sequence, found.digest) == (167, 167, "")
    assert path.read_bytes() == SAMPLE.read_bytes()


def test_the_sample_of_version_1_is_gone_on_with(tmp_path: Path) -> None:
    from runtime.wiring.plant import codec

    async def go_on() -> None:
        written = LiveJournal(path, codec(), SAMPLE_META)
        assert written.is_resumed
        assert (written.last_sequence, written.stored_marks()) == (167, {})
        assert written.undelivered() == []
        written.close()

    path = tmp_path / "journal.db"
    shutil.copy(SAMPLE, path)
    before = list(read_journal(path, codec()))
    trio.run(go_on)
    assert list(read_journal(path, codec())) == before
    found = verify(path)
    assert (found.rows, found.commits) == (167, 1)
    assert len(found.digest) == 32


async def test_a_version_of_later_times_is_refused(tmp_path: Path) -> None:
    await write(tmp_path, 1)
    change(tmp_path / NAME, "UPDATE meta SET value = '3' WHERE key = 'schema_version'")
    with pytest.raises(JournalError, match=f"expected schema version {SCHEMA_VERSION}, found 3"):
        LiveJournal(tmp_path / NAME, any_codec(), META)


async def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / NAME
    shutil.copy(SAMPLE, path)
    change(path, "UPDATE envelopes SET type = 'Archived', body = '{}' WHERE sequence = 9")
    with pytest.raises(JournalError, match="row 9: is no Archived"):
        LiveJournal(path, any_codec(), SAMPLE_META)
    with closing(sqlite3.connect(path)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    assert "commits" not in tables
