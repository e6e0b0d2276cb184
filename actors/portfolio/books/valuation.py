"""What positions are worth: marks from the latest prices, and the account's equity."""

from bisect import bisect_left
from collections.abc import Sequence
from decimal import Decimal

from actors.messages.market import EventKind
from actors.messages.prices import LastPrices, Top
from actors.messages.slices import Slice
from actors.model.instrument import Instruments
from actors.model.money import ZERO
from actors.portfolio.books.currencies import MarkOf, Rates
from actors.portfolio.books.exact import add, multiply, multiply_add
from actors.portfolio.books.ledger import Ledger

_HALF = Decimal("0.5")


class Marks(LastPrices):
    """What the portfolio knows of the market; outlives its cores, which could not recover it.

    Attributes:
        payoffs: What one unit of each resolved instrument pays; not to be changed.
    """

    def __init__(self, instruments: Instruments) -> None:
        super().__init__()
        self._instruments = instruments
        self._good: dict[str, Decimal] = {}
        self.payoffs: dict[str, Decimal] = {}

    def price(self, index: int, tick: Decimal, *, is_buy: bool) -> Decimal | None:
        """Return what an order would meet now, the ask or the bid; None if nobody is there."""
        top = self.top(index)
        if is_buy:
            return tick * top.ask if top.ask_lots else None
        return tick * top.bid if top.bid_lots else None

    def mark(self, instrument_id: str) -> Decimal | None:
        """Return what one unit is worth; None if there never was a price.

        The mid of the last quote; where only one side is there, that side; the last close or
        print where there are no quotes. While both sides are empty, the last mark kept holds. What
        has resolved is worth what it pays. Asking changes nothing.
        """
        instrument = self._instruments.get(instrument_id)
        if instrument is None:
            return None
        if instrument_id in self.payoffs:
            return self.payoffs[instrument_id]
        top = self.top(self._instruments.index(instrument_id))
        mark = _mid(top, instrument.tick)
        return self._good.get(instrument_id) if mark is None else mark

    def keep(self, instrument_id: str) -> Decimal | None:
        """Return the mark, and keep it for the time when there is no price.

        To be called at times that the run decides, never because somebody looks.
        """
        mark = self.mark(instrument_id)
        if mark is not None:
            self._good[instrument_id] = mark
        return mark

    def priced(self, instrument_id: str) -> Decimal | None:
        """Return the mark of now; None while there is no price, whatever was kept."""
        return self.mark_after(self._stop, instrument_id)

    def mark_after(self, stop: int, instrument_id: str) -> Decimal | None:
        """Return the mark as it is after the rows before ``stop`` of the slice at hand.

        None while there is no price. Asking changes nothing.
        """
        if instrument_id in self.payoffs:
            return self.payoffs[instrument_id]
        instrument = self._instruments.get(instrument_id)
        if instrument is None:
            return None
        passed, self._stop = self._stop, stop
        top = self.top(self._instruments.index(instrument_id))
        self._stop = passed
        return _mid(top, instrument.tick)

    def catch_up(self, rows: Slice, start: int) -> None:
        """Take notice of the rows before ``start``, if that has not happened yet."""
        if rows is not self._rows:
            self.advance(rows, start)

    def rows_that_price(self, rows: Slice, instrument_id: str) -> Sequence[int]:
        """Return the rows of the slice at hand that say what an instrument is worth, in order."""
        index = self._instruments.index(instrument_id)
        firm = rows.price_rows(index, firm=True)
        if index in self._firm:
            return firm
        trades = rows.price_rows(index, firm=False)
        if firm:
            trades = trades[: bisect_left(trades, firm[0])]
        return [*trades, *firm] if trades else firm

    def catch_up_resolutions(self) -> None:
        """Take notice of the markets that resolved while nobody reacted."""
        if self._rows is not None:
            self._read_resolutions(self._rows)

    def _absorb(self) -> None:
        if self._rows is not None and self._rows.breaks():
            self._read_resolutions(self._rows)
        super()._absorb()

    def _read_resolutions(self, rows: Slice) -> None:
        row = first_resolution(rows, 0, self._stop)
        while row < self._stop:
            instrument = self._instruments[int(rows.instrument[row])]
            self.payoffs.setdefault(instrument.id, instrument.price(int(rows.a[row])))
            row = first_resolution(rows, row + 1, self._stop)

    def resolve(self, instrument_id: str, payoff: Decimal) -> None:
        """Note that an instrument has resolved, and what one unit pays."""
        self.payoffs[instrument_id] = payoff

    def payoff(self, instrument_id: str) -> Decimal | None:
        """Return what one unit of a resolved instrument pays, or None if it is still traded."""
        return self.payoffs.get(instrument_id)


def _mid(top: Top, tick: Decimal) -> Decimal | None:
    if top.bid_lots and top.ask_lots:
        return multiply(multiply(tick, Decimal(top.bid + top.ask)), _HALF)
    if top.bid_lots:
        return tick * top.bid
    return tick * top.ask if top.ask_lots else None


def equity(ledger: Ledger, mark_of: MarkOf, rates: Rates | None = None) -> Decimal | None:
    """Return the account's value: cash, and each position at its mark, or at cost without one.

    None if there is something in a currency that has no rate.
    """
    own = ledger.own
    value = own.cash
    foreign: dict[str, Decimal] = {}
    for position in ledger.held():
        worth = position.worth(mark_of(position.instrument))
        if position.purse is own:
            value = add(value, worth)
        else:
            currency = position.purse.currency
            foreign[currency] = add(foreign.get(currency, ZERO), worth)
    purses = ledger.books.purses
    if len(purses) > 1:
        for currency, purse in purses.items():
            amount = add(purse.cash, foreign.get(currency, ZERO))
            if purse is own or not amount:
                continue
            rate = None if rates is None else rates.rate(currency, mark_of)
            if rate is None:
                return None
            value = multiply_add(amount, rate, value)
    return value


def unrated(ledger: Ledger, mark_of: MarkOf, rates: Rates) -> list[str]:
    """Return the currencies in which there is something, and of which nobody knows the rate."""
    held = {position.purse.currency for position in ledger.held()}
    return [
        currency
        for currency, purse in ledger.books.purses.items()
        if (purse.cash or currency in held) and rates.rate(currency, mark_of) is None
    ]


def first_resolution(rows: Slice, start: int, stop: int) -> int:
    """Return the first row in ``[start, stop)`` that resolves a market, or ``stop``."""
    breaks = rows.breaks()
    if not breaks:
        return stop
    for position in range(bisect_left(breaks, start), len(breaks)):
        row = breaks[position]
        if row >= stop:
            break
        if rows.kind[row] == EventKind.RESOLUTION:
            return row
    return stop
