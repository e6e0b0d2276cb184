"""The specification, as a property: results do not depend on how market data are cut."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from actors.actor import Source
from actors.messages.slices import Slice, resliced
from runtime.wiring.plant import Blueprint
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

ACTORS = ("broker", "orders", "portfolio", "one", "two")


@attrs.frozen
class Cut:
    """A source whose rows come in slices of other sizes."""

    source: Source
    sizes: tuple[int, ...]

    def slices(self, resume_ns: int) -> Iterator[Slice]:
        return resliced(self.source.slices(resume_ns), repeated(self.sizes))

    def summary(self) -> dict[str, Any]:
        return self.source.summary()


@attrs.frozen
class Case:
    """A market, its traders, and who crashes at which of its calls."""

    values: dict[str, Any]
    crashes: dict[str, int]

    def run(self, sizes: tuple[int, ...], folder: Path) -> Ran:
        cut = with_sources(lambda source: Cut(source, sizes))

        def change(plan: Blueprint) -> Blueprint:
            for actor, at in self.crashes.items():
                plan = trapped(plan, actor, Trap(at, times=2))
            return cut(plan)

        return run(config(TEXT.format(**self.values)), folder, change=change)


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
