"""What is done when a run is over: one pass over the journal, and the folder."""

import json
from pathlib import Path
from typing import Any

import attrs
import pytest

from actors.errors import ConfigError
from runtime.config.load import load_config, parse_config
from runtime.kernel.journal import read_journal
from runtime.observe.result import RunResult
from runtime.research.execution import get_execution_stats
from runtime.research.reporting import journal_figures, report
from runtime.research.statistics import statistics
from runtime.system import run_config
from runtime.wiring.plant import codec
from tests.ring.rig import REPOSITORY


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunResult]:
    """Run the quickstart once."""
    folder = tmp_path_factory.mktemp("quickstart")
    config = load_config(REPOSITORY / "scenarios" / "quickstart.yaml", environment={})
    return folder, run_config(config, folder)


def _stats(folder: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((folder / "stats.json").read_text())
    return loaded


def test_the_folder_tells_of_execution_by_the_journal(run: tuple[Path, RunResult]) -> None:
    folder, result = run
    figures = report(folder, result)
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


def test_metrics_can_be_switched_off(run: tuple[Path, RunResult], tmp_path: Path) -> None:
    _, result = run
    quiet = attrs.evolve(result, config={**result.config, "enable_metrics": False})
    (tmp_path / "journal.db").write_text("not to be read")
    report(tmp_path, quiet)

    assert not (tmp_path / "metrics.jsonl").exists()
    assert _stats(tmp_path)["execution_quality"]["latency_ms"]["venue"]["count"] == 0


@pytest.mark.parametrize("days", ["0", "367", "many"])
def test_a_year_has_a_number_of_days(days: str) -> None:
    text = (REPOSITORY / "scenarios" / "quickstart.yaml").read_text()
    with pytest.raises(ConfigError, match="periods_per_year"):
        parse_config(text, "run.yaml", overrides=[f"periods_per_year={days}"], environment={})
