"""A halt outlasts the process: the next one begins halted, and tells everybody so."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio

from actors.messages.account import TradingState
from actors.messages.safety import KillSwitchChanged
from actors.messages.system import CancelAllAtVenue, Halt, Resume
from actors.safety.kill_switch import KillSwitch
from runtime.kernel.envelope import Envelope
from runtime.kernel.journal import LiveJournal
from runtime.system.halting import halt
from runtime.wiring.components import blueprint
from runtime.wiring.plant import Plant, build_live
from runtime.wiring.routes import Role
from tests.ring.rig import config
from tests.runtime.system.governed import TEXT

_CAUSE = "orders gave up: they did not want to"
_EPOCH_NS = 1_767_225_600_000_000_000
_MINUTE_NS = 60_000_000_000


async def life(journal: Path, *, is_first: bool) -> tuple[KillSwitchChanged, list[Envelope]]:
    """Live for a moment; the first life ends halted. Return how the switch stands, and all said."""
    epoch_ns = _EPOCH_NS if is_first else _EPOCH_NS + _MINUTE_NS
    plant = build_live(blueprint(config(TEXT)), journal, lambda _event: None, epoch_ns=epoch_ns)
    said: list[Envelope] = []
    plant.post.tap = said.append
    try:
        async with trio.open_nursery() as nursery:
            await nursery.start(plant.root.run)
            await trio.sleep(0.1)
            if is_first:
                assert halt(plant, "it was late", "test") == []
                await trio.sleep(0.1)
            found = _standing(plant)
            plant.root.request_stop()
    finally:
        assert isinstance(plant.journal, LiveJournal)
        plant.journal.close()
    return found, said


def _standing(plant: Plant) -> KillSwitchChanged:
    switch, portfolio = plant.cells[Role.SAFETY].core, plant.cells[Role.PORTFOLIO].core
    assert isinstance(switch, KillSwitch)
    assert portfolio.trading_state is TradingState.HALTED  # type: ignore[union-attr]
    return switch.status()


async def test_the_next_process_begins_halted_and_tells_it_again(tmp_path: Path) -> None:
    journal = tmp_path / "journal.db"
    before, _ = await life(journal, is_first=True)
    after, said = await life(journal, is_first=False)
    assert after.causes == before.causes
    assert before.causes[0].cause == "it was late"
    halts = [e.message for e in said if e.sender == "safety" and isinstance(e.message, Halt)]
    assert halts == [Halt("it was late", final=False)]


@asynccontextmanager
async def living(journal: Path, number: int) -> AsyncIterator[Plant]:
    """Run the process of a number while the block runs."""
    epoch_ns = _EPOCH_NS + number * _MINUTE_NS
    plant = build_live(blueprint(config(TEXT)), journal, lambda _event: None, epoch_ns=epoch_ns)
    try:
        async with trio.open_nursery() as nursery:
            await nursery.start(plant.root.run)
            await trio.sleep(0.1)
            yield plant
            plant.root.request_stop()
    finally:
        assert isinstance(plant.journal, LiveJournal)
        plant.journal.close()


Standing = tuple[bool, bool, str | None, str | None]
"""Who is halted: switch, portfolio, order manager, venue."""


async def becomes(plant: Plant, wanted: Standing, *messages: Any) -> bool:
    """Say something for the system; return whether all stand as is wanted within 5 s."""
    for message in messages:
        plant.post.deliver("system", 0, message, plant.clock.now_ns())
    with trio.move_on_after(5):
        while standing(plant) != wanted:  # noqa: ASYNC110 - nobody tells
            await trio.sleep(0.01)
    return standing(plant) == wanted


def standing(plant: Plant) -> Standing:
    """Return how all stand now."""
    cores: dict[str, Any] = {name: cell.core for name, cell in plant.cells.items()}
    return (
        cores[Role.SAFETY].is_halted,
        cores[Role.PORTFOLIO].trading_state is TradingState.HALTED,
        cores[Role.ORDERS]._requests._halted,
        cores[Role.BROKER]._desk.closed,
    )


async def test_a_final_halt_can_be_lifted_in_the_next_process_only(tmp_path: Path) -> None:
    journal = tmp_path / "journal.db"
    halted, free = (True, True, _CAUSE, _CAUSE), (False, False, None, None)
    async with living(journal, 0) as plant:
        assert await becomes(plant, halted, Halt(_CAUSE))
    async with living(journal, 1) as plant:
        assert await becomes(plant, halted)
        assert await becomes(plant, free, Resume(_CAUSE))
    async with living(journal, 2) as plant:
        assert await becomes(plant, free)


async def test_a_run_that_was_stopped_at_once_trades_in_the_next_process(tmp_path: Path) -> None:
    journal = tmp_path / "journal.db"
    async with living(journal, 0) as plant:
        closed = (False, False, None, "stopped at once")
        assert await becomes(plant, closed, CancelAllAtVenue("stopped at once"))
    async with living(journal, 1) as plant:
        assert await becomes(plant, (False, False, None, None))
