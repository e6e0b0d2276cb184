"""Rebuilds a restarted portfolio from what the journal says it received and sent."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from actors.messages.account import (
    CashAdjusted,
    ConvertTokens,
    EquityMarked,
    TradingStateChanged,
)
from actors.messages.reconciliation import Part, Reconciled, ResolveDifference, VenueHoldings
from actors.messages.system import CancelStrategy, Halt, HaltLifted, Resumed
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
from actors.model.recent import RecentIds
from actors.portfolio.account import Account
from actors.portfolio.approval.approval import Approval
from actors.portfolio.booking.liquidation import FORGIVEN, LIQUIDATION
from actors.portfolio.booking.provisional import apply_word, failed_word
from actors.portfolio.books.curve import EquityCurve
from actors.portfolio.books.ledger import cause_id, is_caused, settlement_id
from actors.portfolio.close_out import CLOSE_OUT
from actors.portfolio.config import PortfolioStatistics
from actors.portfolio.reconciling.adoption import PREFIX, Booked, cause_of, is_start
from actors.portfolio.reconciling.holdings import Holdings
from actors.portfolio.reconciling.suspects import Subject

_AHEAD = 32_768
"""How many entries are looked at before they count: more than may stand between a message and what
it led to, which are those that were queued before it, and what these led to."""


class Recovery:
    """Replays a history into the parts of a fresh portfolio.

    What was decided is not decided again: prices are not in the journal, orders are. An order is
    counted where its signal was received, and the settlement of a late fill where that fill was:
    what was queued behind them stands in the journal before what they led to. For that it looks
    some way ahead, and never holds more than that of a history.

    Attributes:
        holdings: Compares with the venue; None if nobody does.
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
        self.holdings: Holdings | None = None
        self._orders: dict[str, SubmitOrder] = {}
        self._settlements: dict[str, Fill] = {}
        self._caused: dict[str, list[Fill | CashAdjusted]] = {}
        """What conversions and liquidations came to, by the order that they seem to come from."""
        self._requests = RecentIds()
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
            HaltLifted: self._lift,
            CancelStrategy: self._stop_strategy,
            VenueHoldings: self._compare,
            ResolveDifference: self._resolve,
            Reconciled: self._reconciled,
            Resumed: self._resumed,
        }
        self._on_sent: dict[type, Callable[[Any], object]] = {
            SubmitOrder: self._submitted,
            ReplaceOrder: self._sent_change,
            CancelOrder: self._cancelled,
            TradingStateChanged: self._state,
            SignalRefused: self._refused,
            Fill: self._own_fill,
            CashAdjusted: self._own_entry,
            EquityMarked: self._sample,
        }
        self._on_note: dict[type, Callable[[Any], object]] = {
            SubmitOrder: self._note_order,
            ReplaceOrder: self._note_change,
            Fill: self._note_fill,
            CashAdjusted: self._note_entry,
        }

    def replay(self, history: Iterable[tuple[str, Any]]) -> None:
        """Take ``("received" | "sent", message)`` in the order of the journal; times are skipped.

        May be called for a history and again for what follows it, or after a snapshot.
        """
        memory = self._account.ledger.memory
        told: list[Any] = [] if memory is None else memory.news
        ahead: deque[tuple[str, Any]] = deque()
        notes = self._on_note
        for entry in history:
            if entry[0] == "sent":
                note = notes.get(type(entry[1]))
                if note is not None:
                    note(entry[1])
            ahead.append(entry)
            if len(ahead) > _AHEAD:
                self._play(*ahead.popleft())
            if told:
                told.clear()  # it was told then
        while ahead:
            self._play(*ahead.popleft())
        self._changes.clear()
        told.clear()

    def _play(self, way: str, message: Any) -> None:
        if way == "received":
            self._received(message)
        elif way == "sent":
            self._sent(message)

    # --- looking ahead ---------------------------------------------------------------------------

    def _note_order(self, submitted: SubmitOrder) -> None:
        self._orders[submitted.order.client_order_id] = submitted

    def _note_change(self, replaced: ReplaceOrder) -> None:
        self._changes.setdefault(replaced.order.client_order_id, deque()).append(replaced)

    def _note_fill(self, fill: Fill) -> None:
        if is_caused(fill):
            self._caused.setdefault(fill.client_order_id, []).append(fill)
        else:
            self._settlements[fill.trade_id] = fill

    def _note_entry(self, entry: CashAdjusted) -> None:
        cause = cause_of(entry) or entry.entry_id.removesuffix(FORGIVEN)
        self._caused.setdefault(cause, []).append(entry)

    # --- what was received -----------------------------------------------------------------------

    def _received(self, message: Any) -> None:
        """Take a message that was handled; timers and close-outs left traces in what was sent."""
        handler = self._on_received.get(type(message))
        if handler is not None:
            handler(message)

    def _update(self, update: OrderUpdate) -> None:
        if update.status in TERMINAL:
            self._approval.order_over(update.client_order_id)

    def _batch(self, batch: SignalBatch) -> None:
        for signal in batch.signals:
            self._signal(signal)

    def _halt(self, halt: Halt) -> None:
        self._approval.halt(halt.cause, final=halt.final)

    def _lift(self, lifted: HaltLifted) -> None:
        self._approval.gate.states.forget_halt(lifted.cause)  # the account's own was told

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
        self._liquidation(f"{LIQUIDATION}-{cause_id(fill)}")
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
        self._counts.conversions += bool(self._book_caused(request.request_id))

    def _liquidation(self, order_id: str) -> None:
        """Book a liquidation that was sent, once."""
        if self._book_caused(order_id):
            self._counts.liquidations += 1
            self._approval.halt(LIQUIDATION)

    def _book_caused(self, cause: str) -> list[Fill | CashAdjusted]:
        """Book what was sent for a cause, once; return it."""
        caused = self._caused.pop(cause, [])
        for each in caused:
            if isinstance(each, Fill):
                self._account.ledger.apply(each)
            else:
                self._account.ledger.adjust(each)
        return caused

    def _settlement(self, trade_id: str) -> None:
        """Book a settlement that was sent, once."""
        fill = self._settlements.pop(trade_id, None)
        if fill is not None:
            self._account.marks.resolve(fill.instrument, fill.last_price)
            self._account.ledger.apply(fill)

    def _compare(self, message: VenueHoldings) -> None:
        if self.holdings is not None:
            self.holdings.take(message, 0, self._adopt)

    def _resolve(self, message: ResolveDifference) -> None:
        if self.holdings is not None:
            self.holdings.resolve(message, 0, self._adopt)

    def _adopt(self, cause: str, _subjects: Sequence[Subject]) -> list[Booked]:
        return [*self._book_caused(cause)]

    def _reconciled(self, word: Reconciled) -> None:
        if word.part is Part.ORDERS:
            self._approval.gate.agreement.take(word)

    def _resumed(self, resumed: Resumed) -> None:
        self._approval.gate.go_on()
        if self.holdings is not None:
            self.holdings.begin(resumed.last_ns)

    # --- what was sent ---------------------------------------------------------------------------

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
        if fill.client_order_id.startswith(PREFIX):
            self._book_caused(fill.client_order_id)
        elif is_caused(fill):
            self._liquidation(fill.client_order_id)
        else:
            self._settlement(fill.trade_id)

    def _own_entry(self, entry: CashAdjusted) -> None:
        cause = cause_of(entry)
        if cause:
            self._book_caused(cause)
        if is_start(entry):
            self._approval.gate.landmarks.begin_anew()
            self._curve.begin_anew()

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
