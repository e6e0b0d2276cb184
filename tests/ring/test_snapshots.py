"""A core that comes from a snapshot and the journal's tail is the core that it stands for.

At one message of a run a snapshot is kept; at a later one the core is exchanged for one that is
rebuilt from it. Whatever comes afterwards must be what came in the run that was left alone.
"""

from pathlib import Path
from typing import Any

import attrs
import pytest

from runtime.config.model import RunConfig
from runtime.observe.result import OrderRow
from runtime.system.outcome import WallTimes, outcome
from runtime.system.system import System
from runtime.wiring.components import blueprint
from runtime.wiring.plant import Plant
from tests.ring.rig import config
from tests.ring.scenes import RICH, SMALL

pytestmark = pytest.mark.usefixtures("many_runs")

CORES = ("broker", "orders", "portfolio")
ALL_SORTS = SMALL.replace(
    "type: tests.ring.traders:Trader\n    parameters: {is_stateless: true}",
    "type: 'tests.ring.chaos:Chaos'\n    parameters: {every: 3}",
)


@attrs.define
class Exchange:
    """Keeps a snapshot before the message ``kept_at``, and exchanges the core at ``at``.

    Both count what the actor handles, from 1; ``kept_at`` 0 is never: the whole history is replayed
    then.
    """

    actor: str
    kept_at: int
    at: int
    steps: int = 0
    is_done: bool = False

    def prepare(self, plant: Plant) -> None:
        """Have the cell's steps counted."""
        cell: Any = plant.cells[self.actor]
        step = cell.step

        def counted(now_ns: int) -> None:
            self.steps += cell.core is not None and cell.mailbox.depth > 0
            if self.steps == self.kept_at and cell.memory.latest is None:
                assert cell.keep_snapshot() is not None, "the core cannot be kept"
            if self.steps == self.at and not self.is_done:
                self.is_done = True
                self.exchange(cell, plant)
            step(now_ns)

        cell.step = counted

    def exchange(self, cell: Any, plant: Plant) -> None:
        """Put a rebuilt core in the place of the old one."""
        assert plant.sequencer is not None
        core = cell.rebuilt(plant.journal, getattr(cell.core, "market", None))
        assert (cell.memory.latest is not None) == bool(self.kept_at), "the snapshot did not count"
        cell.core = core
        plant.sequencer.cell_changed(cell)


def story(settings: RunConfig, folder: Path, exchange: Any = None) -> tuple[Any, ...]:
    """Return what came of a run."""
    system = System(
        blueprint(settings), journal_path=folder / "journal.db", close_out=settings.close_out
    )
    if exchange is not None:
        system.prepare(exchange.prepare)
    system.run()
    result = outcome(settings, system, WallTimes(started_ns=0, finished_ns=0))
    orders: list[OrderRow] = [
        attrs.evolve(row, created_ns=0, updated_ns=0) for row in result.orders
    ]
    return orders, result.fills, result.positions, result.refusals, result.final_equity


def count_of(settings: RunConfig, folder: Path, actor: str) -> int:
    """Return how many messages an actor handles."""
    counting = Exchange(actor, 0, -1)
    story(settings, folder, counting)
    return counting.steps


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Any, ...]]:
    """Return the stories of the runs that are left alone."""
    return {
        text: story(config(text), tmp_path_factory.mktemp("undisturbed"))
        for text in (SMALL, ALL_SORTS, RICH)
    }


@pytest.mark.parametrize("share", [0.1, 0.45, 0.8])
@pytest.mark.parametrize("actor", CORES)
@pytest.mark.parametrize("text", [SMALL, ALL_SORTS, RICH], ids=["small", "all sorts", "rich"])
def test_a_snapshot_and_the_tail_are_the_core_that_went_on(
    text: str,
    actor: str,
    share: float,
    undisturbed: dict[str, tuple[Any, ...]],
    tmp_path: Path,
) -> None:
    settings = config(text)
    expected = undisturbed[text]
    assert len(expected[1]) > 20
    (tmp_path / "count").mkdir()
    count = count_of(settings, tmp_path / "count", actor)
    kept_at = max(int(count * share), 1)
    exchange = Exchange(actor, kept_at, kept_at + max((count - kept_at) // 3, 1))
    assert story(settings, tmp_path, exchange) == expected
    assert exchange.is_done
