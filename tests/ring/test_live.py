"""Live and simulated are one system: the same cores, the same table, the same results."""

from typing import Any

import attrs
import pytest

from actors.messages.account import EquityMarked
from actors.messages.system import ActorFailed, ActorRestarted
from actors.messages.trading import ExecutionReport, Fill, OrderUpdate, PlaceOrder, SubmitOrder
from runtime.config.model import RunConfig
from runtime.kernel.journal import Entry, read_journal
from runtime.wiring.components import blueprint
from runtime.wiring.plant import Plant, codec
from runtime.wiring.routes import Role
from tests.ring.livery import LiveRun
from tests.ring.rig import Ran, config, fold, run
from tests.ring.scenes import SMALL
from tests.ring.traps import Trap, trapped

NOT_COINCIDENT = (
    SMALL.replace("interval: 70ms", "interval: 71000019ns, assets: [AAA, BBB]")
    .replace("equity_interval: 1s", "equity_interval: 331000007ns")
    .replace("name: one\n", "name: one\n    instruments: [AAA]\n")
    .replace("name: two\n", "name: two\n    instruments: [BBB]\n")
)
"""Nothing happens at one instant with something else, whose order might differ then."""


def scene(events: int, *overrides: str) -> RunConfig:
    """Return the small scene with one row a slice and nothing closed at the end."""
    general = ("slice_rows=1", "close_out=false", f"feeds[0].events={events}")
    return config(NOT_COINCIDENT, *general, *overrides)


def live_run(ran: Ran, *, real_wait_s: float = 0.0) -> LiveRun:
    """Return a live run over the same time as a simulated one."""
    result = ran.result
    return LiveRun(result.started_ns, result.finished_ns, real_wait_s=real_wait_s)


def account(cores: Any) -> tuple[Any, ...]:
    """Return orders, fills, positions, cash and equity.

    The last word on an order may be that the run ends: when that was depends on who ended it.
    """
    orders, portfolio = cores(Role.ORDERS), cores(Role.PORTFOLIO)
    records = [
        (each.order, each.status, each.filled_quantity, each.filled_cost, tuple(each.history[:3]))
        for each in orders.orders()
    ]
    return records, portfolio.fills, portfolio.positions(), portfolio.cash, portfolio.equity()


def of_plant(plant: Plant) -> tuple[Any, ...]:
    """Return the account of a plant that runs."""
    return account(lambda role: plant.cells[role].core)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_live_run_does_what_the_simulated_one_does(seed: int) -> None:
    settings = scene(400, f"seed={seed}")
    simulated = run(settings)
    live = live_run(simulated)
    found = live.run(blueprint(settings), of_plant)
    assert found == account(simulated.system.cores.__getitem__)
    assert len(found[1]) > 20
    assert live.reports == []


def test_a_live_run_marks_its_equity_at_the_same_times_to_the_same_value() -> None:
    settings = scene(150)
    simulated = run(settings)
    live = live_run(simulated)
    live.run(blueprint(settings), of_plant)
    marks = [each for each in live.seen if isinstance(each, EquityMarked)]
    until_ns = simulated.result.finished_ns
    expected = [each for each in simulated.result.equity if each.time_ns < until_ns - 200_000_000]
    assert len(expected) > 25
    assert marks[: len(expected)] == expected


@attrs.frozen
class Recorded:
    """A live run with a journal, beside the simulated one."""

    entries: list[Entry]
    found: tuple[Any, ...]
    simulated: Ran


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Return a live run whose journal was written in groups, by a thread."""
    folder = tmp_path_factory.mktemp("live")
    simulated = run(scene(60), folder)
    live = live_run(simulated, real_wait_s=0.05)
    found = live.run(blueprint(scene(60)), of_plant, folder / "live.db")
    return Recorded(list(read_journal(folder / "live.db", codec())), found, simulated)


def test_the_journal_of_a_live_run_tells_the_same_chains(recorded: Recorded) -> None:
    assert chains(recorded.entries) == chains(recorded.simulated.entries)
    fills = [e.message for e in recorded.entries if isinstance(e.message, Fill)]
    assert fills == recorded.found[1]
    assert fold(scene(60).portfolio.cash, fills).cash == recorded.found[3]
    assert len(fills) > 5


def test_in_a_live_journal_causes_come_before_what_they_lead_to(recorded: Recorded) -> None:
    known: set[int] = set()
    for entry in recorded.entries:
        assert entry.sequence not in known
        if entry.type in ("SubmitOrder", "PlaceOrder", "Fill"):
            assert entry.cause in known
        known.add(entry.sequence)
    assert sum(entry.type == "PlaceOrder" for entry in recorded.entries) > 5


_CHAIN = (SubmitOrder, PlaceOrder, ExecutionReport, OrderUpdate, Fill)


def chains(entries: list[Entry]) -> dict[tuple[str, str], list[Any]]:
    """Return what each actor said of each order, in order."""
    told: dict[tuple[str, str], list[Any]] = {}
    for entry in entries:
        message = entry.message
        if isinstance(message, _CHAIN) and entry.due_ns is None:
            order: Any = getattr(message, "order", message)
            told.setdefault((order.client_order_id, entry.sender), []).append(message)
    return told


@pytest.mark.parametrize("actor", ["one", "two"])
def test_a_strategy_of_a_live_run_is_restarted_alone(actor: str) -> None:
    settings = scene(100)
    simulated = run(settings)
    live = live_run(simulated)
    plan = trapped(blueprint(settings), actor, Trap(20, after=False))
    found = live.run(plan, of_plant)
    assert [type(report) for report in live.reports] == [ActorFailed, ActorRestarted]
    assert {report.actor for report in live.reports} == {actor}
    assert [bargain(fill) for fill in found[1]] == [
        bargain(row.fill) for row in simulated.result.fills
    ]


def bargain(fill: Fill) -> tuple[Any, ...]:
    """Return what was traded, whatever the order was called."""
    return fill.venue_time_ns, fill.strategy, fill.side, fill.last_quantity, fill.last_price
