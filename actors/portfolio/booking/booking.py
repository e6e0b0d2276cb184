"""Books what happens to the account: fills, settlements, conversions, liquidations."""

from collections.abc import Callable
from functools import partial

from actors.messages.account import (
    ConversionKind,
    ConvertTokens,
    EquityMarked,
)
from actors.messages.market import EventKind
from actors.messages.slices import Slice
from actors.messages.system import CancelAll
from actors.messages.trading import Fill, FillSettled, SignalRefused, Violation
from actors.portfolio.account import Account
from actors.portfolio.approval.approval import Approval
from actors.portfolio.booking.conversions import Conversions, refused
from actors.portfolio.booking.liquidation import LIQUIDATION, Liquidation
from actors.portfolio.booking.provisional import apply_word, failed_word
from actors.portfolio.books.currencies import MarkOf
from actors.portfolio.books.ledger import cause_id
from actors.portfolio.config import EquitySampling, PortfolioConfig, PortfolioStatistics
from actors.portfolio.outputs import PortfolioOutput

Sample = Callable[[int], list[EquityMarked]]
"""Takes a sample of the equity, at a time."""


class Booking:
    """The account's own acts, and what they lead to."""

    def __init__(
        self,
        config: PortfolioConfig,
        account: Account,
        approval: Approval,
        counts: PortfolioStatistics,
        sample: Sample,
    ) -> None:
        self._account = account
        self._apply = account.ledger.apply
        self._count_off = account.reservations.fill
        self._approval = approval
        self._agreement = approval.gate.agreement
        self._counts = counts
        self._sample = sample
        self._conversions = Conversions(account)
        self._redeems = config.auto_redeem
        self._samples = config.equity is not EquitySampling.GRID
        self.liquidation: Liquidation | None = None
        """Looks ahead for the row at which all is to be closed; None if nobody asked for it."""
        if config.liquidate_at is not None:
            self.liquidation = Liquidation(account, config.liquidate_at)

    # --- messages --------------------------------------------------------------------------------

    def book(self, fill: Fill, now_ns: int) -> list[PortfolioOutput]:
        """Book a fill; return nothing if it has been booked before."""
        changed = self._apply(fill)
        if changed is None:
            return []
        is_over = not fill.leaves_quantity
        self._count_off(fill.client_order_id, fill.last_quantity, is_over=is_over)
        outputs: list[PortfolioOutput] = [changed]
        if changed.quantity and fill.instrument in self._account.marks.payoffs:
            # the venue filled it before the market resolved; the report came after
            outputs += self._settle(fill.instrument, now_ns, fill)
        if self.liquidation is not None and self.liquidation.is_due():
            outputs += self._liquidate(self._account.marks.priced, now_ns, cause_id(fill))
        if self._samples:
            outputs += self._sample(now_ns)
        return outputs

    def take_word(self, word: FillSettled, now_ns: int) -> list[PortfolioOutput]:
        """Take the venue's last word on a provisional fill."""
        changed = apply_word(self._account.ledger, word, self._counts)
        if changed is None:
            return []
        outputs: list[PortfolioOutput] = [changed]
        if changed.quantity and word.instrument in self._account.marks.payoffs:
            outputs += self._settle(word.instrument, now_ns, failed_word(word))
        if self._samples:
            outputs += self._sample(now_ns)
        return outputs

    def convert(self, request: ConvertTokens, now_ns: int) -> list[PortfolioOutput]:
        """Split, merge or redeem tokens, or say why not."""
        if self._approval.is_halted and request.kind is ConversionKind.SPLIT:
            halted = Violation("Halted", "trading is active", "halted")
            decision: tuple[Fill, ...] | SignalRefused = refused(request, halted)
        elif self._agreement.problem is not None:
            decision = refused(request, self._agreement.problem)
        else:
            decision = self._conversions.decide(request, now_ns)
        if isinstance(decision, SignalRefused):
            self._counts.count_refused_conversion(decision)
            return [decision]
        self._counts.conversions += 1
        outputs: list[PortfolioOutput] = [*self._account.book_own(decision)]
        if self._samples:
            outputs += self._sample(now_ns)
        return outputs

    # --- the market ------------------------------------------------------------------------------

    def settle_missed(self, incarnation: int, now_ns: int) -> list[PortfolioOutput]:
        """Settle what resolved while nobody was there to react."""
        account = self._account
        account.marks.catch_up_resolutions()
        held = {position.instrument for position in account.ledger.held()}
        outputs: list[PortfolioOutput] = []
        for instrument_id in sorted(held & account.marks.payoffs.keys()):
            outputs += self._settle(instrument_id, now_ns, f"start-{incarnation}")
        return outputs

    def react(self, rows: Slice, row: int, now_ns: int) -> list[PortfolioOutput]:
        """Settle what has resolved at what it pays; or close everything at the row's marks."""
        marks = self._account.marks
        if rows.kind[row] == EventKind.RESOLUTION:
            instrument = self._account.instruments[int(rows.instrument[row])]
            marks.resolve(instrument.id, instrument.price(int(rows.a[row])))
            outputs = self._settle(instrument.id, now_ns, None)
        else:
            mark_of = partial(marks.mark_after, row + 1)
            outputs = self._liquidate(mark_of, now_ns, f"row-{now_ns}")
        if outputs and self._samples:
            outputs += self._sample(now_ns)
        return outputs

    def _settle(
        self, instrument_id: str, now_ns: int, late: Fill | str | None
    ) -> list[PortfolioOutput]:
        if not self._redeems:
            return []
        return [*self._account.settle(instrument_id, now_ns, late)]

    def _liquidate(self, mark_of: MarkOf, now_ns: int, cause: str) -> list[PortfolioOutput]:
        """Close everything, cancel what works, and let nothing more pass."""
        assert self.liquidation is not None, "nobody asked for it"
        self._counts.liquidations += 1
        outputs: list[PortfolioOutput] = [*self.liquidation.close(mark_of, now_ns, cause)]
        self._approval.halt(LIQUIDATION)
        outputs.append(CancelAll(LIQUIDATION))
        return outputs
