"""One run: starts the plant, paces it to the end of its data, stops it in order.

A strategy that has spent its restart budget is left out and its orders are cancelled; the rest
trades on. When a core (portfolio, order manager, broker) has spent its own, nothing new leaves any
more, what is open is cancelled, and the run ends as failed.
"""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import trio

from actors.messages.account import CloseOut, MarkEquity
from actors.messages.alerts import Alert, Logged
from actors.messages.system import (
    ActorFailed,
    ActorGaveUp,
    ActorRestarted,
    CancelAll,
    CancelAllAtVenue,
    CancelStrategy,
    Halt,
    MessageQuarantined,
)
from runtime.kernel.cell import Cell
from runtime.kernel.determinism import seeded_scheduler, steady_collector
from runtime.kernel.supervisor import SupervisorReport
from runtime.observe.result import ActorRow, ExitCode
from runtime.system.rebuilding import rebuilt, tell_unheard_reports
from runtime.wiring.plant import CORES, GUARD, Blueprint, Plant, build_simulated
from runtime.wiring.routes import Role
from runtime.wiring.tree import actor_rows

SYSTEM = "system"
_ALERTS_KEPT = 1000

SupervisionEvent = ActorFailed | ActorRestarted | ActorGaveUp | MessageQuarantined


@attrs.define
class Observed:
    """What a run has told people, with the time it was told."""

    supervision: list[tuple[int, SupervisionEvent]] = attrs.field(factory=list)
    alerts: list[Alert] = attrs.field(factory=list)
    alerts_not_kept: int = 0
    on_line: Callable[[Logged], None] | None = None
    on_supervision: Callable[[int, SupervisionEvent], None] | None = None

    def see(self, message: Any, now_ns: int) -> None:
        """Take notice of a message that no actor receives."""
        if isinstance(message, Alert):
            self._see_alert(message)
        elif isinstance(message, Logged):
            if self.on_line is not None:
                self.on_line(message)
        elif isinstance(message, SupervisionEvent):
            self.supervision.append((now_ns, message))
            if self.on_supervision is not None:
                self.on_supervision(now_ns, message)

    def _see_alert(self, alert: Alert) -> None:
        if len(self.alerts) < _ALERTS_KEPT:
            self.alerts.append(alert)
        else:
            self.alerts_not_kept += 1


class System:
    """One simulated run of a blueprint.

    After :meth:`run`, ``plant`` is still there to be read: its cells hold their last cores.
    """

    def __init__(
        self, blueprint: Blueprint, *, journal_path: Path | None = None, close_out: bool = True
    ) -> None:
        self.observed = Observed()
        self.failure: str | None = None
        self.exit_code = ExitCode.GOOD
        self.started_ns = 0
        self.finished_ns = 0
        self.cores: dict[str, Any] = {}
        self.tree: tuple[ActorRow, ...] = ()
        self._blueprint = blueprint
        self._journal_path = journal_path
        self._close_out = close_out
        self._plant: Plant | None = None
        self._companions: list[Callable[[], Any]] = []
        self._preparations: list[Callable[[Plant], None]] = []

    @property
    def plant(self) -> Plant:
        """Return the actors; AssertionError before the run has begun."""
        assert self._plant is not None, "the run has not begun"
        return self._plant

    @property
    def has_begun(self) -> bool:
        """Return whether there is a plant yet."""
        return self._plant is not None

    def accompany(self, task: Callable[[], Any]) -> None:
        """Run an async function beside the run; it is cancelled at the end (a progress display)."""
        self._companions.append(task)

    def prepare(self, prepare: Callable[[Plant], None]) -> None:
        """Have the plant shown to a function before anything happens in it."""
        self._preparations.append(prepare)

    def run(self) -> None:
        """Run to the end of the data, to an interrupt, or to a failure."""
        with seeded_scheduler(self._blueprint.seed), steady_collector():
            trio.run(self.main)

    async def main(self) -> None:
        """Do what :meth:`run` does, inside of an event loop that runs already."""
        plant = self._plant = build_simulated(self._blueprint, self._journal_path, self._report)
        plant.post.observe = self.observed.see
        for prepare in self._preparations:
            prepare(plant)
        try:
            async with trio.open_nursery() as companions:
                companions.start_soon(self._watch_signals)
                for task in self._companions:
                    companions.start_soon(task)
                await self._run_tree(plant)
                companions.cancel_scope.cancel()
        finally:
            if plant.journal is not None:
                plant.journal.close()

    async def _run_tree(self, plant: Plant) -> None:
        async with trio.open_nursery() as nursery:
            assert plant.sequencer is not None
            await plant.sequencer.bring_up(nursery, plant.root)
            self.started_ns = plant.clock.now_ns()
            await self._pace(plant)
            self.finished_ns = plant.clock.now_ns()
            self._keep_cores(plant)
            self.tree = actor_rows(plant)
            plant.root.request_stop()

    async def _pace(self, plant: Plant) -> None:
        """Pass the market, then wind down: last words, cancels, closing orders, last mark."""
        sequencer = plant.sequencer
        assert sequencer is not None
        await sequencer.run()
        await sequencer.stop_listeners()
        self._send(CancelAll("the run ends"))
        await sequencer.finish_in_flight()
        self._hear_the_venue_out(plant)
        if self._close_out and self.failure is None:
            self._send(CloseOut())
            await sequencer.finish_in_flight()
        self._send(MarkEquity(is_last=True))
        await sequencer.finish_in_flight()

    def _send(self, message: Any) -> None:
        plant = self.plant
        plant.post.deliver(SYSTEM, 0, message, plant.clock.now_ns())

    def _keep_cores(self, plant: Plant) -> None:
        """Keep the cores for the result; one that is down is rebuilt from the journal."""
        for name, cell in plant.cells.items():
            if name not in self.cores:
                self.cores[name] = cell.core or self._rebuilt(cell, plant)

    def _hear_the_venue_out(self, plant: Plant) -> None:
        """Have the venue's reports booked that came after the order manager had given up."""
        cell = plant.cells[Role.ORDERS]
        if cell.core is not None or plant.journal is None:
            return
        orders = self.cores[cell.name] = self._rebuilt(cell, plant)
        failed = tell_unheard_reports(orders, cell, plant.journal, plant.post)
        if failed:
            self._fail(f"{failed} reports of the venue could not be booked")

    def _rebuilt(self, cell: Cell, plant: Plant) -> Any:
        """Return a core for an actor that is down; one that knows nothing if it must be."""
        try:
            return rebuilt(cell, plant.journal)
        except Exception as error:  # noqa: BLE001 - whatever it is, a result is due
            if cell.name in CORES:
                self._fail(f"{cell.name} cannot be rebuilt: {error!r}")
            return rebuilt(cell, None)

    # --- supervision -----------------------------------------------------------------------------

    def _report(self, event: SupervisorReport) -> None:
        """Record what a supervisor says; act on an actor that stays down."""
        if event.actor.endswith(GUARD):
            return
        self._send(event)
        if isinstance(event, ActorGaveUp):
            self._gave_up(event)

    def _gave_up(self, event: ActorGaveUp) -> None:
        plant = self.plant
        cell = plant.cells.get(event.actor)
        if cell is None:
            self._fail(f"feed {event.actor} gave up: {event.reason}")
            return
        cell.mailbox.close()
        if event.actor not in CORES:
            self._send(CancelStrategy(event.actor, event.reason))
            return
        cause = f"{event.actor} gave up: {event.reason}"
        self._fail(cause)
        self._send(Halt(cause))
        if event.actor == Role.ORDERS:
            self._send(CancelAllAtVenue(cause))
        if plant.sequencer is not None:
            plant.sequencer.request_stop()

    def _fail(self, cause: str) -> None:
        self.failure = f"{self.failure}; {cause}" if self.failure else cause
        self.exit_code = ExitCode.FAILED

    # --- signals ---------------------------------------------------------------------------------

    async def _watch_signals(self) -> None:
        """Stop in order at the first SIGINT or SIGTERM, at once at the second."""
        with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async for _ in signals:
                if self.exit_code is ExitCode.INTERRUPTED:
                    raise KeyboardInterrupt
                self.exit_code = ExitCode.INTERRUPTED
                self.interrupt()

    def interrupt(self) -> None:
        """Pass no more rows; wind down."""
        if self._plant is not None and self._plant.sequencer is not None:
            self._plant.sequencer.request_stop()
