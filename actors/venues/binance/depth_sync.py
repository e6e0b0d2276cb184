"""Which depth updates join a snapshot, and which leave a gap.

Spot updates are numbered without holes (``U`` first, ``u`` last id); futures updates name the last
id of the update before (``pu``). Source: Binance, "How to manage a local order book correctly", for
spot and for USD-M futures.
"""

from collections import deque
from enum import Enum
from typing import NamedTuple

from actors.messages.records import Origin
from actors.model.book import Level

_WAITING = 4096
"""How many updates are kept for a snapshot that has not come: minutes of the fastest stream."""


class DepthUpdate(NamedTuple):
    """Levels to set, and the ids that say where they belong."""

    previous_id: int
    """The id up to which a book must be to take this update: ``U - 1``, or ``pu``."""
    last_id: int
    levels: list[Level]
    origin: Origin


class Verdict(Enum):
    """What is to be done with an update."""

    APPLY = "apply"
    WAIT = "wait"
    DROP = "drop"
    GAP = "gap"


class DepthSync:
    """Decides, for one book, what to do with each update and with each snapshot."""

    def __init__(self) -> None:
        self.last_id: int | None = None
        """Up to which id the book is; None without a book."""
        self._waiting: deque[DepthUpdate] = deque(maxlen=_WAITING)

    def offer(self, update: DepthUpdate) -> Verdict:
        """Say what to do with the next update; a GAP loses the book until the next snapshot."""
        if self.last_id is None:
            self._waiting.append(update)
            return Verdict.WAIT
        if update.last_id <= self.last_id:
            return Verdict.DROP
        if update.previous_id > self.last_id:
            self.last_id = None
            self._waiting.append(update)
            return Verdict.GAP
        self.last_id = update.last_id
        return Verdict.APPLY

    def snapshot(self, snapshot_id: int) -> list[DepthUpdate] | None:
        """Take a snapshot; return the updates to offer again after it, or None.

        None: the snapshot is of no use. It is older than the book, or so old that updates between
        it and the first that waits are missing: a newer one must be fetched.
        """
        if self.last_id is not None and snapshot_id < self.last_id:
            return None
        newer = (update for update in self._waiting if update.last_id > snapshot_id)
        first = next(newer, None)
        if first is not None and first.previous_id > snapshot_id:
            return None
        waiting = list(self._waiting)
        self._waiting.clear()
        self.last_id = snapshot_id
        return waiting
