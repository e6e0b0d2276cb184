"""The books of a simulated venue, kept from the rows that have passed."""

from bisect import bisect_left
from collections.abc import Iterator

from actors.brokers.market.walking import PriceLevel
from actors.messages.market import KIND_MASK, EventKind
from actors.messages.slices import Slice
from actors.model.book import Book


class VenueBooks:
    """One book per instrument index, from its first snapshot on: ``books``, to be read only."""

    def __init__(self) -> None:
        self.books: dict[int, Book] = {}
        self._rows: Slice | None = None
        self._changes: list[int] = []

    def changes(self, rows: Slice) -> list[int]:
        """Return the rows of a slice that change a book."""
        if rows is not self._rows:
            self._rows, self._changes = rows, _changes(rows)
        return self._changes

    def read(self, rows: Slice, start: int, stop: int) -> None:
        """Apply the changes in ``[start, stop)``."""
        changes = self.changes(rows)
        for row in changes[bisect_left(changes, start) : bisect_left(changes, stop)]:
            self._apply(rows, row)

    def _apply(self, rows: Slice, row: int) -> None:
        index = int(rows.instrument[row])
        is_snapshot = bool(rows.c[row])
        book = self.books.get(index)
        if book is None:
            if not is_snapshot:
                return
            book = self.books[index] = Book()
        levels = rows.levels[int(rows.a[row]) : int(rows.b[row])].tolist()
        book.apply(levels, is_snapshot=is_snapshot)


def levels_of(book: Book, sign: int) -> Iterator[PriceLevel]:
    """Yield what can be bought (``sign`` +1) or sold, best price first."""
    side = book.asks if sign > 0 else book.bids
    prices = side.lowest_first()
    lots = side.lots
    return ((ticks, lots[ticks]) for ticks in (prices if sign > 0 else reversed(prices)))


def _changes(rows: Slice) -> list[int]:
    if rows.uniform_code is not None and rows.uniform_code & KIND_MASK != EventKind.BOOK:
        return []
    return rows.book_rows(0, len(rows))
