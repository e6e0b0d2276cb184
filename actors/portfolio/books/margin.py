"""The capital that positions tie up, and what of the account is free to open more."""

from decimal import Decimal

import attrs

from actors.model.instrument import Instrument
from actors.model.money import ONE, ZERO
from actors.portfolio.books.currencies import MarkOf, Rates
from actors.portfolio.books.exact import add, multiply, multiply_add, share, subtract
from actors.portfolio.books.ledger import Ledger
from actors.portfolio.books.positions import Position

_MINUS_TWO = Decimal(-2)


@attrs.frozen
class Capital:
    """What opening costs, and what is free, under one account's leverage."""

    rates: Rates
    leverage: Decimal = ONE

    def unit_cost(self, instrument: Instrument, price: Decimal, mark_of: MarkOf) -> Decimal | None:
        """Return the capital that opening one unit takes, in the account's currency.

        The margin of a future, else the price times the multiplier, by the leverage. None if the
        instrument's currency has no rate.
        """
        rate = self.rates.rate(instrument.currency, mark_of)
        if rate is None:
            return None
        if instrument.margin is not None:
            return multiply(instrument.margin, rate)
        cost = multiply(multiply(price, instrument.multiplier), rate)
        return cost if self.leverage == ONE else share(cost, ONE, self.leverage)

    def tied(self, position: Position, mark: Decimal | None) -> Decimal:
        """Return the capital that an open position ties up, in its own currency.

        Of a future its margin; of what is paid for, with leverage, its part of the notional.
        """
        if position.margin is not None:
            return multiply(position.margin, position.quantity.copy_abs())
        notional = position.cost if mark is None else position.notional(mark)
        return share(notional, ONE, self.leverage)

    def free(self, ledger: Ledger, mark_of: MarkOf) -> Decimal:
        """Return what could be tied up or paid anew, in the account's currency.

        Without leverage: cash, less twice the cost of the shorts (their proceeds are not ours to
        spend, and as much again is their collateral), plus what futures have gained, less their
        margins. With leverage: the equity, less what the positions tie up. What is in a currency
        without a rate does not count.
        """
        free: dict[str, Decimal] = {}
        is_leveraged = self.leverage > ONE
        for currency, purse in ledger.books.purses.items():
            cash = purse.cash
            if not is_leveraged:
                cash = multiply_add(_MINUS_TWO, purse.short_cost, cash)
            free[currency] = cash
        for position in ledger.held():
            if is_leveraged or position.margin is not None:
                mark = mark_of(position.instrument)
                currency = position.purse.currency
                gain = subtract(position.worth(mark), self.tied(position, mark))
                free[currency] = add(free[currency], gain)
        total = ZERO
        for currency, amount in free.items():
            rate = self.rates.rate(currency, mark_of)
            if rate is not None:
                total = multiply_add(amount, rate, total)
        return total
