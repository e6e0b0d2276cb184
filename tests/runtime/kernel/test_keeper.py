"""When snapshots are kept, and what a restarted core does with the latest."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.actor import Context
from runtime.kernel.journal import InlineJournal, Mark, Snapshot
from runtime.kernel.keeper import Keeper
from runtime.kernel.snapshots import Snapshotter
from tests.runtime.kernel.fakes import Broken, Plant, codec, live_plant, simulated_plant
from tests.runtime.kernel.plants import notes, revive, supervised

SNAPSHOTTER = Snapshotter(packages=("actors", "tests"))


class Counter:
    """A core that counts what it is told, and fails once in its life on "x"."""

    replayed = 0

    def __init__(self, given: Context, limit: int = 0) -> None:
        self.texts: list[str] = []
        self.limit = limit
        self.context = given

    def start(self, now_ns: int) -> list[Any]:
        return []

    def stop(self, now_ns: int) -> list[Any]:
        return []

    def handle(self, message: Any, now_ns: int) -> list[Any]:
        if message.text == "x" and not self.context.incarnation:
            raise Broken("x")
        self.texts.append(message.text)
        return []

    def recover(self, history: Iterable[tuple[str, Any]]) -> None:
        for way, message in history:
            if way == "received":
                Counter.replayed += 1
                self.texts.append(message.text)


@attrs.define
class Kept:
    """A journal that only keeps snapshots."""

    snapshots: list[Snapshot] = attrs.field(factory=list)
    rotations: int = 0
    marks: Callable[[], Iterable[Mark]] | None = None

    def keep(self, snapshots: Iterable[Snapshot]) -> None:
        self.snapshots.extend(snapshots)

    def rotate(self) -> None:
        self.rotations += 1


def counting(of: Plant, **options: Any) -> Plant:
    of.add("a", options.pop("make", Counter), snapshotter=SNAPSHOTTER, **options)
    return of


def test_how_often_must_be_a_number_of_messages() -> None:
    with pytest.raises(ValueError, match="snapshot_every: expected 0 or more, found -1"):
        Keeper([], Kept(), simulated_plant().post, every=-1)


async def test_none_are_kept_if_nobody_wants_them_but_marks_are(autojump_clock: MockClock) -> None:
    of, journal = counting(live_plant()), Kept()
    keeper = Keeper(list(of.cells.values()), journal, of.post, every=0)
    async with supervised(of, children=[keeper]):
        of.deliver(*notes("u", "v"))
        await wait_all_tasks_blocked()
        assert [mark.handled for mark in keeper.marks()] == [2]
        await trio.sleep(200)
        keeper.keep_if_due()
    assert journal.snapshots == []


async def test_live_a_commit_after_enough_messages_has_them_kept(
    autojump_clock: MockClock,
) -> None:
    of, journal = counting(live_plant()), Kept()
    keeper = Keeper(list(of.cells.values()), journal, of.post, every=3)
    assert journal.marks is not None
    async with supervised(of, children=[keeper]):
        of.deliver(*notes("u", "v"))
        await wait_all_tasks_blocked()
        assert [mark.handled for mark in journal.marks()] == [2]
        await wait_all_tasks_blocked()
        assert journal.snapshots == []
        of.deliver(*notes("w"))
        await wait_all_tasks_blocked()
        assert list(journal.marks()) == [Mark("a", 3, (), 0)]
        await wait_all_tasks_blocked()
        assert [each.sequence for each in journal.snapshots] == [3]
        assert keeper.longest_s >= 0


async def test_live_they_are_kept_after_some_time_if_something_has_happened(
    autojump_clock: MockClock,
) -> None:
    of, journal = counting(live_plant()), Kept()
    keeper = Keeper(list(of.cells.values()), journal, of.post)
    async with supervised(of, children=[keeper]):
        await trio.sleep(200)
        assert keeper.taken == 0
        of.deliver(*notes("u"))
        await trio.sleep(61)
        assert keeper.taken == 1
        await trio.sleep(200)
        assert keeper.taken == 1


async def test_simulated_a_long_journal_is_divided() -> None:
    of, journal = counting(simulated_plant()), Kept()
    keeper = Keeper(list(of.cells.values()), journal, of.post, every=2, segment=4)
    async with supervised(of):
        for number in range(6):
            of.deliver(*notes(str(number)))
            await of.drain()
            keeper.keep_if_due()
    assert [each.sequence for each in journal.snapshots] == [2, 4, 6]
    assert journal.rotations == 1


async def test_a_cell_that_is_down_or_has_left_is_not_kept() -> None:
    of = counting(simulated_plant())
    assert of.cells["a"].keep_snapshot() is None
    async with supervised(of):
        assert of.cells["a"].keep_snapshot() is not None
        of.cells["a"].mailbox.close()
        assert of.cells["a"].keep_snapshot() is None


async def test_a_core_that_cannot_be_kept_is_told_and_replays_its_history() -> None:
    said: list[tuple[str, str]] = []

    class Unkept(Counter):
        def __init__(self, given: Context) -> None:
            super().__init__(given)
            self.odd = lambda: None

    of = counting(simulated_plant(), make=Unkept)
    cell: Any = of.cells["a"]
    cell._services = attrs.evolve(cell._services, log=lambda *words: said.append(words))
    async with supervised(of):
        assert cell.keep_snapshot() is None
    ((actor, text),) = said
    assert actor == "a"
    assert text.startswith("no snapshot: it cannot be kept: Can't pickle")


@pytest.mark.parametrize("limit", [0, 1])
async def test_a_restarted_core_begins_with_a_snapshot_that_counts(
    limit: int, tmp_path: Path
) -> None:
    """With another limit it is of another configuration, and the whole history is replayed."""
    limits = [0]
    said: list[str] = []
    journal = InlineJournal(tmp_path / "j.db", codec(), {})
    of = simulated_plant(journal)
    revive(of)
    cell: Any = of.add("a", lambda given: Counter(given, limits[0]), snapshotter=SNAPSHOTTER)
    cell._services = attrs.evolve(cell._services, log=lambda _name, text: said.append(text))
    Counter.replayed = 0
    async with supervised(of):
        of.deliver(*notes("u", "v"))
        await of.drain()
        snapshot = cell.keep_snapshot()
        limits[0] = limit
        cell.memory._fingerprint = None
        of.deliver(*notes("w", "x"))
        await of.drain()
        of.deliver(*notes("y"))
        await of.drain()
        assert cell.core.texts == [*"uvwxy"]
        assert cell.core.context.incarnation == 1
    assert snapshot is not None
    assert Counter.replayed == (3 if limit else 1)
    words = "the snapshot does not count: it is of another version or configuration"
    assert said == ([f"{words}; the whole history is replayed"] if limit else [])
    journal.close()
