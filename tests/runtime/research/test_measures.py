"""The measures of returns, equity curves and drawdowns."""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.research.measures.arrays import deviation, finite, growth, mean, ratio
from runtime.research.measures.distributions import Histogram, histogram, spread_of
from runtime.research.measures.drawdowns import (
    average_drawdown,
    drawdowns,
    drawdowns_of_returns,
    durations_ns,
    episodes,
    max_drawdown,
    rolling_max_drawdown,
    ulcer_index,
)
from runtime.research.measures.equity import (
    daily,
    days_per_year,
    equity_statistics,
    periods,
)
from runtime.research.measures.ratios import (
    alpha_beta,
    beta,
    calmar_ratio,
    profit_to_drawdown,
    rolling_sharpe,
    sharpe_ratio,
    sharpe_ratio_seed,
    sortino_ratio,
    sortino_ratio_seed,
)
from runtime.research.measures.returns import (
    annual_return,
    annual_volatility,
    compound_growth,
    compounded_volatility,
    conditional_value_at_risk,
    downside_risk,
    gain_to_loss,
    geometric_mean,
    kurtosis,
    simple_returns,
    skewness,
    tail_ratio,
    total_return,
    value_at_risk,
    volatility_seed,
    winning_share,
)

DAY = 86_400 * 1_000_000_000
HOUR = 3_600 * 1_000_000_000
MONDAY = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000_000

UNDEFINED_OF_NOTHING: list[Callable[[list[float]], float | None]] = [
    lambda r: annual_return(r, 252),
    geometric_mean,
    lambda r: annual_volatility(r, 252),
    volatility_seed,
    lambda r: compounded_volatility(r, 252),
    lambda r: downside_risk(r, 252),
    value_at_risk,
    conditional_value_at_risk,
    tail_ratio,
    skewness,
    kurtosis,
    winning_share,
    gain_to_loss,
    lambda r: sharpe_ratio(r, 252),
    lambda r: sortino_ratio(r, 252),
    lambda r: calmar_ratio(r, 252),
    ulcer_index,
    mean,
    deviation,
]


@pytest.mark.parametrize("measure", UNDEFINED_OF_NOTHING)
def test_a_measure_of_nothing_is_not_defined(
    measure: Callable[[list[float]], float | None],
) -> None:
    assert measure([]) is None


def test_what_is_infinite_is_null_in_json() -> None:
    assert finite(math.inf) is None
    assert finite(math.nan) is None
    assert finite(None) is None
    assert finite(0.5) == 0.5


def test_a_quotient_over_nothing_is_infinite_or_not_defined() -> None:
    assert ratio(1, 0) == math.inf
    assert ratio(-1, 0) == -math.inf
    assert ratio(0, 0) is None
    assert ratio(None, 1) is None


def test_gains_without_losses_are_infinitely_good() -> None:
    assert gain_to_loss([0.1, 0.2]) == math.inf
    assert sortino_ratio([0.1, 0.2], 252) == math.inf
    assert tail_ratio([0.0] * 30 + [0.1] * 30) == math.inf
    assert calmar_ratio([0.1, 0.2], 252) is None


def test_missing_returns_are_left_out_but_count_as_time() -> None:
    assert total_return([math.nan, 0.1, 0.1]) == pytest.approx(0.21)
    assert annual_return([math.nan, 0.1, 0.1], 3) == pytest.approx(0.21)
    assert sharpe_ratio([math.nan, 0.1, 0.2], 1) == sharpe_ratio([0.1, 0.2], 1)


def test_a_total_loss_is_all_there_is_to_lose() -> None:
    assert annual_return([-1.0, 0.5], 2) == -1
    assert annual_return([-3.0], 252) is None
    assert geometric_mean([0.5, -1.0]) == 0
    assert growth([-2.0, -2.0]) == 1


def test_growth_is_compounded_over_years_of_365_and_a_quarter_days() -> None:
    year = round(365.25 * DAY)
    assert compound_growth(100, 121, 2 * year) == pytest.approx(0.1)
    assert compound_growth(100, 0, year) == -1
    assert compound_growth(100, -1, year) is None
    assert compound_growth(0, 100, year) is None
    assert compound_growth(100, 101, 0) is None
    assert compound_growth(1, 2, 1) is None


def test_a_required_return_and_a_risk_free_rate_are_taken_off() -> None:
    returns = [0.02, 0.04, 0.0]
    assert sharpe_ratio(returns, 252, 0.02) == 0
    assert sortino_ratio(returns, 252, 0.02) == 0
    assert downside_risk(returns, 1, 0.02) == pytest.approx(0.02 / math.sqrt(3))


def test_the_seeds_definitions_are_kept_beside_the_standard_ones() -> None:
    returns = [0.02, -0.01, 0.03, -0.03]
    losses = np.std([-0.01, -0.03])
    assert sortino_ratio_seed(returns) == pytest.approx(0.0025 / losses * math.sqrt(252))
    assert sharpe_ratio_seed(returns) == pytest.approx(0.0025 / np.std(returns) * math.sqrt(252))
    assert volatility_seed(returns) == pytest.approx(np.std(returns) * math.sqrt(252))
    assert sortino_ratio(returns, 252) == pytest.approx(
        0.0025 * math.sqrt(252) / math.sqrt(0.001 / 4)
    )
    assert sortino_ratio_seed([0.1]) == sharpe_ratio_seed([]) == 0


def test_profit_to_drawdown_is_a_size() -> None:
    assert profit_to_drawdown(-0.5, -0.25) == 2
    assert profit_to_drawdown(0.5, 0.0) == 0
    assert profit_to_drawdown(None, -0.1) == 0


def test_alpha_and_beta_are_intercept_and_slope() -> None:
    market = [0.01, -0.02, 0.03]
    returns = [0.001 + 2 * each for each in market]
    alpha, slope = alpha_beta(returns, market, 252)

    assert slope == pytest.approx(2)
    assert alpha == pytest.approx(1.001**252 - 1)
    assert alpha_beta(returns, [0.01] * 3, 252) == (None, None)
    with pytest.raises(ValueError, match="market returns: expected 3, found 2"):
        beta(returns, [0.1, 0.2])


def test_rolling_measures_have_a_value_for_each_whole_window() -> None:
    assert rolling_max_drawdown([0.1, -0.1, -0.1], 2).tolist() == pytest.approx([-0.1, -0.19])
    assert np.isnan(rolling_sharpe([0.1, 0.1], 2, 252)).all()
    assert len(rolling_sharpe([0.1], 2, 252)) == 0
    with pytest.raises(ValueError, match="window: expected 1 or more, found 0"):
        rolling_max_drawdown([0.1], 0)


def test_stays_below_the_peak_have_a_depth_and_a_duration() -> None:
    equity = [100, 110, 99, 104.5, 110, 120, 118, 60, 90]
    stays = episodes(equity)

    assert [(each.peak_index, each.end_index) for each in stays] == [(1, 4), (5, 8)]
    assert [each.depth for each in stays] == pytest.approx([-0.1, -0.5])
    assert average_drawdown(stays) == pytest.approx(-0.3)
    assert durations_ns(stays, [i * 10 for i in range(9)]) == [30, 30]
    assert max_drawdown(equity) == pytest.approx(-0.5)


def test_a_curve_that_never_falls_has_no_drawdown() -> None:
    assert episodes([1, 2, 3]) == []
    assert episodes([]) == []
    assert average_drawdown([]) is None
    assert max_drawdown([]) == 0
    assert drawdowns([-5, -3]).tolist() == [0, 0]
    assert ulcer_index([0.0, -0.3, -0.4]) == pytest.approx(math.sqrt(0.25 / 2))


@given(st.lists(st.floats(-0.9, 2.0), min_size=1, max_size=60))
def test_drawdowns_lie_between_everything_and_nothing(returns: list[float]) -> None:
    falls = drawdowns_of_returns(returns)

    assert len(falls) == len(returns)
    assert falls.max() <= 0
    assert falls.min() >= -1
    stays = episodes(np.cumprod([1.0, *(1 + each for each in returns)]).tolist())
    assert all(a.end_index <= b.peak_index for a, b in pairwise(stays))


@given(st.lists(st.floats(-0.5, 0.5), min_size=2, max_size=40))
def test_equity_and_its_returns_tell_the_same(returns: list[float]) -> None:
    equity = np.concatenate(([100.0], 100 * np.cumprod(1 + np.array(returns))))

    assert simple_returns(equity).tolist() == pytest.approx(returns, abs=1e-12)
    assert total_return(returns) == pytest.approx(equity[-1] / 100 - 1, abs=1e-9)


def test_the_year_has_365_days_where_data_have_weekends() -> None:
    weekdays = [MONDAY + i * DAY for i in range(30) if i % 7 < 5]

    assert days_per_year(weekdays) == 252
    assert days_per_year([MONDAY + i * DAY for i in range(30)]) == 365
    assert days_per_year(weekdays[:5]) == 365
    assert days_per_year([]) == 365


def test_the_last_value_of_a_day_is_the_days() -> None:
    times = [MONDAY + i * 12 * HOUR for i in range(14)]
    values = list(range(1, 15))

    assert daily(times, values)[1].tolist() == [2, 4, 6, 8, 10, 12, 14]
    assert daily(times, values, weekends=False)[1].tolist() == [2, 4, 6, 8, 10]


def _curve(count: int, step_ns: int) -> tuple[list[int], list[float]]:
    values = [100 * (1 + 0.01 * ((i * 7) % 5)) for i in range(count)]
    return [MONDAY + i * step_ns for i in range(count)], values


def test_daily_returns_are_taken_where_there_are_enough() -> None:
    found = periods(*_curve(24 * 30, HOUR))
    assert found is not None
    assert (found.basis, found.per_year, len(found.returns)) == ("daily", 365, 29)

    weekdays = periods(*_curve(24 * 30, HOUR), 252)
    assert weekdays is not None
    assert (weekdays.per_year, len(weekdays.returns)) == (252, 21)


def test_samples_that_are_too_few_or_too_far_apart_are_annualised_by_their_distance() -> None:
    short = periods(*_curve(48, HOUR))
    assert short is not None
    assert short.basis == "sample"
    assert short.per_year == pytest.approx(365 * 24)
    sparse = periods(*_curve(100, 3 * DAY), 252)
    assert sparse is not None
    assert sparse.basis == "sample"
    assert sparse.per_year == pytest.approx(365 / 3)


def test_a_curve_that_touches_nothing_or_takes_no_time_has_no_returns() -> None:
    assert periods([0, 1], [1, 0]) is None
    assert periods([5, 5], [1, 1]) is None
    assert periods([5], [1]) is None
    figures = equity_statistics([0, DAY, 2 * DAY], [100, -10, 5])
    assert figures["sharpe_ratio"] is figures["basis"] is None
    assert figures["max_drawdown"] == pytest.approx(-1.1)
    assert figures["returns"] == 0


def test_an_empty_curve_has_figures_too() -> None:
    figures = equity_statistics([], [])
    assert figures["total_return"] is figures["peak"] is figures["cagr"] is None
    assert figures["max_drawdown"] == 0


def test_the_figures_of_a_curve_carry_the_names_that_people_know() -> None:
    times, values = _curve(40, DAY)
    figures = equity_statistics(times, values)
    returns = simple_returns(values)

    assert figures["total_return"] == pytest.approx(values[-1] / values[0] - 1)
    assert figures["volatility"] == annual_volatility(returns, 365)
    assert figures["sharpe_ratio"] == sharpe_ratio(returns, 365)
    assert figures["sortino_ratio_seed"] == sortino_ratio_seed(returns)
    assert figures["calmar_ratio"] == calmar_ratio(returns, 365)
    assert figures["max_drawdown_duration_s"] == 5 * 86_400
    assert figures["max_drawdown_seed"] == -max_drawdown(values)
    assert figures["profit_to_drawdown"] == pytest.approx(
        abs((values[-1] / values[0] - 1) / max_drawdown(values))
    )


def test_what_a_year_would_come_to_is_not_said_of_minutes() -> None:
    figures = equity_statistics(*_curve(60, 10**9))

    for name in ("annual_return", "cagr", "calmar_ratio", "volatility_compounded"):
        assert figures[name] is None
    assert figures["sharpe_ratio"] is not None


def test_wild_returns_are_not_compounded_beyond_what_floats_hold() -> None:
    times = [MONDAY + i * HOUR for i in range(30)]
    figures = equity_statistics(times, [2.0 ** (5 * i) for i in range(30)])

    assert figures["annual_return"] is figures["volatility_compounded"] is None
    assert compounded_volatility([0.0, 0.0], 365) == 0


def test_higher_moments_are_those_of_a_sample() -> None:
    values = [0.1, 0.2, 0.2, 0.9]

    assert skewness(values) == pytest.approx(1.9001038154942969)
    assert kurtosis(values) == pytest.approx(3.708506841165974)
    assert skewness([0.1, 0.1, 0.1]) is None
    assert kurtosis([0.1, 0.2, 0.3]) is None


def test_a_histogram_counts_every_value_once() -> None:
    spread = histogram([0, 1, 2, 3, 4, 4], bins=4)

    assert spread == Histogram(edges=(0, 1, 2, 3, 4), counts=(1, 1, 1, 3))
    assert spread.lines(width=6) == ["0 ██ 1", "1 ██ 1", "2 ██ 1", "3 ██████ 3"]
    assert Histogram(edges=(0, 1), counts=(0,)).lines() == ["0  0"]
    assert histogram([math.nan, math.inf]).lines() == []
    assert histogram([5, 5]).counts == (2,)
    with pytest.raises(ValueError, match="bins: expected 1 or more, found 0"):
        histogram([1], bins=0)


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=50), st.integers(1, 30))
def test_no_value_falls_between_two_bins(values: list[float], bins: int) -> None:
    spread = histogram(values, bins)

    assert sum(spread.counts) == len(values)
    assert len(spread.edges) == len(spread.counts) + 1
    assert len(spread.lines()) == len(spread.counts)


def test_a_spread_is_count_mean_deviation_and_quantiles() -> None:
    spread = spread_of([1, 2, 3, 4, 5])

    assert spread["count"] == 5
    assert (spread["min"], spread["median"], spread["max"]) == (1, 3, 5)
    assert spread["std"] == pytest.approx(math.sqrt(2.5))
    assert spread_of([])["p95"] is None
