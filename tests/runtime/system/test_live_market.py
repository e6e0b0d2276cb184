"""Recorded and made-up data in real time."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import trio

from actors.actor import Source
from actors.errors import ConfigError
from actors.messages.records import Origin
from actors.messages.slices import Slice, SliceBuilder
from actors.model.instrument import Instrument, InstrumentId, Instruments
from runtime.system.live_market import ORIGIN_FILE, LiveMarket

INSTRUMENTS = Instruments()
INSTRUMENTS.add(Instrument(id=InstrumentId("AAA"), venue="v", symbol="A", tick=Decimal("0.1")))


class Recording:
    """Rows at some times, in one slice; what is before ``resume_ns`` is left out."""

    def __init__(self, times: tuple[int, ...]) -> None:
        self._times = times
        self.asked: list[int] = []

    def slices(self, resume_ns: int) -> Iterator[Slice]:
        self.asked.append(resume_ns)
        builder = SliceBuilder(INSTRUMENTS)
        for time_ns in self._times:
            if time_ns >= resume_ns:
                builder.trade(Origin(time_ns, time_ns - 1 if time_ns > 100 else 0), 0, (5, 1, 0))
        yield builder.build()

    def summary(self) -> dict[str, Any]:
        return {"rows": len(self._times)}


def maker(*times: int) -> Any:
    return lambda _incarnation: Recording(times)


def rows_of(source: Source, resume_ns: int = 0) -> list[list[int]]:
    return [list(rows.times()) for rows in source.slices(resume_ns)]


def test_the_first_row_of_all_is_now_and_distances_stay(tmp_path: Path) -> None:
    market = LiveMarket({"one": maker(100, 100, 130), "two": maker(90)}, tmp_path)
    market.begin(5_000)
    one, two = (make(0) for make in market.sources().values())
    assert rows_of(one) == [[5_010, 5_010], [5_040]]
    assert rows_of(two) == [[5_000]]
    assert market.rows_passed == 4
    assert one.summary() == {"rows": 3}
    assert market.summary_of("two") == {"rows": 1}


def test_times_of_the_venue_move_too_where_they_are_known() -> None:
    market = LiveMarket({"one": maker(100, 130)}, None)
    market.begin(1_100)
    rows = list(market.sources()["one"](0).slices(0))
    assert [each.venue_time_ns.tolist() for each in rows] == [[0], [1_129]]


def test_a_second_start_leaves_out_what_has_passed(tmp_path: Path) -> None:
    feeds = {"one": maker(100, 130, 170)}
    LiveMarket(feeds, tmp_path).begin(5_000)
    again = LiveMarket(feeds, tmp_path)
    again.begin(5_040)
    assert rows_of(again.sources()["one"](0)) == [[5_070]]
    assert (tmp_path / ORIGIN_FILE).read_text() == "5000\n"


def test_a_restarted_source_goes_on_where_the_market_is(tmp_path: Path) -> None:
    market = LiveMarket({"one": maker(100, 130, 170)}, tmp_path)
    market.begin(5_000)
    assert rows_of(market.sources()["one"](1), 5_035) == [[5_070]]


async def test_it_has_ended_when_every_feed_has() -> None:
    market = LiveMarket({"one": maker(100), "two": maker(90)}, None)
    market.begin(0)
    one, two = (make(0) for make in market.sources().values())
    rows_of(one)
    with trio.move_on_after(0.01) as scope:
        await market.ended()
    assert scope.cancelled_caught
    rows_of(two)
    with trio.fail_after(1):
        await market.ended()
    assert market.summary_of("three") == {}


def test_feeds_without_rows_begin_nowhere() -> None:
    market = LiveMarket({"one": maker()}, None)
    market.begin(77)
    assert rows_of(market.sources()["one"](0)) == []


def test_a_beginning_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / ORIGIN_FILE).write_text("yesterday")
    with pytest.raises(ConfigError, match="expected a time in nanoseconds, found 'yesterday'"):
        LiveMarket({"one": maker(1)}, tmp_path).begin(0)
