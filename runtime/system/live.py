"""One run in real time: started, or resumed; stopped in stages, by whoever asks for it.

The first signal (SIGINT, SIGTERM, SIGHUP) stops it in order, the second at once: everything that
works is cancelled at the venue, what can be made durable is, and it is out within a second. SIGUSR1
halts.
"""

import signal
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import trio
from loguru import logger

from actors.errors import JournalError
from actors.messages.account import SetTradingState, TradingState
from actors.messages.system import CancelAllAtVenue
from actors.messages.venue import VenueCall
from actors.safety.kill_switch import KillSwitch
from runtime.config.daemon import CrashConfig, FeedLoss, StopConfig, StopPolicy
from runtime.kernel.clock import NANOSECONDS
from runtime.kernel.envelope import Envelope
from runtime.kernel.failures import report_failure
from runtime.kernel.watchdog import Watchdog
from runtime.observe.result import ExitCode
from runtime.system.base import SYSTEM, Running
from runtime.system.halting import cancel_past_the_journal, halt, halt_by_signal
from runtime.system.live_market import LiveMarket
from runtime.system.notify import ServiceManager
from runtime.system.stages import Stages
from runtime.wiring.blueprint import Blueprint
from runtime.wiring.plant import Plant, build_live
from runtime.wiring.routes import Role
from runtime.wiring.tree import actor_rows

QUICK_S = 0.5
"""How long the quick end waits for what it has asked for: seconds."""


@attrs.frozen(kw_only=True)
class LiveSettings:
    """How a run in real time ends, what it does without a feed, and who is told how it is.

    ``epoch_ns`` is what its clock shows when it begins, instead of the machine's time.
    """

    stop: StopConfig = attrs.field(factory=StopConfig)
    crash: CrashConfig = attrs.field(factory=CrashConfig)
    duration_ns: int | None = None
    blocked_after_ns: int = 0
    feed_loss: FeedLoss = FeedLoss.HALT
    epoch_ns: int | None = None
    manager: ServiceManager = attrs.field(factory=ServiceManager)


@attrs.frozen(kw_only=True)
class _Wish:
    """Somebody wants the run to end."""

    reason: str
    policy: StopPolicy
    exit_code: ExitCode


class LiveSystem(Running):
    """One run of a blueprint in real time.

    Attributes:
        undone: What the stop has left undone, in words.
        is_hurried: Whether somebody wants it to be over now.
    """

    def __init__(
        self,
        blueprint: Blueprint,
        *,
        folder: Path | None = None,
        journal_path: Path | None = None,
        settings: LiveSettings | None = None,
    ) -> None:
        super().__init__()
        self.undone: list[str] = []
        self._settings = settings or LiveSettings()
        self._market = LiveMarket(blueprint.sources, folder)
        self._blueprint = attrs.evolve(blueprint, sources=self._market.sources())
        self._journal_path = journal_path
        self._journal_error: JournalError | None = None
        self._wish: _Wish | None = None
        self._told = trio.Event()
        self._tree_ended = trio.Event()
        self._winding = trio.CancelScope()
        self._stages = trio.CancelScope()
        self.is_hurried = False
        self.watchdog: Watchdog | None = None

    @property
    def rows_passed(self) -> int:
        """Return how many market rows have passed."""
        return self._market.rows_passed

    @property
    def ending(self) -> str | None:
        """Return why it has ended, and what was left undone."""
        words = self.failure or (self._wish.reason if self._wish is not None else None)
        if not self.undone:
            return words
        return f"{words or 'stopped'}; left undone: {'; '.join(self.undone)}"

    def summary_of(self, feed: Any) -> Mapping[str, Any]:
        """Return a feed's counts."""
        return self._market.summary_of(feed.name)

    def run(self) -> None:
        """Run to the end of the data or of the time, to a signal, or to a failure."""
        trio.run(self.main)

    async def main(self) -> None:
        """Do what :meth:`run` does, inside of an event loop that runs already.

        Signals that come while the actors are built and recovered are kept until they are there.
        """
        with trio.open_signal_receiver(*_signals()) as signals:
            await self._main(signals)

    async def _main(self, signals: AsyncIterator[int]) -> None:
        plant = self._plant = build_live(
            self._blueprint,
            self._journal_path,
            self._report,
            epoch_ns=self._settings.epoch_ns,
            journal_failed=self._lose_journal,
        )
        self._take_over(plant)
        self._market.begin(plant.clock.now_ns())
        self._blueprint.shift.by_ns = self._market.shift_ns
        plant.post.observe = self.observed.see
        for prepare in self._preparations:
            prepare(plant)
        try:
            async with trio.open_nursery() as nursery:
                await self._live(plant, nursery, signals)
                nursery.cancel_scope.cancel()
        finally:
            self._close_journal(plant)

    async def _live(self, plant: Plant, nursery: trio.Nursery, signals: AsyncIterator[int]) -> None:
        manager = self._settings.manager
        nursery.start_soon(self._watch_signals, signals)
        await nursery.start(self._run_tree, plant)
        self.started_ns = plant.clock.now_ns()
        for task in (self._watch_market, self._watch_time, *self._companions):
            nursery.start_soon(task)
        nursery.start_soon(manager.keep_alive, self._make_progress)
        self._watch_loop(plant, nursery)
        manager.ready(self._tell_state(plant))
        await self._told.wait()
        assert self._wish is not None
        manager.stopping(self._wish.reason)
        await self._wind_down(plant, self._wish)

    def _tell_state(self, plant: Plant) -> str:
        """Return how it begins; warn if an earlier process was halted, which holds."""
        switch = plant.cells[Role.SAFETY].core if Role.SAFETY in plant.cells else None
        if not isinstance(switch, KillSwitch) or not switch.is_halted:
            return "running"
        causes = "; ".join(each.cause for each in switch.status().causes)
        logger.warning(f"trading is still halted, until somebody resumes: {causes}")
        return f"halted: {causes}"

    def _watch_loop(self, plant: Plant, nursery: trio.Nursery) -> None:
        """Have whoever holds the event loop named, if that is asked for."""
        if self._settings.blocked_after_ns and plant.handling is not None:
            self.watchdog = Watchdog(
                plant.handling,
                plant.clock,
                self._settings.blocked_after_ns,
                logger.error,
                self._send,
            )
            nursery.start_soon(self.watchdog.run)

    def _take_over(self, plant: Plant) -> None:
        """Tell what was taken over; forget calls to the venue that the other process was making.

        They may have left: the broker counts them as lost and asks. To send them now, or to say
        that they have not left, could be wrong.
        """
        taken = plant.resumption
        if taken is None:
            return
        words = f"resumed: {taken.waiting} messages wait, {taken.timers} timers are set"
        logger.bind(console=False, time_ns=plant.clock.now_ns()).info(words)
        link = plant.cells.get(Role.VENUE)
        if link is not None and plant.shells:
            waiting = iter(link.mailbox.take_nowait, None)
            link.mailbox.refill([each for each in waiting if not _is_call(each)])

    # --- ending ----------------------------------------------------------------------------------

    def request_stop(
        self,
        reason: str,
        policy: StopPolicy | None = None,
        exit_code: ExitCode = ExitCode.GOOD,
    ) -> None:
        """Let the run end in order; the first who asks decides how.

        Args:
            reason: Why, for people.
            policy: What becomes of orders and positions; the configuration's if not given.
            exit_code: What the process ends with if nothing goes wrong.
        """
        if self._wish is None:
            chosen = policy or self._settings.stop.policy
            self._wish = _Wish(reason=reason, policy=chosen, exit_code=exit_code)
            self._told.set()

    def hurry(self) -> None:
        """End at once: cancel everything at the venue and wait for little."""
        self.is_hurried = True
        self.request_stop("stopped at once", exit_code=ExitCode.INTERRUPTED)
        self._winding.cancel()

    def interrupt(self) -> None:
        """Take an interrupt: the first stops in order, the second at once."""
        if self._wish is None:
            self.request_stop("interrupted", exit_code=ExitCode.INTERRUPTED)
        else:
            self.hurry()

    async def _wind_down(self, plant: Plant, wish: _Wish) -> None:
        stages = Stages(plant, self._settings.stop, wish.policy, wish.reason)
        with self._winding:
            if self.is_hurried:
                self._winding.cancel()
            await self._in_order(plant, stages)
        if self._winding.cancelled_caught:
            await self._quickly(plant, stages)
        self.undone = stages.undone
        self.finished_ns = plant.clock.now_ns()
        if self.exit_code is ExitCode.GOOD:
            self.exit_code = ExitCode.FAILED if self.undone else wish.exit_code
        self._tell_undone()

    async def _in_order(self, plant: Plant, stages: Stages) -> None:
        if self._journal_error is None and not self._tree_ended.is_set():
            with self._stages:
                await stages.run()
            if stages.journal_error is not None:
                self._lose_journal(stages.journal_error)
            elif self._stages.cancelled_caught:
                stages.undone.append("not all stages were gone through")
        if self._journal_error is not None:
            await trio.sleep(QUICK_S)  # what cancels at the venue needs a moment
        self._look_back(plant)
        plant.root.request_stop()
        with trio.move_on_after(self._settings.stop.links_ns / NANOSECONDS) as scope:
            await self._tree_ended.wait()
        if scope.cancelled_caught:
            stages.undone.append("links: some actors have not ended")

    async def _quickly(self, plant: Plant, stages: Stages) -> None:
        """Cancel at the venue, flush, and have everything else cancelled."""
        with trio.CancelScope(shield=True, deadline=trio.current_time() + QUICK_S):
            self._cancel_at_venue("stopped at once")
            await stages.flush()
        stages.undone.append("stopped at once: not all stages were gone through")
        self._look_back(plant)

    def _look_back(self, plant: Plant) -> None:
        if not self.tree:
            self._keep_cores(plant)
            self.tree = actor_rows(plant)

    def _cancel_at_venue(self, cause: str) -> None:
        """Cancel everything at the venue by all ways there are: cancels only reduce."""
        self._send(CancelAllAtVenue(cause))
        if self._journal_error is not None:
            cancel_past_the_journal(self.plant, cause)

    def _tell_undone(self) -> None:
        for words in self.undone:
            logger.error(f"left undone: {words}")

    def _close_journal(self, plant: Plant) -> None:
        """Close the journal; one that has failed is not asked for more."""
        if plant.journal is None:
            return
        try:
            plant.journal.close()
        except JournalError as error:
            self._lose_journal(error)

    # --- failures --------------------------------------------------------------------------------

    def _halt(self, cause: str, actor: str) -> None:
        if self._settings.crash.policy is not StopPolicy.KEEP:
            super()._halt(cause, actor)

    def _lose_feed(self, feed: str, cause: str) -> None:
        """Do not trade on blindly when a feed stays down."""
        super()._lose_feed(feed, cause)
        rule = self._settings.feed_loss
        log = logger.bind(time_ns=self.plant.clock.now_ns())
        log.error(f"{cause}; feed_loss: {rule}")
        if rule is FeedLoss.HALT:
            for problem in halt(self.plant, cause, SYSTEM):
                log.error(f"halt: {problem}")
        elif rule is FeedLoss.REDUCE:
            self._send(SetTradingState(state=TradingState.REDUCING, cause=cause))
        self._market.end(feed)

    def _end_early(self) -> None:
        self.request_stop(self.failure or "failed", self._settings.crash.policy, ExitCode.FAILED)

    def _send(self, message: Any) -> None:
        """Send for the system; where nothing can be recorded any more, nothing is sent."""
        if self._journal_error is not None:
            return
        try:
            plant = self.plant
            plant.post.deliver(SYSTEM, 0, message, plant.clock.now_ns())
        except JournalError as error:
            self._lose_journal(error)

    def _lose_journal(self, error: JournalError) -> None:
        """Nothing is durable any more: cancel what works at the venue, and end."""
        if self._journal_error is not None:
            return
        self._journal_error = error
        self._fail(f"the journal has failed: {error}")
        logger.error(self.failure)
        if self._settings.crash.policy is not StopPolicy.KEEP:
            self._cancel_at_venue("the journal has failed")
        self._end_early()
        self._stages.cancel()

    async def _run_tree(
        self, plant: Plant, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        try:
            await plant.root.run(task_status=task_status)
        except Exception as error:
            if not self.started_ns:
                raise  # there is nothing to wind down
            if self._journal_error is None:
                failure = report_failure(error)
                self._fail(f"{failure.kind}: {failure.text} ({failure.where})")
            self._end_early()
        finally:
            self._tree_ended.set()

    # --- what goes on beside ---------------------------------------------------------------------

    async def _watch_signals(self, signals: AsyncIterator[int]) -> None:
        async for number in signals:
            if number == signal.SIGUSR1:
                halt_by_signal(self.plant)
            else:
                self.interrupt()

    async def _watch_market(self) -> None:
        await self._market.ended()
        self.request_stop("the market data ended")

    async def _watch_time(self) -> None:
        if self._settings.duration_ns is not None:
            await trio.sleep(self._settings.duration_ns / NANOSECONDS)
            self.request_stop("its time is over")

    async def _make_progress(self) -> None:
        """Return when the journal has taken in all that was sent: the watchdog's question.

        Never, once the journal has failed.
        """
        journal = self.plant.journal
        if journal is None:
            return
        try:
            await journal.durable(self.plant.post.sequence)
        except JournalError as error:
            self._lose_journal(error)
            await trio.sleep_forever()


def _signals() -> list[signal.Signals]:
    """Return the signals that are listened for: a hang-up not, if whoever started us ignores it."""
    wanted = [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        wanted.append(signal.SIGHUP)
    return wanted


def _is_call(envelope: Envelope) -> bool:
    return isinstance(envelope.message, VenueCall)
