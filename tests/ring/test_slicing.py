"""The specification, as a property: results do not depend on how market data are cut."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from actors.actor import Source
from actors.brokers.market.queue_position import Queue
from actors.brokers.market.sizes import Consumption, Depth
from actors.brokers.matching.bar_fills import FillPolicy
from actors.messages.market import EventKind
from actors.messages.slices import Slice, resliced
from actors.messages.trading import ExecutionReport, ReportKind
from actors.model.order import Liquidity
from runtime.wiring.blueprint import Blueprint
from tests.ring.rig import Ran, check_books, config, repeated, run, with_sources
from tests.ring.traps import Trap, trapped

pytestmark = pytest.mark.usefixtures("many_runs")

TEXT = """\
name: cut
mode: simulate
seed: {seed}
portfolio:
  cash: {cash}
  equity_interval: 700ms
  policies: [{{type: PositionLimit, max_size: 30}}, {{type: CashLimit}}]
supervision: {{intensity: 20, backoff: {{base: {backoff}ms, jitter: 0.5}}}}
feeds:
  - {{name: first, type: synthetic, shape: {shape}, assets: [AAA, BBB], events: 150,
     interval: 100ms, volatility: 0.001, quantity: 4}}
  - {{name: second, type: synthetic, generator: {generator}, assets: [CCC], events: 100,
     interval: {interval}ms, volatility: 0.001}}
strategies:
  - {{name: one, type: "tests.ring.traders:Trader",
     parameters: {{every: {every}, timer: {timer}ms}}}}
  - {{name: two, type: "tests.ring.traders:Trader", instruments: ["A*", "C*"],
     parameters: {{every: {every}}}}}
broker:
  type: simulated
  latency: {{type: constant, submit: {submit}ms, report: {report}ms, cancel: {cancel}ms}}
  commission: {{type: percentage, rate: 0.001}}
"""

VENUE = """\
name: venue
mode: simulate
seed: {seed}
portfolio:
  cash: 100000
  policies: [{{type: PositionLimit, max_size: 30}}, {{type: CashLimit}}]
supervision: {{intensity: 20, backoff: {{base: {backoff}ms, jitter: 0.5}}}}
feeds:
  - {{name: first, type: synthetic, shape: {shape}, assets: [AAA, BBB], events: 150,
     interval: 100ms, volatility: 0.001, quantity: 4}}
  - {{name: second, type: synthetic, shape: {other}, assets: [AAA, CCC], events: 150,
     interval: 70ms, volatility: 0.001, quantity: 3}}
strategies:
  - {{name: one, type: "tests.ring.all_sorts:AllSorts",
     parameters: {{every: {every}, timer: 333ms, is_stateless: true}}}}
  - {{name: two, type: "tests.ring.all_sorts:AllSorts", parameters: {{every: {every}}}}}
broker:
  type: simulated
  latency: {latency}
  slippage: {slippage}
  commission: {{type: per_share, rate_per_share: 0.01}}
  partial_fills: {partial_fills}
  fill_model: {fill_model}
  bars: {bars}
  max_volume_pct: {share}
  consumption: {consumption}
  consumption_decay: {decay}
  depth: {depth}
  queue: {queue}
  emulate: {emulate}
  regimes: {regimes}
"""

_COLUMNS = (
    "time_ns",
    "venue_time_ns",
    "kind",
    "instrument",
    "a",
    "b",
    "c",
    "d",
    "e",
    "line",
    "source",
)
ACTORS = ("broker", "orders", "portfolio", "one", "two")


@attrs.frozen
class Cut:
    """A source whose rows come in slices of other sizes."""

    source: Source
    sizes: tuple[int, ...]
    with_trades: bool = False

    def slices(self, resume_ns: int) -> Iterator[Slice]:
        told = self.source.slices(resume_ns)
        if self.with_trades:
            told = map(traded, told)
        return resliced(told, repeated(self.sizes))

    def summary(self) -> dict[str, Any]:
        return self.source.summary()


def traded(rows: Slice) -> Slice:
    """Return the same rows with a third of the quotes as public trades at their bid or ask."""
    number = rows.time_ns // 10_000_000
    columns = {name: getattr(rows, name).copy() for name in _COLUMNS}
    is_trade = (rows.kind == EventKind.QUOTE) & (number % 3 == 0) & (rows.a > 0)
    aggressor = np.where(number % 2 == 0, 1, -1)
    columns["kind"][is_trade] = EventKind.TRADE
    columns["a"][is_trade] = np.where(aggressor > 0, rows.b, rows.a)[is_trade]
    columns["b"][is_trade] = 1 + (number % 7)[is_trade]
    columns["c"][is_trade] = aggressor[is_trade]
    return Slice(rows.instruments, columns, rows.levels)


@attrs.frozen
class Case:
    """A market, its traders, and who crashes at which of its calls."""

    values: dict[str, Any]
    crashes: dict[str, int]
    text: str = TEXT

    def run(self, sizes: tuple[int, ...], folder: Path) -> Ran:
        with_trades = self.text is VENUE
        cut = with_sources(lambda source: Cut(source, sizes, with_trades))

        def change(plan: Blueprint) -> Blueprint:
            for actor, at in self.crashes.items():
                plan = trapped(plan, actor, Trap(at, times=2))
            return cut(plan)

        return run(config(self.text.format(**self.values)), folder, change=change)


_delay = st.sampled_from([0, 1, 50, 100, 170, 330])
_cases = st.builds(
    Case,
    st.fixed_dictionaries(
        {
            "seed": st.integers(0, 10_000),
            "cash": st.sampled_from([500, 100_000]),
            "shape": st.sampled_from(["quotes", "book", "bars"]),
            "generator": st.sampled_from(["random_walk", "outcome_market", "jump"]),
            "interval": st.sampled_from([50, 100, 130]),
            "every": st.integers(1, 12),
            "timer": st.sampled_from([50, 333, 1000]),
            "submit": _delay,
            "report": _delay,
            "cancel": _delay,
            "backoff": st.sampled_from([0, 150, 1000]),
        }
    ),
    st.dictionaries(st.sampled_from(ACTORS), st.integers(1, 80), max_size=2),
)
_DOWN_FOR_A_WHILE = Case(
    {
        "seed": 0,
        "cash": 500,
        "shape": "quotes",
        "generator": "random_walk",
        "interval": 50,
        "every": 1,
        "timer": 50,
        "submit": 0,
        "report": 0,
        "cancel": 0,
        "backoff": 150,
    },
    {"broker": 1, "portfolio": 69},
)
"""Slices pass by while cores are down: they must know of them afterwards, however long they are."""
_sizes = st.lists(st.integers(1, 40), min_size=1, max_size=6).map(tuple)


@settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),  # a run takes too long to shrink a case of it
    suppress_health_check=[HealthCheck.too_slow],
)
@example(case=_DOWN_FOR_A_WHILE, sizes=(3, 1))
@given(case=_cases, sizes=_sizes)
def test_results_do_not_depend_on_how_the_market_is_cut(case: Case, sizes: tuple[int, ...]) -> None:
    check_cuts(case, sizes)


_venues = st.builds(
    Case,
    st.fixed_dictionaries(
        {
            "seed": st.integers(0, 10_000),
            "backoff": st.sampled_from([0, 150]),
            "shape": st.sampled_from(["quotes", "book", "bars"]),
            "other": st.sampled_from(["quotes", "book", "bars"]),
            "every": st.integers(1, 6),
            "latency": st.sampled_from(
                [
                    "{type: constant}",
                    "{type: constant, submit: 50ms, report: 20ms, cancel: 70ms}",
                    "{type: lognormal, submit: {median: 20ms}, report: {median: 30ms}}",
                ]
            ),
            "slippage": st.sampled_from(
                ["{type: none}", "{type: fixed_pct, price_impact: 0.001}", "{type: volume_impact}"]
            ),
            "partial_fills": st.sampled_from(["true", "true", "false"]),
            "fill_model": st.sampled_from(["book_walk", "book_walk", "split_30"]),
            "bars": st.sampled_from(list(FillPolicy)),
            "share": st.sampled_from(["null", "0.5"]),
            "consumption": st.sampled_from(list(Consumption)),
            "decay": st.sampled_from(["0s", "1s"]),
            "depth": st.sampled_from(list(Depth)),
            "queue": st.sampled_from(list(Queue)),
            "emulate": st.sampled_from(["[]", "[]", "[STOP, STOP_LIMIT, POST_ONLY, GTD]"]),
            "regimes": st.sampled_from(
                ["null", "null", "{markov: [{kind: halt, every: 2s, lasts: 500ms}]}"]
            ),
        }
    ),
    st.dictionaries(st.sampled_from(ACTORS), st.integers(1, 80), max_size=1),
    st.just(VENUE),
)


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow],
)
@given(case=_venues, sizes=_sizes)
def test_nor_do_they_with_every_kind_of_venue_and_order(case: Case, sizes: tuple[int, ...]) -> None:
    check_cuts(case, sizes)


def check_cuts(case: Case, sizes: tuple[int, ...]) -> None:
    """Assert that a case comes to the same however its market is cut."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        whole = case.run((4096,), folder)
        check_books(whole)
        for cut in ((1,), (7,), sizes):
            ran = case.run(cut, folder)
            assert ran.story == whole.story
            assert ran.entries == whole.entries
            assert ran.result.system == whole.result.system
            assert (ran.result.events, ran.result.messages) == (
                whole.result.events,
                whole.result.messages,
            )


def test_what_is_cut_has_every_kind_of_report() -> None:
    values = {
        "seed": 5,
        "backoff": 0,
        "shape": "book",
        "other": "quotes",
        "every": 2,
        "latency": "{type: constant, submit: 50ms, report: 20ms, cancel: 70ms}",
        "slippage": "{type: none}",
        "partial_fills": "true",
        "fill_model": "book_walk",
        "bars": "next_open",
        "share": "null",
        "consumption": "persistent",
        "decay": "1s",
        "depth": "walk",
        "queue": "risk_averse",
        "emulate": "[]",
        "regimes": "null",
    }
    with TemporaryDirectory() as name:
        ran = Case(values, {}, VENUE).run((4096,), Path(name))
    said = ran.of(ExecutionReport)
    assert {report.kind for report in said} >= {
        ReportKind.ACCEPTED,
        ReportKind.TRADE,
        ReportKind.CANCELLED,
        ReportKind.EXPIRED,
        ReportKind.REPLACED,
        ReportKind.TRIGGERED,
    }
    assert {report.liquidity for report in said if report.trade_id} == {
        Liquidity.TAKER,
        Liquidity.MAKER,
    }
    assert not ran.result.system
