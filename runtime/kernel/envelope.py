"""What travels through mailboxes and into the journal."""

from typing import Any

import msgspec


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """A message with its place in the run.

    ``sequence`` is unique in the run and grows with each message sent; ``cause`` is the sequence
    of the message that led to this one, 0 for none.
    """

    sequence: int
    time_ns: int
    sender: str
    cause: int
    message: Any
