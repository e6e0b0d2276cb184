"""The cell: one core after the other, no message lost, no output of a failure sent."""

from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from actors.actor import Later
from actors.errors import JournalError, MailboxOverflow
from actors.messages.system import ActorFailed, ActorRestarted, MessageQuarantined
from runtime.kernel.cell_spec import CellState
from tests.runtime.kernel.fakes import (
    SECOND,
    Note,
    Plant,
    Script,
    ScriptedCore,
    inline_journal,
    simulated_plant,
)
from tests.runtime.kernel.plants import (
    MODES,
    Mode,
    forward,
    notes,
    plant,
    revive,
    settle,
    supervised,
)

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
