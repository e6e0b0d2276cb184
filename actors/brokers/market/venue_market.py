"""What a simulated venue shows: prices, books, gaps and resolutions, read only when asked."""

from bisect import bisect_left
from collections.abc import Iterable, Set
from itertools import islice

import numpy as np

from actors.brokers.market.queue_position import Place, Queues
from actors.brokers.market.shown import Bar, bar_at
from actors.brokers.market.sizes import Consumption, Depth, SizeRules
from actors.brokers.market.taken import TakenSizes
from actors.brokers.market.venue_books import VenueBooks, levels_of
from actors.brokers.market.walking import PriceLevel
from actors.brokers.models.impact import Impact
from actors.brokers.models.recent_returns import RecentReturns
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
_BEST = Depth.BEST
_ALL_SHOWN = SizeRules()


class VenueMarket:
    """Follows the market rows; instruments are named by their index.

    A price is a level of the book where there is one, else the last quote or bar close, else the
    last public trade. What our orders take is gone until the instrument's next quote or bar, which
    shows it again. A book is not to be traded on from GAPPED until SYNCED or its next snapshot.
    """

    def __init__(
        self,
        instruments: Instruments,
        *,
        keeps_books: bool = True,
        sizes: SizeRules = _ALL_SHOWN,
        queues: Queues | None = None,
        impact_decay_ns: int = 0,
    ) -> None:
        self.now_ns = 0
        """The time for which something is asked; only what comes back in time needs it."""
        self.queues = queues
        self.impact = Impact(impact_decay_ns)
        self.returns: RecentReturns | None = None
        """Set by who asks for :meth:`volatility`, before there are rows."""
        self._instruments = instruments
        self._keeps_books = keeps_books
        self._sizes = sizes
        self._is_limited = sizes.max_share is not None
        self._is_consumed = sizes.consumption is not Consumption.NONE
        self._prices = LastPrices()
        self._books = VenueBooks()
        self._gapped_since: dict[int, int] = {}
        self._resolved: set[int] = set()
        self._firm: set[int] = set()
        self._taken = TakenSizes(sizes)
        self._bars: dict[int, Bar] = {}
        self._tops: dict[int, Top] = {}
        self._rows: Slice | None = None
        self._stop = 0
        self._read = 0

    def advance(self, rows: Slice, stop: int) -> None:
        """Take notice of the rows before ``stop``; costs nothing until something is asked."""
        if rows is not self._rows:
            if not _is_begin_of(rows, self._rows):
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

    def volatility(self, index: int) -> float | None:
        """Return the volatility of the last quotes and bars, if that is kept and known."""
        if self.returns is None:
            return None
        return self.returns.volatility(index, self._rows, self._stop)

    def best(self, index: int, sign: int) -> PriceLevel:
        """Return the last shown price to buy at (``sign`` +1) or to sell at, and what is left."""
        top = self.top(index)
        level = (top.ask, top.ask_lots) if sign > 0 else (top.bid, top.bid_lots)
        if self._is_limited:
            level = self._sizes.limited(level)
        if not self._taken:
            return level
        self._taken.forget_shown(index, self._rows, self._stop)
        return self._taken.rest_of(index, level, sign, self.now_ns)

    def is_beyond(self, index: int, sign: int, limit: int) -> bool:
        """Return whether the best price is worse than a limit: nothing can be taken within it.

        False if that is not so, or if books are kept, whose levels have to be asked.
        """
        if self._books.books:
            return False
        top = self.top(index)
        return top.ask > limit if sign > 0 else top.bid < limit

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
        levels: Iterable[PriceLevel] = levels_of(book, sign)
        if self._sizes.depth is _BEST:
            levels = islice(levels, 1)
        if self._is_limited:
            levels = map(self._sizes.limited, levels)
        if not self._taken:
            return levels
        self._taken.forget_shown(index, self._rows, self._stop)
        now_ns, rest_of = self.now_ns, self._taken.rest_of
        return (rest_of(index, level, sign, now_ns) for level in levels)

    def bar(self, index: int) -> Bar | None:
        """Return the bar that an instrument's price is of; None if a quote or trade tells it.

        None also while the book has a gap.
        """
        rows, stop = self._rows, self._stop
        if rows is None:
            return None
        code = rows.uniform_code
        if code is not None and _is_firm(code, index) and stop:
            found = bar_at(rows, stop - 1) if code & KIND_MASK == _BAR else None
        elif code is not None:
            found = self._bars.get(index)
        else:
            shown = rows.price_rows(index, firm=True)
            position = bisect_left(shown, stop)
            if not position:
                found = self._bars.get(index)
            else:
                row = shown[position - 1]
                found = bar_at(rows, row) if rows.kind[row] == _BAR else None
        return None if found is None or self.is_gapped(index) else found

    def room(self, index: int, bar: Bar) -> int:
        """Return how many lots of the last bar's volume are left for our orders; below 0: all."""
        if not self._is_limited or bar.volume < 0:
            return -1
        self._taken.forget_shown(index, self._rows, self._stop)
        return self._taken.rest_of_volume(index, self._sizes.share_of(bar.volume))

    def displayed(self, index: int, sign: int, ticks: int) -> int | None:
        """Return the lots displayed at a price of the buying (``sign`` +1) or the selling side.

        None if nobody knows: without a book, only the best quote's size is known, and that there
        is nothing inside the spread.
        """
        if self.is_gapped(index):
            return None
        book = self._books.books.get(index)
        if book is not None:
            return (book.bids if sign > 0 else book.asks).lots.get(ticks, 0)
        top = self.top(index)
        best, lots = (top.bid, top.bid_lots) if sign > 0 else (top.ask, top.ask_lots)
        if (ticks - best) * sign > 0 and top != EMPTY:
            return 0
        return lots if ticks == best and lots >= 0 else None

    def take(self, index: int, sign: int, level: PriceLevel, trade_id: str) -> None:
        """Note that a trade of ours has taken lots of a price that was asked for just before.

        They are gone until the price is shown anew.
        """
        if not self._is_consumed:
            return
        if index not in self._books.books:
            top = self._tops[index]
            if (top.ask_lots if sign > 0 else top.bid_lots) < 0:
                return  # of a size that is not known there is always enough
        self._taken.note(index, self._stop, (trade_id, sign, *level, self.now_ns))

    def take_volume(self, index: int, lots: int, trade_id: str) -> None:
        """Note that a trade of ours has taken lots of the last bar's volume."""
        if self._is_limited:
            self._taken.note_volume(index, self._stop, (trade_id, lots, self.now_ns))

    def keep_trades(self, trade_ids: Set[str]) -> None:
        """Give back what trades have taken and moved that were never told to anybody."""
        self._taken.keep(trade_ids)
        self.impact.keep(trade_ids)

    def trade_ids(self) -> set[str]:
        """Return the ids of the trades of which something is left in the market."""
        return self._taken.trade_ids() | self.impact.trade_ids()

    # --- queues ------------------------------------------------------------------------------

    def join_queue(self, key: tuple[str, int], order: tuple[int, int, int]) -> None:
        """Let an order ``(index, sign, limit ticks)`` queue up at its price."""
        if self.queues is not None:
            index, sign, ticks = order
            ahead = self.displayed(index, sign, ticks)
            has_book = index in self._books.books
            place = Place(index, sign, ticks, has_book, self._stop, ahead)
            self.queues.join(key, place)

    def ahead(self, key: tuple[str, int], rows: Slice, row: int) -> int | None:
        """Return how much is ahead of an order right before a row; None if nobody knows."""
        assert self.queues is not None, "only asked where orders queue up"
        return self.queues.ahead(key, rows, row, self._stop)

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

    def is_firm(self, index: int, row: int) -> bool:
        """Return whether an instrument has had a quote or bar before a row of the slice at hand."""
        return self.firm_from(index) <= row

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
        self._taken.leave(rows, self._stop)
        if self.queues is not None:
            self.queues.next_slice(rows, self._stop)
        self._keep_bars(rows)
        if self.returns is not None:
            self.returns.leave(rows, self._stop, _firm_instruments(rows, self._stop))
        if len(self._firm) < len(self._instruments):
            self._firm.update(_firm_instruments(rows, self._stop))
        self._stop = self._read = 0

    def _keep_bars(self, rows: Slice) -> None:
        """Keep the last bars of a slice that is left behind."""
        if not self._bars and not (rows.kind[: self._stop] == _BAR).any():
            return
        for index in _firm_instruments(rows, self._stop):
            shown = rows.price_rows(index, firm=True)
            row = shown[bisect_left(shown, self._stop) - 1]
            if rows.kind[row] == _BAR:
                self._bars[index] = bar_at(rows, row)
            else:
                self._bars.pop(index, None)


def _is_begin_of(rows: Slice, longer: Slice | None) -> bool:
    """Return whether rows are the first of others: a slice was cut while it was passing."""
    return (
        longer is not None
        and 0 < len(rows) <= len(longer)
        and rows.time_ns.ctypes.data == longer.time_ns.ctypes.data
        and rows.kind.ctypes.data == longer.kind.ctypes.data
    )


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
