"""The figures of a run as plain JSON data."""

from collections.abc import Mapping, Sequence
from typing import Any

from actors.model.money import plain
from runtime.observe.result import PositionRow, RunResult, Statistics, TradingFigures
from runtime.observe.times import iso_time
from runtime.research.measures.arrays import finite


def to_json(statistics: Statistics, result: RunResult) -> dict[str, Any]:
    """Return the figures as plain JSON data: money as text, ratios as numbers or null.

    The same run gives the same data: no wall time is in it.
    """
    return {
        "run_id": result.run_id,
        "name": result.name,
        "mode": result.mode,
        "seed": result.seed,
        "started": iso_time(result.started_ns),
        "finished": iso_time(result.finished_ns),
        "duration_ns": result.finished_ns - result.started_ns,
        "exit_code": int(result.exit_code),
        "reason": result.reason,
        "events": result.events,
        "messages": result.messages,
        "currency": result.currency,
        "starting_cash": plain(result.starting_cash),
        "final_cash": plain(statistics.final_cash),
        "final_equity": plain(statistics.final_equity),
        "return": statistics.total_return,
        "max_drawdown": statistics.max_drawdown,
        "sharpe": statistics.sharpe,
        "turnover": statistics.turnover,
        "exposure_time": statistics.exposure_time,
        **_figures_json(statistics.trading),
        "order_statuses": dict(statistics.order_statuses),
        "signals_refused": statistics.signals_refused,
        "refusals": dict(sorted(result.refusals.items())),
        "alerts": len(result.alerts),
        "malformed_lines": result.malformed_lines,
        "book_gaps": result.book_gaps,
        "gave_up": list(result.gave_up),
        "open_positions": [
            _position_json(row) for row in result.positions if row.position.quantity
        ],
        "positions": [_position_json(row) for row in result.positions],
        "strategies": {name: _figures_json(each) for name, each in statistics.strategies.items()},
        "instruments": {name: _figures_json(each) for name, each in statistics.instruments.items()},
        "equity": _finite(statistics.equity),
        "trades": _finite(statistics.trades),
        "trades_by": _finite(statistics.trades_by),
        "distributions": _finite(statistics.distributions),
        "execution": _finite(statistics.execution),
        "execution_quality": _finite(statistics.execution_quality),
    }


def _finite(value: Any) -> Any:
    """Return plain data with null in place of numbers that JSON does not have, at any depth."""
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_finite(each) for each in value]
    return finite(value) if isinstance(value, float) else value


def _position_json(row: PositionRow) -> dict[str, Any]:
    position = row.position
    return {
        "strategy": position.strategy,
        "instrument": position.instrument,
        "quantity": plain(position.quantity),
        "cost": plain(position.cost),
        "mark": None if row.mark is None else plain(row.mark),
    }


def _figures_json(figures: TradingFigures) -> dict[str, Any]:
    return {
        "orders": figures.orders,
        "fills": figures.fills,
        "traded": plain(figures.traded),
        "fees": plain(figures.fees),
        "realized_pnl": plain(figures.realized_pnl),
        "unrealized_pnl": plain(figures.unrealized_pnl),
        "round_trips": figures.round_trips,
        "win_rate": figures.win_rate,
        "profit_factor": figures.profit_factor,
    }
