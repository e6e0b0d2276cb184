from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.model.grid import (
    PRICE_LIMIT,
    QUANTITY_LIMIT,
    Grid,
    Listing,
    decimals,
    finest_step,
    optional_step,
)
from actors.model.money import plain
from tests.builders import instrument, instruments

STEPS = ["1", "0.1", "0.01", "0.0001", "0.00000001", "0.005", "0.0025", "5"]


def grid(step: str = "0.01", limit: int = PRICE_LIMIT, *, rounds: bool = False) -> Grid:
    return Grid(Decimal(step), limit, rounds=rounds)


@given(st.sampled_from(STEPS), st.integers(0, 10**9), st.sampled_from(["", "0", "000"]))
def test_every_multiple_of_the_step_is_read_exactly(step: str, count: int, zeros: str) -> None:
    text = plain(Decimal(step) * count)
    if "." in text:
        text += zeros
    assert grid(step)[text] == count


@given(st.decimals(0, 10**6, places=6))
def test_what_lies_between_two_steps_is_refused(value: Decimal) -> None:
    texts = grid("0.0001")
    if value % Decimal("0.0001"):
        with pytest.raises(ValueError, match=r"is not a multiple of 0\.0001"):
            texts[f"{value:f}"]
    else:
        assert texts[f"{value:f}"] == value / Decimal("0.0001")


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        ".5",
        "-1",
        "+1",
        "1_000",
        "1,5",
        "nan",
        "inf",
        "0x1",
        " 1",
        "1 ",
        "٣",
        "1e",
        "1e999",
    ],
)
def test_what_is_no_plain_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a number from 0"):
        grid()[text]


def test_an_exponent_is_read_exactly() -> None:
    assert grid("0.00001")["1e-05"] == 1
    assert grid("0.01")["1.25E2"] == 12_500


def test_a_number_with_too_many_digits_is_refused() -> None:
    with pytest.raises(ValueError, match="too many digits"):
        grid()["1e-99"]


def test_a_value_that_columns_cannot_hold_is_refused() -> None:
    assert grid(limit=1_000)["9.99"] == 999
    with pytest.raises(ValueError, match=r"10\.00 is too large for steps of 0\.01"):
        grid(limit=1_000)["10.00"]


def test_rounding_goes_to_the_nearest_step() -> None:
    near = grid("0.01", rounds=True)
    assert [near[text] for text in ("1.004999", "1.005", "1.0099999", "1.01")] == [
        100,
        101,
        101,
        101,
    ]


def test_only_so_many_texts_are_remembered() -> None:
    texts = grid("1")
    for number in range((1 << 16) + 10):
        assert texts[str(number)] == number
    assert len(texts) == 10


def test_decimals_are_counted_with_or_without_last_zeros() -> None:
    assert [decimals(text) for text in ("1", "1.", "1.50", "2e-3")] == [0, 0, 2, 3]
    assert [decimals(text, trimmed=True) for text in ("1.00", "1.50", "1.05")] == [0, 1, 2]
    with pytest.raises(ValueError, match="not a number"):
        decimals("x")


def test_the_finest_step_divides_every_number() -> None:
    assert finest_step(["1.50", "2.125"]) == Decimal("0.001")
    assert finest_step(["61800.20", "61800.10"], trimmed=True) == Decimal("0.1")
    assert finest_step([]) == 1


def test_a_step_given_as_an_option_is_exact() -> None:
    assert optional_step(None) is None
    assert [optional_step(each) for each in ("0.01", 1, Decimal("0.5"))] == [
        Decimal("0.01"),
        Decimal(1),
        Decimal("0.5"),
    ]
    with pytest.raises(TypeError, match=r"expected an exact number, found 0\.1"):
        optional_step(0.1)  # type: ignore[arg-type]
    for wrong in ("x", "0", "-1", "nan"):
        with pytest.raises(ValueError, match="expected a number above 0"):
            optional_step(wrong)


def test_a_listing_reads_by_the_definition_that_the_table_has() -> None:
    table = instruments(instrument("A", tick="0.5", lot="0.1"))
    listing = Listing.of(table, instrument("A", tick="0.01", lot="0.01"))
    assert (listing.index, listing.prices["1.5"], listing.quantities["1.5"]) == (0, 3, 15)
    assert Listing.of(table, instrument("B")).index == 1


def test_quantities_may_be_larger_than_prices() -> None:
    listing = Listing.of(instruments(), instrument("B", tick="1", lot="1"))
    large = str(PRICE_LIMIT)
    assert listing.quantities[large] == PRICE_LIMIT
    for wrong, values in ((large, listing.prices), (str(QUANTITY_LIMIT), listing.quantities)):
        with pytest.raises(ValueError, match="too large"):
            values[wrong]
