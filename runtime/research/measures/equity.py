"""The measures of an equity curve: which returns they are taken of, and by what year."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby

import attrs
import numpy as np
import numpy.typing as npt

from runtime.research.measures.arrays import Floats, Numbers, deviation, floats
from runtime.research.measures.drawdowns import (
    average_drawdown,
    drawdowns,
    durations_ns,
    episodes,
    max_drawdown,
    ulcer_index,
)
from runtime.research.measures.ratios import (
    calmar_ratio,
    profit_to_drawdown,
    sharpe_ratio,
    sharpe_ratio_seed,
    sortino_ratio,
    sortino_ratio_seed,
)
from runtime.research.measures.returns import (
    DAY_NS,
    annual_return,
    annual_volatility,
    compound_growth,
    compounded_volatility,
    conditional_value_at_risk,
    gain_to_loss,
    kurtosis,
    simple_returns,
    skewness,
    tail_ratio,
    value_at_risk,
    volatility_seed,
    winning_share,
)

Times = Sequence[int] | npt.NDArray[np.int64]
EquityFigures = dict[str, float | str | None]

_SECOND = 1_000_000_000
_YEAR_NS = 365 * DAY_NS
_FEWEST_DAYS = 20
"""So many daily returns at least: with fewer, the samples themselves say more."""
WEEKDAYS_ONLY, EVERY_DAY = 252, 365
_MOST_WEEKDAYS = 262
"""There are never more weekdays than this in a year."""


@attrs.frozen(kw_only=True)
class Periods:
    """The returns that measures are taken of.

    ``basis`` is ``daily`` or ``sample``; ``per_year`` is how many of them make a year.
    """

    basis: str
    returns: Floats
    per_year: float


def days_per_year(times_ns: Times) -> int:
    """Return 365 for data that have weekends, else 252.

    They do if the share of their rows on Saturdays and Sundays (UTC) is above 60 % of 2/7. Below a
    week nobody can tell: markets that never close are assumed.

    Source: backtesting.py, ``compute_stats``.
    """
    if not len(times_ns) or times_ns[-1] - times_ns[0] < 7 * DAY_NS:
        return EVERY_DAY
    weekend = sum(_weekday(int(each)) >= 5 for each in times_ns)
    return EVERY_DAY if weekend / len(times_ns) > 2 / 7 * 0.6 else WEEKDAYS_ONLY


def daily(times_ns: Times, values: Numbers, *, weekends: bool = True) -> tuple[list[int], Floats]:
    """Return the last value of each UTC day that has any, with the days as numbers since 1970.

    Without ``weekends``, Saturdays and Sundays are left out; what changed on them falls to Monday.
    """
    rows = zip((int(each) // DAY_NS for each in times_ns), floats(values).tolist(), strict=True)
    last = {day: list(group)[-1][1] for day, group in groupby(rows, lambda row: row[0])}
    days = [day for day in last if weekends or _weekday(day * DAY_NS) < 5]
    return days, floats([last[day] for day in days])


def periods(times_ns: Times, equity: Numbers, year: int | None = None) -> Periods | None:
    """Return the returns to measure: daily ones where there are enough, else between the samples.

    Daily ones need 20 returns and samples that are a day apart or less. Between samples, a year is
    365 days of the clock, whatever ``year`` says.

    Args:
        times_ns: When each value was taken, growing.
        equity: The values.
        year: Days of trading in a year; by default, what the data show (:func:`days_per_year`).

    Returns:
        None for a curve that touches 0 (what comes after has no return) or has no duration.
    """
    values = floats(equity)
    if len(values) < 2 or float(np.min(values)) <= 0 or times_ns[-1] <= times_ns[0]:
        return None
    per_year = days_per_year(times_ns) if year is None else year
    if (np.median(np.diff(np.asarray(times_ns, dtype=np.int64)))) <= DAY_NS:
        _, ends = daily(times_ns, values, weekends=year is None or year > _MOST_WEEKDAYS)
        if len(ends) > _FEWEST_DAYS:
            return Periods(basis="daily", returns=simple_returns(ends), per_year=per_year)
    returns = simple_returns(values)
    interval_ns = (int(times_ns[-1]) - int(times_ns[0])) / len(returns)
    return Periods(basis="sample", returns=returns, per_year=_YEAR_NS / interval_ns)


def equity_statistics(
    times_ns: Times, equity: Numbers, periods_per_year: int | None = None
) -> EquityFigures:
    """Return the figures of an equity curve by name; what is not defined is None.

    Ratios take the risk-free rate as 0. ``*_seed`` are the definitions of a system that some users
    come from: population deviation, 252 periods whatever the market, and for Sortino the deviation
    of the negative returns alone. Drawdowns are negative fractions; all else is said by the names.
    What a year would compound to (annual return, CAGR, Calmar) is not said of less than a day.

    Args:
        times_ns: When each value was taken, growing.
        equity: The values, the starting capital first.
        periods_per_year: Days of trading in a year: 252 or 365; by default what the data show.
    """
    values = floats(equity)
    found = periods(times_ns, values, periods_per_year)
    figures: EquityFigures = {
        "basis": None if found is None else found.basis,
        "periods_per_year": None if found is None else found.per_year,
        "returns": 0 if found is None else len(found.returns),
        **_of_the_curve(times_ns, values),
    }
    samples = floats([]) if found is None else simple_returns(values)
    measured = Periods(basis="", returns=samples, per_year=1) if found is None else found
    figures.update(_of_the_returns(measured))
    figures.update(_of_the_seed(samples, values))
    return figures


def _of_the_curve(times_ns: Times, values: Floats) -> EquityFigures:
    stays = episodes(values)
    spans = durations_ns(stays, times_ns)
    deepest = max_drawdown(values)
    gained = _gained(values)
    whole_ns = int(times_ns[-1]) - int(times_ns[0]) if len(values) else 0
    return {
        "total_return": gained,
        "cagr": (
            compound_growth(float(values[0]), float(values[-1]), whole_ns)
            if whole_ns >= DAY_NS
            else None
        ),
        "peak": float(np.max(values)) if len(values) else None,
        "max_drawdown": deepest,
        "avg_drawdown": average_drawdown(stays),
        "max_drawdown_duration_s": max(spans) / _SECOND if spans else None,
        "avg_drawdown_duration_s": sum(spans) / len(spans) / _SECOND if spans else None,
        "ulcer_index": ulcer_index(drawdowns(values)[1:]),
        "profit_to_drawdown": profit_to_drawdown(gained, deepest),
    }


def _of_the_returns(found: Periods) -> EquityFigures:
    returns, year = found.returns, found.per_year
    return {
        "annual_return": _yearly(returns, year),
        "volatility": annual_volatility(returns, year),
        "volatility_compounded": _compounded(returns, year),
        "sharpe_ratio": sharpe_ratio(returns, year),
        "sortino_ratio": sortino_ratio(returns, year),
        "calmar_ratio": _calmar(returns, year),
        "omega_ratio": gain_to_loss(returns),
        "tail_ratio": tail_ratio(returns),
        "value_at_risk_5pct": value_at_risk(returns),
        "conditional_value_at_risk_5pct": conditional_value_at_risk(returns),
        "skew": skewness(returns),
        "kurtosis": kurtosis(returns),
        "winning_days": winning_share(returns, counts_zeros=True),
    }


def _of_the_seed(samples: Floats, values: Floats) -> EquityFigures:
    return {
        "volatility_seed": volatility_seed(samples),
        "sharpe_ratio_seed": sharpe_ratio_seed(samples),
        "sortino_ratio_seed": sortino_ratio_seed(samples),
        "max_drawdown_seed": abs(max_drawdown(values)),
        "winning_days_seed": winning_share(samples, counts_zeros=True),
    }


def _gained(values: Floats) -> float | None:
    return float(values[-1] / values[0] - 1) if len(values) and values[0] > 0 else None


def _compounds(returns: Floats, year: float) -> bool:
    """Return whether to say what a year of these returns would compound to.

    Not below a day of them: a run that gained 1 % in a minute would end the year with more money
    than there are atoms. Nor where floats cannot hold it.
    """
    if len(returns) * 365 < year:
        return False
    spread = deviation(returns) or 0.0
    drift = abs(math.fsum(math.log1p(each) for each in returns.tolist())) / len(returns)
    return year * (2 * drift + math.log1p(spread**2)) < 300


def _yearly(returns: Floats, year: float) -> float | None:
    return annual_return(returns, year) if _compounds(returns, year) else None


def _compounded(returns: Floats, year: float) -> float | None:
    return compounded_volatility(returns, year) if _compounds(returns, year) else None


def _calmar(returns: Floats, year: float) -> float | None:
    return calmar_ratio(returns, year) if _compounds(returns, year) else None


def _weekday(time_ns: int) -> int:
    """Return the day of the week in UTC, 0 for Monday."""
    return datetime.fromtimestamp(time_ns // _SECOND, UTC).weekday()
