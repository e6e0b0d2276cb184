from decimal import Decimal
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.model.order import Schedule, ScheduleKind
from actors.orders.schedules import next_part, slice_ns, slices

ZERO = Decimal(0)
ONE = Decimal(1)


def twap(number: int, duration_ns: int = 100) -> Schedule:
    return Schedule(kind=ScheduleKind.TWAP, duration_ns=duration_ns, slices=number)


def vwap(*profile: str) -> Schedule:
    weights = tuple(Decimal(weight) for weight in profile)
    return Schedule(kind=ScheduleKind.VWAP, duration_ns=100, slices=len(profile), profile=weights)


@pytest.mark.parametrize(
    ("schedule", "quantity", "parts"),
    [
        (twap(4), 8, [2, 2, 2, 2]),
        (twap(3), 10, [3, 3, 4]),
        (twap(1), 5, [5]),
        (twap(5), 2, [0, 0, 1, 0, 1]),
        (vwap("1", "2", "1"), 8, [2, 4, 2]),
        (vwap("0", "1", "0"), 8, [0, 8, 0]),
        (vwap("0.5", "0.25", "0.25"), 3, [1, 1, 1]),
    ],
)
def test_an_order_is_cut_after_its_weights(
    schedule: Schedule, quantity: int, parts: list[int]
) -> None:
    assert list(slices(schedule, Decimal(quantity), ONE, ZERO)) == parts


def test_parts_that_are_too_small_are_sent_with_others() -> None:
    assert list(slices(twap(5), Decimal(10), ONE, Decimal(3))) == [0, 4, 0, 6, 0]
    assert list(slices(twap(4), Decimal(2), ONE, Decimal(5))) == [0, 0, 0, 2]


def test_a_quantity_off_the_grid_cannot_be_cut() -> None:
    with pytest.raises(ValueError, match=r"1\.5 is not a multiple of 1"):
        slices(twap(2), Decimal("1.5"), ONE, ZERO)


weights = st.decimals(0, 100, places=3)
profiles = st.lists(weights, min_size=1, max_size=30).filter(any)


@given(
    lots=st.integers(1, 10_000),
    lot=st.sampled_from(["1", "0.01", "0.25", "1000"]),
    profile=profiles,
    least=st.integers(0, 200),
)
def test_parts_add_up_and_are_whole_lots_and_large_enough(
    lots: int, lot: str, profile: list[Decimal], least: int
) -> None:
    step = Decimal(lot)
    quantity, smallest = step * lots, step * least
    schedule = vwap(*(str(weight) for weight in profile))
    parts = slices(schedule, quantity, step, smallest)
    assert len(parts) == len(profile)
    assert sum(parts) == quantity
    assert all(part % step == 0 and part >= 0 for part in parts)
    assert all(part >= min(smallest, quantity) for part in parts if part)
    if not least:
        whole = sum(profile)
        for sent, weight in zip(accumulate(parts), accumulate(profile), strict=True):
            assert -step < sent - quantity * weight / whole < step


@given(lots=st.integers(1, 1000), display=st.integers(1, 300), least=st.integers(0, 100))
def test_an_iceberg_shows_as_much_as_it_may_until_nothing_is_left(
    lots: int, display: int, least: int
) -> None:
    remaining = Decimal(lots)
    shown: list[Decimal] = []
    while remaining:
        part = next_part(remaining, Decimal(display), Decimal(least))
        shown.append(part)
        remaining -= part
    assert sum(shown) == lots
    assert all(part == display for part in shown[:-1])
    assert shown[-1] >= min(least, lots)
    assert shown[-1] <= display + least


def test_slices_begin_at_equal_distances_and_end_with_the_duration() -> None:
    schedule = twap(3, duration_ns=100)
    assert [slice_ns(schedule, number) for number in range(4)] == [0, 33, 66, 100]
