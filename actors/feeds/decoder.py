"""What every reader of recorded lines looks like."""

from collections import Counter
from typing import Protocol

from actors.messages.slices import SliceBuilder
from actors.venues.bookkeeper import Bookkeeper


class Decoder(Protocol):
    """Turns the lines of one recorded format into rows; keeps whatever state that needs."""

    bookkeeper: Bookkeeper
    """The books it has built so far; empty for formats without books."""
    counts: Counter[str]
    """How many messages it saw, by kind."""

    def decode(self, line: str, number: int, builder: SliceBuilder) -> None:
        """Add the rows that a line gives (often one, sometimes none or many).

        Args:
            line: The text without its line end.
            number: Its number in the file, from 1; written into the rows.
            builder: Where the rows go.

        Raises:
            DataError: Or ValueError, KeyError, TypeError: if the line is malformed. Nothing of it
                has then been added, and the next line can be read.
        """
        ...
