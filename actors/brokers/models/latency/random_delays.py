"""Latency models of chance.

Each delay is drawn for its leg and its moment from the run's seed
(:mod:`actors.brokers.models.chance`), not from the generator that is passed: so it
is the same after the venue's restart.
"""

from math import exp
from pathlib import Path
from random import Random  # noqa: TID251 - the type only
from typing import Literal

import attrs

from actors.brokers.models.chance import Seeded, normal, uniform
from actors.brokers.models.checks import above_zero, not_negative
from actors.brokers.models.latency.recordings import read_delays
from actors.brokers.models.windows import RandomWindows

_SUBMIT, _CANCEL, _REPORT = "submit", "cancel", "report"
_SECOND = 1_000_000_000
Delays = tuple[int, ...]


@attrs.frozen(kw_only=True)
class LogNormalLeg:
    """One way: half of the delays are longer than the median.

    Attributes:
        median_ns: The median.
        sigma: Standard deviation of the delay's logarithm; at 0.5, one delay of six is longer than
            1.65 medians.
        minimum_ns: No delay is shorter.
    """

    median_ns: int = attrs.field(validator=not_negative)
    sigma: float = attrs.field(default=0.5, validator=not_negative)
    minimum_ns: int = attrs.field(default=0, validator=not_negative)

    def delay(self, draw: float) -> int:
        """Return the delay that belongs to a uniform draw."""
        return max(int(self.median_ns * exp(self.sigma * normal(draw))), self.minimum_ns)


@attrs.frozen(kw_only=True)
class LogNormalLatency(Seeded):
    """Log-normally distributed delays, each leg by itself; one that is not named takes no time."""

    submit: LogNormalLeg | None = None
    cancel: LogNormalLeg | None = None
    report: LogNormalLeg | None = None

    def submit_delay(self, now_ns: int, random: Random) -> int:
        """Return the delay of an order sent now."""
        return self._delay(self.submit, _SUBMIT, now_ns)

    def cancel_delay(self, now_ns: int, random: Random) -> int:
        """Return the delay of a cancel sent now."""
        return self._delay(self.cancel, _CANCEL, now_ns)

    def report_delay(self, now_ns: int, random: Random) -> int:
        """Return the delay of the reports of this moment."""
        return self._delay(self.report, _REPORT, now_ns)

    def _delay(self, leg: LogNormalLeg | None, name: str, now_ns: int) -> int:
        if leg is None:
            return 0
        return leg.delay(uniform(self.seed, name, now_ns))


@attrs.frozen(kw_only=True)
class BurstLatency(LogNormalLatency):
    """Log-normal delays, and times in which everything is slow together.

    Such a burst begins on average ``every_ns`` after the last one has ended, and lasts
    ``lasts_ns`` on average; both vary exponentially (a two-state Markov chain). What is sent within
    it takes ``factor`` times as long; if it ``stalls``, it is held until the burst is over, and
    takes its usual time from there.
    """

    every_ns: int = attrs.field(default=60 * _SECOND, validator=above_zero)
    lasts_ns: int = attrs.field(default=_SECOND, validator=above_zero)
    factor: float = attrs.field(default=10.0, validator=not_negative)
    stalls: bool = False
    _windows: RandomWindows = attrs.field(init=False, repr=False, eq=False)

    @_windows.default
    def _windows_of_seed(self) -> RandomWindows:
        return RandomWindows(
            seed=self.seed, name="bursts", every_ns=self.every_ns, lasts_ns=self.lasts_ns
        )

    def _delay(self, leg: LogNormalLeg | None, name: str, now_ns: int) -> int:
        usual = 0 if leg is None else leg.delay(uniform(self.seed, name, now_ns))
        window = self._windows.at(now_ns)
        if window is None:
            return usual
        return window[1] - now_ns + usual if self.stalls else int(usual * self.factor)


@attrs.frozen(kw_only=True)
class RecordedLatency(Seeded):
    """Delays that somebody has measured: a list of nanoseconds, or a file, for each leg.

    A leg that is not named takes no time. A file has one delay a line, in nanoseconds, in its last
    column; the first line may be a header.

    Attributes:
        submit: Of orders.
        cancel: Of cancels.
        report: Of reports.
        order: ``random``: each moment draws one. ``sequence``: they hold one after the other, each
            for ``interval_ns``, over and over: slow times stay together as they were measured.
        interval_ns: The time for which a delay holds in a sequence.
    """

    submit: Path | Delays | None = None
    cancel: Path | Delays | None = None
    report: Path | Delays | None = None
    order: Literal["random", "sequence"] = "random"
    interval_ns: int = attrs.field(default=_SECOND, validator=above_zero)
    _legs: dict[str, Delays] = attrs.field(init=False, repr=False, eq=False)

    @_legs.default
    def _legs_as_read(self) -> dict[str, Delays]:
        given = {_SUBMIT: self.submit, _CANCEL: self.cancel, _REPORT: self.report}
        return {
            name: read_delays(name, source) for name, source in given.items() if source is not None
        }

    def submit_delay(self, now_ns: int, random: Random) -> int:
        """Return the delay of an order sent now."""
        return self._delay(_SUBMIT, now_ns)

    def cancel_delay(self, now_ns: int, random: Random) -> int:
        """Return the delay of a cancel sent now."""
        return self._delay(_CANCEL, now_ns)

    def report_delay(self, now_ns: int, random: Random) -> int:
        """Return the delay of the reports of this moment."""
        return self._delay(_REPORT, now_ns)

    def _delay(self, leg: str, now_ns: int) -> int:
        delays = self._legs.get(leg)
        if delays is None:
            return 0
        if self.order == "sequence":
            return delays[now_ns // self.interval_ns % len(delays)]
        return delays[int(uniform(self.seed, leg, now_ns) * len(delays))]
