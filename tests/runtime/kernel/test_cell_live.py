"""The cell, live: stopping, waiting for room, waiting for the journal."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from runtime.kernel.cell_spec import CellState
from runtime.kernel.journal import LiveJournal
from tests.runtime.kernel.fakes import (
    SECOND,
    Ask,
    Note,
    Plant,
    Script,
    codec,
    live_plant,
    said,
)
from tests.runtime.kernel.plants import notes, plant, settle, supervised

# Stopping, live


async def test_a_cell_that_waits_for_messages_stops_at_once(autojump_clock: MockClock) -> None:
    of = plant(live_plant, Script())
    async with trio.open_nursery() as nursery:
        await nursery.start(lambda **status: of.cells["a"].run(**status))
        await wait_all_tasks_blocked()
        of.cells["a"].request_stop()
    assert of.cells["a"].state is CellState.STOPPED


async def test_a_stop_lets_the_message_in_hand_be_finished_and_keeps_the_rest(
    autojump_clock: MockClock,
) -> None:
    of = live_plant()

    def answer(note: Any, _now_ns: int) -> list[Any]:
        if note == Note("a", "x"):
            of.cells["a"].request_stop()
        return [Note("b", note.text)]

    a, b = Script(answer=answer), Script()
    of.add("a", a)
    of.add("b", b)
    of.deliver(*notes("w", "x", "y", "z"))
    await of.cells["a"].run()
    assert a.handled == notes("w", "x")
    assert of.cells["b"].mailbox.depth == 2
    async with supervised(of):
        await settle(of)
    assert a.handled == notes("w", "x", "y", "z")


async def test_a_message_that_comes_with_the_stop_is_not_lost(autojump_clock: MockClock) -> None:
    script = Script()
    of = plant(live_plant, script)
    cell = of.cells["a"]
    async with trio.open_nursery() as nursery:
        await nursery.start(lambda **status: cell.run(**status))
        await wait_all_tasks_blocked()
        of.deliver(Note("a"))
        cell.request_stop()
    assert script.handled == []
    async with supervised(of):
        await settle(of)
    assert script.handled == [Note("a")]
    assert cell.mailbox.counts.taken == 1


# Waiting for room, live


def asks(*numbers: int) -> Callable[[Any, int], list[Any]]:
    """Answer everything with requests to b."""
    return lambda _message, _now_ns: [Ask("b", number) for number in numbers]


async def take(of: Plant, count: int) -> list[int]:
    return [(await of.cells["b"].mailbox.take()).message.number for _ in range(count)]


def small_receiver(script: Script, **options: Any) -> Plant:
    """Return a plant of a, and of b that has room for one request and is not run."""
    of = live_plant()
    of.add("a", script, **options)
    of.add("b", Script(), capacity=1)
    return of


async def test_outputs_that_must_wait_are_sent_in_order_before_the_next_message(
    autojump_clock: MockClock,
) -> None:
    a = Script(answer=asks(1, 2, 3))
    of = small_receiver(a)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(of.cells["a"].run)
        of.deliver(*notes("x", "y"))
        await wait_all_tasks_blocked()
        assert a.handled == notes("x")
        assert await take(of, 6) == [1, 2, 3, 1, 2, 3]
        of.cells["a"].request_stop()
    assert a.handled == notes("x", "y")


@pytest.mark.parametrize("room", [0, 1, 2])
async def test_outputs_that_wait_survive_a_cancellation_and_none_is_sent_twice(
    room: int, autojump_clock: MockClock
) -> None:
    of = small_receiver(Script(answer=asks(1, 2, 3, 4)))
    of.deliver(Note("a"))
    taken: list[int] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(of.cells["a"].run)
        await wait_all_tasks_blocked()
        taken += await take(of, room)
        nursery.cancel_scope.cancel()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(of.cells["a"].run)
        taken += await take(of, 4 - room)
        await wait_all_tasks_blocked()
        of.cells["a"].request_stop()
    assert taken == [1, 2, 3, 4]
    assert of.cells["b"].mailbox.depth == 0


async def test_what_an_incarnation_begins_with_may_have_to_wait_too(
    autojump_clock: MockClock,
) -> None:
    of = small_receiver(Script(first=[Ask("b", 1), Ask("b", 2), Ask("b", 3)]))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(of.cells["a"].run)
        assert await take(of, 3) == [1, 2, 3]
        of.cells["a"].request_stop()


async def test_a_failure_keeps_the_outputs_of_earlier_messages(autojump_clock: MockClock) -> None:
    a = Script(answer=asks(1, 2), fails={Note("a", "y"): 1})
    of = small_receiver(a)
    async with supervised(of, "a"):
        of.deliver(*notes("x", "y"))
        assert await take(of, 4) == [1, 2, 1, 2]


# A fair share, live


async def test_a_cell_with_much_to_do_lets_others_run(autojump_clock: MockClock) -> None:
    of = plant(live_plant, Script())
    others: list[int] = []

    async def run_beside() -> None:
        while True:
            await trio.lowlevel.checkpoint()
            others.append(of.cells["a"].mailbox.depth)

    async with trio.open_nursery() as nursery:
        of.deliver(*[Note("a")] * 1_500)
        nursery.start_soon(of.cells["a"].run)
        nursery.start_soon(run_beside)
        await of.quiescence.wait()
        nursery.cancel_scope.cancel()
    assert len({depth for depth in others if 0 < depth < 1_500}) >= 2


async def test_no_message_is_handled_before_the_time_at_which_it_was_sent(
    autojump_clock: MockClock,
) -> None:
    of = live_plant()

    def slow(_message: Any, _now_ns: int) -> list[Any]:
        autojump_clock.jump(1)
        if len(a.handled) < 4:
            of.deliver(Note("a", "from outside, a second later"))
        return []

    a = Script(answer=slow)
    of.add("a", a)
    async with supervised(of):
        of.deliver(Note("a"))
        await of.quiescence.wait()
    assert a.times == [0, SECOND, 2 * SECOND, 3 * SECOND]


# Waiting for the journal, live


async def with_live_journal(
    folder: Path, script: Script, use: Callable[[Plant, LiveJournal], Awaitable[None]]
) -> None:
    journal = LiveJournal(folder / "journal.sqlite", codec(), {})
    of = live_plant(journal)
    of.add("a", script, waits_for_journal=True)
    of.add("b", Script())
    await use(of, journal)
    journal.close()


async def test_a_message_is_handled_when_it_is_durable(tmp_path: Path) -> None:
    script = Script(answer=lambda note, _now_ns: [Note("b", note.text)])

    async def use(of: Plant, journal: LiveJournal) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(of.cells["a"].run)
            of.deliver(*notes("x", "y"))
            await wait_all_tasks_blocked()
            assert script.handled == []
            assert not of.quiescence.is_quiet()
            nursery.start_soon(journal.run)
            while len(script.handled) < 2:
                await trio.lowlevel.checkpoint()
            assert journal.commits == 1
            of.cells["a"].request_stop()
            journal.request_stop()
        assert len(said(journal.entries())) == 4

    await with_live_journal(tmp_path, script, use)


async def test_a_message_that_waits_for_the_journal_is_in_flight(tmp_path: Path) -> None:
    async def use(of: Plant, _journal: LiveJournal) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(of.cells["a"].run)
            of.deliver(Note("a"))
            await wait_all_tasks_blocked()
            assert of.cells["a"].mailbox.depth == 0
            assert not of.quiescence.is_quiet()
            nursery.cancel_scope.cancel()

    await with_live_journal(tmp_path, Script(), use)


async def test_a_message_that_waits_for_the_journal_survives_a_cancellation(
    tmp_path: Path,
) -> None:
    script = Script()

    async def use(of: Plant, journal: LiveJournal) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(of.cells["a"].run)
            of.deliver(*notes("x", "y"))
            await wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        assert (script.tried, of.cells["a"].mailbox.depth) == ([], 1)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(journal.run)
            nursery.start_soon(of.cells["a"].run)
            while len(script.handled) < 2:
                await trio.lowlevel.checkpoint()
            of.cells["a"].request_stop()
            journal.request_stop()

    await with_live_journal(tmp_path, script, use)
    assert script.handled == notes("x", "y")
    assert script.recovered == [[]]


async def test_live_a_fresh_core_is_told_its_past_too(tmp_path: Path) -> None:
    script = Script(fails={Note("a", "x"): 1}, answer=lambda note, _now_ns: [Note("b", note.text)])

    async def use(of: Plant, journal: LiveJournal) -> None:
        async with supervised(of, children=[journal]):
            of.deliver(*notes("w", "x", "y"))
            while len(script.handled) < 3:
                await trio.lowlevel.checkpoint()

    await with_live_journal(tmp_path, script, use)
    assert script.recovered == [[("received", Note("a", "w")), ("sent", Note("b", "w"))]]
    assert script.handled == notes("w", "x", "y")
