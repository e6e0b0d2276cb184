"""A core that is exchanged before every message, for one that was rebuilt, leaves no trace.

Now from a snapshot of that moment, now from one some messages old and the journal's tail, now from
the whole history: what is rebuilt is part by part what it stands for, and what comes of the run is
what came of it when it was left alone.
"""

from decimal import Decimal
from pathlib import Path
from random import Random  # noqa: TID251 - seeded
from typing import Any

import attrs
import pytest

from runtime.config.model import RunConfig
from runtime.wiring.plant import Plant
from tests.ring import halts
from tests.ring.crash_points import scene as points
from tests.ring.likeness import unlike
from tests.ring.rig import config
from tests.ring.test_snapshots import ALL_SORTS, story

pytestmark = pytest.mark.usefixtures("many_runs")

PACED = ALL_SORTS.replace(
    "type: simulated\n",
    "type: simulated\n  rate_limit: {requests_per_second: 3, burst_size: 3}\n",
)
SCENES: dict[str, RunConfig] = {
    "all sorts": config(ALL_SORTS),
    "paced": config(PACED),
    "venue": halts.scene(),
    "points": points.settings(),
}
NOT_COMPARED = frozenset(
    {
        "_context",  # another incarnation's
        "_stakes",  # made when asked for
        "_next_mark_ns",  # each incarnation sets a timer of its own when it starts
        "_count",  # numbers only say who came first, and are given anew
        "number",
        "version",  # tells who looks ahead that something is another
        "_scan",  # what was looked at already
        "_extremes",
        "_sides",  # in the order in which they were first used
    }
)


@attrs.define
class Desk:
    """Something with parts."""

    number: int
    inner: Decimal


@attrs.define
class Exchanges:
    """Exchanges a core before every so many messages.

    ``kept_every`` is how many messages lie between two snapshots; 0 is for none at all.
    """

    actor: str
    kept_every: int
    every: int = 1
    steps: int = 0
    exchanged: int = 0
    unlike: list[str] = attrs.field(factory=list)

    def prepare(self, plant: Plant) -> None:
        """Have the cell's steps counted."""
        cell: Any = plant.cells[self.actor]
        step = cell.step

        def counted(now_ns: int) -> None:
            if cell.core is not None and cell.mailbox.depth:
                self.steps += 1
                if self.kept_every and self.steps % self.kept_every == 0:
                    assert cell.keep_snapshot() is not None, "the core cannot be kept"
                if self.steps % self.every == 0:
                    self.exchange(cell, plant)
            step(now_ns)

        cell.step = counted

    def exchange(self, cell: Any, plant: Plant) -> None:
        """Put a rebuilt core in the place of the old one."""
        assert plant.sequencer is not None
        core = cell.rebuilt(plant.journal, getattr(cell.core, "market", None))
        is_kept = 0 < self.kept_every <= self.steps
        assert (cell.memory.latest is not None) == is_kept, "the snapshot did not count"
        found = unlike(cell.core, core, without=NOT_COMPARED)
        self.unlike += [f"before message {self.steps}: {path}" for path in found]
        self.exchanged += 1
        cell.core = core
        plant.sequencer.cell_changed(cell)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Any, ...]]:
    """Return the stories of the runs that are left alone."""
    return {
        name: story(settings, tmp_path_factory.mktemp("undisturbed"))
        for name, settings in SCENES.items()
    }


@pytest.mark.parametrize("kept_every", [1, 7, 0], ids=["snapshot", "and tail", "whole history"])
@pytest.mark.parametrize(
    ("scene", "actor"),
    [
        *(("all sorts", actor) for actor in ("broker", "orders", "portfolio")),
        ("paced", "broker"),
        *(("venue", actor) for actor in ("venue", "safety", "broker", "orders", "portfolio")),
    ],
)
def test_a_core_may_be_rebuilt_before_any_message(
    scene: str,
    actor: str,
    kept_every: int,
    undisturbed: dict[str, tuple[Any, ...]],
    tmp_path: Path,
) -> None:
    exchanges = Exchanges(actor, kept_every)
    assert story(SCENES[scene], tmp_path, exchanges) == undisturbed[scene]
    assert exchanges.unlike == []
    assert exchanges.exchanged == exchanges.steps > 80


@pytest.mark.parametrize("kept_every", [40, 0], ids=["snapshot and tail", "whole history"])
@pytest.mark.parametrize("actor", ["venue", "safety", "broker", "orders", "portfolio"])
def test_nor_does_it_show_in_a_run_in_which_everything_goes_wrong(
    actor: str,
    kept_every: int,
    undisturbed: dict[str, tuple[Any, ...]],
    tmp_path: Path,
) -> None:
    exchanges = Exchanges(actor, kept_every, every=57)
    assert story(SCENES["points"], tmp_path, exchanges) == undisturbed["points"]
    assert exchanges.unlike == []
    assert exchanges.exchanged >= 8


def test_what_is_unlike_is_found_wherever_it_is() -> None:
    made: list[dict[str, Any]] = [{"a": [1, {2}, Desk(3, Decimal(4))]} for _ in range(2)]
    one, other = made
    assert unlike(one, other) == []
    other["a"][2].inner = Decimal(5)
    assert unlike(one, other) == ["['a'][2].inner: Decimal('4') and Decimal('5')"]
    assert unlike(one, other, without={"inner"}) == []
    other["a"][1].add(6)
    other["b"] = []
    assert unlike(one, other, without={"inner"}) == [
        ".keys.length: 1 and 2",
        "['a'][1]: {2} and {2, 6}",
    ]
    assert unlike([1], [1.0]) == ["[0]: 1 and 1.0"]
    assert unlike(Random(1), Random(2)) != []
