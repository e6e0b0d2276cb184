"""The tree of supervisors of a run: who is guarded by whom, and started in which order."""

from collections.abc import Callable, Mapping, Sequence
from random import Random  # noqa: TID251 - the type only; generators come from the run's seed

import attrs

from runtime.config.model import SupervisionConfig
from runtime.kernel.cell import Cell
from runtime.kernel.clock import Clock
from runtime.kernel.determinism import seeded_random
from runtime.kernel.incarnation import Child
from runtime.kernel.restarts import Backoff, ChildPolicy, Restart, SupervisorPolicy
from runtime.kernel.supervisor import (
    ChildSpec,
    Supervisor,
    SupervisorReport,
    SupervisorServices,
)
from runtime.wiring.blueprint import CORES, Blueprint

GUARD = "-guard"
"""Ends the name of the supervisor that guards one actor, so that its failures stay its own."""

Report = Callable[[SupervisorReport], None]


def supervision(blueprint: Blueprint, clock: Clock, report: Report) -> SupervisorServices:
    """Return what the supervisors of a run share."""
    random: Random = seeded_random(blueprint.seed, "supervision")
    return SupervisorServices(clock=clock, random=random, report=report)


def supervision_tree(
    blueprint: Blueprint,
    feeds: Sequence[Child],
    cells: Mapping[str, Cell],
    services: SupervisorServices,
    helpers: Sequence[Child],
) -> Supervisor:
    """Return the root: helpers, feeds, cores, strategies, started in this order.

    Each actor has a guard of its own. A guard whose budget is spent stays down, alone; the system
    is told and decides: a strategy's orders are cancelled, a core's end stops the run.
    """

    def guard(child: Child, restart: Restart) -> ChildSpec:
        return _guard(child, restart, blueprint.supervision[child.name], services)

    cores = [guard(cells[role], Restart.PERMANENT) for role in CORES if role in cells]
    strategies = [guard(cells[name], Restart.PERMANENT) for name in blueprint.strategies]
    groups = {
        "feeds": [guard(feed, Restart.TRANSIENT) for feed in feeds],
        "cores": cores,
        "strategies": strategies,
    }
    children = [ChildSpec(child=child, policy=ChildPolicy(name=child.name)) for child in helpers]
    for name, members in groups.items():
        group = Supervisor(name, SupervisorPolicy(), members, services)
        children.append(ChildSpec(child=group, policy=ChildPolicy(name=name)))
    return Supervisor("root", SupervisorPolicy(intensity=0), children, services)


def links(
    blueprint: Blueprint, shells: Mapping[str, Child], services: SupervisorServices
) -> list[Child]:
    """Return the supervisor of what talks to the world outside; none where nothing does."""
    if not shells:
        return []
    config = SupervisionConfig()
    members = [
        _guard(shell, Restart.PERMANENT, blueprint.supervision.get(name, config), services)
        for name, shell in shells.items()
    ]
    return [Supervisor("links", SupervisorPolicy(), members, services)]


def _guard(
    child: Child, restart: Restart, config: SupervisionConfig, services: SupervisorServices
) -> ChildSpec:
    backoff = Backoff(**attrs.asdict(config.backoff))
    policy = ChildPolicy(name=child.name, restart=restart, backoff=backoff)
    budget = SupervisorPolicy(intensity=config.intensity, period_ns=config.period_ns)
    name = child.name + GUARD
    guard = Supervisor(name, budget, [ChildSpec(child=child, policy=policy)], services)
    return ChildSpec(child=guard, policy=ChildPolicy(name=name, restart=Restart.TEMPORARY))
