"""The journal: what is recorded, when it is durable, and what is read back."""

import sqlite3
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from actors.errors import JournalError
from runtime.kernel.envelope import Envelope
from runtime.kernel.journal import (
    SCHEMA_VERSION,
    Entry,
    InlineJournal,
    LiveJournal,
    history,
    read_journal,
)
from tests.runtime.kernel.fakes import Ask, Note, codec

AnyJournal = InlineJournal | LiveJournal


def journal(folder: Path, kind: type[Any] = InlineJournal, name: str = "journal") -> Any:
    return kind(folder / f"{name}.sqlite", codec(), {"run_id": "run"})


def numbered(sequence: int, *, sender: str = "a", cause: int = 0) -> Envelope:
    return Envelope(sequence, 10 * sequence, sender, cause, Ask("b", sequence))


def fill(into: AnyJournal, rows: int, first: int = 1) -> None:
    for sequence in range(first, first + rows):
        into.append(numbered(sequence), "b")


def numbers(of: AnyJournal) -> list[int]:
    return [entry.message.number for entry in of.entries()]


def read(path: Path) -> list[Entry]:
    return list(read_journal(path, codec()))


def file_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(params=[InlineJournal, LiveJournal])
def kind(request: pytest.FixtureRequest) -> type[AnyJournal]:
    chosen: type[AnyJournal] = request.param
    return chosen


# What every journal does


async def test_what_was_appended_is_read_back_in_full(tmp_path: Path, kind: type[Any]) -> None:
    written = journal(tmp_path, kind)
    written.append(Envelope(1, 10, "a", 0, Note("b+c", "hello")), "b,c")
    written.append(Envelope(2, 20, "b", 1, Ask("a", 5)), "a", 70)
    expected = [
        Entry(
            sequence=1,
            time_ns=10,
            sender="a",
            receivers=("b", "c"),
            cause=0,
            due_ns=None,
            type="Note",
            message=Note("b+c", "hello"),
        ),
        Entry(
            sequence=2,
            time_ns=20,
            sender="b",
            receivers=("a",),
            cause=1,
            due_ns=70,
            type="Ask",
            message=Ask("a", 5),
        ),
    ]
    assert list(written.entries()) == expected
    written.close()
    assert read(tmp_path / "journal.sqlite") == expected
    assert expected[0].receiver == "b,c"


async def test_a_closed_journal_is_one_file(tmp_path: Path, kind: type[Any]) -> None:
    written = journal(tmp_path, kind)
    fill(written, 3)
    written.close()
    assert file_names(tmp_path) == ["journal.sqlite"]


async def test_a_journal_is_never_overwritten(tmp_path: Path, kind: type[Any]) -> None:
    first = journal(tmp_path, kind)
    with pytest.raises(JournalError, match=r"journal\.sqlite exists already"):
        journal(tmp_path, kind)
    fill(first, 1)
    first.close()
    assert len(read(tmp_path / "journal.sqlite")) == 1


async def test_a_message_without_json_is_refused_when_it_is_appended(
    tmp_path: Path, kind: type[Any]
) -> None:
    written = journal(tmp_path, kind)
    with pytest.raises(TypeError):
        written.append(Envelope(1, 0, "a", 0, Note("b", object())), "b")  # type: ignore[arg-type]
    fill(written, 1)
    assert numbers(written) == [1]
    written.close()


# Inline


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


# Live


async def running(nursery: trio.Nursery, folder: Path) -> LiveJournal:
    written: LiveJournal = journal(folder, LiveJournal)
    await nursery.start(lambda **status: written.run(**status))
    return written


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


async def test_a_writer_that_cannot_write_fails_and_the_next_one_writes_it_all(
    tmp_path: Path,
) -> None:
    written = journal(tmp_path, LiveJournal)
    other = sqlite3.connect(tmp_path / "journal.sqlite", isolation_level=None)
    other.execute(
        "CREATE TRIGGER full BEFORE INSERT ON envelopes WHEN NEW.sequence = 3"
        " BEGIN SELECT RAISE(ABORT, 'disk full'); END"
    )
    fill(written, 4)
    with pytest.raises(JournalError, match="cannot be written: disk full"):
        await written.run()
    assert numbers(written) == [1, 2, 3, 4]
    other.execute("DROP TRIGGER full")
    other.close()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(written.run)
        await written.durable(4)
        written.request_stop()
    assert len(read(tmp_path / "journal.sqlite")) == 4
    written.close()


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


# Reading


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
    entries = read_journal(tmp_path / "journal.sqlite", codec())
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


# History


def entry(
    sequence: int,
    sender: str = "other",
    receivers: str = "me",
    *,
    cause: int = 0,
    due_ns: int | None = None,
) -> Entry:
    return Entry(
        sequence=sequence,
        time_ns=0,
        sender=sender,
        receivers=tuple(receivers.split(",")),
        cause=cause,
        due_ns=due_ns,
        type="Ask",
        message=sequence,
    )


def past(*entries: Entry, handled: int = 99, not_handled: tuple[int, ...] = ()) -> list[Any]:
    return list(history(entries, "me", handled, not_handled))


def test_history_is_what_was_received_and_sent_in_order() -> None:
    entries = [
        entry(1),
        entry(2, "me", "other"),
        entry(3, "other", "another"),
        entry(4, "other", "another,me"),
    ]
    assert past(*entries) == [("received", 1), ("sent", 2), ("received", 4)]


def test_what_has_not_been_handled_was_not_received() -> None:
    entries = [entry(1), entry(2), entry(3, "me", "other"), entry(4)]
    assert past(*entries, handled=2) == [("received", 1), ("received", 2), ("sent", 3)]
    assert past(*entries, not_handled=(2,)) == [("received", 1), ("sent", 3), ("received", 4)]


def test_what_it_sent_to_itself_was_sent_and_received() -> None:
    assert past(entry(1, "me", "me")) == [("sent", 1), ("received", 1)]
    assert past(entry(1, "me", "me"), handled=0) == [("sent", 1)]
    assert past(entry(1, "me", "me"), not_handled=(1,)) == [("sent", 1)]


def test_what_it_sent_for_later_was_sent_once_and_early() -> None:
    scheduled = entry(1, "me", "other", due_ns=50)
    delivered = entry(7, "me", "other", cause=1)
    assert past(scheduled, entry(2), delivered) == [("sent", 1), ("received", 2)]


def test_what_was_sent_to_it_for_later_was_received_once_and_late() -> None:
    scheduled = entry(1, "other", "me", due_ns=50)
    delivered = entry(7, "other", "me", cause=1)
    assert past(scheduled) == []
    assert past(scheduled, entry(2), delivered) == [("received", 2), ("received", 7)]


def test_what_follows_from_a_delayed_message_counts() -> None:
    scheduled = entry(1, "other", "me", due_ns=50)
    delivered = entry(2, "other", "me", cause=1)
    assert past(scheduled, delivered, entry(3, "me", "other", cause=2)) == [
        ("received", 2),
        ("sent", 3),
    ]
