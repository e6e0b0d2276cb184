"""Accounts of every sort in whole rings: the same however rows are cut, and after any crash."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from actors.errors import ConfigError
from actors.messages.slices import resliced
from actors.messages.trading import Fill
from actors.portfolio.books.settings import CostMethod
from actors.portfolio.config import EquitySampling
from runtime.config.model import RunConfig
from runtime.wiring.blueprint import Blueprint
from runtime.wiring.components import blueprint
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


HELD = """\
name: held
mode: simulate
seed: 5
close_out: false
supervision: {intensity: 20, backoff: {base: 30s, cap: 1h, jitter: 0}}
feeds:
  - {name: first, type: synthetic, generator: outcome_market, assets: [AAA], events: 200,
     interval: 100ms}
strategies:
  - {name: one, type: "tests.ring.traders:Trader", parameters: {every: 5}}
broker: {type: simulated}
"""


@pytest.mark.parametrize("call", [10, 60])
def test_who_was_held_back_while_a_market_resolved_settles_afterwards(
    call: int, tmp_path: Path
) -> None:
    trap = Trap(call)
    one = run(config(HELD), tmp_path, change=lambda plan: trapped(plan, "portfolio", trap))
    core = one.system.cores["portfolio"]
    assert trap.sprung == 1
    assert core.statistics().settlements
    assert core.get_all_positions() == []
    assert core.equity() == core.cash


# --- configuration -------------------------------------------------------------------------------


def built(account: str) -> RunConfig:
    settings = config(TEXT.format(account=account))
    blueprint(settings)
    return settings


def test_every_key_of_an_account_is_read() -> None:
    portfolio = built(
        "{currency: USDT, balances: {BTC: 10, USDT: 10000000}, fx: {BTC: BTCUSDT, EUR: 1.1},"
        " cost_method: fifo, money_step: 0.01, leverage: 10, liquidate_at: 0, auto_redeem: false,"
        " equity: on_change}"
    ).portfolio
    assert portfolio.starting_cash == 10_000_000
    assert portfolio.fx == {"BTC": "BTCUSDT", "EUR": Decimal("1.1")}
    assert (portfolio.cost_method, portfolio.equity) == (
        CostMethod.FIFO,
        EquitySampling.ON_CHANGE,
    )
    assert built("{cash: 7}").portfolio.starting_cash == 7


@pytest.mark.parametrize(
    ("account", "words"),
    [
        ("{balances: {BTC: 1}}", "portfolio.fx: expected a rate of BTC, found none"),
        ("{fx: {EUR: -1}}", "portfolio.fx: expected a rate of EUR above 0, found -1"),
        ("{fx: {EUR: {a: 1}}}", "portfolio.fx.EUR: expected a number or a text"),
        ("{cost_method: lifo}", "portfolio.cost_method: expected one of average, fifo"),
        ("{money_step: 0}", "portfolio.money_step: expected above 0, found 0"),
        ("{leverage: 0.5}", "portfolio.leverage: expected 1 or more, found 0.5"),
        ("{balances: 3}", "portfolio.balances: expected a mapping, found 3"),
        ("{equity: sometimes}", "portfolio.equity: expected one of"),
        ("{autoredeem: true}", "did you mean 'auto_redeem'"),
    ],
)
def test_a_wrong_key_of_an_account_is_told(account: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        built(account)
    assert words in str(caught.value)
