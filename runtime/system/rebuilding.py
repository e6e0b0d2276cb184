"""Builds a core once more for an actor that stays down, so that the result tells what is true.

Nothing that the venue has done may be missing from the result, even where the actor that should
have heard of it was down by then: the journal has it.
"""

from collections.abc import Iterator
from typing import Any

from actors.actor import Core
from actors.messages.trading import ExecutionReport, Fill, OrderUpdate
from actors.portfolio.books.memory import name_of
from actors.portfolio.portfolio import Portfolio
from runtime.kernel.cell import Cell
from runtime.kernel.journal import Entry, Journal
from runtime.kernel.post import Post


def rebuilt(cell: Cell, journal: Journal | None) -> Core:
    """Return a core that knows what its predecessors knew; without a journal, nothing.

    A portfolio also knows the fills that were sent to it when it was down. Whatever keeps the core
    from recovering is raised: it may be the very reason why the actor is down.
    """
    core = cell.rebuilt(journal)
    if journal is not None and isinstance(core, Portfolio):
        core.recover(_unheard_fills(core, cell.name, journal))
    return core


def _unheard_fills(portfolio: Portfolio, name: str, journal: Journal) -> Iterator[tuple[str, Any]]:
    booked = {name_of(fill) for fill in portfolio.fills}
    for entry in _delivered(journal, name, Fill):
        fill = entry.message
        if name_of(fill) not in booked:
            yield "received", fill


def tell_unheard_reports(orders: Core, cell: Cell, journal: Journal, post: Post) -> int:
    """Let a rebuilt order manager take the venue's reports that nobody took; tell what follows.

    It gets all of them: those that are known already change nothing. No order leaves any more.

    Returns:
        How many it could not take.
    """
    failed = 0
    for entry in list(_delivered(journal, cell.name, ExecutionReport)):
        try:
            outputs = orders.handle(entry.message, entry.time_ns)
        except Exception:  # noqa: BLE001 - counted; the actor is down because of such a thing
            failed += 1
            continue
        for output in outputs:
            if isinstance(output, Fill | OrderUpdate):
                post.deliver(cell.name, entry.sequence, output, entry.time_ns)
    return failed


def _delivered(journal: Journal, receiver: str, kind: type) -> Iterator[Entry]:
    """Yield the messages of a type that were sent to an actor, once each."""
    for entry in journal.entries():
        is_delivery = receiver in entry.receivers and entry.due_ns is None
        if is_delivery and isinstance(entry.message, kind):
            yield entry
