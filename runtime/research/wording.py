"""Messages in words: the values that decided, and no others."""

from collections.abc import Callable
from typing import Any

from actors.messages.account import PositionChanged
from actors.messages.records import MarketRow
from actors.messages.trading import (
    CancelOrder,
    ExecutionReport,
    Fill,
    OrderUpdate,
    PlaceOrder,
    ReportKind,
    Signal,
    SignalRefused,
    SubmitOrder,
)
from actors.model.money import plain
from actors.model.order import Order


def in_words(message: Any) -> str:
    """Return what a message says, in one line; empty for a type that has no wording."""
    wording = _WORDINGS.get(type(message))
    return wording(message) if wording is not None else ""


def _market_row(row: MarketRow) -> str:
    values = " ".join(f"{name}={value}" for name, value in row.values.items())
    return f"{row.kind} {row.instrument} {values} (line {row.line})"


def _signal(signal: Signal) -> str:
    if signal.target is not None:
        wish = f"target {plain(signal.target)} {signal.instrument}"
    else:
        size = "" if signal.quantity is None else f" {plain(signal.quantity)}"
        wish = f"{signal.side}{size} {signal.instrument}"
    return _with_reason(f"{wish} {signal.order_type}{_prices(signal)}", signal.reason)


def _prices(wish: Signal | Order) -> str:
    limit = "" if wish.limit_price is None else f" at {plain(wish.limit_price)}"
    return limit if wish.stop_price is None else f"{limit} stop {plain(wish.stop_price)}"


def _refused(refused: SignalRefused) -> str:
    return "; ".join(
        f"{each.policy}: limit {each.limit}, found {each.found}" for each in refused.violations
    )


def _submit(submit: SubmitOrder) -> str:
    approved = ", ".join(submit.approved_by) or "no policy"
    return f"{_order(submit.order)}, approved by {approved}, reserved {plain(submit.reserved)}"


def _place(place: PlaceOrder) -> str:
    return _order(place.order)


def _order(order: Order) -> str:
    size = plain(order.quantity)
    terms = f"{order.order_type}{_prices(order)} {order.time_in_force}"
    return f"{order.side} {size} {order.instrument} {terms}"


def _cancel(cancel: CancelOrder) -> str:
    return cancel.reason


def _report(report: ExecutionReport) -> str:
    words = str(report.kind)
    if report.kind is ReportKind.TRADE:
        words = (
            f"TRADE {plain(report.last_quantity)} at {plain(report.last_price)}"
            f" {report.liquidity}, commission {plain(report.commission)}"
        )
    return _with_reason(f"{words} at {report.venue}", report.reason)


def _update(update: OrderUpdate) -> str:
    filled = f"{plain(update.filled_quantity)} of {plain(update.quantity)} filled"
    return _with_reason(f"{update.status}, {filled}", update.reason)


def _fill(fill: Fill) -> str:
    words = (
        f"{fill.side} {plain(fill.last_quantity)} {fill.instrument} at {plain(fill.last_price)},"
        f" commission {plain(fill.commission)}, trade {fill.trade_id},"
        f" leaves {plain(fill.leaves_quantity)}"
    )
    return _with_reason(words, fill.reason)


def _position(position: PositionChanged) -> str:
    return (
        f"{position.strategy} holds {plain(position.quantity)} {position.instrument}"
        f" for {plain(position.cost)}, realized {plain(position.realized_pnl)},"
        f" fees {plain(position.commission)}"
    )


def _with_reason(words: str, reason: str) -> str:
    return f"{words}, because {reason}" if reason else words


_WORDINGS: dict[type, Callable[[Any], str]] = {
    MarketRow: _market_row,
    Signal: _signal,
    SignalRefused: _refused,
    SubmitOrder: _submit,
    PlaceOrder: _place,
    CancelOrder: _cancel,
    ExecutionReport: _report,
    OrderUpdate: _update,
    Fill: _fill,
    PositionChanged: _position,
}
