"""The configuration keys of two other systems."""

from decimal import Decimal

import pytest

from actors.errors import ConfigError
from runtime.config import RunConfig, describe, parse_config

MARKET = """
mode: backtest
feeds: [{name: market, type: synthetic}]
"""

TRADER = """
system: {name: ADMF-Trader}
execution:
  mode: BACKTEST_SINGLE
  thread_model: SINGLE_THREADED
  thread_pools: {market_data: {max_workers: 2}}
backtest:
  start_date: 2022-01-01
  end_date: 2022-12-31
  symbols: [SPY, AAPL]
  initial_capital: 5000
components:
  data_handler: {class: HistoricalDataHandler, thread_safe: false}
  strategy:
    class: average_cross
    thread_safe: false
    parameters: {fast: 5, slow: 9}
  broker:
    class: SimulatedBroker
    parameters:
      commission: {model: percentage, rate: 0.002}
"""


def parsed(text: str) -> RunConfig:
    return parse_config(text, "run.yaml", environment={})


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parsed(text)
    return [str(problem) for problem in caught.value.problems]


# --- an execution module -------------------------------------------------------------------------


def test_rates_become_models_of_the_broker() -> None:
    config = parsed(
        MARKET + "broker_type: backtest\n"
        "broker_params: {commission_rate: 0.0005, slippage_rate: 0.0002}\n"
    )
    assert config.broker.type == "simulated"
    assert config.broker.commission is not None
    assert config.broker.commission.options == {"rate": Decimal("0.0005")}
    assert config.broker.slippage is not None
    assert config.broker.slippage.type == "fixed_pct"
    assert config.broker.slippage.options == {"price_impact": Decimal("0.0002")}


def test_models_are_named_with_their_parameters() -> None:
    config = parsed(
        MARKET + "simulator_type: custom\n"
        "simulator_params:\n"
        "  slippage_model: volume_impact\n"
        "  slippage_params: {permanent_impact_factor: 0.00005}\n"
        "  commission_model: tiered\n"
        "  commission_params: {tiers: [[0, 0.001], [5000, 0.0005]]}\n"
    )
    slippage, commission = config.broker.slippage, config.broker.commission
    assert slippage is not None
    assert commission is not None
    assert slippage.type == "volume_impact"
    assert slippage.options == {"permanent_impact_factor": Decimal("0.00005")}
    assert commission.type == "tiered"
    assert commission.options["tiers"][1] == [5000, Decimal("0.0005")]


def test_what_the_order_manager_is_told() -> None:
    config = parsed(MARKET + "order_manager_params: {max_order_age_hours: 6}\n")
    assert config.orders.max_order_age_hours == 6


@pytest.mark.parametrize(
    ("keys", "preset"),
    [
        ("simulator_type: conservative", "conservative"),
        ("simulator_type: realistic", "realistic"),
        ("engine_type: high_frequency", "high_frequency"),
        ("simulator_type: realistic\nengine_type: high_frequency", "realistic"),
        ("simulator_type: custom\nengine_type: improved", None),
    ],
)
def test_a_preset_by_its_old_name(keys: str, preset: str | None) -> None:
    assert parsed(f"{MARKET}{keys}\n").broker.preset == preset


def test_a_key_that_is_not_known_is_told_with_its_line_and_the_nearest() -> None:
    assert problems(MARKET + "broker_params: {comission_rate: 0.1}\n") == [
        "run.yaml:4: broker_params.comission_rate: expected a known key, found an unknown one; "
        "did you mean 'commission_rate'?"
    ]
    (found,) = problems(MARKET + "simulator_params: {slippage_modle: x}\n")
    assert "did you mean 'slippage_model'?" in found
    (found,) = problems(MARKET + "engine_params: {threads: 4}\n")
    assert "engine_params.threads" in found


def test_values_that_nobody_knows() -> None:
    (found,) = problems(MARKET + "simulator_type: realistc\n")
    assert found.startswith("run.yaml:4: simulator_type: expected one of")
    assert found.endswith("did you mean 'realistic'?")
    (found,) = problems(MARKET + "broker_type: live\n")
    assert "broker_type: expected one of backtest, passthrough, found 'live'" in found
    (found,) = problems(MARKET + "broker_params: 7\n")
    assert "broker_params: expected a mapping, found 7" in found
    (found,) = problems(MARKET + "simulator_params: {slippage_params: {a: 1}}\n")
    assert "slippage_model: expected the name of a model" in found


def test_the_same_thing_said_twice_is_told() -> None:
    (found,) = problems(
        MARKET + "broker: {commission: {type: none}}\nbroker_params: {commission_rate: 0.1}\n"
    )
    assert "commission_rate: expected nothing beside broker.commission, found both" in found
    found, _ = problems(MARKET + "broker: 5\nbroker_type: backtest\n")
    assert "broker_type: expected nothing beside broker.type, found both" in found


# --- ADMF-Trader ---------------------------------------------------------------------------------


def test_a_backtest_of_the_other_system() -> None:
    config = parsed(TRADER)
    assert config.name == "ADMF-Trader"
    assert config.mode == "backtest"
    (feed,) = config.feeds
    assert feed.type == "replay"
    assert feed.options == {
        "path": "data",
        "from": "2022-01-01",
        "to": "2023-01-01",
        "assets": ["SPY", "AAPL"],
    }
    (strategy,) = config.strategies
    assert strategy.type == "average_cross"
    assert strategy.parameters == {"fast": 5, "slow": 9}
    assert config.portfolio.cash == 5000
    assert config.broker.commission is not None
    assert config.broker.commission.options == {"rate": Decimal("0.002")}


def test_threads_are_accepted_with_a_note() -> None:
    notes = [line for line in describe(parsed(TRADER)) if line.startswith("note")]
    assert len(notes) == 4
    assert any("execution.thread_model" in note for note in notes)
    assert any("components.strategy.thread_safe" in note for note in notes)


def test_its_mistakes_are_told_at_their_lines() -> None:
    found = problems(TRADER.replace("BACKTEST_SINGLE", "LIVE_TRADING"))
    assert found[0].startswith(
        "run.yaml:4: execution.mode: expected one of BACKTEST_SINGLE, REPLAY"
    )
    (unknown,) = problems(TRADER.replace("symbols:", "symbol:"))
    assert "backtest.symbol" in unknown
    assert "did you mean 'symbols'?" in unknown
    (thread,) = problems(TRADER.replace("SINGLE_THREADED", "SINGLE"))
    assert "execution.thread_model" in thread
    (handler,) = problems(TRADER.replace("HistoricalDataHandler", "HistoricDataHandler"))[:1]
    assert "did you mean 'HistoricalDataHandler'?" in handler
    assert any("live_trading" in each for each in problems(TRADER + "live_trading: {}\n"))


def test_a_component_without_a_class() -> None:
    for name in ("data_handler", "strategy", "broker"):
        text = f"{MARKET}components: {{{name}: {{parameters: {{}}}}}}\n"
        assert any(f"components.{name}.class" in each for each in problems(text))


def test_a_broker_that_nobody_knows() -> None:
    (found,) = problems(MARKET + "components: {broker: {class: RealBroker}}\n")
    assert "components.broker.class" in found


def test_an_end_that_is_no_date_is_left_to_the_feed() -> None:
    config = parsed(TRADER.replace("2022-12-31", "2022-12-31T12:00:00Z"))
    assert config.feeds[0].options["to"] == "2022-12-31T12:00:00Z"


# --- a gateway ------------------------------------------------------------------------------------


def test_checks_can_be_switched_off() -> None:
    config = parsed(MARKET + "enable_validation: false\nenable_risk_checks: false\n")
    assert not config.orders.validation_enabled
    assert not config.enable_risk_checks
    assert any("which are not asked" in line for line in describe(config))
    again = parsed(MARKET + "order_manager_params: {validation_enabled: false}\n")
    assert not again.orders.validation_enabled
    assert parsed(MARKET).orders.validation_enabled
    (found,) = problems(MARKET + "enable_validation: perhaps\n")
    assert "validation_enabled: expected true or false" in found
