"""Where a strategy runs changes no result, and one that hangs holds nobody up."""

import re
from collections.abc import Callable
from typing import Any

import attrs
import pytest
import trio

from actors.messages.system import ActorFailed, ActorRestarted
from actors.messages.trading import Fill, Signal
from runtime.config.model import RunConfig
from runtime.kernel.placement.process import PlacedCore
from runtime.kernel.watchdog import Watchdog
from runtime.wiring.components import blueprint
from runtime.wiring.plant import Plant, build_live
from tests.ring.rig import Ran, check_books, config, run
from tests.ring.scenes import RICH, SMALL
from tests.runtime.kernel.placement.test_process import is_running

AVERAGES = """\
name: averages
mode: simulate
seed: 5
feeds:
  - {name: books, type: synthetic, shape: book, assets: [AAA], events: 100, interval: 50ms}
  - {name: quotes, type: synthetic, assets: [BBB, CCC], events: 400, interval: 50ms,
     volatility: 0.002}
strategies:
  - {name: cross, type: average_cross, parameters: {fast: 2, slow: 5}}
  - {name: maker, type: market_maker, instruments: [BBB], parameters: {spread_bps: 4}}
  - {name: momentum, type: momentum, instruments: [CCC],
     parameters: {lookback: 3, threshold_bps: 5}}
  - {name: columns, type: "tests.actors.strategies.test_vectorised:ByColumn"}
broker:
  type: simulated
  latency: {type: constant, submit: 12ms, report: 3ms, cancel: 5ms}
"""


def everything_in_processes(settings: RunConfig) -> RunConfig:
    """Return a configuration with every strategy in a process of its own."""
    strategies = [
        attrs.evolve(each, placement=type(each.placement)("process"))
        for each in settings.strategies
    ]
    return attrs.evolve(settings, strategies=tuple(strategies))


def told(ran: Ran) -> list[Any]:
    """Return what was journaled, as it was."""
    return [(e.sequence, e.time_ns, e.sender, e.cause, e.message) for e in ran.entries]


@pytest.mark.parametrize(
    ("scene", "overrides"),
    [
        (SMALL, ()),
        (AVERAGES, ()),
        (
            RICH,
            (
                "feeds[0].events=320",
                "feeds[1].events=100",
                "strategies[2].parameters.crash_every=201",
            ),
        ),
    ],
)
def test_in_processes_a_simulated_run_writes_the_same_journal(
    tmp_path: Any, scene: str, overrides: tuple[str, ...]
) -> None:
    settings = config(scene, *overrides)
    loop = run(settings, tmp_path)
    away = run(everything_in_processes(settings), tmp_path)
    assert away.story == loop.story
    assert told(away) == told(loop)
    assert len(loop.of(Fill)) > 10
    check_books(away)


# --- in real time -------------------------------------------------------------------------------

LIVE = """\
name: live
mode: simulate
seed: 5
slice_rows: 1
feeds:
  - {name: quotes, type: synthetic, assets: [AAA], events: 60, interval: 20ms}
strategies:
  - {name: prompt, type: "tests.ring.sluggards:Prompt"}
  - name: sluggard
    type: tests.ring.sluggards:Sluggard
    parameters: {at: 1}
    deadline: 300ms
    heartbeat: 50ms
    supervision: {backoff: {base: 0ms}}
broker: {type: simulated}
"""
MS = 1_000_000
QUOTES = 60


@attrs.define
class Live:
    """A live run that is over: what was delivered, and what supervisors have said."""

    envelopes: list[Any] = attrs.field(factory=list)
    reports: list[Any] = attrs.field(factory=list)
    pids: set[int] = attrs.field(factory=set)
    said: list[str] = attrs.field(factory=list)
    alarms: list[Any] = attrs.field(factory=list)

    def waits_ns(self) -> list[int]:
        """Return how long each of the prompt one's wishes took to be filled."""
        wished = {
            e.message.signal_id: e.time_ns for e in self.envelopes if isinstance(e.message, Signal)
        }
        return [
            e.time_ns - wished[e.message.client_order_id]
            for e in self.envelopes
            if isinstance(e.message, Fill) and e.message.strategy == "prompt"
        ]

    def failures(self) -> list[ActorFailed]:
        return [each for each in self.reports if isinstance(each, ActorFailed)]


def live(until: Callable[[Live], bool], *overrides: str) -> Live:
    """Run in real time until the data have ended and something has happened, or for too long."""
    settings = config(LIVE, *overrides)
    start_ns = run(config(LIVE, "strategies[1].parameters.at=1000")).result.started_ns
    found = Live()

    async def main() -> None:
        # the data begin when all should be up
        epoch_ns = start_ns - 2000 * MS
        plant = build_live(blueprint(settings), None, found.reports.append, epoch_ns=epoch_ns)
        plant.post.observe = lambda _message, _now_ns: None
        plant.post.tap = found.envelopes.append
        assert plant.handling is not None
        dog = Watchdog(
            plant.handling, plant.clock, 200 * MS, found.said.append, found.alarms.append
        )
        async with trio.open_nursery() as nursery:
            await nursery.start(dog.run)
            await nursery.start(plant.root.run)
            with trio.move_on_after(20):
                while len(found.waits_ns()) < QUOTES or not until(found):
                    await trio.sleep(0.05)
                    found.pids |= pids(plant)
            plant.root.request_stop()
            dog.request_stop()

    trio.run(main)
    return found


def pids(plant: Plant) -> set[int]:
    cores = [cell.core for cell in plant.cells.values()]
    return {core.pid for core in cores if isinstance(core, PlacedCore) and core.pid is not None}


def has_failed(ran: Live) -> bool:
    return bool(ran.failures())


@pytest.mark.parametrize("does", ["spin", "sleep"])
def test_one_in_a_process_that_hangs_is_killed_and_holds_nobody_up(does: str) -> None:
    ran = live(
        lambda ran: any(isinstance(each, ActorRestarted) for each in ran.reports),
        "strategies[1].placement=process",
        f"strategies[1].parameters.does={does}",
    )
    waits = ran.waits_ns()
    assert len(waits) == QUOTES
    assert max(waits) < 250 * MS
    (failed, *_) = ran.failures()
    assert (failed.actor, failed.failure.kind) == ("sluggard", "Unresponsive")
    assert failed.failure.text == "sluggard has not answered within 0.3 s and was killed"
    assert any(isinstance(each, ActorRestarted) for each in ran.reports)
    assert ran.pids
    for pid in ran.pids:
        assert not is_running(pid)


def test_one_in_the_loop_that_sleeps_holds_everybody_up_and_is_named() -> None:
    ran = live(lambda ran: bool(ran.alarms), "strategies[1].parameters.does=sleep")
    said = next(each for each in ran.said if "Sluggard" in each)
    assert re.match(
        r"sluggard \(MarketData, message \d+\) has held the event loop for 0\.2 s, "
        r"at ring/sluggards\.py:Sluggard\.sleep:\d+",
        said,
    )
    assert any("Sluggard.sleep" in each.text for each in ran.alarms)
    assert ran.failures() == []


def test_one_in_a_thread_that_computes_for_long_slows_the_others_down_only() -> None:
    ran = live(
        has_failed, "strategies[1].placement=thread", "strategies[1].parameters.does=compute"
    )
    waits = ran.waits_ns()
    assert len(waits) == QUOTES
    assert max(waits) < 400 * MS
    (failed, *_) = ran.failures()
    assert (failed.actor, failed.failure.kind) == ("sluggard", "Unresponsive")
    text = "sluggard has not returned within 0.3 s; threads left behind so far: 1"
    assert failed.failure.text == text


@pytest.mark.parametrize("placement", ["thread", "process"])
def test_a_failure_away_is_a_failure_as_any_other(placement: str) -> None:
    ran = live(
        has_failed,
        f"strategies[1].placement={placement}",
        "strategies[1].parameters.does=fail",
        "strategies[1].supervision.quarantine_after=1",
    )
    (failed, *_) = ran.failures()
    assert (failed.failure.kind, failed.failure.text) == ("ValueError", "not today")
    assert failed.failure.where.startswith("ring/sluggards.py:Sluggard.fail:")
    assert len(ran.waits_ns()) == QUOTES
