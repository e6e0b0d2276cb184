"""Cases 09 to 14, 16, 18 and 19, and others of their kinds: backtests on bars against their peers.

What a case says in words (lengths of averages, commission, margin) is read from its definition, so
that cases on other data can be put beside these.
"""

import json
import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from statistics import mean, pstdev
from typing import Any

import attrs
import pytest

from actors.feeds.replay import ReplayFeed, ReplayOptions
from actors.messages.account import EquityMarked
from actors.messages.market import Bar
from actors.model.instrument import Instrument, Instruments
from actors.model.order import Side
from runtime.observe.result import RunResult
from runtime.research.measures.drawdowns import max_drawdown
from runtime.research.peers import BarBacktest, backtest_statistics
from runtime.research.round_trips import RoundTrip, trade_books
from tests.ring.rig import config, run
from tests.shared import cases, conformance, shared_file

HOUR_NS = 3600 * 1_000_000_000
DAY_NS = 24 * HOUR_NS
SESSION_NS = 16 * HOUR_NS
"""Daily bars close at 16:00 and the next opens at 0:00: between them the account is valued."""
TRADERS = Path(__file__).with_name("traders.py")


def said(case: Mapping[str, Any], pattern: str, default: str) -> str:
    """Return what a definition says, by a pattern with one group."""
    found = re.search(pattern, " ".join(case["definition"]))
    return found.group(1) if found else default


def data_of(case: Mapping[str, Any]) -> Path:
    """Return the case's file of bars."""
    return shared_file(case["input_files"][0]["path"])


def bars_of(path: Path, **options: Any) -> list[Bar]:
    """Return the bars of a file, as a feed tells them."""
    feed = ReplayFeed(Instruments(), ReplayOptions(path=str(path), options=options))
    return [event for rows in feed.slices(0) for event in rows.events() if isinstance(event, Bar)]


@attrs.frozen(kw_only=True)
class Backtest:
    """What is run: a trader on a file of bars."""

    path: Path
    trader: str
    parameters: Mapping[str, Any] = attrs.field(factory=dict)
    options: Mapping[str, Any] = attrs.field(factory=dict)
    feed: Mapping[str, Any] = attrs.field(factory=dict)
    broker: Mapping[str, Any] = attrs.field(factory=dict)
    portfolio: Mapping[str, Any] = attrs.field(factory=dict)
    instruments: Sequence[Mapping[str, Any]] = ()
    close_out: bool = False

    def run(self) -> RunResult:
        """Run it through the engine."""
        feed = {
            "name": "bars",
            "type": "replay",
            "path": str(self.path),
            "format": "bars_csv",
            "options": self.options,
            **self.feed,
        }
        trader = {
            "name": "trader",
            "type": f"{TRADERS}:{self.trader}",
            "parameters": self.parameters,
        }
        document = {
            "mode": "backtest",
            "journal": "none",
            "close_out": self.close_out,
            "portfolio": {"equity_samples": 100_000, **self.portfolio},
            "instruments": self.instruments,
            "feeds": [feed],
            "strategies": [trader],
            "broker": self.broker,
        }
        return run(config(json.dumps(document, default=str))).result


def trips_of(result: RunResult) -> list[RoundTrip]:
    """Return the trades of a run, by time."""
    terms: dict[str, Instrument] = {each.id: each for each in result.instruments}
    books = trade_books(result.fills, instruments=terms).values()
    return [trip for book in books for trip in book.trips]


def day(time_ns: int) -> str:
    """Return a day as the cases write it."""
    return f"{datetime.fromtimestamp(time_ns // 1_000_000_000, UTC):%Y-%m-%d}"


def second(time_ns: int) -> str:
    """Return a time as the cases write it."""
    return f"{datetime.fromtimestamp(time_ns // 1_000_000_000, UTC):%Y-%m-%d %H:%M:%S}"


def equity_at(bars: Sequence[Bar], samples: Sequence[EquityMarked]) -> list[float]:
    """Return the account at each bar's close: the first sample after it, the last one at the end.

    Samples are taken before the rows of their instant.
    """
    times = [sample.time_ns for sample in samples]
    places = (min(bisect_right(times, bar.time_ns), len(samples) - 1) for bar in bars)
    return [float(samples[place].equity) for place in places]


# --- always in the market, with everything --------------------------------------------------------


@pytest.mark.parametrize("name", cases("*-backtesting-py-smacross-*"))
def test_sma_cross_with_everything(name: str) -> None:
    case = conformance(name)
    path = data_of(case)
    at_close = said(case, r"(trade_on_close \(orders)", "") != ""
    parts = next(part for part in case["definition"] if part.startswith("fast ="))
    fast, slow = (int(each) for each in re.findall(r"(?:fast|slow) = (\d+)", parts))
    margin = re.search(r"margin = ([\d.]+)", parts)
    commission = re.search(r"commission = ([\d.]+)", parts)
    rate = Decimal(commission[1]) if commission else Decimal(0)
    interval_ns = HOUR_NS if at_close else SESSION_NS
    options = {"interval": f"{interval_ns // HOUR_NS}h", "opens": not at_close}
    bars = bars_of(path, **options)
    last = bars[-2].time_ns if at_close else bars[-1].time_ns - interval_ns
    test = Backtest(
        path=path,
        trader="AllIn",
        options=options,
        parameters={
            "fast": fast,
            "slow": slow,
            "leverage": 1 / Decimal(margin[1]) if margin else 1,
            "commission": rate,
            "at_close": at_close,
            "last": last,
        },
        broker={"commission": {"type": "percentage", "rate": rate}, "bars": "close"},
        portfolio={"equity_interval": "1h" if at_close else "1d"},
    )
    result = test.run()
    trips = trips_of(result)
    assert_trips(bars, trips, case["expected"]["first_trades"], interval_ns, at_close=at_close)
    opened = [bar.time_ns - interval_ns for bar in bars]
    shift = interval_ns if at_close else 0
    moved = [
        attrs.evolve(trip, opened_ns=trip.opened_ns - shift, closed_ns=trip.closed_ns - shift)
        for trip in trips
    ]
    found = backtest_statistics(
        BarBacktest(
            times_ns=opened,
            equity=equity_at(bars, result.equity),
            closes=[bar.close for bar in bars],
            trips=moved,
            first_bar=slow - 1,
        )
    )
    for figure, value in case["expected"]["statistics"].items():
        if isinstance(value, str):
            assert found[figure] == value, figure
        elif figure == "# Trades":
            assert found[figure] == value
        else:
            assert found[figure] == pytest.approx(value, rel=1e-6), figure


def assert_trips(
    bars: Sequence[Bar],
    trips: Sequence[RoundTrip],
    expected: Sequence[Mapping[str, Any]],
    interval_ns: int,
    *,
    at_close: bool,
) -> None:
    """Compare trades with those listed."""
    moments = [bar.time_ns if at_close else bar.time_ns - interval_ns for bar in bars]
    for trip, wanted in zip(trips, expected, strict=False):
        signed = trip.quantity if trip.is_long else -trip.quantity
        assert signed == Decimal(str(wanted["size"]))
        assert moments.index(trip.opened_ns) == wanted["entry_bar"]
        assert moments.index(trip.closed_ns) == wanted["exit_bar"]
        assert float(trip.entry_price) == pytest.approx(wanted["entry_price"], abs=1e-9)
        assert float(trip.exit_price) == pytest.approx(wanted["exit_price"], abs=1e-9)
        assert float(trip.pnl) == pytest.approx(wanted["pnl"], abs=0.01)
        opened = trip.opened_ns - (interval_ns if at_close else 0)
        assert second(opened) == wanted["entry_time"]


# --- stop-limit orders and ruin -------------------------------------------------------------------


@pytest.mark.parametrize("name", cases("*-backtesting-py-stop-limit-margin"))
def test_stop_limits_with_leverage_until_ruin(name: str) -> None:
    case = conformance(name)
    options = {"interval": "16h"}
    path = data_of(case)
    bars = bars_of(path, **options)
    test = Backtest(
        path=path,
        trader="HandPlaced",
        options=options,
        broker={"bars": "next_open"},
        portfolio={"equity_interval": "1d", "leverage": 10, "liquidate_at": 0},
    )
    result = test.run()
    expected = case["expected"]
    trips = trips_of(result)
    days = [day(bar.time_ns) for bar in bars]
    assert len(trips) == len(expected["trades"])
    for trip, wanted in zip(trips, expected["trades"], strict=True):
        signed = trip.quantity if trip.is_long else -trip.quantity
        assert float(signed) == wanted["size"]
        assert trip.entry_price == Decimal(str(wanted["entry_price"]))
        assert trip.exit_price == Decimal(str(wanted["exit_price"]))
        assert days.index(day(trip.opened_ns)) == wanted["entry_bar"]
        assert days.index(day(trip.closed_ns)) == wanted["exit_bar"]
        assert float(trip.pnl) == pytest.approx(wanted["pnl"], abs=0.01)
    equity = equity_at(bars, result.equity)
    assert max(equity) == expected["equity_peak"]
    assert equity[-1] == expected["equity_final"]


# --- one unit, as a stock and as a future ---------------------------------------------------------


@pytest.mark.parametrize("name", cases("*-backtrader-sma*"))
def test_one_unit_above_its_average(name: str) -> None:
    case = conformance(name)
    path = data_of(case)
    bars = bars_of(path)
    multiplier = said(case, r"price change x (\d+)", "1")
    margin = said(case, r"margin (\d+) per open unit", "")
    commission = said(case, r"commission ([\d.]+) per unit", "")
    instrument = {"id": path.name.partition(".")[0], "venue": "recorded", "symbol": "INDEX"}
    future = {**instrument, "multiplier": int(multiplier), "margin": int(margin or 0)}
    test = Backtest(
        path=path,
        trader="OneUnit",
        parameters={"period": int(said(case, r"period = (\d+)", "15"))},
        instruments=[{**future, "tick": "0.01", "lot": 1}] if margin else [],
        broker={
            "bars": "next_open",
            **({"commission": {"type": "per_unit", "amount": commission}} if commission else {}),
        },
        portfolio={"equity_interval": "1d"},
    )
    result = test.run()
    expected = case["expected"]
    for side, wanted in ((Side.BUY, expected["buys"]), (Side.SELL, expected["sells"])):
        fills = [row.fill for row in result.fills if row.fill.side is side]
        assert len(fills) == len(wanted)
        for fill, (date, price) in zip(fills, wanted, strict=True):
            assert day(fill.venue_time_ns - DAY_NS) == date  # the row of a bar comes at its end
            assert float(fill.last_price) == pytest.approx(price, abs=0.005)
    equity = equity_at(bars, result.equity)
    assert equity[-1] == pytest.approx(expected["final_value"], abs=0.01)
    held = sum((row.position.quantity for row in result.positions), Decimal(0))
    last = result.equity[-1]
    free = last.equity - held * Decimal(margin) if margin else last.cash
    assert float(free) == pytest.approx(expected["final_cash"], abs=0.01)
    gains = [float(trip.pnl) for trip in trips_of(result)]
    assert len(gains) == expected["closed_trades"]
    quality = len(gains) ** 0.5 * mean(gains) / pstdev(gains)
    assert quality == pytest.approx(expected["sqn"], abs=1e-9)
    fall = 100 * -max_drawdown(equity)
    assert fall == pytest.approx(expected["max_drawdown_pct"], abs=1e-6)


# --- two orders to turn around --------------------------------------------------------------------


@pytest.mark.parametrize("name", cases("*-nautilus-ema-btc*"))
def test_ema_flips_at_the_close(name: str) -> None:
    case = conformance(name)
    path, expected = data_of(case), case["expected"]
    rows = expected["bars"]
    every = bars_of(path, bar_time="close")
    size = said(case, r"Trade size ([\d.]+)", "0.001")
    fee = Decimal(said(case, r"fee ([\d.]+) %", "0.1")) / 100
    start = said(case, r"start (\d+) BTC", "10")
    cash = said(case, r"and ([\d,]+) USDT", "10,000,000").replace(",", "")
    test = Backtest(
        path=path,
        trader="EmaFlips",
        parameters={"quantity": size},
        options={"bar_time": "close", "currency": "USDT"},
        feed={"to": f"{second(every[rows].time_ns).replace(' ', 'T')}Z"},
        broker={"bars": "close", "commission": {"type": "percentage", "rate": fee}},
        portfolio={"cash": cash, "currency": "USDT", "equity_interval": "1d"},
        close_out=True,
    )
    result = test.run()
    assert result.events == rows
    assert len(result.orders) == expected["orders"]
    fills = [row.fill for row in result.fills]
    told = [[fill.side.value, f"{fill.last_price:.1f}"] for fill in fills]
    assert told[: len(expected["first_fills"])] == expected["first_fills"]
    assert told[-len(expected["last_fills"]) :] == expected["last_fills"]
    fees = sum((fill.commission for fill in fills), Decimal(0))
    assert abs(fees - Decimal(expected["fees_usdt"])) <= Decimal("1e-6")
    assert abs(result.equity[-1].cash - Decimal(expected["final_usdt"])) <= Decimal("1e-6")
    held = sum((row.position.quantity for row in result.positions), Decimal(0))
    assert Decimal(start) + held == Decimal(expected["final_btc"])


# --- orders for one day ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", cases("*-pyalgotrade-sma-*"))
def test_orders_that_live_for_one_bar(name: str) -> None:
    case = conformance(name)
    limits = said(case, r"(are limit orders)", "") != ""
    test = Backtest(
        path=data_of(case),
        trader="DayOrders",
        parameters={
            "fast": int(said(case, r"fast (\d+)", "10")),
            "slow": int(said(case, r"slow (\d+)", "25")),
            "quantity": int(said(case, r"enter long (\d+) shares", "10")),
            "limits": limits,
        },
        broker={"bars": "next_open"},
        portfolio={"cash": 1000, "equity_interval": "1d"},
    )
    result = test.run()
    expected = case["expected"]
    assert float(result.equity[-1].equity) == pytest.approx(expected["final_equity"], abs=0.005)
    told = iter(result.fills)
    for date, what, price in expected["fills"]:
        for row in [next(told) for _ in range(2 if what.endswith("x2") else 1)]:
            assert day(row.fill.venue_time_ns - DAY_NS) == date
            assert float(row.fill.last_price) == pytest.approx(price, abs=0.005)
            assert what.partition(" ")[0] in ("enter", "exit", row.fill.side.value.lower())
    assert next(told, None) is None
