"""The system's own way to halt: it needs no actor of ours to work but the link to the venue.

Each message is delivered by itself: one that cannot be (a full mailbox, a journal that fails, an
observer that raises) does not keep the others. The kill switch, told last, sees the rest through.
"""

from typing import Any, Protocol, runtime_checkable

from loguru import logger

from actors.actor import Core
from actors.messages.system import CancelAllAtVenue, Halt, Trip
from runtime.wiring.plant import Plant
from runtime.wiring.routes import Role

SIGNAL = "signal"
"""Whose wish it is that came as a signal to the process."""


@runtime_checkable
class Emergency(Protocol):
    """What can cancel everything at a venue when nothing else works."""

    def cancel_all_now(self, cause: str) -> None:
        """Cancel what works at the venue; nothing is recorded."""
        ...


def halt(plant: Plant, cause: str, by: str) -> list[str]:
    """Let no new order leave, cancel everything at the venue, and latch it.

    Args:
        plant: The actors.
        cause: Why, in words: it must be acknowledged to resume.
        by: Whose wish it is.

    Returns:
        What could not be delivered, and why; empty if all was.
    """
    failed = []
    for message in (Halt(cause, final=False), CancelAllAtVenue(cause), Trip(cause, by)):
        problem = _deliver(plant, message, by)
        if problem:
            failed.append(problem)
    return failed


def halt_by_signal(plant: Plant) -> None:
    """Halt because the process was sent SIGUSR1; what fails is logged."""
    for problem in halt(plant, "SIGUSR1", SIGNAL):
        logger.error(f"halt: {problem}")


def _deliver(plant: Plant, message: Any, sender: str) -> str:
    """Deliver one message; return what went wrong."""
    try:
        blocked = plant.post.deliver(sender, 0, message, plant.clock.now_ns())
    except Exception as error:  # noqa: BLE001 - it is reported, and the next message must go
        return f"{type(message).__name__} was not delivered: {error!r}"
    return f"{type(message).__name__} waits for room" if blocked else ""


def cancel_past_the_journal(plant: Plant, cause: str) -> None:
    """Cancel everything at the venue though nothing can be recorded any more; cancels only reduce.

    Nothing new leaves from then on, not even what was recorded in time. A venue that is played in
    this process is told as directly as one outside.
    """
    cell = plant.cells.get(Role.VENUE)
    core = None if cell is None else cell.core
    if core is not None:
        _say(core, Halt(cause), plant)
    for shell in plant.shells.values():
        if isinstance(shell, Emergency):
            shell.cancel_all_now(cause)
    if core is not None and not plant.shells:
        _say(core, CancelAllAtVenue(cause), plant)


def _say(core: Core, message: Any, plant: Plant) -> None:
    """Tell a core something by the shortest way; what it answers, nobody can record."""
    try:
        core.handle(message, plant.clock.now_ns())
    except Exception as error:  # noqa: BLE001 - it is reported, and the next message must go
        logger.error(f"the venue was not told {type(message).__name__}: {error!r}")
