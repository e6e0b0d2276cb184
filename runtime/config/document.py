"""A configuration as it was written: plain data, and where each key of it stands."""

from typing import Any

import attrs

WHOLE = "(document)"
"""What a problem names when it is about the document itself."""


def child_key(key: str, part: str | int) -> str:
    """Return the dotted key of an entry or an item: ``feeds``, ``feeds[0]``, ``feeds[0].name``."""
    if isinstance(part, int):
        return f"{key}[{part}]"
    return f"{key}.{part}" if key else part


def parent_key(key: str) -> str:
    """Return the key one level up, the empty text for a key of the top level."""
    return key[: max(key.rfind("."), key.rfind("["), 0)]


@attrs.frozen(kw_only=True)
class Document:
    """What was read, before anything is known of its meaning.

    Attributes:
        file: The file's name, as the user gave it.
        data: Mappings, lists, texts, whole numbers, decimals, booleans and None.
        origins: For each dotted key, what set it: ``run.yaml:12``, ``--set a=b``.
        notes: What its writer should know, though nothing is wrong.
    """

    file: str
    data: dict[str, Any] = attrs.field(factory=dict)
    origins: dict[str, str] = attrs.field(factory=dict)
    notes: list[str] = attrs.field(factory=list)

    def origin(self, key: str) -> str:
        """Return what set a key, or the nearest key that encloses it."""
        while key:
            found = self.origins.get(key)
            if found is not None:
                return found
            key = parent_key(key)
        return self.file
