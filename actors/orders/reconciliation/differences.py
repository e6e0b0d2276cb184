"""Which differences there are: each is told once while it lasts, and once when it is over."""

from decimal import Decimal

import msgspec

from actors.messages.reconciliation import Cure, Difference, DifferenceKind, Part, Reconciled
from actors.messages.venue import VenueOrder, VenueTrade

MOST_KEPT = 1_000
"""Of more differences than this that wait for somebody's word, one stands for all others."""
_MOST_TOLD = 10_000

Subject = VenueOrder | VenueTrade | None
"""What of the venue's a difference is about."""


class Differences:
    """Keeps what is open, and what was decided or told and need not be told again.

    A difference of orders is over when a round does not find it any more. One of trades, and a gap
    in the venue's history, comes once and waits for somebody's word.

    Attributes:
        round: The latest round.
    """

    def __init__(self) -> None:
        self.round = 0
        self._lasting: dict[str, Difference] = {}
        self._subjects: dict[str, Subject] = {}
        self._told: dict[str, None] = {}
        self._seen: set[str] = set()

    def begin(self, number: int) -> None:
        """Begin a round: nothing has been found in it yet."""
        self.round = number
        self._seen = set()

    def find(self, key: str) -> tuple[Difference, Subject] | None:
        """Return an open difference and what it is about; None if there is none of this key."""
        known = self._lasting.get(key)
        if known is None or not known.is_open:
            return None
        return known, self._subjects.get(key)

    def is_known(self, key: str) -> bool:
        """Return whether a difference lasts, open or decided; take notice that it does."""
        self._seen.add(key)
        return key in self._lasting

    def note(self, difference: Difference, subject: Subject = None) -> list[Difference]:
        """Take a difference that lasts; return what is to be told: nothing, if it was before."""
        if difference.key in self._told:
            return []
        if self._is_full(difference.key) and isinstance(subject, VenueTrade):
            others = f"{difference.kind}:others"
            subject, difference = None, msgspec.structs.replace(difference, key=others)
        if self.is_known(difference.key):
            return []
        self._lasting[difference.key] = difference
        self._subjects[difference.key] = subject
        return [difference]

    def _is_full(self, key: str) -> bool:
        return len(self._lasting) >= MOST_KEPT and key not in self._lasting

    def tell(self, difference: Difference) -> list[Difference]:
        """Return a difference that is over as soon as it is told; nothing, if it was told."""
        key = difference.key
        if key in self._told:
            return []
        self._told[key] = None
        if len(self._told) > _MOST_TOLD:
            del self._told[next(iter(self._told))]
        return [difference]

    def close(self, key: str, cure: Cure, now_ns: int) -> list[Difference]:
        """End an open difference, or let it be decided; return the news."""
        known = self._lasting[key]
        is_of_trade = isinstance(self._subjects.pop(key, None), VenueTrade)
        over = msgspec.structs.replace(known, cure=cure, is_open=False, time_ns=now_ns)
        if is_of_trade:  # it does not come again: what is remembered of it is that it was told
            del self._lasting[key]
            return self.tell(over)
        if cure is Cure.IGNORE:
            self._lasting[key] = over  # nothing more is told of it while it lasts
        else:
            del self._lasting[key]
        return [over]

    def end(self, now_ns: int) -> list[Difference]:
        """End a round: what it has not found any more is over; return the news."""
        news: list[Difference] = []
        for key, known in list(self._lasting.items()):
            waits = known.is_open and known.kind is DifferenceKind.HISTORY_TRUNCATED
            is_of_trade = isinstance(self._subjects.get(key), VenueTrade)
            if key in self._seen or waits or is_of_trade or key.endswith(":others"):
                continue
            del self._lasting[key]
            self._subjects.pop(key, None)
            if known.is_open:
                news.append(msgspec.structs.replace(known, is_open=False, time_ns=now_ns))
        return news

    def reconciled(self) -> Reconciled:
        """Return the word that ends a round, or amends the end of the latest one."""
        still = tuple(key for key, known in self._lasting.items() if known.is_open)
        return Reconciled(part=Part.ORDERS, round=self.round, open=still)


def is_filled_as_said(difference: Difference, traded: Decimal) -> bool:
    """Return whether as much has traded meanwhile as the venue's list has said."""
    return traded >= Decimal(difference.theirs)
