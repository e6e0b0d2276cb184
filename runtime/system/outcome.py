"""What a system that has run says of itself, as values for reports."""

from decimal import Decimal

import attrs

from actors.messages.account import TradingState
from actors.orders.manager import OrderManager
from actors.orders.records import OrderRecord
from actors.portfolio.portfolio import Portfolio
from runtime.config.model import RunConfig
from runtime.config.plain import to_plain
from runtime.observe.progress import Progress
from runtime.observe.result import (
    AlertRow,
    ExitCode,
    FeedRow,
    FillRow,
    OrderRow,
    PositionRow,
    RunResult,
    SystemRow,
)
from runtime.system.base import Running
from runtime.wiring.components import run_id
from runtime.wiring.routes import Role
from runtime.wiring.tree import actor_rows

_REASONS = {0: "the market data ended", 130: "interrupted"}


@attrs.frozen(kw_only=True)
class WallTimes:
    """When a run began and ended, by the machine's clock."""

    started_ns: int
    finished_ns: int


def outcome(config: RunConfig, system: Running, wall: WallTimes) -> RunResult:
    """Return the result of a run."""
    portfolio: Portfolio = system.cores[Role.PORTFOLIO]
    orders: OrderManager = system.cores[Role.ORDERS]
    plant = system.plant
    exit_code, reason = _ending(system, portfolio)
    return RunResult(
        run_id=run_id(config),
        name=config.name,
        mode=config.mode,
        seed=config.seed,
        config=to_plain(config),
        starting_cash=config.portfolio.starting_cash,
        currency=config.portfolio.currency,
        started_ns=system.started_ns,
        finished_ns=system.finished_ns,
        wall_started_ns=wall.started_ns,
        wall_finished_ns=wall.finished_ns,
        events=system.rows_passed,
        messages=plant.post.sequence,
        orders=tuple(_order_row(record) for record in orders.orders()),
        fills=tuple(FillRow(time_ns=fill.venue_time_ns, fill=fill) for fill in portfolio.fills),
        equity=tuple(portfolio.equity_curve().samples()),
        positions=tuple(
            PositionRow(position=each, mark=portfolio.mark(each.instrument))
            for each in portfolio.positions()
        ),
        refusals=dict(portfolio.statistics().refused_by),
        alerts=tuple(
            AlertRow(
                time_ns=alert.time_ns,
                strategy=alert.strategy,
                instrument=alert.instrument,
                kind=alert.kind,
                text=alert.text,
            )
            for alert in system.observed.alerts
        ),
        feeds=tuple(
            FeedRow(name=feed.name, summary=system.summary_of(feed)) for feed in plant.feeds
        ),
        actors=system.tree,
        system=tuple(
            SystemRow(time_ns=time_ns, event=event)
            for time_ns, event in system.observed.supervision
        ),
        instruments=tuple(plant.instruments),
        final_cash=portfolio.cash,
        final_equity=portfolio.equity(),
        trading_state=portfolio.trading_state,
        trading_state_cause=portfolio.trading_state_cause,
        exit_code=exit_code,
        reason=reason,
    )


def _ending(system: Running, portfolio: Portfolio) -> tuple[ExitCode, str]:
    """Return how a run has ended: one that went well but was halted by risk says so."""
    if system.exit_code is ExitCode.GOOD and portfolio.trading_state is TradingState.HALTED:
        return ExitCode.RISK_HALTED, f"halted by risk: {portfolio.trading_state_cause}"
    return system.exit_code, system.ending or _REASONS[system.exit_code]


def _order_row(record: OrderRecord) -> OrderRow:
    status, updated_ns, reason = record.history[-1]
    return OrderRow(
        order=record.order,
        status=status,
        filled_quantity=record.filled_quantity,
        filled_cost=record.filled_cost,
        commission=record.commission,
        created_ns=record.received_ns,
        updated_ns=updated_ns,
        reason=reason,
    )


class ProgressOf:
    """Tells how far a system has come; asking changes nothing."""

    def __init__(self, system: Running) -> None:
        self._system = system

    def progress(self) -> Progress:
        """Return where the run is now."""
        if not self._system.has_begun:
            return Progress(time_ns=0)
        plant = self._system.plant
        portfolio = plant.cells[Role.PORTFOLIO].core
        orders = fills = 0
        equity: Decimal | None = None
        if isinstance(portfolio, Portfolio):
            statistics = portfolio.statistics()
            orders, fills, equity = statistics.orders, statistics.fills, portfolio.equity()
        return Progress(
            time_ns=plant.clock.now_ns(),
            events=self._system.rows_passed,
            orders=orders,
            fills=fills,
            equity=equity,
            restarts=sum(row.restarts for row in actor_rows(plant)),
        )
