"""The table of a backtest over bars, by the names and definitions of backtesting.py."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime

import attrs
import numpy as np

from runtime.research.measures.arrays import Floats, Numbers, floats, mean
from runtime.research.measures.drawdowns import (
    average_drawdown,
    durations_ns,
    episodes,
    max_drawdown,
)
from runtime.research.measures.equity import Times, daily, days_per_year
from runtime.research.measures.ratios import beta
from runtime.research.measures.returns import (
    compound_growth,
    compounded_volatility,
    geometric_mean,
    simple_returns,
)
from runtime.research.measures.trades import trade_statistics
from runtime.research.round_trips import RoundTrip

Table = dict[str, float | str | None]

_SECOND = 1_000_000_000
_DAY = 86_400


@attrs.frozen(kw_only=True)
class BarBacktest:
    """A finished backtest over bars.

    Attributes:
        times_ns: What each bar is called: its opening time, growing.
        equity: The account at each bar's close, ``(n_bars,)``.
        closes: Each bar's close, ``(n_bars,)``.
        trips: The trades, by time of entry. A time between two bars falls to the earlier one; where
            trades are made at a bar's close, their times must be the bar's own.
        first_bar: The first bar at which every indicator has a value.
    """

    times_ns: Times
    equity: Numbers
    closes: Numbers
    trips: Sequence[RoundTrip]
    first_bar: int = 0


def backtest_statistics(run: BarBacktest) -> Table:
    """Return the table: ``Return (Ann.) [%]``, ``Avg. Drawdown Duration`` and so on.

    Shares are in percent; times and durations are text (``3116 days 00:00:00``), mean durations
    rounded up to the bars' distance; what is not defined is None. The year has 252 days, or 365 for
    data with weekends. ``Commissions [$]`` is there only if there were any.

    Source: backtesting.py, ``compute_stats``.
    """
    equity, closes = floats(run.equity), floats(run.closes)
    table: Table = {
        "Start": _time(int(run.times_ns[0])),
        "End": _time(int(run.times_ns[-1])),
        "Duration": _duration(int(run.times_ns[-1]) - int(run.times_ns[0])),
        "Exposure Time [%]": 100 * _exposure(run),
        "Equity Final [$]": float(equity[-1]),
        "Equity Peak [$]": float(np.max(equity)),
    }
    fees = math.fsum(float(trip.fees) for trip in run.trips)
    if fees:
        table["Commissions [$]"] = fees
    table.update(_returns(run, equity, closes))
    table.update(_drawdowns(run, equity))
    table.update(_trades(run))
    return table


def _returns(run: BarBacktest, equity: Floats, closes: Floats) -> Table:
    gained = 100 * (float(equity[-1]) / float(equity[0]) - 1)
    held = 100 * (float(closes[-1]) / float(closes[run.first_bar]) - 1)
    slope = _log_beta(equity, closes)
    year = days_per_year(run.times_ns)
    days = simple_returns(daily(run.times_ns, equity)[1])
    grown = (1 + (geometric_mean(days) or 0.0)) ** year - 1
    volatility = compounded_volatility(days, year)
    square = mean(np.minimum(days, 0.0) ** 2)
    duration_ns = int(run.times_ns[-1]) - int(run.times_ns[0])
    return {
        "Return [%]": gained,
        "Buy & Hold Return [%]": held,
        "Return (Ann.) [%]": 100 * grown,
        "Volatility (Ann.) [%]": _percent(volatility),
        "CAGR [%]": _percent(compound_growth(float(equity[0]), float(equity[-1]), duration_ns)),
        "Sharpe Ratio": grown / volatility if volatility else None,
        "Sortino Ratio": grown / math.sqrt(square * year) if square else None,
        "Calmar Ratio": grown / -max_drawdown(equity) if max_drawdown(equity) else None,
        "Alpha [%]": None if slope is None else gained - slope * held,
        "Beta": slope,
    }


def _log_beta(equity: Floats, closes: Floats) -> float | None:
    if float(np.min(equity)) <= 0 or len(equity) < 3:
        return None
    return beta(np.diff(np.log(equity)), np.diff(np.log(closes)))


def _drawdowns(run: BarBacktest, equity: Floats) -> Table:
    stays = episodes(equity)
    spans = durations_ns(stays, run.times_ns)
    return {
        "Max. Drawdown [%]": 100 * max_drawdown(equity),
        "Avg. Drawdown [%]": _percent(average_drawdown(stays)),
        "Max. Drawdown Duration": _rounded(run.times_ns, [max(spans)] if spans else []),
        "Avg. Drawdown Duration": _rounded(run.times_ns, spans),
    }


def _trades(run: BarBacktest) -> Table:
    figures = trade_statistics(run.trips)
    spans = [trip.duration_ns for trip in run.trips]
    return {
        "# Trades": figures["trades"],
        "Win Rate [%]": _percent(figures["win_rate"]),
        "Best Trade [%]": _percent(figures["best_trade"]),
        "Worst Trade [%]": _percent(figures["worst_trade"]),
        "Avg. Trade [%]": _percent(figures["avg_trade"]),
        "Max. Trade Duration": _rounded(run.times_ns, [max(spans)] if spans else []),
        "Avg. Trade Duration": _rounded(run.times_ns, spans),
        "Profit Factor": figures["profit_factor_of_returns"],
        "Expectancy [%]": _percent(figures["expectancy_return"]),
        "SQN": figures["sqn"],
        "Kelly Criterion": figures["kelly"],
    }


def _exposure(run: BarBacktest) -> float:
    """Return the share of bars with an open trade, those of entry and exit included."""
    is_open = np.zeros(len(run.times_ns), dtype=np.bool_)
    times = np.asarray(run.times_ns, dtype=np.int64)
    for trip in run.trips:
        first, last = np.searchsorted(times, (trip.opened_ns, trip.closed_ns), side="right") - 1
        is_open[max(int(first), 0) : int(last) + 1] = True
    return float(np.mean(is_open))


def _rounded(times_ns: Times, spans_ns: Sequence[int]) -> str | None:
    """Return the mean of durations, rounded up to the distance of the last hundred bars."""
    if not spans_ns:
        return None
    step_ns = int(np.median(np.diff(np.asarray(times_ns[-100:], dtype=np.int64))))
    return _duration(-(-sum(spans_ns) // (len(spans_ns) * step_ns)) * step_ns)


def _percent(fraction: float | None) -> float | None:
    return None if fraction is None else 100 * fraction


def _time(time_ns: int) -> str:
    return f"{datetime.fromtimestamp(time_ns // _SECOND, UTC):%Y-%m-%d %H:%M:%S}"


def _duration(span_ns: int) -> str:
    days, seconds = divmod(span_ns // _SECOND, _DAY)
    return f"{days} days {seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
