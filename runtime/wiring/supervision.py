"""The tree of supervisors of a run: who is guarded by whom, and started in which order."""

from collections.abc import Callable, Mapping, Sequence
from random import Random  # noqa: TID251 - the type only; generators come from the run's seed

import attrs

from runtime.config.model import SupervisionConfig
from runtime.kernel.cell import Cell
from runtime.kernel.clock import NANOSECONDS, Clock
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

_PERMANENT = Restart.PERMANENT


class Supervision:
    """Makes the supervisors of one run.

    Args:
        blueprint: Says how often each actor may fail.
        clock: Back-off and budget go by it.
        report: Is told of each failure, restart and giving up.
        has_start_timeouts: Whether an actor that does not become ready in time has failed; in
            virtual time nothing but messages takes any.
    """

    def __init__(
        self, blueprint: Blueprint, clock: Clock, report: Report, *, has_start_timeouts: bool
    ) -> None:
        random: Random = seeded_random(blueprint.seed, "supervision")
        self._services = SupervisorServices(clock=clock, random=random, report=report)
        self._blueprint = blueprint
        self._has_start_timeouts = has_start_timeouts

    def tree(
        self, feeds: Sequence[Child], cells: Mapping[str, Cell], helpers: Sequence[Child]
    ) -> Supervisor:
        """Return the root: helpers, feeds, cores, strategies, started in this order.

        Each actor has a guard of its own. A guard whose budget is spent stays down, alone; the
        system is told and decides: a strategy's orders are cancelled, a core's end stops the run.
        """
        groups = {
            "feeds": [self._guard(feed, Restart.TRANSIENT) for feed in feeds],
            "cores": [self._guard(cells[role], _PERMANENT) for role in CORES if role in cells],
            "strategies": [
                self._guard(cells[name], _PERMANENT) for name in self._blueprint.strategies
            ],
        }
        children = [
            ChildSpec(child=child, policy=ChildPolicy(name=child.name)) for child in helpers
        ]
        for name, members in groups.items():
            group = Supervisor(name, SupervisorPolicy(), members, self._services)
            children.append(ChildSpec(child=group, policy=ChildPolicy(name=name)))
        return Supervisor("root", SupervisorPolicy(intensity=0), children, self._services)

    def links(self, shells: Mapping[str, Child]) -> list[Child]:
        """Return the supervisor of what talks to the world outside; none where nothing does."""
        if not shells:
            return []
        members = [self._guard(shell, _PERMANENT) for shell in shells.values()]
        return [Supervisor("links", SupervisorPolicy(), members, self._services)]

    def _guard(self, child: Child, restart: Restart) -> ChildSpec:
        config = self._blueprint.supervision.get(child.name) or SupervisionConfig()
        backoff = Backoff(**attrs.asdict(config.backoff))
        policy = ChildPolicy(name=child.name, restart=restart, backoff=backoff)
        start_s = config.start_timeout_ns / NANOSECONDS if self._has_start_timeouts else None
        guarded = ChildSpec(child=child, policy=policy, start_s=start_s)
        budget = SupervisorPolicy(intensity=config.intensity, period_ns=config.period_ns)
        name = child.name + GUARD
        guard = Supervisor(name, budget, [guarded], self._services)
        return ChildSpec(child=guard, policy=ChildPolicy(name=name, restart=Restart.TEMPORARY))
