"""What other currencies are worth in the account's own."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from actors.model.instrument import Instruments
from actors.model.money import ONE
from actors.portfolio.books.exact import share
from actors.portfolio.books.settings import BookSettings, Rate

MarkOf = Callable[[str], Decimal | None]
"""What one unit of an instrument is worth, in its currency; None if nobody knows."""


class Rates:
    """Converts into one currency, by fixed rates and by the prices of instruments at hand."""

    def __init__(self, settings: BookSettings, instruments: Instruments) -> None:
        self._settings = settings
        self._fx: Mapping[str, Rate] = settings.fx
        self._instruments = instruments

    @property
    def instruments(self) -> list[str]:
        """Return the instruments whose prices are rates."""
        return [rate for rate in self._fx.values() if isinstance(rate, str)]

    def rate(self, currency: str, mark_of: MarkOf) -> Decimal | None:
        """Return units of the account's currency per unit of another; None if nobody knows.

        The price of an instrument in the account's currency is the rate itself; that of one in the
        other currency is turned round, half-even to 28 significant digits.
        """
        if self._settings.is_par(currency):
            return ONE
        rate = self._fx.get(currency)
        if rate is None or isinstance(rate, Decimal):
            return rate
        instrument = self._instruments.get(rate)
        price = mark_of(rate)
        if instrument is None or not price:
            return None
        if self._settings.is_par(instrument.currency):
            return price
        return share(ONE, ONE, price) if instrument.currency == currency else None
