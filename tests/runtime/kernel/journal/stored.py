"""Journals to try, and what is in them."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import trio

from actors.messages.system import Archived, FailureReport, MessageQuarantined
from runtime.kernel.codec import Codec
from runtime.kernel.envelope import Envelope
from runtime.kernel.journal import Entry, InlineJournal, LiveJournal, Snapshot, read_journal
from tests.runtime.kernel.fakes import Ask, codec

AnyJournal = InlineJournal | LiveJournal
META = {"run_id": "run"}
NAME = "journal.sqlite"


def any_codec() -> Codec:
    """Return a codec that also knows what the journal itself takes notice of."""
    return codec(Archived)


def journal(folder: Path, kind: type[Any] = InlineJournal, name: str = "journal") -> Any:
    """Return a journal in a new file, or go on with the file."""
    return kind(folder / f"{name}.sqlite", any_codec(), META)


def numbered(sequence: int, *, sender: str = "a", cause: int = 0) -> Envelope:
    """Return an envelope around its own number."""
    return Envelope(sequence, 10 * sequence, sender, cause, Ask("b", sequence))


def fill(into: AnyJournal, rows: int, first: int = 1) -> None:
    """Append some numbered envelopes."""
    for sequence in range(first, first + rows):
        into.append(numbered(sequence), "b")


def send_later(into: AnyJournal, sequence: int, due_ns: int = 70) -> None:
    """Append an envelope that is to be delivered later."""
    into.append(numbered(sequence), "b", due_ns)


def deliver(into: AnyJournal, sequence: int, scheduled: int) -> None:
    """Append the delivery of an earlier envelope."""
    into.append(Envelope(sequence, 10 * sequence, "a", scheduled, Ask("b", scheduled)), "b")


def archive(into: AnyJournal, sequence: int, key: str, state: str, kind: str = "order") -> None:
    """Append something to be remembered."""
    message = Archived(kind=kind, key=key, state=state)
    into.append(Envelope(sequence, 10 * sequence, "a", 0, message), "")


def set_aside(into: AnyJournal, sequence: int, actor: str, message_sequence: int) -> None:
    """Append the report that a message was set aside."""
    message = MessageQuarantined(
        actor=actor,
        message_sequence=message_sequence,
        message_type="Ask",
        attempts=3,
        failure=FailureReport(kind="ValueError", text="", where=""),
    )
    into.append(Envelope(sequence, 10 * sequence, actor, message_sequence, message), "")


def snapshot(
    actor: str, sequence: int, pending: tuple[int, ...] = (), body: bytes = b"state"
) -> Snapshot:
    """Return a snapshot of a core that has handled everything but what is pending."""
    return Snapshot(
        actor=actor,
        sequence=sequence,
        handled=sequence,
        pending=pending,
        time_ns=10 * sequence,
        fingerprint="version",
        body=body,
    )


def numbers(of: AnyJournal) -> list[int]:
    """Return the numbers of what a journal holds."""
    return [entry.message.number for entry in of.entries()]


def read(path: Path) -> list[Entry]:
    """Return what a file holds."""
    return list(read_journal(path, any_codec()))


def sequences(path: Path) -> list[int]:
    """Return the sequences that a file and those beside it hold."""
    return [entry.sequence for entry in read(path)]


def file_names(folder: Path) -> list[str]:
    """Return the names of the files in a folder."""
    return sorted(path.name for path in folder.iterdir())


def change(path: Path, statement: str, values: tuple[Any, ...] = ()) -> None:
    """Change a journal behind its back."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, values)


async def running(nursery: trio.Nursery, folder: Path, **settings: Any) -> LiveJournal:
    """Return a live journal whose writer runs."""
    written = LiveJournal(folder / NAME, any_codec(), META, **settings)
    await nursery.start(lambda **status: written.run(**status))
    return written


async def write(folder: Path, rows: int, first: int = 1, **settings: Any) -> None:
    """Write a live journal, or go on with one, and close it."""
    async with trio.open_nursery() as nursery:
        written = await running(nursery, folder, **settings)
        fill(written, rows, first)
        await written.durable(first + rows - 1)
        written.request_stop()
    written.close()
