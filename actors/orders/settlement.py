"""Provisional trades: they become final, or come to nothing."""

from actors.messages.trading import ExecutionReport, FillSettled, ReportKind
from actors.model.order import OrderStatus
from actors.orders.outputs import Output, contradicted, never_placed, update_of
from actors.orders.records import Extras, OrderRecord

_TRADE_FAILED = ReportKind.TRADE_FAILED
_NOT_PLACED = (OrderStatus.VALIDATED, OrderStatus.DENIED)


def note_provisional(record: OrderRecord, trade: ExecutionReport) -> list[Output]:
    """Remember a trade that was applied; settle it if that has been said before."""
    extras = record.add_extras()
    extras.provisional[trade.trade_id] = trade
    failed = extras.early.pop(trade.trade_id, None)
    return [] if failed is None else _resolve(record, extras, trade, failed=failed)


def settle(record: OrderRecord, report: ExecutionReport) -> list[Output]:
    """Apply the word that a trade is final or has failed.

    It may come twice, and before its trade. A trade that was never provisional is final.

    Raises:
        OrderStateError: If the opposite is known, or the order was never sent.
    """
    if record.status in _NOT_PLACED:
        raise never_placed(report)
    failed = report.kind is _TRADE_FAILED
    extras = record.add_extras()
    trade_id = report.trade_id
    trade = extras.provisional.get(trade_id)
    if trade is not None:
        return _resolve(record, extras, trade, failed=failed, reason=report.reason)
    known = extras.resolved.get(trade_id)
    if known is None and trade_id in (record.trade_ids or ()):
        known = False
    if known is None:
        known = extras.early.setdefault(trade_id, failed)
    if known is not failed:
        raise contradicted(report)
    return []


def _resolve(
    record: OrderRecord,
    extras: Extras,
    trade: ExecutionReport,
    *,
    failed: bool,
    reason: str = "",
) -> list[Output]:
    order = record.order
    trade_id = trade.trade_id
    del extras.provisional[trade_id]
    extras.resolved[trade_id] = failed
    told = FillSettled(
        client_order_id=order.client_order_id,
        strategy=order.strategy,
        instrument=order.instrument,
        venue=trade.venue,
        trade_id=trade_id,
        failed=failed,
        reason=reason,
    )
    if not failed:
        return [told]
    quantity = trade.last_quantity
    extras.failed_quantity += quantity
    record.filled_quantity -= quantity
    record.filled_cost -= trade.last_price * quantity
    record.commission -= trade.commission
    why = f": {reason}" if reason else ""
    return [told, update_of(record, f"trade {trade_id} failed{why}; its fill is taken back")]
