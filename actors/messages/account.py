"""What the portfolio says of the account."""

from decimal import Decimal

import msgspec


class PositionChanged(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One strategy's position in one instrument after a fill or a settlement.

    ``quantity`` is signed; ``cost`` is what the open quantity was bought for (sold for, if short),
    without commissions; ``realized_pnl`` and ``commission`` are totals since the start.
    """

    strategy: str
    instrument: str
    quantity: Decimal
    cost: Decimal
    realized_pnl: Decimal
    commission: Decimal


class EquityMarked(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The account's value at the latest marks: cash plus positions."""

    time_ns: int
    cash: Decimal
    equity: Decimal


class MarkEquity(msgspec.Struct, frozen=True, gc=False):
    """The portfolio's own timer: value the account now."""


class CloseOut(msgspec.Struct, frozen=True, gc=False):
    """The run's market data have ended: close every open position at the market."""
