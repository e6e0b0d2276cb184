from decimal import Decimal, Inexact, localcontext
from random import Random  # noqa: TID251 - seeded below

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.brokers.commission import COMMISSIONS, NoCommission, PercentageCommission
from actors.brokers.latency import LATENCIES, ConstantLatency
from actors.brokers.matching import is_within, walk
from actors.brokers.slippage import SLIPPAGES, NoSlippage
from actors.model.order import Liquidity, Side

_AMOUNT = st.decimals(min_value=0, max_value=10**9, places=8)


def test_latency_is_what_was_configured() -> None:
    model = ConstantLatency(submit_ns=5, report_ns=6, cancel_ns=7)
    random = Random(1)
    before = random.getstate()
    delays = [f(0, random) for f in (model.submit_delay, model.report_delay, model.cancel_delay)]
    assert delays == [5, 6, 7]
    assert random.getstate() == before


def test_latency_is_nothing_unless_asked_for() -> None:
    assert ConstantLatency() == ConstantLatency(submit_ns=0, report_ns=0, cancel_ns=0)


@pytest.mark.parametrize("leg", ["submit_ns", "report_ns", "cancel_ns"])
def test_latency_is_not_negative(leg: str) -> None:
    with pytest.raises(ValueError, match=f"{leg}: expected 0 or more, found -1"):
        ConstantLatency(**{leg: -1})


def test_no_commission_is_nothing() -> None:
    assert NoCommission().commission(Decimal(100), Decimal(2), Liquidity.TAKER) == 0


@given(price=_AMOUNT, quantity=_AMOUNT, rate=st.decimals(min_value=-1, max_value=1, places=9))
def test_a_percentage_is_the_exact_product(
    price: Decimal, quantity: Decimal, rate: Decimal
) -> None:
    charged = PercentageCommission(rate).commission(price, quantity, Liquidity.MAKER)
    with localcontext() as context:
        context.prec = 200
        context.traps[Inexact] = True
        assert charged == price * quantity * rate


def test_a_percentage_is_a_number() -> None:
    with pytest.raises(ValueError, match="rate: expected a number, found NaN"):
        PercentageCommission(Decimal("NaN"))


def test_the_rate_to_reckon_with_is_told_beforehand() -> None:
    assert NoCommission.expected_rate == 0
    assert PercentageCommission(Decimal("0.002")).expected_rate == Decimal("0.002")


def test_nothing_slips_by_default() -> None:
    assert NoSlippage().slipped(Side.BUY, Decimal("1.5"), Decimal(3)) == Decimal("1.5")


def test_models_are_found_by_name() -> None:
    assert {"constant": ConstantLatency} == LATENCIES
    assert {"none": NoCommission, "percentage": PercentageCommission} == COMMISSIONS
    assert {"none": NoSlippage} == SLIPPAGES


def test_a_walk_takes_the_best_levels_first() -> None:
    asks = [(101, 5), (102, 5), (104, 9)]
    assert walk(asks, 7, 1) == [(101, 5), (102, 2)]
    assert walk(asks, 100, 1) == asks
    assert walk([], 3, 1) == []


def test_a_walk_stops_at_the_limit() -> None:
    assert walk([(101, 5), (102, 5), (104, 9)], 100, 1, 103) == [(101, 5), (102, 5)]
    assert walk([(99, 5), (98, 5), (90, 9)], 100, -1, 98) == [(99, 5), (98, 5)]
    assert walk([(101, 5)], 100, 1, 100) == []


def test_a_walk_skips_empty_levels_and_ends_at_an_unlimited_one() -> None:
    assert walk([(101, 0), (102, -1), (103, 9)], 50, 1) == [(102, 50)]


_level = st.tuples(st.integers(1, 20), st.integers(-1, 6))


@given(st.lists(_level), st.integers(1, 40), st.sampled_from([1, -1]), st.none() | _level)
def test_a_walk_takes_what_there_is_and_no_more(
    levels: list[tuple[int, int]], lots: int, sign: int, limit: tuple[int, int] | None
) -> None:
    levels = sorted(levels, key=lambda level: level[0] * sign)
    worst = None if limit is None else limit[0]
    taken = walk(levels, lots, sign, worst)
    within = [level for level in levels if is_within(level[0], worst, sign)]
    there_is = lots if any(size < 0 for _, size in within) else sum(size for _, size in within)
    assert sum(size for _, size in taken) == min(lots, there_is)
    assert all(is_within(ticks, worst, sign) and size > 0 for ticks, size in taken)
