"""A strategy that says what it wants all at once: an entry, a target to get out at, and a stop."""

from decimal import Decimal

import attrs

from actors.messages.market import Bar
from actors.model.order import Side
from actors.strategies import Strategy


class Exits(Strategy):
    """Buys a bar that closes below the one before, with a bracket around the entry."""

    @attrs.frozen(kw_only=True)
    class Parameters:
        """How much, and how far away the exits are, as fractions of the price."""

        quantity: Decimal = Decimal(100)
        target: Decimal = Decimal("0.01")
        stop: Decimal = Decimal("0.005")

    parameters: Parameters

    def on_start(self) -> None:
        """Know no bar yet."""
        self._last: int | None = None

    def on_bar(self, bar: Bar) -> None:
        """Enter on weakness, one position at a time."""
        fell = self._last is not None and bar.close_ticks < self._last
        self._last = bar.close_ticks
        if not fell or self.position(bar.instrument) or self.has_open_order(bar.instrument):
            return
        price = bar.instrument.price(bar.close_ticks)
        parameters = self.parameters
        self.bracket(
            bar.instrument,
            Side.BUY,
            parameters.quantity,
            take_profit=round(price * (1 + parameters.target), 2),
            stop_loss=round(price * (1 - parameters.stop), 2),
            reason="weakness",
        )
