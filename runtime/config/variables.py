"""``${NAME}`` and ``${NAME:-default}`` in a text: taken from the environment.

A brace means something else inside ``{...}`` and ``[...]`` of YAML, so variables are set aside
before the text is parsed, and put back into the scalars they stand in afterwards: what they hold
is never parsed as YAML structure.
"""

import re
from collections.abc import Mapping

_VARIABLE = re.compile(r"\$(\$?)\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_OPEN, _CLOSE = "\ue000", "\ue001"
_PLACE = re.compile(f"{_OPEN}([0-9]+){_CLOSE}")


class UnsetVariable(Exception):
    """A variable that the environment does not have; carries its name."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(name)


class Variables:
    """The variables of one text."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._found: list[tuple[bool, str, str | None]] = []

    def set_aside(self, text: str) -> str:
        """Return the text with each variable replaced by a mark that YAML takes for a letter."""
        return _VARIABLE.sub(self._mark, text.replace(_OPEN, "").replace(_CLOSE, ""))

    def put_back(self, text: str) -> str:
        """Return a scalar with the variables' values; ``$${NAME}`` gives ``${NAME}``.

        Raises:
            UnsetVariable: If a variable is not set and has no default.
        """
        return _PLACE.sub(self._value, text)

    def _mark(self, match: re.Match[str]) -> str:
        is_escaped, name, default = match.groups()
        self._found.append((bool(is_escaped), name, default))
        return f"{_OPEN}{len(self._found) - 1}{_CLOSE}"

    def _value(self, match: re.Match[str]) -> str:
        is_escaped, name, default = self._found[int(match.group(1))]
        if is_escaped:
            return f"${{{name}}}" if default is None else f"${{{name}:-{default}}}"
        value = self._environment.get(name, default)
        if value is None:
            raise UnsetVariable(name)
        return value
