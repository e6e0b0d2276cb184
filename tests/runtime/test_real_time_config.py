"""What a configuration of a run in real time must and may say."""

import pytest

from actors.errors import ConfigError
from runtime.config import Mode, RunConfig, parse_config, to_plain
from runtime.config.daemon import StopPolicy
from runtime.config.real_time import COMPLETED_ORDERS, FILLS

FEED = "feeds: [{name: market, type: synthetic}]\n"
PAPER = f"name: night\nmode: paper\n{FEED}"
LIVE = f"""name: night
mode: live
{FEED}broker: {{type: venue}}
kill_switch: {{daily_loss: 100}}
"""
_SECOND = 1_000_000_000


def parsed(text: str) -> RunConfig:
    return parse_config(text, "night.yaml", environment={})


def problems(text: str) -> dict[str, str]:
    with pytest.raises(ConfigError) as caught:
        parsed(text)
    return {problem.key: str(problem) for problem in caught.value.problems}


def test_a_stop_has_stages_with_deadlines() -> None:
    config = parsed(f"{PAPER}stop: {{policy: flatten, orders: 3s, links: 500ms}}\n")
    assert config.stop.policy is StopPolicy.FLATTEN
    assert (config.stop.orders_ns, config.stop.links_ns) == (3 * _SECOND, _SECOND // 2)
    assert config.stop.total_ns == (5 + 3 + 5 + 5) * _SECOND + _SECOND // 2
    assert config.crash.policy is StopPolicy.CANCEL


def test_snapshots_can_be_done_without() -> None:
    assert parsed(f"{PAPER}daemon: {{snapshot_every: 0}}\n").daemon.snapshot_every == 0
    (problem,) = problems(f"{PAPER}daemon: {{snapshot_every: -1}}\n").values()
    assert "expected 0 or more, found -1" in problem


def test_a_real_time_configuration_survives_being_written() -> None:
    plain = to_plain(parsed(f"{PAPER}daemon: {{duration: 90s}}\n"))
    assert plain["daemon"]["duration"] == "90s"
    assert plain["stop"]["policy"] == "cancel"


def test_only_some_modes_are_in_real_time() -> None:
    assert [mode for mode in Mode if mode.is_real_time] == [Mode.PAPER, Mode.LIVE]


def test_what_runs_for_weeks_forgets_orders_that_are_over() -> None:
    assert parsed(PAPER).orders.max_completed_orders == COMPLETED_ORDERS
    assert parsed(f"{PAPER}orders: {{max_completed_orders: 7}}\n").orders.max_completed_orders == 7
    assert parsed(PAPER).portfolio.max_fills == FILLS
    assert parsed(f"{PAPER}portfolio: {{max_fills: 5}}\n").portfolio.max_fills == 5
    simulated = parsed(PAPER.replace("paper", "simulate"))
    assert simulated.orders.max_completed_orders is None
    assert simulated.portfolio.max_fills is None


@pytest.mark.parametrize("key", ["stop", "crash"])
def test_flattening_needs_leave_to_close_positions(key: str) -> None:
    text = f"{PAPER}close_out: false\n{key}: {{policy: flatten}}\n"
    assert "expected keep or cancel" in problems(text)[f"{key}.policy"]


def test_live_trading_needs_a_way_to_be_halted() -> None:
    assert parsed(LIVE).mode is Mode.LIVE
    assert "at least one condition" in problems(LIVE.replace("daily_loss: 100", ""))["kill_switch"]
    without = LIVE.replace("kill_switch: {daily_loss: 100}\n", "")
    assert "at least one condition" in problems(without)["kill_switch"]


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("journal", "journal: none"),
        ("enable_risk_checks", "enable_risk_checks: false"),
        ("daemon.duration", "daemon: {duration: 0}"),
        ("daemon.status_every", "daemon: {status_every: -1s}"),
        ("stop.policy", "stop: {policy: panic}"),
    ],
)
def test_what_live_trading_must_not_do_is_told(key: str, line: str) -> None:
    assert key in problems(f"{LIVE}{line}\n")


def test_live_trading_needs_a_venue() -> None:
    text = LIVE.replace("broker: {type: venue}\n", "")
    assert "expected venue in mode live" in problems(text)["broker.type"]
