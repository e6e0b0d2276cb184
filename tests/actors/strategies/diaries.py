"""Strategies that note what they are told."""

from typing import Any

from actors.messages.market import (
    Bar,
    BookView,
    Connection,
    Quote,
    Resolution,
    Trade,
)
from actors.messages.trading import Fill, OrderUpdate
from actors.strategies import Strategy
from tests.builders import instrument

A, B = instrument("A"), instrument("B")


class Idle(Strategy):
    """Does nothing."""


class Diary(Strategy):
    """Writes down what it hears, and what it holds at that moment."""

    book_depth = 2

    def on_start(self) -> None:
        self.heard: list[Any] = ["start"]

    def on_quote(self, quote: Quote) -> None:
        self.heard.append(quote)

    def on_book(self, book: BookView) -> None:
        self.heard.append(book)

    def on_trade(self, trade: Trade) -> None:
        self.heard.append(trade)

    def on_bar(self, bar: Bar) -> None:
        self.heard.append(bar)

    def on_timer(self, name: str) -> None:
        self.heard.append((name, self.now_ns))

    def on_order(self, update: OrderUpdate) -> None:
        self.heard.append((update, len(self.open_orders())))

    def on_fill(self, fill: Fill) -> None:
        self.heard.append(fill)

    def on_position(self, change: Any) -> None:
        self.heard.append((change, self.position(change.instrument)))

    def on_refused(self, refusal: Any) -> None:
        self.heard.append((refusal, len(self.open_orders())))

    def on_connection(self, connection: Connection) -> None:
        self.heard.append(connection)

    def on_resolution(self, resolution: Resolution) -> None:
        self.heard.append(resolution)

    def on_stop(self) -> None:
        self.heard.append("stop")


class BuyEachQuote(Strategy):
    """Buys one at each quote, and at the start and the end."""

    def on_start(self) -> None:
        self.buy("A", 1, reason="start")

    def on_quote(self, quote: Quote) -> None:
        self.buy(quote.instrument, 1, reason=str(quote.time_ns))

    def on_stop(self) -> None:
        self.sell("A", 1, reason="stop")


def sent_by(core: Strategy) -> Any:
    """Return the only message in the outbox."""
    (message,) = core.take_outbox(0)
    return message
