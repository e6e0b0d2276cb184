from decimal import Decimal

import pytest
import yaml

from actors.errors import ConfigError
from actors.strategies import STRATEGIES, StrategyPreset, default_strategies, strategy_preset
from actors.strategies.market_analysis import MarketAnalysis
from actors.strategies.presets import PRESETS
from runtime.config.load import parse_config
from runtime.config.model import RunConfig
from runtime.config.plain import to_plain
from runtime.wiring.components import blueprint
from tests.actors.strategies.builders import started
from tests.builders import instruments

FEED = "mode: simulate\nfeeds: [{name: market, type: synthetic}]\n"


def config(text: str) -> RunConfig:
    return parse_config(FEED + text, "run.yaml", environment={})


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_builds_its_strategy(name: str) -> None:
    preset = strategy_preset(name)
    kind = STRATEGIES[preset.type]
    assert isinstance(preset.parameters, kind.Parameters)
    assert preset.parameters != kind.Parameters()
    core = started(kind, instruments(), parameters=preset.config().parameters)
    assert core.parameters is preset.parameters


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_in_a_file_is_the_same(name: str) -> None:
    read = config(f"strategies: [{{name: it, preset: {name}}}]")
    (strategy,) = read.strategies
    assert (strategy.type, strategy.preset) == (PRESETS[name].type, name)
    assert strategy.parameters == to_plain(PRESETS[name].parameters)
    assert set(blueprint(read).strategies) == {"it"}


def test_what_a_file_says_goes_before_the_preset() -> None:
    (strategy,) = config(
        "strategies: [{name: it, preset: pure_arbitrage, parameters: {max_size: 7}}]"
    ).strategies
    assert strategy.parameters["max_size"] == 7
    assert strategy.parameters["inventory"] is False


def test_the_default_strategies_watch_and_do_not_trade() -> None:
    found = default_strategies()
    assert list(found) == ["market_analysis", "event_log"]
    assert all(isinstance(each, StrategyPreset) for each in found.values())
    config_of = found["market_analysis"].config(("BTC*",))
    assert config_of.instruments == ("BTC*",)
    assert isinstance(config_of.parameters, MarketAnalysis.Parameters)


def test_a_file_may_ask_for_the_default_strategies() -> None:
    read = config("default_strategies: true\nstrategies: [{name: x, type: average_cross}]")
    assert [each.name for each in read.strategies] == ["x", "market_analysis", "event_log"]
    alone = config("default_strategies: true")
    assert [each.type for each in alone.strategies] == ["market_analysis", "event_log"]
    assert config("").strategies == ()
    again = parse_config(
        "default_strategies: true\n" + FEED + "strategies: [{name: event_log, type: momentum}]",
        "run.yaml",
        environment={},
    )
    assert [each.type for each in again.strategies] == ["momentum", "market_analysis"]


def test_a_written_configuration_reads_back_equal() -> None:
    read = config("default_strategies: true\nstrategies: [{name: m, preset: cautious_maker}]")
    written = parse_config(yaml.safe_dump(to_plain(read)), "run.yaml", environment={})
    assert written.strategies == read.strategies


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("strategies: [{name: m, preset: cautious_makr}]", "cautious_maker"),
        (
            "strategies: [{name: m, preset: cautious_maker, type: momentum}]",
            "'market_maker' or nothing",
        ),
        ("strategies: [{name: m, preset: cautious_maker, parameters: 5}]", "a mapping"),
        ("strategies: [{name: m, preset: 5}]", "type"),
        ("strategies: 5", "a list"),
        ("default_strategies: yes please", "true or false"),
    ],
)
def test_what_is_wrong_with_a_preset_is_told(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as error:
        config(text)
    assert words in str(error.value)


def test_an_unknown_preset_is_refused_with_the_nearest() -> None:
    expected = "expected one of market_analysis, .*; did you mean 'pure_arbitrage'"
    with pytest.raises(ValueError, match=expected):
        strategy_preset("pure_arbitrag")
    with pytest.raises(ValueError, match=r"'zzz': expected one of [a-z_, ]*$"):
        strategy_preset("zzz")
    assert Decimal(100) == strategy_preset("cautious_maker").parameters.spread_bps
