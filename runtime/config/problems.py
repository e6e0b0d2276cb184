"""Collects everything that is wrong in a configuration, in words for its writer."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, TypeVar

from actors.errors import ConfigError, Problem
from runtime.config.document import WHOLE, Document
from runtime.observe.masking import MASK, is_secret

T = TypeVar("T")

NOTHING = "nothing"
UNKNOWN = "an unknown one"
_LONGEST_FOUND = 60


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the name that is most like ``name``, or None if none is."""
    by_lower = {each.lower(): each for each in sorted(names)}
    close = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.55)
    return by_lower[close[0]] if close else None


def shown(value: Any) -> str:
    """Return a value as a problem shows it."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    text = str(value)
    return repr(text if len(text) <= _LONGEST_FOUND else f"{text[:_LONGEST_FOUND]}...")


class Problems:
    """The problems of one document, at most one for each key: what follows from it is not told."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.found: list[Problem] = []

    def add(self, key: str, *, expected: str, found: str, nearest: str | None = None) -> None:
        """Note a problem; ``found`` is in words already (see :func:`shown`)."""
        if any(problem.key == key for problem in self.found):
            return
        problem = Problem(
            file=self.document.origin(key),
            key=key or WHOLE,
            expected=expected,
            found=MASK if is_secret(key) and found not in (NOTHING, UNKNOWN) else found,
            nearest=nearest,
        )
        self.found.append(problem)

    def choose(self, choices: Mapping[str, T], name: str, key: str) -> T | None:
        """Return the choice of that name; note a problem and return None if there is none."""
        if name in choices:
            return choices[name]
        expected = f"one of {', '.join(sorted(choices))}"
        self.add(key, expected=expected, found=shown(name), nearest=nearest(name, choices))
        return None

    def raise_if_any(self) -> None:
        """Raise a ConfigError with every problem noted so far, if there is one."""
        if self.found:
            raise ConfigError(self.found)
