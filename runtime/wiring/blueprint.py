"""The blueprint: the parts of a run, before they are wired."""

from collections.abc import Callable, Mapping

import attrs

from actors.actor import Context, Core, Source
from actors.model.instrument import Instruments
from runtime.config.model import SupervisionConfig
from runtime.kernel.clock import Clock
from runtime.kernel.incarnation import Child
from runtime.kernel.keeper import SNAPSHOT_EVERY
from runtime.kernel.placement.away import Away
from runtime.kernel.post import Post
from runtime.wiring.routes import Role
from runtime.wiring.warming import Shift

CORES = (Role.VENUE, Role.SAFETY, Role.BROKER, Role.ORDERS, Role.PORTFOLIO)
"""The cores in order of rank: at one instant the venue comes first, then reports, then the rest.

Not every run has the first two.
"""

MakeShell = Callable[[Post, Clock], Child]


@attrs.frozen(kw_only=True)
class Blueprint:
    """The parts of a run, before they are wired.

    ``away`` says how strategies are called in real time that do not run in the event loop.

    ``cores`` and ``strategies`` build a fresh core each time; ``sources`` a fresh source for an
    incarnation. ``supervision`` has one entry for each actor and feed. ``shells`` are what talks to
    the world outside, in real time only. ``snapshot_every`` is after how many messages the cores
    are kept in a journal of real time. Whoever moves the rows of the feeds says so in ``shift``.
    """

    run_id: str
    seed: int
    instruments: Instruments
    cores: Mapping[Role, Callable[[Context], Core]]
    strategies: Mapping[str, Callable[[Context], Core]]
    wants: Mapping[str, frozenset[type]]
    sources: Mapping[str, Callable[[int], Source]]
    supervision: Mapping[str, SupervisionConfig]
    speed: float = 0.0
    snapshot_every: int = SNAPSHOT_EVERY
    away: Mapping[str, Away] = attrs.field(factory=dict)
    shells: Mapping[str, MakeShell] = attrs.field(factory=dict)
    shift: Shift = attrs.field(factory=Shift)
