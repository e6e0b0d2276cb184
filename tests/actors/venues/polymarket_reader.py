"""Reads what the venue says, and compares the books that come of it."""

import json
from decimal import Decimal
from typing import Any

from actors.messages.market import Connection, ConnectionState, MarketEvent
from actors.messages.slices import SliceBuilder
from actors.model.book import Book
from actors.model.instrument import Instruments
from actors.venues.polymarket.market_data import MarketDataOptions, PolymarketMarketData
from tests.actors.venues.polymarket_venue import CONDITION, NO, START_MS, YES, PolymarketVenue

MILLISECOND = 1_000_000


class Reader:
    """A decoder with the builder it writes to; lines are numbered as they come."""

    def __init__(self, **options: Any) -> None:
        self.instruments = Instruments()
        self.decoder = PolymarketMarketData(self.instruments, MarketDataOptions(**options))
        self.builder = SliceBuilder(self.instruments)
        self.lines = 0

    def read(self, *messages: Any) -> list[MarketEvent]:
        """Decode messages, one per line, and return the rows they give."""
        for message in messages:
            self.lines += 1
            text = message if isinstance(message, str) else json.dumps(message)
            self.decoder.decode(text, self.lines, self.builder)
        return list(self.builder.build().events())

    def book(self, token: str = YES) -> Book:
        return self.decoder.bookkeeper.books[self.instruments.index(token)]

    def has_books_of(self, venue: PolymarketVenue) -> bool:
        """Return whether both books are the venue's, level by level."""
        return all(levels(self, token) == told_levels(venue.book(token)) for token in (YES, NO))


def levels(reader: Reader, token: str) -> dict[tuple[int, Decimal], Decimal]:
    instrument = reader.instruments[reader.instruments.index(token)]
    return {
        (side, instrument.price(ticks)): instrument.quantity(lots)
        for side, ticks, lots in reader.book(token).levels()
    }


def told_levels(book: dict[str, Any]) -> dict[tuple[int, Decimal], Decimal]:
    return {
        (side, Decimal(level["price"])): Decimal(level["size"])
        for side, name in ((1, "bids"), (-1, "asks"))
        for level in book[name]
    }


def states(events: list[MarketEvent]) -> list[ConnectionState]:
    return [each.state for each in events if isinstance(each, Connection)]


def tick_size_change(new: str, token: str = YES) -> dict[str, Any]:
    return {
        "event_type": "tick_size_change",
        "market": CONDITION,
        "asset_id": token,
        "old_tick_size": "0.01",
        "new_tick_size": new,
        "timestamp": str(START_MS),
    }
