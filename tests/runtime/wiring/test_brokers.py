"""The broker of a configuration: models by name, presets, aliases, seeds, notes and problems."""

from decimal import Decimal
from typing import Any

import pytest

from actors.brokers.models.commission import (
    NoCommission,
    PercentageCommission,
    PolymarketCommission,
    TieredCommission,
)
from actors.brokers.models.latency import LogNormalLatency, RecordedLatency
from actors.brokers.models.slippage import (
    DynamicSlippage,
    FixedSlippage,
    SizeSlippage,
    VolumeImpactSlippage,
)
from actors.brokers.passthrough import PassthroughBroker
from actors.brokers.simulated import SimulatedBroker
from actors.errors import ConfigError
from actors.model.instrument import Instruments
from runtime.config import RunConfig, build_config, parse_config, to_plain
from runtime.config.problems import Problems
from runtime.wiring import check
from runtime.wiring.brokers import broker_models, fee_rate
from runtime.wiring.components import blueprint
from runtime.wiring.routes import Role
from tests.builders import context, instrument

_TEXT = """
name: small
mode: simulate
seed: 3
feeds: [{{name: walk, type: synthetic, events: 20}}]
broker: {broker}
"""


def config(broker: str, *overrides: str) -> RunConfig:
    return parse_config(
        _TEXT.format(broker=broker), "small.yaml", overrides=overrides, environment={}
    )


def models(broker: str, *overrides: str) -> dict[str, Any]:
    """Return the models that a broker names, all of them right."""
    made = config(broker, *overrides)
    problems = Problems(made.document)
    found = broker_models(made, problems)
    problems.raise_if_any()
    check(made)
    return found


def problems(broker: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        check(config(broker))
    return [str(problem).removeprefix("small.yaml:6: ") for problem in caught.value.problems]


# --- presets --------------------------------------------------------------------------------------


def test_a_preset_says_all_that_the_file_does_not() -> None:
    found = models("{preset: conservative}")
    assert found["commission"] == PercentageCommission(Decimal("0.002"))
    assert found["slippage"] == FixedSlippage(price_impact=Decimal("0.001"))
    realistic = models("{preset: realistic}")
    assert realistic["commission"] == TieredCommission()
    assert realistic["slippage"] == VolumeImpactSlippage()


def test_a_preset_can_be_changed_key_by_key() -> None:
    found = models(
        "{preset: conservative, commission: {rate: 0.005}, slippage: {type: none}}",
        "broker.commission.round_to=0.01",
    )
    expected = PercentageCommission(Decimal("0.005"), round_to=Decimal("0.01"))
    assert found["commission"] == expected
    assert not found["slippage"].needs_market
    assert models("{preset: realistic, commission: null}").keys() == {"slippage"}
    own = models("{preset: realistic, slippage: {liquidity_threshold: 0.02}}")["slippage"]
    assert own == VolumeImpactSlippage(liquidity_threshold=Decimal("0.02"))


def test_the_preset_of_a_broker_that_gives_everything_for_nothing() -> None:
    made = blueprint(config("{preset: passthrough}"))
    assert isinstance(made.cores[Role.BROKER](context("broker")), PassthroughBroker)


@pytest.mark.parametrize("preset", ["conservative", "realistic", "high_frequency", "passthrough"])
def test_a_configuration_with_a_preset_reads_the_same_when_it_is_written_down(preset: str) -> None:
    made = config(f"{{preset: {preset}}}")
    again = build_config(to_plain(made))
    assert again.broker == made.broker
    assert again.broker.preset == preset
    check(again)


@pytest.mark.parametrize(
    ("broker", "problem"),
    [
        (
            "{preset: conservativ}",
            "broker.preset: expected one of conservative, high_frequency, passthrough, realistic, "
            "found 'conservativ'; did you mean 'conservative'?",
        ),
        ("{preset: [1]}", "broker.preset: expected a text (in quotes), found a list of 1"),
        (
            "{preset: realistic, slippage: {liquidity_threshold: 0}}",
            "broker.slippage.liquidity_threshold: expected more than 0, found 0",
        ),
        (
            "{preset: realistic, commission: {tiers: [[0, 0.1], [0, 0.2]]}}",
            "broker.commission.tiers: expected rising amounts, found 0 after 0",
        ),
        (
            "{commission: {type: per_share, maximum_commission: 0.5}}",
            "broker.commission.maximum_commission: expected 1.0 or more, found 0.5",
        ),
        (
            "{slippage: {type: volume_impact, permanent_impact_facto: 1}}",
            "broker.slippage.permanent_impact_facto: expected a known key, found an unknown one; "
            "did you mean 'permanent_impact_factor'?",
        ),
        (
            "{slippage: {type: VolumeImpactSlippageModl}}",
            "broker.slippage.type: expected one of fixed_pct, none, pct_dynamic, pct_size, "
            "square_root, volatility_aware, volume, volume_impact, volume_share, "
            "found 'VolumeImpactSlippageModl'; did you mean 'volume_impact'?",
        ),
        (
            "{latency: {type: lognormal, submit: {sigma: 1}}}",
            "broker.latency.submit.median: expected a value, found nothing",
        ),
        (
            "{latency: {type: lognormal, seed: 1}}",
            "broker.latency.seed: expected one of the keys cancel, report, submit, "
            "found an unknown one",
        ),
        (
            "{latency: {type: recorded, submit: nowhere.csv}}",
            "broker.latency.submit: expected a readable file, found 'nowhere.csv'",
        ),
        (
            "{type: passthrough, slippage: {type: none}}",
            "broker.slippage: expected nothing: a passthrough broker is free and at once, "
            "found a model",
        ),
    ],
)
def test_what_is_wrong_with_a_broker_is_told_with_its_key(broker: str, problem: str) -> None:
    assert problems(broker) == [problem]


# --- models ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slippage", "model"),
    [
        ("{type: fixed, price_impact: 0.002}", FixedSlippage(price_impact=Decimal("0.002"))),
        ("{type: FixedSlippageModel}", FixedSlippage()),
        ("{type: PercentageSlippageModel}", DynamicSlippage()),
        (
            "{type: PercentageSlippageModel, volatility_multiplier: 3}",
            DynamicSlippage(volatility_multiplier=Decimal(3)),
        ),
        ("{type: percentage, percentage: 0.002}", SizeSlippage(percentage=Decimal("0.002"))),
        (
            "{type: VolumeImpactSlippageModel, round_to_tick: true}",
            VolumeImpactSlippage(round_to_tick=True),
        ),
    ],
)
def test_models_answer_to_the_names_that_they_have_elsewhere(slippage: str, model: object) -> None:
    assert models(f"{{slippage: {slippage}}}") == {"slippage": model}


def test_options_that_no_namesake_knows_are_told_for_the_first() -> None:
    (problem,) = problems("{slippage: {type: percentage, base_slippage_pc: 1}}")
    assert "did you mean 'base_slippage_pct'?" in problem


def test_tiers_are_read_as_they_are_written() -> None:
    made = models(
        "{commission: {type: TieredCommissionModel, tiers: [[0, 0.001], ['5000', 0.0005]],"
        " basis: cumulative, marginal: true, minimum_commission: 0}}"
    )
    assert made["commission"] == TieredCommission(
        tiers=((Decimal(0), Decimal("0.001")), (Decimal(5000), Decimal("0.0005"))),
        basis="cumulative",
        marginal=True,
        minimum_commission=Decimal(0),
    )


def test_what_draws_has_a_seed_of_its_own_from_the_run_s() -> None:
    text = "{latency: {type: lognormal, submit: {median: 20ms}}}"
    one = models(text)["latency"]
    assert isinstance(one, LogNormalLatency)
    assert one.submit is not None
    assert one.submit.median_ns == 20_000_000
    assert one.seed not in (0, 3)
    assert models(text)["latency"] == one
    assert models(text, "seed=4")["latency"].seed != one.seed
    recorded = models("{latency: {type: recorded, submit: [5, 7], order: sequence}}")["latency"]
    assert isinstance(recorded, RecordedLatency)
    assert recorded.submit == (5, 7)


def test_conditions_and_settlement_are_read_and_have_seeds_of_their_own() -> None:
    text = """{regimes: {schedule: [{from: 2026-01-01T00:05:00Z, to: 2026-01-01T00:06:00Z,
      kind: halt}], markov: [{every: 10m, lasts: 5s, kind: wide_spread, factor: 4}]},
      settlement: {delay: 2s, failure_rate: 0.1}}"""
    made = config(text)
    core = blueprint(made).cores[Role.BROKER](context("broker"))
    assert isinstance(core, SimulatedBroker)
    check(made)
    assert problems("{regimes: {schedule: [{from: 2026-01-02, kind: pause}]}}") == [
        "broker.regimes.schedule[0].kind: expected one of halt, outage, wide_spread, reject_burst, "
        "found 'pause'"
    ]
    assert problems("{settlement: {delay: 2s, failure_rate: 2}}") == [
        "broker.settlement.failure_rate: expected a number from 0 to 1, found 2.0"
    ]
    assert problems("{volatility_window: 1}") == [
        "broker.volatility_window: expected 2 or more, found 1"
    ]


def test_a_caution_is_a_note_and_no_problem() -> None:
    made = config("{slippage: {type: volatility_aware}}")
    check(made)
    check(made)
    (note,) = made.document.notes
    assert note.startswith("broker.slippage: at the default volatility of 0.01 every trade")


def test_the_fee_to_reserve_covers_the_highest_known_rate() -> None:
    table = Instruments()
    table.add(instrument())
    assert fee_rate(NoCommission(), table) == 0
    assert fee_rate(PercentageCommission(Decimal("-0.1")), table) == 0
    assert fee_rate(PolymarketCommission(rate=Decimal("0.03")), table) == Decimal("0.03")
    text = (
        "{commission: {type: polymarket, rate: 0.03}}\n"
        "instruments: [{id: T, venue: p, symbol: t, fee_rate: 0.072}]"
    )
    check(config(text))
    token = config(text).instruments[0]
    table.add(token)
    assert fee_rate(PolymarketCommission(rate=Decimal("0.03")), table) == Decimal("0.072")
    assert fee_rate(PercentageCommission(Decimal("0.001")), table) == Decimal("0.001")
