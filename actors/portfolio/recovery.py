"""Rebuilds a restarted portfolio from what the journal says it received and sent."""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from actors.messages.account import (
    CashAdjusted,
    ConvertTokens,
    EquityMarked,
    TradingStateChanged,
)
from actors.messages.system import CancelStrategy, Halt
from actors.messages.trading import (
    CancelOrder,
    Fill,
    FillSettled,
    ModifyOrder,
    OrderUpdate,
    ReplaceOrder,
    ReplaceResult,
    Signal,
    SignalBatch,
    SignalRefused,
    SubmitOrder,
)
from actors.model.order import TERMINAL
from actors.portfolio.account import Account
from actors.portfolio.approval.approval import Approval
from actors.portfolio.booking.liquidation import FORGIVEN, LIQUIDATION
from actors.portfolio.booking.provisional import apply_word, failed_word
from actors.portfolio.books.curve import EquityCurve
from actors.portfolio.books.ledger import is_caused, settlement_id
from actors.portfolio.close_out import CLOSE_OUT
from actors.portfolio.config import PortfolioStatistics
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
        self._caused: dict[str, list[Fill | CashAdjusted]] = {}
        """What conversions and liquidations came to, by the order that they seem to come from."""
        self._requests: set[str] = set()
        self._changes: dict[str, deque[ReplaceOrder]] = {}
        """Changes that were sent and are not counted yet, by order."""
        self._on_received: dict[type, Callable[[Any], object]] = {
            Signal: self._signal,
            SignalBatch: self._batch,
            ModifyOrder: self._change,
            ConvertTokens: self._convert,
            Fill: self._fill,
            FillSettled: self._word,
            OrderUpdate: self._update,
            ReplaceResult: approval.changes.settle,
            CashAdjusted: account.ledger.adjust,
            Halt: self._halt,
            CancelStrategy: self._stop_strategy,
        }
        self._on_sent: dict[type, Callable[[Any], object]] = {
            SubmitOrder: self._submitted,
            ReplaceOrder: self._sent_change,
            CancelOrder: self._cancelled,
            TradingStateChanged: self._state,
            SignalRefused: self._refused,
            Fill: self._own_fill,
            EquityMarked: self._sample,
        }

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
            case ReplaceOrder():
                changes = self._changes.setdefault(message.order.client_order_id, deque())
                changes.append(message)
            case Fill() if is_caused(message):
                self._caused.setdefault(message.client_order_id, []).append(message)
            case Fill():
                self._settlements[message.trade_id] = message
            case CashAdjusted():
                cause = message.entry_id.removesuffix(FORGIVEN)
                self._caused.setdefault(cause, []).append(message)
            case _:
                pass

    def _received(self, message: Any) -> None:
        """Take a message that was handled; timers and close-outs left traces in what was sent."""
        handler = self._on_received.get(type(message))
        if handler is not None:
            handler(message)

    def _update(self, update: OrderUpdate) -> None:
        if update.status in TERMINAL:
            self._account.reservations.release(update.client_order_id)

    def _batch(self, batch: SignalBatch) -> None:
        for signal in batch.signals:
            self._signal(signal)

    def _halt(self, halt: Halt) -> None:
        self._approval.halt(halt.cause)

    def _stop_strategy(self, message: CancelStrategy) -> None:
        self._approval.stop_strategy(message.strategy, message.cause)

    def _signal(self, signal: Signal) -> None:
        if not self._signal_ids.add(signal.signal_id):
            self._counts.duplicate_signals += 1
            return
        self._counts.signals += 1
        self._order(signal.signal_id)

    def _change(self, message: ModifyOrder) -> None:
        """Count the change that a message led to, if it was not refused."""
        changes = self._changes.get(message.client_order_id)
        if changes and self._approval.changes.answers(message, changes[0]):
            self._replaced(changes.popleft())

    def _replaced(self, replaced: ReplaceOrder) -> None:
        """Count a change that was sent."""
        self._approval.changes.restore(replaced)

    def _fill(self, fill: Fill) -> None:
        is_new = self._account.book(fill) is not None
        self._settlement(settlement_id(fill.instrument, fill.strategy, fill))
        self._liquidation(f"{LIQUIDATION}-{fill.trade_id}")
        if is_new:
            self._approval.gate.reduce_only.after_fill(fill)  # its cancels were sent

    def _word(self, word: FillSettled) -> None:
        if apply_word(self._account.ledger, word, self._counts) is not None:
            late = failed_word(word)
            self._settlement(settlement_id(word.instrument, word.strategy, late))

    def _convert(self, request: ConvertTokens) -> None:
        if not self._signal_ids.add(request.request_id):
            self._counts.duplicate_signals += 1
            return
        self._requests.add(request.request_id)
        self._counts.conversions += self._book_caused(request.request_id)

    def _liquidation(self, order_id: str) -> None:
        """Book a liquidation that was sent, once."""
        if self._book_caused(order_id):
            self._counts.liquidations += 1
            self._approval.halt(LIQUIDATION)

    def _book_caused(self, order_id: str) -> bool:
        """Book what was sent under an order id, once; return whether there was something."""
        caused = self._caused.pop(order_id, [])
        for each in caused:
            if isinstance(each, Fill):
                self._account.ledger.apply(each)
            else:
                self._account.ledger.adjust(each)
        return bool(caused)

    def _settlement(self, trade_id: str) -> None:
        """Book a settlement that was sent, once."""
        fill = self._settlements.pop(trade_id, None)
        if fill is not None:
            self._account.marks.resolve(fill.instrument, fill.last_price)
            self._account.ledger.apply(fill)

    def _sent(self, message: Any) -> None:
        """Take a message that was sent; positions follow from fills."""
        handler = self._on_sent.get(type(message))
        if handler is not None:
            handler(message)

    def _submitted(self, message: SubmitOrder) -> None:
        self._order(message.order.client_order_id)

    def _sent_change(self, message: ReplaceOrder) -> None:
        changes = self._changes.get(message.order.client_order_id)
        if changes and changes[0] is message:
            self._replaced(changes.popleft())

    def _cancelled(self, message: CancelOrder) -> None:
        self._approval.gate.reduce_only.forget(message.client_order_id)

    def _state(self, message: TradingStateChanged) -> None:
        if self._approval.gate.states.restore(message):
            self._approval.gate.landmarks.begin_anew()

    def _refused(self, message: SignalRefused) -> None:
        if message.signal_id in self._requests:
            self._counts.count_refused_conversion(message)
        else:
            self._counts.count_refusal(message)

    def _own_fill(self, fill: Fill) -> None:
        if is_caused(fill):
            self._liquidation(fill.client_order_id)
        else:
            self._settlement(fill.trade_id)

    def _sample(self, sample: EquityMarked) -> None:
        self._curve.add(sample)
        self._approval.gate.landmarks.add(sample)

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
            self._approved(submitted)

    def _approved(self, submitted: SubmitOrder) -> None:
        """Count an order that was approved."""
        self._approval.restore(submitted)
