"""How much was made, how much it varied, and how bad the worst of it was."""

import math

import numpy as np

from runtime.research.measures.arrays import (
    Floats,
    Numbers,
    deviation,
    floats,
    growth,
    mean,
    ratio,
    total,
    without_nan,
)

DAYS_PER_YEAR = 365.25
DAY_NS = 86_400 * 1_000_000_000


def simple_returns(equity: Numbers) -> Floats:
    """Return the change of each value as a fraction of the one before; values are above 0."""
    values = floats(equity)
    changes: Floats = values[1:] / values[:-1] - 1
    return changes


def total_return(returns: Numbers) -> float:
    """Return the growth over all returns as a fraction (empyrical's ``cum_returns_final``)."""
    return growth(returns) - 1


def annual_return(returns: Numbers, periods_per_year: float) -> float | None:
    """Return the yearly growth that compounds to the total: ``prod(1+r)^(A/n) - 1``.

    ``n`` counts every entry, a missing first one too. None of nothing, or after a total loss that
    left debts.

    Source: empyrical, ``annual_return``.
    """
    if not len(returns):
        return None
    grown = growth(returns)
    return None if grown < 0 else grown ** (periods_per_year / len(returns)) - 1


def compound_growth(first: float, last: float, duration_ns: int) -> float | None:
    """Return the compound annual growth rate (CAGR); a year has 365.25 days.

    None without duration or start value, if debts are left, or if a year of it is beyond numbers.
    """
    if duration_ns <= 0 or first <= 0 or last < 0:
        return None
    if not last:
        return -1.0
    years = duration_ns / DAY_NS / DAYS_PER_YEAR
    exponent = math.log(last / first) / years
    return math.expm1(exponent) if exponent < 700 else None


def geometric_mean(returns: Numbers) -> float | None:
    """Return the return that, each period, leads to the same end; missing ones are left out.

    0 if any return loses everything; None of nothing.

    Source: backtesting.py, ``geometric_mean``.
    """
    factors = 1 + without_nan(returns)
    if not len(factors):
        return None
    if float(np.min(factors)) <= 0:
        return 0.0
    return math.expm1(math.fsum(math.log(each) for each in factors.tolist()) / len(factors))


def annual_volatility(returns: Numbers, periods_per_year: float) -> float | None:
    """Return the sample standard deviation times the root of the periods in a year."""
    spread = deviation(without_nan(returns))
    return None if spread is None else spread * math.sqrt(periods_per_year)


def volatility_seed(returns: Numbers) -> float | None:
    """Return the population standard deviation times the root of 252, whatever the market."""
    spread = deviation(without_nan(returns), ddof=0)
    return None if spread is None else spread * math.sqrt(252)


def compounded_volatility(returns: Numbers, periods_per_year: float) -> float | None:
    """Return the standard deviation of a year's return when daily ones compound independently.

    ``sqrt((var + (1+g)^2)^A - (1+g)^(2A))`` with the sample variance and the geometric mean ``g``.

    Source: backtesting.py, "Volatility (Ann.)".
    """
    spread, middle = deviation(without_nan(returns)), geometric_mean(returns)
    if spread is None or middle is None:
        return None
    squared = (1 + middle) ** 2
    grown = (spread**2 + squared) ** periods_per_year - squared**periods_per_year
    return math.sqrt(max(grown, 0.0))


def downside_risk(returns: Numbers, periods_per_year: float, required: float = 0.0) -> float | None:
    """Return the annual root mean square of what fell short of ``required``; None of nothing.

    Source: empyrical, ``downside_risk``.
    """
    short = np.minimum(without_nan(returns) - required, 0.0)
    square = mean(short**2)
    return None if square is None else math.sqrt(square) * math.sqrt(periods_per_year)


def value_at_risk(returns: Numbers, cutoff: float = 0.05) -> float | None:
    """Return the quantile of the returns that a share ``cutoff`` of them does not exceed.

    Interpolated linearly between neighbours. A loss is negative. None of nothing.
    """
    known = without_nan(returns)
    return float(np.quantile(known, cutoff)) if len(known) else None


def conditional_value_at_risk(returns: Numbers, cutoff: float = 0.05) -> float | None:
    """Return the mean of the worst ``floor((n - 1) * cutoff) + 1`` returns; None of nothing.

    Source: empyrical, ``conditional_value_at_risk``.
    """
    known = np.sort(without_nan(returns))
    return mean(known[: int((len(known) - 1) * cutoff) + 1]) if len(known) else None


def tail_ratio(returns: Numbers) -> float | None:
    """Return the 95th percentile in proportion to the size of the 5th: above 1 is good."""
    known = without_nan(returns)
    if not len(known):
        return None
    best, worst = np.quantile(known, (0.95, 0.05))
    return ratio(abs(float(best)), abs(float(worst)))


def skewness(returns: Numbers) -> float | None:
    """Return the adjusted Fisher-Pearson skewness; None below three or without any spread."""
    moments = _standardised(returns, 3, least=3)
    if moments is None:
        return None
    count, third = moments
    return third * math.sqrt(count * (count - 1)) / (count - 2)


def kurtosis(returns: Numbers) -> float | None:
    """Return the unbiased excess kurtosis (normal: 0); None below four or without any spread."""
    moments = _standardised(returns, 4, least=4)
    if moments is None:
        return None
    count, fourth = moments
    scale = (count - 1) / ((count - 2) * (count - 3))
    return scale * ((count + 1) * (fourth - 3) + 6)


def _standardised(returns: Numbers, power: int, *, least: int) -> tuple[int, float] | None:
    """Return the number of returns, and a power of their distance from the mean in deviations."""
    known = without_nan(returns)
    spread = deviation(known, ddof=0)
    if len(known) < least or not spread:
        return None
    middle = total(known) / len(known)
    return len(known), total(((known - middle) / spread) ** power) / len(known)


def winning_share(returns: Numbers, *, counts_zeros: bool = False) -> float | None:
    """Return the share of positive returns among those that are not zero (or among all)."""
    known = without_nan(returns)
    judged = len(known) if counts_zeros else int(np.count_nonzero(known))
    return int(np.count_nonzero(known > 0)) / judged if judged else None


def gain_to_loss(returns: Numbers, threshold: float = 0.0) -> float | None:
    """Return the gains above a threshold per unit of losses below it: Omega, or profit factor.

    Infinite without losses, None without either.

    Source: Keating and Shadwick (2002), "A Universal Performance Measure".
    """
    excess = without_nan(returns) - threshold
    return ratio(total(excess[excess > 0]), -total(excess[excess < 0]))
