"""What a portfolio may send."""

from actors.actor import Later
from actors.messages.account import (
    CashAdjusted,
    EquityMarked,
    PositionChanged,
    TradingStateChanged,
)
from actors.messages.alerts import Logged
from actors.messages.reconciliation import Difference, Reconciled
from actors.messages.system import Archived, CancelAll
from actors.messages.trading import CancelOrder, Fill, ReplaceOrder, SignalRefused, SubmitOrder

PortfolioOutput = (
    SubmitOrder
    | ReplaceOrder
    | SignalRefused
    | PositionChanged
    | Fill
    | EquityMarked
    | CashAdjusted
    | TradingStateChanged
    | CancelOrder
    | CancelAll
    | Difference
    | Reconciled
    | Logged
    | Archived
    | Later
)
