"""The same run with two other brokers, side by side."""

import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import msgspec
import pytest
from rich.console import Console

import runtime.system
from actors.errors import ConfigError
from actors.model.order import Liquidity, Side
from runtime.cli import main
from runtime.config import RunConfig, parse_config
from runtime.observe.result import ExitCode, RunResult
from runtime.research.stress import (
    Stress,
    slippage_cost,
    stress,
    stress_table,
    to_json,
    with_broker,
)
from runtime.system import run_config
from tests.builders import order
from tests.runtime.results import buy, curve, fill_row, order_row, run_result, sell

D = Decimal
_TEXT = """
name: walk
mode: simulate
seed: 5
journal: none
portfolio: {cash: 10000}
feeds: [{name: market, type: synthetic, events: 3000, interval: 100ms, volatility: 0.001}]
strategies:
  - {name: cross, type: average_cross, parameters: {fast: 5, slow: 20, quantity: 3}}
broker: {latency: {type: constant, submit: 1s}}
"""


def config(text: str = _TEXT) -> RunConfig:
    return parse_config(text, "walk.yaml", environment={})


def _result(equity: str, fee: str, **more: Any) -> RunResult:
    fills = (buy("10", "100", fee), sell("10", equity, fee))
    return run_result(fills=fills, starting_cash=D(1000), equity=curve(["1000", "950"]), **more)


def _found(**more: Any) -> Stress:
    results = {
        "conservative": _result("98", "2.5", orders=(order_row(),), **more),
        "realistic": _result("99", "1.5"),
    }
    return stress(config(), lambda preset, _config: results[preset])


def _lines(found: Stress) -> list[str]:
    console = Console(file=io.StringIO(), width=80, color_system=None)
    console.print(stress_table(found))
    assert isinstance(console.file, io.StringIO)
    return [" ".join(line.split()) for line in console.file.getvalue().splitlines()]


def test_each_run_has_a_preset_in_the_place_of_its_broker() -> None:
    ran: dict[str, RunConfig] = {}

    def run_one(preset: str, stressed: RunConfig) -> RunResult:
        ran[preset] = stressed
        return _result("98", "1")

    stress(config(), run_one)
    assert list(ran) == ["conservative", "realistic"]
    for preset, stressed in ran.items():
        assert stressed.broker.preset == preset
        assert stressed.broker.latency is None, "nothing is left of the configuration's own"
        assert attrs.evolve(stressed, broker=config().broker) == config()
    assert ran["realistic"].broker.slippage is not None
    assert ran["realistic"].broker.slippage.type == "volume_impact"


def test_the_gap_is_what_the_dearer_broker_costs() -> None:
    found = _found()
    assert found.runs["conservative"].final_equity == D(975)
    assert found.runs["realistic"].final_equity == D(987)
    assert found.gap == {
        "final_equity": D(-12),
        "return": pytest.approx(-0.012),
        "max_drawdown": pytest.approx(0.0, abs=0.05),
        "fees": D(2),
        "slippage_cost": D(0),
        "orders": 1,
        "fills": 0,
    }


def test_the_table_shows_both_runs_and_the_gap() -> None:
    lines = _lines(_found())
    assert len(lines) <= 14
    assert lines[0] == "walk: stress, seed 5"
    assert "USD conservative realistic gap" in lines
    assert "final equity 975.00 987.00 -12.00" in lines
    assert "return -2.50% -1.30% -1.20%" in lines
    assert "fees 5.00 3.00 2.00" in lines
    assert "fills 2 2 0" in lines


def test_a_run_that_failed_is_told() -> None:
    found = _found(exit_code=ExitCode.FAILED, reason="the order manager gave up")
    assert found.exit_code is ExitCode.FAILED
    assert "conservative: the order manager gave up" in _lines(found)
    assert _found().exit_code is ExitCode.GOOD


def test_an_account_without_cash_has_no_return() -> None:
    broke = run_result(starting_cash=D(0), equity=curve(["0", "0"]))
    found = stress(config(), lambda _preset, _config: broke)
    assert found.gap["return"] is None
    assert "return - - -" in _lines(found)


def test_the_figures_are_plain_data() -> None:
    data = to_json(_found())
    assert json.loads(json.dumps(data)) == data
    assert list(data) == ["name", "seed", "currency", "conservative", "realistic", "gap"]
    assert data["conservative"]["final_equity"] == "975"
    assert data["conservative"]["exit_code"] == 0
    assert data["gap"]["fees"] == "2"
    assert data["gap"].keys() == data["realistic"].keys() - {"exit_code", "reason"}


def test_slippage_is_counted_from_the_price_at_approval() -> None:
    fills = [
        buy("10", "101"),  # 1 worse
        sell("10", "102"),  # 3 better
        sell("5", "90"),  # of an order that knew no price
        buy("7", "1"),  # of an order that nobody knows
        fill_row(Side.SELL, "10", "0", liquidity=Liquidity.SETTLEMENT),
    ]
    arrivals = ["100", "99", None, "none", "50"]
    rows = []
    for row, arrival in zip(fills, arrivals, strict=True):
        if arrival == "none":
            continue
        made = order(row.fill.side, id=row.fill.client_order_id)
        price = None if arrival is None else D(arrival)
        made = msgspec.structs.replace(made, arrival_price=price)
        rows.append(attrs.evolve(order_row(), order=made))
    result = run_result(fills=tuple(fills), orders=tuple(rows))
    assert slippage_cost(config(), result) == D(10) - D(30)
    text = _TEXT + "instruments: [{id: BTC, venue: v, symbol: b, multiplier: 10}]\n"
    assert slippage_cost(config(text), result) == D(-200)


def test_a_preset_that_is_not_known_is_a_bug() -> None:
    with pytest.raises(KeyError):
        with_broker(config(), "optimistic")


# --- with the engine ------------------------------------------------------------------------------


def test_a_real_run_is_dearer_and_the_same_each_time() -> None:
    def run_one(_preset: str, stressed: RunConfig) -> RunResult:
        return run_config(stressed, None)

    found = stress(config(), run_one)
    for figures in found.runs.values():
        assert figures.fills > 10
        assert figures.fees > 0
    assert found.runs["conservative"].slippage_cost > 0
    assert stress(config(), run_one) == found


def test_the_command_runs_both_into_folders_of_their_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "walk.yaml"
    file.write_text(_TEXT, encoding="utf-8")
    out = tmp_path / "runs"
    assert main(["run", str(file), "--stress", "--out", str(out), "--json"]) == 0
    first = capsys.readouterr()
    folders = sorted(path.name for path in out.iterdir() if not path.is_symlink())
    assert [name.partition("-simulate-")[2] for name in folders] == [
        "walk-conservative",
        "walk-realistic",
    ]
    for folder in folders:
        manifest = json.loads((out / folder / "manifest.json").read_text(encoding="utf-8"))
        assert manifest["config"]["broker"]["preset"] == folder.rpartition("-")[2]
    found = json.loads(first.out)
    stats = json.loads((out / folders[0] / "stats.json").read_text(encoding="utf-8"))
    assert found["conservative"]["final_equity"] == stats["final_equity"]
    assert first.err == ""

    assert main(["run", str(file), "--stress", "--out", str(out), "--tree"]) == 0
    shown = capsys.readouterr().out
    assert "walk: stress, seed 5" in shown
    assert shown.count("broker  ") == 2, "a tree for each run"
    assert main(["run", str(file), "--stress", "--out", str(out), "--quiet"]) == 0
    assert capsys.readouterr().out == ""


def _write(tmp_path: Path) -> str:
    file = tmp_path / "walk.yaml"
    file.write_text(_TEXT, encoding="utf-8")
    return str(file)


def test_what_the_user_should_know_is_told_before_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["run", _write(tmp_path), "--out", str(tmp_path / "runs")]
    arguments += ["--set", "broker.slippage={type: volatility_aware}"]
    assert main(arguments) == 0
    expected = "bulkhead: note: broker.slippage: at the default volatility of 0.01 every trade is"
    assert capsys.readouterr().err.startswith(expected)
    assert main([*arguments, "--quiet"]) == 0
    assert capsys.readouterr().err == ""


def test_an_interruption_ends_the_whole_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[RunConfig] = []

    def interrupted(given: RunConfig, *_others: Any, **_more: Any) -> RunResult:
        ran.append(given)
        return _result("98", "1", exit_code=ExitCode.INTERRUPTED, reason="interrupted")

    monkeypatch.setattr(runtime.system, "run_config", interrupted)
    code = main(["run", _write(tmp_path), "--stress", "--out", str(tmp_path / "runs")])
    assert code == ExitCode.INTERRUPTED
    assert len(ran) == 1
    assert "interrupted" in capsys.readouterr().err


def test_a_failure_is_told_with_the_log_of_its_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_others: Any, **_more: Any) -> RunResult:
        raise ZeroDivisionError("nothing to divide by")

    monkeypatch.setattr(runtime.system, "run_config", broken)
    code = main(["run", _write(tmp_path), "--stress", "--out", str(tmp_path / "runs"), "--quiet"])
    assert code == ExitCode.FAILED
    err = capsys.readouterr().err
    assert "the run has failed: ZeroDivisionError: nothing to divide by" in err
    assert "walk-conservative" in err


def test_a_strategy_that_does_not_fit_is_told_before_anything_runs() -> None:
    wrong = config(_TEXT.replace("slow: 20", "slow: 2"))
    with pytest.raises(ConfigError):
        stress(wrong, lambda _preset, stressed: run_config(stressed, None))
