"""Indicators that take one value at a time; each update is O(1).

Floats, since they are to compare with, not to pay with.
"""

from math import fsum, nan


class RollingSum:
    """The sum of the last ``length`` values, of all while there are fewer.

    Rounding errors do not pile up: every ``length`` values the sum is formed anew, rounded once,
    from the values that are in it. So the error is that of at most ``length`` additions, however
    long it runs. A nan among the values makes the sum nan until it is formed anew without it.
    """

    __slots__ = ("_at", "_values", "is_full", "length", "value")

    def __init__(self, length: int) -> None:
        self.length = _positive(length)
        self.value = 0.0
        self.is_full = False
        """Whether ``length`` values have been seen."""
        self._values = [0.0] * length
        self._at = 0

    def update(self, value: float) -> float:
        """Take the next value and return the sum."""
        at = self._at
        values = self._values
        total = self.value + (value - values[at])
        values[at] = value
        at += 1
        if at == self.length:
            at = 0
            self.is_full = True
            total = fsum(values)
        self._at = at
        self.value = total
        return total


class Sma:
    """Simple moving average: the mean of the last ``length`` values, nan while there are fewer.

    It does not drift: see :class:`RollingSum`.
    """

    __slots__ = ("_sum", "length", "value")

    def __init__(self, length: int) -> None:
        self.length = length
        self.value = nan
        self._sum = RollingSum(length)

    @property
    def is_ready(self) -> bool:
        """Return whether ``length`` values have been seen."""
        return self._sum.is_full

    def update(self, value: float) -> float:
        """Take the next value and return the average."""
        rolling = self._sum
        total = rolling.update(value)
        if rolling.is_full:
            self.value = total / self.length
        return self.value


class Ema:
    """Exponential moving average with weight ``2 / (length + 1)``; the first value seeds it.

    ``value`` is nan before the first value. Source of the weight: the usual one, which gives the
    values the same mean age as in a simple average of ``length``.
    """

    __slots__ = ("_weight", "count", "length", "value")

    def __init__(self, length: int) -> None:
        self.length = _positive(length)
        self.value = nan
        self.count = 0
        """How many values have been seen."""
        self._weight = 2.0 / (length + 1)

    @property
    def is_ready(self) -> bool:
        """Return whether ``length`` values have been seen."""
        return self.count >= self.length

    def update(self, value: float) -> float:
        """Take the next value and return the average."""
        if self.count:
            self.value += self._weight * (value - self.value)
        else:
            self.value = value
        self.count += 1
        return self.value


def spread_bps(bid: float, ask: float) -> float:
    """Return the spread as basis points of the mid; below 0 if the book is crossed.

    Args:
        bid: Best bid, in any unit of price (ticks will do); not negative.
        ask: Best ask, in the same unit; above 0.
    """
    return (ask - bid) * 20_000.0 / (ask + bid)


def imbalance(bid_size: float, ask_size: float) -> float:
    """Return how one-sided two sizes are: 1 is all bid, -1 all ask, nan if both are 0.

    Source: Cartea, Jaimungal and Penalva (2015), "Algorithmic and High-Frequency Trading", 12.2.
    """
    total = bid_size + ask_size
    return (bid_size - ask_size) / total if total else nan


def _positive(length: int) -> int:
    if length < 1:
        raise ValueError(f"length of an indicator: expected 1 or more, found {length}")
    return length
