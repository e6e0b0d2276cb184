from math import isnan, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.strategies.indicators import (
    Ema,
    RollingSum,
    Sma,
    Wilder,
    Wma,
    imbalance,
    spread_bps,
)

values = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60)
lengths = st.integers(1, 12)


@settings(deadline=None)
@given(values, lengths)
def test_a_rolling_sum_is_that_of_the_last_values(seen: list[float], length: int) -> None:
    rolling = RollingSum(length)
    for count, value in enumerate(seen, 1):
        expected = sum(seen[max(0, count - length) : count])
        assert rolling.update(value) == pytest.approx(expected, abs=1e-6)
        assert rolling.value == pytest.approx(expected, abs=1e-6)
        assert rolling.is_full == (count >= length)


@settings(deadline=None)
@given(values, lengths)
def test_a_simple_average_is_the_mean_of_the_last_values(seen: list[float], length: int) -> None:
    average = Sma(length)
    for count, value in enumerate(seen, 1):
        result = average.update(value)
        assert average.is_ready == (count >= length)
        if count < length:
            assert isnan(result)
        else:
            expected = sum(seen[count - length : count]) / length
            assert result == average.value == pytest.approx(expected, abs=1e-6)


def test_a_simple_average_does_not_drift() -> None:
    average = Sma(3)
    for number in range(300_000):
        average.update(1e9 if number % 2 else 0.1)
    for _ in range(6):
        average.update(0.1)
    assert average.value == pytest.approx(0.1, rel=1e-15)


def test_a_rolling_sum_forgets_a_nan() -> None:
    rolling = RollingSum(2)
    for value in (1.0, nan, 2.0, 3.0):
        rolling.update(value)
    assert rolling.value == 5.0


def test_an_exponential_average_is_seeded_by_the_first_value() -> None:
    average = Ema(3)
    assert isnan(average.value)
    assert [average.update(value) for value in (8.0, 4.0, 0.0)] == [8.0, 6.0, 3.0]
    assert (average.count, average.is_ready) == (3, True)


def test_an_exponential_average_says_when_it_is_ready() -> None:
    average = Ema(2)
    average.update(1.0)
    assert not average.is_ready


@pytest.mark.parametrize("make", [RollingSum, Sma, Ema])
def test_a_length_below_one_is_refused(make: type[RollingSum | Sma | Ema]) -> None:
    with pytest.raises(ValueError, match="expected 1 or more, found 0"):
        make(0)


def test_the_spread_is_in_basis_points_of_the_mid() -> None:
    assert spread_bps(99, 101) == 200.0
    assert spread_bps(101, 99) == -200.0


def test_imbalance_tells_the_heavier_side() -> None:
    assert (imbalance(3, 1), imbalance(0, 2), imbalance(2, 0)) == (0.5, -1.0, 1.0)
    assert isnan(imbalance(0, 0))


@settings(deadline=None)
@given(values, lengths)
def test_a_weighted_average_weighs_the_newest_most(seen: list[float], length: int) -> None:
    average = Wma(length)
    for count, value in enumerate(seen, 1):
        result = average.update(value)
        assert average.is_ready == (count >= length)
        if count < length:
            assert isnan(result)
        else:
            last = seen[count - length : count]
            expected = sum(w * v for w, v in enumerate(last, 1)) / sum(range(1, length + 1))
            assert result == average.value == pytest.approx(expected, abs=1e-5)


def test_an_average_may_begin_with_the_mean_of_the_first_values() -> None:
    average = Ema(3, "mean")
    assert [isnan(average.update(value)) for value in (1.0, 2.0)] == [True, True]
    assert not average.is_ready
    assert average.update(6.0) == 3.0
    assert average.is_ready
    assert average.update(5.0) == 4.0  # half of the distance


def test_wilders_average_moves_by_one_part_in_its_length() -> None:
    average = Wilder(4)
    assert [average.update(value) for value in (1.0, 2.0, 3.0, 6.0)][3] == 3.0
    assert average.update(7.0) == 4.0


@pytest.mark.parametrize("kind", [Wma, Ema, Wilder])
def test_no_length_is_refused(kind: type) -> None:
    with pytest.raises(ValueError, match="expected 1 or more, found 0"):
        kind(0)
