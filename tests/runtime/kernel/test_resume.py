"""A second process goes on from the journal of a first: cells, mailboxes, timers, sequences."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.actor import Context, Later
from actors.errors import JournalError
from actors.messages.system import Overtaken, Resumed
from runtime.kernel.journal import LiveJournal, Mark
from runtime.kernel.keeper import Keeper
from runtime.kernel.mailbox import Mailbox, Overflow, Rule
from runtime.kernel.resume import Resumption, resume
from runtime.kernel.snapshots import Snapshotter
from tests.runtime.kernel.fakes import Note, Plant, Script, codec, live_plant
from tests.runtime.kernel.plants import notes, supervised

SNAPSHOTTER = Snapshotter(packages=("actors", "tests"))


@pytest.fixture(autouse=True)
def _no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    async def inline(work: Callable[..., Any], *arguments: Any, limiter: Any = None) -> Any:
        await trio.lowlevel.checkpoint()
        return work(*arguments)

    monkeypatch.setattr(trio.to_thread, "run_sync", inline)


class Ledger:
    """A core that adds up what it is told; it tells the sum to b."""

    def __init__(self, given: Context) -> None:
        self.texts: list[str] = []
        self.incarnation = given.incarnation
        self.started: list[str] = []

    def start(self, now_ns: int) -> list[Any]:
        self.started = [*self.texts]
        return []

    def stop(self, now_ns: int) -> list[Any]:
        return []

    def handle(self, message: Any, now_ns: int) -> list[Any]:
        if isinstance(message, Resumed):
            self.texts.append("resumed")
            return []
        self.texts.append(message.text)
        if message.text == "later":
            return [Later(Note("b", "was later"), now_ns + 5)]
        return [Note("b", "".join(self.texts))]

    def recover(self, history: Any) -> None:
        for way, message in history:
            if way == "received":
                self.handle(message, 0)


def new_process(path: Path, b: Script, **mailbox: Any) -> Plant:
    """Return a plant of a ledger a and of a scripted b on a journal."""
    journal = LiveJournal(path, codec(Resumed), {})
    of = live_plant(journal)
    a = of.add(
        "a", Ledger, needs_history=True, waits_for_journal=True, snapshotter=SNAPSHOTTER, **mailbox
    )
    a.mailbox = Mailbox(
        "a", rules={Resumed: Rule(overflow=Overflow.CRASH, overtakes=True)}, **mailbox
    )
    of.add("b", b)
    routes: Any = of.post.routes
    of.post.routes = {**routes, Resumed: lambda _message: (a,), Overtaken: lambda _message: ()}
    return of


def go_on(of: Plant) -> Resumption:
    """Resume, and have marks kept; return what was taken over."""
    journal: Any = of.journal
    assert journal.is_resumed
    return resume(journal, codec(Resumed), of.post, of.cells, of.clock.now_ns())


def keeper(of: Plant, every: int = 1_000_000) -> Keeper:
    journal: Any = of.journal
    return Keeper(list(of.cells.values()), journal, of.post, every=every)


def drop(of: Plant) -> None:
    """End as a killed process does."""
    journal: Any = of.journal
    journal._stop_reading()
    journal._store.connection.close()


async def commit(of: Plant) -> None:
    """Commit once, as the journal's writer does."""
    journal: Any = of.journal
    await journal._commit(journal._take())


async def live(of: Plant, *messages: Any) -> None:
    """Let everything happen that is to happen, and have it committed."""
    async with supervised(of, children=[of.journal]):
        of.deliver(*messages)
        await wait_all_tasks_blocked(0.01)


async def test_what_was_handled_is_known_and_what_waited_is_handled_after_the_news(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    first = new_process(tmp_path / "j.db", Script())
    keeper(first)
    await live(first, *notes("w", "x"))
    first.deliver(*notes("y", "z"))
    await commit(first)
    first.deliver(*notes("lost"))
    drop(first)

    b = Script()
    second = new_process(tmp_path / "j.db", b)
    found = go_on(second)
    assert attrs.evolve(found, last_ns=0) == Resumption(
        last_ns=0, waiting=2, timers=0, from_snapshot=()
    )
    keeper(second)
    await live(second)
    core: Any = second.cells["a"].core or second.cells["a"].rebuilt(second.journal)
    assert core.texts == ["w", "x", "resumed", "y", "z"]
    assert [note.text for note in b.handled] == ["wxresumedy", "wxresumedyz"]
    told = list(second.journal.entries())  # type: ignore[union-attr]
    assert [e.sequence for e in told] == sorted({e.sequence for e in told})
    assert [e.message.message_sequence for e in told if isinstance(e.message, Overtaken)] == [5, 6]


async def test_the_order_of_handling_survives_a_third_process(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    path = tmp_path / "j.db"
    first = new_process(path, Script())
    keeper(first)
    await live(first, *notes("w"))
    first.deliver(*notes("x", "y"))
    await commit(first)
    drop(first)
    second = new_process(path, Script())
    go_on(second)
    keeper(second)
    await live(second)
    drop(second)
    third = new_process(path, Script())
    assert go_on(third).waiting == 0
    core: Any = third.cells["a"].rebuilt(third.journal)
    assert core.texts == ["w", "resumed", "x", "y"]
    assert third.cells["a"].incarnation == 1
    await live(third)
    assert third.cells["a"].incarnation == 2
    drop(third)


@pytest.mark.parametrize("kept_after", [0, 1, 2, 3])
async def test_a_snapshot_and_the_tail_are_the_whole_history(
    kept_after: int, tmp_path: Path, autojump_clock: MockClock
) -> None:
    path = tmp_path / "j.db"
    first = new_process(path, Script())
    keeping = keeper(first)
    told = notes("v", "w", "x", "y")
    async with supervised(first, children=[first.journal]):
        for number, note in enumerate(told):
            if number == kept_after:
                await keeping.keep_all()
            first.deliver(note)
            await wait_all_tasks_blocked(0.01)
    assert keeping.taken == 1
    assert first.cells["a"].memory.latest is not None
    drop(first)
    second = new_process(path, Script())
    assert go_on(second).from_snapshot == ("a",)
    core: Any = second.cells["a"].rebuilt(second.journal)
    assert core.texts == ["v", "w", "x", "y"]
    second.cells["a"].memory.latest = None
    whole: Any = second.cells["a"].rebuilt(second.journal)
    assert whole.texts == core.texts
    drop(second)


async def test_what_waited_at_a_snapshot_is_in_its_tail(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    path = tmp_path / "j.db"
    first = new_process(path, Script())
    keeping = keeper(first)
    cell = first.cells["a"]
    async with supervised(first, children=[first.journal]):
        first.deliver(Note("a", "w"))
        await wait_all_tasks_blocked(0.01)
        first.deliver(*notes("x", "y"))
        await keeping.keep_all()
        await wait_all_tasks_blocked(0.01)
    assert cell.memory.latest is not None
    assert len(cell.memory.latest.pending) == 2
    drop(first)
    second = new_process(path, Script())
    go_on(second)
    core: Any = second.cells["a"].rebuilt(second.journal)
    assert core.texts == ["w", "x", "y"]
    drop(second)


async def test_timers_that_somebody_waits_for_are_set_again(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    first = new_process(tmp_path / "j.db", Script())
    keeper(first)
    first.deliver(Note("a", "later"))
    first.post.deliver("a", 1, Later(Note("b", "was later"), 2_000_000_000), 0)
    first.post.deliver("a", 1, Later(Note("b", "gone"), 1, background=True), 0)
    await commit(first)
    drop(first)
    b = Script()
    second = new_process(tmp_path / "j.db", b)
    assert go_on(second).timers == 1
    assert second.post.in_flight_later == 1
    at_ns, delayed = second.timers._timers.pop()
    assert at_ns == 2_000_000_000
    second.post.deliver_delayed(delayed, at_ns)
    assert second.post.in_flight_later == 0
    assert second.cells["b"].mailbox.depth == 1
    drop(second)


async def test_sequences_go_on_after_those_that_were_not_recorded(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    first = new_process(tmp_path / "j.db", Script())
    keeper(first)
    first.deliver(Note("a", "w"))
    first.post.unrecorded = frozenset({Note})
    first.deliver(*notes("x", "y"))
    await commit(first)
    assert first.post.sequence == 3
    drop(first)
    second = new_process(tmp_path / "j.db", Script())
    go_on(second)
    assert second.post.sequence == 4, "Resumed is the fourth"
    drop(second)


async def test_a_message_that_was_set_aside_does_not_come_back(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    path = tmp_path / "j.db"
    poison = Note("b", "poison")
    first = new_process(path, Script(fails={poison: 99}))
    keeper(first)
    await live(first, poison, Note("b", "good"))
    assert first.cells["b"].quarantined == [1]
    drop(first)
    b = Script()
    second = new_process(path, b)
    go_on(second)
    assert second.cells["b"].quarantined == [1]
    keeper(second)
    await live(second)
    assert b.tried == []
    drop(second)


async def test_more_than_there_is_room_for_waits_for_room(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    path = tmp_path / "j.db"
    first = new_process(path, Script())
    keeper(first)
    first.deliver(*notes(*"abcdef"))
    await commit(first)
    drop(first)
    second = new_process(path, Script(), capacity=2, reserve=1)
    assert go_on(second).waiting == 6
    box = second.cells["a"].mailbox
    assert (box.depth, box.waiting) == (3, 4)
    taken = [box.take_nowait() for _ in range(7)]
    texts = [getattr(each.message, "text", "resumed") for each in taken if each is not None]
    assert texts == ["resumed", *"abcdef"]
    drop(second)


async def test_what_was_sent_to_an_actor_that_has_left_is_handled_by_the_next_process(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    path = tmp_path / "j.db"
    first = new_process(path, Script())
    keeper(first)
    await live(first, Note("b", "w"))
    first.cells["b"].mailbox.close()
    first.deliver(Note("b", "x"))
    assert first.cells["b"].mark() == Mark("b", 1, (), 0)
    await commit(first)
    drop(first)
    b = Script()
    second = new_process(path, b)
    go_on(second)
    keeper(second)
    await live(second)
    assert b.handled == [Note("b", "x")]
    drop(second)


async def test_a_journal_in_which_nothing_was_recorded_begins_anew(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    drop(new_process(tmp_path / "j.db", Script()))
    second = new_process(tmp_path / "j.db", Script())
    found = go_on(second)
    assert found == Resumption(last_ns=0, waiting=0, timers=0, from_snapshot=())
    assert second.post.sequence == 0
    assert second.cells["a"].incarnation == -1
    drop(second)


async def test_where_no_actor_needs_its_history_nothing_is_looked_for(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    first = new_process(tmp_path / "j.db", Script())
    keeper(first)
    await live(first, Note("b", "w"))
    drop(first)
    second = new_process(tmp_path / "j.db", Script())
    del second.cells["a"]
    assert go_on(second).waiting == 0
    assert second.cells["b"].handled_sequence == 1
    drop(second)


# What is lost


@pytest.mark.parametrize(
    ("lost", "message"),
    [
        ("DELETE FROM marks", "has messages, but no marks of who has handled them"),
        ("DELETE FROM marks WHERE actor = 'a'", "knows what a has done, but has no mark of it"),
        ("UPDATE envelopes SET sender = 'x' WHERE sequence = 1", "row 1: its checksum does not"),
    ],
)
async def test_a_journal_that_has_lost_something_is_not_gone_on_with(
    tmp_path: Path, autojump_clock: MockClock, lost: str, message: str
) -> None:
    first = new_process(tmp_path / "j.db", Script())
    keeper(first)
    async with supervised(first, children=[first.journal]):
        for _ in range(11):
            first.deliver(*notes(*50 * "x"))
            await wait_all_tasks_blocked(0.01)
    drop(first)
    with closing(sqlite3.connect(tmp_path / "j.db")) as connection, connection:
        connection.execute(lost)
    with pytest.raises(JournalError, match=message):
        go_on(new_process(tmp_path / "j.db", Script()))


async def test_a_snapshot_without_a_mark_is_noticed_in_a_file_that_has_just_begun(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    first = new_process(tmp_path / "j.db", Script())
    kept, journal = keeper(first), first.journal
    assert isinstance(journal, LiveJournal)
    async with supervised(first, children=[journal]):
        first.deliver(*notes("w"))
        await wait_all_tasks_blocked(0.01)
        await kept.keep_all()
        journal.rotate()
        await wait_all_tasks_blocked(0.01)
    drop(first)
    with closing(sqlite3.connect(tmp_path / "j.db")) as connection, connection:
        assert connection.execute("SELECT * FROM envelopes").fetchall() == []
        connection.execute("DELETE FROM marks WHERE actor = 'a'")
    with pytest.raises(JournalError, match="knows what a has done, but has no mark of it"):
        go_on(new_process(tmp_path / "j.db", Script()))
