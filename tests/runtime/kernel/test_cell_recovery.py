"""The cell: what a fresh core is told of the past."""

from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.actor import Context, Later
from actors.errors import IntensityExceeded, MailboxOverflow
from actors.messages.system import ActorFailed
from runtime.kernel.cell_spec import CellState
from runtime.kernel.mailbox import Overflow, Rule
from tests.runtime.kernel.fakes import (
    RULES,
    Ask,
    Broken,
    MemoryJournal,
    Note,
    Plant,
    Script,
    ScriptedCore,
    inline_journal,
    live_plant,
    simulated_plant,
)
from tests.runtime.kernel.plants import MODES, Mode, notes, revive, settle, supervised

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


@MODES
async def test_what_finds_no_room_crashes_its_sender_and_is_not_lost(
    mode: Mode, autojump_clock: MockClock
) -> None:
    """Nor is what comes after it: every output of a message that was handled arrives."""
    of = mode()
    revive(of)
    outputs = [Note("b", "1"), Note("b", "2"), Note("b+c", "3"), Note("c", "4")]
    a = Script(answer=lambda _message, _now_ns: outputs)
    b, c = Script(), Script()
    of.add("a", a)
    of.add("b", b, capacity=1, reserve=0)
    of.add("c", c)
    async with supervised(of, "a"):
        of.deliver(Note("a"))
        await settle(of)
        assert [each.failure.kind for each in of.reports(ActorFailed)] == ["MailboxOverflow"]
        assert of.cells["b"].mailbox.pending() == {2, 3, 4}
        async with supervised(of, "bc"):
            await settle(of)
    assert a.handled == [Note("a")]
    assert (b.handled, c.handled) == (outputs[:3], outputs[2:])


async def test_live_what_another_receiver_has_no_room_for_waits_there(
    autojump_clock: MockClock,
) -> None:
    of = live_plant()
    rules = {**RULES, Note: Rule(overflow=Overflow.WAIT)}
    for name, its_rules in (("a", rules), ("b", RULES)):
        of.add(name, Script(), capacity=1, reserve=0, rules=its_rules)
    of.deliver(Note("a+b"))
    with pytest.raises(MailboxOverflow):
        of.deliver(Note("a+b"))
    assert [of.cells[name].mailbox.waiting for name in "ab"] == [1, 1]
    assert [of.cells[name].mailbox.pending() for name in "ab"] == [{1, 2}, {1, 2}]
