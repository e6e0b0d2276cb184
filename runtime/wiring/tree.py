"""The tree of actors as it is now: states, restarts, mailboxes."""

from collections.abc import Iterator, Sequence

from runtime.kernel.cell import Cell
from runtime.kernel.supervisor import ChildState
from runtime.observe.result import ActorRow
from runtime.wiring.plant import Plant
from runtime.wiring.supervision import GUARD

ROOT = "bulkhead"


def actor_rows(plant: Plant) -> tuple[ActorRow, ...]:
    """Return every actor, parents before children, in the order in which they were started."""
    return tuple(_rows(ROOT, plant.root.children_states(), plant))


def _rows(parent: str, states: Sequence[ChildState], plant: Plant) -> Iterator[ActorRow]:
    for state in states:
        if state.name.endswith(GUARD):
            yield from _rows(parent, state.children, plant)
            continue
        yield _row(f"{parent}.{state.name}", state, plant)
        yield from _rows(f"{parent}.{state.name}", state.children, plant)


def _row(name: str, state: ChildState, plant: Plant) -> ActorRow:
    failure = state.last_failure
    words = "" if failure is None else f"{failure.kind}: {failure.text}"
    cell = plant.cells.get(state.name)
    if cell is None:
        return ActorRow(name=name, state=state.state, restarts=state.restarts, failure=words)
    counts = cell.mailbox.counts
    return ActorRow(
        name=name,
        state=state.state,
        restarts=state.restarts,
        depth=counts.queued + counts.waiting,
        handled=counts.taken,
        dropped=counts.conflated + counts.dead + len(cell.quarantined),
        oldest_age_ns=_age_ns(cell, plant),
        failure=words,
    )


def _age_ns(cell: Cell, plant: Plant) -> int | None:
    oldest_ns = cell.mailbox.oldest_ns()
    return None if oldest_ns is None else plant.clock.now_ns() - oldest_ns
