"""Keeps a feed's books and writes their rows: changes, best quotes, gaps and re-syncs."""

from collections.abc import Iterable

from actors.messages.market import NO_PRICE, ConnectionState
from actors.messages.records import Origin
from actors.messages.slices import SliceBuilder
from actors.model.book import Book, Level

_Top = tuple[int, int, int, int]
"""``(bid ticks, ask ticks, bid lots, ask lots)``."""


class Bookkeeper:
    """One book per instrument index; a QUOTE row follows each change at the top of a book.

    A venue may give best quotes on their own, in a faster stream than the book: once
    :meth:`quote` has been called for an instrument, its QUOTE rows come from there only.

    A row is always written before the state it tells of is changed, so that a builder which
    begins in the middle can call :meth:`resume` just before the first row it keeps.
    """

    def __init__(self) -> None:
        self.books: dict[int, Book] = {}
        self.gaps = 0
        """How often a book has lost its sequence."""
        self._tops: dict[int, _Top] = {}
        self._quotes: dict[int, _Top] = {}

    def snapshot(
        self, builder: SliceBuilder, instrument: int, levels: Iterable[Level], origin: Origin
    ) -> None:
        """Replace a book; SYNCED is told if it was gapped."""
        book = self.books.get(instrument)
        was_gapped = book is not None and not book.is_synced
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

    def quote(
        self, builder: SliceBuilder, instrument: int, top: tuple[int, int, int, int], origin: Origin
    ) -> None:
        """Write a best quote that the venue gave; none is taken from the book from now on.

        Args:
            builder: Where the row goes.
            instrument: Index of the instrument.
            top: ``(bid ticks, ask ticks, bid lots, ask lots)``.
            origin: When and where it comes from.
        """
        builder.quote(origin, instrument, top)
        self._quotes[instrument] = top

    def gap(self, builder: SliceBuilder, instrument: int, origin: Origin) -> None:
        """Note that updates are missing: the book is not used until its next snapshot."""
        book = self.books.get(instrument)
        if book is not None and book.is_synced:
            builder.connection(origin, ConnectionState.GAPPED, instrument)
            book.is_synced = False
            self.gaps += 1
            self._tops.pop(instrument, None)

    def resume(self, builder: SliceBuilder, time_ns: int) -> None:
        """Write the state of every book and quote, for a feed that begins in the middle."""
        origin = Origin(time_ns=time_ns)
        for instrument, book in self.books.items():
            if book.is_synced:
                self._tops.pop(instrument, None)
                self._change(builder, instrument, book.levels(), origin, is_snapshot=True)
            else:
                builder.connection(origin, ConnectionState.GAPPED, instrument)
        for instrument, top in self._quotes.items():
            builder.quote(origin, instrument, top)

    def _change(
        self,
        builder: SliceBuilder,
        instrument: int,
        levels: list[Level],
        origin: Origin,
        *,
        is_snapshot: bool,
    ) -> None:
        builder.book(origin, instrument, levels, is_snapshot=is_snapshot)
        book = self.books.get(instrument)
        if book is None:
            book = self.books[instrument] = Book()
        book.apply(levels, is_snapshot=is_snapshot)
        if instrument in self._quotes:
            return
        bid = book.best_bid() or (0, 0)
        ask = book.best_ask() or (NO_PRICE, 0)
        top = (bid[0], ask[0], bid[1], ask[1])
        if self._tops.get(instrument) != top:
            self._tops[instrument] = top
            builder.quote(origin, instrument, top)
