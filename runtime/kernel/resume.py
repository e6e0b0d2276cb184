"""Going on where another process has ended: from its journal, and nothing else.

Every cell gets back how far it had come, its latest snapshot, and in its mailbox what was sent to
it and is not handled. Timers that somebody waits for are set again; those in the background are
lost with their process. Then :class:`Resumed` is sent, and overtakes everything that waits.

What was never recorded is not known again: prices, but for those in a snapshot, are what the feeds
show next. Instruments are known that the configuration names, that a feed defines when it is built,
or that a snapshot holds; one that a feed finds as it reads is unknown while a whole history is
replayed, and a position in it is kept without its terms (multiplier, margin).
"""

from collections.abc import Mapping
from itertools import chain

import attrs

from actors.errors import JournalError
from actors.messages.system import Overtaken, Resumed
from runtime.kernel.cell import Cell
from runtime.kernel.codec import Codec
from runtime.kernel.envelope import Envelope
from runtime.kernel.journal import Entry, LiveJournal, Mark, read_journal, tail_start
from runtime.kernel.post import Post

_RESUMER = "system"
_OVERTAKEN = Overtaken.__name__


@attrs.frozen(kw_only=True)
class Resumption:
    """What was taken over from another process.

    Attributes:
        last_ns: When it recorded its last message.
        waiting: How many messages wait in the mailboxes.
        timers: How many are to be delivered later.
        from_snapshot: The actors that begin with a snapshot.
    """

    last_ns: int
    waiting: int
    timers: int
    from_snapshot: tuple[str, ...]


def resume(
    journal: LiveJournal, codec: Codec, post: Post, cells: Mapping[str, Cell], now_ns: int
) -> Resumption:
    """Let cells go on where those of another process were, before any of them has begun.

    Cells of which the journal knows nothing begin as at the first start. The journal may be one in
    which nothing was recorded.

    Raises:
        JournalError: If the journal cannot be read, or is not as it was written.
    """
    marks = journal.stored_marks()
    _check_marks(journal, marks, cells)
    known = {name: cells[name] for name in marks if name in cells}
    reached = (max((mark.handled, *mark.pending)) for mark in marks.values())
    post.sequence = max(chain((journal.last_sequence,), reached))
    for name, cell in known.items():
        cell.resume(marks[name], journal.snapshot(name), journal.quarantined(name))
    journal.check_after(min(map(_begins_after, known.values()), default=journal.last_sequence))
    _note_overtaken(journal, codec, known)
    waiting = sum(_refill(journal, cell, marks[name]) for name, cell in known.items())
    late = journal.undelivered()
    for entry in late:
        assert entry.due_ns is not None, "only what was sent for later may be undelivered"
        post.set_again(entry.sender, entry.sequence, entry.message, entry.due_ns)
    last_ns = journal.last_time_ns
    if journal.last_sequence:
        post.deliver(_RESUMER, 0, Resumed(last_ns=last_ns), now_ns)
    begun = tuple(name for name, cell in known.items() if cell.memory.latest is not None)
    return Resumption(last_ns=last_ns, waiting=waiting, timers=len(late), from_snapshot=begun)


def _check_marks(
    journal: LiveJournal, marks: Mapping[str, Mark], cells: Mapping[str, Cell]
) -> None:
    """Check that no mark is lost: whose it was would begin as new, with nothing in its books."""
    if journal.is_migrated:
        return
    if journal.last_sequence and not marks:
        raise JournalError(f"{journal.path}: has messages, but no marks of who has handled them")
    for name in cells:
        if name not in marks and (journal.snapshot(name) or journal.has_sent(name)):
            raise JournalError(f"{journal.path}: knows what {name} has done, but has no mark of it")


def _begins_after(cell: Cell) -> int:
    """Return after which sequence a cell's first core is told its past."""
    if not cell.spec.needs_history:
        return cell.handled_sequence
    latest = cell.memory.latest
    return 0 if latest is None else tail_start(latest)


def _note_overtaken(journal: LiveJournal, codec: Codec, cells: Mapping[str, Cell]) -> None:
    """Tell cells which messages they have handled after later ones, since their snapshots."""
    since = {name: cell.memory.latest for name, cell in cells.items() if cell.spec.needs_history}
    if not since:
        return
    after = min(0 if snapshot is None else snapshot.sequence for snapshot in since.values())
    for entry in read_journal(journal.path, codec, types=[_OVERTAKEN], after=after):
        said: Overtaken = entry.message
        snapshot = since.get(said.actor)
        if said.actor in since and (snapshot is None or entry.sequence > snapshot.sequence):
            cells[said.actor].memory.overtaken.add(said.message_sequence)


def _refill(journal: LiveJournal, cell: Cell, mark: Mark) -> int:
    """Put into a mailbox what was sent to its actor and not handled; return how many."""
    start = min((mark.handled, *(each - 1 for each in mark.pending)))
    aside = set(cell.quarantined)
    found = [
        Envelope(entry.sequence, entry.time_ns, entry.sender, entry.cause, entry.message)
        for entry in journal.entries(cell.name, after=start)
        if _is_for(cell.name, entry)
        and not mark.has_handled(entry.sequence)
        and entry.sequence not in aside
    ]
    cell.mailbox.refill(found)
    return len(found)


def _is_for(actor: str, entry: Entry) -> bool:
    return entry.due_ns is None and actor in entry.receivers
