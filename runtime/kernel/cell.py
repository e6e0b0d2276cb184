"""The cell: the one generic actor loop: take a message, hand it to the core, send the outputs.

A cell outlives its cores. When a core raises, the outputs of that message are discarded with it;
the supervisor runs the cell again, which builds a fresh core, lets it recover from the journal, and
hands it the same message once more. A message that fails again and again is quarantined.
"""

from collections import deque
from collections.abc import Callable
from enum import StrEnum
from typing import Any

import attrs
import trio

from actors.actor import Archive, Context, Core
from actors.errors import JournalError, MailboxOverflow
from actors.messages.system import MessageQuarantined, Overtaken
from runtime.kernel.clock import Clock
from runtime.kernel.envelope import Envelope
from runtime.kernel.failures import report_failure
from runtime.kernel.journal import Extent, Journal, Mark, Snapshot
from runtime.kernel.mailbox import Mailbox
from runtime.kernel.memory import Memory
from runtime.kernel.placement.away import Away
from runtime.kernel.placement.process import PlacedCore
from runtime.kernel.post import Post
from runtime.kernel.snapshots import SnapshotError, Snapshotter
from runtime.kernel.watchdog import Handling

_FAIR_BURST = 256
_SAME_TIME = 16


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


def _say_nothing(_actor: str, _text: str) -> None:
    """Tell nobody."""


@attrs.frozen(kw_only=True)
class CellServices:
    """What every cell of a run shares."""

    post: Post
    clock: Clock
    journal: Journal | None
    is_simulated: bool
    became_idle: Callable[[], None]
    changed: Callable[["Cell"], None]
    """Told when a cell has got or lost its core."""
    handling: Handling | None = None
    """Live, what a watchdog reads; None where none watches."""
    archive: Archive | None = None
    """Where actors look up what they have let the journal remember."""
    log: Callable[[str, str], None] = _say_nothing
    """Told what people may want to know of an actor: its name, and a text."""


class Cell:
    """One running actor; a child of a supervisor."""

    def __init__(self, spec: CellSpec, mailbox: Mailbox, services: CellServices) -> None:
        self.spec = spec
        self.name = spec.name
        self.rank = spec.rank
        self.mailbox = mailbox
        self.state = CellState.DOWN
        self.incarnation = -1
        self.failures = 0
        self.quarantined: list[int] = []
        self.core: Core | None = None
        self.retry: Envelope | None = None
        """What was taken and is not handled yet; the next incarnation begins with it."""
        self.handled_sequence = 0
        """The highest that was handled; those in the mailbox may be lower."""
        self.failed_sequence = 0
        self.market: Any = None
        """What the core knew of the market: handed to the next core, which could not recover it."""
        self._context: Context | None = None
        """What the present core was told."""
        self.memory = Memory(spec.name, spec.make_core, spec.snapshotter)
        self._services = services
        self._post = services.post
        self._attempts = 0
        self._attempted: Any = None
        self._error: Exception | None = None
        self._ended = trio.Event()
        self._scope = trio.CancelScope()
        self._is_waiting = False
        self._is_ending = False
        self._unsent: deque[tuple[Mailbox, Envelope]] = deque()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Live one incarnation: return after a stop was asked for, raise what the core raised."""
        self._ended = trio.Event()
        self._scope = trio.CancelScope()
        self._is_waiting = False
        self._is_ending = False
        self._error = None
        self.failed_sequence = 0
        try:
            await self._begin()
            task_status.started()
            if self._services.is_simulated:
                await self._ended.wait()
            else:
                await self._drain_for_ever()
        except Exception as error:
            self.failures += 1
            self._error = error
            self._ended.set()
            raise
        finally:
            self._end()
        if self._error is not None:
            raise self._error

    def request_stop(self) -> None:
        """Ask the incarnation to end by itself, after what it is handling."""
        self._is_ending = True
        self._ended.set()
        if self._is_waiting:
            self._scope.cancel()

    async def _begin(self) -> None:
        self.incarnation += 1
        self._context = self.spec.context(self.incarnation)
        core = self._recovered() if self.incarnation else self.spec.make_core(self._context)
        now_ns = self._services.clock.now_ns()
        away = self.spec.away
        outputs = core.start(now_ns) if away is None else await away.start(core, now_ns)
        self.core = core
        self.state = CellState.RUNNING
        self._deliver_all(outputs, 0, now_ns)
        self._services.changed(self)

    def _recovered(self) -> Core:
        journal = self._services.journal
        if journal is None and self.spec.needs_history:
            raise JournalError(f"{self.name} cannot be rebuilt: the run keeps no journal")
        return self.rebuilt(journal, self.market)

    def rebuilt(self, journal: Journal | None, market: Any = None) -> Core:
        """Return a core that knows what those before it knew.

        Args:
            journal: Where their past is; None if it is to know nothing of that.
            market: What it is to know of the market.
        """
        context = self._context or self.spec.context(self.incarnation)
        core, why = self.memory.rebuilt(context, journal, self._extent(), market)
        if why is not None:
            self._services.log(self.name, f"{why}; the whole history is replayed")
        return core

    def _extent(self) -> Extent:
        not_handled = self._waiting().union(self.quarantined)
        return Extent(handled=self.handled_sequence, not_handled=not_handled)

    def _waiting(self) -> set[int]:
        """Return the sequences of what was sent here and is not handled."""
        waiting = self.mailbox.pending()
        if self.retry is not None:
            waiting.add(self.retry.sequence)
        return waiting

    # --- how far it has come: for the journal, and for the next process --------------------------

    def mark(self) -> Mark:
        """Return what is handled: all that was sent so far, but for what waits.

        What was sent to an actor that has left for good waits for the next process.
        """
        if self.mailbox.is_closed:
            return Mark(self.name, self.handled_sequence, (), self.incarnation)
        waiting = tuple(sorted(self._waiting()))
        return Mark(self.name, self._post.sequence, waiting, self.incarnation)

    def keep_snapshot(self) -> Snapshot | None:
        """Return a snapshot of the core, between two messages; None if it cannot be had now.

        A core that does not say its state, or cannot be kept, is rebuilt from its whole history.
        """
        core, context = self.core, self._context
        if core is None or context is None or self.mailbox.is_closed:
            return None
        if self._unsent or self._is_called:
            return None
        now_ns = self._services.clock.now_ns()
        sequence, waiting = self._post.sequence, self._waiting()
        try:
            return self.memory.keep(core, context, sequence, now_ns, waiting)
        except SnapshotError as error:
            self._services.log(self.name, f"no snapshot: {error}")
            return None

    def resume(self, mark: Mark, snapshot: Snapshot | None, quarantined: set[int]) -> None:
        """Go on where the cell of another process was: before the first incarnation."""
        self.incarnation = mark.incarnation
        self.handled_sequence = mark.handled
        self.quarantined = sorted(quarantined)
        self.memory.latest = snapshot

    def _note_overtaken(self, envelope: Envelope) -> None:
        """Record that a message is handled after later ones: its place in the past is here."""
        is_recorded = envelope.message.__class__ not in self._post.unrecorded
        if is_recorded and self.spec.needs_history and self._services.journal is not None:
            self.memory.overtaken.add(envelope.sequence)
            self._post.record(self.name, "", Overtaken(self.name, envelope.sequence))

    def _end(self) -> None:
        self._lose_core(CellState.STOPPED if self._error is None else CellState.DOWN)

    def step(self, now_ns: int) -> None:
        """Handle the next message, if there is one: simulated time's way of running a cell."""
        core = self.core
        if core is None:
            return
        envelope = self.retry or self.mailbox.take_nowait()
        if envelope is None:
            return
        self.retry = None
        try:
            outputs = core.handle(envelope.message, now_ns)
        except Exception as error:  # noqa: BLE001 - any bug of a core is the supervisor's to judge
            self.fail(error, envelope)
            return
        sequence = envelope.sequence
        if sequence > self.handled_sequence:
            self.handled_sequence = sequence
        else:
            self._note_overtaken(envelope)
        if outputs:
            self.send(outputs, sequence, now_ns)

    def send(self, outputs: list[Any], cause: int, now_ns: int) -> None:
        """Send what the core made of what it has handled last; simulated time's way of sending.

        An output that cannot be sent is a bug of the core, as any other.
        """
        if cause > self.handled_sequence:
            self.handled_sequence = cause
        try:
            self._deliver_all(outputs, cause, now_ns)
        except JournalError:
            raise
        except Exception as error:  # noqa: BLE001 - any bug of a core is the supervisor's to judge
            self.fail(error, None)

    def fail(self, error: Exception, envelope: Envelope | None) -> None:
        """Take the core away; keep the message for the next one. Then :meth:`let_end`."""
        self.failures += 1
        self.failed_sequence = 0 if envelope is None else envelope.sequence
        self._error = error
        if envelope is not None:
            self._keep_or_quarantine(error, envelope)
        self._lose_core(CellState.DOWN)

    @property
    def awaits_end(self) -> bool:
        """Return whether the core has failed, but the supervisor does not know it yet."""
        return self._error is not None and not self._ended.is_set()

    def let_end(self) -> None:
        """Let an incarnation whose core has failed end: its supervisor is told."""
        self._ended.set()

    def _lose_core(self, state: CellState) -> None:
        """Forget the core at once: nothing more is handed to it."""
        self.market = getattr(self.core, "market", None) or self.market
        if isinstance(self.core, PlacedCore):
            self.core.close()
        self.core = None
        self.state = state
        self._services.changed(self)

    def attempts_on(self, what: Any) -> int:
        """Return how many times in a row this cell has failed on ``what``, this time included."""
        self._attempts = self._attempts + 1 if what == self._attempted else 1
        self._attempted = what
        return self._attempts

    def _keep_or_quarantine(self, error: Exception, envelope: Envelope) -> None:
        attempts = self.attempts_on(envelope.sequence)
        if attempts < self.spec.quarantine_after:
            self.retry = envelope
            return
        self.retry = None
        self.quarantined.append(envelope.sequence)
        self.report_quarantine(error, envelope.sequence, type(envelope.message).__name__, attempts)

    def report_quarantine(
        self, error: Exception, sequence: int, message_type: str, attempts: int
    ) -> None:
        """Tell that a message was set aside, with its place in the journal."""
        report = MessageQuarantined(
            actor=self.name,
            message_sequence=sequence,
            message_type=message_type,
            attempts=attempts,
            failure=report_failure(error),
        )
        self._post.deliver(self.name, sequence, report, self._services.clock.now_ns())

    async def _drain_for_ever(self) -> None:
        with self._scope:
            await self._send_rest()
            while not self._is_ending:
                if self.retry is None:
                    self.retry = self.mailbox.take_nowait()
                if self.retry is None:
                    await self._wait_for_one()
                else:
                    await self._burst(self.retry)

    async def _wait_for_one(self) -> None:
        services = self._services
        if services.handling is not None:
            services.handling.envelope = None
        services.became_idle()
        self._is_waiting = True
        away, core = self.spec.away, self.core
        if away is None or core is None:
            self.retry = await self.mailbox.take()
        else:
            self.retry = await away.wait(core, self.mailbox.take)
        self._is_waiting = False

    async def _burst(self, envelope: Envelope | None) -> None:
        """Handle an envelope and all that are queued behind it, without waiting in between.

        The clock is read once in a few messages: they came together. An envelope counts as not
        handled, and is kept, for as long as it waits for the journal.
        """
        journal = self._services.journal if self.spec.waits_for_journal else None
        away = self.spec.away
        now_ns = 0
        taken = 0
        while envelope is not None:
            if journal is not None:
                await journal.durable(envelope.sequence)
            if taken % _SAME_TIME == 0 or now_ns < envelope.time_ns:
                now_ns = self._services.clock.now_ns()
            if away is None:
                self._handle_live(envelope, now_ns)
            else:
                await self._handle_away(away, envelope, now_ns)
            if self._unsent:
                await self._send_rest()
            taken += 1
            if taken % _FAIR_BURST == 0:
                await trio.lowlevel.checkpoint()
            if self._is_ending:
                return
            envelope = self.retry = self.mailbox.take_nowait()

    async def _send_rest(self) -> None:
        """Send what had to wait for room; the next incarnation sends what a stop leaves."""
        while self._unsent:
            mailbox, envelope = self._unsent[0]
            await mailbox.send(envelope)
            self._unsent.popleft()

    def _handle_live(self, envelope: Envelope, now_ns: int) -> None:
        core, handling = self.core, self._services.handling
        assert core is not None
        if handling is not None:
            handling.actor, handling.envelope = self.name, envelope
        try:
            outputs = core.handle(envelope.message, now_ns)
        except Exception as error:
            self.failed_sequence = envelope.sequence
            self._keep_or_quarantine(error, envelope)
            raise
        self._has_handled(envelope, outputs, now_ns)

    async def _handle_away(self, away: Away, envelope: Envelope, now_ns: int) -> None:
        """As :meth:`_handle_live`, while others go on."""
        core = self.core
        assert core is not None
        try:
            outputs = await away.call(core.handle, envelope.message, now_ns)
        except Exception as error:
            self.failed_sequence = envelope.sequence
            self._keep_or_quarantine(error, envelope)
            raise
        self._has_handled(envelope, outputs, now_ns)

    async def last_words(self, now_ns: int) -> list[Any]:
        """Return what the core sends before an orderly stop; nothing if there is none."""
        core, away = self.core, self.spec.away
        if core is None:
            return []
        return core.stop(now_ns) if away is None else await away.call(core.stop, now_ns)

    @property
    def _is_called(self) -> bool:
        return self.spec.away is not None and self.spec.away.is_busy

    def _has_handled(self, envelope: Envelope, outputs: list[Any], now_ns: int) -> None:
        sequence = envelope.sequence
        if sequence > self.handled_sequence:
            self.handled_sequence = sequence
        else:
            self._note_overtaken(envelope)
        self.retry = None
        if outputs:
            self._deliver_all(outputs, sequence, now_ns)

    def _deliver_all(self, outputs: list[Any], cause: int, now_ns: int) -> None:
        """Deliver outputs; live, those that must wait for room are sent by and by.

        Raises:
            MailboxOverflow: If one found no room that may not wait; all are delivered even then.
        """
        deliver = self._post.deliver
        overflow: MailboxOverflow | None = None
        for output in outputs:
            try:
                waiting = deliver(self.name, cause, output, now_ns)
            except MailboxOverflow as error:
                overflow = overflow or error
                continue
            if waiting:
                self._unsent.extend(waiting)
        if overflow is not None:
            raise overflow

    @property
    def is_idle(self) -> bool:
        """Return whether nothing is queued, waiting or being handled, here or on its way on."""
        mailbox = self.mailbox
        if mailbox.is_closed:
            return True
        return not (mailbox.depth or self.retry or self._unsent)
