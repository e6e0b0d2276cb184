from math import isnan
from statistics import fmean, pstdev

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.strategies.oscillators import Atr, Bollinger, Macd, Rsi

prices = st.lists(st.floats(1.0, 1e6), min_size=1, max_size=80)


def test_the_index_compares_gains_with_losses() -> None:
    index = Rsi(2)
    assert [isnan(index.update(price)) for price in (10.0, 13.0)] == [True, True]
    assert index.update(12.0) == 75.0  # mean gain 1.5, mean loss 0.5
    assert index.is_ready
    # gain (1.5 + 2) / 2 = 1.75, loss 0.25
    assert index.update(14.0) == 87.5


@pytest.mark.parametrize(
    ("path", "expected"), [([1.0, 2.0, 3.0], 100.0), ([3.0, 2.0, 1.0], 0.0), ([5.0] * 3, 50.0)]
)
def test_the_index_at_its_ends(path: list[float], expected: float) -> None:
    index = Rsi(2)
    assert [index.update(price) for price in path][-1] == expected


@settings(deadline=None)
@given(prices, st.integers(1, 10))
def test_the_index_stays_between_0_and_100(path: list[float], length: int) -> None:
    index = Rsi(length)
    for price in path:
        value = index.update(price)
        assert isnan(value) or 0.0 <= value <= 100.0


def test_the_true_range_reaches_to_the_close_before() -> None:
    average = Atr(2)
    assert isnan(average.update(12.0, 10.0, 11.0))
    assert isnan(average.update(15.0, 13.0, 14.0))  # from 11 to 15: 4
    assert not average.is_ready
    assert average.update(13.0, 12.0, 12.5) == 3.0  # from 12 to 14: 2
    assert average.is_ready
    assert average.update(13.0, 12.0, 12.5) == 2.0  # 1, half of it and half of 3
    assert average.value == 2.0


def test_the_lines_of_macd() -> None:
    macd = Macd(1, 2, 2)
    assert isnan(macd.update(1.0))
    assert macd.update(3.0) == 1.0  # 3 less 2
    assert isnan(macd.signal)
    line = macd.update(3.0)
    assert line == pytest.approx(3.0 - (2.0 + 2 / 3))
    assert macd.is_ready
    assert macd.signal == pytest.approx((1.0 + line) / 2)
    assert macd.histogram == pytest.approx(line - macd.signal)
    with pytest.raises(ValueError, match="expected above 5, found 5"):
        Macd(5, 5)


@settings(deadline=None)
@given(prices, st.integers(1, 12))
def test_the_bands_are_deviations_of_the_population(path: list[float], length: int) -> None:
    bands = Bollinger(length, 2.0)
    for count, price in enumerate(path, 1):
        bands.update(price)
        assert bands.is_ready == (count >= length)
        if bands.is_ready:
            last = path[count - length : count]
            assert bands.middle == pytest.approx(fmean(last), rel=1e-9)
            assert bands.deviation == pytest.approx(pstdev(last), rel=1e-5, abs=0.05)
            assert bands.upper - bands.middle == pytest.approx(2 * bands.deviation)
            assert bands.middle - bands.lower == pytest.approx(2 * bands.deviation)


def test_bands_around_a_large_price_keep_their_digits() -> None:
    bands = Bollinger(4)
    for number in range(50):
        bands.update(1e9 + number % 2)
    assert bands.deviation == pytest.approx(0.5, abs=1e-9)
    with pytest.raises(ValueError, match="expected 1 or more, found 0"):
        Bollinger(0)
