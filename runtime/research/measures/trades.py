"""Measures of round trips: how often they won, how much, how evenly, and when."""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from itertools import groupby

from runtime.research.measures.arrays import deviation, mean, ratio, total
from runtime.research.measures.returns import gain_to_loss, geometric_mean
from runtime.research.round_trips import RoundTrip

TradeFigures = dict[str, float | None]
_SECOND = 1_000_000_000
_NUMBER = re.compile(r"(?<![\w.-])[+-]?\d[\d,_]*(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w-])")


def trade_statistics(trips: Sequence[RoundTrip]) -> TradeFigures:
    """Return the figures of round trips by name; what is not defined is None.

    Money is after fees, in the account's currency; returns are fractions of the money opened.

    ============================== =============================================================
    name                           is
    ============================== =============================================================
    trades                         their number
    win_rate                       share of those that made money
    profit_factor                  money won per money lost; infinite without loss
    profit_factor_of_returns       the same of the returns
    avg_win, avg_loss              mean of the winning, of the losing (negative)
    max_win, max_loss              the best, the worst (negative)
    avg_holding_time               hours
    avg_trade_size                 units
    expectancy                     mean money a trip
    expectancy_return              mean return a trip
    best_trade, worst_trade        highest and lowest return
    avg_trade                      geometric mean of the returns
    sqn, sqn_population            system quality number, by the sample's deviation and by the
                                   population's
    kelly                          the share of capital that Kelly's rule would stake
    longest_winning_streak         most winning trips in a row; of losing, longest_losing_streak
    avg_duration_s, max_duration_s seconds
    avg_worst, avg_best            mean excursions against and for the trips, where measured
    ============================== =============================================================

    Source: Van Tharp (2008), "Definitive Guide to Position Sizing" (SQN); Kelly (1956), "A New
        Interpretation of Information Rate".
    """
    pnl = [float(trip.pnl) for trip in trips]
    returns = [each for trip in trips if (each := trip.return_fraction) is not None]
    won, lost = [each for each in pnl if each > 0], [each for each in pnl if each < 0]
    return {
        "trades": len(pnl),
        "win_rate": ratio(len(won), len(pnl)) if pnl else None,
        "profit_factor": gain_to_loss(pnl),
        "profit_factor_of_returns": gain_to_loss(returns),
        "avg_win": mean(won),
        "avg_loss": mean(lost),
        "max_win": max(won, default=None),
        "max_loss": min(lost, default=None),
        "avg_holding_time": mean([trip.holding_hours for trip in trips]),
        "avg_trade_size": mean([float(trip.quantity) for trip in trips]),
        "expectancy": mean(pnl),
        "expectancy_return": mean(returns),
        "best_trade": max(returns, default=None),
        "worst_trade": min(returns, default=None),
        "avg_trade": geometric_mean(returns),
        "sqn": sqn(pnl),
        "sqn_population": sqn(pnl, ddof=0),
        "kelly": kelly(pnl),
        "longest_winning_streak": streak(each > 0 for each in pnl),
        "longest_losing_streak": streak(each < 0 for each in pnl),
        **_of_the_way(trips),
    }


def _of_the_way(trips: Sequence[RoundTrip]) -> TradeFigures:
    """Return how long the trips took and how far prices went meanwhile."""
    durations = [trip.duration_ns for trip in trips]
    return {
        "avg_duration_s": sum(durations) / len(durations) / _SECOND if durations else None,
        "max_duration_s": max(durations) / _SECOND if durations else None,
        "avg_worst": mean([trip.worst for trip in trips if trip.worst is not None]),
        "avg_best": mean([trip.best for trip in trips if trip.best is not None]),
    }


def sqn(pnl: Sequence[float], *, ddof: int = 1) -> float | None:
    """Return the system quality number: mean per deviation, times the root of the number.

    None where there is no deviation. ``ddof`` is 1 for the sample's deviation, 0 for the
    population's.
    """
    middle, spread = mean(pnl), deviation(pnl, ddof=ddof)
    if middle is None or not spread:
        return None
    return math.sqrt(len(pnl)) * middle / spread


def kelly(pnl: Sequence[float]) -> float | None:
    """Return the Kelly criterion, ``w - (1 - w) / (mean win / mean loss)``.

    ``w`` is the share of wins. None unless something was won and something lost.
    """
    won, lost = mean([each for each in pnl if each > 0]), mean([each for each in pnl if each < 0])
    if won is None or lost is None:
        return None
    share = sum(each > 0 for each in pnl) / len(pnl)
    return share - (1 - share) / (won / -lost)


def streak(outcomes: Iterable[bool]) -> int:
    """Return the longest run of true outcomes."""
    return max((sum(1 for _ in run) for is_hit, run in groupby(outcomes) if is_hit), default=0)


def grouped(
    trips: Iterable[RoundTrip], name_of: Callable[[RoundTrip], str]
) -> dict[str, TradeFigures]:
    """Return the number, the money and the share of wins of the trips of each name, by name."""
    groups: dict[str, list[RoundTrip]] = {}
    for trip in trips:
        groups.setdefault(name_of(trip), []).append(trip)
    return {name: _brief(groups[name]) for name in sorted(groups)}


def _brief(trips: Sequence[RoundTrip]) -> TradeFigures:
    pnl = [float(trip.pnl) for trip in trips]
    return {
        "trades": len(trips),
        "realized_pnl": total(pnl),
        "fees": total([float(trip.fees) for trip in trips]),
        "win_rate": sum(each > 0 for each in pnl) / len(trips),
        "profit_factor": gain_to_loss(pnl),
    }


def breakdowns(trips: Sequence[RoundTrip]) -> dict[str, dict[str, TradeFigures]]:
    """Return the trips by reason of entry, reason of exit, instrument, strategy and hour (UTC).

    Reasons that differ only in their numbers are one: ``edge # a pair``.
    """
    return {
        "reason": grouped(trips, lambda trip: without_numbers(trip.entry_reason)),
        "exit": grouped(trips, lambda trip: without_numbers(trip.exit_reason)),
        "instrument": grouped(trips, lambda trip: trip.instrument),
        "strategy": grouped(trips, lambda trip: trip.strategy),
        "hour": grouped(trips, lambda trip: _hour(trip.opened_ns)),
    }


def without_numbers(text: str) -> str:
    """Return a text with ``#`` in place of each number that stands alone."""
    return _NUMBER.sub("#", text)


def _hour(time_ns: int) -> str:
    return f"{datetime.fromtimestamp(time_ns // _SECOND, UTC):%H}"
