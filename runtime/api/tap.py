"""Listens to the market on behalf of the readers of a run's events."""

from collections.abc import Callable
from typing import Any

from actors.actor import Context
from actors.messages.market import Bar, BookView, Connection, Quote, Resolution, Trade
from actors.model.instrument import Instruments
from actors.strategies import Strategy

TAP = "events"
"""Its name among the run's actors."""


class MarketTap(Strategy):
    """Shows each row to a function; trades nothing, and so changes nothing."""

    def __init__(
        self, context: Context, instruments: Instruments, show: Callable[[Any], None]
    ) -> None:
        super().__init__(context, instruments)
        self._show = show

    def on_quote(self, quote: Quote) -> None:
        """Show a quote."""
        self._show(quote)

    def on_book(self, book: BookView) -> None:
        """Show the best levels of a book that has changed."""
        self._show(book)

    def on_trade(self, trade: Trade) -> None:
        """Show a public trade."""
        self._show(trade)

    def on_bar(self, bar: Bar) -> None:
        """Show a bar."""
        self._show(bar)

    def on_connection(self, connection: Connection) -> None:
        """Show that a feed has gone or come, or a book lost or found its sequence."""
        self._show(connection)

    def on_resolution(self, resolution: Resolution) -> None:
        """Show how a market has resolved."""
        self._show(resolution)
