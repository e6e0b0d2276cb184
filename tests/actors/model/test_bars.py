import csv
from decimal import Decimal
from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.model.bars import BarBuilder, FinishedBar, MidBarBuilder
from tests.shared import shared_file

Print = tuple[int, int, int]
"""Time, price in ticks, lots."""


def built(trades: list[Print], interval_ns: int) -> list[FinishedBar]:
    """Return the bars of all trades, the last one closed by the passing of time."""
    builder = BarBuilder(interval_ns)
    bars = [builder.add(*trade) for trade in trades]
    if trades:
        bars.append(builder.advance(trades[-1][0] + interval_ns))
    return [bar for bar in bars if bar is not None]


def grouped(trades: list[Print], interval_ns: int) -> list[FinishedBar]:
    """Return the same, by sorting trades into intervals."""
    bars = []
    for number, group in groupby(trades, key=lambda trade: trade[0] // interval_ns):
        members = list(group)
        prices = [price for _, price, _ in members]
        volume = sum(lots for _, _, lots in members)
        end_ns = (number + 1) * interval_ns
        bars.append(FinishedBar(end_ns, prices[0], max(prices), min(prices), prices[-1], volume))
    return bars


def mtgox_trades() -> list[Print]:
    """Return a day's trades at Mt. Gox: nanoseconds, 1e-5 USD, 1e-8 BTC."""
    with shared_file("data/trades/trades-mtgox-usd-2013-01-01.csv").open() as file:
        return sorted(
            (
                int(row["id"]) * 1000,
                int(Decimal(row["price"]) * 10**5),
                int(Decimal(row["amount"]) * 10**8),
            )
            for row in csv.DictReader(file)
        )


@pytest.mark.parametrize("seconds", [1, 60, 3600, 86_400])
def test_bars_of_real_trades_are_those_of_a_naive_grouping(seconds: int) -> None:
    trades = mtgox_trades()
    interval_ns = seconds * 10**9
    bars = built(trades, interval_ns)
    assert bars == grouped(trades, interval_ns)
    assert sum(bar.volume_lots for bar in bars) == sum(lots for _, _, lots in trades)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9), st.integers(0, 5))),
    st.integers(1, 20),
)
def test_bars_are_those_of_a_naive_grouping(trades: list[Print], interval_ns: int) -> None:
    trades.sort(key=lambda trade: trade[0])
    assert built(trades, interval_ns) == grouped(trades, interval_ns)


def test_a_trade_at_the_end_of_a_bar_belongs_to_the_next() -> None:
    builder = BarBuilder(10)
    assert builder.add(9, 5, 1) is None
    assert builder.add(10, 6, 2) == FinishedBar(10, 5, 5, 5, 5, 1)
    assert builder.advance(20) == FinishedBar(20, 6, 6, 6, 6, 2)


def test_time_alone_finishes_a_bar_once_and_empty_intervals_give_none() -> None:
    builder = BarBuilder(10)
    assert builder.advance(5) is None
    builder.add(7, 5, 1)
    assert builder.advance(9) is None
    assert builder.advance(35) == FinishedBar(10, 5, 5, 5, 5, 1)
    assert builder.advance(99) is None


def test_a_bar_does_not_end_before_the_time_of_its_first_trade() -> None:
    builder = BarBuilder(10)
    builder.advance(12)
    builder.add(13, 7, 1)
    assert builder.advance(20) == FinishedBar(20, 7, 7, 7, 7, 1)


def test_time_that_goes_back_is_refused() -> None:
    builder = BarBuilder(10)
    builder.advance(12)
    with pytest.raises(ValueError, match="11 came after 12"):
        builder.add(11, 5, 1)


def test_an_interval_must_be_positive() -> None:
    with pytest.raises(ValueError, match="expected above 0 ns, found 0"):
        BarBuilder(0)


# --- bars of quotes -------------------------------------------------------------------------------


def mid_bars(builder: MidBarBuilder, quotes: list[tuple[int, int, int]]) -> list[FinishedBar]:
    """Return the bars that some quotes finish."""
    finished: list[FinishedBar] = []
    for time_ns, bid, ask in quotes:
        finished += builder.add(time_ns, bid, ask)
    return finished


def test_a_bar_of_quotes_has_those_up_to_and_with_its_end() -> None:
    builder = MidBarBuilder(10)
    finished = mid_bars(builder, [(1, 10, 12), (4, 12, 15), (7, 8, 9), (10, 9, 11), (11, 1, 2)])
    assert finished == [FinishedBar(10, 22, 27, 17, 20, 4)]
    assert builder.advance(19) == []
    assert builder.advance(20) == [FinishedBar(20, 3, 3, 3, 3, 1)]


def test_an_interval_without_quotes_repeats_the_close() -> None:
    builder = MidBarBuilder(10)
    finished = mid_bars(builder, [(5, 1, 2), (6, 2, 2), (35, 4, 4)])
    assert finished == [
        FinishedBar(10, 3, 4, 3, 4, 2),
        FinishedBar(20, 4, 4, 4, 4, 0),
        FinishedBar(30, 4, 4, 4, 4, 0),
    ]
    assert builder.advance(40) == [FinishedBar(40, 8, 8, 8, 8, 1)]


def test_an_interval_without_quotes_may_be_left_out() -> None:
    builder = MidBarBuilder(10, fill_gaps=False)
    finished = mid_bars(builder, [(5, 1, 2), (35, 4, 4), (36, 5, 5), (45, 1, 1)])
    assert [bar.time_ns for bar in finished] == [10, 40]
    assert finished[1] == FinishedBar(40, 8, 10, 8, 10, 2)
    assert builder.advance(49) == []


def test_quotes_of_one_instant_belong_to_one_bar() -> None:
    builder = MidBarBuilder(10)
    assert mid_bars(builder, [(10, 1, 1), (10, 3, 3)]) == []
    assert builder.advance(10) == [FinishedBar(10, 2, 6, 2, 6, 2)]


def test_bars_of_quotes_need_an_interval_and_time_order() -> None:
    with pytest.raises(ValueError, match="expected above 0 ns, found 0"):
        MidBarBuilder(0)
    builder = MidBarBuilder(10)
    builder.add(5, 1, 1)
    with pytest.raises(ValueError, match="4 came after 5"):
        builder.add(4, 1, 1)
    with pytest.raises(ValueError, match="3 came after 5"):
        builder.advance(3)


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(1, 50), st.integers(0, 9)), min_size=1),
    st.integers(1, 20),
)
def test_every_quote_is_in_the_bar_of_its_interval(
    steps: list[tuple[int, int, int]], interval: int
) -> None:
    builder, now, quotes = MidBarBuilder(interval), 1, []
    for step, bid, spread in steps:
        now += step
        quotes.append((now, bid, bid + spread))
    end = -(-now // interval) * interval
    finished = mid_bars(builder, quotes) + builder.advance(end)
    first = -(-quotes[0][0] // interval) * interval
    assert [bar.time_ns for bar in finished] == list(range(first, end + 1, interval))
    for bar in finished:
        inside = [b + a for t, b, a in quotes if bar.time_ns - interval < t <= bar.time_ns]
        assert bar.volume_lots == len(inside)
        if inside:
            expected = (inside[0], max(inside), min(inside), inside[-1])
            assert bar[1:5] == expected
