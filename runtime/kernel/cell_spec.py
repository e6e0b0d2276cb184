"""What cells are made of: what makes one differ from another, and what all of a run share."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

import attrs

from actors.actor import Archive, Context, Core
from runtime.kernel.clock import Clock
from runtime.kernel.journal import Journal
from runtime.kernel.placement.away import Away
from runtime.kernel.post import Post
from runtime.kernel.snapshots import Snapshotter
from runtime.kernel.watchdog import Handling


class CellState(StrEnum):
    """Whether a cell has a core that takes messages."""

    DOWN = "down"
    RUNNING = "running"
    STOPPED = "stopped"


@attrs.frozen(kw_only=True)
class CellSpec:
    """What makes one cell differ from another.

    Attributes:
        name: Unique in the run.
        rank: At one instant, lower ranks are served first; unique in the run.
        make_core: Builds a fresh core.
        context: Builds what the core is told; gets the incarnation.
        needs_history: Whether a restarted core is wrong without its past (portfolio, orders).
        quarantine_after: How many failures on one message are enough to set it aside.
        waits_for_journal: Live, whether a message must be durable before it is handled.
        snapshotter: Keeps cores as bytes.
        away: Live, calls the core off the event loop; None for a core that runs in it.
    """

    name: str
    rank: int
    make_core: Callable[[Context], Core]
    context: Callable[[int], Context]
    needs_history: bool = False
    quarantine_after: int = 3
    waits_for_journal: bool = False
    snapshotter: Snapshotter = attrs.field(factory=Snapshotter)
    away: Away | None = None


def _tell_nobody(_actor: str, _text: str) -> None:
    """Tell nobody."""


@attrs.frozen(kw_only=True)
class CellServices:
    """What every cell of a run shares."""

    post: Post
    clock: Clock
    journal: Journal | None
    became_idle: Callable[[], None]
    changed: Callable[[Any], None]
    """Told when a cell has got or lost its core: the cell."""
    handling: Handling | None = None
    """Live, what a watchdog reads; None where none watches."""
    archive: Archive | None = None
    """Where actors look up what they have let the journal remember."""
    log: Callable[[str, str], None] = _tell_nobody
    """Told what people may want to know of an actor: its name, and a text."""
