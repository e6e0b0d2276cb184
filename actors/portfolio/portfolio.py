"""The portfolio: turns signals into orders or refusals, books fills, values the account.

It owns positions, cash and reservations; nobody else writes them. A signal is sized, put before
every risk policy and its capital reserved in the same step, so no other order can take the room.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, assert_never

import attrs

from actors.actor import Context, Later
from actors.messages.account import CloseOut, EquityMarked, MarkEquity, PositionChanged
from actors.messages.slices import MarketData, Slice
from actors.messages.system import CancelStrategy, Halt
from actors.messages.trading import Fill, OrderUpdate, Signal, SignalRefused, SubmitOrder
from actors.model.instrument import Instruments
from actors.model.money import ZERO
from actors.model.order import TERMINAL
from actors.portfolio.account import Account
from actors.portfolio.approval import Approval
from actors.portfolio.close_out import CLOSE_OUT, closing_order
from actors.portfolio.config import PortfolioConfig, PortfolioStatistics
from actors.portfolio.curve import EquityCurve
from actors.portfolio.ledger import Ledger, Position
from actors.portfolio.recent import RecentIds
from actors.portfolio.recovery import Recovery
from actors.portfolio.reservations import Reservations
from actors.portfolio.valuation import Marks, equity, first_resolution

PortfolioInput = (
    Signal | Fill | OrderUpdate | MarkEquity | Halt | CancelStrategy | CloseOut | MarketData
)
PortfolioOutput = SubmitOrder | SignalRefused | PositionChanged | Fill | EquityMarked | Later

_MARK = MarkEquity()


class Portfolio:
    """The core that owns one account; also a reactor: it settles what a resolved market pays."""

    def __init__(self, context: Context, instruments: Instruments, config: PortfolioConfig) -> None:
        self._close_prefix = f"{context.run_id}-close-"
        self._instruments = instruments
        self._config = config
        self._ledger = Ledger(config.cash)
        self._reservations = Reservations()
        self._account = Account(
            instruments=instruments,
            ledger=self._ledger,
            reservations=self._reservations,
            marks=Marks(instruments),
        )
        self._approval = Approval(self._account, config)
        self._curve = EquityCurve(config.equity_interval_ns, config.cash)
        self._signal_ids = RecentIds()
        self._counts = PortfolioStatistics()
        self._recovery = Recovery(
            self._account, self._approval, self._curve, self._signal_ids, self._counts
        )
        self._next_mark_ns = 0

    # --- the core --------------------------------------------------------------------------------

    def start(self, now_ns: int) -> list[PortfolioOutput]:
        """Return the timer of the first equity sample."""
        return [self._next_mark(now_ns)]

    def handle(self, message: PortfolioInput, now_ns: int) -> list[PortfolioOutput]:
        """Return what a message leads to."""
        match message:
            case Signal():
                return self._decide(message)
            case Fill():
                return self._book(message, now_ns)
            case OrderUpdate():
                if message.status in TERMINAL:
                    self._reservations.release(message.client_order_id)
                return []
            case MarkEquity():
                return self._mark(now_ns)
            case MarketData():
                return self._pass_rows(message.rows, now_ns)
            case Halt():
                self._approval.halt(message.cause)
                return []
            case CancelStrategy():
                self._approval.stop_strategy(message.strategy, message.cause)
                return []
            case CloseOut():
                return self._close_all()
            case _:
                assert_never(message)

    def stop(self, now_ns: int) -> list[PortfolioOutput]:
        """Return a last sample of the equity."""
        return [self._sample(now_ns)]

    # --- signals, fills --------------------------------------------------------------------------

    def _decide(self, signal: Signal) -> list[PortfolioOutput]:
        counts = self._counts
        if not self._signal_ids.add(signal.signal_id):
            counts.duplicate_signals += 1
            return []
        counts.signals += 1
        decision = self._approval.decide(signal)
        if decision is None:
            return []
        if isinstance(decision, SubmitOrder):
            counts.orders += 1
        else:
            counts.count_refusal(decision)
        return [decision]

    def _book(self, fill: Fill, now_ns: int) -> list[PortfolioOutput]:
        changed = self._account.book(fill)
        if changed is None:
            return []
        if changed.quantity and fill.instrument in self._account.marks.payoffs:
            # the venue filled it before the market resolved; the report came after
            return [changed, *self._account.settle(fill.instrument, now_ns, fill)]
        return [changed]

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
        """Return the first row in ``[start, stop)`` that resolves a market, or ``stop``."""
        return first_resolution(rows, start, stop)

    def react(self, rows: Slice, row: int, now_ns: int) -> list[PortfolioOutput]:
        """Settle every position in the instrument that has resolved, at what it pays."""
        instrument = self._instruments[int(rows.instrument[row])]
        self._account.marks.resolve(instrument.id, instrument.price(int(rows.a[row])))
        return [*self._account.settle(instrument.id, now_ns)]

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

    def _mark(self, now_ns: int) -> list[PortfolioOutput]:
        if now_ns < self._next_mark_ns:
            return []  # the timer of an earlier incarnation: ours has fired already
        return [self._sample(now_ns), self._next_mark(now_ns)]

    def _sample(self, now_ns: int) -> EquityMarked:
        value = equity(self._ledger, self._account.marks.keep)
        sample = EquityMarked(time_ns=now_ns, cash=self._ledger.cash, equity=value)
        self._curve.add(sample)
        return sample

    def _next_mark(self, now_ns: int) -> Later:
        self._next_mark_ns = self._curve.due_ns(now_ns)
        return Later(_MARK, self._next_mark_ns, background=True)

    # --- the end ---------------------------------------------------------------------------------

    def _close_all(self) -> list[PortfolioOutput]:
        if not self._config.close_out or self._approval.is_halted:
            return []
        return [
            self._close(position)
            for position in self._ledger.open_positions()
            if not self._account.is_closing((position.strategy, position.instrument))
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

    # --- what others may see ---------------------------------------------------------------------

    @property
    def cash(self) -> Decimal:
        """Return the account's cash, reserved or not."""
        return self._ledger.cash

    @property
    def reserved(self) -> Decimal:
        """Return the cash held back for orders that are not over."""
        return self._reservations.reserved

    @property
    def available(self) -> Decimal:
        """Return the cash that nothing has a claim on."""
        return self._account.available()

    @property
    def commission(self) -> Decimal:
        """Return the sum of all commissions."""
        return self._ledger.commission

    @property
    def fills(self) -> list[Fill]:
        """Return every fill booked, settlements too, in order."""
        return self._ledger.fills

    def positions(self) -> list[PositionChanged]:
        """Return every position that there ever was, by strategy and instrument."""
        return self._ledger.positions()

    def account_position(self, instrument_id: str) -> Decimal:
        """Return the account's signed position in one instrument."""
        return self._ledger.total(instrument_id).quantity

    def mark(self, instrument_id: str) -> Decimal | None:
        """Return what one unit is worth at the latest prices, or None if there never was one."""
        return self._account.marks.mark(instrument_id)

    def equity(self) -> Decimal:
        """Return the account's value at the latest marks; asking changes nothing."""
        return equity(self._ledger, self._account.marks.mark)

    def equity_curve(self) -> EquityCurve:
        """Return the samples taken, the peak and the drawdown."""
        return self._curve

    def statistics(self) -> PortfolioStatistics:
        """Return what has been counted so far."""
        counts = self._counts
        return attrs.evolve(
            counts,
            targets_met=counts.signals - counts.refused_signals - counts.orders + counts.close_outs,
            refused_by=dict(sorted(counts.refused_by.items())),
            fills=self._ledger.count,
            duplicate_fills=self._ledger.duplicates,
            settlements=self._ledger.settled,
        )
