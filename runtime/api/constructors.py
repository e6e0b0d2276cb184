"""A run of each mode in one call, with the defaults that one would guess."""

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from actors.errors import ExecutionError
from runtime.api.run import Run, run_of
from runtime.config import build_config, load_config
from runtime.config.model import Mode


def simulation(
    assets: int | Iterable[str] = 5,
    interval: float | timedelta = 0.1,
    *,
    seed: int = 0,
    folder: Path | None = None,
    **feed: Any,
) -> Run:
    """Return a run on made-up prices.

    Args:
        assets: How many assets there are, or their names.
        interval: Time between two events, in seconds or as a timedelta.
        seed: Decides every draw of chance.
        folder: Where the journal goes; None for no journal.
        **feed: Further options of the synthetic feed, such as ``generator`` and ``duration``.

    Raises:
        ConfigError: With everything that is wrong.
    """
    market = {
        "name": "market",
        "type": "synthetic",
        "assets": assets if isinstance(assets, int) else list(assets),
        "interval": _duration(interval),
        **_plain_options(feed),
    }
    return _run("simulation", "simulate", market, {"seed": seed}, folder)


def replay(
    path: str | Path,
    assets: Iterable[str] | None = None,
    speed: float = 0.0,
    *,
    folder: Path | None = None,
    **feed: Any,
) -> Run:
    """Return a run on recorded data, at a multiple of the recorded speed.

    Args:
        path: A file, a folder (such as one day's) or a glob.
        assets: Ids or patterns of the instruments wanted; None for all.
        speed: 0 is as fast as possible, 1 as recorded, 2 twice that.
        folder: Where the journal goes; None for no journal.
        **feed: Further options of the replay feed, such as ``format``.

    Raises:
        ConfigError: With everything that is wrong.
    """
    market = _recorded(path, assets, feed)
    return _run("replay", "replay", market, {"speed": Decimal(repr(float(speed)))}, folder)


def backtest(
    path: str | Path,
    assets: Iterable[str] | None = None,
    *,
    conservative: bool = False,
    module_id: str = "backtest_execution",
    folder: Path | None = None,
    **feed: Any,
) -> Run:
    """Return a backtest on recorded data, with realistic or with conservative execution.

    Args:
        path: A file, a folder or a glob.
        assets: Ids or patterns of the instruments wanted; None for all.
        conservative: Whether to fill bars at their worst price and to charge more, instead of what
            is realistic; see the presets of the simulated broker.
        module_id: The run's name.
        folder: Where the journal goes; None for no journal.
        **feed: Further options of the replay feed, such as ``format``; ``cash`` is what the account
            begins with.

    Raises:
        ConfigError: With everything that is wrong.
    """
    preset = "conservative" if conservative else "realistic"
    more = {
        "broker": {"type": "simulated", "preset": preset},
        "portfolio": {"cash": feed.pop("cash", 10_000)},
    }
    return _run(module_id, "backtest", _recorded(path, assets, feed), more, folder)


def real_time(
    config: str | Path | Mapping[str, Any],
    *,
    folder: Path | None = None,
    live: bool = False,
    overrides: Sequence[str] = (),
) -> Run:
    """Return a run in real time, in this process: what ``bulkhead run`` does with such a file.

    It can be governed while it runs: see :meth:`Run.halt`, :meth:`Run.resume`, :meth:`Run.stop` and
    :meth:`Run.status`; with a ``folder``, also from the command line.

    Args:
        config: A YAML file, or what one would hold as plain data; ``mode: paper`` or ``live``.
        folder: Where the journal goes, and where a later run goes on from; None for no journal.
        live: Must be True for ``mode: live``, which trades with real money.
        overrides: Assignments ``a.b[0].c=value`` that go before what the file says.

    Raises:
        ConfigError: With everything that is wrong.
        ExecutionError: If the mode is not one of real time, or not the one that is asked for.
    """
    if isinstance(config, Mapping):
        settings = build_config(config, overrides=overrides)
    else:
        settings = load_config(Path(config), overrides=overrides, environment=os.environ)
    if not settings.mode.is_real_time:
        raise ExecutionError(f"real time: expected mode: paper or live, found {settings.mode}")
    if live is not (settings.mode is Mode.LIVE):
        expected = "mode: live in the file as well" if live else "live=True as well: real money"
        raise ExecutionError(f"real time: expected {expected}, found mode: {settings.mode}")
    return Run(settings, folder=folder)


def _recorded(path: str | Path, assets: Iterable[str] | None, feed: dict[str, Any]) -> Any:
    market = {"name": "market", "type": "replay", "path": str(path), **_plain_options(feed)}
    if assets is not None:
        market["assets"] = list(assets)
    return market


def _run(
    name: str, mode: str, market: dict[str, Any], more: dict[str, Any], folder: Path | None
) -> Run:
    return run_of({"name": name, "mode": mode, "feeds": [market], **more}, folder=folder)


def _duration(value: float | timedelta) -> str:
    """Return a duration as configurations have it."""
    if isinstance(value, timedelta):
        return f"{round(value / timedelta(microseconds=1))}us"
    return f"{round(value * 1_000_000)}us"


def _plain_options(options: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _duration(value)
        if isinstance(value, timedelta)
        else Decimal(repr(value))
        if isinstance(value, float)
        else value
        for key, value in options.items()
    }
