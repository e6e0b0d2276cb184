"""The figures of a run, from its fills, its equity curve and its marks."""

import math
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

from actors.model.money import plain
from actors.model.order import OrderStatus
from runtime.observe.result import (
    OrderRow,
    PositionRow,
    RunResult,
    Statistics,
    TradingFigures,
)
from runtime.observe.times import iso_time
from runtime.research.round_trips import RoundTrip, TradeBook, trade_books

_YEAR_NS = 365 * 86_400 * 1_000_000_000
_ZERO = Decimal(0)

Books = Mapping[tuple[str, str], TradeBook]


def statistics(result: RunResult) -> Statistics:
    """Return the figures of a run; everything follows from the fills, the marks and the curve."""
    books = trade_books(result.fills)
    marks = {row.position.instrument: row.mark for row in result.positions}
    trading = _figures(books, marks, result.orders)
    cash = result.starting_cash + sum((book.cash_flow for book in books.values()), _ZERO)
    held = sum((_held(book, marks.get(key[1])) for key, book in books.items()), _ZERO)
    curve = _curve(result, cash + held)
    statuses = [row.status for row in result.orders]
    return Statistics(
        trading=trading,
        strategies=_grouped(books, marks, result.orders, 0, lambda row: row.order.strategy),
        instruments=_grouped(books, marks, result.orders, 1, lambda row: row.order.instrument),
        order_statuses={
            status.value: statuses.count(status) for status in OrderStatus if status in statuses
        },
        signals_refused=sum(result.refusals.values()),
        final_cash=cash,
        final_equity=cash + held,
        total_return=_ratio(cash + held - result.starting_cash, result.starting_cash),
        max_drawdown=max_drawdown([value for _, value in curve]),
        sharpe=_sharpe_of_curve(curve),
        turnover=_ratio(trading.traded, result.starting_cash),
    )


def max_drawdown(equity: Sequence[float]) -> float:
    """Return the deepest fall below the highest value so far, as a fraction: -0.25 is 25 %.

    0 for a curve that never falls; values while the peak is not above 0 are left out.
    """
    peak, deepest = -math.inf, 0.0
    for value in equity:
        peak = max(peak, value)
        if peak > 0:
            deepest = min(deepest, value / peak - 1)
    return deepest


def sharpe_ratio(returns: Sequence[float], periods_per_year: float) -> float | None:
    """Return mean per sample standard deviation of the returns, times the root of the periods.

    The risk-free rate is taken as 0. None below two returns, or if they are all the same.

    Source: Sharpe (1994), "The Sharpe Ratio", The Journal of Portfolio Management 21(1).
    """
    count = len(returns)
    if count < 2:
        return None
    mean = math.fsum(returns) / count
    variance = math.fsum((each - mean) ** 2 for each in returns) / (count - 1)
    # below this the differences are only what rounding has left
    if variance <= (1e-12 * abs(mean)) ** 2:
        return None
    return mean / math.sqrt(variance) * math.sqrt(periods_per_year)


def win_rate(trips: Sequence[RoundTrip]) -> float | None:
    """Return the share of round trips that made money after fees; None without any."""
    return sum(trip.pnl > 0 for trip in trips) / len(trips) if trips else None


def profit_factor(trips: Sequence[RoundTrip]) -> float | None:
    """Return what the winning trips made per unit that the losing ones lost; None without loss."""
    won = sum((trip.pnl for trip in trips if trip.pnl > 0), _ZERO)
    lost = sum((-trip.pnl for trip in trips if trip.pnl < 0), _ZERO)
    return _ratio(won, lost)


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
        "positions": [
            {
                "strategy": row.position.strategy,
                "instrument": row.position.instrument,
                "quantity": plain(row.position.quantity),
                "cost": plain(row.position.cost),
                "mark": None if row.mark is None else plain(row.mark),
            }
            for row in result.positions
        ],
        "strategies": {name: _figures_json(each) for name, each in statistics.strategies.items()},
        "instruments": {name: _figures_json(each) for name, each in statistics.instruments.items()},
    }


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


def _figures(
    books: Books, marks: Mapping[str, Decimal | None], orders: Sequence[OrderRow]
) -> TradingFigures:
    trips = [trip for book in books.values() for trip in book.trips]
    unrealized = (book.unrealized_pnl(marks.get(key[1])) for key, book in books.items())
    return TradingFigures(
        orders=len(orders),
        fills=sum(book.fills for book in books.values()),
        traded=sum((book.traded for book in books.values()), _ZERO),
        fees=sum((book.fees for book in books.values()), _ZERO),
        realized_pnl=sum((book.realized_pnl for book in books.values()), _ZERO),
        unrealized_pnl=sum(unrealized, _ZERO),
        round_trips=len(trips),
        win_rate=win_rate(trips),
        profit_factor=profit_factor(trips),
    )


def _grouped(
    books: Books,
    marks: Mapping[str, Decimal | None],
    orders: Sequence[OrderRow],
    part: int,
    name_of: Callable[[OrderRow], str],
) -> dict[str, TradingFigures]:
    """Return the figures by one part of the books' keys: 0 is the strategy, 1 the instrument."""
    orders_by_name: dict[str, list[OrderRow]] = {}
    for row in orders:
        orders_by_name.setdefault(name_of(row), []).append(row)
    names = {key[part] for key in books} | set(orders_by_name)
    return {
        name: _figures(
            {key: book for key, book in books.items() if key[part] == name},
            marks,
            orders_by_name.get(name, []),
        )
        for name in sorted(names)
    }


def _held(book: TradeBook, mark: Decimal | None) -> Decimal:
    """Return what an open position is worth; without a mark, what it cost."""
    if mark is not None:
        return mark * book.quantity
    return book.cost if book.quantity > 0 else -book.cost


def _curve(result: RunResult, final_equity: Decimal) -> list[tuple[int, float]]:
    """Return the equity curve with its two ends: what there was at first and at last."""
    curve = [(mark.time_ns, float(mark.equity)) for mark in result.equity]
    if not curve or curve[0][0] > result.started_ns:
        curve.insert(0, (result.started_ns, float(result.starting_cash)))
    if curve[-1][0] < result.finished_ns:
        curve.append((result.finished_ns, float(final_equity)))
    return curve


def _sharpe_of_curve(curve: Sequence[tuple[int, float]]) -> float | None:
    """Annualise by the mean distance of the samples; a year has 365 days: markets never close.

    None for a curve that touches 0: what comes after has no return.
    """
    values = [value for _, value in curve]
    if min(values) <= 0 or curve[-1][0] <= curve[0][0]:
        return None
    returns = [after / before - 1 for before, after in pairwise(values)]
    interval_ns = (curve[-1][0] - curve[0][0]) / len(returns)
    return sharpe_ratio(returns, _YEAR_NS / interval_ns)


def _ratio(part: Decimal, whole: Decimal) -> float | None:
    return float(part / whole) if whole else None
