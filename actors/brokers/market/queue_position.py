"""How much is ahead of our resting orders at their prices.

On acceptance everything that is displayed at the price is ahead: the level of the book, or the
best quote's size if the order joins it; nothing inside the spread; nobody knows behind the best
quote where there is no book. From then on public trades at the price, of those who hit our side,
reduce it, and what is displayed later bounds it:

- ``risk_averse``: what leaves the queue otherwise is thought to leave behind us, so only a
  displayed size smaller than what is ahead makes it smaller.
- ``probabilistic``: what leaves the queue otherwise leaves ahead of us with the probability
  ``f(ahead) / (f(ahead) + f(behind))``, where ``f(x) = x ** n``. Source: the probability queue
  model of hftbacktest (``PowerProbQueueFunc``), after Rigtorp, "Estimating order queue position"
  (2013).

An order fills when a trade at its price is larger than what is ahead, by the difference, and when
a trade or the opposite best quote goes through its price.
"""

from enum import StrEnum
from math import ceil

import attrs
import msgspec

from actors.brokers.market.queue_rows import QueueRows
from actors.messages.slices import Slice


class Queue(StrEnum):
    """Who is ahead of a resting order."""

    NONE = "none"
    """Nobody: it fills when the opposite best quote comes to it."""
    RISK_AVERSE = "risk_averse"
    PROBABILISTIC = "probabilistic"


class Place(msgspec.Struct, eq=False, gc=False):
    """The place of one order before row ``row`` of the slice at hand.

    Attributes:
        index: The instrument's index.
        sign: +1 if the order buys.
        ticks: Its limit.
        has_book: Whether the book tells what is displayed; else quotes do.
        row: The next row to be read.
        ahead: Lots ahead of it; None if nobody knows.
        shown: Lots displayed at its price when that was last told.
        traded: Lots traded there since.
    """

    index: int
    sign: int
    ticks: int
    has_book: bool
    row: int
    ahead: int | None
    shown: int = 0
    traded: int = 0


@attrs.frozen(kw_only=True)
class QueueModel:
    """How a place moves on: see above.

    Attributes:
        power: The exponent of ``probabilistic``; None for ``risk_averse``.
    """

    power: float | None = None

    def display(self, place: Place, lots: int) -> None:
        """Take notice of the size that is displayed at the order's price."""
        ahead = place.ahead
        gone = place.shown - lots - place.traded
        if ahead is None:
            place.ahead = lots
        elif self.power is None or gone <= 0:
            place.ahead = min(ahead, lots)
        else:
            place.ahead = max(min(self._estimate(ahead, place.shown, gone), lots), 0)
        place.shown = lots
        place.traded = 0

    def _estimate(self, ahead: int, shown: int, gone: int) -> int:
        """Return what is ahead when so much has been cancelled, rounded up to the lot."""
        behind = max(shown - ahead, 0)
        power = self.power or 0.0
        before, after = float(ahead) ** power, float(behind) ** power
        share_behind = after / (before + after) if before + after else 0.0
        beyond = min(behind - share_behind * gone, 0.0)
        return ceil(ahead - (1.0 - share_behind) * gone + beyond)

    def trade(self, place: Place, lots: int) -> None:
        """Take notice of a trade at the order's price."""
        place.traded += lots
        if place.ahead is not None:
            place.ahead = max(place.ahead - lots, 0)


class Queues:
    """The places of the orders that rest at a simulated venue; belongs to what the venue shows.

    A place follows from the rows since it was taken: it is the same after a crash, and is read only
    when a row might fill its order.
    """

    def __init__(self, model: QueueModel) -> None:
        self._model = model
        self._places: dict[tuple[str, int], Place] = {}
        self._read: dict[tuple[str, int], Place] = {}
        """How far ahead each was read last, beyond what has passed."""
        self._rows: Slice | None = None
        self._by_index: dict[int, QueueRows] = {}

    def join(self, key: tuple[str, int], place: Place) -> None:
        """Let an order queue up."""
        place.shown = place.ahead or 0
        self._places[key] = place
        self._read.pop(key, None)

    def leave(self, key: tuple[str, int]) -> None:
        """Forget an order that is over."""
        self._places.pop(key, None)
        self._read.pop(key, None)

    def keep(self, keys: set[tuple[str, int]]) -> None:
        """Forget all orders but these."""
        for key in list(self._places):
            if key not in keys:
                self.leave(key)

    def ahead(self, key: tuple[str, int], rows: Slice, row: int, passed: int) -> int | None:
        """Return how much is ahead of an order right before a row; None if nobody knows.

        Args:
            key: The order.
            rows: The slice at hand.
            row: The row.
            passed: How many rows of the slice have passed: all that is known for good.
        """
        kept = self._places.get(key)
        if kept is None:
            return None
        if kept.row < passed <= row:
            self._walk(kept, rows, passed)
            self._read.pop(key, None)
        place = self._read.get(key)
        if place is None or place.row > row:
            place = self._read[key] = _copy(kept)
        self._walk(place, rows, row)
        return place.ahead

    def next_slice(self, rows: Slice, passed: int) -> None:
        """Read the rest of a slice that is left behind."""
        for place in self._places.values():
            self._walk(place, rows, passed)
            place.row = 0
        self._read.clear()
        self._by_index.clear()
        self._rows = None

    def _walk(self, place: Place, rows: Slice, stop: int) -> None:
        """Read on to a row of the slice."""
        if place.row >= stop:
            return
        if rows is not self._rows:
            self._rows = rows
            self._by_index.clear()
        found = self._by_index.get(place.index)
        if found is None:
            found = self._by_index[place.index] = QueueRows(rows, place.index)
        model = self._model
        events = found.events(place.sign, place.ticks, (place.row, stop), has_book=place.has_book)
        for _, is_trade, lots in events:
            if is_trade:
                model.trade(place, lots)
            else:
                model.display(place, lots)
        place.row = stop


def _copy(place: Place) -> Place:
    return Place(
        place.index,
        place.sign,
        place.ticks,
        place.has_book,
        place.row,
        place.ahead,
        place.shown,
        place.traded,
    )
