"""What is done when a run is over: one pass over the journal, and the folder."""

import json
import shutil
from pathlib import Path
from typing import Any

import attrs
import pytest

from actors.errors import ConfigError
from runtime.config.load import load_config, parse_config
from runtime.kernel.journal import read_journal
from runtime.observe.result import RunResult
from runtime.research.execution import get_execution_stats
from runtime.research.price_paths import price_paths
from runtime.research.reporting import journal_figures, report
from runtime.research.statistics import statistics
from runtime.system import run_config
from runtime.wiring.plant import codec
from tests.ring.rig import REPOSITORY

CONFIG = load_config(REPOSITORY / "scenarios" / "quickstart.yaml", environment={})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunResult]:
    """Run the quickstart once."""
    folder = tmp_path_factory.mktemp("quickstart")
    return folder, run_config(CONFIG, folder)


def _stats(folder: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((folder / "stats.json").read_text())
    return loaded


def test_the_folder_tells_of_execution_by_the_journal(run: tuple[Path, RunResult]) -> None:
    folder, result = run
    figures = report(folder, result, CONFIG)
    stats = _stats(folder)

    assert stats["execution"] == figures.execution
    assert stats["execution"]["engine_stats"]["events_processed"] == result.events
    assert stats["execution_quality"]["latency_ms"]["venue"]["mean"] == 40
    metrics = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    placed = sum(m["value"] for m in metrics if m["metric_name"] == "exec.orders_placed")
    assert placed == stats["execution"]["broker_stats"]["total_orders"] == len(result.orders)
    assert stats["trades"]["trades"] == stats["round_trips"]
    assert len((folder / "trades.csv").read_text().splitlines()) == stats["round_trips"] + 1
    assert "plotly.min.js" in (folder / "trades.html").read_text()


def test_journal_and_result_tell_the_same(run: tuple[Path, RunResult]) -> None:
    folder, result = run
    read = get_execution_stats(read_journal(folder / "journal.db", codec()), events=result.events)
    lean = journal_figures(folder / "journal.db", result).execution.stats(result.events)

    assert read == lean == get_execution_stats(result) == statistics(result).execution


def test_of_a_long_journal_only_the_newest_part_is_read(run: tuple[Path, RunResult]) -> None:
    folder, result = run
    whole = journal_figures(folder / "journal.db", result)
    half = journal_figures(folder / "journal.db", result, result.messages // 2)
    all_of_it = journal_figures(folder / "journal.db", result, 10 * result.messages)

    assert 0 < half.execution.messages < whole.execution.messages
    assert half.execution.stats()["engine_stats"]["fills_generated"] > 0
    assert all_of_it.execution.stats() == whole.execution.stats()


def test_a_run_in_real_time_is_told_by_its_newest_messages(
    run: tuple[Path, RunResult], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, result = run
    shutil.copy(folder / "journal.db", tmp_path)
    monkeypatch.setattr("runtime.research.reporting.NEWEST", 20)
    overrides = ["mode=paper", "enable_excursions=true"]
    path = REPOSITORY / "scenarios" / "quickstart.yaml"
    figures = report(tmp_path, result, load_config(path, overrides=overrides, environment={}))

    assert figures.execution["order_stats"]["total_created"] < len(result.orders)
    assert figures.trades["avg_worst"] is None


def test_metrics_can_be_switched_off(run: tuple[Path, RunResult], tmp_path: Path) -> None:
    _, result = run
    (tmp_path / "journal.db").write_text("not to be read")
    report(tmp_path, result, attrs.evolve(CONFIG, enable_metrics=False))

    assert not (tmp_path / "metrics.jsonl").exists()
    assert _stats(tmp_path)["execution_quality"]["latency_ms"]["venue"]["count"] == 0


@pytest.mark.parametrize("days", ["0", "367", "many"])
def test_a_year_has_a_number_of_days(days: str) -> None:
    text = (REPOSITORY / "scenarios" / "quickstart.yaml").read_text()
    with pytest.raises(ConfigError, match="periods_per_year"):
        parse_config(text, "run.yaml", overrides=[f"periods_per_year={days}"], environment={})


def test_the_data_are_read_again_for_excursions_if_asked(
    run: tuple[Path, RunResult], tmp_path: Path
) -> None:
    _, result = run
    plain = report(tmp_path, result, CONFIG)
    assert plain.trades["avg_worst"] is None
    assert "mark_outs_bps" not in plain.execution_quality
    figures = report(tmp_path, result, attrs.evolve(CONFIG, enable_excursions=True))
    worst, best = figures.trades["avg_worst"], figures.trades["avg_best"]
    assert worst is not None
    assert best is not None
    assert worst < 0 < best
    assert figures.execution_quality["mark_outs_bps"].keys() == {"1s", "5s", "30s", "300s"}
    assert _stats(tmp_path)["trades"]["avg_best"] == figures.trades["avg_best"]


def test_prices_are_the_bars_or_the_mids() -> None:
    text = """
mode: backtest
feeds:
  - {name: bars, type: synthetic, shape: bars, assets: [B], duration: 10m, interval: 1m}
  - {name: quotes, type: synthetic, assets: [Q], duration: 2s, interval: 500ms, spread: 0.02}
"""
    paths = price_paths(parse_config(text, "run.yaml", environment={}), {"B", "Q", "NONE"})
    assert sorted(paths) == ["B", "Q"]
    bars, mids = paths["B"], paths["Q"]
    assert len(bars.times_ns) == 10
    assert (bars.lows <= bars.prices).all()
    assert (bars.highs >= bars.prices).all()
    assert (bars.highs > bars.lows).any()
    assert len(mids.times_ns) == 4
    assert abs(float(mids.prices[0]) - 100) < 1
