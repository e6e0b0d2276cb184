"""Crash anything, anywhere: it is restarted alone, and no order and no fill is lost or doubled."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest

from actors.actor import Context, Core, Source
from actors.messages.account import MarkEquity
from actors.messages.slices import Slice
from actors.messages.system import (
    ActorFailed,
    ActorGaveUp,
    ActorRestarted,
    MessageQuarantined,
)
from actors.messages.trading import (
    CancelArrived,
    CancelPlacedOrder,
    ExecutionReport,
    Fill,
    OrderArrived,
    PlaceOrder,
    Signal,
    SubmitOrder,
)
from actors.model.order import OrderStatus
from runtime.observe.result import ExitCode, OrderRow
from runtime.research.artefacts import write_artefacts
from runtime.research.statistics import statistics
from runtime.wiring.blueprint import Blueprint
from runtime.wiring.routes import Role
from tests.ring.rig import Ran, check_books, config, run
from tests.ring.scenes import SMALL
from tests.ring.traders import heard
from tests.ring.traps import Sprung, Trap, trapped

pytestmark = pytest.mark.usefixtures("many_runs")

CORES = ("broker", "orders", "portfolio")
EVERY = 1_000_000
SETTINGS = config(SMALL)
WITH_PATIENT = config(
    SMALL.replace(
        "strategies:", "strategies:\n  - {name: patient, type: 'tests.ring.traders:Patient'}"
    )
)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Return the run in which nothing crashes."""
    ran = run(SETTINGS, tmp_path_factory.mktemp("undisturbed"))
    assert len(ran.result.fills) > 20
    return ran


def run_trapped(actor: str, trap: Trap, folder: Path | None, settings: Any = SETTINGS) -> Ran:
    """Run with one actor in a trap."""
    return run(settings, folder, change=partial(trapped, actor=actor, trap=trap))


def timeless(orders: tuple[OrderRow, ...]) -> list[OrderRow]:
    """Return orders without times: a restarted order manager knows those of the venue only."""
    return [attrs.evolve(row, created_ns=0, updated_ns=0) for row in orders]


def messages(ran: Ran) -> list[Any]:
    """Return what was said, but for the clock of the equity curve, which is set anew."""
    return [each for each in ran.messages if not isinstance(each[2], MarkEquity)]


def is_the_same(ran: Ran, other: Ran) -> bool:
    """Return whether two runs came to the same."""
    return (
        timeless(ran.result.orders) == timeless(other.result.orders)
        and ran.story[1:] == other.story[1:]
        and messages(ran) == messages(other)
    )


def bargains(ran: Ran, strategy: str | None = None) -> list[Any]:
    """Return what was traded, whatever the orders were called."""
    return [
        (row.time_ns, fill.strategy, fill.side, fill.last_quantity, fill.last_price)
        for row in ran.result.fills
        for fill in [row.fill]
        if strategy in (None, fill.strategy)
    ]


def events(ran: Ran, kind: type) -> list[Any]:
    """Return what the supervision said, of one kind."""
    return [row.event for row in ran.result.system if isinstance(row.event, kind)]


# --- anywhere --------------------------------------------------------------------------------


@pytest.mark.parametrize("actor", CORES)
def test_a_core_may_crash_after_any_message(actor: str, undisturbed: Ran, tmp_path: Path) -> None:
    for call in range(1, 61):
        trap = Trap(call)
        ran = run_trapped(actor, trap, tmp_path)
        assert trap.sprung == 1
        check_books(ran)
        assert is_the_same(ran, undisturbed), f"{actor}: call {call}"


@pytest.mark.parametrize("actor", CORES)
def test_a_core_may_crash_before_any_message(actor: str, undisturbed: Ran, tmp_path: Path) -> None:
    for call in range(1, 61, 9):
        trap = Trap(call, after=False)
        ran = run_trapped(actor, trap, tmp_path)
        assert trap.sprung == 1
        check_books(ran)
        assert is_the_same(ran, undisturbed), f"{actor}: call {call}"


@pytest.mark.parametrize("after", [True, False])
def test_a_strategy_may_crash_at_any_event(after: bool, undisturbed: Ran, tmp_path: Path) -> None:
    for call in range(1, 61, 6):
        trap = Trap(call, after=after)
        ran = run_trapped("one", trap, tmp_path)
        assert trap.sprung == 1
        check_books(ran)
        assert bargains(ran) == bargains(undisturbed), f"call {call}"


def test_several_actors_may_crash_in_one_run(undisturbed: Ran, tmp_path: Path) -> None:
    traps = {"broker": Trap(20), "orders": Trap(30), "portfolio": Trap(25), "two": Trap(90)}

    def change(plan: Blueprint) -> Blueprint:
        for actor, trap in traps.items():
            plan = trapped(plan, actor, trap)
        return plan

    ran = run(SETTINGS, tmp_path, change=change)
    check_books(ran)
    assert [trap.sprung for trap in traps.values()] == [1, 1, 1, 1]
    assert bargains(ran) == bargains(undisturbed)


# --- at moments that matter ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("actor", "kind"),
    [
        ("portfolio", Signal),
        ("portfolio", Fill),
        ("orders", SubmitOrder),
        ("orders", ExecutionReport),
        ("broker", PlaceOrder),
        ("broker", OrderArrived),
        ("broker", CancelPlacedOrder),
        ("broker", CancelArrived),
    ],
)
@pytest.mark.parametrize("at", [1, 4])
def test_between_receiving_and_forwarding_nothing_gets_lost(
    actor: str, kind: type, at: int, undisturbed: Ran, tmp_path: Path
) -> None:
    trap = Trap(at, matches=lambda message: isinstance(message, kind))
    ran = run_trapped(actor, trap, tmp_path)
    assert trap.sprung == 1
    check_books(ran)
    assert is_the_same(ran, undisturbed)


def test_a_broker_that_crashes_at_a_market_row_fills_its_orders_all_the_same(
    undisturbed: Ran, tmp_path: Path
) -> None:
    trap = Trap(2, matches=lambda message: isinstance(message, Slice))
    ran = run_trapped("broker", trap, tmp_path)
    assert trap.sprung == 1
    check_books(ran)
    assert is_the_same(ran, undisturbed)


def test_a_strategy_that_raises_on_its_100th_event_is_restarted_alone(
    undisturbed: Ran, tmp_path: Path
) -> None:
    ran = run_trapped("one", Trap(100), tmp_path)
    assert [event.actor for event in events(ran, ActorFailed)] == ["one"]
    assert [(e.actor, e.incarnation) for e in events(ran, ActorRestarted)] == [("one", 1)]
    assert bargains(ran) == bargains(undisturbed)
    assert any(".1-" in row.order.client_order_id for row in ran.result.orders)
    assert ran.result.exit_code is ExitCode.GOOD
    check_books(ran)


# --- feeds -----------------------------------------------------------------------------------


class Mortal:
    """A source whose first life ends in an exception after so many rows."""

    def __init__(self, source: Source, rows: int | None) -> None:
        self._source = source
        self._rows = rows

    def slices(self, resume_ns: int) -> Iterator[Slice]:
        left = self._rows
        for rows in self._source.slices(resume_ns):
            if left is None:
                yield rows
                continue
            if len(rows) >= left:
                yield rows.take(slice(0, left))
                raise ConnectionError("the line is dead")
            left -= len(rows)
            yield rows

    def summary(self) -> dict[str, Any]:
        return self._source.summary()


def mortal(plan: Blueprint, rows: int) -> Blueprint:
    """Return the blueprint with a feed that dies once."""
    make = plan.sources["market"]
    sources = {"market": lambda life: Mortal(make(life), None if life else rows)}
    return attrs.evolve(plan, sources=sources)


FEED = config(
    SMALL.replace(
        "volatility: 0.001", "volatility: 0.001, supervision: {backoff: {base: 2s, jitter: 0}}"
    ).replace("strategies:", "strategies:\n  - {name: witness, type: 'tests.ring.traders:Witness'}")
)


@pytest.mark.parametrize("slice_rows", [1, 7, 4096])
def test_a_feed_that_dies_comes_back_and_strategies_are_told(
    slice_rows: int, tmp_path: Path
) -> None:
    heard.clear()
    settings = attrs.evolve(FEED, slice_rows=slice_rows)
    ran = run(settings, tmp_path, change=partial(mortal, rows=50))
    start_ns = ran.result.started_ns
    died_ns = start_ns + 49 * 70_000_000 + 1
    assert heard == [("witness", died_ns, "DOWN"), ("witness", died_ns + 2_000_000_000, "UP")]
    assert [event.actor for event in events(ran, ActorFailed)] == ["market"]
    lost = 28  # of 14.3 rows a second, in two seconds
    assert ran.result.events == 150 - lost + 2
    assert any(row.time_ns > died_ns + 2_000_000_000 for row in ran.result.fills)
    assert ran.result.exit_code is ExitCode.GOOD
    check_books(ran)


def test_a_feed_that_gives_up_fails_the_run_with_a_complete_result(tmp_path: Path) -> None:
    settings = config(SMALL, "feeds[0].supervision.intensity=0")
    ran = run(settings, tmp_path, change=partial(mortal, rows=50))
    assert ran.result.exit_code is ExitCode.FAILED
    assert "feed market gave up" in ran.result.reason
    assert ran.result.events >= 50
    check_books(ran)


# --- poison, budgets -------------------------------------------------------------------------


def test_a_poison_message_is_set_aside_and_its_successors_are_handled(tmp_path: Path) -> None:
    poison = "small-3-one-2"
    trap = Trap(
        1, after=False, times=EVERY, matches=lambda m: getattr(m, "signal_id", "") == poison
    )
    ran = run_trapped("portfolio", trap, tmp_path)
    (quarantined,) = events(ran, MessageQuarantined)
    assert (quarantined.actor, quarantined.message_type, quarantined.attempts) == (
        "portfolio",
        "Signal",
        3,
    )
    set_aside = next(e for e in ran.entries if e.sequence == quarantined.message_sequence)
    assert set_aside.message.signal_id == poison
    orders = [row.order.client_order_id for row in ran.result.orders]
    assert poison not in orders
    assert {"small-3-one-1", "small-3-one-3"} <= set(orders)
    assert ran.result.exit_code is ExitCode.GOOD
    check_books(ran)


def test_a_strategy_that_gives_up_leaves_no_order_behind_and_the_rest_trades_on(
    tmp_path: Path,
) -> None:
    ran = run_trapped("patient", Trap(40, times=EVERY), tmp_path, WITH_PATIENT)
    (gave_up,) = events(ran, ActorGaveUp)
    assert gave_up.actor == "patient"
    own = [row for row in ran.result.orders if row.order.strategy == "patient"]
    assert own
    assert {row.status for row in own} == {OrderStatus.CANCELLED}
    gave_up_ns = next(r.time_ns for r in ran.result.system if isinstance(r.event, ActorGaveUp))
    assert max(row.updated_ns for row in own) < gave_up_ns + 50_000_000
    later = [row for row in ran.result.fills if row.time_ns > gave_up_ns]
    assert {row.fill.strategy for row in later} == {"one", "two"}
    assert ran.result.exit_code is ExitCode.GOOD
    assert [row.state for row in ran.result.actors if row.name.endswith(".patient")] == ["gave_up"]
    check_books(ran)


@pytest.mark.parametrize("actor", CORES)
def test_a_core_that_gives_up_ends_the_run_as_failed_with_a_complete_result(
    actor: str, tmp_path: Path
) -> None:
    ran = run_trapped(actor, Trap(30, times=EVERY), tmp_path, WITH_PATIENT)
    result = ran.result
    assert result.exit_code is ExitCode.FAILED
    assert f"{actor} gave up" in result.reason
    assert result.orders
    assert result.fills
    assert result.equity
    check_books(ran)
    write_artefacts(tmp_path, result, statistics(result))
    assert (tmp_path / "fills.csv").read_text().count("\n") == 1 + len(result.fills)


@pytest.mark.parametrize("actor", CORES)
def test_whenever_a_core_gives_up_no_trade_of_the_venue_is_missing(
    actor: str, tmp_path: Path
) -> None:
    for call in range(4, 88, 21):
        ran = run_trapped(actor, Trap(call, times=EVERY), tmp_path)
        assert ran.result.exit_code is ExitCode.FAILED
        check_books(ran)
        told = {report.trade_id for report in ran.of(ExecutionReport) if report.kind == "TRADE"}
        assert told == {row.fill.trade_id for row in ran.result.fills}


@pytest.mark.parametrize("actor", ["portfolio", "orders"])
def test_what_is_open_is_cancelled_when_a_core_gives_up(actor: str, tmp_path: Path) -> None:
    ran = run_trapped(actor, Trap(30, times=EVERY), tmp_path, WITH_PATIENT)
    broker = ran.system.cores["broker"]
    assert broker.open_orders() == []
    after = [
        e for e in ran.entries if e.sequence > ran_gave_up_at(ran) and e.type == "OrderArrived"
    ]
    placed_after = {e.message.order.client_order_id for e in after if e.due_ns is not None}
    assert placed_after == set()
    cancelled = [r for r in ran.of(ExecutionReport) if r.kind == "CANCELLED"]
    assert {r.client_order_id for r in cancelled} >= {"small-3-patient-1", "small-3-patient-2"}


def ran_gave_up_at(ran: Ran) -> int:
    """Return the journal's sequence at which an actor gave up."""
    return next(e.sequence for e in ran.entries if isinstance(e.message, ActorGaveUp))


@pytest.mark.parametrize("actor", CORES)
def test_without_a_journal_a_core_s_crash_fails_the_run_with_a_complete_result(
    actor: str, undisturbed: Ran
) -> None:
    ran = run_trapped(actor, Trap(40), None)
    assert ran.result.exit_code is ExitCode.FAILED
    assert "keeps no journal" in ran.result.reason
    before = ran.result.finished_ns
    known = [row for row in undisturbed.result.fills if row.time_ns < before]
    if actor == "portfolio":
        return  # what it knew is gone with it: the reason says so
    assert [row.fill for row in ran.result.fills][: len(known) - 3] == [
        row.fill for row in known[:-3]
    ]
    assert ran.system.cores["portfolio"].cash != Decimal(10_000)


def test_without_a_journal_a_strategy_is_restarted_and_trades_on() -> None:
    ran = run_trapped("one", Trap(60), None)
    assert [event.actor for event in events(ran, ActorRestarted)] == ["one"]
    assert ran.result.exit_code is ExitCode.GOOD
    check_books(ran)


def test_a_core_that_cannot_be_rebuilt_is_told_in_the_result(tmp_path: Path) -> None:
    """The reason why it is down may be its past: the run must end with a result all the same."""

    def forgetful(plan: Blueprint) -> Blueprint:
        make = plan.cores[Role.ORDERS]

        def make_forgetful(context: Context) -> Core:
            core = make(context)
            recover = core.recover

            def fail(history: Iterable[tuple[str, Any]]) -> None:
                recover(history)
                raise Sprung("I cannot remember")

            core.recover = fail  # type: ignore[method-assign]
            return core

        return attrs.evolve(plan, cores={**plan.cores, Role.ORDERS: make_forgetful})

    trap = Trap(30)
    ran = run(SETTINGS, tmp_path, change=lambda plan: trapped(forgetful(plan), "orders", trap))
    assert ran.result.exit_code is ExitCode.FAILED
    assert ran.result.orders == ()
    assert "I cannot remember" in ran.result.reason
    assert ran.result.fills
