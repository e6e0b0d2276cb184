"""What a simulated venue shows: prices, books, gaps and resolutions, read only when asked."""

from bisect import bisect_left
from collections.abc import Iterable, Set

import numpy as np

from actors.brokers.matching import PriceLevel
from actors.brokers.taken import Taken
from actors.brokers.venue_books import VenueBooks, levels_of
from actors.messages.market import (
    CONNECTION_STATES,
    KIND_BITS,
    KIND_MASK,
    ConnectionState,
    EventKind,
)
from actors.messages.prices import EMPTY, LastPrices, Top
from actors.messages.slices import Slice
from actors.model.instrument import Instruments

_QUOTE, _BAR = int(EventKind.QUOTE), int(EventKind.BAR)


class VenueMarket:
    """Follows the market rows; instruments are named by their index.

    A price is a level of the book where there is one, else the last quote or bar close, else the
    last public trade. What our orders take is gone until the instrument's next quote or bar, which
    shows it again. A book is not to be traded on from GAPPED until SYNCED or its next snapshot.
    """

    def __init__(self, instruments: Instruments, *, keeps_books: bool = True) -> None:
        self._instruments = instruments
        self._keeps_books = keeps_books
        self._prices = LastPrices()
        self._books = VenueBooks()
        self._gapped_since: dict[int, int] = {}
        self._resolved: set[int] = set()
        self._firm: set[int] = set()
        self._taken: dict[int, Taken] = {}
        self._tops: dict[int, Top] = {}
        self._rows: Slice | None = None
        self._stop = 0
        self._read = 0

    def advance(self, rows: Slice, stop: int) -> None:
        """Take notice of the rows before ``stop``; costs nothing until something is asked."""
        if rows is not self._rows:
            self._leave()
            self._rows = rows
        self._stop = stop
        if self._tops:
            self._tops.clear()

    def catch_up(self, rows: Slice, start: int) -> None:
        """Take notice of the rows before ``start``, if that has not happened yet."""
        if rows is not self._rows or self._stop < start:
            self.advance(rows, start)

    # --- prices ------------------------------------------------------------------------------

    def top(self, index: int) -> Top:
        """Return the last quote, bar close or trade as it was shown; ``EMPTY`` if there is none."""
        top = self._tops.get(index)
        if top is None:
            if self._rows is not None:
                self._prices.advance(self._rows, self._stop)
            top = self._tops[index] = self._prices.top(index)
        return top

    def best(self, index: int, sign: int) -> PriceLevel:
        """Return the last shown price to buy at (``sign`` +1) or to sell at, and what is left."""
        top = self.top(index)
        level = (top.ask, top.ask_lots) if sign > 0 else (top.bid, top.bid_lots)
        taken = self._taken_of(index)
        return level if taken is None else taken.rest_of(level, sign)

    def levels(self, index: int, sign: int) -> Iterable[PriceLevel] | None:
        """Return what can be bought (``sign`` +1) or sold, best price first.

        None if nothing is known: no price yet, or a gap in the book.
        """
        if self._read < self._stop:
            self._read_on()
        if self._gapped_since and self.is_gapped(index):
            return None
        book = self._books.books.get(index)
        if book is None:
            level = self.best(index, sign)
            if level[1]:
                return (level,)
            return None if self.top(index) == EMPTY else ()
        levels = levels_of(book, sign)
        taken = self._taken_of(index)
        return levels if taken is None else (taken.rest_of(level, sign) for level in levels)

    def take(self, index: int, sign: int, level: PriceLevel, trade_id: str) -> None:
        """Note that a trade of ours has taken lots of a price that was asked for just before.

        They are gone until the price is shown anew.
        """
        if index not in self._books.books:
            top = self._tops[index]
            if (top.ask_lots if sign > 0 else top.bid_lots) < 0:
                return  # of a size that is not known there is always enough
        taken = self._taken.get(index)
        if taken is None:
            taken = self._taken[index] = Taken(self._stop)
        taken.trades.append((trade_id, sign, *level))

    def keep_takes(self, trade_ids: Set[str]) -> None:
        """Give back what trades have taken that were never told to anybody."""
        for taken in self._taken.values():
            taken.keep(trade_ids)

    def _taken_of(self, index: int) -> Taken | None:
        taken = self._taken.get(index)
        if taken is not None and self._is_shown_anew(index, taken.since):
            del self._taken[index]
            return None
        return taken

    def _is_shown_anew(self, index: int, since: int) -> bool:
        rows = self._rows
        if rows is None or since >= self._stop:
            return False
        if rows.uniform_code is not None:
            return _is_firm(rows.uniform_code, index)
        shown = rows.price_rows(index, firm=True)
        position = bisect_left(shown, since)
        return position < len(shown) and shown[position] < self._stop

    # --- states ------------------------------------------------------------------------------

    def is_gapped(self, index: int) -> bool:
        """Return whether updates of an instrument's book are missing."""
        if self._read < self._stop:
            self._read_on()
        since = self._gapped_since.get(index)
        if since is None:
            return False
        if self.first_snapshot(index, since, self._stop) < self._stop:
            del self._gapped_since[index]
            return False
        return True

    def gapped(self) -> list[int]:
        """Return the instruments whose books have a gap, in the order of the gaps."""
        if self._read < self._stop:
            self._read_on()
        if not self._gapped_since:
            return []
        return [index for index in list(self._gapped_since) if self.is_gapped(index)]

    def is_resolved(self, index: int) -> bool:
        """Return whether the instrument's market is over."""
        if self._read < self._stop:
            self._read_on()
        return index in self._resolved

    def firm_from(self, index: int) -> int:
        """Return the row of the slice at hand from which on trades are no prices: 0 if it began so.

        Its length if the slice has neither quote nor bar of the instrument.
        """
        rows = self._rows
        if index in self._firm or rows is None:
            return 0
        shown = rows.price_rows(index, firm=True)
        return shown[0] if len(shown) else len(rows)

    def first_snapshot(self, index: int, start: int, stop: int) -> int:
        """Return the first row in ``[start, stop)`` that replaces the book, or ``stop``."""
        rows = self._rows
        if rows is None or start >= stop:
            return stop
        is_snapshot = (
            (rows.kind[start:stop] == EventKind.BOOK)
            & (rows.instrument[start:stop] == index)
            & (rows.c[start:stop] != 0)
        )
        return start + int(is_snapshot.argmax()) if is_snapshot.any() else stop

    # --- reading what has passed -------------------------------------------------------------

    def _read_on(self) -> None:
        """Read the breaks and the changes of books that have passed since the last time."""
        rows, start, stop = self._rows, self._read, self._stop
        assert rows is not None, "rows that have passed are known"
        breaks = rows.breaks()
        for row in breaks[bisect_left(breaks, start) : bisect_left(breaks, stop)]:
            self._read_break(rows, row)
        has_changes = self._keeps_books and bool(self._books.changes(rows))
        if has_changes:
            self._books.read(rows, start, stop)
        # where there is nothing to read, the rest of the slice has been read as well
        self._read = stop if breaks or has_changes else len(rows)

    def _read_break(self, rows: Slice, row: int) -> None:
        index = int(rows.instrument[row])
        if rows.kind[row] == EventKind.RESOLUTION:
            self._resolved.add(index)
            return
        state = CONNECTION_STATES[rows.a[row]]
        for each in range(len(self._instruments)) if index < 0 else (index,):
            if state is ConnectionState.GAPPED:
                self._gapped_since[each] = row
            elif state is ConnectionState.SYNCED:
                self._gapped_since.pop(each, None)

    def _leave(self) -> None:
        """Read the rest of the slice that is left behind, and keep what outlives it."""
        rows = self._rows
        if rows is None:
            return
        self._prices.advance(rows, self._stop)
        for index in self.gapped():
            self._gapped_since[index] = 0
        for index in list(self._taken):
            taken = self._taken_of(index)
            if taken is not None:
                taken.since = 0
        if len(self._firm) < len(self._instruments):
            self._firm.update(_firm_instruments(rows, self._stop))
        self._stop = self._read = 0


def _is_firm(code: int, index: int) -> bool:
    """Return whether rows of this code are quotes or bars of an instrument."""
    kind = code & KIND_MASK
    return kind in (_QUOTE, _BAR) and code >> KIND_BITS == index


def _firm_instruments(rows: Slice, stop: int) -> list[int]:
    """Return the instruments that have a quote or a bar before ``stop``."""
    if rows.uniform_code is not None:
        index = rows.uniform_code >> KIND_BITS
        return [index] if stop > 0 and _is_firm(rows.uniform_code, index) else []
    kind = rows.kind[:stop]
    is_firm_row = (kind == EventKind.QUOTE) | (kind == EventKind.BAR)
    indices: list[int] = np.unique(rows.instrument[:stop][is_firm_row]).tolist()
    return indices
