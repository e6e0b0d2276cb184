"""What limits on losses are measured from: the value when the day began, and the highest ever."""

from decimal import Decimal

from actors.messages.account import EquityMarked

DAY_NS = 86_400_000_000_000


class Landmarks:
    """Values of the account that losses are counted from, taken from its samples in time order.

    A day (UTC) begins with the sample of its first nanosecond or, where there is none, with the
    last one before it.
    """

    def __init__(self, initial: Decimal | None) -> None:
        self.latest = initial
        """The latest value; None until something is known."""
        self.latest_ns = 0
        """When that was."""
        self._peak = initial
        self._day_start = initial
        self._day = -1

    def add(self, sample: EquityMarked) -> None:
        """Take a sample."""
        value = sample.equity
        day, into_day_ns = divmod(sample.time_ns, DAY_NS)
        if day != self._day:
            self._day = day
            before = self.latest
            self._day_start = value if before is None or not into_day_ns else before
        self.latest = value
        self.latest_ns = sample.time_ns
        if self._peak is None or value > self._peak:
            self._peak = value

    def begin_anew(self) -> None:
        """Count losses from the latest sample on: those before it are accepted."""
        self._peak = self._day_start = self.latest

    def day_start(self, now_ns: int) -> Decimal | None:
        """Return the value when the day of ``now_ns`` began; None if nothing is known yet."""
        return self._day_start if now_ns // DAY_NS == self._day else self.latest

    @property
    def peak(self) -> Decimal | None:
        """Return the highest value; None if nothing is known yet."""
        return self._peak
