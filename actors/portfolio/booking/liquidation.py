"""Closes everything when the account's value has come down to a level: exact at the row.

Only where more can be lost than was paid: with shorts, futures or borrowed cash. Judged at the rows
that say what an open position is worth, as long as each of them has a price.
"""

from bisect import bisect_left
from collections.abc import Sequence
from decimal import Decimal
from functools import partial

import msgspec
import numpy as np
from numpy.typing import NDArray

from actors.messages.account import CashAdjusted, PositionChanged
from actors.messages.market import EventKind
from actors.messages.slices import Slice
from actors.messages.trading import Fill
from actors.model.money import ONE, ZERO
from actors.portfolio.account import Account
from actors.portfolio.books.currencies import MarkOf
from actors.portfolio.books.exact import add
from actors.portfolio.books.ledger import closing_fill
from actors.portfolio.books.positions import Position
from actors.portfolio.books.valuation import equity

LIQUIDATION = "liquidation"
"""The reason of the fills, and how the orders they seem to come from begin."""
FORGIVEN = "-forgiven"
"""How the entry that forgives the rest ends."""

_SLACK = 1e-9
"""Relative error that floats may have where they only say which rows are worth an exact look."""
_BAR, _TRADE = int(EventKind.BAR), int(EventKind.TRADE)

Floats = NDArray[np.float64]


class _Scan(msgspec.Struct, frozen=True):
    """What a look ahead has found: nothing before ``hit`` in ``[start, stop)``."""

    rows: Slice
    version: int
    start: int
    stop: int
    hit: int


class Liquidation:
    """Watches one account's value."""

    def __init__(self, account: Account, level: Decimal) -> None:
        self._account = account
        self._level = level
        self._scan: _Scan | None = None

    # --- looking ahead ---------------------------------------------------------------------------

    def first(self, rows: Slice, start: int, stop: int) -> int:
        """Return the first row in ``[start, stop)`` after which all is to be closed, or ``stop``.

        Changes nothing.
        """
        if start >= stop or not self._is_exposed():
            return stop
        version = self._account.ledger.version
        scan = self._scan
        if (
            scan is None
            or scan.rows is not rows
            or scan.version != version
            or not scan.start <= start <= scan.hit
            or (scan.stop < stop and scan.hit == scan.stop)
        ):
            self._account.marks.catch_up(rows, start)
            hit = self._find(rows, start, stop)
            scan = self._scan = _Scan(rows, version, start, stop, hit)
        return min(scan.hit, stop)

    def is_due(self) -> bool:
        """Return whether all is to be closed at the latest marks."""
        if not self._is_exposed():
            return False
        return self._is_down(self._account.marks.priced)

    def _is_exposed(self) -> bool:
        ledger = self._account.ledger
        if not any(True for _ in ledger.held()):
            return False
        if any(purse.cash < ZERO for purse in ledger.books.purses.values()):
            return True
        return any(each.quantity < ZERO or each.margin is not None for each in ledger.held())

    def _find(self, rows: Slice, start: int, stop: int) -> int:
        marks = self._account.marks
        for row in self._candidates(rows, start, stop):
            if self._is_down(partial(marks.mark_after, row + 1)):
                return row
        return stop

    def _is_down(self, mark_of: MarkOf) -> bool:
        ledger = self._account.ledger
        if any(mark_of(position.instrument) is None for position in ledger.held()):
            return False
        value = equity(ledger, mark_of, self._account.capital.rates)
        return value is not None and value <= self._level

    def _candidates(self, rows: Slice, start: int, stop: int) -> Sequence[int]:
        """Return the rows at which the value may be down: all that it may change at, but few.

        With rates that move, every row that has a price of something is one of them.
        """
        ledger, marks = self._account.ledger, self._account.marks
        rates = self._account.capital.rates.instruments
        names = sorted({position.instrument for position in ledger.held()})
        priced = {
            name: _between(marks.rows_that_price(rows, name), start, stop)
            for name in dict.fromkeys([*names, *rates])
            if name in self._account.instruments
        }
        if rates or len(ledger.books.purses) > 1:
            return sorted({row for each in priced.values() for row in each})
        value = np.full(stop - start, float(ledger.own.cash))
        scale = np.abs(value)
        changes = np.zeros(stop - start, dtype=bool)
        for position in ledger.held():
            own_rows = priced[position.instrument]
            slope, offset = _line(position)
            before = marks.mark_after(start, position.instrument)
            path = _path(self._prices(rows, own_rows, position.instrument), own_rows, start, stop)
            path[: own_rows[0] - start if own_rows else None] = (
                np.nan if before is None else float(before)
            )
            value += slope * path + offset
            scale += np.abs(slope * path) + abs(offset)
            changes[np.asarray(own_rows, dtype=np.intp) - start] = True
        is_low = changes & (value <= float(self._level) + _SLACK * (scale + 1.0))
        found: list[int] = (np.flatnonzero(is_low) + start).tolist()
        return found

    def _prices(self, rows: Slice, own_rows: Sequence[int], instrument_id: str) -> Floats:
        """Return what one unit is worth at each of an instrument's rows; nan for no price."""
        instruments = self._account.instruments
        tick = float(instruments[instruments.index(instrument_id)].tick)
        at = np.asarray(own_rows, dtype=np.intp)
        kind, a, b = rows.kind[at], rows.a[at], rows.b[at]
        has_bid, has_ask = rows.c[at] != 0, rows.d[at] != 0
        both = np.where(has_bid & has_ask, (a + b) / 2.0, np.where(has_bid, a, b))
        quoted = np.where(has_bid | has_ask, both, np.nan)
        firm = np.where(kind == _BAR, rows.d[at], quoted)
        return np.asarray(np.where(kind == _TRADE, a, firm) * tick)

    # --- closing ---------------------------------------------------------------------------------

    def close(
        self, mark_of: MarkOf, now_ns: int, cause: str
    ) -> list[Fill | PositionChanged | CashAdjusted]:
        """Close every position at its mark, book it, and tell how.

        What the account would owe then is forgiven: that is an entry of its own.

        Args:
            mark_of: The marks; each position has one.
            now_ns: When.
            cause: What made it happen, once and for all; the fills' ids are made of it.
        """
        account = self._account
        order_id = f"{LIQUIDATION}-{cause}"
        fills: list[Fill] = []
        for position in account.ledger.open_positions():
            instrument = account.instruments.get(position.instrument)
            mark = mark_of(position.instrument)
            assert instrument is not None, f"{position.instrument} is not known"
            assert mark is not None, f"{position.instrument} has no mark"
            trade_id = f"{order_id}-{position.instrument}-{position.strategy}"
            fill = closing_fill(position, instrument, mark, now_ns, trade_id)
            fills.append(
                msgspec.structs.replace(fill, client_order_id=order_id, reason=LIQUIDATION)
            )
        told: list[Fill | PositionChanged | CashAdjusted] = [*account.book_own(fills)]
        left = equity(account.ledger, mark_of, account.capital.rates)
        if left is not None and left < ZERO:
            forgiven = CashAdjusted(
                entry_id=f"{order_id}{FORGIVEN}",
                time_ns=now_ns,
                currency=account.ledger.own.currency,
                amount=left.copy_negate(),
                reason="loss beyond the account forgiven",
            )
            account.ledger.adjust(forgiven)
            told.append(forgiven)
        return told


def _between(rows: Sequence[int], start: int, stop: int) -> Sequence[int]:
    return rows[bisect_left(rows, start) : bisect_left(rows, stop)]


def _line(position: Position) -> tuple[float, float]:
    """Return what a position is worth, as slope and offset over its instrument's price."""
    offset = position.worth(ZERO)
    slope = add(position.worth(ONE), offset.copy_negate())
    return float(slope), float(offset)


def _path(prices: Floats, own_rows: Sequence[int], start: int, stop: int) -> Floats:
    """Return the price that holds after each row of ``[start, stop)``; the first is to be set."""
    path = np.empty(stop - start)
    if own_rows:
        at = np.asarray(own_rows, dtype=np.intp) - start
        lengths = np.diff(np.append(at, stop - start))
        path[at[0] :] = np.repeat(prices, lengths)
    return path
