"""Indicator values on daily bars of 2006, against those of another project."""

import csv
import gzip
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from math import isnan
from typing import Any

import pytest

from actors.model.bars import MidBarBuilder
from actors.strategies.indicators import Ema, Sma, Wma
from actors.strategies.oscillators import Atr, Bollinger, Macd, Rsi
from tests.shared import conformance, shared_file

CASE = "15-backtrader-indicators"
Bar = tuple[float, float, float]
Reader = Callable[[Any, Bar], Any]


def closes(indicator: Any, bar: Bar) -> None:
    indicator.update(bar[2])


def whole_bars(indicator: Any, bar: Bar) -> None:
    indicator.update(*bar)


def line(name: str) -> Callable[[Any], float]:
    return lambda indicator: getattr(indicator, name)


# name in the case: how it is built, what it is fed, which line is meant
INDICATORS: dict[str, tuple[Callable[[], Any], Reader, Callable[[Any], float]]] = {
    "SMA(30)": (lambda: Sma(30), closes, line("value")),
    "EMA(30), alpha 2/31, seeded with the SMA of the first 30": (
        lambda: Ema(30, "mean"),
        closes,
        line("value"),
    ),
    "RSI(14), Wilder smoothing": (lambda: Rsi(14), closes, line("value")),
    "ATR(14), Wilder smoothing": (lambda: Atr(14), whole_bars, line("value")),
    "WMA(30), linear weights": (lambda: Wma(30), closes, line("value")),
    "Bollinger(20,2, population std) middle": (Bollinger, closes, line("middle")),
    "Bollinger upper": (Bollinger, closes, line("upper")),
    "Bollinger lower": (Bollinger, closes, line("lower")),
    "MACD(12,26) line": (Macd, closes, line("line")),
    "MACD signal(9)": (Macd, closes, line("signal")),
    "MACD histogram": (Macd, closes, line("histogram")),
}


def bars(path: str) -> Iterator[Bar]:
    """Yield high, low and close of each row."""
    with shared_file(path).open() as rows:
        for row in csv.DictReader(rows):
            yield float(row["High"]), float(row["Low"]), float(row["Close"])


@pytest.mark.parametrize("name", INDICATORS)
def test_an_indicator_has_the_same_values_at_all_three_places(name: str) -> None:
    case = conformance(CASE)
    expected = case["expected"][name]
    build, feed, value_of = INDICATORS[name]
    indicator = build()
    values: list[float] = []
    ready: list[bool] = []
    for bar in bars(case["input_files"][0]["path"]):
        feed(indicator, bar)
        values.append(value_of(indicator))
        ready.append(indicator.is_ready)
    last, first_bar = len(values) - 1, expected["first_bar"]
    assert last == 254
    assert ready.index(True) == first_bar - 1
    assert isnan(values[first_bar - 2]) or name == "MACD(12,26) line"
    middle = (-len(values) + first_bar) // 2
    assert middle == expected["middle_offset"]
    found = [values[last], values[first_bar - 1], values[last + middle]]
    wanted = [expected[f"at_{place}"] for place in ("last_bar", "first_bar", "middle_offset")]
    assert found == pytest.approx(wanted, abs=5e-7)


def test_every_indicator_of_the_case_is_tested() -> None:
    assert set(INDICATORS) == set(conformance(CASE)["expected"])


def test_quotes_become_as_many_bars_as_the_other_project_builds() -> None:
    case = conformance("17-nautilus-ema-gbpusd")
    builder = MidBarBuilder(300 * 10**9)
    built, ticks, now_ns = [], 0, 0
    for time_ns, bid, ask in _ticks(*(each["path"] for each in case["input_files"])):
        built += builder.add(time_ns, bid, ask)
        ticks, now_ns = ticks + 1, time_ns
    built += builder.advance(now_ns)
    assert ticks == case["expected"]["ticks"]
    assert len(built) == case["expected"]["bars"]
    assert all(bar.time_ns % (300 * 10**9) == 0 for bar in built)


def _ticks(bids: str, asks: str) -> Iterator[tuple[int, int, int]]:
    """Yield time, bid and ask (in units of 0.00001) as the case says; all four of a minute."""
    for bid, ask in zip(_minutes(bids), _minutes(asks), strict=True):
        assert bid[0] == ask[0]
        for number, delay_ms in enumerate((300, 200, 100, 0), 1):
            yield bid[0] - delay_ms * 1_000_000, bid[number], ask[number]


def _minutes(path: str) -> Iterator[list[int]]:
    with gzip.open(shared_file(path), "rt") as rows:
        for row in csv.reader(rows):
            if row[0][:1].isdigit():
                moment = datetime.fromisoformat(row[0]).replace(tzinfo=UTC)
                prices = [round(float(each) * 100_000) for each in row[1:5]]
                yield [int(moment.timestamp()) * 10**9, *prices]
