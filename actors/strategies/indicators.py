"""Indicators that take one value at a time; each update is O(1).

Floats, since they are to compare with, not to pay with.
"""

from math import fsum, nan
from typing import Literal


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


class Wma:
    """Linearly weighted moving average: weights ``length`` for the newest value down to 1.

    nan while there are fewer than ``length`` values. It does not drift: every ``length`` values the
    weighted sum is formed anew.
    """

    __slots__ = ("_at", "_divisor", "_total", "_values", "_weighted", "is_ready", "length", "value")

    def __init__(self, length: int) -> None:
        self.length = _positive(length)
        self.value = nan
        self.is_ready = False
        """Whether ``length`` values have been seen."""
        self._values = [0.0] * length
        self._at = 0
        self._total = self._weighted = 0.0
        self._divisor = length * (length + 1) / 2

    def update(self, value: float) -> float:
        """Take the next value and return the average."""
        values, at = self._values, self._at
        self._weighted += self.length * value - self._total
        self._total += value - values[at]
        values[at] = value
        at += 1
        if at == self.length:
            at = 0
            self.is_ready = True
            self._total = fsum(values)
            self._weighted = fsum(weight * each for weight, each in enumerate(values, 1))
        self._at = at
        if self.is_ready:
            self.value = self._weighted / self._divisor
        return self.value


class Smoothed:
    """A value that moves towards each next one by a fixed part of the distance.

    The mean of the first ``seed`` values is where it begins; before, ``value`` is nan.
    """

    __slots__ = ("_seed", "_weight", "count", "length", "value")

    def __init__(self, length: int, weight: float, seed: int) -> None:
        self.length = _positive(length)
        self.value = nan
        self.count = 0
        """How many values have been seen."""
        self._weight = weight
        self._seed = RollingSum(seed)

    @property
    def is_ready(self) -> bool:
        """Return whether ``length`` values have been seen."""
        return self.count >= self.length

    def update(self, value: float) -> float:
        """Take the next value and return the average."""
        self.count += 1
        if self.value == self.value:
            self.value += self._weight * (value - self.value)
        else:
            self._begin(value)
        return self.value

    def _begin(self, value: float) -> None:
        seed = self._seed
        total = seed.update(value)
        if seed.is_full:
            self.value = total / seed.length


class Ema(Smoothed):
    """Exponential moving average with weight ``2 / (length + 1)``.

    Source of the weight: the usual one, which gives the values the same mean age as in a simple
    average of ``length``.

    Args:
        length: Above 0.
        seed: ``first``: it begins with the first value. ``mean``: with the mean of the first
            ``length`` ones; ``value`` is nan before.
    """

    __slots__ = ()

    def __init__(self, length: int, seed: Literal["first", "mean"] = "first") -> None:
        super().__init__(length, 2.0 / (_positive(length) + 1), 1 if seed == "first" else length)


class Wilder(Smoothed):
    """Wilder's moving average: weight ``1 / length``, begun with the mean of the first ``length``.

    Source: Wilder (1978), "New Concepts in Technical Trading Systems".
    """

    __slots__ = ()

    def __init__(self, length: int) -> None:
        super().__init__(length, 1.0 / _positive(length), length)


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
