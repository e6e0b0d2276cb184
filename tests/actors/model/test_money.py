from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.model.money import is_on_grid, plain, round_down, to_steps

STEPS = [Decimal(step) for step in ("0.1", "0.01", "0.001", "0.0001", "0.005", "0.0025", "1", "5")]
steps = st.sampled_from(STEPS)
decimals = st.decimals(
    min_value=-(10**9), max_value=10**9, places=9, allow_nan=False, allow_infinity=False
)


@settings(deadline=None)
@given(whole=st.integers(-(2**53), 2**53), step=steps)
def test_steps_survive_the_way_to_decimals_and_back(whole: int, step: Decimal) -> None:
    assert to_steps(step * whole, step) == whole


@settings(deadline=None)
@given(whole=st.integers(-(2**53), 2**53), step=steps, zeros=st.integers(0, 6))
def test_trailing_zeros_make_no_difference(whole: int, step: Decimal, zeros: int) -> None:
    text = f"{step * whole:f}"
    padded = text + ("" if "." in text else ".") + "0" * zeros
    assert to_steps(Decimal(padded), step) == whole


@settings(deadline=None)
@given(whole=st.integers(-(10**6), 10**6), step=steps, part=st.integers(1, 999))
def test_a_value_between_two_steps_is_refused(whole: int, step: Decimal, part: int) -> None:
    value = step * whole + step * part / 1000
    assert not is_on_grid(value, step)
    with pytest.raises(ValueError, match="is not a multiple of"):
        to_steps(value, step)


def test_a_speck_beyond_the_arithmetic_precision_is_off_the_grid() -> None:
    with pytest.raises(ValueError, match="not a multiple"):
        to_steps(Decimal("0.1" + "0" * 40 + "1"), Decimal("0.01"))


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1E+40"])
def test_what_is_no_number_of_steps_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r"step|multiple"):
        to_steps(Decimal(value), Decimal("0.01"))


@settings(deadline=None)
@given(value=decimals, step=steps)
def test_rounding_down_goes_towards_zero_by_less_than_a_step(value: Decimal, step: Decimal) -> None:
    rounded = round_down(value, step)
    assert is_on_grid(rounded, step)
    assert abs(rounded) <= abs(value)
    assert abs(value - rounded) < step


def test_rounding_down_never_rounds_up_at_the_edge_of_the_precision() -> None:
    value = Decimal("0.7499999999999999999999999999")
    assert round_down(value, Decimal("0.0025")) == Decimal("0.7475")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0.50", "0.5"),
        ("1200", "1200"),
        ("1.2E+3", "1200"),
        ("1E-8", "0.00000001"),
        ("0.000", "0"),
        ("-3.10", "-3.1"),
        ("100", "100"),
    ],
)
def test_plain_text_has_no_exponent_and_no_trailing_zeros(value: str, text: str) -> None:
    assert plain(Decimal(value)) == text


@settings(deadline=None)
@given(decimals)
def test_plain_text_keeps_the_value(value: Decimal) -> None:
    assert Decimal(plain(value)) == value
