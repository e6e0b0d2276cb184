"""What others may see of a portfolio; looking changes nothing."""

from collections.abc import Mapping
from decimal import Decimal

import attrs

from actors.messages.account import PositionChanged
from actors.messages.trading import Fill
from actors.model.money import ZERO
from actors.portfolio.account import Account
from actors.portfolio.booking.provisional import unsettled
from actors.portfolio.books.curve import EquityCurve
from actors.portfolio.books.exact import add, multiply, multiply_add, subtract
from actors.portfolio.books.valuation import unrated
from actors.portfolio.config import PortfolioStatistics
from actors.portfolio.reporting.pairs import Event, Pair, PairBook
from actors.portfolio.reporting.subportfolios import SubPortfolio, strategies_of, sub_portfolio


class PortfolioReport:
    """An account's balances, positions and value, under the names that people ask for."""

    def __init__(self, account: Account, curve: EquityCurve) -> None:
        self._account = account
        self._ledger = account.ledger
        self._curve = curve
        self._counts = PortfolioStatistics()
        self._pairs = PairBook(account.instruments, account.ledger, account.reservations)

    # --- balances --------------------------------------------------------------------------------

    @property
    def cash(self) -> Decimal:
        """Return the account's cash, reserved or not."""
        return self._ledger.cash

    @property
    def settled_cash(self) -> Decimal:
        """Return the cash without what provisional fills have brought or taken."""
        moved = unsettled(self._ledger).cash.get(self._ledger.own.currency, ZERO)
        return subtract(self._ledger.cash, moved)

    @property
    def reserved(self) -> Decimal:
        """Return the cash held back for orders that are not over."""
        return self._account.reservations.reserved

    @property
    def available(self) -> Decimal:
        """Return the cash that nothing has a claim on."""
        return self._account.available()

    @property
    def commission(self) -> Decimal:
        """Return the sum of all commissions."""
        return self._ledger.commission

    def get_cash_balance(self, currency: str | None = None) -> Decimal:
        """Return the balance in a currency, by default the account's; 0 if there is none."""
        if currency is None:
            return self._ledger.cash
        books = self._ledger.books
        purse = books.own if books.settings.is_par(currency) else books.purses.get(currency)
        return ZERO if purse is None else purse.cash

    @property
    def balances(self) -> Mapping[str, Decimal]:
        """Return every balance, by currency."""
        return {name: purse.cash for name, purse in self._ledger.books.purses.items()}

    # --- positions -------------------------------------------------------------------------------

    @property
    def fills(self) -> list[Fill]:
        """Return every fill booked, settlements too, in order."""
        return self._ledger.fills

    def positions(self) -> list[PositionChanged]:
        """Return every position that there ever was, by strategy and instrument."""
        return self._ledger.positions()

    def get_all_positions(self) -> list[PositionChanged]:
        """Return the positions that are open, by strategy and instrument."""
        return [position.changed() for position in self._ledger.open_positions()]

    def get_position(self, instrument_id: str) -> Decimal:
        """Return the account's signed position in one instrument."""
        return self._ledger.total(instrument_id).quantity

    account_position = get_position

    def settled_position(self, strategy: str, instrument_id: str) -> Decimal:
        """Return a strategy's position without what provisional fills have moved."""
        key = (strategy, instrument_id)
        moved = unsettled(self._ledger).positions.get(key, ZERO)
        return subtract(self._ledger.position(key).quantity, moved)

    def pair(self, instrument_id: str, strategy: str | None = None) -> Pair | None:
        """Return the YES/NO pair that a token belongs to, the account's or one strategy's."""
        return self._pairs.pair(instrument_id, strategy)

    def pairs(self, strategy: str | None = None) -> list[Pair]:
        """Return every YES/NO pair that there ever was a position in."""
        return self._pairs.pairs(strategy)

    def events(self, strategy: str | None = None) -> list[Event]:
        """Return every set of exclusive markets that there ever was a position in."""
        return self._pairs.events(strategy)

    # --- values ----------------------------------------------------------------------------------

    def mark(self, instrument_id: str) -> Decimal | None:
        """Return what one unit is worth at the latest prices, or None if there never was one."""
        return self._account.marks.mark(instrument_id)

    def equity(self) -> Decimal | None:
        """Return the account's value at the latest marks; None if a currency has no rate."""
        return self._account.equity()

    def unrated_currencies(self) -> list[str]:
        """Return the currencies whose missing rate keeps the account from being valued."""
        return unrated(self._ledger, self._account.marks.mark, self._account.capital.rates)

    def unrealized_pnl(self) -> Decimal | None:
        """Return what closing everything at the marks would gain; None without a rate."""
        total = ZERO
        mark_of = self._account.marks.mark
        for position in self._ledger.held():
            rate = self._account.capital.rates.rate(position.purse.currency, mark_of)
            if rate is None:
                return None
            gain = position.unrealized_pnl(mark_of(position.instrument))
            total = multiply_add(gain, rate, total)
        return total

    def sub_portfolio(self, strategy: str) -> SubPortfolio | None:
        """Return one strategy's part of the account; None if a currency has no rate."""
        return sub_portfolio(self._account, strategy)

    def sub_portfolios(self) -> dict[str, SubPortfolio | None]:
        """Return everybody's part: with the opening balances they sum to the equity."""
        return {name: self.sub_portfolio(name) for name in strategies_of(self._account)}

    def equity_curve(self) -> EquityCurve:
        """Return the samples taken, the peak and the drawdown."""
        return self._curve

    def get_account_info(self) -> dict[str, Decimal | str | None]:
        """Return the account in one mapping; money in the account's currency."""
        return {
            "currency": self._ledger.own.currency,
            "cash": self.cash,
            "settled_cash": self.settled_cash,
            "reserved": self.reserved,
            "available": self.available,
            "commission": self.commission,
            "unrealized_pnl": self.unrealized_pnl(),
            "portfolio_value": self.equity(),
        }

    def get_risk_metrics(self) -> dict[str, Decimal | None]:
        """Return exposures at the marks and drawdowns, in the account's currency.

        ``net_exposure`` is longs less shorts, ``gross_exposure`` their sum; positions without a
        mark or a rate count at their cost and at par.
        """
        gross = net = ZERO
        mark_of = self._account.marks.mark
        for position in self._ledger.held():
            mark = mark_of(position.instrument)
            notional = position.cost if mark is None else position.notional(mark)
            rate = self._account.capital.rates.rate(position.purse.currency, mark_of)
            if rate is not None:
                notional = multiply(notional, rate)
            gross = add(gross, notional)
            signed = notional if position.quantity > ZERO else notional.copy_negate()
            net = add(net, signed)
        return {
            "gross_exposure": gross,
            "net_exposure": net,
            "equity": self.equity(),
            "reserved": self.reserved,
            "available": self.available,
            "peak_equity": self._curve.peak,
            "max_drawdown": self._curve.max_drawdown,
            "max_drawdown_fraction": self._curve.max_drawdown_fraction,
        }

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
            provisional_fills=len(self._ledger.unsettled),
        )
