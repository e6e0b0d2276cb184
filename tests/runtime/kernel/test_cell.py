"""The cell: one core after the other, no message lost, no output of a failure sent."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.actor import Context, Later
from actors.errors import IntensityExceeded, JournalError, MailboxOverflow
from actors.messages.system import ActorFailed, ActorRestarted, MessageQuarantined
from runtime.kernel.cell import CellState
from runtime.kernel.journal import LiveJournal
from runtime.kernel.supervisor import Supervisor
from tests.runtime.kernel.fakes import (
    SECOND,
    Ask,
    Broken,
    MemoryJournal,
    Note,
    Plant,
    Script,
    ScriptedCore,
    codec,
    inline_journal,
    live_plant,
    said,
    simulated_plant,
)

Mode = Callable[[], Plant]
MODES = pytest.mark.parametrize("mode", [live_plant, simulated_plant])


@asynccontextmanager
async def supervised(
    of: Plant, names: str | None = None, **options: Any
) -> AsyncIterator[Supervisor]:
    """Run all cells of a plant, or those named, and stop them in the end."""
    supervisor = of.supervisor(names, **options)
    async with trio.open_nursery() as nursery:
        await nursery.start(lambda **status: supervisor.run(**status))
        yield supervisor
        supervisor.request_stop()


async def settle(of: Plant) -> None:
    """Let everything happen that can happen without time going by."""
    if of.ready is None:
        await wait_all_tasks_blocked()
    else:
        await of.drain()


def notes(*texts: str) -> list[Note]:
    return [Note("a", text) for text in texts]


def forward(message: Any, _now_ns: int) -> list[Any]:
    """Pass a message on to b."""
    return [Note("b", f"{message.text} 1"), Note("b", f"{message.text} 2")]


def revive(of: Plant) -> None:
    """Put who has a core again and messages waiting on the ready heap, as the sequencer does."""

    def changed(cell: Any) -> None:
        if cell.core is not None and of.ready is not None:
            of.ready.extend((cell.rank, 0, cell) for _ in range(9))

    of.on_change.append(changed)


def plant(mode: Mode, *scripts: Script, **options: Any) -> Plant:
    """Return a plant of the cells a, b, ..."""
    of = mode()
    revive(of)
    for name, script in zip("abc", scripts, strict=False):
        of.add(name, script, **options)
    return of


# Handling


@MODES
async def test_messages_are_handled_in_order_and_their_outputs_sent(
    mode: Mode, autojump_clock: MockClock
) -> None:
    a, b = Script(answer=forward), Script()
    of = plant(mode, a, b)
    async with supervised(of):
        of.deliver(*notes("x", "y"))
        await settle(of)
    assert a.handled == notes("x", "y")
    assert [note.text for note in b.handled] == ["x 1", "x 2", "y 1", "y 2"]
    assert of.cells["b"].handled_sequence == of.post.sequence


@MODES
async def test_outputs_name_the_message_that_led_to_them(
    mode: Mode, autojump_clock: MockClock
) -> None:
    of = plant(mode, Script(answer=lambda _message, _now_ns: [Note("b")]), Script())
    async with supervised(of, "a"):
        of.post.sequence = 40
        of.deliver(Note("a"))
        await settle(of)
    taken = of.cells["b"].mailbox.take_nowait()
    assert taken is not None
    assert (taken.sequence, taken.sender, taken.cause) == (42, "a", 41)


@MODES
async def test_a_core_begins_with_what_start_returns(mode: Mode, autojump_clock: MockClock) -> None:
    a, b = Script(first=[Note("b", "hello")]), Script()
    of = plant(mode, a, b)
    cell = of.cells["a"]
    states = [cell.state]
    async with supervised(of):
        await settle(of)
        states.append(cell.state)
        assert (cell.incarnation, a.recovered) == (0, [])
    states.append(cell.state)
    assert b.handled == [Note("b", "hello")]
    assert states == [CellState.DOWN, CellState.RUNNING, CellState.STOPPED]
    assert cell.core is None


async def test_a_step_without_a_message_or_without_a_core_does_nothing() -> None:
    script = Script()
    of = plant(simulated_plant, script)
    cell = of.cells["a"]
    of.deliver(Note("a"))
    cell.step(0)
    assert (script.tried, cell.mailbox.depth) == ([], 1)
    async with supervised(of):
        cell.step(0)
        cell.step(0)
    assert script.handled == [Note("a")]


# Failure


@MODES
async def test_a_fresh_core_handles_the_message_that_failed_and_then_the_rest(
    mode: Mode, autojump_clock: MockClock
) -> None:
    a = Script(fails={Note("a", "x"): 1}, answer=forward)
    b = Script()
    of = plant(mode, a, b)
    async with supervised(of):
        of.deliver(*notes("w", "x", "y"))
        await settle(of)
        assert (of.cells["a"].incarnation, of.cells["a"].failures) == (1, 1)
    assert a.tried == notes("w", "x", "x", "y")
    assert a.handled == notes("w", "x", "y")
    assert [note.text for note in b.handled] == ["w 1", "w 2", "x 1", "x 2", "y 1", "y 2"]
    failed, restarted = of.observed
    assert isinstance(failed, ActorFailed)
    assert (failed.actor, failed.message_sequence) == ("a", 2)
    assert failed.failure.text == "cannot take Note(to='a', text='x')"
    assert restarted == ActorRestarted(actor="a", incarnation=1, delay_ns=0)


class Hesitant(ScriptedCore):
    """Fails after it has decided what to send."""

    def handle(self, message: Any, now_ns: int) -> list[Any]:
        outputs = super().handle(message, now_ns)
        assert outputs
        self.script.check("late", self.incarnation)
        return outputs


@MODES
async def test_nothing_of_a_failed_message_is_sent(mode: Mode, autojump_clock: MockClock) -> None:
    a, b = Script(fails={"late": 2}, answer=forward), Script()
    of = mode()
    revive(of)
    of.add("a", lambda given: Hesitant(given, a))
    of.add("b", b)
    async with supervised(of):
        of.deliver(Note("a", "x"))
        await settle(of)
    assert len(a.handled) == 3
    assert [note.text for note in b.handled] == ["x 1", "x 2"]


@MODES
async def test_a_poison_message_is_set_aside_and_does_not_hold_up_the_others(
    mode: Mode, autojump_clock: MockClock
) -> None:
    a = Script(fails={Note("a", "poison"): 99})
    of = plant(mode, a, quarantine_after=2)
    async with supervised(of):
        of.deliver(*notes("x", "poison", "y", "poison", "z"))
        await settle(of)
        assert of.cells["a"].quarantined == [2, 4]
    assert a.handled == notes("x", "y", "z")
    assert a.tried.count(Note("a", "poison")) == 4
    quarantined = of.reports(MessageQuarantined)
    assert [(each.message_sequence, each.message_type) for each in quarantined] == [
        (2, "Note"),
        (4, "Note"),
    ]
    assert (quarantined[0].actor, quarantined[0].attempts) == ("a", 2)
    assert quarantined[0].failure.kind == "Broken"


@MODES
async def test_while_a_core_is_down_its_mailbox_and_its_counters_live_on(
    mode: Mode, autojump_clock: MockClock
) -> None:
    a = Script(fails={Note("a", "x"): 1})
    of = plant(mode, a)
    async with supervised(of, base_ns=5 * SECOND, jitter=0.0):
        cell = of.cells["a"]
        of.deliver(*notes("w", "x"))
        await settle(of)
        assert (cell.state, cell.core) == (CellState.DOWN, None)
        of.deliver(*notes("y", "z"))
        await settle(of)
        assert (cell.mailbox.depth, cell.mailbox.counts.taken) == (2, 2)
        assert a.handled == notes("w")
        await five_seconds(of)
        assert a.handled == notes("w", "x", "y", "z")
        assert (cell.mailbox.counts.sent, cell.mailbox.counts.taken) == (4, 4)
    assert of.reports(ActorRestarted)[0].delay_ns == 5 * SECOND


async def five_seconds(of: Plant) -> None:
    """Let five seconds go by."""
    if of.ready is None:
        await trio.sleep(5)
    else:
        at_ns, alarm = of.timers.pop()
        assert at_ns == 5 * SECOND
        of.clock.advance(at_ns)  # type: ignore[attr-defined]
        alarm.set()
    await settle(of)


@MODES
async def test_a_group_of_exceptions_is_reported_as_its_first_one(
    mode: Mode, autojump_clock: MockClock
) -> None:
    def fail(_message: Any, _now_ns: int) -> list[Any]:
        raise ExceptionGroup("outer", [ExceptionGroup("inner", [KeyError("x")]), ValueError()])

    of = plant(mode, Script(answer=fail), quarantine_after=1)
    async with supervised(of):
        of.deliver(Note("a"))
        await settle(of)
    for report in (of.reports(ActorFailed)[0], of.reports(MessageQuarantined)[0]):
        assert (report.failure.kind, report.failure.text) == ("KeyError", "'x'")


@MODES
@pytest.mark.parametrize("output", ["no message", Later("no message", 5)])
async def test_a_core_that_sends_what_cannot_be_sent_has_failed(
    mode: Mode, output: Any, autojump_clock: MockClock
) -> None:
    a = Script(answer=lambda note, _now_ns: [output] if note.text == "bad" else [Note("b")])
    b = Script()
    of = plant(mode, a, b)
    async with supervised(of):
        of.deliver(*notes("bad", "good"))
        await settle(of)
    assert (a.handled, b.handled) == (notes("bad", "good"), [Note("b")])
    assert of.reports(ActorFailed)[0].failure.kind == "KeyError"
    assert of.reports(ActorFailed)[0].message_sequence == 0
    assert (of.cells["a"].incarnation, of.cells["a"].failures) == (1, 1)


@MODES
async def test_who_overfills_a_mailbox_that_must_not_overflow_crashes(
    mode: Mode, autojump_clock: MockClock
) -> None:
    of = mode()
    of.add("a", Script(answer=lambda _message, _now_ns: [Note("b")] * 3))
    b = of.add("b", Script(), capacity=1, reserve=1)
    async with supervised(of, "a"):
        of.deliver(Note("a"))
        await settle(of)
    assert of.reports(ActorFailed)[0].failure.kind == MailboxOverflow.__name__
    assert (b.mailbox.counts.overflowed, b.mailbox.depth) == (1, 2)


async def test_a_journal_that_cannot_be_written_is_no_fault_of_the_core(tmp_path: Path) -> None:
    of = plant(simulated_plant, Script(answer=forward), Script())
    journal = of.post._journal = inline_journal(tmp_path)
    async with supervised(of):
        of.deliver(Note("a"))
        of.post.sequence = 0  # a sequence that was used before
        for _ in range(4_094):
            of.post.record("test", "", Note("nobody"))
        with pytest.raises(JournalError):
            of.cells["a"].step(0)
        assert (of.cells["a"].failures, journal._rows != []) == (0, True)


# Recovery


def crashing_plant(folder: Path, **options: Any) -> tuple[Plant, Script]:
    """Return a plant whose actor a fails once on x, and on poison always."""
    script = Script(
        fails={Note("a", "x"): 1, Note("a", "poison"): 99},
        answer=lambda note, _now_ns: [Note("b", note.text)],
    )
    of = simulated_plant(inline_journal(folder))
    revive(of)
    of.add("a", script, **options)
    of.add("b", Script())
    return of, script


async def test_a_fresh_core_is_told_what_was_handled_and_sent_and_no_more(tmp_path: Path) -> None:
    of, script = crashing_plant(tmp_path)
    async with supervised(of):
        of.deliver(*notes("v", "w", "x", "y"))
        await of.drain()
    assert script.recovered == [
        [
            ("received", Note("a", "v")),
            ("received", Note("a", "w")),
            ("sent", Note("b", "v")),
            ("sent", Note("b", "w")),
        ]
    ]


async def test_a_quarantined_message_is_no_part_of_the_past(tmp_path: Path) -> None:
    of, script = crashing_plant(tmp_path, quarantine_after=2)
    script.fails[Note("a", "x")] = 3
    async with supervised(of):
        of.deliver(*notes("poison", "w", "x"))
        await of.drain()
    assert [len(past) for past in script.recovered] == [0, 0, 2]
    assert script.recovered[-1] == [("received", Note("a", "w")), ("sent", Note("b", "w"))]


async def test_messages_that_were_overtaken_are_no_part_of_the_past_before_they_are_handled(
    tmp_path: Path,
) -> None:
    of, script = crashing_plant(tmp_path, capacity=1)
    async with supervised(of):
        of.deliver(*(Ask("a", 1), Ask("a", 2)), Note("a", "report"), Note("a", "x"))
        script.answer = lambda _message, _now_ns: []
        await of.drain()
    assert script.handled == [Ask("a", 1), Note("a", "report"), Note("a", "x"), Ask("a", 2)]
    assert script.recovered == [[("received", Ask("a", 1)), ("received", Note("a", "report"))]]


async def test_an_overtaken_message_that_is_tried_again_is_no_part_of_the_past(
    tmp_path: Path,
) -> None:
    of, script = crashing_plant(tmp_path, capacity=1)
    script.fails = {Ask("a", 2): 1}
    script.answer = lambda _message, _now_ns: []
    async with supervised(of):
        of.deliver(Ask("a", 1), Ask("a", 2), Note("a", "report"))
        await of.drain()
    assert script.handled == [Ask("a", 1), Note("a", "report"), Ask("a", 2)]
    assert script.recovered == [[("received", Ask("a", 1)), ("received", Note("a", "report"))]]


async def test_live_an_overtaken_message_is_part_of_the_past_only_when_it_is_handled(
    autojump_clock: MockClock,
) -> None:
    script = Script(fails={Note("a", "x"): 1, Note("a", "y"): 2})
    of = live_plant(MemoryJournal())
    box = of.add("a", script, capacity=1).mailbox
    of.deliver(Ask("a", 1))
    ((_, second),) = of.post.deliver("test", 0, Ask("a", 2), 0) or []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(box.send, second)
        await wait_all_tasks_blocked()
        of.deliver(*notes("report", "x"))
        async with supervised(of):
            await settle(of)
            of.deliver(Note("a", "y"))
            await settle(of)
    assert script.handled == [Ask("a", 1), *notes("report", "x"), Ask("a", 2), *notes("y")]
    first, last = ([message for _, message in past] for past in script.recovered)
    assert first == [Ask("a", 1), Note("a", "report")]
    assert last == [Ask("a", 1), Ask("a", 2), *notes("report", "x")]


async def test_what_overtook_another_is_part_of_the_past_after_the_other_is_handled(
    tmp_path: Path,
) -> None:
    of, script = crashing_plant(tmp_path, capacity=1)
    script.fails = {Note("a", "last"): 1}
    script.answer = lambda _message, _now_ns: []
    async with supervised(of):
        of.deliver(Ask("a", 1), Ask("a", 2), Note("a", "report"))
        await of.drain()
        assert script.handled == [Ask("a", 1), Note("a", "report"), Ask("a", 2)]
        of.deliver(Note("a", "last"))
        await of.drain()
    received = ("received", "received", "received")
    assert script.recovered == [
        list(zip(received, [Ask("a", 1), Ask("a", 2), Note("a", "report")], strict=True))
    ]


async def test_what_is_sent_for_later_is_in_the_past_once(tmp_path: Path) -> None:
    of, script = crashing_plant(tmp_path)
    script.answer = lambda note, now_ns: [Later(Note("b", note.text), now_ns + 5)]
    async with supervised(of):
        of.deliver(Note("a", "w"))
        await of.drain()
        at_ns, delayed = of.timers.pop()
        of.post.deliver_delayed(delayed, at_ns)
        of.deliver(Note("a", "x"))
        await of.drain()
    assert script.recovered == [[("received", Note("a", "w")), ("sent", Note("b", "w"))]]


async def test_an_actor_that_needs_its_past_is_not_rebuilt_without_a_journal() -> None:
    of = simulated_plant()
    script = Script(fails={Note("a"): 1})
    of.add("a", script, needs_history=True)
    with pytest.raises(ExceptionGroup) as raised:
        await fail_on_a_note(of)
    assert isinstance(raised.value.exceptions[0], IntensityExceeded)
    failures = [report.failure for report in of.reports(ActorFailed)]
    assert [each.kind for each in failures] == ["Broken", *["JournalError"] * 3]
    assert failures[1].text == "a cannot be rebuilt: the run keeps no journal"
    assert [report.message_sequence for report in of.reports(ActorFailed)] == [1, 0, 0, 0]
    assert of.cells["a"].failures == 4
    assert of.cells["a"].state is CellState.DOWN


async def fail_on_a_note(of: Plant) -> None:
    async with supervised(of, intensity=3):
        of.deliver(Note("a"))
        await of.drain()


class Inheriting(ScriptedCore):
    """Knows something of the market that no journal tells."""

    def __init__(self, given: Context, script: Script) -> None:
        super().__init__(given, script)
        self.market = f"seen by {given.incarnation}"

    def inherit(self, market: str) -> None:
        self.market = f"{self.market}, {market}"


@MODES
async def test_what_a_core_knew_of_the_market_is_handed_on(
    mode: Mode, autojump_clock: MockClock
) -> None:
    script = Script(fails={Note("a"): 2})
    of = mode()
    revive(of)
    cell = of.add("a", lambda given: Inheriting(given, script))
    async with supervised(of):
        of.deliver(Note("a"))
        await settle(of)
        assert isinstance(cell.core, Inheriting)
        assert cell.core.market == "seen by 2, seen by 1, seen by 0"
    assert cell.market == "seen by 2, seen by 1, seen by 0"


@MODES
async def test_what_was_known_of_the_market_survives_a_core_that_cannot_start(
    mode: Mode, autojump_clock: MockClock
) -> None:
    class Unstartable(Inheriting):
        def start(self, now_ns: int) -> list[Any]:
            if self.incarnation in (1, 2):
                raise Broken("not yet")
            return super().start(now_ns)

    of = mode()
    revive(of)
    script = Script(fails={Note("a"): 1})
    cell = of.add("a", lambda given: Unstartable(given, script))
    async with supervised(of):
        of.deliver(Note("a"))
        await settle(of)
        assert isinstance(cell.core, Inheriting)
        assert cell.core.market == "seen by 3, seen by 0"
    assert script.handled == [Note("a")]


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
