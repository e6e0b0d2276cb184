"""The folder of a run: ``<UTC time>-<mode>-<name>`` with everything that is known of it.

============== =====================================================================
file           holds
============== =====================================================================
manifest.json  configuration, seed, versions, data files with sha256, wall times
stats.json     the figures; the same for every run of the same seed, config and data
orders.csv     every order
fills.csv      every fill: positions, cash and fees follow from it
trades.csv     every round trip, by average cost
equity.csv     the equity curve
equity.html    its chart; needs plotly.min.js beside it, and no network
trades.html    histograms of the round trips, if there are any
journal.db     every message (written during the run)
metrics.jsonl  the exec.* metrics at the end (from the journal, where there is one)
log.jsonl      the log (written during the run)
============== =====================================================================
"""

import json
import os
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from itertools import count
from pathlib import Path
from typing import Any

import attrs

from actors.messages.account import EquityMarked
from actors.model.instrument import Instrument
from runtime.config.plain import to_plain
from runtime.observe.masking import masked
from runtime.observe.result import RunResult, Statistics
from runtime.observe.times import iso_time
from runtime.research.statistics import books_of, to_json, trips_of
from runtime.research.tables import write_equity, write_fills, write_orders, write_trades

LATEST = "latest"
DISTRIBUTION = "bulkhead-trading"
_PACKAGES = {"bulkhead": DISTRIBUTION, "trio": "trio", "numpy": "numpy", "msgspec": "msgspec"}


def make_run_folder(base: Path, *, started_ns: int, mode: str, name: str) -> Path:
    """Make and return the folder of a run that starts at ``started_ns`` (wall time).

    Two runs of the same second get folders of their own. ``<base>/latest`` points to the newest.
    """
    time = iso_time(started_ns - started_ns % 1_000_000_000).replace("-", "").replace(":", "")
    base.mkdir(parents=True, exist_ok=True)
    folder = stem = base / f"{time}-{mode}-{name}"
    numbers = count(2)
    while not _made(folder):
        folder = stem.with_name(f"{stem.name}-{next(numbers)}")
    _point_to(base, folder)
    return folder


def stable_run_folder(base: Path, name: str) -> Path:
    """Make and return the folder of a run in real time: the same each time, so that it resumes."""
    folder = base / name
    folder.mkdir(parents=True, exist_ok=True)
    _point_to(base, folder)
    return folder


def newest_run(base: Path) -> Path | None:
    """Return the folder of the newest run in ``base``, or None if there is none."""
    latest = base / LATEST
    if latest.is_symlink() or latest.is_dir():
        return latest.resolve() if latest.is_dir() else None
    if latest.is_file():
        folder = base / latest.read_text(encoding="utf-8").strip()
        return folder if folder.is_dir() else None
    return None


def write_artefacts(folder: Path, result: RunResult, statistics: Statistics) -> None:
    """Write what a finished run leaves behind into its folder."""
    from runtime.research.charts import write_equity_chart, write_trades_chart

    result = attrs.evolve(result, equity=_curve_to_the_end(result, statistics))
    _write_json(folder / "manifest.json", manifest(result))
    _write_json(folder / "stats.json", to_json(statistics, result))
    write_orders(folder / "orders.csv", result.orders)
    write_fills(folder / "fills.csv", result.fills)
    write_trades(folder / "trades.csv", trips_of(books_of(result)))
    write_equity(folder / "equity.csv", result.equity)
    write_equity_chart(folder / "equity.html", result)
    if statistics.trades.get("trades"):
        write_trades_chart(folder / "trades.html", result, statistics)


def manifest(result: RunResult) -> dict[str, Any]:
    """Return what a run was made from, as plain JSON data; secrets are masked."""
    return {
        "run_id": result.run_id,
        "name": result.name,
        "mode": result.mode,
        "seed": result.seed,
        "config": masked(dict(result.config)),
        "versions": versions(),
        "data_files": [each for feed in result.feeds for each in _files(feed.summary)],
        "malformed": {feed.name: feed.summary.get("malformed", 0) for feed in result.feeds},
        "feeds": {feed.name: _without_files(feed.summary) for feed in result.feeds},
        "started": iso_time(result.wall_started_ns),
        "finished": iso_time(result.wall_finished_ns),
        "virtual_started": iso_time(result.started_ns),
        "virtual_finished": iso_time(result.finished_ns),
        "instruments": [_instrument(each) for each in result.instruments],
        "trading_state": str(result.trading_state),
        "trading_state_cause": result.trading_state_cause,
        "exit_code": int(result.exit_code),
        "reason": result.reason,
    }


def _instrument(instrument: Instrument) -> dict[str, Any]:
    """Return an instrument as a configuration would have it, without what is as it is anyway."""
    usual = to_plain(Instrument(id=instrument.id, venue=instrument.venue, symbol=instrument.symbol))
    plain = to_plain(instrument)
    names = ("id", "venue", "symbol")
    return {name: plain[name] for name in plain if name in names or plain[name] != usual[name]}


def versions() -> dict[str, str]:
    """Return the versions of Python, of Bulkhead and of what its results may depend on."""
    return {
        "python": platform.python_version(),
        **{name: package_version(package) for name, package in _PACKAGES.items()},
    }


def package_version(package: str) -> str:
    """Return the version of an installed package."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _curve_to_the_end(result: RunResult, statistics: Statistics) -> tuple[EquityMarked, ...]:
    """Return the equity curve up to what the fills have come to when the run ended."""
    if result.equity and result.equity[-1].time_ns >= result.finished_ns:
        return result.equity
    end = EquityMarked(
        time_ns=result.finished_ns, cash=statistics.final_cash, equity=statistics.final_equity
    )
    return (*result.equity, end)


def _made(folder: Path) -> bool:
    """Make a folder; return False if there was one already, perhaps since a moment."""
    try:
        folder.mkdir()
    except FileExistsError:
        return False
    return True


def _point_to(base: Path, folder: Path) -> None:
    """Let ``latest`` name the folder: as a link, or as text where links are not to be had."""
    scratch = base / f".{LATEST}-{folder.name}"
    try:
        scratch.symlink_to(folder.name, target_is_directory=True)
    except OSError:
        scratch.write_text(folder.name, encoding="utf-8")
    os.replace(scratch, base / LATEST)


def _files(summary: Mapping[str, Any]) -> list[Any]:
    files = summary.get("files", [])
    return list(files) if isinstance(files, list | tuple) else []


def _without_files(summary: Mapping[str, Any]) -> Any:
    return masked({key: value for key, value in summary.items() if key != "files"})


def _write_json(path: Path, data: Mapping[str, Any]) -> None:
    text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False, default=str)
    path.write_text(f"{text}\n", encoding="utf-8")
