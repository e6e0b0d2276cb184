"""The books of a simulated venue, kept from the rows that have passed, only when asked for."""

from bisect import bisect_left
from collections.abc import Iterator

from actors.brokers.matching import PriceLevel
from actors.messages.market import KIND_MASK, EventKind
from actors.messages.slices import Slice
from actors.model.book import Book


class VenueBooks:
    """One book per instrument index, from its first snapshot on."""

    def __init__(self) -> None:
        self._books: dict[int, Book] = {}
        self._changes: list[int] | None = None
        self._read = 0

    def __contains__(self, index: object) -> bool:
        return index in self._books

    def read(self, rows: Slice, stop: int) -> None:
        """Apply the changes of the slice at hand before ``stop`` that were not applied yet."""
        start = self._read
        if start >= stop:
            return
        self._read = stop
        changes = self._changes
        if changes is None:
            changes = self._changes = _changes(rows)
        if changes:
            for row in changes[bisect_left(changes, start) : bisect_left(changes, stop)]:
                self._apply(rows, row)

    def leave(self) -> None:
        """Begin with a new slice; the old one has been read."""
        self._changes = None
        self._read = 0

    def levels(self, index: int, sign: int) -> Iterator[PriceLevel]:
        """Yield what can be bought (``sign`` +1) or sold, best price first."""
        book = self._books[index]
        side = book.asks if sign > 0 else book.bids
        prices = side.lowest_first()
        lots = side.lots
        return ((ticks, lots[ticks]) for ticks in (prices if sign > 0 else reversed(prices)))

    def _apply(self, rows: Slice, row: int) -> None:
        index = int(rows.instrument[row])
        is_snapshot = bool(rows.c[row])
        book = self._books.get(index)
        if book is None:
            if not is_snapshot:
                return
            book = self._books[index] = Book()
        levels = rows.levels[int(rows.a[row]) : int(rows.b[row])].tolist()
        book.apply(levels, is_snapshot=is_snapshot)


def _changes(rows: Slice) -> list[int]:
    if rows.uniform_code is not None and rows.uniform_code & KIND_MASK != EventKind.BOOK:
        return []
    return rows.book_rows(0, len(rows))
