"""How many requests a venue takes: a token bucket in whole nanoseconds that knows no clock."""

from decimal import ROUND_CEILING, Decimal
from enum import StrEnum
from typing import Any

import attrs

from actors.errors import RateLimitExceeded
from actors.model.money import NANOSECONDS


class Lane(StrEnum):
    """What a request is for; in the order of precedence."""

    CANCEL = "CANCEL"
    REPLACE = "REPLACE"
    NEW = "NEW"


def _rate(value: Any) -> Any:
    """Return a rate as a decimal; a float as it is written."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return Decimal(str(value)) if is_number else value


@attrs.frozen
class RateLimiterConfig:
    """How fast a token bucket fills, and how much it holds. It is full at first.

    Attributes:
        requests_per_second: Tokens that come in a second; above 0.
        burst_size: The most tokens it holds: so many requests may leave at once; 1 or more.
        cancel_reserve: Tokens that new orders leave for cancels; half of them (rounded down) is
            what replacements leave. Below ``burst_size``.
    """

    requests_per_second: Decimal = attrs.field(default=Decimal(10), converter=_rate)
    burst_size: int = attrs.field(default=20)
    cancel_reserve: int = attrs.field(default=0)

    @requests_per_second.validator
    def _is_rate(self, field: "attrs.Attribute[Any]", value: Any) -> None:
        if not (isinstance(value, Decimal) and value.is_finite() and 0 < value <= NANOSECONDS):
            raise ValueError(f"{field.name}: expected above 0 and at most 1e9, found {value}")

    @burst_size.validator
    def _is_burst(self, field: "attrs.Attribute[Any]", value: Any) -> None:
        if type(value) is not int or value < 1:
            raise ValueError(f"{field.name}: expected a whole number of 1 or more, found {value}")

    @cancel_reserve.validator
    def _is_reserve(self, field: "attrs.Attribute[Any]", value: Any) -> None:
        if type(value) is not int or not 0 <= value < self.burst_size:
            rule = f"0 or more and below the burst_size of {self.burst_size}"
            raise ValueError(f"{field.name}: expected {rule}, found {value}")

    @classmethod
    def polymarket_default(cls) -> "RateLimiterConfig":
        """Return 10 requests a second, 20 at once: far below what Polymarket takes today.

        See ``actors.brokers.rate_limits`` for its quotas.
        """
        return cls(Decimal(10), 20)

    @property
    def interval_ns(self) -> int:
        """Return how long a token takes to come, rounded up."""
        exact = NANOSECONDS / self.requests_per_second
        return int(exact.to_integral_value(ROUND_CEILING))

    def build(self, venue: str) -> "RateLimiter":
        """Return a full bucket for a venue."""
        return RateLimiter(venue, self)


class RateLimiter:
    """A token bucket. The caller says what time it is, waits where it must, and sends.

    It holds ``burst_size`` tokens less one for each ``interval_ns`` that ``full_ns`` lies ahead:
    the generic cell rate algorithm, which is a token bucket in one integer.

    Source: ITU-T I.371 (2004), annex A, "virtual scheduling".

    Attributes:
        venue: Whose limit it is.
        full_ns: When the bucket will be full again, if nothing more is taken; its whole state.
    """

    def __init__(self, venue: str, config: RateLimiterConfig) -> None:
        self.venue = venue
        self.full_ns = 0
        self._burst = config.burst_size
        self._interval_ns = config.interval_ns
        reserve = config.cancel_reserve
        self._reserves = {Lane.CANCEL: 0, Lane.REPLACE: reserve // 2, Lane.NEW: reserve}

    def tokens(self, now_ns: int) -> int:
        """Return how many tokens there are."""
        missing_ns = max(self.full_ns - now_ns, 0)
        return self._burst + -missing_ns // self._interval_ns

    def wait_ns(self, now_ns: int, weight: int = 1, lane: Lane | None = None) -> int:
        """Return how long to wait until a request may leave, 0 for not at all; takes nothing.

        Args:
            now_ns: The time.
            weight: How many tokens the request costs.
            lane: What it is for; None to use the last token as well.

        Raises:
            ValueError: If there are never so many tokens.
        """
        reserve = 0 if lane is None else self._reserves[lane]
        if not 1 <= weight <= self._burst - reserve:
            most = self._burst - reserve
            raise ValueError(f"weight: expected 1 to {most}, the burst, found {weight}")
        spare_ns = (self._burst - reserve - weight) * self._interval_ns
        return max(self.full_ns - now_ns - spare_ns, 0)

    def try_check(self, now_ns: int, weight: int = 1, lane: Lane | None = None) -> bool:
        """Take tokens if there are enough; return whether there were. Arguments as above."""
        if self.wait_ns(now_ns, weight, lane):
            return False
        self.full_ns = max(self.full_ns, now_ns) + weight * self._interval_ns
        return True

    def check(self, now_ns: int, weight: int = 1, lane: Lane | None = None) -> int:
        """Take tokens, also those to come; return how long to wait before the request may leave.

        Who asks later waits longer: use :class:`~actors.brokers.paced.Paced` to let cancels
        overtake. Arguments as above.
        """
        wait_ns = self.wait_ns(now_ns, weight, lane)
        self.full_ns = max(self.full_ns, now_ns + wait_ns) + weight * self._interval_ns
        return wait_ns

    def require(self, now_ns: int, weight: int = 1, lane: Lane | None = None) -> None:
        """Take tokens, arguments as above.

        Raises:
            RateLimitExceeded: If there are not enough; none is taken then.
        """
        if not self.try_check(now_ns, weight, lane):
            wait_ns = self.wait_ns(now_ns, weight, lane)
            raise RateLimitExceeded(self.venue, f"{self.venue} takes no more for {wait_ns} ns")
