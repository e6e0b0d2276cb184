from decimal import Decimal
from itertools import cycle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.messages.market import EventKind, Quote
from actors.messages.records import Origin
from actors.messages.slices import Slice, SliceBuilder, resliced
from actors.model.instrument import Instruments
from actors.strategies.average_cross import AverageCross
from actors.strategies.indicators import Ema, Sma
from tests.actors.strategies.builders import code, play, position, started
from tests.builders import START_NS, instrument, instruments, quote_rows

A, B = instrument("A"), instrument("B")


def cross(table: Instruments, **parameters: Any) -> AverageCross:
    """Return a strategy with averages of 2 and 3 prices that trades 10."""
    given = {"fast": 2, "slow": 3, "quantity": Decimal(10), **parameters}
    return started(AverageCross, table, parameters=AverageCross.Parameters(**given))


def bars(closes: list[int], table: Instruments, index: int = 0) -> Slice:
    """Return bars that close at these prices, in ticks."""
    builder = SliceBuilder(table)
    for number, close in enumerate(closes):
        builder.bar(Origin(START_NS + number), index, (close, close, close, close, 1))
    return builder.build()


def quotes(mids: list[int], table: Instruments, index: int = 0) -> Slice:
    """Return quotes around these mids, in ticks."""
    return quote_rows([(mid - 1, mid + 1) for mid in mids], table=table, index=index)


def targets(core: AverageCross, rows: Slice) -> list[tuple[int, int]]:
    """Return at which rows it acts, and the position it wants."""
    times = rows.times()
    return [(times.index(time_ns), int(m.target)) for time_ns, m in play(core, [rows])]


RISE_AND_FALL = [10, 10, 10, 12, 14, 12, 8, 6, 6, 6, 9, 12]


@pytest.mark.parametrize("average", ["ema", "sma"])
@pytest.mark.parametrize("on", ["quote", "bar"])
def test_it_holds_long_above_and_short_below(average: str, on: str) -> None:
    table = instruments(A)
    rows = (quotes if on == "quote" else bars)(RISE_AND_FALL, table)
    assert targets(cross(table, average=average, on=on), rows) == [(3, 10), (6, -10), (10, 10)]


def trades(prices: list[int], table: Instruments) -> Slice:
    """Return public trades at these prices, in ticks."""
    builder = SliceBuilder(table)
    for number, price in enumerate(prices):
        builder.trade(Origin(START_NS + number), 0, (price, 1, 0))
    return builder.build()


@pytest.mark.parametrize("average", ["ema", "sma"])
def test_public_trades_are_prices_too(average: str) -> None:
    table = instruments(A)
    core = cross(table, average=average, on="trade")
    assert targets(core, trades(RISE_AND_FALL, table)) == [(3, 10), (6, -10), (10, 10)]
    assert targets(core, quotes([1, 1, 1], table)) == []


@pytest.mark.parametrize("average", ["ema", "sma"])
def test_it_may_wait_for_the_first_crossing(average: str) -> None:
    table = instruments(A)
    core = cross(table, average=average, wait_for_cross=True)
    assert targets(core, quotes(RISE_AND_FALL, table)) == [(6, -10), (10, 10)]


def test_a_price_that_crosses_one_average_and_touches_it() -> None:
    """Length 1 is the price itself; a touch of the average is no crossing."""
    table = instruments(A)
    core = cross(table, fast=1, slow=3, average="sma", on="bar", wait_for_cross=True)
    # averages from the third bar on: 10, 11, 11, 10.67, 10
    closes = [8, 10, 12, 11, 10, 11, 9]
    assert targets(core, bars(closes, table)) == [(4, -10), (5, 10), (6, -10)]


def test_without_shorts_it_goes_flat_and_does_not_act_when_it_is_flat() -> None:
    table = instruments(A)
    core = cross(table, allow_short=False)
    assert targets(core, quotes([20, 19, 18, 17], table)) == []
    assert targets(core, quotes([25, 30], table)) == [(0, 10)]
    core.handle(position("A", "10"), 5)
    assert targets(core, quotes([10], table)) == [(0, 0)]


def test_it_says_why() -> None:
    table = instruments(A)
    sent = play(cross(table), [quotes(RISE_AND_FALL, table)])
    assert [signal.reason for _, signal in sent[:2]] == ["fast above slow", "fast below slow"]
    assert {signal.instrument for _, signal in sent} == {"A"}


def test_it_enters_as_soon_as_the_slow_average_is_known() -> None:
    table = instruments(A)
    assert targets(cross(table, fast=1), quotes([10, 11, 12], table)) == [(2, 10)]
    assert targets(cross(table, fast=1, average="sma"), quotes([10, 11, 12], table)) == [(2, 10)]


def test_equal_averages_are_no_cross() -> None:
    table = instruments(A)
    for average in ("ema", "sma"):
        assert targets(cross(table, average=average), quotes([10] * 8, table)) == []


def test_a_quote_with_an_empty_side_is_no_price() -> None:
    table = instruments(A)
    holes = quote_rows([(9, 11, 0, 5), (9, 11, 5, 0)] * 3, table=table)
    for average in ("ema", "sma"):
        core = cross(table, average=average)
        assert targets(core, holes) == []
        assert targets(core, quotes(RISE_AND_FALL[:5], table)) == [(3, 10)]
        assert targets(core, holes) == []
        assert targets(core, quotes(RISE_AND_FALL[5:], table)) == [(1, -10), (5, 10)]


def test_each_instrument_has_its_own_averages() -> None:
    table = instruments(A, B)
    core = cross(table)
    mixed = Slice.joined([quotes(RISE_AND_FALL, table), quotes([10] * 12, table, index=1)])
    assert [m.instrument for _, m in play(core, [mixed])] == ["A"] * 3
    falling = quotes([9, 8, 7, 6], table, index=1)
    assert [m.instrument for _, m in play(core, [falling])] == ["B"]


def test_it_hears_only_what_it_acts_on_and_always_by_the_same_averages() -> None:
    table = instruments(A, B)
    core = started(AverageCross, table, instruments=("A",))
    heard = [kind for kind in EventKind if core.callback(code(kind)) is not None]
    assert heard == [EventKind.QUOTE]
    assert core.callback(code(EventKind.QUOTE, 1)) is None
    assert core.callback(code(EventKind.QUOTE)) == core.callback(code(EventKind.QUOTE))


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(2, 40), max_size=60),
    st.lists(st.integers(1, 7), min_size=1, max_size=4),
    st.sampled_from([(1, 2), (2, 5), (3, 7)]),
)
def test_it_follows_the_averages_of_the_indicators_however_rows_are_cut(
    mids: list[int], sizes: list[int], lengths: tuple[int, int]
) -> None:
    table = instruments(A)
    fast, slow = lengths
    rows = quotes(mids, table)
    seen = [event for event in rows.events() if isinstance(event, Quote)]
    for name, average, prices in (
        ("ema", Ema, [quote.mid for quote in seen]),
        ("sma", Sma, [float(mid) for mid in mids]),
    ):
        core = cross(table, average=name, fast=fast, slow=slow)
        sent = play(core, resliced([rows], cycle(sizes)))
        assert [int(m.target) for _, m in sent] == naive(prices, average(fast), average(slow))


def naive(prices: list[float], fast: Ema | Sma, slow: Ema | Sma) -> list[int]:
    """Return the targets that follow from two averages, one value at a time."""
    wanted: list[int] = []
    for price in prices:
        fast.update(price)
        slow.update(price)
        if slow.is_ready and fast.value != slow.value:
            target = 10 if fast.value > slow.value else -10
            if wanted[-1:] != [target]:
                wanted.append(target)
    return wanted


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"fast": 0}, "fast"),
        ({"fast": 5, "slow": 5}, "slow: expected above fast \\(5\\), found 5"),
        ({"average": "wma"}, "average"),
        ({"on": "tick"}, "on"),
        ({"quantity": Decimal(0)}, "quantity"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(parameters: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        AverageCross.Parameters(**parameters)
