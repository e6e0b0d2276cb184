"""What positions are worth: marks from the latest prices, and the account's equity."""

from bisect import bisect_left
from collections.abc import Callable
from decimal import Decimal

from actors.messages.market import EventKind
from actors.messages.prices import LastPrices, Top
from actors.messages.slices import Slice
from actors.model.instrument import Instruments
from actors.portfolio.exact import add, multiply, subtract
from actors.portfolio.ledger import Ledger

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
        print where there are no quotes. While both sides are empty, the last mark kept holds.
        Asking changes nothing.
        """
        instrument = self._instruments.get(instrument_id)
        if instrument is None:
            return None
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


def equity(ledger: Ledger, mark_of: Callable[[str], Decimal | None]) -> Decimal:
    """Return the account's value: cash, and each position at its mark, or at cost without one."""
    value = ledger.cash
    for position in ledger.open_positions():
        mark = mark_of(position.instrument)
        if mark is not None:
            value = add(value, multiply(position.quantity, mark))
        elif position.quantity > 0:
            value = add(value, position.cost)
        else:
            value = subtract(value, position.cost)
    return value


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
