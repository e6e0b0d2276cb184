"""Trades, or quotes, into bars of a fixed interval."""

from typing import NamedTuple


class FinishedBar(NamedTuple):
    """Open, high, low and close in ticks, volume in lots, of the trades before ``time_ns``.

    ``time_ns`` is the end of the interval, a multiple of it since 1970; a trade at that very
    instant belongs to the next bar.
    """

    time_ns: int
    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    volume_lots: int


class BarBuilder:
    """Builds the bars of one instrument; an interval without trades gives none."""

    __slots__ = (
        "_close",
        "_end_ns",
        "_high",
        "_interval_ns",
        "_low",
        "_open",
        "_reached_ns",
        "_volume",
    )

    def __init__(self, interval_ns: int) -> None:
        if interval_ns <= 0:
            raise ValueError(f"interval of bars: expected above 0 ns, found {interval_ns}")
        self._interval_ns = interval_ns
        self._end_ns = 0
        self._reached_ns = 0
        self._open = self._high = self._low = self._close = self._volume = 0

    def add(self, time_ns: int, price_ticks: int, lots: int) -> FinishedBar | None:
        """Take a trade; return the bar before it, if the trade has passed that bar's end.

        Raises:
            ValueError: If the time is before that of an earlier call.
        """
        finished = self.advance(time_ns)
        if self._end_ns == 0:
            self._end_ns = time_ns - time_ns % self._interval_ns + self._interval_ns
            self._open = self._high = self._low = price_ticks
            self._volume = 0
        elif price_ticks > self._high:
            self._high = price_ticks
        elif price_ticks < self._low:
            self._low = price_ticks
        self._close = price_ticks
        self._volume += lots
        return finished

    def advance(self, now_ns: int) -> FinishedBar | None:
        """Return the bar under way, if the time has come to its end.

        Raises:
            ValueError: If the time is before that of an earlier call.
        """
        if now_ns < self._reached_ns:
            raise ValueError(f"bars need time order: {now_ns} came after {self._reached_ns}")
        self._reached_ns = now_ns
        end_ns = self._end_ns
        if end_ns == 0 or now_ns < end_ns:
            return None
        self._end_ns = 0
        return FinishedBar(end_ns, self._open, self._high, self._low, self._close, self._volume)


class MidBarBuilder:
    """Builds bars of the mid price of one instrument's quotes.

    Prices are **half ticks** (bid plus ask), so that every mid is a whole number; volumes count
    quotes. A bar that ends at ``time_ns`` has the quotes after the end of the bar before it, up to
    and with those at its own end.

    Args:
        interval_ns: Length of a bar; bars end at multiples of it since 1970.
        fill_gaps: Whether an interval without quotes gives a bar too, all of whose prices are the
            close before it.

    Raises:
        ValueError: If the interval is not above 0.
    """

    __slots__ = ("_bar", "_end_ns", "_fill_gaps", "_interval_ns", "_reached_ns")

    def __init__(self, interval_ns: int, *, fill_gaps: bool = True) -> None:
        if interval_ns <= 0:
            raise ValueError(f"interval of bars: expected above 0 ns, found {interval_ns}")
        self._interval_ns = interval_ns
        self._fill_gaps = fill_gaps
        self._end_ns = 0
        self._reached_ns = 0
        self._bar = (0, 0, 0, 0, 0)

    def add(self, time_ns: int, bid_ticks: int, ask_ticks: int) -> list[FinishedBar]:
        """Take a quote with two sides; return the bars that ended before it.

        Raises:
            ValueError: If the time is before that of an earlier call.
        """
        finished = self.advance(time_ns - 1) if time_ns > self._reached_ns else []
        self._reach(time_ns)
        price = bid_ticks + ask_ticks
        first, high, low, _, count = self._bar
        if self._end_ns == 0:
            self._end_ns = -(-time_ns // self._interval_ns) * self._interval_ns
        if count:
            self._bar = (first, max(high, price), min(low, price), price, count + 1)
        else:
            self._bar = (price, price, price, price, 1)
        return finished

    def advance(self, now_ns: int) -> list[FinishedBar]:
        """Return the bars that have ended: every quote up to and with ``now_ns`` is known.

        Raises:
            ValueError: If the time is before that of an earlier call.
        """
        self._reach(now_ns)
        finished: list[FinishedBar] = []
        while 0 < self._end_ns <= now_ns:
            close, count = self._bar[3:]
            if count or self._fill_gaps:
                finished.append(FinishedBar(self._end_ns, *self._bar))
                self._end_ns += self._interval_ns
            else:
                self._end_ns = 0
            self._bar = (close, close, close, close, 0)
        return finished

    def _reach(self, now_ns: int) -> None:
        if now_ns < self._reached_ns:
            raise ValueError(f"bars need time order: {now_ns} came after {self._reached_ns}")
        self._reached_ns = now_ns
