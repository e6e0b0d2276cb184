"""The cell, live, of a core that is called off the event loop."""

from typing import Any

import pytest

from actors.messages.system import ActorFailed, MessageQuarantined
from runtime.kernel.placement.away import InThread
from tests.runtime.kernel.fakes import Note, Script, live_plant, simulated_plant
from tests.runtime.kernel.plants import notes, supervised


async def settled(of: Any) -> None:
    """Return when nothing is in flight; a thread may be at work."""
    await of.quiescence.wait()


async def test_it_is_started_called_and_stopped_there() -> None:
    of = live_plant()
    script = Script(answer=lambda note, _now_ns: [Note("b", note.text)])
    of.add("a", script, away=InThread("a", 5))
    of.add("b", heard := Script())
    async with supervised(of):
        of.deliver(*notes("x", "y"))
        await settled(of)
        assert await of.cells["a"].last_words(7) == await of.cells["b"].last_words(7)
    assert script.handled == notes("x", "y")
    assert heard.handled == [Note("b", "x"), Note("b", "y")]


async def test_its_failures_are_those_of_its_message() -> None:
    of = live_plant()

    def refuse(note: Any, _now_ns: int) -> list[Any]:
        if note.text == "poison":
            raise ValueError(note.text)
        return []

    of.add("a", script := Script(answer=refuse), away=InThread("a", 5), quarantine_after=2)
    async with supervised(of):
        of.deliver(*notes("poison", "fine"))
        await settled(of)
    assert script.handled[-1] == Note("a", "fine")
    failed = of.reports(ActorFailed)
    assert [each.message_sequence for each in failed] == [1, 1]
    (aside,) = of.reports(MessageQuarantined)
    assert (aside.message_sequence, aside.attempts) == (1, 2)


@pytest.mark.parametrize("mode", [live_plant, simulated_plant])
async def test_who_has_no_core_has_no_last_words(mode: Any) -> None:
    of = mode()
    cell = of.add("a", Script())
    assert await cell.last_words(0) == []
    assert cell.keep_snapshot() is None


async def test_nobody_steps_a_cell_that_drains_its_mailbox_itself() -> None:
    cell = live_plant().add("a", Script())
    with pytest.raises(NotImplementedError):
        cell.step(0)
