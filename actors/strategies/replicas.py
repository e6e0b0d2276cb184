"""A strategy's own copies of the order books it looks at."""

from actors.messages.market import BookChange, BookView, Connection, ConnectionState
from actors.model.book import Book


class BookReplicas:
    """One book per instrument id, kept from the feed's changes."""

    __slots__ = ("books",)

    def __init__(self) -> None:
        self.books: dict[str, Book] = {}

    def apply(self, change: BookChange, depth: int) -> BookView | None:
        """Return the best levels after a change; None while the book waits for a snapshot."""
        instrument = change.instrument
        book = self.books.get(instrument.id)
        if book is None:
            book = self.books[instrument.id] = Book()
        if not (change.is_snapshot or book.is_synced):
            return None
        book.apply(change.levels, is_snapshot=change.is_snapshot)
        return BookView(
            change.time_ns,
            instrument,
            book.top_bids(depth),
            book.top_asks(depth),
            book.version,
        )

    def hear(self, connection: Connection) -> None:
        """Stop trusting a book that has lost its sequence, or all if the whole feed has."""
        if connection.state is not ConnectionState.GAPPED:
            return
        instrument = connection.instrument
        lost = self.books.values() if instrument is None else [self._book(instrument.id)]
        for book in lost:
            book.is_synced = False

    def _book(self, instrument_id: str) -> Book:
        return self.books.setdefault(instrument_id, Book())
