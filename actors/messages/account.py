"""What the portfolio says of the account."""

from decimal import Decimal
from enum import StrEnum

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

    @property
    def portfolio_value(self) -> Decimal:
        """Return the equity, under the name that some reports give it."""
        return self.equity


class CashAdjusted(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Cash came or went without a fill: funding, gas, a deposit, a loss that was forgiven.

    ``entry_id`` names it once and for all; ``amount`` is signed, in units of ``currency``.
    """

    entry_id: str
    time_ns: int
    currency: str
    amount: Decimal
    reason: str
    strategy: str = ""
    """Whose it is; empty for the account's."""


class MarkEquity(msgspec.Struct, frozen=True, gc=False):
    """The portfolio's own timer, or the system's last word: value the account now."""

    is_last: bool = False


class CloseOut(msgspec.Struct, frozen=True, gc=False):
    """The run's market data have ended: close every open position at the market.

    To a simulated venue it says that there is no next price: the last one is what orders meet.
    """


class TradingState(StrEnum):
    """What the portfolio lets pass; a worse state stays until somebody lifts it."""

    ACTIVE = "ACTIVE"
    REDUCING = "REDUCING"
    """Only what makes a position smaller."""
    HALTED = "HALTED"
    """Nothing new; what works is cancelled."""


class SetTradingState(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Somebody sets the state. To lift one, ``acknowledges`` must repeat the cause of it."""

    state: TradingState
    cause: str
    acknowledges: str = ""


class TradingStateChanged(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The state that holds from now on, and why."""

    state: TradingState
    cause: str


class ConversionKind(StrEnum):
    """What is done with the outcome tokens of one market."""

    SPLIT = "SPLIT"
    """One unit of cash becomes one token of each outcome."""
    MERGE = "MERGE"
    """One token of each outcome becomes one unit of cash."""
    REDEEM = "REDEEM"
    """Tokens of a resolved market become what they pay."""


class ConvertTokens(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A strategy asks to convert tokens; ``instrument`` is any outcome of the market."""

    request_id: str
    strategy: str
    kind: ConversionKind
    instrument: str
    quantity: Decimal
    reason: str = ""
