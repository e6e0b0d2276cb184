"""The ``exec.*`` metrics of a run, taken from its journal, in the JSON form that monitors read.

======================= ========== ==========================================================
metric_name             type       is
======================= ========== ==========================================================
exec.latency_ms         gauge      from sending an order to the venue's first answer, the latest
exec.latency_ms         histogram  the same of all orders: count, sum, and how many took at most
                                   so many ms
exec.orders_placed      counter    orders sent to the venue
exec.orders_filled      counter    orders filled whole
exec.orders_cancelled   counter    orders that were cancelled
exec.orders_rejected    counter    orders that the venue rejected or our validation denied
exec.risk_rejections    counter    signals that the risk policies refused
exec.rate_limit_hits    counter    requests that had to wait for the venue's rate limit
======================= ========== ==========================================================

One sample is ``{"timestamp": ms, "metric_type", "metric_name", "value", "labels": {"venue",
"market"}}``. A rate limit is a venue's, not a market's: its market is empty.
"""

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import attrs

from actors.messages.system import TimerFired
from actors.messages.trading import (
    ExecutionReport,
    OrderUpdate,
    PlaceOrder,
    ReportKind,
    SignalRefused,
)
from actors.model.instrument import Instrument
from actors.model.order import OrderStatus
from runtime.kernel.journal import Entry

LATENCY = "exec.latency_ms"
PLACED = "exec.orders_placed"
FILLED = "exec.orders_filled"
CANCELLED = "exec.orders_cancelled"
REJECTED = "exec.orders_rejected"
RISK_REJECTIONS = "exec.risk_rejections"
RATE_LIMIT_HITS = "exec.rate_limit_hits"
COUNTERS = (PLACED, FILLED, CANCELLED, REJECTED, RISK_REJECTIONS, RATE_LIMIT_HITS)

BUCKETS_MS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)
"""Upper ends of the histogram's buckets; the last bucket has none."""

_MS = 1_000_000
_ENDINGS = {
    OrderStatus.FILLED: FILLED,
    OrderStatus.CANCELLED: CANCELLED,
    OrderStatus.REJECTED: REJECTED,
    OrderStatus.DENIED: REJECTED,
}
_PACED = "paced "
"""Begins the name of the timer in which a broker behind a rate limit tells its state."""

Labels = tuple[str, str]
"""Venue and market."""


@attrs.frozen(kw_only=True)
class Sample:
    """One value of one metric; a histogram's is a mapping."""

    timestamp: int
    metric_type: str
    metric_name: str
    value: float | dict[str, Any]
    venue: str
    market: str

    def as_json(self) -> dict[str, Any]:
        """Return it in the form that monitors read."""
        return {
            "timestamp": self.timestamp,
            "metric_type": self.metric_type,
            "metric_name": self.metric_name,
            "value": self.value,
            "labels": {"venue": self.venue, "market": self.market},
        }


@attrs.define
class Latencies:
    """Latencies in ms: the latest, and how many fell into each bucket."""

    latest: float = 0.0
    total: float = 0.0
    counts: list[int] = attrs.field(factory=lambda: [0] * (len(BUCKETS_MS) + 1))

    def add(self, latency_ms: float) -> None:
        """Take the next one."""
        self.latest = latency_ms
        self.total += latency_ms
        self.counts[bisect_left(BUCKETS_MS, latency_ms)] += 1

    def as_json(self) -> dict[str, Any]:
        """Return count, sum and buckets; each bucket counts all that took at most so long."""
        buckets, seen = {}, 0
        for name, count in zip((*map(str, BUCKETS_MS), "+Inf"), self.counts, strict=True):
            seen += count
            buckets[name] = seen
        return {"count": seen, "sum": self.total, "buckets": buckets}


class ExecutionMetrics:
    """Adds up the metrics of a journal, entry by entry; may be asked at any time.

    Args:
        instruments: For the labels: venue, and the market's id (an outcome token) or else ours.
    """

    def __init__(self, instruments: Iterable[Instrument] = ()) -> None:
        self._labels = {each.id: (each.venue, each.market or each.id) for each in instruments}
        self._counts: dict[Labels, Counter[str]] = {}
        self._latencies: dict[Labels, Latencies] = {}
        self._waiting: dict[str, tuple[int, Labels]] = {}

    def take(self, entry: Entry) -> None:
        """Take the next entry; what is to be delivered later counts when it is delivered."""
        if entry.due_ns is not None:
            return
        message = entry.message
        if isinstance(message, ExecutionReport):
            self._report(message, entry.time_ns)
        elif isinstance(message, PlaceOrder):
            labels = self._labels_of(message.order.instrument)
            self._count(labels, PLACED)
            self._waiting[message.order.client_order_id] = entry.time_ns, labels
        elif isinstance(message, OrderUpdate):
            if message.status in _ENDINGS:
                self._count(self._labels_of(message.instrument), _ENDINGS[message.status])
        elif isinstance(message, SignalRefused):
            self._count(self._labels_of(message.instrument), RISK_REJECTIONS)
        elif isinstance(message, TimerFired):
            self._timer(message)

    def samples(self, time_ns: int) -> list[Sample]:
        """Return every metric as it stands, in order of venue and market.

        A market has every counter, also those at 0; without any market, the counters are told once
        with empty labels.
        """
        return list(self._samples(time_ns // _MS))

    def _samples(self, timestamp: int) -> Iterator[Sample]:
        for labels in sorted({*self._counts, *self._latencies} or {("", "")}):
            venue, market = labels
            latencies = self._latencies.get(labels)
            counts = self._counts.get(labels, Counter())
            values: Iterable[tuple[str, str, float | dict[str, Any]]] = (
                ("counter", name, counts[name]) for name in COUNTERS
            )
            if latencies is not None:
                both: tuple[tuple[str, str, float | dict[str, Any]], ...] = (
                    ("gauge", LATENCY, latencies.latest),
                    ("histogram", LATENCY, latencies.as_json()),
                )
                values = chain(both, values)
            for kind, name, value in values:
                yield Sample(
                    timestamp=timestamp,
                    metric_type=kind,
                    metric_name=name,
                    value=value,
                    venue=venue,
                    market=market,
                )

    def _report(self, report: ExecutionReport, time_ns: int) -> None:
        waiting = self._waiting.pop(report.client_order_id, None)
        if waiting is None:
            return
        placed_ns, labels = waiting
        self._latencies.setdefault(labels, Latencies()).add((time_ns - placed_ns) / _MS)
        if report.kind is ReportKind.REJECTED and "rate limit" in report.reason.lower():
            self._count((report.venue, ""), RATE_LIMIT_HITS)

    def _timer(self, timer: TimerFired) -> None:
        """Read how many requests have waited so far, where a broker's timer says so."""
        words = timer.name.split()
        if timer.name.startswith(_PACED) and len(words) > 2 and words[2].isdigit():
            counts = self._counts.setdefault((timer.actor, ""), Counter())
            counts[RATE_LIMIT_HITS] = max(counts[RATE_LIMIT_HITS], int(words[2]))

    def _count(self, labels: Labels, name: str) -> None:
        self._counts.setdefault(labels, Counter())[name] += 1

    def _labels_of(self, instrument: str) -> Labels:
        return self._labels.get(instrument, ("", instrument))  # type: ignore[call-overload,no-any-return]


def write_metrics(path: Path, samples: Iterable[Sample]) -> None:
    """Write samples, one JSON object a line."""
    lines = (json.dumps(each.as_json(), allow_nan=False) for each in samples)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
