"""The rows of a slice that tell of a queue at one price, found over whole columns at a time."""

import numpy as np
from numpy.typing import NDArray

from actors.messages.market import EventKind
from actors.messages.slices import Column, Slice

QueueEvent = tuple[int, bool, int]
"""``(row, whether it is a trade, lots)``: what was traded, or is displayed now."""


class QueueRows:
    """What one instrument's rows of a slice say of sizes at its prices."""

    def __init__(self, rows: Slice, index: int) -> None:
        is_mine = rows.instrument == index
        trades = np.flatnonzero(is_mine & (rows.kind == EventKind.TRADE))
        self._trades = trades, rows.a[trades], rows.b[trades], rows.c[trades]
        books = np.flatnonzero(is_mine & (rows.kind == EventKind.BOOK))
        self._snapshots = books[rows.c[books] != 0]
        self._level_rows, self._levels = _levels_of(rows, books)
        quotes = np.flatnonzero(is_mine & (rows.kind == EventKind.QUOTE))
        self._quotes = quotes
        self._bids = rows.a[quotes], rows.c[quotes]
        self._asks = rows.b[quotes], rows.d[quotes]

    def events(
        self, sign: int, ticks: int, span: tuple[int, int], *, has_book: bool
    ) -> list[QueueEvent]:
        """Return what is told of the queue at a price, in the order of the rows.

        Args:
            sign: +1 for the queue of those who buy.
            ticks: The price.
            span: The rows: from, to.
            has_book: Whether changes of the book tell what is displayed; else quotes do.
        """
        found = self._trades_at(sign, ticks, span)
        shown = (self._shown_at if has_book else self._quoted_at)(sign, ticks, span)
        if not shown:
            return found
        if not found:
            return shown
        return sorted(found + shown, key=_row)

    def _trades_at(self, sign: int, ticks: int, span: tuple[int, int]) -> list[QueueEvent]:
        """Return the trades of those who hit this side at the price, or went through it."""
        all_rows, prices, lots, aggressors = self._trades
        first, last = np.searchsorted(all_rows, span)
        if first == last:
            return []
        part = slice(first, last)
        is_against = aggressors[part] * sign <= 0
        hits = ((prices[part] - ticks) * sign <= 0) & is_against & (lots[part] > 0)
        rows, sizes = all_rows[part][hits].tolist(), lots[part][hits].tolist()
        return [(row, True, size) for row, size in zip(rows, sizes, strict=True)]

    def _shown_at(self, sign: int, ticks: int, span: tuple[int, int]) -> list[QueueEvent]:
        first, last = np.searchsorted(self._level_rows, span)
        levels = self._levels[first:last]
        is_ours = (levels[:, 0] == sign) & (levels[:, 1] == ticks)
        rows = self._level_rows[first:last][is_ours].tolist()
        sizes = levels[:, 2][is_ours].tolist()
        told = dict(zip(rows, sizes, strict=True))  # of several in one row, the last one counts
        begin, end = np.searchsorted(self._snapshots, span)
        for row in self._snapshots[begin:end].tolist():
            told.setdefault(row, 0)
        return sorted((row, False, size) for row, size in told.items())

    def _quoted_at(self, sign: int, ticks: int, span: tuple[int, int]) -> list[QueueEvent]:
        """Return the sizes of quotes at the price; nothing is left where they are behind it."""
        first, last = np.searchsorted(self._quotes, span)
        prices, sizes = self._bids if sign > 0 else self._asks
        part = slice(first, last)
        behind = (prices[part] - ticks) * sign
        lots = np.where(behind < 0, 0, sizes[part])
        told = (behind <= 0) & (lots >= 0)
        return [
            (row, False, size)
            for row, size in zip(
                self._quotes[part][told].tolist(), lots[told].tolist(), strict=True
            )
        ]


def _row(event: QueueEvent) -> int:
    return event[0]


def _levels_of(rows: Slice, books: NDArray[np.intp]) -> tuple[Column, Column]:
    """Return the levels of some book rows, one under the other, and the row of each."""
    firsts = rows.a[books]
    counts = rows.b[books] - firsts
    if not len(books):
        return np.empty(0, dtype=np.int64), np.empty((0, 3), dtype=np.int64)
    offsets = np.repeat(firsts - np.concatenate(([0], np.cumsum(counts)[:-1])), counts)
    levels = rows.levels[offsets + np.arange(int(counts.sum()))]
    return np.repeat(books, counts), levels
