"""The shape of a condition."""

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol


class Condition(Protocol):
    """Something that halts trading when it comes to pass.

    What it says is the cause in words, with its limit and the value found; empty for nothing.
    """

    name: ClassVar[str]
    """Who has tripped, among the causes of a halt."""
    hears: ClassVar[tuple[type, ...]]
    """The messages that it must see."""

    @property
    def limit_ns(self) -> int | None:
        """Return how long something may last, if time alone may trip it."""
        ...

    def see(self, message: Any, now_ns: int) -> str:
        """Take notice of a message; return the cause to halt, or empty."""
        ...

    def check(self, now_ns: int) -> str:
        """Return the cause to halt now that time has passed, or empty."""
        ...

    def begin_anew(self, now_ns: int) -> None:
        """Forgive what has been: somebody has acknowledged it."""
        ...


class Untimed:
    """What a condition does that time alone cannot trip."""

    @property
    def limit_ns(self) -> int | None:
        """Return None: only messages trip it."""
        return None

    def check(self, now_ns: int) -> str:
        """Return empty: only messages trip it."""
        return ""


def seconds(nanoseconds: int) -> str:
    """Return a duration in seconds, as text."""
    return f"{nanoseconds / 1e9:g} s"


def by_type(conditions: Sequence[Condition]) -> dict[type, tuple[Condition, ...]]:
    """Return for each message type the conditions that must see it."""
    types = dict.fromkeys(kind for each in conditions for kind in each.hears)
    return {kind: tuple(each for each in conditions if kind in each.hears) for kind in types}
