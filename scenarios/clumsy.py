"""A strategy that crashes on purpose, to show that it goes down alone and comes back."""

from decimal import Decimal

import attrs

from actors.messages.market import Quote
from actors.strategies import Strategy


class Clumsy(Strategy):
    """Buys a little now and then, and trips over every so-many-th quote."""

    @attrs.frozen(kw_only=True)
    class Parameters:
        """How often it buys, how much, and how often it trips; counted in quotes."""

        buy_every: int = 400
        quantity: Decimal = Decimal(10)
        crash_every: int = 1000

    parameters: Parameters

    def on_start(self) -> None:
        """Begin to count anew: a fresh core knows nothing but its positions and orders."""
        self._seen = 0

    def on_quote(self, quote: Quote) -> None:
        """Count, buy, trip."""
        self._seen += 1
        if self._seen % self.parameters.crash_every == 0:
            raise RuntimeError(f"tripped over quote {self._seen}")
        if self._seen % self.parameters.buy_every == 0:
            self.buy(quote.instrument, self.parameters.quantity, reason="now and then")
