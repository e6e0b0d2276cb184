"""The YES/NO strategy and the market maker in whole runs, however cut, whenever they crash."""

from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from actors.model.order import OrderType
from tests.ring.rig import Ran, check_books, config, run
from tests.ring.traps import Trap, trapped

TEXT = """\
name: built-in
mode: simulate
seed: 4
portfolio:
  cash: 2000
  currency: USDC
  policies: [{type: PositionLimit, max_size: 120}, {type: CashLimit}, {type: NoShort}]
supervision: {intensity: 50}
feeds:
  - {name: market, type: synthetic, generator: outcome_market, assets: [A, B], interval: 25ms,
     duration: 30s, mispricing: 0.012, spread: 0.02, information: 3, oracle: {every: 3}}
  - {name: fruit, type: synthetic, generator: mean_reverting, assets: [PEARS], interval: 100ms,
     duration: 30s, spread: 0.1, volatility: 0.0005, pull: 0.2}
strategies:
  - name: pairs
    type: yes_no
    instruments: ["A-YES", "A-NO", "B-YES", "B-NO"]
    parameters:
      {max_size: 30, max_position: 100, lock_profit: 30, merge: true, merge_size: 10,
       leg_timeout: 400ms, max_leg_loss: 0.01, rest: true, order_timeout: 700ms,
       average_down_step: 0.02,
       oracle: {instrument: A-ORACLE, rule: momentum, window: 3s, width: 20, max_age: 1s}}
  - name: maker
    type: market_maker
    instruments: [PEARS]
    parameters:
      {size: 3, max_position: 8, spread_bps: 8, refresh_ticks: 2, refresh: 1s, max_quote_age: 2s}
  - name: token-maker
    type: market_maker
    instruments: [B-YES]
    parameters: {size: 5, max_position: 20, spread_bps: 200, max_quote_age: 300ms, replace: false}
broker:
  type: simulated
  latency: {type: constant, submit: 30ms, cancel: 20ms, report: 10ms}
  commission: {type: percentage, rate: 0.001}
"""
BOUNDS = {"pairs": Decimal(100), "maker": Decimal(8), "token-maker": Decimal(20)}
TRADERS = tuple(BOUNDS)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return run(config(TEXT), tmp_path_factory.mktemp("undisturbed"))


def check_bounds(ran: Ran) -> None:
    """Assert that no position was ever larger than its strategy's bound."""
    held: dict[tuple[str, str], Decimal] = {}
    for row in ran.result.fills:
        fill = row.fill
        key = (fill.strategy, fill.instrument)
        held[key] = held.get(key, Decimal(0)) + fill.side.sign * fill.last_quantity
        assert abs(held[key]) <= BOUNDS[fill.strategy]


def rules(ran: Ran) -> set[str]:
    """Return the rules after which anything was traded."""
    return {row.fill.reason.split(":")[0] for row in ran.result.fills}


def test_everything_that_they_do_happens_in_the_run(undisturbed: Ran) -> None:
    wanted = {"arbitrage", "leg", "bootstrap", "hedge", "average_down", "merge", "quote"}
    assert rules(undisturbed) >= wanted
    makers = [r.order for r in undisturbed.result.orders if r.order.strategy != "pairs"]
    quotes = [order for order in makers if order.reason != "close-out"]
    assert {order.order_type for order in quotes} == {OrderType.POST_ONLY}
    assert all(row.status.is_terminal for row in undisturbed.result.orders)
    assert undisturbed.result.refusals == {}
    check_books(undisturbed)
    check_bounds(undisturbed)


@pytest.mark.parametrize("rows", [1, 7, 100])
def test_the_result_does_not_depend_on_how_rows_are_cut(rows: int, undisturbed: Ran) -> None:
    cut = run(config(TEXT, f"slice_rows={rows}"))
    assert cut.story == undisturbed.story


@pytest.mark.parametrize("name", TRADERS)
@pytest.mark.parametrize(("at", "after"), [(3, True), (171, True), (402, False), (1003, True)])
def test_it_may_crash_at_any_event(name: str, at: int, after: bool, tmp_path: Path) -> None:
    trap = Trap(at, after=after)
    ran = run(config(TEXT), tmp_path, change=partial(trapped, actor=name, trap=trap))
    assert trap.sprung == 1
    check_books(ran)
    check_bounds(ran)
    assert all(row.status.is_terminal for row in ran.result.orders)
    later = [row for row in ran.result.orders if f"{name}.1-" in row.order.client_order_id]
    assert later, "it trades on after its restart"
    assert {row.fill.strategy for row in ran.result.fills} == set(TRADERS)
