"""Whether any price of a slice comes near the open orders at all: known without looking."""

import numpy as np

from actors.messages.market import KIND_BITS, KIND_MASK, EventKind
from actors.messages.slices import Column, Slice

_LONG = 256
"""From how many rows on it pays to know the extremes of a slice."""
_PRICES = (EventKind.QUOTE, EventKind.BAR)


class Extremes:
    """The lowest and highest prices of one instrument's quotes or bars, from each row on.

    Orders that none of them reaches need not be looked for row by row: a maker's orders far from
    the market cost next to nothing. Slices of several instruments, and short ones, are not judged.
    """

    def __init__(self) -> None:
        self._rows: Slice | None = None
        self._index: int | None = None
        self._lowest: Column
        self._highest: Column

    def are_out_of_reach(self, rows: Slice, row: int, buy: Column, sell: Column) -> bool:
        """Return whether it is plain that no order reacts to any row of a slice from ``row`` on.

        Args:
            rows: The slice.
            row: From where on.
            buy: By instrument index, orders to buy react to asks and lows at or below it.
            sell: Orders to sell react to bids and highs at or above it.
        """
        if rows is not self._rows:
            self._rows = rows
            self._index = self._read(rows)
        index = self._index
        if index is None or index >= len(buy):
            return False
        lowest, highest = self._lowest.item(row), self._highest.item(row)
        return bool(lowest > buy.item(index) and highest < sell.item(index))

    def _read(self, rows: Slice) -> int | None:
        """Find a slice's extremes; return its instrument's index, None if it is not judged."""
        code = rows.uniform_code
        if code is None or code < 0 or len(rows) < _LONG or code & KIND_MASK not in _PRICES:
            return None
        is_bar = code & KIND_MASK == EventKind.BAR
        low, high = (rows.c, rows.b) if is_bar else (rows.b, rows.a)
        self._lowest = np.minimum.accumulate(low[::-1])[::-1]
        self._highest = np.maximum.accumulate(high[::-1])[::-1]
        return code >> KIND_BITS
