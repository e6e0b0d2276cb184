"""Ready-made brokers: what the builders return, and what one's own keys change."""

from decimal import Decimal

import pytest

from actors.brokers.presets import (
    PRESETS,
    build_conservative_backtest_config,
    build_high_frequency_config,
    build_realistic_backtest_config,
    with_preset,
)


def test_the_conservative_broker_costs_what_its_users_know() -> None:
    assert build_conservative_backtest_config() == {
        "type": "simulated",
        "venue": "conservative_execution",
        "bars": "conservative",
        "max_volume_pct": "0.1",
        "commission": {"type": "percentage", "rate": "0.002"},
        "slippage": {"type": "fixed_pct", "price_impact": "0.001"},
    }
    dear = build_conservative_backtest_config(0.005, slippage_rate=Decimal("0.01"), module_id="x")
    assert dear["commission"]["rate"] == "0.005"
    assert dear["slippage"]["price_impact"] == "0.01"
    assert dear["venue"] == "x"


def test_the_realistic_broker_has_tiers_and_impact() -> None:
    made = build_realistic_backtest_config()
    assert made["venue"] == "realistic_execution"
    assert made["commission"] == {
        "type": "tiered",
        "tiers": [["0", "0.003"], ["1000", "0.002"], ["10000", "0.001"]],
    }
    assert made["slippage"] == {"type": "volume_impact"}
    other = build_realistic_backtest_config([(0, 0.001), (5000, 0.0005)], "pct_dynamic")
    assert other["commission"]["tiers"] == [["0", "0.001"], ["5000", "0.0005"]]
    assert other["slippage"] == {"type": "pct_dynamic"}


def test_the_fast_broker_is_near() -> None:
    assert build_high_frequency_config() == {
        "type": "simulated",
        "venue": "hf_execution",
        "latency": {"type": "constant", "submit": "50us", "cancel": "50us", "report": "50us"},
    }
    assert build_high_frequency_config(ultra_low_latency=False)["latency"]["submit"] == "1ms"


def test_the_presets_have_names() -> None:
    assert {name: build()["type"] for name, build in PRESETS.items()} == {
        "conservative": "simulated",
        "realistic": "simulated",
        "high_frequency": "simulated",
        "passthrough": "passthrough",
    }


@pytest.mark.parametrize(
    ("own", "merged"),
    [
        ({}, {"type": "volume", "price_impact": 1, "cap": 2}),
        ({"slippage": {"cap": 3}}, {"type": "volume", "price_impact": 1, "cap": 3}),
        (
            {"slippage": {"type": "volume", "cap": 3}},
            {"type": "volume", "price_impact": 1, "cap": 3},
        ),
        (
            {"slippage": {"type": "VolumeBasedSlippageModel", "cap": 3}},
            {"type": "VolumeBasedSlippageModel", "price_impact": 1, "cap": 3},
        ),
        ({"slippage": {"type": "none"}}, {"type": "none"}),
        ({"slippage": {"type": ["none"]}}, {"type": ["none"]}),
        ({"slippage": None}, None),
    ],
)
def test_one_s_own_keys_go_before_the_preset_s(
    own: dict[str, object], merged: dict[str, object] | None
) -> None:
    preset = {"type": "simulated", "slippage": {"type": "volume", "price_impact": 1, "cap": 2}}
    found = with_preset(preset, {"preset": "x", **own})
    assert found == {"type": "simulated", "preset": "x", "slippage": merged}
    assert preset["slippage"] == {"type": "volume", "price_impact": 1, "cap": 2}
