"""Risk in the whole ring: the same however the market is cut, and whoever crashes."""

from pathlib import Path
from typing import Any

import pytest

from actors.actor import Source
from actors.messages.account import TradingStateChanged
from actors.messages.system import ActorRestarted
from actors.messages.trading import SignalRefused
from runtime.observe.result import ExitCode
from runtime.wiring.blueprint import Blueprint
from tests.ring.rig import Ran, check_books, config, run, with_sources
from tests.ring.test_slicing import Cut
from tests.ring.traps import Trap, trapped

TEXT = """\
name: guarded
mode: simulate
seed: {seed}
portfolio:
  cash: 2000
  equity_interval: 700ms
  market_order_buffer: 0.01
  policies:
    - {{type: PositionLimit, max_size: 25, per: strategy}}
    - {{type: InventoryLimit, max_value_usd: 1500, per: account}}
    - {{type: CashLimit}}
    - {{type: NoShort}}
    - {{type: MaxOrderSize, max_size: 6}}
    - {{type: MaxOrderNotional, max_notional: 900}}
    - {{type: MaxOpenOrders, max_orders: 3}}
    - {{type: OrderRate, max_orders: 4, interval: 2s, max_repeats: 2}}
    - {{type: PriceCollar, max_deviation: 0.02}}
    - {{type: StaleData, max_age: 250ms}}
    - {{type: SelfTrade}}
    - {{type: DailyLoss, max_loss: {loss}, action: {action}}}
    - {{type: Drawdown, max_drawdown: 0.2}}
    - {{type: OutcomeExposure, max_loss: 500}}
    - {{type: GroupExposure, max_loss: 500}}
feeds:
  - {{name: first, type: synthetic, assets: [AAA, BBB], events: 200, interval: 100ms,
     volatility: 0.001}}
  - {{name: second, type: synthetic, generator: outcome_market, assets: [CCC], events: 100,
     interval: 170ms, volatility: 0.01}}
strategies:
  - {{name: one, type: "tests.ring.traders:Trader", parameters: {{every: 4, timer: 333ms}}}}
  - {{name: two, type: "tests.ring.traders:Trader", parameters: {{every: 7}}}}
broker:
  type: simulated
  latency: {{type: constant, submit: 50ms, report: 30ms, cancel: 20ms}}
  commission: {{type: percentage, rate: 0.001}}
"""


def guarded(folder: Path, *sizes: int, trap: int = 0, **values: object) -> Ran:
    """Run the market in slices of some sizes; the portfolio crashes at its ``trap``th call."""

    def cut(source: Source) -> Source:
        return Cut(source, sizes)

    def change(plan: Blueprint) -> Blueprint:
        plan = with_sources(cut)(plan)
        return trapped(plan, "portfolio", Trap(trap)) if trap else plan

    text = TEXT.format(**{"seed": 4, "loss": 3, "action": "halt", **values})
    return run(config(text), folder, change=change)


@pytest.mark.parametrize(
    ("seed", "loss", "action"), [(4, "3", "halt"), (5, "1", "reduce"), (6, "0.5", "refuse")]
)
def test_refusals_and_states_do_not_depend_on_how_the_market_is_cut(
    seed: int, loss: str, action: str, tmp_path: Path
) -> None:
    values: dict[str, Any] = {"seed": seed, "loss": loss, "action": action}
    whole = guarded(tmp_path, 4096, **values)
    check_books(whole)
    assert len({policy for policy in whole.result.refusals if policy}) >= 4
    for sizes in ((1,), (7, 3)):
        ran = guarded(tmp_path, *sizes, **values)
        assert ran.story == whole.story
        assert ran.entries == whole.entries


def test_a_halt_ends_the_run_with_a_code_of_its_own(tmp_path: Path) -> None:
    ran = guarded(tmp_path, 4096)
    assert ran.result.exit_code is ExitCode.RISK_HALTED
    (changed,) = ran.of(TradingStateChanged)
    assert changed.cause == ran.result.trading_state_cause
    halted_ns = next(e.time_ns for e in ran.entries if isinstance(e.message, TradingStateChanged))
    later = [
        e.message
        for e in ran.entries
        if isinstance(e.message, SignalRefused) and e.time_ns > halted_ns
    ]
    assert {v.policy for refused in later for v in refused.violations} == {"Halted"}


@pytest.mark.parametrize("trap", [3, 40, 90, 150])
def test_a_crashed_portfolio_goes_on_as_if_nothing_had_happened(trap: int, tmp_path: Path) -> None:
    whole = guarded(tmp_path, 4096)
    ran = guarded(tmp_path, 4096, trap=trap)
    assert any(isinstance(row.event, ActorRestarted) for row in ran.result.system)
    assert ran.story == whole.story
    assert ran.result.trading_state_cause == whole.result.trading_state_cause
