"""What is said of the account, in words."""

from collections.abc import Callable, Mapping
from typing import Any

from actors.messages.account import (
    CashAdjusted,
    CloseOut,
    ConvertTokens,
    EquityMarked,
    MarkEquity,
    PositionChanged,
    SetTradingState,
    TradingStateChanged,
)
from actors.model.money import plain
from runtime.research.wording_of_trading import with_reason


def _position(position: PositionChanged) -> str:
    return (
        f"{position.strategy} holds {plain(position.quantity)} {position.instrument}"
        f" for {plain(position.cost)}, realized {plain(position.realized_pnl)},"
        f" fees {plain(position.commission)}"
    )


def _marked(marked: EquityMarked) -> str:
    return f"worth {plain(marked.equity)}, of that cash {plain(marked.cash)}"


def _adjusted(adjusted: CashAdjusted) -> str:
    words = f"{plain(adjusted.amount)} {adjusted.currency}, entry {adjusted.entry_id}"
    return with_reason(words, adjusted.reason)


def _mark(mark: MarkEquity) -> str:
    return "value the account, for the last time" if mark.is_last else "value the account"


def _close_out(_close: CloseOut) -> str:
    return "close every position"


def _set_state(message: SetTradingState) -> str:
    words = with_reason(f"be {message.state}", message.cause)
    return f"{words}, acknowledging {message.acknowledges}" if message.acknowledges else words


def _state(changed: TradingStateChanged) -> str:
    return with_reason(str(changed.state), changed.cause)


def _convert(convert: ConvertTokens) -> str:
    words = f"{convert.kind} {plain(convert.quantity)} {convert.instrument}"
    return with_reason(words, convert.reason)


ACCOUNTS: Mapping[type, Callable[[Any], str]] = {
    PositionChanged: _position,
    EquityMarked: _marked,
    CashAdjusted: _adjusted,
    MarkEquity: _mark,
    CloseOut: _close_out,
    SetTradingState: _set_state,
    TradingStateChanged: _state,
    ConvertTokens: _convert,
}
