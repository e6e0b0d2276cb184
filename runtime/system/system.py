"""One run in virtual time: starts the plant, paces it to the end of its data, stops it in order.

A strategy that has spent its restart budget is left out and its orders are cancelled; the rest
trades on. When a core (portfolio, order manager, broker) has spent its own, nothing new leaves any
more, what is open is cancelled, and the run ends as failed.
"""

import signal
from pathlib import Path

import trio

from actors.messages.account import CloseOut, MarkEquity
from actors.messages.reconciliation import Reconcile
from actors.messages.system import CancelAll
from runtime.kernel.determinism import seeded_scheduler, steady_collector
from runtime.observe.result import ExitCode
from runtime.system.base import SYSTEM as SYSTEM
from runtime.system.base import Observed as Observed
from runtime.system.base import Running
from runtime.system.base import SupervisionEvent as SupervisionEvent
from runtime.system.rebuilding import tell_unheard_reports
from runtime.wiring.blueprint import Blueprint
from runtime.wiring.plant import Plant, build_simulated
from runtime.wiring.routes import Role
from runtime.wiring.tree import actor_rows


class System(Running):
    """One simulated run of a blueprint."""

    def __init__(
        self, blueprint: Blueprint, *, journal_path: Path | None = None, close_out: bool = True
    ) -> None:
        super().__init__()
        self._blueprint = blueprint
        self._journal_path = journal_path
        self._close_out = close_out

    @property
    def rows_passed(self) -> int:
        """Return how many market rows have passed."""
        sequencer = self.plant.sequencer
        return 0 if sequencer is None else sequencer.rows_passed

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
        await self._compare_with_venue(plant)
        if self._close_out and self.failure is None:
            self._send(CloseOut())
            await sequencer.finish_in_flight()
            await self._compare_with_venue(plant)
        self._send(MarkEquity(is_last=True))
        await sequencer.finish_in_flight()

    async def _compare_with_venue(self, plant: Plant) -> None:
        """Find what a venue that is somewhere else has done without our hearing of it."""
        assert plant.sequencer is not None
        if Role.VENUE in plant.cells:
            self._send(Reconcile("the run ends"))
            await plant.sequencer.finish_in_flight()

    def _hear_the_venue_out(self, plant: Plant) -> None:
        """Have the venue's reports booked that came after the order manager had given up."""
        cell = plant.cells[Role.ORDERS]
        if cell.core is not None or plant.journal is None:
            return
        orders = self.cores[cell.name] = self._rebuilt(cell, plant)
        failed = tell_unheard_reports(orders, cell, plant.journal, plant.post)
        if failed:
            self._fail(f"{failed} reports of the venue could not be booked")

    def _end_early(self) -> None:
        self.interrupt()

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
