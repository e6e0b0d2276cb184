"""The equity curve: a bounded number of samples on a grid of time that grows coarser."""

from decimal import Decimal

from actors.messages.account import EquityMarked
from actors.model.money import ONE, ZERO
from actors.portfolio.books.exact import share, subtract

MAX_SAMPLES = 2048


class EquityCurve:
    """Samples of the account's value, the peak and the drawdown.

    Samples are due at the multiples of ``interval_ns``. When ``most`` are reached, the
    interval doubles and of each two neighbours the earlier stays. So a run of any length is
    bounded, and its samples are evenly spaced, all but the first and the newest. Peak and drawdown
    count every sample ever taken.

    A curve that ``keeps_changes`` takes samples at any time, the last of each moment, and begins to
    thin them out when there are too many; those of the grid stay due at the multiples of the
    interval as long as it is the wider of the two.
    """

    def __init__(
        self,
        interval_ns: int,
        cash: Decimal,
        *,
        keeps_changes: bool = False,
        most: int = MAX_SAMPLES,
    ) -> None:
        if interval_ns <= 0:
            raise ValueError(f"equity interval: expected above 0, found {interval_ns} ns")
        self.interval_ns = 1 if keeps_changes else interval_ns
        self._grid_ns = interval_ns
        self._keeps_changes = keeps_changes
        self._most = most
        self.peak = cash
        """The highest value so far, the initial cash included."""
        self.max_drawdown = ZERO
        """The deepest fall below an earlier peak, in money; not negative."""
        self.max_drawdown_fraction = ZERO
        """The same as a fraction of that peak; the two may be different falls."""
        self._samples: list[EquityMarked] = []

    def add(self, sample: EquityMarked) -> None:
        """Take a sample; the newest always stays."""
        samples = self._samples
        if self._keeps_changes:
            if samples and samples[-1].time_ns == sample.time_ns:
                del samples[-1]
        elif len(samples) > 1 and self._slot(samples[-1]) == self._slot(samples[-2]):
            del samples[-1]  # it stayed only because it was the newest
        while len(self._samples) >= self._most:
            self._thin()
        self._samples.append(sample)
        if sample.equity > self.peak:
            self.peak = sample.equity
            return
        fall = subtract(self.peak, sample.equity)
        self.max_drawdown = max(self.max_drawdown, fall)
        if self.peak > 0:
            fraction = share(fall, ONE, self.peak)
            self.max_drawdown_fraction = max(self.max_drawdown_fraction, fraction)

    def begin_anew(self) -> None:
        """Count peak and drawdown from the newest sample on."""
        if self._samples:
            self.peak = self._samples[-1].equity
            self.max_drawdown = self.max_drawdown_fraction = ZERO

    def _thin(self) -> None:
        self.interval_ns *= 2
        kept: dict[int, EquityMarked] = {}
        for sample in self._samples:
            kept.setdefault(self._slot(sample), sample)
        self._samples = list(kept.values())

    def _slot(self, sample: EquityMarked) -> int:
        return sample.time_ns // self.interval_ns

    def due_ns(self, now_ns: int) -> int:
        """Return when the next sample is due: the first time from now on that has none yet."""
        interval_ns = max(self.interval_ns, self._grid_ns)
        after_ns = now_ns - 1
        if self._samples:
            after_ns = max(after_ns, self._samples[-1].time_ns)
        return (after_ns // interval_ns + 1) * interval_ns

    def samples(self) -> list[EquityMarked]:
        """Return the samples that are kept, oldest first."""
        return list(self._samples)
