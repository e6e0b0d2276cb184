"""How an account keeps its books: its currencies, and which kind of position fits an instrument."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

import attrs

from actors.model.instrument import Instruments
from actors.model.money import ONE, ZERO
from actors.portfolio.books.lots import FifoPosition
from actors.portfolio.books.positions import Key, Position, Purse, TermedPosition, Terms, Total

DOLLARS = frozenset(
    {"USD", "USDC", "USDC.e", "USDT", "pUSD", "PUSD", "BUSD", "DAI", "FDUSD", "TUSD", "USDP"}
)
"""The dollar and the tokens that promise one.

An account in one of them takes the others at par, into the same purse, unless it names a balance
or a rate for them.
"""

Rate = Decimal | str
"""Units of the account's currency per unit of another; or the instrument whose price says so."""


class CostMethod(StrEnum):
    """Which part of a position's cost a closing fill takes."""

    AVERAGE = "average"
    """The same part as of the quantity."""
    FIFO = "fifo"
    """That of the lots that were opened first."""


@attrs.frozen(kw_only=True)
class BookSettings:
    """How an account keeps its books.

    Attributes:
        currency: The account's: what equity is in.
        balances: Opening balances in other currencies.
        fx: What one unit of another currency is worth: a number, or an instrument's id.
        cost_method: Which part of the cost a closing fill takes.
        money_step: What commissions and realized profits are rounded to; None for exact.
    """

    currency: str = "USD"
    balances: Mapping[str, Decimal] = attrs.field(factory=dict)
    fx: Mapping[str, Rate] = attrs.field(factory=dict)
    cost_method: CostMethod = CostMethod.AVERAGE
    money_step: Decimal | None = None

    def is_par(self, currency: str) -> bool:
        """Return whether a currency is taken as the account's own."""
        if currency == self.currency:
            return True
        if currency in self.balances or currency in self.fx:
            return False
        return currency in DOLLARS and self.currency in DOLLARS


class Books:
    """Makes the purses and the positions of one account."""

    def __init__(self, settings: BookSettings, cash: Decimal, instruments: Instruments) -> None:
        self.settings = settings
        self.own = Purse(settings.currency, cash)
        """The purse of the account's currency."""
        self.purses: dict[str, Purse] = {settings.currency: self.own}
        """By currency; more than one only where there are several."""
        self.is_plain = True
        """Whether cash, shorts and reservations alone say what is free."""
        self._instruments = instruments
        for currency, amount in settings.balances.items():
            self.purses[currency] = Purse(currency, amount)
            self.is_plain = False

    def purse(self, currency: str) -> Purse:
        """Return the purse that a currency's cash flows go to."""
        purse = self.purses.get(currency)
        if purse is None:
            if self.settings.is_par(currency):
                return self.own
            self.is_plain = False
            purse = self.purses[currency] = Purse(currency, ZERO)
        return purse

    def position(self, key: Key, total: Total) -> Position:
        """Return a new position; of an instrument that nobody knows, a plain one."""
        settings = self.settings
        instrument = self._instruments.get(key[1])
        if instrument is None:
            terms, purse = Terms(ONE, None, settings.money_step), self.own
        else:
            terms = Terms(instrument.multiplier, instrument.margin, settings.money_step)
            purse = self.purse(instrument.currency)
        if terms.margin is not None:
            self.is_plain = False
        if settings.cost_method is CostMethod.FIFO:
            return FifoPosition(key, total, purse, terms)
        if terms.are_plain:
            return Position(key, total, purse)
        return TermedPosition(key, total, purse, terms)
