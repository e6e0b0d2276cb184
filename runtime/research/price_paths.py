"""Reads a run's data once more, for what prices did while its positions were open."""

from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from actors.messages.market import NO_PRICE, EventKind
from actors.messages.slices import Slice
from actors.model.instrument import Instrument
from runtime.config.model import RunConfig
from runtime.research.excursions import PricePath
from runtime.wiring.components import blueprint

Column = npt.NDArray[np.int64]
_PRICES = (EventKind.BAR, EventKind.QUOTE, EventKind.TRADE)
"""Which prices of an instrument count: the first of these kinds that its data have."""


def price_paths(config: RunConfig, wanted: Collection[str]) -> dict[str, PricePath]:
    """Return the prices of some instruments, by id: the bars, the mids, or else the public trades.

    The feeds are built afresh, and tell the same rows as they did in the run.

    Args:
        config: The run's configuration.
        wanted: The instruments' ids; one that the data do not have is left out.

    Raises:
        ConfigError: If a feed cannot be built any more.
    """
    parts = blueprint(config)
    rows = [rows for make in parts.sources.values() for rows in make(0).slices(0)]
    paths: dict[str, PricePath] = {}
    for name in sorted(wanted):
        instrument = parts.instruments.get(name)
        if instrument is None:
            continue
        path = _path(rows, parts.instruments.index(name), instrument)
        if path is not None:
            paths[name] = path
    return paths


def _path(slices: list[Slice], index: int, instrument: Instrument) -> PricePath | None:
    """Return one instrument's prices, or None if there are none."""
    for kind in _PRICES:
        found = [part for rows in slices for part in _rows_of(rows, index, kind)]
        if found:
            return _of_columns(kind, np.concatenate(found, axis=1), float(instrument.tick))
    return None


def _rows_of(rows: Slice, index: int, kind: EventKind) -> Iterator[Any]:
    """Yield the columns of a slice's rows of one instrument and kind, if there are any."""
    is_it = (rows.instrument == index) & (rows.kind == kind)
    if kind is EventKind.QUOTE:
        is_it &= (rows.a > 0) & (rows.b < NO_PRICE)
    if is_it.any():
        yield np.stack([column[is_it] for column in (rows.time_ns, rows.a, rows.b, rows.c, rows.d)])


def _of_columns(kind: EventKind, columns: Column, tick: float) -> PricePath:
    times, a, b, c, d = columns
    order = np.argsort(times, kind="stable")
    if kind is EventKind.BAR:
        return PricePath(
            times_ns=times[order],
            prices=d[order] * tick,
            lows=c[order] * tick,
            highs=b[order] * tick,
        )
    prices = (a + b) / 2 * tick if kind is EventKind.QUOTE else a * tick
    return PricePath(times_ns=times[order], prices=prices[order])
