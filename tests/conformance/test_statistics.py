"""Cases 20 and 21, and the statistics of the backtests 09, 10, 12, 13 and 14.

The backtests' equity and trades come from a loop written from their definitions: these are tests of
the statistics, not of the engine.
"""

import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import attrs
import numpy as np
import pytest

from runtime.research.measures.drawdowns import (
    drawdowns_of_returns,
    max_drawdown,
    rolling_max_drawdown,
    ulcer_index,
)
from runtime.research.measures.ratios import (
    calmar_ratio,
    rolling_sharpe,
    sharpe_ratio,
    sortino_ratio,
)
from runtime.research.measures.returns import (
    annual_return,
    annual_volatility,
    conditional_value_at_risk,
    downside_risk,
    gain_to_loss,
    simple_returns,
    tail_ratio,
    total_return,
    value_at_risk,
    winning_share,
)
from runtime.research.measures.trades import trade_statistics
from runtime.research.peers import BarBacktest, backtest_statistics
from runtime.research.round_trips import RoundTrip
from tests.shared import conformance, shared_file

_YEAR = 252
_PEERS_OF_RETURNS: dict[str, Callable[[Any], float | None]] = {
    "cum_returns_final": total_return,
    "comp": total_return,
    "max_drawdown": lambda r: float(np.min(drawdowns_of_returns(r))),
    "annual_return": lambda r: annual_return(r, _YEAR),
    "cagr": lambda r: annual_return(r, _YEAR),
    "annual_volatility": lambda r: annual_volatility(r, _YEAR),
    "volatility": lambda r: annual_volatility(r, _YEAR),
    "sharpe_ratio": lambda r: sharpe_ratio(r, _YEAR),
    "sharpe": lambda r: sharpe_ratio(r, _YEAR),
    "sortino_ratio": lambda r: sortino_ratio(r, _YEAR),
    "sortino": lambda r: sortino_ratio(r, _YEAR),
    "calmar_ratio": lambda r: calmar_ratio(r, _YEAR),
    "downside_risk": lambda r: downside_risk(r, _YEAR),
    "downside_risk_required_0_1": lambda r: downside_risk(r, _YEAR, 0.1),
    "omega_ratio": gain_to_loss,
    "profit_factor": gain_to_loss,
    "tail_ratio": tail_ratio,
    "value_at_risk_5pct": value_at_risk,
    "conditional_value_at_risk_5pct": conditional_value_at_risk,
    "win_rate": winning_share,
    "ulcer_index": lambda r: ulcer_index(drawdowns_of_returns(r)),
}


def _vector(name: str) -> list[float]:
    vectors = conformance("20-empyrical-vectors")["expected"]["vectors"]
    return [float(each) for each in vectors[name]]


@pytest.mark.parametrize("name", ["mixed_returns", "positive_returns", "negative_returns"])
def test_measures_of_fixed_vectors_are_those_of_a_peer(name: str) -> None:
    expected = conformance("20-empyrical-vectors")["expected"]["results"][name]
    returns = _vector(name)
    for measure, value in expected.items():
        tolerance = 5e-5 if measure == "cum_returns_final" else 1e-8
        found = _PEERS_OF_RETURNS[measure](returns)
        assert found == pytest.approx(float(value), abs=tolerance), measure


def test_rolling_measures_are_those_of_a_peer() -> None:
    expected = conformance("20-empyrical-vectors")["expected"]["rolling"]
    returns, window = _vector(expected["series"]), expected["window"]

    falls = rolling_max_drawdown(returns, window)
    assert falls.tolist() == pytest.approx(expected["max_drawdown"], abs=5e-5)
    ratios = rolling_sharpe(returns, window, _YEAR)
    assert ratios.tolist() == pytest.approx(expected["sharpe"], abs=1e-8)


@pytest.mark.parametrize("peer", ["empyrical", "quantstats"])
def test_measures_of_real_returns_are_those_of_two_peers(peer: str) -> None:
    case = conformance("21-returns-statistics-goog")["expected"]
    returns = simple_returns([bar.close for bar in _bars("data/bars/GOOG.csv")])
    assert len(returns) == case["returns"]
    for measure, value in case[peer].items():
        assert _PEERS_OF_RETURNS[measure](returns) == pytest.approx(value, rel=1e-8), measure


@attrs.frozen
class _Bar:
    time_ns: int
    open: float
    close: float


def _bars(path: str) -> list[_Bar]:
    lines = shared_file(path).read_text().splitlines()
    head = lines[0].split(",")
    columns = head.index("Open"), head.index("Close")
    rows = [line.split(",") for line in lines[1:]]
    return [_Bar(_time_ns(row[0]), *(float(row[i]) for i in columns)) for row in rows]


def _time_ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000_000


def _averages(closes: list[float], period: int) -> list[float]:
    return [
        math.nan if i + 1 < period else math.fsum(closes[i + 1 - period : i + 1]) / period
        for i in range(len(closes))
    ]


def _crosses(closes: list[float]) -> Iterator[tuple[int, int]]:
    """Yield the bars at which SMA(10) crosses SMA(30), with the side it is on afterwards."""
    fast, slow = _averages(closes, 10), _averages(closes, 30)
    for i in range(30, len(closes)):
        for side in (1, -1):
            before, after = side * (fast[i - 1] - slow[i - 1]), side * (fast[i] - slow[i])
            if before < 0 < after:
                yield i, side


def _always_in_the_market(
    bars: list[_Bar], *, commission: float = 0.0, leverage: int = 1, at_close: bool = False
) -> BarBacktest:
    """Trade the crosses with everything there is, as the definition of the cases has it."""
    n = len(bars)
    deals = [
        (i, bars[i].close, side) if at_close else (i + 1, bars[i + 1].open, side)
        for i, side in _crosses([bar.close for bar in bars])
        if i + 1 < n
    ]
    deals.append((n - 2, bars[-2].close, 0) if at_close else (n - 1, bars[-1].open, 0))
    cash, size, entry, begun = 10_000.0, 0, 0.0, 0
    equity = np.full(n, cash)
    trips: list[RoundTrip] = []
    for (i, price, side), upto in zip(deals, [*(deal[0] for deal in deals[1:]), n], strict=True):
        if size:
            paid = commission * abs(size) * (entry + price)
            cash += size * (price - entry) - commission * abs(size) * price
            trips.append(_trip(size, (entry, price), (bars[begun], bars[i]), paid))
        size, entry, begun = (
            side * math.floor(cash * leverage / (price * (1 + commission))),
            price,
            i,
        )
        cash -= commission * abs(size) * price
        for j in range(i, upto):
            equity[j] = cash + size * (bars[j].close - entry)
    return BarBacktest(
        times_ns=[bar.time_ns for bar in bars],
        equity=equity,
        closes=[bar.close for bar in bars],
        trips=trips,
        first_bar=29,
    )


def _trip(
    size: int, prices: tuple[float, float], bars: tuple[_Bar, _Bar], fees: float
) -> RoundTrip:
    entry, leave = (Decimal(repr(price)) for price in prices)
    return RoundTrip(
        is_long=size > 0,
        quantity=Decimal(abs(size)),
        entry_price=entry,
        exit_price=leave,
        opened_ns=bars[0].time_ns,
        closed_ns=bars[1].time_ns,
        notional=abs(size) * entry,
        pnl=size * (leave - entry) - Decimal(fees),
        fees=Decimal(fees),
    )


_BACKTESTS: dict[str, dict[str, Any]] = {
    "09-backtesting-py-smacross-goog": {},
    "10-backtesting-py-smacross-goog-commission": {"commission": 0.002},
    "12-backtesting-py-smacross-eurusd": {"leverage": 20, "at_close": True},
}


@pytest.mark.parametrize("name", _BACKTESTS)
def test_the_table_of_a_backtest_is_that_of_a_peer(name: str) -> None:
    case = conformance(name)
    bars = _bars(case["input_files"][0]["path"])
    expected = case["expected"]["statistics"]
    table = backtest_statistics(_always_in_the_market(bars, **_BACKTESTS[name]))

    assert list(table) == list(expected)
    for figure, value in expected.items():
        wanted = value if isinstance(value, str) else pytest.approx(value, rel=1e-8)
        assert table[figure] == wanted, figure


@pytest.mark.parametrize(
    ("name", "multiplier", "commission"),
    [("13-backtrader-sma15-stock", 1, 0), ("14-backtrader-sma15-futures", 10, 2)],
)
def test_the_system_quality_number_and_the_drawdown_are_those_of_a_peer(
    name: str, multiplier: int, commission: int
) -> None:
    case = conformance(name)
    expected = case["expected"]
    bars = _bars(case["input_files"][0]["path"])
    by_day = {
        datetime.fromtimestamp(bar.time_ns // 10**9, UTC).date().isoformat(): bar for bar in bars
    }
    deals = sorted(
        [(day, 1, price) for day, price in expected["buys"]]
        + [(day, -1, price) for day, price in expected["sells"]]
    )
    trips: list[RoundTrip] = []
    cash, size, entry, begun = 10_000.0, 0, 0.0, bars[0]
    equity: list[float] = []
    for day, bar in by_day.items():
        for _, side, price in (deal for deal in deals if deal[0] == day):
            if side < 0:
                trips.append(_trip(multiplier, (entry, price), (begun, bar), 2.0 * commission))
                cash += multiplier * (price - entry)
            size, entry, begun = size + side, price, bar
            cash -= commission
        equity.append(cash + size * multiplier * (bar.close - entry))
    figures = trade_statistics(trips)

    assert figures["trades"] == expected["closed_trades"]
    assert figures["sqn_population"] == pytest.approx(expected["sqn"], abs=1e-9)
    assert equity[-1] == pytest.approx(expected["final_value"], abs=0.01)
    assert -100 * max_drawdown(equity) == pytest.approx(expected["max_drawdown_pct"], abs=1e-6)
