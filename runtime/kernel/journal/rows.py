"""The rows of a journal: as they are stored, as they are read back, and what an actor's past is."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import Any
from zlib import crc32

import msgspec

from actors.messages.system import Overtaken
from runtime.kernel.codec import Codec
from runtime.kernel.journal.marks import Extent, Mark, Snapshot

Row = tuple[int, int, str, str, int, int | None, str, bytes]
"""Sequence, time_ns, sender, receivers, cause, due_ns, type, body."""

NO_DIGEST = b""
_DIGEST_SIZE = 16
_encode = msgspec.msgpack.Encoder().encode


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the journal, read back."""

    sequence: int
    time_ns: int
    sender: str
    receivers: tuple[str, ...]
    cause: int
    due_ns: int | None
    type: str
    message: Any
    is_delivery: bool = False
    """Whether it delivers what was sent for later, by the row that is its cause."""

    @property
    def receiver(self) -> str:
        """Return the receivers as text."""
        return ",".join(self.receivers)


def entry_of(codec: Codec, row: Row, is_delivery: bool = False) -> Entry:
    """Return a row read back.

    Raises:
        JournalError: If its type is not known or its body does not fit.
    """
    sequence, time_ns, sender, receivers, cause, due_ns, kind, body = row
    return Entry(
        sequence=sequence,
        time_ns=time_ns,
        sender=sender,
        receivers=tuple(receivers.split(",")),
        cause=cause,
        due_ns=due_ns,
        type=kind,
        message=codec.decode(kind, body),
        is_delivery=is_delivery,
    )


def is_of(row: Row, actor: str) -> bool:
    """Return whether an actor has sent or received a row."""
    return row[2] == actor or actor in row[3].split(",")


def checksum(fields: Sequence[Any]) -> int:
    """Return the CRC-32 of all fields of a row."""
    return crc32(_encode(fields))


def checksums(rows: Iterable[Sequence[Any]]) -> "array[int]":
    """Return the CRC-32 of each row."""
    return array("I", map(crc32, map(_encode, rows)))


def chained(previous: bytes, last_sequence: int, sums: "array[int]") -> bytes:
    """Return the digest of a commit: over the one before it, its last row and its checksums."""
    content = previous + _encode((last_sequence, len(sums))) + sums.tobytes()
    return blake2b(content, digest_size=_DIGEST_SIZE).digest()


def history(
    entries: Iterable[Entry],
    actor: str,
    extent: Extent,
    since: Snapshot | Mark | None = None,
) -> Iterator[tuple[str, Any]]:
    """Yield what an actor has received and handled, and sent, in order.

    A message that was sent for later counts once, when it was sent. ``("at", time_ns)`` comes
    before what was sent at another time than what was before it.

    Args:
        entries: Of the journal, in order; with ``since``, those after :func:`tail_start`.
        actor: Whose past it is.
        extent: How much of it the actor has handled.
        since: What the actor's state tells already: only what came after it is yielded.
    """
    held_back: dict[int, Any] = {}
    scheduled: set[int] = set()
    at_ns = None
    sent_before = since.sequence if isinstance(since, Snapshot) else 0
    for entry in entries:
        sequence = entry.sequence
        if entry.due_ns is not None:
            scheduled.add(sequence)
        is_delivery = entry.is_delivery or entry.cause in scheduled
        scheduled.discard(entry.cause)
        is_sent = entry.sender == actor and not is_delivery and sequence > sent_before
        is_received = (
            actor in entry.receivers
            and entry.due_ns is None
            and sequence <= extent.handled
            and sequence not in extent.not_handled
            and (since is None or not since.has_handled(sequence))
        )
        message = entry.message
        if is_received and sequence in extent.overtaken:
            held_back[sequence] = message
            is_received = False
        elif is_sent and isinstance(message, Overtaken):
            message = held_back.pop(message.message_sequence, None)
            is_sent, is_received = False, message is not None
        if (is_sent or is_received) and entry.time_ns != at_ns:
            at_ns = entry.time_ns
            yield "at", at_ns
        if is_sent:
            yield "sent", message
        if is_received:
            yield "received", message
