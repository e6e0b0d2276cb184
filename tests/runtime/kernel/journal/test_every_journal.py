"""What every journal does."""

from pathlib import Path
from typing import Any

import pytest

from runtime.kernel.envelope import Envelope
from runtime.kernel.journal import Entry, InlineJournal, LiveJournal, Mark
from tests.runtime.kernel.fakes import Ask, Note
from tests.runtime.kernel.journal.stored import (
    NAME,
    AnyJournal,
    archive,
    deliver,
    file_names,
    fill,
    journal,
    numbers,
    read,
    send_later,
    sequences,
    set_aside,
    snapshot,
)


@pytest.fixture(params=[InlineJournal, LiveJournal])
def kind(request: pytest.FixtureRequest) -> type[AnyJournal]:
    chosen: type[AnyJournal] = request.param
    return chosen


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


async def test_a_message_without_json_is_refused_when_it_is_appended(
    tmp_path: Path, kind: type[Any]
) -> None:
    written = journal(tmp_path, kind)
    with pytest.raises(TypeError):
        written.append(Envelope(1, 0, "a", 0, Note("b", object())), "b")  # type: ignore[arg-type]
    fill(written, 1)
    assert numbers(written) == [1]
    written.close()


# What can be asked


async def test_entries_begin_after_what_is_asked_for(tmp_path: Path, kind: type[Any]) -> None:
    written = journal(tmp_path, kind)
    fill(written, 5)
    written.close()
    written = None if kind is InlineJournal else journal(tmp_path, kind)
    if written is not None:
        fill(written, 3, 6)
        assert [each.sequence for each in written.entries(after=3)] == [4, 5, 6, 7, 8]
        assert [each.sequence for each in written.entries(after=6)] == [7, 8]
        assert [each.sequence for each in written.entries("a", after=6)] == [7, 8]
        assert list(written.entries("nobody")) == []
        written.close()


async def test_what_was_sent_for_later_stays_until_it_is_delivered(
    tmp_path: Path, kind: type[Any]
) -> None:
    written = journal(tmp_path, kind)
    for sequence in (1, 2, 3):
        send_later(written, sequence)
    deliver(written, 4, 2)
    fill(written, 1, 5)
    assert [each.sequence for each in written.undelivered()] == [1, 3]
    assert [each.due_ns for each in written.undelivered()] == [70, 70]
    written.close()


async def test_a_delivery_is_told_from_a_message_that_was_caused(
    tmp_path: Path, kind: type[Any]
) -> None:
    written = journal(tmp_path, kind)
    send_later(written, 1)
    fill(written, 1, 2)
    deliver(written, 3, 1)
    deliver(written, 4, 2)
    assert [each.sequence for each in written.entries() if each.is_delivery] == [3]
    assert [each.sequence for each in written.entries(after=1) if each.is_delivery] == [3]
    assert [each.sequence for each in written.entries(after=4) if each.is_delivery] == []
    written.close()


async def test_what_was_archived_is_found_by_its_key(tmp_path: Path, kind: type[Any]) -> None:
    written = journal(tmp_path, kind)
    archive(written, 1, "A", '{"n":1}')
    archive(written, 2, "B", '{"n":2}')
    archive(written, 3, "A", '{"n":3}')
    archive(written, 4, "A", '{"n":4}', kind="other")
    assert written.find("order", "A") == '{"n":3}'
    assert written.find("order", "B") == '{"n":2}'
    assert written.find("order", "C") is None
    written.close()


async def test_what_was_set_aside_is_known(tmp_path: Path, kind: type[Any]) -> None:
    written = journal(tmp_path, kind)
    fill(written, 2)
    set_aside(written, 3, "b", 1)
    set_aside(written, 4, "c", 2)
    written.rotate()
    written.close()
    if kind is LiveJournal:
        written = journal(tmp_path, kind)
        assert written.quarantined("b") == {1}
        assert written.quarantined("c") == {2}
        assert written.quarantined("d") == set()
        written.close()


async def test_the_newest_snapshot_is_at_hand_at_once(tmp_path: Path, kind: type[Any]) -> None:
    written = journal(tmp_path, kind)
    fill(written, 2)
    assert written.snapshot("b") is None
    written.keep([snapshot("b", 1), snapshot("c", 1), snapshot("b", 2, (1,))])
    assert written.snapshot("b") == snapshot("b", 2, (1,))
    assert written.snapshot("c") == snapshot("c", 1)
    written.close()


def test_an_inline_journal_knows_what_it_has_committed(tmp_path: Path) -> None:
    written = journal(tmp_path)
    written.marks = lambda: [Mark("b", 7, (3,))]
    send_later(written, 1)
    archive(written, 2, "A", "{}")
    set_aside(written, 3, "b", 2)
    written.keep([snapshot("b", 3), snapshot("b", 2), snapshot("b", 1)])
    assert (written.path, written.last_sequence) == (tmp_path / NAME, 3)
    assert written.rotate() is True
    assert written.last_sequence == 3
    fill(written, 1, 4)
    assert written.find("order", "A") == "{}"
    assert written.quarantined("b") == {2}
    assert written.snapshot("b") == snapshot("b", 3)
    assert written.stored_marks() == {"b": Mark("b", 7, (3,))}
    assert [each.sequence for each in written.undelivered()] == [1]
    assert [each.sequence for each in written.entries()] == [1, 2, 3, 4]
    written.close()
    assert file_names(tmp_path) == ["journal-000001.sqlite", NAME]
    assert sequences(tmp_path / NAME) == [1, 2, 3, 4]


def test_the_bytes_of_a_rotated_run_are_the_same_again(tmp_path: Path) -> None:
    for name in ("one", "two"):
        written = journal(tmp_path, name=name)
        fill(written, 10)
        written.rotate()
        fill(written, 10, 11)
        written.close()
    for ending in ("", "-000001"):
        one, two = (tmp_path / f"{name}{ending}.sqlite" for name in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()
