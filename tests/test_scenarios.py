"""The scenarios that come with the project, and the command line around a real run."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path

import attrs
import pytest
import yaml

from actors.brokers.presets import PRESETS as BROKER_PRESETS
from actors.model.order import Liquidity, Side
from actors.strategies import STRATEGIES, default_strategies
from actors.strategies.presets import PRESETS
from actors.strategies.registry import OTHER_NAMES
from runtime.config.load import load_config
from runtime.config.model import RunConfig
from runtime.kernel.journal import read_journal
from runtime.observe.result import ExitCode
from runtime.system import run_config
from runtime.wiring import check
from runtime.wiring.plant import codec
from tests.ring.rig import REPOSITORY
from tests.shared import shared_file

IN_REAL_TIME = {"paper.yaml"}
"""Their stories are not told twice in the same way; tests/daemon tries what they do."""
SCENARIOS = sorted(
    path.name for path in (REPOSITORY / "scenarios").glob("*.yaml") if path.name not in IN_REAL_TIME
)
DATA = {
    "BULKHEAD_POLYMARKET": "data/polymarket-updown-yesno-with-btc-20260816",
    "BULKHEAD_BINANCE": "data/binance-l2-20240808",
}
ARTEFACTS = {
    "manifest.json",
    "stats.json",
    "orders.csv",
    "fills.csv",
    "equity.csv",
    "equity.html",
    "plotly.min.js",
    "journal.db",
    "metrics.jsonl",
    "trades.csv",
    "trades.html",
    "log.jsonl",
}


def environment(name: str) -> dict[str, str]:
    """Return the variables that a scenario names; skip where their data are absent."""
    text = (REPOSITORY / "scenarios" / name).read_text()
    return {key: str(shared_file(path)) for key, path in DATA.items() if key in text}


def settings(name: str, seed: int | None) -> RunConfig:
    """Return a scenario's configuration, with a seed of its own or another."""
    path = REPOSITORY / "scenarios" / name
    overrides = () if seed is None else (f"seed={seed}",)
    return load_config(path, overrides=overrides, environment=environment(name))


def bulkhead(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run the command."""
    return subprocess.run(
        [sys.executable, "-m", "runtime", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@attrs.frozen
class Story:
    """What a scenario tells, with the seed that it names.

    ``fills`` of each strategy that trades, ``refusals`` of each policy, how many ``alerts``, and
    what the account is worth at the ``end``; ``code`` is how the run ends.
    """

    end: str
    fills: dict[str, int]
    refusals: dict[str, int] = attrs.field(factory=dict)
    alerts: int = 0
    code: ExitCode = ExitCode.GOOD


STORIES = {
    "averages.yaml": Story("99862.15558", {"close-cross": 318, "crossover": 64, "momentum": 30}),
    "binance_replay.yaml": Story("99966.55714632257", {"quick": 269, "slow": 61}),
    "conservative.yaml": Story("83287.3829230098", {"trend": 70}, {"CashLimit": 6}),
    "exits.yaml": Story("49508.480642069378", {"exits": 98}, {"DailyLoss": 182, "ReduceOnly": 364}),
    "halted.yaml": Story(
        "9011.03774955", {"trend": 12}, {"Halted": 407}, code=ExitCode.RISK_HALTED
    ),
    "high_frequency.yaml": Story("9996.8915", {"maker": 56}),
    "market_maker.yaml": Story("10000.5312", {"careful": 21, "maker": 138}),
    "passthrough.yaml": Story("1003.0925", {"arbitrage": 26}),
    "polymarket_replay.yaml": Story(
        "947.900281", {"arbitrage": 32, "trend": 159}, {"NoShort": 1}, 84
    ),
    "polymarket_yes_no.yaml": Story("1025.249538", {"bitcoin": 23, "pairs": 4}, alerts=47),
    "quickstart.yaml": Story(
        "10001.6333111", {"arbitrage": 26, "clumsy": 11, "trend": 56}, {"PositionLimit": 2}, 477
    ),
    "realistic.yaml": Story("80949.041194976797946396", {"trend": 77}, {"CashLimit": 3}),
    "venue.yaml": Story("99915.2284", {"crossover": 274}, {"Unreconciled": 3}),
    "watching.yaml": Story("0", {}, alerts=538),
    "yes_no.yaml": Story("2053.0177173", {"arbitrage": 10, "momentum": 50, "pairs": 290}),
}


def test_every_scenario_has_its_story() -> None:
    assert list(STORIES) == SCENARIOS


def test_every_built_in_strategy_and_preset_has_a_scenario() -> None:
    texts = [(REPOSITORY / "scenarios" / name).read_text() for name in SCENARIOS]
    read = [yaml.safe_load(text) for text in texts]
    strategies = [strategy for each in read for strategy in each.get("strategies", [])]
    types = {strategy.get("type") for strategy in strategies}
    presets = {strategy.get("preset") for strategy in strategies}
    if any(each.get("default_strategies") for each in read):
        presets |= set(default_strategies())
    assert types | {OTHER_NAMES.get(str(kind)) for kind in types} >= set(STRATEGIES)
    assert presets >= set(PRESETS)
    brokers = {each["broker"].get("preset") for each in read if "broker" in each}
    assert brokers >= set(BROKER_PRESETS)


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_is_checked_and_described(name: str) -> None:
    done = bulkhead("check", f"scenarios/{name}", **environment(name))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("ok\n")
    assert "feeds" in done.stdout


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_tells_its_story(name: str, tmp_path: Path) -> None:
    story = STORIES[name]
    config = settings(name, None)
    result = run_config(config, tmp_path)
    traded = Counter(row.fill.strategy for row in result.fills)
    assert result.exit_code is story.code
    assert traded == story.fills
    assert dict(result.refusals) == story.refusals
    assert result.gave_up == ()
    assert result.malformed_lines == result.book_gaps == 0
    assert len(result.alerts) == story.alerts
    assert result.final_equity == Decimal(story.end)


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_runs_with_any_seed(name: str, tmp_path: Path) -> None:
    config = settings(name, 20_260_101)
    check(config)
    result = run_config(config, tmp_path)
    assert result.exit_code in (ExitCode.GOOD, STORIES[name].code)
    assert result.seed == 20_260_101
    assert bool(result.fills) is bool(STORIES[name].fills)
    assert result.finished_ns > result.started_ns


def test_the_pairs_of_the_yes_no_scenario_end_with_what_was_locked(
    tmp_path: Path,
) -> None:
    done = bulkhead("run", "scenarios/yes_no.yaml", "--out", str(tmp_path), "--quiet")
    assert done.returncode == 0, done.stderr
    folder = (tmp_path / "latest").resolve()
    lines = map(json.loads, (folder / "log.jsonl").read_text().splitlines())
    said = [line for line in lines if line["actor"] == "pairs"]
    (locked,) = (line for line in said if "profit locked" in line["message"])
    assert locked["message"] == "BTC-ABOVE-60000: profit locked: 40.6775329 is certain"
    entries = list(read_journal(folder / "journal.db", codec()))
    fills = [e.message for e in entries if e.type == "Fill" and e.message.strategy == "pairs"]
    earned = Decimal(0)
    for fill in fills:
        sign = 1 if fill.side is Side.BUY else -1
        earned -= sign * fill.last_price * fill.last_quantity + fill.commission
    assert earned == Decimal("40.6775329")
    later = {fill.liquidity for fill in fills if fill.venue_time_ns > locked["time_ns"]}
    assert later <= {Liquidity.CONVERSION, Liquidity.SETTLEMENT}
    rules = {fill.reason.split(":")[0] for fill in fills}
    assert rules >= {"arbitrage", "leg", "bootstrap", "hedge", "merge"}


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_names_no_place_of_one_machine(name: str) -> None:
    text = (REPOSITORY / "scenarios" / name).read_text()
    for place in ("/home/", "/tmp", "/Users/", "/root", "C:\\"):
        assert place not in text


def test_the_quickstart_shows_a_strategy_that_goes_down_alone(tmp_path: Path) -> None:
    done = bulkhead("run", "scenarios/quickstart.yaml", "--out", str(tmp_path), "--tree")
    assert done.returncode == 0, done.stderr
    folder = (tmp_path / "latest").resolve()
    assert {path.name for path in folder.iterdir()} == ARTEFACTS
    assert "clumsy  running  5 restarts" in " ".join(done.stdout.split("\n")).replace("─", "")
    entries = list(read_journal(folder / "journal.db", codec()))
    crashes = [entry.time_ns for entry in entries if entry.type == "ActorFailed"]
    failed = {entry.message.actor for entry in entries if entry.type == "ActorFailed"}
    restarted = [entry for entry in entries if entry.type == "ActorRestarted"]
    assert failed == {"clumsy"}
    assert len(restarted) == len(crashes) > 0
    fills = [entry for entry in entries if entry.type == "Fill"]
    for name in ("arbitrage", "trend"):
        assert any(e.message.strategy == name and e.time_ns > crashes[0] for e in fills)
    stats = json.loads((folder / "stats.json").read_text())
    assert stats["exit_code"] == 0
    assert stats["open_positions"] == []


def test_why_explains_an_order_of_the_quickstart(tmp_path: Path) -> None:
    bulkhead("run", "scenarios/quickstart.yaml", "--out", str(tmp_path), "--quiet")
    done = bulkhead("why", "trend-1", "--run", str(tmp_path))
    assert done.returncode == 0
    assert "order quickstart-7-trend-1" in done.stdout
    assert "MarketRow" in done.stdout
    assert "Fill" in done.stdout


# --- exit codes ------------------------------------------------------------------------------

LONG = """\
name: long
mode: simulate
feeds: [{name: market, type: synthetic, interval: 1ms, duration: 20h}]
strategies:
  - {name: trend, type: average_cross, parameters: {fast: 20, slow: 100}}
"""


def test_an_interrupt_ends_a_run_in_order_with_a_complete_result(tmp_path: Path) -> None:
    scenario = tmp_path / "long.yaml"
    scenario.write_text(LONG)
    arguments = [sys.executable, "-m", "runtime", "run", str(scenario), "--out", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    process = subprocess.Popen(
        [*arguments, "--quiet"], cwd=REPOSITORY, env=environment, stderr=subprocess.PIPE, text=True
    )
    _wait_for_trade(tmp_path / "latest" / "journal.db")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (130, "bulkhead: interrupted\n")
    folder = (tmp_path / "latest").resolve()
    assert {path.name for path in folder.iterdir()} >= ARTEFACTS - {"log.jsonl"}
    stats = json.loads((folder / "stats.json").read_text())
    assert (stats["exit_code"], stats["reason"]) == (130, "interrupted")
    assert stats["fills"] == (folder / "fills.csv").read_text().count("\n") - 1 > 0
    assert stats["open_positions"] == []
    assert stats["final_cash"] == stats["final_equity"]


def _wait_for_trade(journal: Path) -> None:
    """Wait until a run has written a fill to its journal: that much of it has been under way."""
    for _ in range(300):
        if journal.exists() and any(read_journal(journal, codec(), types=["Fill"])):
            return
        time.sleep(0.1)  # noqa: TID251 - another process is waited for
    raise AssertionError("the run has not begun")


BROKEN = """\
from actors.messages.market import Quote
from actors.strategies import Strategy


class Broken(Strategy):
    def on_quote(self, quote: Quote) -> None:
        raise RuntimeError("I can do nothing right")
"""


@pytest.mark.parametrize(
    ("feed", "code"),
    [
        ("events: 100", 0),
        ("evnts: 100", 2),
        ("events: 100, supervision: {intensity: minus}", 2),
    ],
)
def test_exit_codes_tell_good_runs_from_wrong_configurations(
    feed: str, code: int, tmp_path: Path
) -> None:
    scenario = tmp_path / "run.yaml"
    text = f"mode: simulate\nfeeds: [{{name: market, type: synthetic, {feed}}}]\n"
    scenario.write_text(text)
    done = bulkhead("run", str(scenario), "--out", str(tmp_path / "runs"), "--quiet")
    assert done.returncode == code
    assert done.stderr.startswith("bulkhead: ") is (code != 0)


def test_a_strategy_that_gives_up_is_told_but_does_not_fail_the_run(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(BROKEN)
    scenario = tmp_path / "run.yaml"
    scenario.write_text(
        "mode: simulate\nfeeds: [{name: market, type: synthetic, events: 50}]\n"
        "strategies: [{name: broken, type: 'broken.py:Broken'}]\n"
    )
    done = bulkhead("run", str(scenario), "--out", str(tmp_path / "runs"))
    assert done.returncode == 0
    assert "broken: gave up" in done.stderr


POISON = """\
from decimal import Decimal

import msgspec

from actors.messages.market import Quote
from actors.strategies import Strategy


class Poisonous(Strategy):
    def on_quote(self, quote: Quote) -> None:
        self.buy(quote.instrument, 1)
        self.outbox[-1] = msgspec.structs.replace(self.outbox[-1], quantity=Decimal("sNaN"))
"""


def test_a_run_whose_portfolio_gives_up_exits_with_1_and_a_complete_result(tmp_path: Path) -> None:
    (tmp_path / "poison.py").write_text(POISON)
    scenario = tmp_path / "run.yaml"
    scenario.write_text(
        "mode: simulate\nfeeds: [{name: market, type: synthetic, events: 50}]\n"
        "strategies: [{name: poisonous, type: 'poison.py:Poisonous'}]\n"
    )
    done = bulkhead("run", str(scenario), "--out", str(tmp_path / "runs"), "--quiet")
    assert done.returncode == 1
    assert "bulkhead: portfolio gave up: more restarts than 3 within 60 s" in done.stderr
    folder = (tmp_path / "runs" / "latest").resolve()
    assert {path.name for path in folder.iterdir()} == ARTEFACTS - {"trades.html"}
    stats = json.loads((folder / "stats.json").read_text())
    assert (stats["exit_code"], stats["fills"], stats["final_cash"]) == (1, 0, "10000")


def test_a_recording_that_breaks_off_is_counted_and_replayed_as_far_as_it_goes(
    tmp_path: Path,
) -> None:
    ticker = '{{"u":{0},"s":"BTCUSDT","b":"60000.{0}","B":"1.0","a":"60001.{0}","A":"1.0"}}'
    lines = (
        f'{1_700_000_000_000_000_000 + row} {{"stream":"btcusdt@bookTicker","data":'
        f"{ticker.format(1000 + row)}}}\n"
        for row in range(9000)
    )
    whole = gzip.compress("".join(lines).encode(), mtime=0)
    (tmp_path / "spot.gz").write_bytes(whole[: len(whole) // 2])
    scenario = tmp_path / "run.yaml"
    scenario.write_text(
        f"mode: replay\nfeeds: [{{name: spot, type: replay, path: {tmp_path / 'spot.gz'}}}]\n"
    )
    done = bulkhead("run", str(scenario), "--out", str(tmp_path / "runs"), "--quiet")
    assert done.returncode == 0
    manifest = json.loads((tmp_path / "runs" / "latest" / "manifest.json").read_text())
    assert manifest["malformed"] == {"spot": 1}
    assert 1000 < manifest["feeds"]["spot"]["rows"] < 9000
