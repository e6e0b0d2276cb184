"""Keeps a feed's books and writes their rows: changes, best quotes, gaps and re-syncs."""

from collections.abc import Iterable

from actors.messages.market import NO_PRICE, ConnectionState
from actors.messages.slices import Origin, SliceBuilder
from actors.model.book import Book, Level


class Bookkeeper:
    """One book per instrument index; a QUOTE row follows each change at the top of a book."""

    def __init__(self) -> None:
        self.books: dict[int, Book] = {}
        self._tops: dict[int, tuple[int, int, int, int]] = {}

    def snapshot(
        self, builder: SliceBuilder, instrument: int, levels: Iterable[Level], origin: Origin
    ) -> None:
        """Replace a book; SYNCED is told if it was gapped."""
        book = self.books.get(instrument)
        was_gapped = book is not None and not book.is_synced
        if book is None:
            book = self.books[instrument] = Book()
        self._change(builder, instrument, list(levels), origin, is_snapshot=True)
        if was_gapped:
            builder.connection(origin, ConnectionState.SYNCED, instrument)

    def change(
        self, builder: SliceBuilder, instrument: int, levels: Iterable[Level], origin: Origin
    ) -> None:
        """Set levels of a synced book; before the first snapshot and in a gap they are ignored."""
        book = self.books.get(instrument)
        if book is not None and book.is_synced:
            self._change(builder, instrument, list(levels), origin, is_snapshot=False)

    def gap(self, builder: SliceBuilder, instrument: int, origin: Origin) -> None:
        """Note that updates are missing: the book is not used until its next snapshot."""
        book = self.books.setdefault(instrument, Book())
        if book.is_synced:
            book.is_synced = False
            self._tops.pop(instrument, None)
            builder.connection(origin, ConnectionState.GAPPED, instrument)

    def resume(self, builder: SliceBuilder, time_ns: int) -> None:
        """Write the state of every synced book, for a feed that begins in the middle."""
        origin = Origin(time_ns=time_ns)
        for instrument, book in self.books.items():
            if book.is_synced:
                self._tops.pop(instrument, None)
                self._change(builder, instrument, book.levels(), origin, is_snapshot=True)

    def _change(
        self,
        builder: SliceBuilder,
        instrument: int,
        levels: list[Level],
        origin: Origin,
        *,
        is_snapshot: bool,
    ) -> None:
        book = self.books[instrument]
        book.apply(levels, is_snapshot=is_snapshot)
        builder.book(origin, instrument, levels, is_snapshot=is_snapshot)
        bid = book.best_bid() or (0, 0)
        ask = book.best_ask() or (NO_PRICE, 0)
        top = (bid[0], ask[0], bid[1], ask[1])
        if self._tops.get(instrument) != top:
            self._tops[instrument] = top
            builder.quote(origin, instrument, top)
