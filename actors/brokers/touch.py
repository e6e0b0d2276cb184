"""Finds the first row at which an open order reacts, over whole columns at a time."""

from collections.abc import Callable

import attrs
import numpy as np
from numpy.typing import NDArray

from actors.messages.market import KIND_BITS, KIND_MASK, EventKind
from actors.messages.slices import Column, Slice

_FIRST_WINDOW = 64
_GROWTH = 4


@attrs.frozen
class Reach:
    """What to look for, by instrument index.

    Attributes:
        buy: Orders to buy react to asks at or below it.
        sell: Orders to sell react to bids at or above it.
        firm_from: The row from which on trades are no prices; None if they never are.
    """

    buy: Column
    sell: Column
    firm_from: Column | None


class TouchScan:
    """Remembers how far it has looked, so that no row is looked at twice for the same orders."""

    def __init__(self) -> None:
        self._key: object = None
        self._rows: Slice | None = None
        self._reach = Reach(*(np.empty(0, dtype=np.int64),) * 2, None)
        self._from = 0
        self._clean = 0
        self._is_hit = False

    def first(
        self, rows: Slice, span: tuple[int, int], key: object, reach: Callable[[], Reach]
    ) -> int:
        """Return the first row of ``[start, stop)`` that an order reacts to, or ``stop``.

        Args:
            rows: The slice.
            span: ``(start, stop)``.
            key: Equal as long as the same is looked for.
            reach: Gives what to look for; asked when the slice or the key is a new one.
        """
        start, stop = span
        if rows is not self._rows or key != self._key:
            self._rows, self._key, self._reach = rows, key, reach()
            self._forget(start)
        elif not self._from <= start <= self._clean:
            self._forget(start)
        if not self._is_hit:
            self._scan(rows, stop)
        return min(self._clean, stop)

    def _forget(self, start: int) -> None:
        self._from = self._clean = start
        self._is_hit = False

    def _scan(self, rows: Slice, stop: int) -> None:
        """Move ``_clean`` to the first touched row, or to ``stop``."""
        window = _FIRST_WINDOW
        while self._clean < stop:
            end = min(self._clean + window, stop)
            touched = _touched(rows, self._clean, end, self._reach)
            first = int(touched.argmax()) if len(touched) else 0
            if len(touched) and touched[first]:
                self._clean += first
                self._is_hit = True
                return
            self._clean = end
            window *= _GROWTH


_NONE = np.zeros(0, dtype=np.bool_)


def _touched(rows: Slice, start: int, stop: int, reach: Reach) -> NDArray[np.bool_]:
    """Return for each row whether an order reacts to it; empty if none does."""
    span = slice(start, stop)
    if rows.uniform_code is not None:
        return _touched_uniform(rows, span, rows.uniform_code, reach)
    kind, instrument, a = rows.kind[span], rows.instrument[span], rows.a[span]
    is_bar = kind == EventKind.BAR
    # asks of quotes and highs of bars are in column b, bids and trade prices in a, lows in c
    low = np.where(is_bar, rows.c[span], np.where(kind == EventKind.QUOTE, rows.b[span], a))
    high = np.where(is_bar, rows.b[span], a)
    touched = (low <= reach.buy[instrument]) | (high >= reach.sell[instrument])
    is_price = is_bar | (kind == EventKind.QUOTE)
    if reach.firm_from is not None:
        is_early = np.arange(start, stop) < reach.firm_from[instrument]
        is_price |= is_early & (kind == EventKind.TRADE)
    return np.asarray(touched & is_price)


def _touched_uniform(rows: Slice, span: slice, code: int, reach: Reach) -> NDArray[np.bool_]:
    index = code >> KIND_BITS
    buy, sell = reach.buy[index], reach.sell[index]
    match code & KIND_MASK:
        case EventKind.QUOTE:
            low, high = rows.b[span], rows.a[span]
        case EventKind.BAR:
            low, high = rows.c[span], rows.b[span]
        case EventKind.TRADE if reach.firm_from is not None and reach.firm_from[index]:
            low = high = rows.a[span]
        case _:
            return _NONE
    return np.asarray((low <= buy) | (high >= sell))
