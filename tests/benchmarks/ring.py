"""The whole ring: quotes and bars with and without trades, and one order from signal to fill."""

import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import attrs
import numpy as np
import trio

from actors.actor import Context, Core
from actors.brokers.models.commission import PercentageCommission
from actors.brokers.simulated import SimulatedBroker, SimulatedBrokerConfig
from actors.messages.account import PositionChanged
from actors.messages.market import EventKind, Quote
from actors.messages.slices import Slice
from actors.model.instrument import Instrument, InstrumentId, Instruments
from actors.orders.manager import OrderManager
from actors.portfolio.config import PortfolioConfig
from actors.portfolio.portfolio import Portfolio
from actors.risk.loss import Drawdown
from actors.risk.market import PriceCollar, SelfTrade
from actors.risk.orders import MaxOpenOrders, MaxOrderNotional, MaxOrderSize
from actors.risk.policy import RiskPolicy
from actors.risk.positions import CashLimit, InventoryLimit, NoShort, PositionLimit
from actors.strategies import Strategy, StrategyConfig
from actors.strategies.average_cross import AverageCross
from runtime.config.model import SupervisionConfig
from runtime.kernel.determinism import seeded_numpy
from runtime.system.system import System
from runtime.wiring.blueprint import CORES, Blueprint
from runtime.wiring.plant import build_live
from runtime.wiring.routes import Role

SEED = 20_260_101
_START_NS = 1_767_225_600_000_000_000
_MINUTE_NS = 60_000_000_000
_MILLISECOND_NS = 1_000_000
_FEE = Decimal("0.001")
_SLICE_ROWS = 4096
_LOTS = 1_000_000
_PLENTY = 1 << 50
CASH = Decimal(10_000_000)
TICK = Decimal("0.01")


def walk(rows: int, name: str) -> "np.ndarray[Any, np.dtype[np.int64]]":
    """Return a random walk in ticks, above 0; the same one each time."""
    steps = seeded_numpy(SEED, name).integers(-5, 6, rows)
    path: np.ndarray[Any, np.dtype[np.int64]] = 1_000_000 + np.cumsum(steps)
    return path


@attrs.frozen(kw_only=True)
class Columns:
    """Generated columns of one instrument: quotes or bars."""

    kind: EventKind
    interval_ns: int
    a: Any
    b: Any
    c: Any
    d: Any
    e: Any


def quote_columns(rows: int) -> Columns:
    """Return quotes a millisecond apart, one tick wide."""
    bids = walk(rows, "quotes")
    lots = np.full(rows, _LOTS)
    return Columns(
        kind=EventKind.QUOTE,
        interval_ns=_MILLISECOND_NS,
        a=bids,
        b=bids + 1,
        c=lots,
        d=lots,
        e=np.zeros(rows, dtype=np.int64),
    )


def bar_columns(rows: int) -> Columns:
    """Return one-minute bars."""
    closes = walk(rows, "bars")
    opens = np.concatenate((closes[:1], closes[:-1]))
    return Columns(
        kind=EventKind.BAR,
        interval_ns=_MINUTE_NS,
        a=opens,
        b=np.maximum(opens, closes) + 3,
        c=np.minimum(opens, closes) - 3,
        d=closes,
        e=np.full(rows, _LOTS),
    )


class Generated:
    """A source of generated columns."""

    def __init__(self, instruments: Instruments, columns: Columns, slice_rows: int) -> None:
        self._instruments = instruments
        self._columns = columns
        self._slice_rows = slice_rows
        self._index = instruments.add(
            Instrument(
                id=InstrumentId("BENCH"),
                venue="generated",
                symbol="BENCH",
                tick=TICK,
                lot=Decimal("0.001"),
            )
        )

    def slices(self, resume_ns: int) -> Iterator[Slice]:
        """Yield everything, in slices."""
        columns = self._columns
        rows = len(columns.a)
        for start in range(0, rows, self._slice_rows):
            stop = min(start + self._slice_rows, rows)
            numbers = np.arange(start, stop)
            nothing = np.zeros(stop - start, dtype=np.int64)
            yield Slice(
                self._instruments,
                {
                    "time_ns": _START_NS + (numbers + 1) * columns.interval_ns,
                    "venue_time_ns": nothing,
                    "kind": nothing + columns.kind,
                    "instrument": nothing + self._index,
                    "a": columns.a[start:stop],
                    "b": columns.b[start:stop],
                    "c": columns.c[start:stop],
                    "d": columns.d[start:stop],
                    "e": columns.e[start:stop],
                    "line": numbers + 1,
                    "source": nothing,
                },
            )

    def summary(self) -> dict[str, Any]:
        """Return nothing: nobody reads it."""
        return {}


class SilentCross(AverageCross):
    """The cross that counts instead of trading."""

    turns = 0

    def _turn(self, instrument: Instrument, side: int) -> None:
        SilentCross.turns += 1


class RoundAndRound(Strategy):
    """Sends a market order; when it hears of its position, the next one, the other way."""

    @attrs.frozen(kw_only=True)
    class Parameters:
        """How many orders it sends."""

        orders: int = 1000

    parameters: Parameters

    def on_start(self) -> None:
        """Begin flat."""
        self._left = self.parameters.orders
        self._side = 1

    def on_quote(self, quote: Quote) -> None:
        """Begin at the first quote."""
        if self._left == self.parameters.orders:
            self._send(quote.instrument.id)

    def on_position(self, position: PositionChanged) -> None:
        """Go on."""
        if self._left:
            self._send(position.instrument)

    def _send(self, instrument: str) -> None:
        self._left -= 1
        self._side = -self._side
        self.target(instrument, self._side)


class Requoter(Strategy):
    """Keeps one order to buy well below the market: cancels it and places another now and then."""

    @attrs.frozen(kw_only=True)
    class Parameters:
        """How often, in quotes, and how far below the bid, in ticks."""

        every: int = 100
        below: int = 1000

    parameters: Parameters

    def on_start(self) -> None:
        """Begin without an order."""
        self._left = 1
        self._order = ""

    def on_quote(self, quote: Quote) -> None:
        """Count, and quote anew when it is time."""
        self._left -= 1
        if self._left:
            return
        self._left = self.parameters.every
        if self._order:
            self.cancel(self._order)
        limit = quote.instrument.price(quote.bid_ticks - self.parameters.below)
        self._order = self.buy(quote.instrument, 1, limit=limit, post_only=True)


FEW_POLICIES: tuple[RiskPolicy, ...] = (
    PositionLimit(max_size=Decimal(100)),
    CashLimit(),
    NoShort(),
)
TEN_POLICIES: tuple[RiskPolicy, ...] = (
    *FEW_POLICIES,
    InventoryLimit(max_value_usd=Decimal(10_000_000)),
    MaxOrderSize(max_size=Decimal(100)),
    MaxOrderNotional(max_notional=Decimal(10_000_000)),
    MaxOpenOrders(max_orders=100),
    PriceCollar(max_deviation=Decimal("0.5")),
    SelfTrade(),
    Drawdown(max_drawdown=Decimal("0.5")),
)


def blueprint(
    columns: Columns,
    strategy: type[Strategy],
    parameters: Any = None,
    policies: tuple[RiskPolicy, ...] = FEW_POLICIES,
) -> Blueprint:
    """Return a run of one strategy: 0.1 % commission, no latency."""
    instruments = Instruments()
    source = Generated(instruments, columns, _SLICE_ROWS)
    broker = SimulatedBrokerConfig(commission=PercentageCommission(_FEE))
    portfolio = PortfolioConfig(
        cash=CASH,
        policies=policies,
        fee_rate=_FEE,
        equity_interval_ns=1440 * _MINUTE_NS,
    )
    setting = StrategyConfig(parameters=parameters)
    makers: dict[Role, Callable[[Context], Core]] = {
        Role.BROKER: lambda context: SimulatedBroker(context, instruments, broker),
        Role.ORDERS: lambda context: OrderManager(context, instruments),
        Role.PORTFOLIO: lambda context: Portfolio(context, instruments, portfolio),
    }
    return Blueprint(
        run_id="bench",
        seed=SEED,
        instruments=instruments,
        cores=makers,
        strategies={"strategy": lambda context: strategy(context, instruments, setting)},
        wants={"strategy": strategy.wants},
        sources={"feed": lambda _incarnation: source},
        supervision={name: SupervisionConfig() for name in (*CORES, "strategy", "feed")},
    )


@attrs.frozen(kw_only=True)
class Timing:
    """How long a run took, how many orders and fills it had, and what these came to."""

    seconds: float
    orders: int
    fills: int
    cash: Decimal
    commission: Decimal


def timed(made: Blueprint, journal: bool = False) -> Timing:
    """Run a blueprint in simulated time."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "journal.db" if journal else None
        system = System(made, journal_path=path)
        started = time.perf_counter()
        system.run()
        seconds = time.perf_counter() - started
    assert system.failure is None, system.failure
    portfolio = system.cores[Role.PORTFOLIO]
    orders = len(list(system.cores[Role.ORDERS].orders()))
    return Timing(
        seconds=seconds,
        orders=orders,
        fills=len(portfolio.fills),
        cash=portfolio.cash,
        commission=portfolio.commission,
    )


def round_trips(
    orders: int, policies: tuple[RiskPolicy, ...] = FEW_POLICIES, lots: int = _PLENTY
) -> Blueprint:
    """Return a run in which one strategy sends order after order at one quote of so many lots.

    Below 0 their number is not known, and the venue keeps no account of what was taken of them.
    """
    columns = attrs.evolve(quote_columns(2), c=np.full(2, lots), d=np.full(2, lots))
    parameters = RoundAndRound.Parameters(orders=orders)
    return blueprint(columns, RoundAndRound, parameters, policies)


def live_order(orders: int, *, journal: bool = False) -> float:
    """Return seconds for one order round the live ring, each after the fill of the one before."""
    with TemporaryDirectory() as folder:
        return _live_order(orders, Path(folder) / "journal.db" if journal else None)


def _live_order(orders: int, journal: Path | None) -> float:
    async def main() -> float:
        plant = build_live(round_trips(orders), journal, lambda _report: None)
        assert plant.quiescence is not None
        async with trio.open_nursery() as nursery:
            started = time.perf_counter()
            await nursery.start(plant.root.run)
            portfolio = plant.cells[Role.PORTFOLIO].core
            assert isinstance(portfolio, Portfolio)
            while len(portfolio.fills) < orders:  # noqa: ASYNC110 - nothing inside may tell
                await trio.sleep(0.01)
            seconds = time.perf_counter() - started
            plant.root.request_stop()
        if plant.journal is not None:
            plant.journal.close()
        return seconds / orders

    return trio.run(main)
