"""Wishes, orders, reports and fills in words."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from actors.messages.records import MarketRow
from actors.messages.trading import (
    CancelArrived,
    CancelOrder,
    CancelOrders,
    CancelPlacedOrder,
    ExecutionReport,
    Fill,
    FillSettled,
    ModifyOrder,
    OrderArrived,
    OrderUpdate,
    PlaceOrder,
    ReplaceArrived,
    ReplaceOrder,
    ReplacePlacedOrder,
    ReplaceResult,
    ReportKind,
    Signal,
    SignalBatch,
    SignalRefused,
    SubmitOrder,
)
from actors.model.money import plain
from actors.model.order import Order

_REPORTS = {
    ReportKind.LOST: "the answer is lost: it may have arrived or not",
    ReportKind.NOT_FOUND: "the venue does not know it now, which proves nothing yet",
    ReportKind.GONE: "the venue does not know it, and would by now: it is over",
}
"""Those of which the bare word says too little."""


def with_reason(words: str, reason: str) -> str:
    """Return words with the reason behind them, if there is one."""
    return f"{words}, because {reason}" if reason else words


def order_in_words(order: Order) -> str:
    """Return what an order asks for."""
    size = plain(order.quantity)
    terms = f"{order.order_type}{_prices(order)} {order.time_in_force}"
    return f"{order.side} {size} {order.instrument} {terms}"


def _market_row(row: MarketRow) -> str:
    values = " ".join(f"{name}={value}" for name, value in row.values.items())
    return f"{row.kind} {row.instrument} {values} (line {row.line})"


def _signal(signal: Signal) -> str:
    if signal.target is not None:
        wish = f"target {plain(signal.target)} {signal.instrument}"
    else:
        size = "" if signal.quantity is None else f" {plain(signal.quantity)}"
        wish = f"{signal.side}{size} {signal.instrument}"
    return with_reason(f"{wish} {signal.order_type}{_prices(signal)}", signal.reason)


def _batch(batch: SignalBatch) -> str:
    which = "all or none" if batch.all_or_none else "each by itself"
    return f"{len(batch.signals)} wishes, {which}: {'; '.join(map(_signal, batch.signals))}"


def _prices(wish: Signal | Order | ModifyOrder) -> str:
    limit = _value(" at ", wish.limit_price)
    return f"{limit}{_value(' stop ', wish.stop_price)}"


def _value(before: str, value: Decimal | None) -> str:
    return "" if value is None else f"{before}{plain(value)}"


def _modify(modify: ModifyOrder) -> str:
    words = f"into{_value(' quantity ', modify.quantity)}{_prices(modify)}"
    return with_reason(words, modify.reason)


def _refused(refused: SignalRefused) -> str:
    return "; ".join(
        f"{each.policy}: limit {each.limit}, found {each.found}" for each in refused.violations
    )


def _approved(approved: SubmitOrder | ReplaceOrder) -> str:
    policies = ", ".join(approved.approved_by) or "no policy"
    words = order_in_words(approved.order)
    return f"{words}, approved by {policies}, reserved {plain(approved.reserved)}"


def _carries_order(message: Any) -> str:
    return order_in_words(message.order)


def _arrived(_message: Any) -> str:
    return "at the venue"


def _cancel(cancel: CancelOrder) -> str:
    return cancel.reason or f"cancel {cancel.client_order_id}"


def _cancels(cancel: CancelOrders) -> str:
    which = " ".join(str(each) for each in (cancel.side, cancel.instrument) if each)
    return with_reason(f"cancel every order of {cancel.strategy} {which}".rstrip(), cancel.reason)


def _cancel_placed(cancel: CancelPlacedOrder) -> str:
    return f"cancel {cancel.client_order_id} in {cancel.instrument}"


def _report(report: ExecutionReport) -> str:
    words = str(report.kind)
    if report.kind in _REPORTS:
        words = f"{report.kind}: {_REPORTS[report.kind]};"
    elif report.kind is ReportKind.TRADE:
        words = (
            f"TRADE {plain(report.last_quantity)} at {plain(report.last_price)}"
            f" {report.liquidity}, commission {plain(report.commission)}"
        )
    elif report.trade_id:
        words = f"{report.kind} {report.trade_id}"
    return with_reason(f"{words} at {report.venue}", report.reason)


def _update(update: OrderUpdate) -> str:
    filled = f"{plain(update.filled_quantity)} of {plain(update.quantity)} filled"
    return with_reason(f"{update.status}, {filled}", update.reason)


def _replaced(result: ReplaceResult) -> str:
    verdict = "changed into" if result.accepted else "refused, it stays"
    return with_reason(f"{verdict} {order_in_words(result.order)}", result.reason)


def _fill(fill: Fill) -> str:
    words = (
        f"{fill.side} {plain(fill.last_quantity)} {fill.instrument} at {plain(fill.last_price)},"
        f" commission {plain(fill.commission)}, trade {fill.trade_id},"
        f" leaves {plain(fill.leaves_quantity)}"
    )
    return with_reason(f"{words}, provisional" if fill.provisional else words, fill.reason)


def _settled(settled: FillSettled) -> str:
    what = "failed and is taken back" if settled.failed else "is final"
    return with_reason(f"trade {settled.trade_id} {what}", settled.reason)


TRADING: Mapping[type, Callable[[Any], str]] = {
    MarketRow: _market_row,
    Signal: _signal,
    SignalBatch: _batch,
    SignalRefused: _refused,
    ModifyOrder: _modify,
    SubmitOrder: _approved,
    ReplaceOrder: _approved,
    PlaceOrder: _carries_order,
    ReplacePlacedOrder: _carries_order,
    OrderArrived: _arrived,
    ReplaceArrived: _arrived,
    CancelOrder: _cancel,
    CancelOrders: _cancels,
    CancelPlacedOrder: _cancel_placed,
    CancelArrived: _arrived,
    ExecutionReport: _report,
    OrderUpdate: _update,
    ReplaceResult: _replaced,
    Fill: _fill,
    FillSettled: _settled,
}
