"""What a run is made of: the shape of a configuration file.

Components (feeds, strategies, policies, models of the broker) are named by type; their options
stay plain here and are structured into the component's own class by whoever builds it.
"""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any

import attrs

from actors.model.instrument import Instrument
from actors.orders.config import OrderManagerConfig
from actors.portfolio.books.settings import CostMethod
from actors.portfolio.config import EquitySampling, HoldingsRule
from actors.safety.config import KillSwitchConfig
from runtime.config.conversion import HIDDEN, REST
from runtime.config.daemon import CrashConfig, DaemonConfig, StopConfig
from runtime.config.document import Document

_LARGEST_SEED = 2**63 - 1
_SECOND = 1_000_000_000

Options = Mapping[str, Any]


class Mode(StrEnum):
    """What drives a run's time and data."""

    BACKTEST = "backtest"
    REPLAY = "replay"
    SIMULATE = "simulate"
    PAPER = "paper"
    """Real time, and orders that go to a venue which is not one."""
    LIVE = "live"
    """Real time and real money."""

    @property
    def is_real_time(self) -> bool:
        """Return whether the clock is the wall's."""
        return self in (Mode.PAPER, Mode.LIVE)


class JournalKind(StrEnum):
    """Where messages are recorded."""

    SQLITE = "sqlite"
    NONE = "none"


def _at_least(least: int, most: int | None = None) -> Any:
    """Return a validator of numbers from ``least`` on."""
    rule = f"{least} or more" if most is None else f"a number from {least} to {most}"

    def check(_owner: object, _field: object, value: Any) -> None:
        if value < least or (most is not None and value > most):
            raise ValueError(f"expected {rule}, found {value}")

    return check


def _above_zero(_owner: object, _field: object, value: Any) -> None:
    if value <= 0:
        raise ValueError("expected more than 0, found 0 or less")


def _name(_owner: object, _field: object, value: str) -> None:
    allowed = value.replace("-", "").replace("_", "")
    if not (allowed.isascii() and allowed.isalnum()):
        raise ValueError(f"expected letters, digits, - and _, found {value!r}")


def _some(_owner: object, _field: object, value: tuple[object, ...]) -> None:
    if not value:
        raise ValueError("expected at least one, found none")


@attrs.frozen(kw_only=True)
class BackoffConfig:
    """How long a restart waits: ``base * factor ** n``, at most ``cap``, plus or minus jitter."""

    base_ns: int = 0
    factor: float = attrs.field(default=2.0, validator=_at_least(1))
    cap_ns: int = 30 * _SECOND
    jitter: float = attrs.field(default=0.1, validator=_at_least(0, 1))
    healthy_ns: int = 60 * _SECOND


@attrs.frozen(kw_only=True)
class SupervisionConfig:
    """How often an actor may fail: ``intensity`` restarts within ``period_ns``.

    In real time, one that takes longer than ``start_timeout_ns`` to start has failed.
    """

    intensity: int = attrs.field(default=3, validator=_at_least(0))
    period_ns: int = attrs.field(default=60 * _SECOND, validator=_above_zero)
    backoff: BackoffConfig = BackoffConfig()
    quarantine_after: int = attrs.field(default=3, validator=_at_least(1))
    start_timeout_ns: int = attrs.field(default=30 * _SECOND, validator=_above_zero)


@attrs.frozen(kw_only=True)
class Component:
    """A part by the name of its type, with the options that its own class knows."""

    type: str
    options: Options = attrs.field(factory=dict, metadata={REST: True})


@attrs.frozen(kw_only=True)
class FeedConfig:
    """A source of market rows."""

    name: str = attrs.field(validator=_name)
    type: str
    supervision: SupervisionConfig | None = None
    options: Options = attrs.field(factory=dict, metadata={REST: True})


class Placement(StrEnum):
    """Where a strategy runs."""

    LOOP = "loop"
    """In the event loop, with all others: the fastest; one that computes for long holds them up."""
    THREAD = "thread"
    """Beside the event loop, in the same interpreter: it slows the others down only."""
    PROCESS = "process"
    """In an interpreter of its own, which is killed when it does not answer."""


@attrs.frozen(kw_only=True)
class WarmUpConfig:
    """Recorded rows that a strategy is shown when it begins without a saved state.

    Either what one of the run's feeds has sent (a recording's rows from before its ``from``, too),
    or a source of its own: a ``type`` of feed, with that feed's options. Only rows from before the
    strategy begins are shown. In real time those of an own source are shown at the times that they
    were recorded at, and those of instruments that the run does not know yet are left out.

    Attributes:
        last_ns: How long the stretch is, up to the latest of these rows.
        feed: The name of a feed.
        type: The type of a source of its own.
        options: That one's options.
    """

    last_ns: int = attrs.field(validator=_above_zero)
    feed: str | None = None
    type: str | None = None
    options: Options = attrs.field(factory=dict, metadata={REST: True})

    def __attrs_post_init__(self) -> None:
        if (self.feed is None) == (self.type is None):
            found = "neither" if self.feed is None else "both"
            raise ValueError(f"expected the name of a feed or the type of a source, found {found}")
        if self.feed is not None and self.options:
            found = ", ".join(self.options)
            raise ValueError(f"expected nothing but last beside a feed, found {found}")


@attrs.frozen(kw_only=True)
class StrategyConfig:
    """A strategy; no instruments means every one. No supervision of its own: the run's.

    A ``preset`` (see :mod:`actors.strategies.presets`) is filled in when a configuration is read;
    here it only says where the rest has come from.

    Attributes:
        placement: Where it runs; the results are the same.
        deadline_ns: In real time, how long a strategy in a thread or process may take over one
            message; after that it has failed.
        heartbeat_ns: In real time, how often one in a process is asked whether it is still there
            while there is nothing else to ask.
        warm_up: What it is shown when it begins without a saved state. In real time this is part of
            its start, which has ``start_timeout``: in the loop all others wait meanwhile, and in a
            thread it must be over within the deadline. Where there is much to read: a process.
    """

    name: str = attrs.field(validator=_name)
    type: str
    preset: str | None = None
    instruments: tuple[str, ...] = ()
    parameters: Options = attrs.field(factory=dict)
    supervision: SupervisionConfig | None = None
    placement: Placement = Placement.LOOP
    deadline_ns: int = attrs.field(default=2 * _SECOND, validator=_above_zero)
    heartbeat_ns: int = attrs.field(default=_SECOND, validator=_above_zero)
    warm_up: WarmUpConfig | None = None


@attrs.frozen(kw_only=True)
class PortfolioConfig:
    """The account: what it starts with, how it is kept, and what may refuse an order.

    ``balances`` is what it starts with by currency, beside ``cash`` or in its place. ``holdings``,
    the tolerances and ``starting_cash_from_venue`` go for runs whose venue is compared with.
    """

    cash: Decimal = attrs.field(default=Decimal(10_000), validator=_at_least(0))
    currency: str = "USD"
    balances: Mapping[str, Decimal] = attrs.field(factory=dict)
    fx: Mapping[str, Decimal | str] = attrs.field(factory=dict)
    equity: EquitySampling = EquitySampling.GRID
    equity_samples: int = attrs.field(default=2048, validator=_at_least(4))
    equity_interval_ns: int = attrs.field(default=_SECOND, validator=_above_zero)
    cost_method: CostMethod = CostMethod.AVERAGE
    money_step: Decimal | None = None
    leverage: Decimal = attrs.field(default=Decimal(1), validator=_at_least(1))
    liquidate_at: Decimal | None = None
    market_order_buffer: Decimal = attrs.field(default=Decimal(0), validator=_at_least(0))
    auto_redeem: bool = True
    holdings: HoldingsRule = HoldingsRule.REFUSE
    position_tolerance: Decimal = attrs.field(default=Decimal(0), validator=_at_least(0))
    cash_tolerance: Decimal = attrs.field(default=Decimal("0.01"), validator=_at_least(0))
    starting_cash_from_venue: bool = False
    max_fills: int | None = attrs.field(
        default=None, validator=attrs.validators.optional(_at_least(1))
    )
    policies: tuple[Component, ...] = ()

    @property
    def starting_cash(self) -> Decimal:
        """Return what it starts with in its own currency."""
        return self.balances.get(self.currency, self.cash)


@attrs.frozen(kw_only=True)
class BrokerConfig:
    """Where orders go; a model that is None is the broker's own default.

    A ``preset`` (see :mod:`actors.brokers.presets`) is filled in when a configuration is read; here
    it only says where the rest has come from.
    """

    type: str = "simulated"
    preset: str | None = None
    latency: Component | None = None
    commission: Component | None = None
    slippage: Component | None = None
    options: Options = attrs.field(factory=dict, metadata={REST: True})


@attrs.frozen(kw_only=True)
class RunConfig:
    """A whole run.

    Attributes:
        name: Part of the run's id and of its folder's name.
        mode: What drives time and data.
        seed: Decides every draw of chance.
        journal: Whether messages are recorded.
        slice_rows: How many market rows travel together; changes speed, never results.
        speed: Of a replay: 0 is as fast as possible, 1 as recorded, 2 twice that.
        close_out: Whether open positions are closed when the data have ended.
        enable_risk_checks: Whether the policies are asked; if not, every order is approved.
        enable_metrics: Whether the journal is read at the end for metrics and latencies.
        enable_excursions: Whether the data are read once more at the end, for how far prices went
            for and against each trade, and where they were some seconds after each fill.
        periods_per_year: Days of trading in a year, for annual figures: 252 or 365; by default
            what the data show.
        portfolio: The account.
        orders: Ageing, clean-up and the guard against duplicate orders.
        instruments: Definitions that go before those of the feeds.
        feeds: Where rows come from; at least one.
        strategies: What trades.
        default_strategies: Whether a market analysis and a log of events are among them; they are
            filled in when a configuration is read.
        broker: Where orders go.
        kill_switch: When trading is halted by itself; None for no kill switch.
        supervision: What goes for every actor that has none of its own.
        daemon: How long a run in real time lasts, and what it tells of itself.
        stop: How a run in real time is stopped.
        crash: What a run in real time does when it fails.
        document: The file as it was read: says where each key stands.
    """

    name: str = attrs.field(default="run", validator=_name)
    mode: Mode
    seed: int = attrs.field(default=0, validator=_at_least(0, _LARGEST_SEED))
    journal: JournalKind = JournalKind.SQLITE
    slice_rows: int = attrs.field(default=4096, validator=_at_least(1))
    speed: float = attrs.field(default=0.0, validator=_at_least(0))
    close_out: bool = True
    enable_risk_checks: bool = True
    enable_metrics: bool = True
    enable_excursions: bool = False
    periods_per_year: int | None = attrs.field(
        default=None, validator=attrs.validators.optional(_at_least(1, 366))
    )
    portfolio: PortfolioConfig = PortfolioConfig()
    orders: OrderManagerConfig = attrs.field(factory=OrderManagerConfig)
    instruments: tuple[Instrument, ...] = ()
    feeds: tuple[FeedConfig, ...] = attrs.field(validator=_some)
    strategies: tuple[StrategyConfig, ...] = ()
    default_strategies: bool = False
    broker: BrokerConfig = BrokerConfig()
    kill_switch: KillSwitchConfig | None = None
    supervision: SupervisionConfig = SupervisionConfig()
    daemon: DaemonConfig = attrs.field(factory=DaemonConfig)
    stop: StopConfig = attrs.field(factory=StopConfig)
    crash: CrashConfig = attrs.field(factory=CrashConfig)
    document: Document = attrs.field(
        factory=lambda: Document(file="(built)"), eq=False, repr=False, metadata={HIDDEN: True}
    )
