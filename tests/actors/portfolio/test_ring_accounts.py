"""Accounts of every sort in whole rings: the same however rows are cut, and after any crash."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from actors.messages.slices import resliced
from actors.messages.trading import Fill
from runtime.wiring.plant import Blueprint
from tests.ring.rig import Ran, config, repeated, run, with_sources
from tests.ring.traps import Trap, trapped

TEXT = """\
name: accounts
mode: simulate
seed: 5
portfolio: {account}
feeds:
  - {{name: first, type: synthetic, assets: [AAA, BBB], events: 300, interval: 100ms,
     volatility: 0.004, quantity: 40}}
strategies:
  - {{name: one, type: "tests.ring.traders:Trader", parameters: {{every: 5}}}}
  - {{name: two, type: "tests.ring.traders:Trader", parameters: {{every: 7}}}}
broker:
  type: simulated
  latency: {{type: constant, submit: 50ms, report: 20ms}}
  commission: {{type: percentage, rate: 0.001}}
"""
ACCOUNTS = {
    "lots": "{cash: 5000, cost_method: fifo, equity: both}",
    "cents": "{cash: 5000, money_step: 0.01, equity: on_change}",
    "ruin": "{cash: 300, leverage: 100, liquidate_at: 280, equity: both}",
    "euros": "{currency: EUR, balances: {EUR: 500, USD: 400}, fx: {USD: 0.9}}",
}


class _Cut:
    def __init__(self, source: Any, size: int) -> None:
        self._source = source
        self._size = size

    def slices(self, resume_ns: int) -> Any:
        return resliced(self._source.slices(resume_ns), repeated([self._size]))

    def summary(self) -> dict[str, Any]:
        summary: dict[str, Any] = self._source.summary()
        return summary


def ran(account: str, folder: Path, size: int = 4096, crash: int = 0) -> Ran:
    """Run with slices of a size; the portfolio crashes at one of its calls."""

    def change(plan: Blueprint) -> Blueprint:
        if crash:
            plan = trapped(plan, "portfolio", Trap(crash))
        return with_sources(lambda source: _Cut(source, size))(plan)

    return run(config(TEXT.format(account=ACCOUNTS[account])), folder, change=change)


def story(one: Ran) -> tuple[Any, ...]:
    return (*one.story[1:], one.system.cores["portfolio"].balances)


@pytest.mark.parametrize("account", ACCOUNTS)
def test_results_do_not_depend_on_how_rows_are_cut(account: str, tmp_path: Path) -> None:
    whole = ran(account, tmp_path)
    assert len(whole.result.fills) > 5
    for size in (1, 7):
        cut = ran(account, tmp_path, size)
        assert cut.story == whole.story
        assert cut.entries == whole.entries


@pytest.mark.parametrize("account", ACCOUNTS)
def test_a_crash_changes_nothing(account: str, tmp_path: Path) -> None:
    undisturbed = story(ran(account, tmp_path))
    for call in range(1, 120, 29):
        assert story(ran(account, tmp_path, crash=call)) == undisturbed, call


def test_ruin_is_told_and_nothing_is_traded_after_it(tmp_path: Path) -> None:
    one = ran("ruin", tmp_path)
    closing = [f for f in one.of(Fill) if f.reason == "liquidation"]
    assert closing
    at_ns = closing[0].venue_time_ns
    assert one.system.cores["portfolio"].statistics().liquidations == 1
    later = [each.equity for each in one.result.equity if each.time_ns > at_ns]
    assert later
    assert max(later) <= Decimal(280)
