"""What users of other systems know by name is found here under that name, and means the same."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from actors.brokers.presets import (
    build_conservative_backtest_config,
    build_high_frequency_config,
    build_realistic_backtest_config,
)
from actors.brokers.simulated import SimulatedBroker
from actors.errors import ConfigError
from actors.messages.trading import ExecutionReport, OrderUpdate, PlaceOrder, ReportKind
from actors.model.order import OrderStatus
from actors.orders.config import OrderManagerConfig
from actors.orders.manager import OrderManager
from actors.portfolio.portfolio import Portfolio
from runtime.api import simulation
from runtime.config import RunConfig, build_config, parse_config
from runtime.config.problems import Problems
from runtime.research.statistics import statistics, to_json
from runtime.wiring import check
from runtime.wiring.brokers import broker_models
from tests.actors.orders.rooms import TABLE, asked, manager, of_kind
from tests.builders import context

D = Decimal
MARKET = "mode: backtest\nfeeds: [{name: market, type: synthetic}]\n"


def parsed(text: str) -> RunConfig:
    """Return the configuration of a text after every component was looked at."""
    config = parse_config(text, "run.yaml", environment={})
    check(config)
    return config


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parsed(text)
    return [str(problem) for problem in caught.value.problems]


def models(config: RunConfig) -> dict[str, Any]:
    return broker_models(config, Problems(config.document))


# --- models --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "name", "options"),
    [
        (
            "slippage",
            "PercentageSlippageModel",
            {
                "base_slippage_pct": D("0.001"),
                "volatility_multiplier": D("2.0"),
                "volume_impact_factor": D("0.1"),
            },
        ),
        (
            "slippage",
            "VolumeImpactSlippageModel",
            {
                "permanent_impact_factor": D("0.0001"),
                "temporary_impact_factor": D("0.0002"),
                "liquidity_threshold": D("0.01"),
            },
        ),
        (
            "slippage",
            "VolatilityAwareSlippageModel",
            {
                "base_slippage": D("0.0001"),
                "volatility_multiplier": D("5.0"),
                "default_volatility": D("0.01"),
            },
        ),
        ("slippage", "FixedSlippageModel", {"price_impact": D(0)}),
        ("slippage", "VolumeBasedSlippageModel", {"price_impact": D("0.1")}),
        (
            "commission",
            "TieredCommissionModel",
            {
                "tiers": ((D(0), D("0.003")), (D(1000), D("0.002")), (D(10_000), D("0.001"))),
                "minimum_commission": D("1.0"),
            },
        ),
        (
            "commission",
            "PerShareCommissionModel",
            {
                "rate_per_share": D("0.005"),
                "minimum_commission": D("1.0"),
                "maximum_commission": D("10.0"),
            },
        ),
        ("commission", "FixedCommissionModel", {"cost_per_trade": D(0)}),
    ],
)
def test_models_have_the_names_parameters_and_defaults_that_people_know(
    kind: str, name: str, options: dict[str, Any]
) -> None:
    made = models(parsed(f"{MARKET}broker: {{{kind}: {{type: {name}}}}}"))[kind]
    assert {key: getattr(made, key) for key in options} == options


def test_a_percentage_is_the_one_whose_parameters_are_given() -> None:
    sized = models(parsed(MARKET + "broker: {slippage: {type: percentage, percentage: 0.002}}"))
    moved = models(parsed(MARKET + "broker: {slippage: {type: percentage}}"))
    assert type(sized["slippage"]) is not type(moved["slippage"])
    charged = models(
        parsed(MARKET + "broker: {commission: {type: PercentageCommissionModel, rate: 0.002}}")
    )
    assert charged["commission"].rate == D("0.002")


def test_a_model_that_does_not_exist_is_an_error_and_not_free() -> None:
    for kind in ("slippage", "commission"):
        text = (
            f"{MARKET}components: {{broker: {{class: SimulatedBroker, "
            f"parameters: {{{kind}: {{model: guessed}}}}}}}}\n"
        )
        (found,) = problems(text)
        assert f"{kind}" in found
        assert "found 'guessed'" in found


@pytest.mark.parametrize(
    "build",
    [
        build_conservative_backtest_config,
        build_realistic_backtest_config,
        build_high_frequency_config,
    ],
)
def test_what_the_builders_return_is_a_broker(build: Callable[[], dict[str, Any]]) -> None:
    config = build_config(
        {
            "mode": "backtest",
            "feeds": [{"name": "market", "type": "synthetic"}],
            "broker": build(),
        }
    )
    check(config)
    assert config.broker.options["venue"] == build()["venue"]


# --- configuration -------------------------------------------------------------------------------


def test_the_custom_configuration_of_an_execution_module() -> None:
    config = parsed(
        MARKET + "broker_type: backtest\n"
        "simulator_type: custom\n"
        "simulator_params:\n"
        "  slippage_model: volume_impact\n"
        "  commission_model: tiered\n"
        "  slippage_params: {permanent_impact_factor: 0.00005, temporary_impact_factor: 0.0001}\n"
        "  commission_params: {tiers: [[0, 0.001], [5000, 0.0005], [50000, 0.0002]]}\n"
        "order_manager_params: {max_order_age_hours: 6, validation_enabled: true}\n"
    )
    made = models(config)
    assert made["slippage"].temporary_impact_factor == D("0.0001")
    assert made["commission"].tiers[-1] == (D(50_000), D("0.0002"))
    assert config.orders.max_order_age_hours == 6


def test_without_validation_the_venue_is_asked_about_what_would_be_denied() -> None:
    wrong = asked(limit_price=D("100.5"))
    (denied,) = manager().handle(wrong, 1)
    assert isinstance(denied, OrderUpdate)
    assert denied.status is OrderStatus.DENIED
    outputs = manager(config=OrderManagerConfig(validation_enabled=False)).handle(wrong, 1)
    (placed,) = of_kind(outputs, PlaceOrder)
    broker = SimulatedBroker(context("broker"), TABLE)
    (report,) = broker.handle(placed, 2)
    assert isinstance(report, ExecutionReport)
    assert report.kind is ReportKind.REJECTED


def test_orders_go_to_a_simulated_venue_unless_told_otherwise() -> None:
    assert parsed(MARKET).broker.type == "simulated"
    (found,) = problems(MARKET + "broker: {type: live}\n")
    assert "broker.type: expected one of passthrough, simulated, found 'live'" in found


def test_a_moving_average_crossover_by_its_class() -> None:
    config = parsed(
        "execution: {mode: BACKTEST_SINGLE, thread_model: SINGLE_THREADED}\n"
        "feeds: [{name: market, type: synthetic}]\n"
        "components: {strategy: {class: MovingAverageCrossover, thread_safe: false}}\n"
    )
    assert [strategy.type for strategy in config.strategies] == ["MovingAverageCrossover"]


def test_live_trading_is_refused_with_every_key_that_asks_for_it() -> None:
    found = problems(
        "system: {name: ADMF-Trader}\n"
        "execution:\n"
        "  mode: LIVE_TRADING\n"
        "  thread_model: MULTI_THREADED\n"
        "  thread_pools: {strategy: {max_workers: 2}}\n"
        "live_trading: {symbols: [SPY]}\n"
        "components:\n"
        "  data_handler: {class: LiveMarketDataHandler, thread_safe: true}\n"
        "  strategy: {class: MovingAverageCrossover, thread_safe: true}\n"
        "  broker: {class: LiveBrokerHandler, thread_safe: true}\n"
    )
    for key in (
        "execution.mode",
        "live_trading",
        "components.data_handler.class",
        "components.broker.class",
    ):
        assert any(f" {key}: " in each for each in found), key
    assert not any("thread" in each for each in found)


@pytest.mark.parametrize(
    "model",
    [
        "SINGLE_THREADED",
        "MULTI_THREADED",
        "PROCESS_PARALLEL",
        "ASYNC_SINGLE",
        "ASYNC_MULTI",
        "MIXED",
    ],
)
def test_every_thread_model_is_accepted_with_a_note(model: str) -> None:
    text = MARKET.replace("mode: backtest\n", "")
    config = parsed(f"{text}execution: {{mode: BACKTEST_SINGLE, thread_model: {model}}}\n")
    assert config.document.notes == ["execution.thread_model: accepted, but it has no effect here"]


# --- look-ups and figures ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (
            OrderManager,
            "get_order get_status get_active_orders get_pending_orders cleanup_old_orders "
            "active_orders completed_orders",
        ),
        (
            Portfolio,
            "get_position get_all_positions get_cash_balance get_account_info get_risk_metrics",
        ),
    ],
)
def test_look_ups_have_the_names_that_people_know(kind: type, names: str) -> None:
    assert [name for name in names.split() if not hasattr(kind, name)] == []


def test_the_figures_of_a_run_have_the_names_that_people_know() -> None:
    run = simulation(2, 0.1, seed=3, duration=timedelta(minutes=2))
    run.add_strategy("average_cross", fast=3, slow=8, quantity=D(1))
    result = run.start()
    figures = to_json(statistics(result), result)
    assert figures["round_trips"] > 0
    equity = (
        "total_return volatility sharpe_ratio sortino_ratio max_drawdown profit_to_drawdown "
        "winning_days"
    )
    trades = (
        "win_rate profit_factor avg_win avg_loss avg_holding_time max_win max_loss avg_trade_size"
    )
    assert [name for name in equity.split() if figures["equity"][name] is None] == []
    assert [name for name in trades.split() if figures["trades"][name] is None] == []
    assert list(figures["execution"]) == ["engine_stats", "broker_stats", "order_stats"]
    assert {"pnl", "trade_size"} <= set(figures["distributions"])
    assert figures["execution"]["engine_stats"]["fills_generated"] == figures["fills"]
