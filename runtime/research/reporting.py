"""What is done when a run is over: its journal is read once, and its folder is filled."""

from collections.abc import Mapping
from pathlib import Path

import attrs

from runtime.config.model import RunConfig
from runtime.kernel.journal import read_journal
from runtime.observe.metrics import ExecutionMetrics, write_metrics
from runtime.observe.result import RunResult, Statistics
from runtime.research.artefacts import write_artefacts
from runtime.research.excursions import PricePath
from runtime.research.execution import TYPES_READ, ExecutionLog
from runtime.research.price_paths import price_paths
from runtime.research.statistics import statistics
from runtime.system.session import JOURNAL_FILE
from runtime.wiring.plant import codec

METRICS_FILE = "metrics.jsonl"


@attrs.frozen(kw_only=True)
class JournalFigures:
    """What a journal tells that the result of its run does not: times on the way, metrics."""

    execution: ExecutionLog
    metrics: ExecutionMetrics


def journal_figures(journal: Path, result: RunResult) -> JournalFigures:
    """Read the journal of a run: what concerns its orders.

    Raises:
        JournalError: If there is none, or it cannot be read.
    """
    execution, metrics = ExecutionLog(), ExecutionMetrics(result.instruments)
    for entry in read_journal(journal, codec(), types=sorted(TYPES_READ)):
        execution.take(entry)
        metrics.take(entry)
    return JournalFigures(execution=execution, metrics=metrics)


def report(folder: Path, result: RunResult, config: RunConfig) -> Statistics:
    """Write what a finished run leaves behind into its folder, and return its figures.

    With a journal, the figures of execution come from it, and ``metrics.jsonl`` is written as well;
    both unless ``config`` says ``enable_metrics: false``. Where it says ``enable_excursions``, the
    data are read once more for what prices did during and after the trades.

    Raises:
        JournalError: If the journal cannot be read.
    """
    journal = folder / JOURNAL_FILE
    paths: Mapping[str, PricePath] | None = None
    if config.enable_excursions:
        paths = price_paths(config, {row.fill.instrument for row in result.fills})
    if not journal.is_file() or not config.enable_metrics:
        figures = statistics(result, paths=paths)
    else:
        told = journal_figures(journal, result)
        figures = statistics(result, told.execution, paths)
        write_metrics(folder / METRICS_FILE, told.metrics.samples(result.finished_ns))
    write_artefacts(folder, result, figures)
    return figures
