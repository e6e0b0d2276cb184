"""The latest price of each instrument, looked up only when somebody asks."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from actors.messages.market import NO_PRICE, UNKNOWN_LOTS, EventKind
from actors.messages.slices import Slice


class Top(NamedTuple):
    """Best bid and ask in ticks and lots; lots are 0 for an empty side, -1 if not known."""

    bid: int
    ask: int
    bid_lots: int
    ask_lots: int


_QUOTE, _BAR = int(EventKind.QUOTE), int(EventKind.BAR)
EMPTY = Top(0, NO_PRICE, 0, 0)


class LastPrices:
    """Keeps up with slices at no cost per row.

    A price is the last quote or bar close; before the first of these, the last public trade.
    """

    def __init__(self) -> None:
        self._rows: Slice | None = None
        self._stop = 0
        self._firm: dict[int, Top] = {}
        self._traded: dict[int, Top] = {}

    def advance(self, rows: Slice, stop: int) -> None:
        """Take notice of the rows before ``stop``."""
        if rows is not self._rows:
            self._absorb()
            self._rows = rows
        self._stop = stop

    def top(self, instrument: int) -> Top:
        """Return the latest price of an instrument; ``EMPTY`` if there is none yet."""
        rows = self._rows
        if rows is not None:
            found = _last(rows, rows.price_rows(instrument, firm=True), self._stop)
            if found is not None:
                return found
        firm = self._firm.get(instrument)
        if firm is not None:
            return firm
        if rows is not None:
            found = _last(rows, rows.price_rows(instrument, firm=False), self._stop)
            if found is not None:
                return found
        return self._traded.get(instrument, EMPTY)

    def _absorb(self) -> None:
        """Keep the last prices of the slice that is left behind."""
        rows = self._rows
        if rows is None:
            return
        for instrument in sorted(set(rows.instrument[: self._stop].tolist())):
            for kept, firm in ((self._firm, True), (self._traded, False)):
                found = _last(rows, rows.price_rows(instrument, firm=firm), self._stop)
                if found is not None:
                    kept[instrument] = found


def _last(rows: Slice, candidates: Sequence[int], stop: int) -> Top | None:
    if isinstance(candidates, range):
        row = min(stop, len(candidates)) - 1
    else:
        position = bisect_left(candidates, stop)
        row = candidates[position - 1] if position else -1
    return None if row < 0 else _top(rows, row)


def _top(rows: Slice, row: int) -> Top:
    kind = rows.kind.item(row)
    if kind == _QUOTE:
        return Top(rows.a.item(row), rows.b.item(row), rows.c.item(row), rows.d.item(row))
    price = rows.d.item(row) if kind == _BAR else rows.a.item(row)
    return Top(price, price, UNKNOWN_LOTS, UNKNOWN_LOTS)
