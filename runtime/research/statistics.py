"""The figures of a run, from its fills, its equity curve and its marks."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from actors.model.order import OrderStatus
from runtime.observe.result import OrderRow, RunResult, Statistics, TradingFigures
from runtime.research.excursions import PricePath, mark_outs, with_excursions
from runtime.research.execution import ExecutionLog
from runtime.research.figures_json import to_json as to_json
from runtime.research.measures.distributions import histogram
from runtime.research.measures.drawdowns import max_drawdown as max_drawdown
from runtime.research.measures.equity import EquityFigures, equity_statistics
from runtime.research.measures.ratios import sharpe_ratio as sharpe_ratio
from runtime.research.measures.trades import breakdowns, trade_statistics
from runtime.research.round_trips import NO_TRADES, RoundTrip, TradeBook, trade_books

_ZERO = Decimal(0)

Books = Mapping[tuple[str, str], TradeBook]


def statistics(
    result: RunResult,
    execution: ExecutionLog | None = None,
    paths: Mapping[str, PricePath] | None = None,
) -> Statistics:
    """Return the figures of a run.

    Everything follows from the fills, the marks, the curve and what became of the orders; what the
    account was worth at the end is the portfolio's word, where the result has it.

    Args:
        result: The run.
        execution: What its journal tells of its orders; without it, what the result does.
        paths: What prices did, by instrument, for excursions and mark-outs.
    """
    books = books_of(result)
    marks = {row.position.instrument: row.mark for row in result.positions}
    trading = _figures(books, marks, result.orders)
    cash = result.starting_cash + sum((book.cash_flow for book in books.values()), _ZERO)
    final = cash + sum((book.held(marks.get(key[1])) for key, book in books.items()), _ZERO)
    cash = cash if result.final_cash is None else result.final_cash
    final = final if result.final_equity is None else result.final_equity
    start = _starting_equity(result)
    trips = with_excursions(trips_of(books), paths or {})
    equity = _of_the_curve(result, start, final)
    statuses = [row.status for row in result.orders]
    if execution is None:
        execution = ExecutionLog()
        execution.take_result(result)
    return Statistics(
        trading=trading,
        strategies=_grouped(books, marks, result.orders, 0, lambda row: row.order.strategy),
        instruments=_grouped(books, marks, result.orders, 1, lambda row: row.order.instrument),
        order_statuses={
            status.value: statuses.count(status) for status in OrderStatus if status in statuses
        },
        signals_refused=sum(result.refusals.values()),
        final_cash=cash,
        final_equity=final,
        total_return=_ratio(final - start, start),
        max_drawdown=_number(equity["max_drawdown"]) or 0.0,
        sharpe=_number(equity["sharpe_ratio"]),
        turnover=_ratio(trading.traded, start),
        exposure_time=_exposure(result, books),
        equity=equity,
        trades=trade_statistics(trips),
        trades_by=breakdowns(trips),
        distributions=_distributions(trips),
        execution=execution.stats(result.events),
        execution_quality=execution.quality() | _marked_out(result, paths),
    )


def _marked_out(result: RunResult, paths: Mapping[str, PricePath] | None) -> dict[str, Any]:
    """Return the mark-outs of the fills that were trades, if prices are at hand."""
    if paths is None:
        return {}
    trades = [row for row in result.fills if row.fill.liquidity not in NO_TRADES]
    return {"mark_outs_bps": mark_outs(trades, paths)}


def books_of(result: RunResult) -> dict[tuple[str, str], TradeBook]:
    """Return the books of a run by strategy and instrument, with the reasons of its orders."""
    reasons = {row.order.client_order_id: row.order.reason for row in result.orders}
    instruments = {str(each.id): each for each in result.instruments}
    return trade_books(result.fills, reasons, instruments)


def trips_of(books: Books) -> list[RoundTrip]:
    """Return the round trips of all books, in the order in which they ended."""
    trips = [trip for book in books.values() for trip in book.trips]
    return sorted(trips, key=lambda trip: trip.closed_ns)


def win_rate(trips: Sequence[RoundTrip]) -> float | None:
    """Return the share of round trips that made money after fees; None without any."""
    return sum(trip.pnl > 0 for trip in trips) / len(trips) if trips else None


def profit_factor(trips: Sequence[RoundTrip]) -> float | None:
    """Return what the winning trips made per unit that the losing ones lost; None without loss."""
    won = sum((trip.pnl for trip in trips if trip.pnl > 0), _ZERO)
    lost = sum((-trip.pnl for trip in trips if trip.pnl < 0), _ZERO)
    return _ratio(won, lost)


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


def _curve(result: RunResult, start: Decimal, final_equity: Decimal) -> list[tuple[int, float]]:
    """Return the equity curve with its two ends: what there was at first and at last."""
    curve = [(mark.time_ns, float(mark.equity)) for mark in result.equity]
    if not curve or curve[0][0] > result.started_ns:
        curve.insert(0, (result.started_ns, float(start)))
    if curve[-1][0] < result.finished_ns:
        curve.append((result.finished_ns, float(final_equity)))
    return curve


def _starting_equity(result: RunResult) -> Decimal:
    """Return what the account was worth at first; of several currencies, by the first sample."""
    account = result.config.get("portfolio")
    balances = account.get("balances") if isinstance(account, Mapping) else None
    return result.equity[0].equity if balances and result.equity else result.starting_cash


def _of_the_curve(result: RunResult, start: Decimal, final_equity: Decimal) -> EquityFigures:
    curve = _curve(result, start, final_equity)
    days = result.config.get("periods_per_year")
    return equity_statistics(
        [time_ns for time_ns, _ in curve],
        [value for _, value in curve],
        days if isinstance(days, int) else None,
    )


def _exposure(result: RunResult, books: Books) -> float | None:
    """Return the share of the run's time during which anything was held; None without time."""
    spans = [(trip.opened_ns, trip.closed_ns) for book in books.values() for trip in book.trips]
    spans += [
        (book.opened_ns, result.finished_ns)
        for book in books.values()
        if book.opened_ns is not None
    ]
    covered, until = 0, result.started_ns
    for start, end in sorted(spans):
        covered += max(0, end - max(start, until))
        until = max(until, end)
    whole = result.finished_ns - result.started_ns
    return covered / whole if whole > 0 else None


def _distributions(trips: Sequence[RoundTrip]) -> dict[str, Any]:
    """Return the histograms of what round trips made, of their size and of how long they took."""
    values = {
        "pnl": [float(trip.pnl) for trip in trips],
        "return": [each for trip in trips if (each := trip.return_fraction) is not None],
        "trade_size": [float(trip.quantity) for trip in trips],
        "holding_hours": [trip.holding_hours for trip in trips],
    }
    return {name: attrs.asdict(histogram(each)) for name, each in values.items()}


def _number(value: float | str | None) -> float | None:
    return value if isinstance(value, float) else None


def _ratio(part: Decimal, whole: Decimal) -> float | None:
    return float(part / whole) if whole else None
