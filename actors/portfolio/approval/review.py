"""Reviews what a portfolio has approved: what other policies would have said, order by order."""

from typing import Any

import attrs

from actors.messages.account import EquityMarked, TradingStateChanged
from actors.messages.market import EventKind
from actors.messages.records import MarketRow, Origin
from actors.messages.slices import SliceBuilder
from actors.messages.trading import ReplaceOrder, SubmitOrder, Violation
from actors.model.instrument import Instruments
from actors.model.order import Order
from actors.model.recent import RecentIds
from actors.portfolio.account import new_account
from actors.portfolio.approval.approval import Approval
from actors.portfolio.books.curve import EquityCurve
from actors.portfolio.config import PortfolioConfig, PortfolioStatistics
from actors.portfolio.recovery import Recovery

_PRICED = frozenset({EventKind.QUOTE, EventKind.TRADE, EventKind.BAR})


@attrs.frozen(kw_only=True)
class Verdict:
    """What the policies would have said to an order, or to a change of one."""

    order: Order
    is_change: bool
    violations: tuple[Violation, ...]


class Review(Recovery):
    """Rebuilds an account from its history, as a restart does, and asks the policies on the way.

    Each order is put before them in the state in which it was approved; it is counted, and its
    fills are booked, whatever they say. The trading state is what these policies would have made of
    it, from the decisions and the samples of the equity on: it is never lifted. Prices are those of
    the market rows of the history, ``("sent", MarketRow)``.
    """

    def __init__(self, instruments: Instruments, config: PortfolioConfig) -> None:
        account = new_account(config, instruments)
        approval = Approval(account, config)
        curve = EquityCurve(config.equity_interval_ns, config.cash)
        super().__init__(account, approval, curve, RecentIds(), PortfolioStatistics())
        self.verdicts: list[Verdict] = []
        self._instruments = instruments

    def _approved(self, submitted: SubmitOrder) -> None:
        self._judge(submitted, is_change=False)
        super()._approved(submitted)

    def _replaced(self, replaced: ReplaceOrder) -> None:
        self._judge(replaced, is_change=True)
        super()._replaced(replaced)

    def _judge(self, approved: SubmitOrder | ReplaceOrder, *, is_change: bool) -> None:
        order = approved.order
        self._approval.gate.watch(order.created_ns)
        violations = self._approval.review(order, approved.reserved, order.created_ns)
        self.verdicts.append(Verdict(order=order, is_change=is_change, violations=violations))

    def _sent(self, message: Any) -> None:
        if isinstance(message, MarketRow):
            self._row(message)
        elif not isinstance(message, TradingStateChanged):
            super()._sent(message)
            if isinstance(message, EquityMarked):
                self._approval.gate.states.watch(message.equity, message.time_ns)

    def _row(self, row: MarketRow) -> None:
        """Take notice of a market row that gives a price."""
        kind = EventKind[row.kind]
        if kind not in _PRICED or row.instrument not in self._instruments:
            return
        index = self._instruments.index(row.instrument)
        origin = Origin(row.time_ns)
        builder = SliceBuilder(self._instruments)
        a, b, c, d, e = row.columns
        if kind is EventKind.QUOTE:
            builder.quote(origin, index, (a, b, c, d))
        elif kind is EventKind.TRADE:
            builder.trade(origin, index, (a, b, c))
        else:
            builder.bar(origin, index, (a, b, c, d, e))
        self._account.marks.advance(builder.build(), 1)
