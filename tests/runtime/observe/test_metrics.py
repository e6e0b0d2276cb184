"""The exec.* metrics, from the entries of a journal."""

import json
from pathlib import Path
from typing import Any

import attrs
import pytest

from actors.messages.system import TimerFired
from actors.messages.trading import PlaceOrder, ReportKind, SignalRefused, Violation
from actors.model.order import OrderStatus
from runtime.observe.metrics import (
    BUCKETS_MS,
    COUNTERS,
    ExecutionMetrics,
    Latencies,
    Sample,
    write_metrics,
)
from tests.builders import START_NS, instrument, order
from tests.runtime.journals import MS, Log, answer, update


def _samples(log: Log) -> list[Sample]:
    metrics = ExecutionMetrics([attrs.evolve(instrument(), market="0x123abc")])
    for entry in log.entries:
        metrics.take(entry)
    return metrics.samples(START_NS + 5 * MS)


def _values(log: Log) -> dict[tuple[str, str], Any]:
    return {(each.metric_name, each.metric_type): each.value for each in _samples(log)}


def test_a_sample_has_the_form_that_monitors_read() -> None:
    log = Log()
    log.add(PlaceOrder(order=order(id="a")))
    log.add(answer("a"), at_ms=45)

    assert _samples(log)[0].as_json() == {
        "timestamp": START_NS // MS + 5,
        "metric_type": "gauge",
        "metric_name": "exec.latency_ms",
        "value": 45.0,
        "labels": {"venue": "venue", "market": "0x123abc"},
    }


def test_every_metric_is_counted() -> None:
    log = Log()
    for number, status in enumerate(
        [
            OrderStatus.FILLED,
            OrderStatus.FILLED,
            OrderStatus.CANCELLED,
            OrderStatus.REJECTED,
            OrderStatus.DENIED,
            OrderStatus.WORKING,
        ]
    ):
        placed = order(id=str(number))
        log.add(PlaceOrder(order=placed))
        log.add(update(placed, status))
    refused = SignalRefused(
        signal_id="s", strategy="a", instrument="BTC", violations=(Violation("P", "1", "2"),)
    )
    log.add(refused)
    values = _values(log)

    assert [values[name, "counter"] for name in COUNTERS] == [6, 2, 1, 2, 1, 0]
    assert ("exec.latency_ms", "gauge") not in values


def test_the_latency_ends_with_the_first_answer_that_was_delivered() -> None:
    log = Log()
    for number, taken_ms in enumerate([10, 30]):
        name = str(number)
        log.add(PlaceOrder(order=order(id=name)))
        log.add(answer(name), at_ms=1, due_ms=taken_ms)
        log.add(answer(name), at_ms=taken_ms)
        log.add(answer(name, ReportKind.TRADE), at_ms=taken_ms + 50)
    values = _values(log)

    assert values["exec.latency_ms", "gauge"] == 30
    spread = values["exec.latency_ms", "histogram"]
    assert (spread["count"], spread["sum"]) == (2, 40)
    assert (spread["buckets"]["5"], spread["buckets"]["10"], spread["buckets"]["50"]) == (0, 1, 2)


def test_a_bucket_counts_all_that_took_at_most_so_long() -> None:
    latencies = Latencies()
    for each in (0.5, 1, 1.5, 99_999):
        latencies.add(each)
    buckets = latencies.as_json()["buckets"]

    assert (buckets["1"], buckets["2"], buckets["10000"], buckets["+Inf"]) == (2, 3, 3, 4)
    assert len(buckets) == len(BUCKETS_MS) + 1


def test_a_paced_broker_tells_how_often_it_waited() -> None:
    log = Log()
    for hits in (1, 3):
        log.add(TimerFired("broker", f"paced 17 {hits} 0 0 5", START_NS), due_ms=7)
        log.add(TimerFired("broker", f"paced 17 {hits} 0 0 5", START_NS))
    log.add(TimerFired("cross", "paced by itself", START_NS))
    log.add(TimerFired("cross", "hourly", START_NS))
    found = [each for each in _samples(log) if each.value]

    assert [(each.metric_name, each.value, each.venue, each.market) for each in found] == [
        ("exec.rate_limit_hits", 3, "broker", "")
    ]


def test_a_venue_that_refuses_for_its_rate_limit_counts_too() -> None:
    log = Log()
    log.add(PlaceOrder(order=order(id="a")))
    log.add(answer("a", ReportKind.REJECTED, "Rate limit exceeded"))
    hits = {each.venue: each.value for each in _samples(log) if "rate" in each.metric_name}

    assert hits == {"simulated": 1, "venue": 0}


def test_an_instrument_that_is_not_known_is_its_own_market() -> None:
    log = Log()
    log.add(update(order(instrument="ETH"), OrderStatus.FILLED))

    assert {(each.venue, each.market) for each in _samples(log)} == {("", "ETH")}


def test_a_run_without_orders_has_counters_at_nothing() -> None:
    samples = _samples(Log())

    assert [each.metric_name for each in samples] == list(COUNTERS)
    assert {each.value for each in samples} == {0}


def test_metrics_are_written_one_a_line(tmp_path: Path) -> None:
    samples = _samples(Log())
    write_metrics(tmp_path / "metrics.jsonl", samples)

    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [each.as_json() for each in samples]


@pytest.mark.parametrize("name", COUNTERS)
def test_the_names_are_those_that_monitors_know(name: str) -> None:
    assert name.removeprefix("exec.") in {
        "orders_placed",
        "orders_filled",
        "orders_cancelled",
        "orders_rejected",
        "risk_rejections",
        "rate_limit_hits",
    }
