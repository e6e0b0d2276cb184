"""What a finished run says of itself: values only, from which every report is made."""

from collections.abc import Mapping
from decimal import Decimal
from enum import IntEnum
from typing import Any

import attrs

from actors.messages.account import EquityMarked, PositionChanged, TradingState
from actors.messages.system import (
    ActorFailed,
    ActorGaveUp,
    ActorRestarted,
    Halt,
    MessageQuarantined,
)
from actors.messages.trading import Fill
from actors.model.instrument import Instrument
from actors.model.order import Order, OrderStatus

SystemEvent = ActorFailed | ActorRestarted | ActorGaveUp | MessageQuarantined | Halt


class ExitCode(IntEnum):
    """How a run, or a command, has ended."""

    GOOD = 0
    FAILED = 1
    USAGE = 2
    RISK_HALTED = 3
    VERDICT_FAILED = 4
    INTERRUPTED = 130


@attrs.frozen(kw_only=True)
class OrderRow:
    """An order and how far it came. ``filled_cost`` is the exact sum of price times quantity."""

    order: Order
    status: OrderStatus
    filled_quantity: Decimal = Decimal(0)
    filled_cost: Decimal = Decimal(0)
    commission: Decimal = Decimal(0)
    created_ns: int
    updated_ns: int
    reason: str = ""


@attrs.frozen(kw_only=True)
class FillRow:
    """An execution and when we heard of it."""

    time_ns: int
    fill: Fill


@attrs.frozen(kw_only=True)
class PositionRow:
    """A position at the end, with the latest price of one unit; None if there never was one."""

    position: PositionChanged
    mark: Decimal | None = None


@attrs.frozen(kw_only=True)
class AlertRow:
    """Something that a strategy wanted to be seen."""

    time_ns: int
    strategy: str
    instrument: str
    kind: str
    text: str


@attrs.frozen(kw_only=True)
class ActorRow:
    """One actor at the end (or now): ``name`` is dotted, parents before children.

    Attributes:
        name: ``bulkhead.strategies.cross``; the tree is in the dots.
        state: ``running``, ``backing_off``, ``stopped``, ``gave_up`` and so on.
        restarts: How often a fresh core took over.
        handled: Messages taken from the mailbox so far.
        depth: Messages in the mailbox.
        dropped: Messages that were conflated, quarantined or sent to the dead.
        oldest_age_ns: How long the oldest message waits, None if none does.
        failure: The latest failure in words, empty if there was none.
    """

    name: str
    state: str
    restarts: int = 0
    handled: int = 0
    depth: int = 0
    dropped: int = 0
    oldest_age_ns: int | None = None
    failure: str = ""


@attrs.frozen(kw_only=True)
class FeedRow:
    """A feed and its counts; ``files`` and ``malformed`` are read from them if they are there."""

    name: str
    summary: Mapping[str, Any]


@attrs.frozen(kw_only=True)
class SystemRow:
    """Something that the supervision said."""

    time_ns: int
    event: SystemEvent


@attrs.frozen(kw_only=True)
class RunResult:
    """A finished run.

    Attributes:
        run_id: Part of every order id.
        name: From the configuration, as are ``mode``, ``seed`` and ``currency``.
        config: The configuration as plain data, secrets masked.
        starting_cash: What the account began with.
        started_ns: Virtual time of the first row; ``finished_ns`` of the end.
        wall_started_ns: The machine's time of the start; ``wall_finished_ns`` of the end.
        events: Market rows that passed.
        messages: Messages that were delivered.
        orders: Every order, by receipt.
        fills: Every execution and settlement, in order.
        equity: The equity curve, in order.
        positions: What was held at the end, and what has been.
        refusals: How many signals each policy refused.
        alerts: What the strategies reported.
        feeds: The feeds' counts.
        actors: The supervision tree, parents before children.
        system: Failures, restarts and what was given up, in order.
        instruments: Everything that was, or could have been, traded.
        final_cash: The portfolio's word on its cash at the end, and ``final_equity`` on its worth
            in the account's currency; None where it has none. Fills alone do not explain them
            where there are several currencies, rounded bookings or forgiven debts.
        trading_state: What the portfolio let pass at the end, and ``trading_state_cause`` why.
        exit_code: What the command that ran it returns.
        reason: Why the run ended, in words.
    """

    run_id: str
    name: str
    mode: str
    seed: int
    config: Mapping[str, Any] = attrs.field(factory=dict)
    starting_cash: Decimal
    currency: str = "USD"
    started_ns: int
    finished_ns: int
    wall_started_ns: int = 0
    wall_finished_ns: int = 0
    events: int = 0
    messages: int = 0
    orders: tuple[OrderRow, ...] = ()
    fills: tuple[FillRow, ...] = ()
    equity: tuple[EquityMarked, ...] = ()
    positions: tuple[PositionRow, ...] = ()
    refusals: Mapping[str, int] = attrs.field(factory=dict)
    alerts: tuple[AlertRow, ...] = ()
    feeds: tuple[FeedRow, ...] = ()
    actors: tuple[ActorRow, ...] = ()
    system: tuple[SystemRow, ...] = ()
    instruments: tuple[Instrument, ...] = ()
    final_cash: Decimal | None = None
    final_equity: Decimal | None = None
    trading_state: TradingState = TradingState.ACTIVE
    trading_state_cause: str = ""
    exit_code: ExitCode = ExitCode.GOOD
    reason: str = "the market data ended"

    @property
    def malformed_lines(self) -> int:
        """Return how many lines of the recordings could not be read."""
        return sum(int(feed.summary.get("malformed", 0)) for feed in self.feeds)

    @property
    def book_gaps(self) -> int:
        """Return how often a book has lost its sequence."""
        return sum(int(feed.summary.get("gaps", 0)) for feed in self.feeds)

    @property
    def gave_up(self) -> tuple[str, ...]:
        """Return the actors that stayed down, in the order in which they were given up."""
        return tuple(row.event.actor for row in self.system if isinstance(row.event, ActorGaveUp))


@attrs.frozen(kw_only=True)
class TradingFigures:
    """What some fills came to: of the whole run, of one strategy, of one instrument.

    Money is exact; a ratio is None where it is not defined (nothing to divide by).

    Attributes:
        orders: Orders received.
        fills: Executions, settlements included.
        traded: Sum of price times quantity, settlements left out.
        fees: Commissions paid.
        realized_pnl: Of the closed quantity, by average cost, before fees.
        unrealized_pnl: Of the open quantity at the last mark, before fees.
        round_trips: How often a position came back to nothing (or changed sides).
        win_rate: Share of the round trips that made money after fees.
        profit_factor: What the winning round trips made per unit that the losing ones lost.
    """

    orders: int = 0
    fills: int = 0
    traded: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    realized_pnl: Decimal = Decimal(0)
    unrealized_pnl: Decimal = Decimal(0)
    round_trips: int = 0
    win_rate: float | None = None
    profit_factor: float | None = None


@attrs.frozen(kw_only=True)
class Statistics:
    """The figures of a run.

    Attributes:
        trading: Of all fills together.
        strategies: By strategy, in order of name.
        instruments: By instrument, in order of name.
        order_statuses: How many orders ended in each status, in the order of the statuses.
        signals_refused: How many refusals the policies spoke.
        final_cash: Starting cash and what the fills came to.
        final_equity: Final cash and the open positions at their marks.
        total_return: Final equity per starting cash, less 1; None without cash.
        max_drawdown: The deepest fall of the equity curve below its peak, from -1 to 0.
        sharpe: Of the changes between equity samples, annualised; None below two changes.
        turnover: Traded amount per starting cash; None without cash.
        exposure_time: Share of the run's time during which anything was held.
        equity: The measures of the equity curve, by name.
        trades: The measures of the round trips, by name.
        trades_by: The round trips by reason, exit, instrument, strategy and hour.
        distributions: Histograms of the round trips: edges and counts.
        execution: ``engine_stats``, ``broker_stats``, ``order_stats``.
        execution_quality: Fill ratio, shortfall, slippage, latencies, reasons of rejects.
    """

    trading: TradingFigures
    strategies: Mapping[str, TradingFigures]
    instruments: Mapping[str, TradingFigures]
    order_statuses: Mapping[str, int]
    signals_refused: int
    final_cash: Decimal
    final_equity: Decimal
    total_return: float | None
    max_drawdown: float
    sharpe: float | None
    turnover: float | None
    exposure_time: float | None = None
    equity: Mapping[str, float | str | None] = attrs.field(factory=dict)
    trades: Mapping[str, float | None] = attrs.field(factory=dict)
    trades_by: Mapping[str, Mapping[str, Mapping[str, float | None]]] = attrs.field(factory=dict)
    distributions: Mapping[str, Any] = attrs.field(factory=dict)
    execution: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    execution_quality: Mapping[str, Any] = attrs.field(factory=dict)
