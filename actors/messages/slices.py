"""Slices: market events as columns, one row per event, in time order."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import repeat
from operator import length_hint
from typing import Any, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from actors.messages.market import (
    CONNECTION_STATES,
    KIND_BITS,
    KIND_MASK,
    NO_PRICE,
    Bar,
    BookChange,
    Connection,
    ConnectionState,
    EventKind,
    MarketEvent,
    Quote,
    Resolution,
    Trade,
)
from actors.messages.records import MarketRow, Origin, columns_of, market_row
from actors.model.book import Level
from actors.model.instrument import Instrument, Instruments

Column = NDArray[np.int64]

WHOLE_FEED = -1
"""Instrument index of a connection row that speaks for every instrument of its feed."""

_COLUMNS = (
    "time_ns",
    "venue_time_ns",
    "kind",
    "instrument",
    "a",
    "b",
    "c",
    "d",
    "e",
    "line",
    "source",
)
_NO_LEVELS = np.empty((0, 3), dtype=np.int64)


class Cursor:
    """The row objects of a slice from one row on, and how far they have been taken."""

    __slots__ = ("_length", "_times", "events")

    def __init__(self, length: int, times: Iterator[int], events: Iterator[MarketEvent]) -> None:
        self._length = length
        self._times = times
        self.events = events

    @property
    def position(self) -> int:
        """Return the row that comes next."""
        return self._length - length_hint(self._times)


class Slice:
    """Consecutive market events as int64 columns, all of the same length, in time order.

    ``kind`` is an :class:`EventKind`; ``instrument`` an index of the run's :class:`Instruments`.
    What ``a`` to ``e`` hold depends on the kind:

    ========== ============ =========== =========== ========== ===========
    kind       a            b           c           d          e
    ========== ============ =========== =========== ========== ===========
    QUOTE      bid ticks    ask ticks   bid lots    ask lots
    TRADE      price ticks  lots        aggressor
    BAR        open ticks   high ticks  low ticks   close ticks volume lots
    BOOK       first level  past level  is snapshot update id
    CONNECTION state
    RESOLUTION payoff ticks
    ========== ============ =========== =========== ========== ===========

    ``levels`` has shape ``(n, 3)``: side (+1 bid, -1 ask), ticks, lots. ``time_ns`` is our clock
    and never decreases; ``venue_time_ns`` is the venue's, 0 where it is not known. ``source`` is
    the index of the feed, which orders rows of equal times.
    """

    __slots__ = (
        "_breaks",
        "_codes",
        "_price_rows",
        "_times",
        "a",
        "b",
        "c",
        "d",
        "e",
        "instrument",
        "instruments",
        "kind",
        "levels",
        "line",
        "source",
        "time_ns",
        "uniform_code",
        "venue_time_ns",
    )

    def __init__(
        self,
        instruments: Instruments,
        columns: dict[str, Column],
        levels: Column = _NO_LEVELS,
    ) -> None:
        self.instruments = instruments
        self.time_ns = columns["time_ns"]
        self.venue_time_ns = columns["venue_time_ns"]
        self.kind = columns["kind"]
        self.instrument = columns["instrument"]
        self.a = columns["a"]
        self.b = columns["b"]
        self.c = columns["c"]
        self.d = columns["d"]
        self.e = columns["e"]
        self.line = columns["line"]
        self.source = columns["source"]
        self.levels = levels
        codes = (self.instrument << KIND_BITS) | self.kind
        self.uniform_code: int | None = None
        if len(codes) and (codes[0] == codes).all():
            self.uniform_code = int(codes[0])
        self._codes: list[int] | None = None
        self._times: list[int] | None = None
        self._breaks: list[int] | None = None
        self._price_rows: dict[tuple[int, bool], Sequence[int]] = {}

    def __len__(self) -> int:
        return len(self.time_ns)

    @property
    def codes(self) -> list[int]:
        """Return ``instrument index * 8 + kind`` of each row."""
        if self._codes is None:
            codes: list[int] = ((self.instrument << KIND_BITS) | self.kind).tolist()
            self._codes = codes
        return self._codes

    def times(self) -> list[int]:
        """Return ``time_ns`` as Python integers."""
        if self._times is None:
            self._times = self.time_ns.tolist()
        return self._times

    def breaks(self) -> list[int]:
        """Return the rows that are connection or resolution events: most slices have none."""
        if self._breaks is None:
            self._breaks = np.flatnonzero(self.kind >= EventKind.CONNECTION).tolist()
        return self._breaks

    def price_rows(self, instrument: int, *, firm: bool) -> Sequence[int]:
        """Return the rows that give an instrument's price, in order.

        Args:
            instrument: Index of the instrument.
            firm: True for quotes and bars, False for public trades.
        """
        rows = self._price_rows.get((instrument, firm))
        if rows is None:
            rows = self._price_rows[instrument, firm] = self._find_price_rows(instrument, firm)
        return rows

    def _find_price_rows(self, instrument: int, firm: bool) -> Sequence[int]:
        kinds = (EventKind.QUOTE, EventKind.BAR) if firm else (EventKind.TRADE,)
        if self.uniform_code is not None:
            is_mine = self.uniform_code >> KIND_BITS == instrument
            return range(len(self) if is_mine and self.uniform_code & KIND_MASK in kinds else 0)
        wanted = np.isin(self.kind, kinds) & (self.instrument == instrument)
        found: list[int] = np.flatnonzero(wanted).tolist()
        return found

    def book_rows(self, start: int, stop: int) -> list[int]:
        """Return the book rows in ``[start, stop)``."""
        return (np.flatnonzero(self.kind[start:stop] == EventKind.BOOK) + start).tolist()

    def cursor(self, start: int) -> Cursor:
        """Return the row objects from row ``start`` on."""
        times = iter(self.times()[start:])
        if self.uniform_code is not None:
            kind = self.uniform_code & KIND_MASK
            index = self.uniform_code >> KIND_BITS
            instrument = None if index < 0 else self.instruments[index]
            events = self._objects(kind, slice(start, None), times, repeat(instrument))
        else:
            events = self._mixed(start, times)
        return Cursor(len(self), times, events)

    def events(self, start: int = 0) -> Iterator[MarketEvent]:
        """Yield the row objects from row ``start`` on."""
        return self.cursor(start).events

    def _mixed(self, start: int, times: Iterator[int]) -> Iterator[MarketEvent]:
        """Yield row objects of several kinds or instruments.

        One iterator per kind makes the objects of its own rows; a row takes the next of its kind.
        """
        kinds = self.kind[start:]
        by_kind: dict[int, Iterator[MarketEvent]] = {}
        for kind in np.unique(kinds).tolist():
            rows = np.flatnonzero(kinds == kind) + start
            names = [
                None if index < 0 else self.instruments[index]
                for index in self.instrument[rows].tolist()
            ]
            own_times = iter(self.time_ns[rows].tolist())
            by_kind[kind] = self._objects(kind, rows, own_times, iter(names))
        turns = [by_kind[kind] for kind in kinds.tolist()]
        return map(_next_event, times, turns)

    def _objects(
        self,
        kind: int,
        rows: slice | NDArray[np.intp],
        times: Iterator[int],
        instruments: Iterator[Instrument | None],
    ) -> Iterator[MarketEvent]:
        make: Callable[..., MarketEvent]
        columns: Sequence[Iterable[Any]]
        match kind:
            case EventKind.QUOTE:
                make, columns = Quote, (self.a, self.b, self.c, self.d)
                extra: Iterable[Any] = self._mids(rows).tolist()
            case EventKind.TRADE:
                make, columns = Trade, (self.a, self.b)
                extra = self.c[rows].tolist()
            case EventKind.BAR:
                make, columns = Bar, (self.a, self.b, self.c, self.d, self.e)
                extra = (self.d[rows] * self._ticks(rows)).tolist()
            case EventKind.BOOK:
                firsts, lasts = self.a[rows].tolist(), self.b[rows].tolist()
                changes = [
                    tuple(map(tuple, self.levels[first:last].tolist()))
                    for first, last in zip(firsts, lasts, strict=True)
                ]
                snapshots = (self.c[rows] != 0).tolist()
                ids = self.d[rows].tolist()
                return map(BookChange, times, instruments, snapshots, changes, ids)  # type: ignore[arg-type]
            case EventKind.CONNECTION:
                states = [CONNECTION_STATES[state] for state in self.a[rows].tolist()]
                return map(Connection, times, instruments, states)
            case _:
                make, columns = Resolution, ()
                extra = self.a[rows].tolist()
        return map(make, times, instruments, *(_values(column[rows]) for column in columns), extra)

    def _ticks(self, rows: slice | NDArray[np.intp]) -> NDArray[np.float64]:
        ticks = np.array([float(instrument.tick) for instrument in self.instruments])
        return np.asarray(ticks[self.instrument[rows]])

    def _mids(self, rows: slice | NDArray[np.intp]) -> NDArray[np.float64]:
        mids = (self.a[rows] + self.b[rows]) * (self._ticks(rows) * 0.5)
        mids[(self.c[rows] == 0) | (self.d[rows] == 0)] = np.nan
        return mids

    def record(self, row: int) -> MarketRow:
        """Return row ``row`` as a message for the journal."""
        index = self.instrument.item(row)
        instrument = None if index < 0 else self.instruments[index]
        columns = tuple([column.item(row) for column in (self.a, self.b, self.c, self.d, self.e)])
        origin = Origin(
            self.time_ns.item(row), self.venue_time_ns.item(row), self.line.item(row), 0
        )
        return market_row(self.kind.item(row), instrument, columns, origin)

    def describe(self, event: MarketEvent) -> MarketRow:
        """Return a row's object as a message for the journal, when its row is not at hand."""
        kind, columns = columns_of(event)
        return market_row(kind, event.instrument, columns, Origin(event.time_ns))

    def take(self, rows: slice | NDArray[np.intp]) -> "Slice":
        """Return some rows as a slice of its own; the levels table is shared."""
        columns = {name: getattr(self, name)[rows] for name in _COLUMNS}
        return Slice(self.instruments, columns, self.levels)

    def of_source(self, source: int) -> "Slice":
        """Return the same rows as rows of a source."""
        columns = {name: getattr(self, name) for name in _COLUMNS}
        columns["source"] = np.full(len(self), source, dtype=np.int64)
        return Slice(self.instruments, columns, self.levels)

    def shifted(self, by_ns: int) -> "Slice":
        """Return the same rows ``by_ns`` later; venue times that are not known stay so."""
        columns = {name: getattr(self, name) for name in _COLUMNS}
        columns["time_ns"] = self.time_ns + by_ns
        known = self.venue_time_ns != 0
        columns["venue_time_ns"] = np.where(known, self.venue_time_ns + by_ns, 0)
        return Slice(self.instruments, columns, self.levels)

    def conflated(self, newer: "Slice") -> "Slice":
        """Return both slices as one, with only the latest quote, trade and bar of an instrument.

        Book changes, connections and resolutions are all kept: nothing can stand for them.
        """
        both = Slice.joined([self, newer])
        codes = (both.instrument << KIND_BITS) | both.kind
        _, last = np.unique(codes[::-1], return_index=True)
        is_kept = both.kind > EventKind.BAR
        is_kept[len(both) - 1 - last] = True
        return both.take(np.flatnonzero(is_kept))

    @classmethod
    def joined(cls, parts: Sequence["Slice"]) -> "Slice":
        """Return several slices as one, ordered by time, then source, then the order given."""
        if len(parts) == 1:
            return parts[0]
        columns = {name: np.concatenate([getattr(p, name) for p in parts]) for name in _COLUMNS}
        levels: list[Column] = []
        offset = start = 0
        for part in parts:
            book = np.flatnonzero(part.kind == EventKind.BOOK)
            if len(book):
                first, past = int(part.a[book].min()), int(part.b[book].max())
                columns["a"][book + start] += offset - first
                columns["b"][book + start] += offset - first
                levels.append(part.levels[first:past])
                offset += past - first
            start += len(part)
        order = np.lexsort((columns["source"], columns["time_ns"]))
        columns = {name: column[order] for name, column in columns.items()}
        all_levels = np.concatenate(levels) if levels else _NO_LEVELS
        return cls(parts[0].instruments, columns, all_levels)


def _values(column: Column) -> Iterable[int]:
    """Return a column's values as Python integers, at least as many as it has rows.

    Sizes that are not known, or never change, are the same in all rows: one integer does for them.
    """
    if len(column) and column[0] == column[-1] and (column[0] == column).all():
        return repeat(column.item(0))
    values: list[int] = column.tolist()
    return values


def _next_event(_time_ns: int, events: Iterator[MarketEvent]) -> MarketEvent:
    return next(events)


class SliceBuilder:
    """Collects rows and builds slices of them.

    Rows must come in time order; a row whose clock steps back is given the time of the row before.
    """

    def __init__(self, instruments: Instruments) -> None:
        self._instruments = instruments
        self._rows: list[tuple[int, ...]] = []
        self._levels: list[Level] = []
        self._last_ns = 0

    def __len__(self) -> int:
        return len(self._rows)

    def quote(self, origin: Origin, instrument: int, sides: tuple[int, int, int, int]) -> Self:
        """Add a best bid and ask: ``(bid ticks, ask ticks, bid lots, ask lots)``.

        An empty side has 0 lots; its price is ignored. Unknown sizes are ``UNKNOWN_LOTS``.
        """
        bid, ask, bid_lots, ask_lots = sides
        values = (bid if bid_lots else 0, ask if ask_lots else NO_PRICE, bid_lots, ask_lots, 0)
        return self._add(EventKind.QUOTE, origin, instrument, values)

    def trade(self, origin: Origin, instrument: int, print_: tuple[int, int, int]) -> Self:
        """Add a public trade: ``(price ticks, lots, aggressor)``."""
        return self._add(EventKind.TRADE, origin, instrument, (*print_, 0, 0))

    def bar(self, origin: Origin, instrument: int, values: tuple[int, int, int, int, int]) -> Self:
        """Add a bar: ``(open, high, low, close in ticks, volume in lots)``."""
        return self._add(EventKind.BAR, origin, instrument, values)

    def book(
        self, origin: Origin, instrument: int, levels: Iterable[Level], *, is_snapshot: bool
    ) -> Self:
        """Add a book change; a snapshot replaces the book."""
        first = len(self._levels)
        self._levels.extend(levels)
        values = (first, len(self._levels), int(is_snapshot), origin.update_id, 0)
        return self._add(EventKind.BOOK, origin, instrument, values)

    def connection(
        self, origin: Origin, state: ConnectionState, instrument: int = WHOLE_FEED
    ) -> Self:
        """Add a change of a feed's or a book's connection."""
        values = (CONNECTION_STATES.index(state), 0, 0, 0, 0)
        return self._add(EventKind.CONNECTION, origin, instrument, values)

    def resolution(self, origin: Origin, instrument: int, payoff_ticks: int) -> Self:
        """Add the resolution of a market: what one unit pays."""
        return self._add(EventKind.RESOLUTION, origin, instrument, (payoff_ticks, 0, 0, 0, 0))

    def _add(
        self,
        kind: EventKind,
        origin: Origin,
        instrument: int,
        values: tuple[int, int, int, int, int],
    ) -> Self:
        self._last_ns = time_ns = max(self._last_ns, origin.time_ns)
        row = (time_ns, origin.venue_time_ns, kind, instrument, *values, origin.line, 0)
        self._rows.append(row)
        return self

    def build(self) -> Slice:
        """Return what was collected, and start again."""
        rows = np.array(self._rows, dtype=np.int64).reshape(-1, len(_COLUMNS))
        columns = {name: np.ascontiguousarray(rows[:, i]) for i, name in enumerate(_COLUMNS)}
        levels = np.array(self._levels, dtype=np.int64).reshape(-1, 3)
        self._rows = []
        self._levels = []
        return Slice(self._instruments, columns, levels)


class MarketData(msgspec.Struct, frozen=True, gc=False):
    """A slice on its way through a mailbox."""

    rows: Slice


def resliced(slices: Iterable[Slice], sizes: Iterator[int]) -> Iterator[Slice]:
    """Yield the same rows cut anew: the next slice has as many rows as ``sizes`` says next."""
    for rows in slices:
        start = 0
        while start < len(rows):
            stop = start + next(sizes)
            yield rows.take(slice(start, stop))
            start = stop
