"""A halt outlasts the process: the next one begins halted, and tells everybody so."""

from pathlib import Path

import trio

from actors.messages.account import TradingState
from actors.messages.safety import KillSwitchChanged
from actors.messages.system import Halt
from actors.safety.kill_switch import KillSwitch
from runtime.kernel.envelope import Envelope
from runtime.kernel.journal import LiveJournal
from runtime.system.halting import halt
from runtime.wiring.components import blueprint
from runtime.wiring.plant import Plant, build_live
from runtime.wiring.routes import Role
from tests.ring.rig import config
from tests.runtime.system.governed import TEXT

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
