"""How many fills and entries of cash a ledger keeps; the journal remembers the older ones."""

import json
from decimal import Decimal

from actors.actor import Context
from actors.messages.account import CashAdjusted
from actors.messages.system import Archived
from actors.messages.trading import Fill, FillSettled
from actors.model.order import Side
from actors.portfolio.books.positions import Key, Position, Purse, Total
from actors.portfolio.books.settings import Books

Name = tuple[str, str, str]
"""Venue, trade id and our order's id: on some venues both sides of a trade have one id, on others
each instrument counts its own trades. Of an entry of cash: nothing, its id, nothing."""
_BUY = Side.BUY  # on Python 3.11, looking a member up takes longer than comparing it
FILL, CASH = "fill", "cash"


class Memory:
    """Lets go of what is older than the ``most`` latest, and knows it again by the archive.

    The oldest goes first, but no provisional fill before its last word has come, and nothing that
    was booked after such a fill: that may have to be booked anew. What is let go is folded into the
    *base* of its position, so that a position can always be booked anew.

    Each booking has a number, which is archived with it: a core that is rebuilt from the journal
    books again what it finds in the archive, as that is only a memory of what comes.

    Attributes:
        news: What was let go and is not told yet.
        fills: How many fills were let go.
        changes: How many changes of the ledger have left no trace in it.
    """

    def __init__(self, context: Context | None, most: int, books: Books) -> None:
        self.news: list[Archived] = []
        self.fills = 0
        self.changes = 0
        self._context = context
        self._most = most
        self._books = books
        self._number = 0
        self._numbers: dict[Name, int] = {}
        self._bases: dict[Key, Position] = {}

    def knows(self, kind: str, key: str) -> bool:
        """Return whether something has been let go that was booked under a key."""
        archive = None if self._context is None else self._context.archive
        if archive is None or not self.changes:
            return False
        found = archive.find(kind, key)
        return found is not None and int(json.loads(found)["number"]) < self._number

    def number(self, name: Name) -> None:
        """Number what is booked."""
        self._numbers[name] = self._number
        self._number += 1

    def base(self, key: Key) -> Position | None:
        """Return what the fills that were let go have made of a position; None for nothing."""
        return self._bases.get(key)

    def trim_fills(self, fills: dict[Name, Fill], unsettled: dict[Name, Fill]) -> None:
        """Let go of the oldest fills."""
        while len(fills) > self._most:
            name = next(iter(fills))
            if name in unsettled:
                return
            self._fold(fills.pop(name))
            self.fills += 1
            self._forget(FILL, name, 1)

    def trim_failed(self, failed: dict[Name, None]) -> None:
        """Let go of the oldest of the fills that were taken back."""
        while len(failed) > self._most:
            name = next(iter(failed))
            del failed[name]
            self._forget(FILL, name, 2)

    def trim_entries(self, entries: dict[str, CashAdjusted]) -> None:
        """Let go of the oldest entries of cash."""
        while len(entries) > self._most:
            entry_id = next(iter(entries))
            del entries[entry_id]
            self._forget(CASH, ("", entry_id, ""), 1)

    def _fold(self, fill: Fill) -> None:
        key = (fill.strategy, fill.instrument)
        base = self._bases.get(key)
        if base is None:
            base = self._bases[key] = self._books.position(key, Total())
            base.purse = Purse(base.purse.currency)
        base.book(signed(fill), fill.last_price, fill.commission)

    def _forget(self, kind: str, name: Name, changes: int) -> None:
        state = json.dumps({"number": self._numbers.pop(name)})
        self.news.append(Archived(kind=kind, key=archive_key(name), state=state))
        self.changes += changes


def signed(fill: Fill) -> Decimal:
    """Return what a fill adds to its position."""
    return fill.last_quantity if fill.side is _BUY else fill.last_quantity.copy_negate()


def name_of(fill: Fill | FillSettled) -> Name:
    """Return what a fill is known by, and the word on it."""
    return fill.venue, fill.trade_id, fill.client_order_id


def archive_key(name: Name) -> str:
    """Return what something is looked up by in the archive."""
    return "/".join(name) if name[0] else name[1]
