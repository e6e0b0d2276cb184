"""The portfolio: turns signals into orders or refusals, books fills, values the account.

It owns positions, cash and reservations; nobody else writes them. A signal is sized, put before
every risk policy and its capital reserved in the same step, so no other order can take the room.
"""

from collections.abc import Iterable
from functools import partial
from typing import Any, assert_never

from actors.actor import Context, Later
from actors.messages.account import (
    CashAdjusted,
    CloseOut,
    ConvertTokens,
    EquityMarked,
    MarkEquity,
    SetTradingState,
)
from actors.messages.alerts import Logged
from actors.messages.reconciliation import Part, Reconciled, ResolveDifference, VenueHoldings
from actors.messages.slices import MarketData, Slice
from actors.messages.system import CancelStrategy, Halt, HaltLifted, Resumed
from actors.messages.trading import (
    Fill,
    FillSettled,
    ModifyOrder,
    OrderUpdate,
    ReplaceResult,
    Signal,
    SignalBatch,
    SignalRefused,
    SubmitOrder,
)
from actors.model.instrument import Instruments
from actors.model.money import ZERO
from actors.model.order import TERMINAL
from actors.model.recent import RecentIds
from actors.portfolio.account import new_account
from actors.portfolio.approval.approval import Approval, Decision
from actors.portfolio.booking.booking import Booking
from actors.portfolio.books.curve import EquityCurve
from actors.portfolio.books.positions import Position
from actors.portfolio.books.valuation import Marks, equity, first_resolution
from actors.portfolio.close_out import CLOSE_OUT, closing_order
from actors.portfolio.config import EquitySampling, PortfolioConfig
from actors.portfolio.outputs import PortfolioOutput as PortfolioOutput
from actors.portfolio.reconciling.adoption import Adoption, is_start
from actors.portfolio.reconciling.holdings import Holdings, HoldingsOutput
from actors.portfolio.recovery import Recovery
from actors.portfolio.reporting.views import RiskReport

_Request = SignalBatch | ModifyOrder | ConvertTokens | FillSettled | SetTradingState | CloseOut
_Word = ReplaceResult | CashAdjusted | Halt | CancelStrategy | Reconciled
_Comparison = VenueHoldings | ResolveDifference
_Asked = _Request | HaltLifted | _Comparison | Resumed
PortfolioInput = Signal | Fill | OrderUpdate | MarkEquity | MarketData | _Asked | _Word
_MARK = MarkEquity()


class Portfolio(RiskReport):
    """The core that owns one account; also a reactor: it settles what a resolved market pays."""

    def __init__(self, context: Context, instruments: Instruments, config: PortfolioConfig) -> None:
        self._close_prefix = f"{context.run_id}-close-"
        self._instruments = instruments
        self._config = config
        account = new_account(config, instruments, context)
        samples_changes = config.equity is not EquitySampling.GRID
        self._approval = Approval(account, config)
        super().__init__(
            account,
            EquityCurve(
                config.equity_interval_ns,
                config.cash,
                keeps_changes=samples_changes,
                most=config.equity_samples,
            ),
            self._approval.gate,
        )
        self._signal_ids = RecentIds()
        self._recovery = Recovery(
            account, self._approval, self._curve, self._signal_ids, self._counts
        )
        self._memory = account.ledger.memory
        self._booking = Booking(config, account, self._approval, self._counts, self._sample)
        self._holdings: Holdings | None = None
        if account.under_way is not None:
            agreement = self._approval.gate.agreement
            self._holdings = Holdings(account, config, agreement, account.under_way)
            self._recovery.holdings = self._holdings
        self._adoption = Adoption(account)
        self._context = context
        self._next_mark_ns = 0

    # --- the core --------------------------------------------------------------------------------

    def start(self, now_ns: int) -> list[PortfolioOutput]:
        """Return the timer of the first equity sample, and what was not settled while it was down.

        A market may have resolved while nobody was there to react.
        """
        outputs = self._booking.settle_missed(self._context.incarnation, now_ns)
        if self._memory is not None:
            self._with_news(outputs)
        if self._config.equity is not EquitySampling.ON_CHANGE:
            outputs.append(self._next_mark(now_ns))
        return outputs

    def handle(self, message: PortfolioInput, now_ns: int) -> list[PortfolioOutput]:
        """Return what a message leads to; those of every order first, as each look costs time."""
        if isinstance(message, Signal):
            return self._decide(message, now_ns)
        if isinstance(message, Fill):
            return self._book(message, now_ns)
        if isinstance(message, OrderUpdate):
            if message.status in TERMINAL:
                self._approval.order_over(message.client_order_id)
            return []
        if isinstance(message, MarkEquity):
            return self._mark(now_ns, is_last=message.is_last)
        if isinstance(message, MarketData):
            return self._pass_rows(message.rows, now_ns)
        if isinstance(message, _Word):
            told = self._take_word(message)
        else:
            told = self._take_request(message, now_ns)
        return told if self._memory is None else self._with_news(told)

    def _take_request(self, message: _Asked, now_ns: int) -> list[PortfolioOutput]:
        match message:
            case SignalBatch():
                return self._decide_batch(message, now_ns)
            case ModifyOrder():
                return self._modify(message, now_ns)
            case ConvertTokens():
                return self._convert(message, now_ns)
            case FillSettled():
                return self._booking.take_word(message, now_ns)
            case SetTradingState():
                return self._set_state(message, now_ns)
            case CloseOut():
                return self._close_all()
            case HaltLifted():
                return self._lift(message, now_ns)
            case VenueHoldings() | ResolveDifference():
                return self._compare(message, now_ns)
            case Resumed():
                return self._resume(message, now_ns)
            case _:
                assert_never(message)

    def _take_word(self, message: _Word) -> list[PortfolioOutput]:
        """Take notice of something; nothing is to be said to it."""
        match message:
            case ReplaceResult():
                self._approval.changes.settle(message)
            case CashAdjusted():
                self._ledger.adjust(message)
            case Halt():
                self._approval.halt(message.cause, final=message.final)
            case Reconciled():
                if message.part is Part.ORDERS:  # the other one is our own
                    self._gate.agreement.take(message)
            case CancelStrategy():
                self._approval.stop_strategy(message.strategy, message.cause)
            case _:
                assert_never(message)
        return []

    def stop(self, now_ns: int) -> list[PortfolioOutput]:
        """Return a last sample of the equity."""
        return [*self._sample(now_ns)]

    # --- signals, fills --------------------------------------------------------------------------

    def _decide(self, signal: Signal, now_ns: int) -> list[PortfolioOutput]:
        counts = self._counts
        if not self._signal_ids.add(signal.signal_id):
            counts.duplicate_signals += 1
            return []
        counts.signals += 1
        told: list[PortfolioOutput] = []
        if self._gate.states.is_watching:
            told += self._gate.watch(now_ns)
        decision = self._approval.decide(signal, now_ns)
        if decision is None:
            return told
        if isinstance(decision, SubmitOrder):
            counts.orders += 1
        else:
            counts.count_refusal(decision)
        told.append(decision)
        return told

    def _decide_batch(self, batch: SignalBatch, now_ns: int) -> list[PortfolioOutput]:
        """Decide on each signal of a batch, in its order; on all alike if it asks for that."""
        told = [out for signal in batch.signals for out in self._decide(signal, now_ns)]
        if batch.all_or_none:
            decisions = [out for out in told if isinstance(out, Decision)]
            told = [out for out in told if not isinstance(out, Decision)]
            for before, decision in zip(
                decisions, self._approval.all_or_none(decisions), strict=True
            ):
                if decision is not before and isinstance(decision, SignalRefused):
                    self._counts.orders -= 1
                    self._counts.count_refusal(decision)
                told.append(decision)
        return told

    def _modify(self, message: ModifyOrder, now_ns: int) -> list[PortfolioOutput]:
        told: list[PortfolioOutput] = []
        if self._gate.states.is_watching:
            told += self._gate.watch(now_ns)
        decision = self._approval.changes.decide(message, now_ns)
        if isinstance(decision, SignalRefused):
            self._counts.count_refusal(decision)
        told.append(decision)
        return told

    def _set_state(self, message: SetTradingState, now_ns: int) -> list[PortfolioOutput]:
        """Set the trading state; losses are counted anew from the moment at which one is lifted."""
        told: list[PortfolioOutput] = []
        if self._gate.states.lifts(message):
            told += self._sample(now_ns)
            self._gate.landmarks.begin_anew()
        told += self._gate.states.set(message)
        return told

    def _lift(self, message: HaltLifted, now_ns: int) -> list[PortfolioOutput]:
        """Lift a halt; of the account's own, losses are counted anew as with a set state."""
        told: list[PortfolioOutput] = []
        if self._gate.states.is_own(message.cause):
            told += self._sample(now_ns)
            self._gate.landmarks.begin_anew()
        told += self._gate.states.lift(message.cause)
        return told

    def _book(self, fill: Fill, now_ns: int) -> list[PortfolioOutput]:
        outputs = self._booking.book(fill, now_ns)
        if outputs and self._gate.reduce_only.watched:
            outputs += self._gate.reduce_only.after_fill(fill)
        return outputs if self._memory is None else self._with_news(outputs)

    def _with_news(self, outputs: list[PortfolioOutput]) -> list[PortfolioOutput]:
        """Add what the ledger has let go."""
        assert self._memory is not None, "the ledger keeps everything"
        outputs += self._memory.news
        self._memory.news.clear()
        return outputs

    def _convert(self, request: ConvertTokens, now_ns: int) -> list[PortfolioOutput]:
        if not self._signal_ids.add(request.request_id):
            self._counts.duplicate_signals += 1
            return []
        return self._booking.convert(request, now_ns)

    # --- what the venue holds --------------------------------------------------------------------

    @property
    def unreconciled(self) -> str | None:
        """Return why no order may leave before the books are compared; None if they agree."""
        problem = self._gate.agreement.problem
        return None if problem is None else problem.found

    @property
    def is_reconciled(self) -> bool:
        """Return whether the books agree with the venue's, or nobody compares them."""
        return self._gate.agreement.problem is None

    def compared_after(self, number: int) -> tuple[str, ...] | None:
        """Return what differs from the venue's books in a round later than some other one.

        The keys of differences, of those too that may be due to what is under way; None until such
        a round is over, or where nobody compares.
        """
        found = self._gate.agreement.compared_after(number)
        if found is None or self._holdings is None:
            return None
        return tuple(sorted({*found, *self._holdings.suspects}))

    def _compare(self, message: _Comparison, now_ns: int) -> list[PortfolioOutput]:
        """Compare with what the venue holds, or take somebody's decision on a difference."""
        if self._holdings is None:
            return []
        told: list[HoldingsOutput]
        if isinstance(message, VenueHoldings):
            adopt = partial(self._adoption.book, message.venue, now_ns)
            told = self._holdings.take(message, now_ns, adopt)
        else:
            adopt = partial(self._adoption.book, self._holdings.venue, now_ns)
            told = self._holdings.resolve(message, now_ns, adopt)
        samples: list[EquityMarked] = []
        if any(isinstance(each, CashAdjusted) and is_start(each) for each in told):
            samples = self._sample(now_ns)
            self._gate.landmarks.begin_anew()
            self._curve.begin_anew()
        return [*samples, *told]

    def _resume(self, message: Resumed, now_ns: int) -> list[PortfolioOutput]:
        """Begin to compare anew; name what is held and has no price.

        Prices are not in the journal: without a snapshot nobody knows them before the feeds show
        them again. Until then what is held is worth what it has cost.
        """
        self._gate.go_on()
        if self._holdings is not None:
            self._holdings.begin(message.last_ns)
        held = {each.instrument for each in self._ledger.held()}
        marks = self._account.marks
        unpriced = sorted(each for each in held if marks.mark(each) is None)
        if not unpriced:
            return []
        text = f"valued at cost until a feed shows a price: {', '.join(unpriced)}"
        return [Logged(strategy=self._context.actor, text=text, time_ns=now_ns)]

    # --- the market ------------------------------------------------------------------------------

    @property
    def market(self) -> Marks:
        """Return what it knows of the market, for its successor to :meth:`inherit`."""
        return self._account.marks

    def inherit(self, market: Marks) -> None:
        """Take over what an earlier incarnation knew of the market."""
        self._account.marks = market

    def advance(self, rows: Slice, stop: int) -> None:
        """Take notice of the rows before ``stop``, in constant time."""
        self._account.marks.advance(rows, stop)

    def look(self, rows: Slice, start: int, stop: int) -> int:
        """Return the first row in ``[start, stop)`` that settles or liquidates, or ``stop``."""
        stop = first_resolution(rows, start, stop)
        liquidation = self._booking.liquidation
        return stop if liquidation is None else liquidation.first(rows, start, stop)

    def react(self, rows: Slice, row: int, now_ns: int) -> list[PortfolioOutput]:
        """Settle what has resolved at what it pays; or close everything at the row's marks."""
        told = self._booking.react(rows, row, now_ns)
        return told if self._memory is None else self._with_news(told)

    def _pass_rows(self, rows: Slice, now_ns: int) -> list[PortfolioOutput]:
        outputs: list[PortfolioOutput] = []
        end = len(rows)
        row = self.look(rows, 0, end)
        while row < end:
            self.advance(rows, row + 1)
            outputs += self.react(rows, row, now_ns)
            row = self.look(rows, row + 1, end)
        self.advance(rows, end)
        return outputs

    # --- the equity curve ------------------------------------------------------------------------

    def _mark(self, now_ns: int, *, is_last: bool) -> list[PortfolioOutput]:
        if is_last:
            return [*self._sample(now_ns)]
        if now_ns < self._next_mark_ns:
            return []  # the timer of an earlier incarnation: ours has fired already
        told: list[PortfolioOutput] = [*self._sample(now_ns)]
        if self._gate.states.is_watching:
            told += self._gate.watch(now_ns)
        return [*told, self._next_mark(now_ns + 1)]  # also where there was nothing to sample

    def _sample(self, now_ns: int) -> list[EquityMarked]:
        """Return a sample of the equity; none while a currency has no rate."""
        value = equity(self._ledger, self._account.marks.keep, self._account.capital.rates)
        if value is None:
            return []
        sample = EquityMarked(time_ns=now_ns, cash=self._ledger.cash, equity=value)
        self._curve.add(sample)
        self._gate.landmarks.add(sample)
        return [sample]

    def _next_mark(self, now_ns: int) -> Later:
        self._next_mark_ns = self._curve.due_ns(now_ns)
        return Later(_MARK, self._next_mark_ns, background=True)

    # --- the end ---------------------------------------------------------------------------------

    def _close_all(self) -> list[PortfolioOutput]:
        if not self._config.close_out or self._approval.is_halted or not self.is_reconciled:
            return []
        return [
            self._close(position)
            for position in self._ledger.open_positions()
            if not self._account.is_closing((position.strategy, position.instrument))
            and position.instrument not in self._account.marks.payoffs
        ]

    def _close(self, position: Position) -> SubmitOrder:
        self._counts.close_outs += 1
        order = closing_order(position, f"{self._close_prefix}{self._counts.close_outs}")
        self._counts.orders += 1
        self._account.close(order)
        return SubmitOrder(order=order, approved_by=CLOSE_OUT, reserved=ZERO)

    def recover(self, history: Iterable[tuple[str, Any]]) -> None:
        """Rebuild ledger, reservations, curve and counts from what was received and sent."""
        self._recovery.replay(history)
