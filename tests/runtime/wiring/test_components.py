"""Configurations become components, or problems that name their keys."""

from pathlib import Path

import pytest

from actors.actor import Context
from actors.brokers.passthrough import PassthroughBroker
from actors.errors import ConfigError
from actors.model.instrument import Instruments
from actors.orders.manager import OrderManager
from runtime.cli import main
from runtime.config import RunConfig, parse_config
from runtime.kernel.determinism import seeded_random
from runtime.observe.progress import Progress, ProgressSource
from runtime.system import run_config
from runtime.wiring import check
from runtime.wiring.components import blueprint
from runtime.wiring.routes import Role

_GOOD = """
name: small
mode: simulate
seed: 3
portfolio: {cash: 1000, policies: [{type: PositionLimit, max_size: 10}, {type: CashLimit}]}
feeds: [{name: walk, type: synthetic, events: 2000, interval: 100ms}]
strategies:
  - {name: cross, type: average_cross, parameters: {fast: 5, slow: 20, quantity: 1}}
  - {name: log, type: event_log, parameters: {every: 100}}
"""


def _config(text: str = _GOOD, *overrides: str) -> RunConfig:
    return parse_config(text, "small.yaml", overrides=overrides, environment={})


def _problems(*overrides: str) -> dict[str, str]:
    """Return what is wrong, by key."""
    with pytest.raises(ConfigError) as caught:
        check(_config(_GOOD, *overrides))
    return {problem.key: str(problem) for problem in caught.value.problems}


def test_a_good_configuration_has_every_part() -> None:
    made = blueprint(_config())
    assert list(made.sources) == ["walk"]
    assert list(made.strategies) == ["cross", "log"]
    assert sorted(made.supervision) == ["broker", "cross", "log", "orders", "portfolio", "walk"]
    assert made.run_id == "small-3"
    assert isinstance(made.instruments, Instruments)


@pytest.mark.parametrize(
    ("override", "key", "words"),
    [
        ("feeds[0].type=synthetik", "feeds[0].type", "'synthetic'"),
        ("feeds[0].spread=0.015", "feeds[0].spread", "multiple of 0.01"),
        ("feeds[0].events=-1", "feeds[0].events", "-1"),
        ("strategies[0].name=broker", "strategies[0].name", "no other actor"),
        ("strategies[0].name=walk", "strategies[0].name", "no other actor"),
        ("strategies[0].type=average_cros", "strategies[0].type", "'average_cross'"),
        ("strategies[0].type=nowhere.py:Thing", "strategies[0].type", "does not exist"),
        ("strategies[0].parameters.fast=50", "strategies[0].parameters.slow", "50"),
        ("portfolio.policies[0].type=PositionLimits", "portfolio.policies[0].type", "Limit"),
        ("portfolio.policies[0].max_size=-1", "portfolio.policies[0].max_size", "-1"),
        ("broker.type=simulatd", "broker.type", "'simulated'"),
        ("broker.commission={type: tierd}", "broker.commission.type", "'tiered'"),
        ("broker.latency={type: constant, submit: soon}", "broker.latency.submit", "duration"),
    ],
)
def test_a_wrong_component_is_told_with_its_key(override: str, key: str, words: str) -> None:
    problems = _problems(override)
    assert list(problems) == [key]
    assert words in problems[key]


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("portfolio.policies[0].max_size=-1", ".max_size: expected 0 or more, found -1"),
        (
            "strategies[0].type=nowhere.py:Thing",
            ".type: expected a strategy that can be loaded, "
            "found 'nowhere.py:Thing': strategy file nowhere.py does not exist",
        ),
    ],
)
def test_a_problem_reads_well_and_says_nothing_twice(override: str, words: str) -> None:
    [problem] = _problems(override).values()
    assert problem.endswith(words)


def test_every_problem_is_told_at_once() -> None:
    problems = _problems("feeds[0].type=tape", "strategies[1].type=nothing", "broker.type=none")
    assert list(problems) == ["feeds[0].type", "strategies[1].type", "broker.type"]


def test_a_recording_that_is_not_there_is_told_before_the_run() -> None:
    text = _GOOD.replace(
        "{name: walk, type: synthetic, events: 2000, interval: 100ms}",
        "{name: tape, type: replay, path: nowhere/quotes.csv}",
    )
    with pytest.raises(ConfigError) as caught:
        check(_config(text))
    (problem,) = caught.value.problems
    assert problem.key.startswith("feeds[0].path")
    assert "nowhere/quotes.csv" in str(problem)


def test_a_passthrough_broker_takes_no_models() -> None:
    problems = _problems("broker={type: passthrough, commission: {type: none}}")
    assert list(problems) == ["broker.commission"]


def test_a_strategy_file_is_found_beside_the_configuration(tmp_path: Path) -> None:
    source = "from actors.strategies import Strategy\n\n\nclass Idle(Strategy):\n    pass\n"
    (tmp_path / "idle.py").write_text(source)
    text = _GOOD.replace("type: event_log, parameters: {every: 100}", "type: idle.py:Idle")
    config = parse_config(text, str(tmp_path / "run.yaml"), environment={})
    assert list(blueprint(config).strategies) == ["cross", "log"]


def test_a_run_without_a_folder_keeps_no_journal_and_costs_nothing_by_passthrough() -> None:
    seen: list[Progress] = []

    async def watch(source: ProgressSource) -> None:
        seen.append(source.progress())

    result = run_config(_config(_GOOD, "broker={type: passthrough}"), None, watch=watch)
    assert result.exit_code == 0
    assert len(result.fills) > 10
    assert all(row.fill.commission == 0 for row in result.fills)
    assert result.events == 2000
    assert len(seen) == 1
    names = [row.name for row in result.actors]
    assert names[0] == "bulkhead.feeds"
    assert "bulkhead.strategies.cross" in names


def test_cores_are_built_anew_each_time() -> None:
    made = blueprint(_config(_GOOD, "broker={type: passthrough}"))
    context = _context()
    first, second = (made.cores[Role.ORDERS](context) for _ in range(2))
    assert isinstance(first, OrderManager)
    assert first is not second
    assert isinstance(made.cores[Role.BROKER](context), PassthroughBroker)


def _context() -> Context:
    return Context(run_id="r", actor="a", incarnation=0, random=seeded_random(1, "a"))


_WRONG = """
mode: simulate
sped: 3
slice_rows: 0
feeds:
  - {name: a, type: synthetik}
  - {name: a, type: synthetic, generator: foo}
strategies:
  - {name: x, type: average_cros}
  - {name: y, type: average_cross, parameters: {fst: 3}}
portfolio: {cash: -5, policies: [{type: PositionLimits}]}
broker: {type: simulated, latency: {type: constnt}}
"""


def test_check_tells_the_files_and_the_components_problems_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(_WRONG)
    assert main(["check", str(path)]) == 2
    told = capsys.readouterr().err.splitlines()
    keys = [line.split(": ")[2] for line in told]
    assert keys == [
        "sped",
        "slice_rows",
        "feeds[0].type",
        "feeds[1].name",
        "feeds[1].generator",
        "strategies[0].type",
        "strategies[1].parameters.fst",
        "portfolio.cash",
        "portfolio.policies[0].type",
        "broker.latency.type",
    ]


def test_a_problem_that_hides_the_rest_is_told_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(_WRONG.replace("mode: simulate", ""))
    assert main(["check", str(path)]) == 2
    told = capsys.readouterr().err
    assert ": mode: expected" in told
    assert "synthetik" not in told
