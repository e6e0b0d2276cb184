"""Latency: constant, drawn, recorded, in bursts; what is drawn depends on the moment only."""

import itertools
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from random import Random  # noqa: TID251 - seeded below
from statistics import median
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.brokers.models.latency import (
    LATENCIES,
    BurstLatency,
    ConstantLatency,
    LatencyModel,
    LogNormalLatency,
    LogNormalLeg,
    RecordedLatency,
)

MS = 1_000_000
LEG = LogNormalLeg(median_ns=20 * MS)


def delays(model: LatencyModel, now_ns: int = 0) -> list[int]:
    """Return the delays of a moment: of an order, a cancel and its reports."""
    random = Random(1)
    before = random.getstate()
    legs: list[Callable[[int, Random], int]] = [
        model.submit_delay,
        model.cancel_delay,
        model.report_delay,
    ]
    found = [leg(now_ns, random) for leg in legs]
    assert random.getstate() == before, "what is drawn does not depend on who drew before"
    return found


def test_latency_is_what_was_configured() -> None:
    assert delays(ConstantLatency(submit_ns=5, report_ns=6, cancel_ns=7)) == [5, 7, 6]


def test_latency_is_nothing_unless_asked_for() -> None:
    assert ConstantLatency() == ConstantLatency(submit_ns=0, report_ns=0, cancel_ns=0)
    for model in (LogNormalLatency(), RecordedLatency(), BurstLatency()):
        assert delays(model) == [0, 0, 0]


def test_one_number_of_milliseconds_is_the_way_there() -> None:
    assert delays(ConstantLatency(latency_ms=Decimal("1.5"))) == [1_500_000, 1_500_000, 0]
    mixed = ConstantLatency(latency_ms=Decimal(50), cancel_ns=7, report_ns=8)
    assert delays(mixed) == [50 * MS, 7, 8]


@pytest.mark.parametrize(
    ("model", "options", "words"),
    [
        (ConstantLatency, {"submit_ns": -1}, "submit_ns: expected 0 or more, found -1"),
        (ConstantLatency, {"report_ns": -1}, "report_ns: expected 0 or more, found -1"),
        (ConstantLatency, {"cancel_ns": -1}, "cancel_ns: expected 0 or more, found -1"),
        (ConstantLatency, {"latency_ms": -1}, "latency_ms: expected 0 or more, found -1"),
        (LogNormalLeg, {"median_ns": -1}, "median_ns: expected 0 or more, found -1"),
        (LogNormalLeg, {"median_ns": 1, "sigma": float("nan")}, "sigma: expected 0 or more"),
        (BurstLatency, {"every_ns": 0}, "every_ns: expected more than 0, found 0"),
        (BurstLatency, {"lasts_ns": 0}, "lasts_ns: expected more than 0, found 0"),
        (BurstLatency, {"factor": float("inf")}, "factor: expected 0 or more, found inf"),
        (RecordedLatency, {"submit": ()}, "submit: expected at least one delay, found none"),
        (RecordedLatency, {"cancel": (1, -2)}, "cancel: expected delays of 0 or more, found -2"),
        (RecordedLatency, {"report": Path("no.csv")}, "report: expected a readable file"),
        (RecordedLatency, {"interval_ns": 0}, "interval_ns: expected more than 0, found 0"),
    ],
)
def test_options_that_make_no_sense_are_told(
    model: type[Any], options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        model(**options)


# --- log-normal -----------------------------------------------------------------------------------


def test_half_of_the_delays_are_longer_than_the_median() -> None:
    model = LogNormalLatency(submit=LEG, seed=3)
    drawn = [delays(model, now_ns)[0] for now_ns in range(2000)]
    assert 19 * MS < median(drawn) < 21 * MS
    longer = sum(delay > 20 * MS * 1.6487 for delay in drawn)  # one sigma: 15.9 %
    assert 270 < longer < 370
    assert min(drawn) > 0


def test_each_leg_has_delays_of_its_own_and_a_least_one() -> None:
    model = LogNormalLatency(
        submit=LEG, cancel=LEG, report=LogNormalLeg(median_ns=1, minimum_ns=9 * MS)
    )
    submit, cancel, report = delays(model)
    assert submit != cancel
    assert report == 9 * MS
    certain = LogNormalLatency(submit=LogNormalLeg(median_ns=7, sigma=0.0))
    assert delays(certain) == [7, 0, 0]


# --- bursts ---------------------------------------------------------------------------------------

STEADY = LogNormalLeg(median_ns=100, sigma=0.0)


def _bursts(*, stalls: bool) -> BurstLatency:
    return BurstLatency(
        submit=STEADY, every_ns=10_000, lasts_ns=2_000, factor=5.0, stalls=stalls, seed=1
    )


def test_in_a_burst_everything_takes_longer() -> None:
    model = _bursts(stalls=False)
    drawn = [delays(model, now_ns)[0] for now_ns in range(0, 1_200_000, 100)]
    assert set(drawn) == {100, 500}
    slow = drawn.count(500) / len(drawn)
    assert 0.1 < slow < 0.24, "a sixth of the time"
    changes = sum(a != b for a, b in itertools.pairwise(drawn))
    assert 100 < changes < 300, "it comes and goes about a hundred times"


def test_what_is_sent_in_a_stall_arrives_after_it() -> None:
    stalls, slows = _bursts(stalls=True), _bursts(stalls=False)
    arrivals = set()
    for now_ns in range(0, 300_000, 50):
        arrival = now_ns + delays(stalls, now_ns)[0]
        if delays(slows, now_ns)[0] == 500:
            arrivals.add(arrival)
            assert delays(slows, arrival - 101)[0] == 500, "the stall's last moment"
        else:
            assert arrival == now_ns + 100
    assert 5 < len(arrivals) < 60, "all that a stall holds comes together"


# --- recorded -------------------------------------------------------------------------------------


def test_recorded_delays_are_drawn_from_the_list() -> None:
    model = RecordedLatency(submit=(3, 5, 7), report=(11,))
    drawn = [delays(model, now_ns) for now_ns in range(300)]
    counts = [sum(each[0] == delay for each in drawn) for delay in (3, 5, 7)]
    assert sum(counts) == 300
    assert min(counts) > 70
    assert all(each[1:] == [0, 11] for each in drawn)


def test_recorded_delays_hold_one_after_the_other() -> None:
    model = RecordedLatency(submit=(3, 5, 7), order="sequence", interval_ns=10)
    assert [delays(model, now_ns)[0] for now_ns in (0, 9, 10, 25, 30, 45)] == [3, 3, 5, 7, 3, 5]


def test_recorded_delays_may_be_in_a_file(tmp_path: Path) -> None:
    table = tmp_path / "delays.csv"
    table.write_text("time,delay\n2026-01-01,120\n\n2026-01-02, 250\n", encoding="utf-8")
    model = RecordedLatency(submit=table, order="sequence", interval_ns=1)
    assert [delays(model, now_ns)[0] for now_ns in range(3)] == [120, 250, 120]
    assert attrs.evolve(model, seed=5).submit_delay(1, Random(0)) == 250


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1\nfast\n", "submit: expected delays in nanoseconds, found 'fast' in line 2"),
        ("1\n1.5\n", "found '1.5' in line 2"),
        ("delay\n-5\n", "submit: expected delays of 0 or more, found -5"),
        ("delay\n", "submit: expected at least one delay, found none"),
        ("", "submit: expected at least one delay, found none"),
    ],
)
def test_a_file_that_holds_something_else_is_told(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "delays.txt"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=words):
        RecordedLatency(submit=file)


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "delays").write_bytes(b"\xff\xfe1")
    with pytest.raises(ValueError, match="submit: expected a readable file"):
        RecordedLatency(submit=tmp_path / "delays")


# --- all of them ----------------------------------------------------------------------------------

_models: st.SearchStrategy[LatencyModel] = st.sampled_from(
    [
        LogNormalLatency(submit=LEG, cancel=LEG, report=LEG, seed=9),
        BurstLatency(submit=LEG, cancel=LEG, report=LEG, stalls=True, seed=9),
        BurstLatency(submit=LEG, report=LEG, every_ns=MS, lasts_ns=MS, seed=9),
        RecordedLatency(submit=(1, 2, 3), report=(4, 5), seed=9),
    ]
)


@given(model=_models, times=st.lists(st.integers(0, 2**62), min_size=1))
def test_delays_depend_on_the_moment_only(model: LatencyModel, times: list[int]) -> None:
    asked = {now_ns: delays(model, now_ns) for now_ns in times}
    assert all(delay >= 0 for found in asked.values() for delay in found)
    again = attrs.evolve(model)  # type: ignore[misc]
    assert {now_ns: delays(again, now_ns) for now_ns in reversed(times)} == asked


def test_another_seed_gives_other_delays() -> None:
    model = LogNormalLatency(submit=LEG)
    assert delays(model) != delays(attrs.evolve(model, seed=1))


def test_models_are_found_by_name() -> None:
    assert list(LATENCIES) == ["constant", "lognormal", "recorded", "bursts"]
