"""The latest price of each instrument, looked up only when somebody asks."""

from bisect import bisect_left
from typing import Any

import msgspec

from actors.messages.market import KIND_BITS, KIND_MASK, NO_PRICE, UNKNOWN_LOTS, EventKind
from actors.messages.slices import Slice


class Top(msgspec.Struct, frozen=True, gc=False):
    """Best bid and ask in ticks and lots; lots are 0 for an empty side, -1 if not known."""

    bid: int
    ask: int
    bid_lots: int
    ask_lots: int


_FIRM = _QUOTE, _BAR = int(EventKind.QUOTE), int(EventKind.BAR)
EMPTY = Top(0, NO_PRICE, 0, 0)


class LastPrices:
    """Keeps up with slices at no cost per row.

    A price is the last quote or bar close; before the first of these, the last public trade.
    """

    def __init__(self) -> None:
        self._rows: Slice | None = None
        self._stop = 0
        self._sole: int | None = None
        """The instrument that every row of the slice gives a firm price of, if it is so."""
        self._columns: tuple[memoryview, ...] | None = None
        self._firm: dict[int, Top] = {}
        self._traded: dict[int, Top] = {}
        self._firm_ns: dict[int, int] = {}
        self._traded_ns: dict[int, int] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Return the last prices, without the slice that they come from."""
        kept = LastPrices.__new__(LastPrices)
        kept.__dict__.update(self.__dict__)
        for name in ("_firm", "_traded", "_firm_ns", "_traded_ns"):
            setattr(kept, name, {**getattr(self, name)})
        kept._absorb()
        kept._rows = kept._sole = kept._columns = None
        kept._stop = 0
        return kept.__dict__

    def advance(self, rows: Slice, stop: int) -> None:
        """Take notice of the rows before ``stop``."""
        if rows is not self._rows:
            self._absorb()
            self._rows = rows
            self._sole = _sole_instrument(rows.uniform_code)
            self._columns = None
        self._stop = stop

    def top(self, instrument: int) -> Top:
        """Return the latest price of an instrument; ``EMPTY`` if there is none yet."""
        rows = self._rows
        if rows is not None and instrument == self._sole and self._stop:
            return self._top(rows, self._stop - 1)
        found = self._last(instrument, firm=True) or self._firm.get(instrument)
        if found is None:
            found = self._last(instrument, firm=False) or self._traded.get(instrument, EMPTY)
        return found

    def time_ns(self, instrument: int) -> int | None:
        """Return when the latest price of an instrument was seen; None if there is none yet."""
        rows = self._rows
        for firm, kept_ns in ((True, self._firm_ns), (False, self._traded_ns)):
            row = self._last_row(instrument, firm=firm)
            if row >= 0:
                assert rows is not None
                return rows.time_ns.item(row)
            if instrument in kept_ns:
                return kept_ns[instrument]
        return None

    def _last(self, instrument: int, *, firm: bool) -> Top | None:
        """Return the last price before ``stop`` in the slice at hand."""
        rows = self._rows
        row = self._last_row(instrument, firm=firm)
        return None if rows is None or row < 0 else self._top(rows, row)

    def _last_row(self, instrument: int, *, firm: bool) -> int:
        """Return the row of the last price before ``stop`` in the slice at hand, or -1."""
        rows = self._rows
        if rows is None:
            return -1
        candidates = rows.price_rows(instrument, firm=firm)
        if isinstance(candidates, range):  # every row, or none
            return min(self._stop, len(candidates)) - 1
        position = bisect_left(candidates, self._stop)
        return candidates[position - 1] if position else -1

    def _top(self, rows: Slice, row: int) -> Top:
        columns = self._columns
        if columns is None:
            columns = self._columns = _views(rows)
        kinds, a, b, c, d = columns
        kind = kinds[row]
        if kind == _QUOTE:
            return Top(a[row], b[row], c[row], d[row])
        price = d[row] if kind == _BAR else a[row]
        return Top(price, price, UNKNOWN_LOTS, UNKNOWN_LOTS)

    def _absorb(self) -> None:
        """Keep the last prices of the slice that is left behind."""
        rows = self._rows
        if rows is None or not self._stop:
            return
        if self._sole is not None:
            self._firm[self._sole] = self._top(rows, self._stop - 1)
            self._firm_ns[self._sole] = rows.time_ns.item(self._stop - 1)
            return
        for instrument in sorted(set(rows.instrument[: self._stop].tolist())):
            for kept, kept_ns, firm in (
                (self._firm, self._firm_ns, True),
                (self._traded, self._traded_ns, False),
            ):
                row = self._last_row(instrument, firm=firm)
                if row >= 0:
                    kept[instrument] = self._top(rows, row)
                    kept_ns[instrument] = rows.time_ns.item(row)


def _sole_instrument(code: int | None) -> int | None:
    """Return the instrument whose firm prices all rows are that have this code, if they are."""
    return None if code is None or code & KIND_MASK not in _FIRM else code >> KIND_BITS


def _views(rows: Slice) -> tuple[memoryview, ...]:
    """Return the columns in the shape from which Python reads single numbers fastest."""
    return rows.kind.data, rows.a.data, rows.b.data, rows.c.data, rows.d.data
