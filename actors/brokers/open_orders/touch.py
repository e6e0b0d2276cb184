"""Finds the first row at which an open order reacts, over whole columns at a time."""

from collections.abc import Callable

import attrs
import numpy as np
from numpy.typing import NDArray

from actors.messages.market import KIND_BITS, KIND_MASK, NO_PRICE, EventKind
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
        stop_buy: Sleeping orders to buy wake at asks, trades and highs at or above it; None where
            no orders sleep.
        stop_sell: Sleeping orders to sell wake at bids, trades and lows at or below it.
        meets_trades: Whether trades within ``buy`` and ``sell`` count also where they are no
            prices, because they tell of the queue.
    """

    buy: Column
    sell: Column
    firm_from: Column | None
    stop_buy: Column | None = None
    stop_sell: Column | None = None
    meets_trades: bool = False


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
        self,
        rows: Slice,
        span: tuple[int, int],
        key: object,
        reach: Callable[[], Reach],
        confirm: Callable[[int], bool] | None = None,
    ) -> int:
        """Return the first row of ``[start, stop)`` that an order reacts to, or ``stop``.

        Args:
            rows: The slice.
            span: ``(start, stop)``.
            key: Equal as long as the same is looked for.
            reach: Gives what to look for; asked when the slice or the key is a new one.
            confirm: Tells whether an order really reacts to a row within reach; None: it does.
        """
        start, stop = span
        if rows is not self._rows or key != self._key:
            self._rows, self._key, self._reach = rows, key, reach()
            self._forget(start)
        elif not self._from <= start <= self._clean:
            self._forget(start)
        if not self._is_hit:
            self._scan(rows, stop, confirm)
        return min(self._clean, stop)

    def _forget(self, start: int) -> None:
        self._from = self._clean = start
        self._is_hit = False

    def _scan(self, rows: Slice, stop: int, confirm: Callable[[int], bool] | None) -> None:
        """Move ``_clean`` to the first touched row, or to ``stop``."""
        window = _FIRST_WINDOW
        while self._clean < stop:
            begin, end = self._clean, min(self._clean + window, stop)
            touched = _touched(rows, begin, end, self._reach)
            if confirm is None:
                first = int(touched.argmax()) if len(touched) else 0
                if len(touched) and touched[first]:
                    self._hit(begin + first)
                    return
            else:
                for row in (np.flatnonzero(touched) + begin).tolist():
                    if confirm(row):
                        self._hit(row)
                        return
            self._clean = end
            window *= _GROWTH

    def _hit(self, row: int) -> None:
        self._clean = row
        self._is_hit = True


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
    is_quote = kind == EventKind.QUOTE
    is_price = is_bar | is_quote
    if reach.meets_trades:
        is_price |= kind == EventKind.TRADE
    elif reach.firm_from is not None:
        is_early = np.arange(start, stop) < reach.firm_from[instrument]
        is_price |= is_early & (kind == EventKind.TRADE)
    touched &= is_price
    if reach.stop_buy is not None and reach.stop_sell is not None:
        # an empty side of a quote has no price
        up = np.where(is_quote, np.where(rows.d[span] != 0, rows.b[span], 0), high)
        down = np.where(is_quote & (rows.c[span] == 0), NO_PRICE, np.where(is_bar, low, a))
        wakes = (up >= reach.stop_buy[instrument]) | (down <= reach.stop_sell[instrument])
        touched |= wakes & (kind <= EventKind.BAR)
    return np.asarray(touched)


def _touched_uniform(rows: Slice, span: slice, code: int, reach: Reach) -> NDArray[np.bool_]:
    index = code >> KIND_BITS
    if index < 0:
        return _NONE
    kind = code & KIND_MASK
    buy, sell = reach.buy[index], reach.sell[index]
    touched = _NONE
    match kind:
        case EventKind.QUOTE:
            touched = (rows.b[span] <= buy) | (rows.a[span] >= sell)
        case EventKind.BAR:
            touched = (rows.c[span] <= buy) | (rows.b[span] >= sell)
        case EventKind.TRADE if reach.meets_trades or _is_early(reach, index):
            touched = (rows.a[span] <= buy) | (rows.a[span] >= sell)
    if reach.stop_buy is None or reach.stop_sell is None or kind > EventKind.BAR:
        return np.asarray(touched)
    wakes = _wakes_uniform(rows, span, kind, (reach.stop_buy[index], reach.stop_sell[index]))
    return np.asarray(touched | wakes if len(touched) else wakes)


def _is_early(reach: Reach, index: int) -> bool:
    return reach.firm_from is not None and bool(reach.firm_from[index])


def _wakes_uniform(
    rows: Slice, span: slice, kind: int, stops: tuple[np.int64, np.int64]
) -> NDArray[np.bool_]:
    """Return for each row of one instrument's quotes, trades or bars whether it wakes an order."""
    stop_buy, stop_sell = stops
    match kind:
        case EventKind.QUOTE:
            rises = (rows.b[span] >= stop_buy) & (rows.d[span] != 0)
            falls = (rows.a[span] <= stop_sell) & (rows.c[span] != 0)
        case EventKind.BAR:
            rises, falls = rows.b[span] >= stop_buy, rows.c[span] <= stop_sell
        case _:
            rises, falls = rows.a[span] >= stop_buy, rows.a[span] <= stop_sell
    return np.asarray(rises | falls)
