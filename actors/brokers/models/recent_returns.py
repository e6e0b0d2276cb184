"""How much an instrument's price has moved lately: the volatility that slippage models look at."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from actors.messages.market import EventKind
from actors.messages.slices import Slice

Prices = NDArray[np.float64]

_BAR = int(EventKind.BAR)
_FEWEST = 3
_NONE: Prices = np.empty(0, dtype=np.float64)


class RecentReturns:
    """The last prices of each instrument: middles of quotes and closes of bars.

    Only what is left behind with a slice is copied; the slice at hand is read when somebody asks.
    """

    def __init__(self, window: int) -> None:
        """Keep as many prices as ``window`` returns need; 2 or more."""
        self._most = window + 1
        self._kept: dict[int, Prices] = {}

    def leave(self, rows: Slice, stop: int, indices: Iterable[int]) -> None:
        """Keep the last prices of some instruments; the rows before ``stop`` are left behind."""
        for index in indices:
            self._kept[index] = self._last(index, rows, stop)

    def volatility(self, index: int, rows: Slice | None, stop: int) -> float | None:
        """Return the standard deviation of the last log returns, from row to row, as a fraction.

        Args:
            index: The instrument's.
            rows: The slice at hand, if there is one.
            stop: The rows before it have passed.

        Returns:
            The sample's deviation (divided by one less than its size); None below two returns.
        """
        prices = self._kept.get(index, _NONE) if rows is None else self._last(index, rows, stop)
        if len(prices) < _FEWEST:
            return None
        return float(np.std(np.diff(np.log(prices)), ddof=1))

    def _last(self, index: int, rows: Slice, stop: int) -> Prices:
        kept = self._kept.get(index, _NONE)
        shown = rows.price_rows(index, firm=True)
        end = bisect_left(shown, stop)
        count = self._most
        prices = _prices(rows, shown[max(end - count, 0) : end])
        while len(prices) < self._most and count < end:
            count *= 2
            prices = _prices(rows, shown[max(end - count, 0) : end])
        return np.concatenate((kept, prices))[-self._most :]


def _prices(rows: Slice, chosen: Sequence[int]) -> Prices:
    """Return the prices of quotes and bars in half ticks; a quote with an empty side has none."""
    picked = np.asarray(chosen, dtype=np.int64)
    is_bar = rows.kind[picked] == _BAR
    a, b, c, d = rows.a[picked], rows.b[picked], rows.c[picked], rows.d[picked]
    doubled = np.where(is_bar, 2 * d, a + b)
    is_price = (is_bar | ((c != 0) & (d != 0))) & (doubled > 0)
    prices: Prices = doubled[is_price].astype(np.float64)
    return prices
