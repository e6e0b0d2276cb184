"""How long orders, cancels and reports are on their way to and from a simulated venue."""

from random import Random  # noqa: TID251 - the type only; the generator is the actor's own
from typing import Protocol

import attrs


class LatencyModel(Protocol):
    """Delays in nanoseconds, 0 or more; a random one draws from the actor's own generator."""

    def submit_delay(self, now_ns: int, random: Random) -> int:
        """Return how long an order sent now needs to the venue."""
        ...

    def cancel_delay(self, now_ns: int, random: Random) -> int:
        """Return how long a cancel sent now needs to the venue."""
        ...

    def report_delay(self, now_ns: int, random: Random) -> int:
        """Return how long the reports of this moment need from the venue; they stay together."""
        ...


def _not_negative(_instance: object, attribute: "attrs.Attribute[int]", value: int) -> None:
    if value < 0:
        raise ValueError(f"{attribute.name}: expected 0 or more, found {value}")


@attrs.frozen(kw_only=True)
class ConstantLatency:
    """The same delays all the time; 0 is within the instant."""

    submit_ns: int = attrs.field(default=0, validator=_not_negative)
    report_ns: int = attrs.field(default=0, validator=_not_negative)
    cancel_ns: int = attrs.field(default=0, validator=_not_negative)

    def submit_delay(self, now_ns: int, random: Random) -> int:
        """Return the delay of orders."""
        return self.submit_ns

    def cancel_delay(self, now_ns: int, random: Random) -> int:
        """Return the delay of cancels."""
        return self.cancel_ns

    def report_delay(self, now_ns: int, random: Random) -> int:
        """Return the delay of reports."""
        return self.report_ns


LATENCIES: dict[str, type[LatencyModel]] = {"constant": ConstantLatency}
"""Latency models by their names in configurations."""
