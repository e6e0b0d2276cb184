"""The volatility of the last quotes and bars, however rows are cut into slices."""

import math
from itertools import pairwise
from statistics import stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.brokers.models.recent_returns import RecentReturns
from actors.messages.market import EventKind
from actors.messages.slices import Slice, resliced
from tests.rows import Row, built, row_lists, table

QUOTE, BAR = EventKind.QUOTE, EventKind.BAR


def quote(index: int, bid: int, ask: int, bid_lots: int = 5, ask_lots: int = 5) -> Row:
    return Row(QUOTE, 0, index, (bid, ask, bid_lots, ask_lots))


def expected(rows: list[Row], index: int, window: int) -> float | None:
    """Return the volatility as the definition has it, one row after the other."""
    prices: list[float] = []
    for row in rows:
        if row.instrument == index and row.kind is BAR:
            prices.append(2 * row.values[3])
        elif row.instrument == index and row.kind is QUOTE and row.values[2] and row.values[3]:
            prices.append(row.values[0] + row.values[1])
    returns = [math.log(b / a) for a, b in pairwise(prices[-window - 1 :])]
    return stdev(returns) if len(returns) >= 2 else None


def test_below_two_returns_nothing_is_known() -> None:
    rows = [quote(0, 99, 101), quote(0, 100, 102)]
    recent = RecentReturns(20)
    assert recent.volatility(0, None, 0) is None
    assert recent.volatility(0, built(rows, table()), 2) is None


def test_the_volatility_is_the_deviation_of_the_log_returns() -> None:
    rows = built([quote(0, 99, 101), quote(0, 109, 111), quote(0, 98, 100)], table())
    up, down = math.log(110 / 100), math.log(99 / 110)
    found = RecentReturns(20).volatility(0, rows, 3)
    assert found == pytest.approx(stdev([up, down]))


def test_only_the_window_counts() -> None:
    calm = [quote(0, 99, 101)] * 5
    rows = built([quote(0, 1, 3), *calm], table())
    recent = RecentReturns(2)
    assert recent.volatility(0, rows, 6) == 0
    assert (recent.volatility(0, rows, 3) or 0) > 1


def test_a_quote_with_an_empty_side_has_no_price() -> None:
    empty = [quote(0, 50, 70, ask_lots=0), quote(0, 0, 70, bid_lots=0)] * 9
    rows = built([quote(0, 99, 101), quote(0, 109, 111), quote(0, 98, 100), *empty], table())
    recent = RecentReturns(2)
    assert recent.volatility(0, rows, len(rows)) == recent.volatility(0, rows, 3) != 0


@given(
    rows=row_lists(max_size=40),
    sizes=st.lists(st.integers(1, 9), min_size=50, max_size=50),
    window=st.integers(2, 6),
    stops=st.lists(st.integers(0, 9), min_size=50, max_size=50),
)
def test_the_volatility_does_not_depend_on_how_rows_are_cut(
    rows: list[Row], sizes: list[int], window: int, stops: list[int]
) -> None:
    whole = built(rows, table())
    recent = RecentReturns(window)
    passed = 0
    slices: list[Slice] = list(resliced([whole], iter(sizes))) if rows else []
    for part, stop in zip(slices, stops, strict=False):
        stop = min(stop, len(part))
        for index in range(3):
            found = recent.volatility(index, part, stop)
            assert found == RecentReturns(window).volatility(index, whole, passed + stop)
            reference = expected(rows[: passed + stop], index, window)
            assert found == (None if reference is None else pytest.approx(reference, abs=1e-12))
        recent.leave(part, len(part), range(3))
        passed += len(part)
