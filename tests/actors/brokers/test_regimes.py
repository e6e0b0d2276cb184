"""Halts, outages, wide spreads and bursts of rejects: by schedule and by chance."""

import itertools
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.brokers.models.chance import exponential, normal, uniform
from actors.brokers.models.regimes import (
    NEVER,
    ORDINARY,
    Condition,
    RandomRegime,
    RegimeKind,
    Regimes,
    ScheduledRegime,
)
from actors.brokers.models.windows import RandomWindows

HALT, OUTAGE = RegimeKind.HALT, RegimeKind.OUTAGE
WIDE, REJECTS = RegimeKind.WIDE_SPREAD, RegimeKind.REJECT_BURST
D = Decimal


def planned(kind: RegimeKind, from_ns: int, to_ns: int, **more: Any) -> ScheduledRegime:
    return ScheduledRegime(kind=kind, from_ns=from_ns, to_ns=to_ns, **more)


# --- a schedule -----------------------------------------------------------------------------------


def test_nothing_is_out_of_the_ordinary_by_default() -> None:
    regimes = Regimes()
    assert regimes.state_at(5) is ORDINARY
    assert regimes.next_change_ns(5) == NEVER
    assert regimes.trades_again_ns(5) == 5
    assert not regimes.rejects("a", 5)


@pytest.mark.parametrize(
    ("kind", "condition"),
    [
        (HALT, Condition(halted=True)),
        (OUTAGE, Condition(halted=True, outage=True)),
        (WIDE, Condition(spread_factor=D(3))),
        (REJECTS, Condition(reject_probability=1.0)),
    ],
)
def test_a_planned_regime_holds_from_its_begin_to_before_its_end(
    kind: RegimeKind, condition: Condition
) -> None:
    regimes = Regimes(schedule=(planned(kind, 10, 20),))
    assert [regimes.state_at(now_ns) for now_ns in (9, 10, 19, 20)] == [
        ORDINARY,
        condition,
        condition,
        ORDINARY,
    ]
    assert [regimes.next_change_ns(now_ns) for now_ns in (0, 10, 19, 20)] == [10, 20, 20, NEVER]


def test_of_two_regimes_the_worse_one_counts() -> None:
    regimes = Regimes(
        schedule=(
            planned(WIDE, 0, 10, factor=D(2)),
            planned(WIDE, 5, 10, factor=D(4)),
            planned(REJECTS, 5, 10, probability=0.25),
            planned(HALT, 5, 9),
        )
    )
    assert regimes.state_at(4) == Condition(spread_factor=D(2))
    assert regimes.state_at(5) == Condition(
        halted=True, spread_factor=D(4), reject_probability=0.25
    )


def test_trading_goes_on_when_the_last_halt_is_over() -> None:
    regimes = Regimes(
        schedule=(planned(HALT, 10, 20), planned(OUTAGE, 15, 30), planned(WIDE, 28, 40))
    )
    assert [regimes.trades_again_ns(now_ns) for now_ns in (9, 10, 25, 30)] == [9, 30, 30, 30]
    for_good = Regimes(schedule=(ScheduledRegime(kind=HALT, from_ns=10),))
    assert for_good.trades_again_ns(11) == NEVER


def test_a_burst_rejects_the_share_of_orders_that_it_says() -> None:
    regimes = Regimes(schedule=(planned(REJECTS, 0, 10, probability=0.3),), seed=4)
    rejected = [name for name in map(str, range(1000)) if regimes.rejects(name, 5)]
    assert 250 < len(rejected) < 350
    assert rejected == [name for name in map(str, range(1000)) if regimes.rejects(name, 9)]
    assert not any(regimes.rejects(name, 10) for name in rejected)


@pytest.mark.parametrize(
    ("make", "options", "words"),
    [
        (ScheduledRegime, {"from_ns": 5, "to_ns": 5}, "to_ns: expected a time after 5, found 5"),
        (ScheduledRegime, {"from_ns": 5, "factor": D("0.5")}, "factor: expected 1 or more"),
        (ScheduledRegime, {"from_ns": 5, "probability": 1.5}, "probability: expected a number"),
        (RandomRegime, {"every_ns": 0, "lasts_ns": 1}, "every_ns: expected more than 0"),
        (RandomRegime, {"every_ns": 1, "lasts_ns": 0}, "lasts_ns: expected more than 0"),
    ],
)
def test_options_that_make_no_sense_are_told(
    make: type[Any], options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        make(kind=HALT, **options)


# --- chance ---------------------------------------------------------------------------------------


def test_regimes_of_chance_come_and_go() -> None:
    regimes = Regimes(markov=(RandomRegime(kind=HALT, every_ns=900, lasts_ns=100),), seed=1)
    states = [regimes.state_at(now_ns).halted for now_ns in range(0, 1_000_000, 10)]
    assert 0.07 < states.count(True) / len(states) < 0.13
    begins = sum(not a and b for a, b in itertools.pairwise(states))
    assert 800 < begins < 1100


def test_two_regimes_of_chance_are_independent() -> None:
    one = RandomRegime(kind=HALT, every_ns=100, lasts_ns=100)
    other = RandomRegime(kind=WIDE, every_ns=100, lasts_ns=100)
    regimes = Regimes(markov=(one, other), seed=1)
    states = [regimes.state_at(now_ns) for now_ns in range(0, 200_000, 10)]
    halted = sum(each.halted for each in states)
    both = sum(each.halted and each.spread_factor > 1 for each in states)
    assert 0.4 < both / halted < 0.6


_regimes = st.builds(
    Regimes,
    schedule=st.lists(
        st.builds(
            lambda kind, start, length: planned(kind, start, start + length),
            st.sampled_from(RegimeKind),
            st.integers(0, 500),
            st.integers(1, 300),
        ),
        max_size=3,
    ).map(tuple),
    markov=st.lists(
        st.builds(
            RandomRegime,
            kind=st.sampled_from(RegimeKind),
            every_ns=st.integers(1, 60),
            lasts_ns=st.integers(1, 30),
        ),
        max_size=2,
    ).map(tuple),
    seed=st.integers(0, 99),
)


@given(regimes=_regimes, now_ns=st.integers(0, 700))
def test_nothing_changes_before_the_next_change(regimes: Regimes, now_ns: int) -> None:
    change = regimes.next_change_ns(now_ns)
    assert change > now_ns
    for later in range(now_ns, min(change, now_ns + 200)):
        assert regimes.state_at(later) == regimes.state_at(now_ns)
    again = regimes.trades_again_ns(now_ns)
    assert all(regimes.state_at(each).halted for each in range(now_ns, min(again, 2000)))


@given(regimes=_regimes, times=st.lists(st.integers(0, 2**61), max_size=20))
def test_states_do_not_depend_on_what_was_asked_before(regimes: Regimes, times: list[int]) -> None:
    states = {now_ns: regimes.state_at(now_ns) for now_ns in times}
    again = attrs.evolve(regimes)
    assert {now_ns: again.state_at(now_ns) for now_ns in reversed(times)} == states


# --- windows and draws ----------------------------------------------------------------------------


@given(
    every=st.integers(1, 10**12),
    lasts=st.integers(1, 10**12),
    now_ns=st.integers(0, 2**62),
    seed=st.integers(0, 9),
)
def test_a_window_holds_the_moment_that_it_is_asked_for(
    every: int, lasts: int, now_ns: int, seed: int
) -> None:
    chain = RandomWindows(seed=seed, name="x", every_ns=every, lasts_ns=lasts)
    window = chain.at(now_ns)
    change = chain.next_change(now_ns)
    assert change > now_ns
    if window is None:
        assert chain.at(change - 1) is None
    else:
        assert window[0] <= now_ns < window[1] == change
        assert chain.at(window[0]) == chain.at(window[1] - 1) == window


def test_draws_are_uniform_and_depend_on_every_name() -> None:
    drawn = [uniform(1, "x", number) for number in range(4000)]
    assert all(0 < each < 1 for each in drawn)
    tenths = [sum(int(each * 10) == tenth for each in drawn) for tenth in range(10)]
    assert min(tenths) > 330
    assert max(tenths) < 470
    others = [uniform(2, "x", 0), uniform(1, "y", 0), uniform(1, "x", 0, "z"), uniform(1, "x0")]
    assert len({drawn[0], *others}) == 5
    assert uniform(1, "x", 0) == drawn[0]


def test_draws_become_other_distributions() -> None:
    assert exponential(10, 1.0) == 0
    assert exponential(10, 0.5) == pytest.approx(6.931, abs=0.001)
    assert normal(0.5) == 0
    assert normal(0.975) == pytest.approx(1.96, abs=0.001)
