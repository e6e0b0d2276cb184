"""How far each cell has come, and what its core knew at one time."""

from collections.abc import Callable, Collection, Iterable

import attrs


@attrs.frozen
class Mark:
    """What a cell has handled.

    ``handled`` is the highest sequence, ``pending`` those below it which it has not handled yet
    (they wait in its mailbox, or are to be handled once more). ``incarnation`` is that of its
    core: the next process goes on counting.
    """

    actor: str
    handled: int
    pending: tuple[int, ...] = ()
    incarnation: int = 0

    def has_handled(self, sequence: int) -> bool:
        """Return whether a message was handled by then."""
        return sequence <= self.handled and sequence not in self.pending


@attrs.frozen(kw_only=True)
class Extent:
    """How far an actor has come: the highest sequence it has handled, and which below it not.

    ``overtaken`` are those that it has handled after higher ones, where an :class:`Overtaken` says.
    """

    handled: int
    not_handled: Collection[int] = ()
    overtaken: Collection[int] = ()


@attrs.frozen(kw_only=True)
class Snapshot:
    """A core's state when everything up to ``sequence`` had been sent.

    ``handled`` and ``pending`` are those of its :class:`Mark` at that time. ``fingerprint`` names
    the code and configuration that the ``body`` belongs to.
    """

    actor: str
    sequence: int
    handled: int
    pending: tuple[int, ...] = ()
    time_ns: int
    fingerprint: str
    body: bytes = attrs.field(repr=False)

    def has_handled(self, sequence: int) -> bool:
        """Return whether a message was handled by then."""
        return sequence <= self.handled and sequence not in self.pending


def tail_start(since: Snapshot | Mark) -> int:
    """Return the sequence after which everything lies that came after a snapshot."""
    last = since.sequence if isinstance(since, Snapshot) else since.handled
    return min((last, since.handled, *(each - 1 for each in since.pending)))


MarksOf = Callable[[], Iterable[Mark]]
"""Tells how far the cells of a run have come."""
