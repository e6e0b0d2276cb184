"""A level-2 order book: absolute levels in ticks and lots."""

from bisect import bisect_left, insort
from collections.abc import Iterable

Level = tuple[int, int, int]
"""``(side, ticks, lots)``: side +1 is a bid, -1 an ask; lots are absolute, 0 removes the level."""


class BookSide:
    """The levels of one side."""

    __slots__ = ("_ascending", "lots")

    def __init__(self) -> None:
        self._ascending: list[int] = []
        self.lots: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._ascending)

    def set(self, ticks: int, lots: int) -> None:
        """Set a level to a size; 0 removes it."""
        if lots:
            if ticks not in self.lots:
                insort(self._ascending, ticks)
            self.lots[ticks] = lots
        elif ticks in self.lots:
            del self.lots[ticks]
            del self._ascending[bisect_left(self._ascending, ticks)]

    def clear(self) -> None:
        """Remove every level."""
        self._ascending.clear()
        self.lots.clear()

    def lowest_first(self) -> list[int]:
        """Return the prices in ticks, ascending. Do not change the list."""
        return self._ascending


class Book:
    """Bids and asks of one instrument.

    ``is_synced`` is False until the first snapshot and after a gap: its levels are then not to be
    traded on.
    """

    __slots__ = ("asks", "bids", "is_synced", "version")

    def __init__(self) -> None:
        self.bids = BookSide()
        self.asks = BookSide()
        self.is_synced = False
        self.version = 0

    def apply(self, levels: Iterable[Level], *, is_snapshot: bool) -> None:
        """Set levels; a snapshot replaces the whole book and makes it synced."""
        if is_snapshot:
            self.bids.clear()
            self.asks.clear()
            self.is_synced = True
        for side, ticks, lots in levels:
            (self.bids if side > 0 else self.asks).set(ticks, lots)
        self.version += 1

    def best_bid(self) -> tuple[int, int] | None:
        """Return the best bid as ``(ticks, lots)``, or None."""
        prices = self.bids.lowest_first()
        return (prices[-1], self.bids.lots[prices[-1]]) if prices else None

    def best_ask(self) -> tuple[int, int] | None:
        """Return the best ask as ``(ticks, lots)``, or None."""
        prices = self.asks.lowest_first()
        return (prices[0], self.asks.lots[prices[0]]) if prices else None

    def top_bids(self, depth: int) -> tuple[tuple[int, int], ...]:
        """Return the best bids as ``(ticks, lots)``, best first."""
        prices = self.bids.lowest_first()[: -depth - 1 : -1]
        return tuple((ticks, self.bids.lots[ticks]) for ticks in prices)

    def top_asks(self, depth: int) -> tuple[tuple[int, int], ...]:
        """Return the best asks as ``(ticks, lots)``, best first."""
        prices = self.asks.lowest_first()[:depth]
        return tuple((ticks, self.asks.lots[ticks]) for ticks in prices)

    def levels(self) -> list[Level]:
        """Return every level, bids before asks, each by ascending price: a snapshot of the book."""
        bids = [(1, ticks, self.bids.lots[ticks]) for ticks in self.bids.lowest_first()]
        asks = [(-1, ticks, self.asks.lots[ticks]) for ticks in self.asks.lowest_first()]
        return bids + asks
