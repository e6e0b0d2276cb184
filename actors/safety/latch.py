"""The latch: why trading is halted, until every cause has been acknowledged."""

from collections.abc import Sequence

import msgspec

from actors.messages.safety import LatchedCause

_SHORTEST_PREFIX = 8
_MOST_CAUSES = 64
"""More come from somebody who says a new one again and again; the halt holds anyway."""


class Latch:
    """Keeps the causes of a halt; is open again when all are acknowledged."""

    def __init__(self) -> None:
        self.causes: tuple[LatchedCause, ...] = ()

    @property
    def is_halted(self) -> bool:
        """Return whether there is any cause."""
        return bool(self.causes)

    @property
    def cause(self) -> str:
        """Return the first cause that nobody has acknowledged; empty if there is none."""
        return next((each.cause for each in self.causes if not each.is_acknowledged), "")

    def holds(self, cause: str) -> bool:
        """Return whether a cause, in these words, is among those that hold."""
        return any(each.cause == cause for each in self.causes)

    def is_tripped_by(self, by: str) -> bool:
        """Return whether somebody's cause is among those that hold."""
        return any(each.by == by for each in self.causes)

    def add(self, cause: str, by: str, now_ns: int) -> bool:
        """Add a cause; one that was acknowledged counts anew. Return whether anything changed."""
        fresh = LatchedCause(cause=cause, by=by, time_ns=now_ns)
        for number, each in enumerate(self.causes):
            if each.cause == cause:
                if each.is_acknowledged:
                    self.causes = (*self.causes[:number], fresh, *self.causes[number + 1 :])
                return each.is_acknowledged
        if len(self.causes) >= _MOST_CAUSES:
            return False
        self.causes = (*self.causes, fresh)
        return True

    def acknowledge(self, words: str) -> str:
        """Acknowledge a cause by its words; return why not, empty if it was.

        The words are those of the cause, or a beginning of at least 8 letters that fits only one.
        """
        matching = _matching(words, [each for each in self.causes if not each.is_acknowledged])
        if not matching:
            return "no cause reads or begins so"
        if len(matching) > 1:
            return f"{len(matching)} causes begin so"
        found = matching[0]
        done = msgspec.structs.replace(found, is_acknowledged=True)
        self.causes = tuple(done if each is found else each for each in self.causes)
        return ""

    def release(self) -> tuple[LatchedCause, ...]:
        """Return and forget all causes if all are acknowledged; otherwise return none."""
        if self.cause:
            return ()
        released, self.causes = self.causes, ()
        return released


def _matching(words: str, causes: Sequence[LatchedCause]) -> list[LatchedCause]:
    words = _spaced(words)
    exact = [each for each in causes if _spaced(each.cause) == words]
    if exact or len(words) < _SHORTEST_PREFIX:
        return exact
    return [each for each in causes if _spaced(each.cause).startswith(words)]


def _spaced(text: str) -> str:
    """Return a text with single spaces: line ends and the like cannot be typed."""
    return " ".join(text.split())
