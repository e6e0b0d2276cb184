"""The cells of a run: one for each core and strategy, with its mailbox and what it is told."""

from collections.abc import Callable, Mapping
from typing import TypeVar

import attrs

from actors.actor import Archive, Context, Core
from actors.messages.system import CancelAllAtVenue, Halt, Resumed, Trip
from runtime.kernel.cell import Cell
from runtime.kernel.cell_spec import CellServices, CellSpec
from runtime.kernel.determinism import seeded_random
from runtime.kernel.live_cell import LiveCell
from runtime.kernel.mailbox import CRASH, Mailbox, Rule
from runtime.kernel.snapshots import Snapshotter
from runtime.wiring.blueprint import CORES, Blueprint
from runtime.wiring.routes import RULES, SHOWN, Role, compile_routes

SomeCell = TypeVar("SomeCell", bound=Cell)

_RESERVE = 1024
_SAFETY_RESERVE = 65_536
"""How many reports wait for an actor that is down before who sends them crashes.

The kill switch hears of nearly everything: that it is being restarted must not hurt the others.
"""

FIRST: frozenset[type] = frozenset({Halt, Trip, Resumed, CancelAllAtVenue})
"""Live, what overtakes everything that waits in a mailbox."""

LIVE_RULES: Mapping[type, Rule] = {
    **RULES,
    **{kind: attrs.evolve(RULES.get(kind, CRASH), overtakes=True) for kind in FIRST},
}


def make_cells(
    kind: type[SomeCell], blueprint: Blueprint, services: CellServices
) -> dict[str, SomeCell]:
    """Return the cells of a blueprint by name, in order of rank, and route messages to them.

    Args:
        kind: What cells they are: live or simulated.
        blueprint: Whose cores and strategies.
        services: What they share.
    """
    is_live = issubclass(kind, LiveCell)
    makers: dict[str, Callable[[Context], Core]] = {
        role: blueprint.cores[role] for role in CORES if role in blueprint.cores
    }
    makers |= blueprint.strategies
    snapshotter = Snapshotter({"instruments": blueprint.instruments})
    archive = services.archive
    cells: dict[str, SomeCell] = {}
    for rank, (name, make_core) in enumerate(makers.items()):
        is_core = name in CORES
        spec = CellSpec(
            name=str(name),
            rank=rank,
            make_core=make_core,
            context=_contexts(blueprint, str(name), archive),
            needs_history=is_core,
            quarantine_after=blueprint.supervision[name].quarantine_after,
            away=blueprint.away.get(name) if is_live else None,
            waits_for_journal=is_core and name != Role.SAFETY,
            snapshotter=snapshotter,
        )
        mailbox = _mailbox(str(name), is_live=is_live)
        cells[str(name)] = kind(spec, mailbox, services)
    services.post.routes = compile_routes(cells, blueprint.wants)
    if Role.SAFETY in cells:
        services.post.shown = SHOWN
    return cells


def _mailbox(name: str, *, is_live: bool) -> Mailbox:
    reserve = _SAFETY_RESERVE if name == Role.SAFETY else _RESERVE
    if is_live:
        return Mailbox(name, reserve=reserve, rules=LIVE_RULES)
    return Mailbox(name, reserve=reserve, rules=RULES, is_awaited=False)


def _contexts(blueprint: Blueprint, name: str, archive: Archive | None) -> Callable[[int], Context]:
    def context(incarnation: int) -> Context:
        return Context(
            run_id=blueprint.run_id,
            actor=name,
            incarnation=incarnation,
            random=seeded_random(blueprint.seed, name, incarnation),
            archive=archive,
        )

    return context
