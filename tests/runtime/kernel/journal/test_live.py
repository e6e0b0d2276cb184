"""The journal of a live run: group commit, and what is durable when."""

from itertools import count
from pathlib import Path

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from actors.errors import JournalError
from runtime.kernel import faults
from runtime.kernel.journal import LiveJournal, Mark
from tests.runtime.kernel.journal.stored import (
    fill,
    journal,
    numbered,
    numbers,
    read,
    running,
    sequences,
    snapshot,
)


async def test_what_is_durable_can_be_read_by_others(tmp_path: Path) -> None:
    async with trio.open_nursery() as nursery:
        written = await running(nursery, tmp_path)
        fill(written, 3)
        await written.durable(3)
        assert len(read(tmp_path / "journal.sqlite")) == 3
        written.request_stop()
    written.close()


async def test_what_is_durable_already_is_not_waited_for(tmp_path: Path) -> None:
    async with trio.open_nursery() as nursery:
        written = await running(nursery, tmp_path)
        fill(written, 2)
        await written.durable(2)
        commits = written.commits
        await written.durable(1)
        await written.durable(99)
        assert written.commits == commits
        written.request_stop()
    written.close()


async def test_many_that_wait_share_their_commits(tmp_path: Path) -> None:
    async with trio.open_nursery() as nursery:
        written = await running(nursery, tmp_path)

        async def work() -> None:
            for _ in range(10):
                sequence = next(sequences)
                written.append(numbered(sequence), "b")
                await written.durable(sequence)
                durable.append(sequence)

        sequences = count(1)
        durable: list[int] = []
        async with trio.open_nursery() as workers:
            for _ in range(50):
                workers.start_soon(work)
        assert len(durable) == 500
        assert 10 <= written.commits <= 40
        written.request_stop()
    assert numbers(written) == list(range(1, 501))
    written.close()


async def test_a_stop_commits_what_is_left(tmp_path: Path) -> None:
    async with trio.open_nursery() as nursery:
        written = await running(nursery, tmp_path)
        await wait_all_tasks_blocked()
        fill(written, 3)
        written.request_stop()
    assert len(read(tmp_path / "journal.sqlite")) == 3
    written.close()


async def test_what_was_appended_while_no_writer_ran_is_written_at_the_close(
    tmp_path: Path,
) -> None:
    written = journal(tmp_path, LiveJournal)
    fill(written, 3)
    assert numbers(written) == [1, 2, 3]
    written.close()
    assert len(read(tmp_path / "journal.sqlite")) == 3


async def test_entries_are_complete_while_a_commit_is_under_way(tmp_path: Path) -> None:
    async with trio.open_nursery() as nursery:
        written = await running(nursery, tmp_path)
        fill(written, 2_000)
        for _ in range(3):
            await trio.lowlevel.checkpoint()
            assert numbers(written) == list(range(1, 2_001))
        await written.durable(2_000)
        assert numbers(written) == list(range(1, 2_001))
        written.request_stop()
    written.close()


async def test_what_is_appended_while_a_commit_is_under_way_is_in_the_next(
    tmp_path: Path,
) -> None:
    async with trio.open_nursery() as nursery:
        written = await running(nursery, tmp_path)
        fill(written, 2_000)
        for _ in range(2):  # the writer wakes up, and begins
            await trio.lowlevel.checkpoint()
        fill(written, 3, 2_001)
        await written.durable(2_003)
        assert written.commits == 2
        written.request_stop()
    assert numbers(written) == list(range(1, 2_004))
    written.close()


async def test_a_writer_that_is_cancelled_loses_nothing(tmp_path: Path) -> None:
    async with trio.open_nursery() as nursery:
        written = await running(nursery, tmp_path)
        fill(written, 3)
        nursery.cancel_scope.cancel()
    assert numbers(written) == [1, 2, 3]
    written.close()
    assert len(read(tmp_path / "journal.sqlite")) == 3


async def test_a_writer_that_was_stopped_can_be_run_again(tmp_path: Path) -> None:
    written = journal(tmp_path, LiveJournal)
    for first in (1, 4):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(written.run)
            await wait_all_tasks_blocked()
            fill(written, 3, first)
            await written.durable(first + 2)
            written.request_stop()
    assert written.commits == 2
    written.close()


# What goes along with the rows


async def test_marks_are_those_of_the_step_in_which_the_rows_were_taken(tmp_path: Path) -> None:
    async with trio.open_nursery() as nursery:
        written = await running(nursery, tmp_path)
        handled = [0]
        written.marks = lambda: [Mark("b", handled[0]), Mark("idle", 0)]
        fill(written, 2)
        await trio.lowlevel.checkpoint()  # the writer wakes up
        await trio.lowlevel.checkpoint()  # and has taken the rows
        handled[0] = 2
        await written.durable(2)
        assert written.stored_marks() == {"b": Mark("b", 0), "idle": Mark("idle", 0)}
        written.request_stop()
    assert written.stored_marks() == {"b": Mark("b", 2), "idle": Mark("idle", 0)}
    written.close()


async def test_snapshots_go_into_the_next_commit_and_two_are_kept(tmp_path: Path) -> None:
    async with trio.open_nursery() as nursery:
        written = await running(nursery, tmp_path)
        for sequence in (1, 2, 3):
            fill(written, 1, sequence)
            written.keep([snapshot("b", sequence)])
            await written.durable(sequence)
        written.keep([snapshot("c", 3)])
        written.keep_soon()
        with trio.fail_after(30):
            while written.commits < 4:
                await trio.lowlevel.checkpoint()
        written.request_stop()
    written.close()
    written = journal(tmp_path, LiveJournal)
    assert written.snapshot("b") == snapshot("b", 3)
    assert written.snapshot("c") == snapshot("c", 3)
    found = written._connection.execute("SELECT sequence FROM snapshots WHERE actor = 'b'")
    assert [row[0] for row in found] == [2, 3]
    written.close()


# A commit that fails


async def test_a_commit_that_fails_is_told_to_whoever_waits_and_to_all_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faults, "_plan", faults.parse("journal.before_commit:2=full"))
    told = []

    async def wait(written: LiveJournal, sequence: int) -> None:
        with pytest.raises(JournalError, match=r"cannot be written: .*No space left"):
            await written.durable(sequence)
        told.append(sequence)

    async def fail(written: LiveJournal) -> None:
        async with trio.open_nursery() as nursery:
            await nursery.start(written.run)
            fill(written, 1)
            await written.durable(1)
            async with trio.open_nursery() as waiting:
                fill(written, 2, 2)
                waiting.start_soon(wait, written, 2)
                waiting.start_soon(wait, written, 3)

    written = journal(tmp_path, LiveJournal)
    with pytest.raises(ExceptionGroup) as caught:
        await fail(written)
    assert caught.group_contains(JournalError, match="No space left")
    assert sorted(told) == [2, 3]
    with pytest.raises(JournalError, match="No space left"):
        fill(written, 1, 4)
    with pytest.raises(JournalError, match="No space left"):
        await written.run()
    await written.durable(1)
    assert sequences(tmp_path / "journal.sqlite") == [1]
    written.close()
    assert sequences(tmp_path / "journal.sqlite") == [1]


async def test_a_disk_that_is_really_full_ends_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faults, "_plan", faults.parse("journal.pages=40"))
    durable = []

    async def write_on(written: LiveJournal) -> None:
        async with trio.open_nursery() as nursery:
            await nursery.start(written.run)
            for first in range(1, 20_000, 100):
                fill(written, 100, first)
                await written.durable(first + 99)
                durable.append(first + 99)

    written = journal(tmp_path, LiveJournal)
    with pytest.raises(ExceptionGroup) as caught:
        await write_on(written)
    assert caught.group_contains(JournalError, match="database or disk is full")
    written.close()
    monkeypatch.setattr(faults, "_plan", None)
    assert len(durable) > 1
    written = journal(tmp_path, LiveJournal)
    assert written.is_resumed
    assert numbers(written) == list(range(1, durable[-1] + 1))
    written.close()


async def test_what_cannot_be_committed_at_the_close_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faults, "_plan", faults.parse("journal.before_commit:1=fsync"))
    written = journal(tmp_path, LiveJournal)
    fill(written, 1)
    with pytest.raises(JournalError, match="Input/output error"):
        written.close()
    assert read(tmp_path / "journal.sqlite") == []
