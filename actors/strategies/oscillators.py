"""Indicators built of averages: RSI, ATR, MACD, Bollinger's bands; each update is O(1).

``value`` (or each line) is nan until there are enough values.
"""

from math import fsum, nan, sqrt

from actors.strategies.indicators import Ema, Wilder


class Rsi:
    """Wilder's relative strength index, from 0 (only losses) to 100 (only gains).

    The first value comes with ``length + 1`` prices. Where nothing has moved at all it is 50.
    Source: Wilder (1978), "New Concepts in Technical Trading Systems".
    """

    __slots__ = ("_before", "_gain", "_loss", "value")

    def __init__(self, length: int = 14) -> None:
        self.value = nan
        self._before = nan
        self._gain = Wilder(length)
        self._loss = Wilder(length)

    @property
    def is_ready(self) -> bool:
        """Return whether there is a value."""
        return self._gain.is_ready

    def update(self, price: float) -> float:
        """Take the next price and return the index."""
        before, self._before = self._before, price
        if before == before:
            gain = self._gain.update(max(price - before, 0.0))
            loss = self._loss.update(max(before - price, 0.0))
            if self._gain.is_ready:
                moved = gain + loss
                self.value = 100.0 * (gain / moved) if moved else 50.0
        return self.value


class Atr:
    """Wilder's average true range, in the unit of the prices.

    The true range needs the close before it, so the first value comes with ``length + 1`` bars.
    Source: Wilder (1978), "New Concepts in Technical Trading Systems".
    """

    __slots__ = ("_before", "_range")

    def __init__(self, length: int = 14) -> None:
        self._before = nan
        self._range = Wilder(length)

    @property
    def value(self) -> float:
        """Return the latest average."""
        return self._range.value

    @property
    def is_ready(self) -> bool:
        """Return whether there is a value."""
        return self._range.is_ready

    def update(self, high: float, low: float, close: float) -> float:
        """Take the next bar and return the average."""
        before, self._before = self._before, close
        if before == before:
            self._range.update(max(high, before) - min(low, before))
        return self._range.value


class Macd:
    """Distance of two exponential averages, and the average of that distance.

    All averages begin with the mean of their first values, so the line comes with ``slow`` prices,
    signal and histogram ``signal - 1`` later.
    Source: Appel (1979), "The Moving Average Convergence Divergence Trading Method".

    Attributes:
        line: Fast average less slow one.
        signal: The average of the line.
        histogram: Line less signal.
    """

    __slots__ = ("_fast", "_signal", "_slow", "histogram", "line", "signal")

    def __init__(self, fast: int = 12, slow: int = 26, signal: int = 9) -> None:
        if fast >= slow:
            raise ValueError(f"slow average of MACD: expected above {fast}, found {slow}")
        self.line = self.signal = self.histogram = nan
        self._fast = Ema(fast, "mean")
        self._slow = Ema(slow, "mean")
        self._signal = Ema(signal, "mean")

    @property
    def is_ready(self) -> bool:
        """Return whether all three lines have a value."""
        return self._signal.is_ready

    def update(self, price: float) -> float:
        """Take the next price and return the line."""
        fast, slow = self._fast.update(price), self._slow.update(price)
        if self._slow.is_ready:
            self.line = fast - slow
            self.signal = self._signal.update(self.line)
            self.histogram = self.line - self.signal
        return self.line


class Bollinger:
    """A simple average, and bands ``width`` standard deviations (of the population) around it.

    Sums are formed around a value near the mean, which is renewed every ``length`` values: so they
    neither drift nor lose their digits.
    Source: Bollinger (2001), "Bollinger on Bollinger Bands".

    Attributes:
        middle: The average of the last ``length`` values.
        deviation: Their standard deviation.
    """

    __slots__ = (
        "_around",
        "_at",
        "_squares",
        "_sum",
        "_values",
        "deviation",
        "is_ready",
        "length",
        "middle",
        "width",
    )

    def __init__(self, length: int = 20, width: float = 2.0) -> None:
        if length < 1:
            raise ValueError(f"length of an indicator: expected 1 or more, found {length}")
        self.length = length
        self.width = width
        self.middle = self.deviation = nan
        self.is_ready = False
        """Whether ``length`` values have been seen."""
        self._values = [0.0] * length
        self._at = 0
        self._around = self._sum = self._squares = 0.0

    @property
    def upper(self) -> float:
        """Return the upper band."""
        return self.middle + self.width * self.deviation

    @property
    def lower(self) -> float:
        """Return the lower band."""
        return self.middle - self.width * self.deviation

    def update(self, value: float) -> float:
        """Take the next value and return the average."""
        values, at = self._values, self._at
        if self.is_ready:
            new, old = value - self._around, values[at] - self._around
            self._sum += new - old
            self._squares += new * new - old * old
        values[at] = value
        self._at = (at + 1) % self.length
        if self._at == 0:
            self._renew()
        if self.is_ready:
            mean = self._sum / self.length
            self.middle = self._around + mean
            self.deviation = sqrt(max(self._squares / self.length - mean * mean, 0.0))
        return self.middle

    def _renew(self) -> None:
        self.is_ready = True
        self._around = around = fsum(self._values) / self.length
        self._sum = fsum(value - around for value in self._values)
        self._squares = fsum((value - around) ** 2 for value in self._values)
