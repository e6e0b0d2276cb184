"""Builders of what a finished run says: a test names the numbers that matter, and no others."""

from collections.abc import Iterable
from decimal import Decimal
from itertools import count
from typing import Any

import attrs

from actors.messages.account import EquityMarked, PositionChanged
from actors.messages.trading import Fill
from actors.model.order import Liquidity, OrderStatus, Side
from runtime.observe.result import FillRow, OrderRow, PositionRow, RunResult
from tests.builders import SECOND, START_NS, order

_numbers = count(1)


def fill_row(
    side: Side,
    quantity: str,
    price: str,
    commission: str = "0",
    *,
    at_s: int = 0,
    strategy: str = "cross",
    instrument: str = "BTC",
    liquidity: Liquidity = Liquidity.TAKER,
    reason: str = "",
) -> FillRow:
    """Return a fill with a trade id of its own."""
    number = next(_numbers)
    fill = Fill(
        client_order_id=f"run-{strategy}-{number}",
        strategy=strategy,
        instrument=instrument,
        venue="simulated",
        trade_id=f"trade-{number}",
        side=side,
        last_quantity=Decimal(quantity),
        last_price=Decimal(price),
        commission=Decimal(commission),
        liquidity=liquidity,
        leaves_quantity=Decimal(0),
        venue_time_ns=START_NS + at_s * SECOND,
        reason=reason,
    )
    return FillRow(time_ns=START_NS + at_s * SECOND, fill=fill)


def buy(quantity: str, price: str, commission: str = "0", **others: Any) -> FillRow:
    """Return a buy."""
    return fill_row(Side.BUY, quantity, price, commission, **others)


def sell(quantity: str, price: str, commission: str = "0", **others: Any) -> FillRow:
    """Return a sell."""
    return fill_row(Side.SELL, quantity, price, commission, **others)


def order_row(
    id: str = "run-cross-1",  # noqa: A002 - the field's name
    *,
    strategy: str = "cross",
    status: OrderStatus = OrderStatus.FILLED,
    filled: str = "0",
    cost: str = "0",
    limit: str | None = None,
) -> OrderRow:
    """Return an order of quantity 10."""
    return OrderRow(
        order=order(Side.BUY, "10", limit, id=id, strategy=strategy, reason="fast above slow"),
        status=status,
        filled_quantity=Decimal(filled),
        filled_cost=Decimal(cost),
        created_ns=START_NS,
        updated_ns=START_NS + SECOND,
    )


def held(
    quantity: str, mark: str | None, *, strategy: str = "cross", instrument: str = "BTC"
) -> PositionRow:
    """Return a position at the end."""
    position = PositionChanged(
        strategy=strategy,
        instrument=instrument,
        quantity=Decimal(quantity),
        cost=Decimal(0),
        realized_pnl=Decimal(0),
        commission=Decimal(0),
    )
    return PositionRow(position=position, mark=None if mark is None else Decimal(mark))


def curve(values: Iterable[str], *, interval_s: int = 1) -> tuple[EquityMarked, ...]:
    """Return an equity curve of evenly spaced samples."""
    return tuple(
        EquityMarked(
            time_ns=START_NS + i * interval_s * SECOND, cash=Decimal(value), equity=Decimal(value)
        )
        for i, value in enumerate(values)
    )


def run_result(**changes: Any) -> RunResult:
    """Return the result of a run in which nothing happened, with changes."""
    result = RunResult(
        run_id="run",
        name="quickstart",
        mode="simulate",
        seed=7,
        starting_cash=Decimal(1000),
        started_ns=START_NS,
        finished_ns=START_NS + 60 * SECOND,
    )
    return attrs.evolve(result, **changes)
