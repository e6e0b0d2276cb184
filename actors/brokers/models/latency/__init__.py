"""How long orders, cancels and reports are on their way to and from a simulated venue.

========= =====================================================================
name      delays
========= =====================================================================
constant  the same all the time
lognormal log-normally distributed, each leg by itself
recorded  as they were measured, at random or in sequence
bursts    log-normal, with times in which everything is slow, or stands still
========= =====================================================================
"""

from actors.brokers.models.latency.base import ConstantLatency as ConstantLatency
from actors.brokers.models.latency.base import LatencyModel as LatencyModel
from actors.brokers.models.latency.random_delays import BurstLatency as BurstLatency
from actors.brokers.models.latency.random_delays import LogNormalLatency as LogNormalLatency
from actors.brokers.models.latency.random_delays import LogNormalLeg as LogNormalLeg
from actors.brokers.models.latency.random_delays import RecordedLatency as RecordedLatency

LATENCIES: dict[str, type[LatencyModel]] = {
    "constant": ConstantLatency,
    "lognormal": LogNormalLatency,
    "recorded": RecordedLatency,
    "bursts": BurstLatency,
}
"""Latency models by their names in configurations."""
