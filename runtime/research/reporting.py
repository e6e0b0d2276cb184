"""What is done when a run is over: its journal is read once, and its folder is filled."""

from collections.abc import Mapping
from pathlib import Path

import attrs
from loguru import logger

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
NEWEST = 250_000
"""Of a run in real time, how many of its newest messages the figures of execution are taken from.

A journal of weeks would take minutes, and memory for each order in it.
"""


@attrs.frozen(kw_only=True)
class JournalFigures:
    """What a journal tells that the result of its run does not: times on the way, metrics."""

    execution: ExecutionLog
    metrics: ExecutionMetrics


def journal_figures(journal: Path, result: RunResult, newest: int | None = None) -> JournalFigures:
    """Read the journal of a run: what concerns its orders.

    Args:
        journal: The file.
        result: The run's result.
        newest: How many of the newest messages to look at; all if not given.

    Raises:
        JournalError: If there is none, or it cannot be read.
    """
    execution, metrics = ExecutionLog(), ExecutionMetrics(result.instruments)
    after = 0 if newest is None else max(0, result.messages - newest)
    if after:
        words = (
            f"figures of execution are those of the newest {newest} of {result.messages} messages"
        )
        logger.bind(console=False).info(words)
    for entry in read_journal(journal, codec(), types=sorted(TYPES_READ), after=after):
        execution.take(entry)
        metrics.take(entry)
    return JournalFigures(execution=execution, metrics=metrics)


def report(folder: Path, result: RunResult, config: RunConfig) -> Statistics:
    """Write what a finished run leaves behind into its folder, and return its figures.

    With a journal, the figures of execution come from it, and ``metrics.jsonl`` is written as well;
    both unless ``config`` says ``enable_metrics: false``; of a run in real time, from the newest
    part of it (:data:`NEWEST`). Where it says ``enable_excursions``, the data are read once more
    for what prices did during and after the trades; not in real time, where they do not come again.

    Raises:
        JournalError: If the journal cannot be read.
    """
    journal = folder / JOURNAL_FILE
    paths: Mapping[str, PricePath] | None = None
    is_real_time = config.mode.is_real_time
    if config.enable_excursions and not is_real_time:
        paths = price_paths(config, {row.fill.instrument for row in result.fills})
    if not journal.is_file() or not config.enable_metrics:
        figures = statistics(result, paths=paths)
    else:
        told = journal_figures(journal, result, NEWEST if is_real_time else None)
        figures = statistics(result, told.execution, paths)
        write_metrics(folder / METRICS_FILE, told.metrics.samples(result.finished_ns))
    write_artefacts(folder, result, figures)
    return figures
