"""A run's tables as CSV: exact decimals as plain text, times as nanoseconds and as ISO 8601."""

import csv
from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

from actors.messages.account import EquityMarked
from actors.model.money import plain
from runtime.observe.result import FillRow, OrderRow
from runtime.observe.times import iso_time
from runtime.research.round_trips import RoundTrip

FILL_COLUMNS = (
    "time_ns", "time", "client_order_id", "trade_id", "venue", "strategy", "instrument", "side",
    "quantity", "price", "commission", "liquidity", "reason",
)  # fmt: skip
ORDER_COLUMNS = (
    "created_ns", "created", "updated_ns", "client_order_id", "strategy", "instrument", "side",
    "order_type", "time_in_force", "quantity", "limit_price", "stop_price", "status",
    "filled_quantity", "filled_cost", "average_price", "commission", "signal_reason",
    "status_reason",
)  # fmt: skip
TRADE_COLUMNS = (
    "entry_time_ns", "entry_time", "exit_time_ns", "exit_time", "strategy", "instrument",
    "direction", "quantity", "entry_price", "exit_price", "realized_pnl", "fees", "return",
    "holding_hours", "entry_reason", "exit_reason",
)  # fmt: skip
EQUITY_COLUMNS = ("time_ns", "time", "cash", "equity")

_AVERAGE_STEP = Decimal("1e-10")

Cell = str | int


def write_fills(path: Path, fills: Iterable[FillRow]) -> None:
    """Write every fill: positions, cash and fees follow from this table alone.

    A position is the sum of the quantities (buys less sells), cash changes by quantity times price
    and by the commission. A settlement is a fill like any other, at its payoff.
    """
    _write(path, FILL_COLUMNS, (_fill_cells(row) for row in fills))


def write_orders(path: Path, orders: Iterable[OrderRow]) -> None:
    """Write every order and how far it came; ``average_price`` alone is rounded (10 places)."""
    _write(path, ORDER_COLUMNS, (_order_cells(row) for row in orders))


def write_equity(path: Path, samples: Iterable[EquityMarked]) -> None:
    """Write the equity curve."""
    cells = (
        (each.time_ns, iso_time(each.time_ns), plain(each.cash), plain(each.equity))
        for each in samples
    )
    _write(path, EQUITY_COLUMNS, cells)


def write_trades(path: Path, trips: Iterable[RoundTrip]) -> None:
    """Write every round trip; prices, being averages, are rounded (10 places), money is not."""
    _write(path, TRADE_COLUMNS, (_trade_cells(trip) for trip in trips))


def _write(path: Path, columns: tuple[str, ...], rows: Iterable[tuple[Cell, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def _fill_cells(row: FillRow) -> tuple[Cell, ...]:
    fill = row.fill
    return (
        row.time_ns,
        iso_time(row.time_ns),
        fill.client_order_id,
        fill.trade_id,
        fill.venue,
        fill.strategy,
        fill.instrument,
        fill.side.value,
        plain(fill.last_quantity),
        plain(fill.last_price),
        plain(fill.commission),
        fill.liquidity.value,
        fill.reason,
    )


def _order_cells(row: OrderRow) -> tuple[Cell, ...]:
    order = row.order
    average = ""
    if row.filled_quantity:
        average = _rounded(row.filled_cost / row.filled_quantity)
    return (
        row.created_ns,
        iso_time(row.created_ns),
        row.updated_ns,
        order.client_order_id,
        order.strategy,
        order.instrument,
        order.side.value,
        order.order_type.value,
        order.time_in_force.value,
        plain(order.quantity),
        "" if order.limit_price is None else plain(order.limit_price),
        "" if order.stop_price is None else plain(order.stop_price),
        row.status.value,
        plain(row.filled_quantity),
        plain(row.filled_cost),
        average,
        plain(row.commission),
        order.reason,
        row.reason,
    )


def _trade_cells(trip: RoundTrip) -> tuple[Cell, ...]:
    gained = trip.return_fraction
    return (
        trip.opened_ns,
        iso_time(trip.opened_ns),
        trip.closed_ns,
        iso_time(trip.closed_ns),
        trip.strategy,
        trip.instrument,
        "LONG" if trip.is_long else "SHORT",
        plain(trip.quantity),
        _rounded(trip.entry_price),
        _rounded(trip.exit_price),
        plain(trip.pnl),
        plain(trip.fees),
        "" if gained is None else repr(gained),
        repr(trip.holding_hours),
        trip.entry_reason,
        trip.exit_reason,
    )


def _rounded(value: Decimal) -> str:
    return plain(value.quantize(_AVERAGE_STEP, rounding=ROUND_HALF_EVEN))
