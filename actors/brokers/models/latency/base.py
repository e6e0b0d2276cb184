"""What every latency model is, and the one that is always the same."""

from decimal import Decimal
from random import Random  # noqa: TID251 - the type only; the generator is the actor's own
from typing import Protocol

import attrs

from actors.brokers.models.checks import not_negative

_MILLISECOND = 1_000_000


class LatencyModel(Protocol):
    """Delays in nanoseconds, 0 or more.

    Reports of one moment stay together, in their order, since the model gives one delay for a leg
    and a moment.
    """

    def submit_delay(self, now_ns: int, random: Random) -> int:
        """Return how long an order sent now needs to the venue."""
        ...

    def cancel_delay(self, now_ns: int, random: Random) -> int:
        """Return how long a cancel sent now needs to the venue."""
        ...

    def report_delay(self, now_ns: int, random: Random) -> int:
        """Return how long the reports of this moment need from the venue; they stay together."""
        ...


@attrs.frozen(kw_only=True)
class ConstantLatency:
    """The same delays all the time; 0 is within the instant.

    Attributes:
        latency_ms: The way to the venue in milliseconds, of orders and cancels; nothing on the way
            back. For whoever thinks in one number.
        submit_ns: The way of an order to the venue.
        report_ns: The way of a report back.
        cancel_ns: The way of a cancel to the venue.
    """

    latency_ms: Decimal = attrs.field(default=Decimal(0), validator=not_negative)
    submit_ns: int = attrs.field(validator=not_negative)
    report_ns: int = attrs.field(default=0, validator=not_negative)
    cancel_ns: int = attrs.field(validator=not_negative)

    @submit_ns.default
    def _submit_is_latency(self) -> int:
        return int(self.latency_ms * _MILLISECOND)

    @cancel_ns.default
    def _cancel_is_latency(self) -> int:
        return int(self.latency_ms * _MILLISECOND)

    def submit_delay(self, now_ns: int, random: Random) -> int:
        """Return the delay of orders."""
        return self.submit_ns

    def cancel_delay(self, now_ns: int, random: Random) -> int:
        """Return the delay of cancels."""
        return self.cancel_ns

    def report_delay(self, now_ns: int, random: Random) -> int:
        """Return the delay of reports."""
        return self.report_ns
