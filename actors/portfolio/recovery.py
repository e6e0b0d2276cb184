"""Rebuilds a restarted portfolio from what the journal says it received and sent."""

from collections.abc import Iterable
from typing import Any

from actors.messages.account import EquityMarked
from actors.messages.system import CancelStrategy, Halt
from actors.messages.trading import Fill, OrderUpdate, Signal, SignalRefused, SubmitOrder
from actors.model.order import TERMINAL
from actors.portfolio.account import Account
from actors.portfolio.approval import Approval
from actors.portfolio.close_out import CLOSE_OUT
from actors.portfolio.config import PortfolioStatistics
from actors.portfolio.curve import EquityCurve
from actors.portfolio.ledger import settlement_id
from actors.portfolio.recent import RecentIds


class Recovery:
    """Replays a history into the parts of a fresh portfolio.

    What was decided is not decided again: prices are not in the journal, orders are. An order is
    counted where its signal was received, and the settlement of a late fill where that fill was:
    what was queued behind them stands in the journal before what they led to.
    """

    def __init__(
        self,
        account: Account,
        approval: Approval,
        curve: EquityCurve,
        signal_ids: RecentIds,
        counts: PortfolioStatistics,
    ) -> None:
        self._account = account
        self._approval = approval
        self._curve = curve
        self._signal_ids = signal_ids
        self._counts = counts
        self._orders: dict[str, SubmitOrder] = {}
        self._settlements: dict[str, Fill] = {}

    def replay(self, history: Iterable[tuple[str, Any]]) -> None:
        """Take ``("received" | "sent", message)`` in the order of the journal."""
        entries = list(history)
        for way, message in entries:
            if way == "sent":
                self._note(message)
        for way, message in entries:
            if way == "received":
                self._received(message)
            else:
                self._sent(message)

    def _note(self, message: Any) -> None:
        match message:
            case SubmitOrder():
                self._orders[message.order.client_order_id] = message
            case Fill():
                self._settlements[message.trade_id] = message
            case _:
                pass

    def _received(self, message: Any) -> None:
        match message:
            case Signal():
                self._signal(message)
            case Fill():
                self._fill(message)
            case OrderUpdate():
                if message.status in TERMINAL:
                    self._account.reservations.release(message.client_order_id)
            case Halt():
                self._approval.halt(message.cause)
            case CancelStrategy():
                self._approval.stop_strategy(message.strategy, message.cause)
            case _:
                pass  # timers and close-outs left their traces in what was sent

    def _signal(self, signal: Signal) -> None:
        if not self._signal_ids.add(signal.signal_id):
            self._counts.duplicate_signals += 1
            return
        self._counts.signals += 1
        self._order(signal.signal_id)

    def _fill(self, fill: Fill) -> None:
        self._account.book(fill)
        self._settlement(settlement_id(fill.instrument, fill.strategy, fill))

    def _settlement(self, trade_id: str) -> None:
        """Book a settlement that was sent, once."""
        fill = self._settlements.pop(trade_id, None)
        if fill is not None:
            self._account.marks.resolve(fill.instrument, fill.last_price)
            self._account.ledger.apply(fill)

    def _sent(self, message: Any) -> None:
        match message:
            case SubmitOrder():
                self._order(message.order.client_order_id)
            case SignalRefused():
                self._counts.count_refusal(message)
            case Fill():
                self._settlement(message.trade_id)
            case EquityMarked():
                self._curve.add(message)
            case _:
                pass  # positions follow from fills

    def _order(self, client_order_id: str) -> None:
        """Count an order that was sent, once."""
        submitted = self._orders.pop(client_order_id, None)
        if submitted is None:
            return
        self._counts.orders += 1
        if submitted.approved_by == CLOSE_OUT:
            self._counts.close_outs += 1
            self._account.close(submitted.order)
        else:
            self._approval.restore(submitted)
