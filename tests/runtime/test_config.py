"""Configuration files: what they mean, and everything that is wrong with one at once."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from actors.errors import ConfigError
from actors.model.instrument import Outcome
from runtime.config import (
    BackoffConfig,
    Mode,
    RunConfig,
    SupervisionConfig,
    describe,
    load_config,
    parse_config,
    to_plain,
)

SMALL = """\
mode: simulate
feeds:
  - {name: market, type: synthetic}
"""

WHOLE = """\
name: quickstart
mode: replay            # backtest | replay | simulate
seed: 7
journal: none
slice_rows: 512
speed: 1.5
close_out: false
portfolio:
  cash: 10000.10
  currency: USDC
  equity_interval: 1s
  policies: [{type: PositionLimit, max_size: 500}, {type: CashLimit}]
instruments:
  - {id: A, venue: polymarket, symbol: 0x1f, tick: 0.0001, outcome: YES}
feeds:
  - {name: market, type: synthetic, generator: outcome_market, spread: 0.02}
  - {name: tape, type: replay, path: ${DATA}/file.jsonl, supervision: {intensity: 9}}
strategies:
  - name: cross
    type: average_cross
    instruments: [A, 12345678901234567890]
    parameters: {fast: 10, on: quote}
    supervision: {backoff: {base: 1ms}}
  - {name: log, type: event_log}
broker:
  type: simulated
  latency: {type: constant, submit: 5ms}
  commission: {type: percentage, rate: 0.001}
  partial_fills: true
supervision: {intensity: 5, period: 1h30m, backoff: {cap: 10s, factor: 3}}
"""


def parsed(text: str, *overrides: str, environment: Mapping[str, str] | None = None) -> RunConfig:
    """Return the configuration of a text."""
    return parse_config(
        text, "run.yaml", overrides=overrides, environment=environment or {"DATA": "/data"}
    )


def problems(text: str, *overrides: str, environment: Mapping[str, str] | None = None) -> list[str]:
    """Return everything that is wrong with a text."""
    with pytest.raises(ConfigError) as caught:
        parsed(text, *overrides, environment=environment)
    return [str(problem) for problem in caught.value.problems]


def test_a_small_file_gets_the_defaults() -> None:
    config = parsed(SMALL)

    assert config.mode is Mode.SIMULATE
    assert (config.name, config.seed, config.slice_rows) == ("run", 0, 4096)
    assert config.portfolio.cash == Decimal(10_000)
    assert config.supervision == SupervisionConfig()
    assert config.close_out


def test_a_whole_file_means_what_it_says() -> None:
    config = parsed(WHOLE)

    assert config.speed == 1.5
    assert config.portfolio.cash == Decimal("10000.10")
    assert config.portfolio.equity_interval_ns == 1_000_000_000
    assert config.portfolio.policies[0].options == {"max_size": 500}
    assert config.instruments[0].tick == Decimal("0.0001")
    assert config.instruments[0].symbol == "0x1f"
    assert config.instruments[0].outcome is Outcome.YES
    assert config.feeds[0].options == {"generator": "outcome_market", "spread": Decimal("0.02")}
    assert config.feeds[1].options == {"path": "/data/file.jsonl"}
    assert config.strategies[0].instruments == ("A", "12345678901234567890")
    assert config.strategies[0].parameters == {"fast": 10, "on": "quote"}
    assert config.broker.latency is not None
    assert config.broker.latency.options == {"submit": "5ms"}
    assert config.broker.options == {"partial_fills": True}
    assert config.broker.slippage is None


def test_an_actor_inherits_the_supervision_that_it_does_not_change() -> None:
    config = parsed(WHOLE)
    general = BackoffConfig(cap_ns=10_000_000_000, factor=3.0)
    own = BackoffConfig(base_ns=1_000_000, cap_ns=10_000_000_000, factor=3.0)

    assert config.supervision == SupervisionConfig(
        intensity=5, period_ns=5_400_000_000_000, backoff=general
    )
    assert config.strategies[0].supervision == SupervisionConfig(
        intensity=5, period_ns=5_400_000_000_000, backoff=own
    )
    assert config.feeds[1].supervision == SupervisionConfig(
        intensity=9, period_ns=5_400_000_000_000, backoff=general
    )
    assert config.strategies[1].supervision is None


def test_every_problem_is_told_at_once_with_its_line_and_the_nearest_name() -> None:
    text = """\
mode: simulte
sed: 7
slice_rows: 0
portfolio: {cash: -5, equity_interval: 100, policies: 5}
instruments:
  - {id: A, venue: v, symbol: a, tick: -0.1}
  - {id: B, venue: v, symbol: b, outcome: MAYBE}
  - 5
strategies:
  - {name: a/b, type: average_cross, instruments: x, supervision: {intensity: -4, period: x}}
  - {type: event_log}
supervision: {jitter: 5, backoff: {jitter: 5, factor: 0}}
"""
    assert problems(text) == [
        "run.yaml:1: mode: expected one of backtest, replay, simulate, paper, live,"
        " found 'simulte'; did you mean 'simulate'?",
        "run.yaml:3: slice_rows: expected 1 or more, found 0",
        "run.yaml:4: portfolio.cash: expected 0 or more, found -5",
        "run.yaml:4: portfolio.equity_interval:"
        " expected a duration such as 5ms, 1s, 2m, 1h or 1d, found 100",
        "run.yaml:4: portfolio.policies: expected a list, found 5",
        "run.yaml:6: instruments[0]: expected above 0, found -0.1 (tick of A)",
        "run.yaml:7: instruments[1].outcome: expected one of YES, NO, found 'MAYBE'",
        "run.yaml:8: instruments[2]: expected a mapping, found 5",
        "run.yaml: feeds: expected a value, found nothing",
        "run.yaml:10: strategies[0].name: expected letters, digits, - and _, found 'a/b'",
        "run.yaml:10: strategies[0].instruments: expected a list, found 'x'",
        "run.yaml:10: strategies[0].supervision.intensity: expected 0 or more, found -4",
        "run.yaml:10: strategies[0].supervision.period:"
        " expected a duration such as 5ms, 1s, 2m, 1h or 1d, found 'x'",
        "run.yaml:11: strategies[1].name: expected a value, found nothing",
        "run.yaml:12: supervision.backoff.factor: expected 1 or more, found 0.0",
        "run.yaml:12: supervision.backoff.jitter: expected a number from 0 to 1, found 5.0",
        "run.yaml:12: supervision.jitter: expected one of the keys backoff, intensity, period,"
        " quarantine_after, start_timeout, found an unknown one",
        "run.yaml:2: sed: expected a known key, found an unknown one; did you mean 'seed'?",
    ]


def test_names_that_are_given_twice_are_told() -> None:
    text = """\
mode: simulate
feeds: [{name: a, type: x}, {name: a, type: x}]
strategies: [{name: b, type: x}, {name: c, type: x}, {name: b, type: x}]
instruments: [{id: A, venue: v, symbol: a}, {id: A, venue: v, symbol: b}]
"""
    assert problems(text) == [
        "run.yaml:2: feeds[1].name: expected a name of its own, found 'a', the name of feeds[0]",
        "run.yaml:3: strategies[2].name:"
        " expected a name of its own, found 'b', the name of strategies[0]",
        "run.yaml:4: instruments[1].id:"
        " expected a name of its own, found 'A', the name of instruments[0]",
    ]


def test_supervision_that_is_no_mapping_is_told_once() -> None:
    text = f"{SMALL}supervision: 5\nstrategies: [{{name: a, type: x, supervision: {{period: 0}}}}]"

    assert problems(text) == [
        "run.yaml:5: strategies[0].supervision.period: expected more than 0, found 0 or less",
        "run.yaml:4: supervision: expected a mapping, found 5",
    ]


def test_only_a_replay_is_paced() -> None:
    assert problems(f"{SMALL}speed: 2") == [
        "run.yaml:4: speed: expected 0 in mode simulate (only a replay is paced), found 2"
    ]


def test_a_run_needs_a_feed() -> None:
    assert problems("mode: backtest\nfeeds: []") == [
        "run.yaml:2: feeds: expected at least one, found none"
    ]


def test_an_unset_variable_is_a_problem_and_what_follows_from_it_is_not() -> None:
    assert problems(f"{SMALL}seed: ${{SEED}}\nslice_rows: x", environment={}) == [
        "run.yaml:4: seed: expected environment variable SEED to be set, found nothing",
        "run.yaml:5: slice_rows: expected a whole number, found 'x'",
    ]


def test_a_variable_can_be_a_number_has_a_default_and_is_never_read_as_yaml() -> None:
    text = f"{SMALL}seed: ${{SEED:-9}}\nname: 'n${{NAME}}'\nportfolio: {{currency: $${{X}}}}"

    assert parsed(text, environment={"NAME": "7"}).seed == 9
    assert parsed(text, environment={"NAME": "7", "SEED": "4"}).seed == 4
    assert parsed(text, environment={"NAME": "7"}).portfolio.currency == "${X}"
    assert parsed(text, environment={"NAME": "7"}).name == "n7"
    nasty = parsed(WHOLE, environment={"DATA": "a: {b} # c"})
    assert nasty.feeds[1].options["path"] == "a: {b} # c/file.jsonl"


def test_overrides_go_before_the_file_and_items_have_names() -> None:
    config = parsed(
        WHOLE,
        "seed=8",
        "strategies[0].parameters.fast=5",
        "strategies[log].parameters.every=0.50",
        "portfolio.policies[0]={type: NoShort}",
        "broker.slippage.type=none",
        "feeds[tape].path=/other",
    )

    assert config.seed == 8
    assert config.strategies[0].parameters["fast"] == 5
    assert config.strategies[1].parameters == {"every": Decimal("0.50")}
    assert config.portfolio.policies[0].type == "NoShort"
    assert config.broker.slippage is not None
    assert config.feeds[1].options == {"path": "/other"}


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        (
            "portfolio.cashh=4",
            "--set portfolio.cashh: portfolio.cashh: expected a known key, found an unknown one;"
            " did you mean 'cash'?",
        ),
        (
            "strategies[crss].name=x",
            "--set strategies[crss].name: strategies: expected an item from 0 to 1,"
            " found [crss]; did you mean 'cross'?",
        ),
        (
            "strategies[2].name=x",
            "--set strategies[2].name: strategies: expected an item from 0 to 1, found [2]",
        ),
        (
            "stratgies[0].name=x",
            "--set stratgies[0].name: stratgies: expected a list, found nothing;"
            " did you mean 'strategies'?",
        ),
        (
            "broker.latency.type.x=1",
            "--set broker.latency.type.x: broker.latency.type: expected a mapping,"
            " found 'constant'",
        ),
        (
            "broker[0]=1",
            "--set broker[0]: broker: expected a list, found a mapping",
        ),
        ("seed=abc", "--set seed: seed: expected a whole number, found 'abc'"),
        ("seed", "--set: seed: expected KEY=VALUE, such as seed=7, found 'seed'"),
        (
            "name=[",
            "--set name: name: expected YAML, found expected the node content,"
            " but found '<stream end>'",
        ),
        (
            "portfolio={cahs: 5}",
            "--set portfolio: portfolio.cahs: expected a known key, found an unknown one;"
            " did you mean 'cash'?",
        ),
    ],
)
def test_an_override_that_leads_nowhere_is_told_with_the_nearest_name(
    override: str, problem: str
) -> None:
    assert problems(WHOLE, override) == [problem]


def test_an_override_of_an_empty_list_says_so() -> None:
    assert problems(f"{SMALL}strategies: []", "strategies[0].name=x") == [
        "--set strategies[0].name: strategies: expected items, found [0]"
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "mode: [",
            ["run.yaml:1: (document): expected YAML, found expected the node content, but found"
             " '<stream end>'"],
        ),
        ("", ["run.yaml: (document): expected a mapping, found nothing"]),
        ("- a\n- b", ["run.yaml: (document): expected a mapping, found a list of 2"]),
        (
            "mode: \x07",
            ["run.yaml: (document): expected YAML, found what YAML cannot be (ReaderError)"],
        ),
        (f"{SMALL}seed: 1\nseed: 2",
         ["run.yaml:4: seed: expected the key once, found again on line 5"]),
        (f"{SMALL}name: !!python/object:os.system {{}}",
         ["run.yaml:4: name: expected a value without a tag,"
          " found tag tag:yaml.org,2002:python/object:os.system"]),
        (f"{SMALL}name: &x [*x]",
         ["run.yaml:4: name[0]: expected a value, found an alias to what it is part of",
          "run.yaml:4: name: expected a text (in quotes), found a list of 1"]),
        (f"{SMALL}? [a]\n: 5",
         ["run.yaml: (document): expected a text as a key, found a list of 1"]),
    ],
)  # fmt: skip
def test_what_is_no_configuration_is_refused_with_its_line(
    text: str, expected: Sequence[str]
) -> None:
    assert problems(text) == expected


def test_a_file_that_grows_without_end_is_refused() -> None:
    levels = [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    bomb = "\n".join(["mode: simulate", "a0: &a0 [x]", *levels])

    assert "(document): expected at most 100000 values, found more" in "\n".join(problems(bomb))


def test_a_deeply_nested_file_is_refused() -> None:
    assert "expected YAML" in problems(f"mode: {'[' * 5000}")[0]


def test_a_configuration_as_plain_data_reads_back_as_the_same_one() -> None:
    config = parsed(WHOLE)
    again = parsed(yaml.safe_dump(to_plain(config)))

    assert again.supervision == config.supervision
    assert again.strategies == config.strategies
    assert again.instruments == config.instruments
    assert to_plain(again) == to_plain(config)


def test_plain_data_is_exact_and_holds_no_secret() -> None:
    plain = to_plain(parsed(WHOLE, "feeds[0].api_key=hush", "feeds[0].tokens=[a]"))

    assert plain["portfolio"]["cash"] == "10000.10"
    assert plain["portfolio"]["equity_interval"] == "1s"
    assert plain["feeds"][0]["api_key"] == "***"
    assert "hush" not in str(plain)
    assert "document" not in plain


def test_a_configuration_is_described_in_a_few_lines() -> None:
    assert describe(parsed(WHOLE)) == [
        "run         quickstart: replay, seed 7, journal none",
        "feeds       market (synthetic), tape (replay)",
        "strategies  cross (average_cross), log (event_log)",
        "portfolio   10000.10 USDC, policies: PositionLimit, CashLimit",
        "broker      simulated, latency: constant, commission: percentage",
    ]
    assert describe(parsed(SMALL))[2] == "strategies  none"


def test_a_file_is_read_from_disk(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(SMALL)

    assert load_config(path, environment={}).feeds[0].name == "market"


def test_a_file_that_cannot_be_read_is_one_problem(tmp_path: Path) -> None:
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\xfa")

    for path, found in (
        (tmp_path / "none.yaml", "no such file"),
        (binary, "UnicodeDecodeError"),
        (tmp_path, "IsADirectoryError"),
    ):
        with pytest.raises(ConfigError, match=f"expected a readable YAML file, found {found}"):
            load_config(path, environment={})


def test_the_configuration_knows_where_its_keys_stand() -> None:
    document = parsed(WHOLE, "seed=8").document

    assert document.origin("portfolio.cash") == "run.yaml:9"
    assert document.origin("strategies[0].parameters.fast") == "run.yaml:22"
    assert document.origin("strategies[0].parameters.slow") == "run.yaml:22"
    assert document.origin("seed") == "--set seed"
    assert document.origin("unheard.of") == "run.yaml"
    assert RunConfig(mode=Mode.BACKTEST, feeds=parsed(SMALL).feeds).document.file == "(built)"
