"""The table of a backtest over bars, where there is little or nothing to tell."""

from decimal import Decimal

import pytest

from runtime.research.peers import BarBacktest, backtest_statistics
from runtime.research.round_trips import RoundTrip

DAY = 86_400 * 1_000_000_000


def test_a_backtest_without_trades_has_a_table_too() -> None:
    run = BarBacktest(times_ns=[0, DAY, 2 * DAY], equity=[100] * 3, closes=[1, 2, 3], trips=[])
    table = backtest_statistics(run)

    assert table["# Trades"] == table["Exposure Time [%]"] == table["Return [%]"] == 0
    assert table["Buy & Hold Return [%]"] == pytest.approx(200)
    for name in ("Win Rate [%]", "SQN", "Avg. Trade Duration", "Max. Drawdown Duration"):
        assert table[name] is None
    for name in ("Sharpe Ratio", "Sortino Ratio", "Calmar Ratio"):
        assert table[name] is None
    assert "Commissions [$]" not in table


def test_ruin_has_no_beta() -> None:
    run = BarBacktest(times_ns=[0, DAY, 2 * DAY], equity=[100, 50, 0], closes=[1, 2, 3], trips=[])
    table = backtest_statistics(run)

    assert table["Beta"] is table["Alpha [%]"] is None
    assert table["Max. Drawdown [%]"] == -100


def test_mean_durations_are_rounded_up_to_the_distance_of_the_bars() -> None:
    trips = [
        RoundTrip(opened_ns=0, closed_ns=days * DAY, pnl=Decimal(1), notional=Decimal(10))
        for days in (1, 2)
    ]
    run = BarBacktest(
        times_ns=[i * DAY for i in range(4)],
        equity=[100, 101, 102, 102],
        closes=[1] * 4,
        trips=trips,
    )
    table = backtest_statistics(run)

    assert table["Avg. Trade Duration"] == "2 days 00:00:00"
    assert table["Duration"] == "3 days 00:00:00"
    assert table["Exposure Time [%]"] == 75
    assert table["Beta"] is None
