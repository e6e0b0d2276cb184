"""Gain in proportion to risk; the risk-free rate is 0 unless given."""

import math

import numpy as np

from runtime.research.measures.arrays import (
    Floats,
    Numbers,
    deviation,
    floats,
    mean,
    ratio,
    without_nan,
)
from runtime.research.measures.drawdowns import drawdowns_of_returns, windows
from runtime.research.measures.returns import annual_return, downside_risk


def sharpe_ratio(returns: Numbers, periods_per_year: float, risk_free: float = 0.0) -> float | None:
    """Return mean per sample standard deviation of the returns, times the root of the periods.

    ``risk_free`` is per period. None below two returns, or if they are all the same.

    Source: Sharpe (1994), "The Sharpe Ratio", The Journal of Portfolio Management 21(1).
    """
    excess = without_nan(returns) - risk_free
    middle, spread = mean(excess), deviation(excess)
    if middle is None or not spread:
        return None
    return middle / spread * math.sqrt(periods_per_year)


def sharpe_ratio_seed(returns: Numbers) -> float:
    """Return the ratio by the population deviation and the root of 252; 0 where there is none."""
    known = without_nan(returns)
    middle, spread = mean(known), deviation(known, ddof=0)
    return middle / spread * math.sqrt(252) if middle is not None and spread else 0.0


def sortino_ratio(returns: Numbers, periods_per_year: float, required: float = 0.0) -> float | None:
    """Return the annual mean above ``required`` per annual downside risk.

    Infinite for gains without any shortfall; None below two returns, or of no gain and no loss.

    Source: Sortino and Price (1994), "Performance Measurement in a Downside Risk Framework".
    """
    excess = without_nan(returns) - required
    middle = mean(excess)
    if middle is None or len(excess) < 2:
        return None
    return ratio(middle * periods_per_year, downside_risk(excess, periods_per_year))


def sortino_ratio_seed(returns: Numbers) -> float:
    """Return the ratio by the population deviation of the negative returns alone, root of 252.

    0 where there is none. It differs from the standard one, which counts every return.
    """
    known = without_nan(returns)
    middle, spread = mean(known), deviation(known[known < 0], ddof=0)
    return middle / spread * math.sqrt(252) if middle is not None and spread else 0.0


def calmar_ratio(returns: Numbers, periods_per_year: float) -> float | None:
    """Return the annual return per size of the deepest drawdown; None without a drawdown.

    Source: Young (1991), "Calmar Ratio: A Smoother Tool", Futures magazine.
    """
    falls = drawdowns_of_returns(returns)
    deepest = float(np.min(falls)) if len(falls) else 0.0
    yearly = annual_return(returns, periods_per_year)
    return yearly / -deepest if yearly is not None and deepest < 0 else None


def profit_to_drawdown(total_return: float | None, deepest: float) -> float:
    """Return the size of the total return per size of the deepest drawdown; 0 without a drawdown.

    Args:
        total_return: As a fraction; its sign is dropped, as the measure has it.
        deepest: As a fraction of the peak, 0 or negative.
    """
    return abs(total_return / deepest) if total_return is not None and deepest else 0.0


def alpha_beta(
    returns: Numbers, market: Numbers, periods_per_year: float
) -> tuple[float | None, float | None]:
    """Return the annualised intercept and the slope of the returns over the market's.

    Both have one entry a period, in step. None below two, or if the market never moved.

    Source: Jensen (1968), "The Performance of Mutual Funds in the Period 1945-1964".
    """
    slope = beta(returns, market)
    if slope is None:
        return None, None
    own, other = mean(floats(returns)), mean(floats(market))
    assert own is not None
    assert other is not None
    return (1 + own - slope * other) ** periods_per_year - 1, slope


def beta(returns: Numbers, market: Numbers) -> float | None:
    """Return the covariance with the market per variance of the market; None if it never moved.

    Raises:
        ValueError: If there is not one return of the market for each of ours.
    """
    own, other = floats(returns), floats(market)
    if len(own) != len(other):
        raise ValueError(f"market returns: expected {len(own)}, found {len(other)}")
    if not deviation(other):
        return None
    own_mean, other_mean = mean(own), mean(other)
    assert own_mean is not None
    assert other_mean is not None
    centred = other - other_mean
    return ratio(mean((own - own_mean) * centred), mean(centred**2))


def rolling_sharpe(returns: Numbers, window: int, periods_per_year: float) -> Floats:
    """Return the Sharpe ratio of each ``window`` of consecutive returns; NaN where undefined.

    Raises:
        ValueError: If the window is below 1.
    """
    found = (sharpe_ratio(each, periods_per_year) for each in windows(returns, window))
    return np.array([math.nan if each is None else each for each in found])
