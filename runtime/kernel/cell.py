"""The cell: the one generic actor: take a message, hand it to the core, send the outputs.

A cell outlives its cores. When a core raises, the outputs of that message are discarded with it;
the supervisor runs the cell again, which builds a fresh core, lets it recover from the journal, and
hands it the same message once more. A message that fails again and again is quarantined.

Who takes the messages differs: see :mod:`runtime.kernel.live_cell` and
:mod:`runtime.kernel.simulated_cell`. All the rest is here.
"""

from collections import deque
from typing import Any

import trio

from actors.actor import Context, Core
from actors.errors import JournalError, MailboxOverflow
from actors.messages.system import Overtaken
from runtime.kernel.cell_spec import CellServices, CellSpec, CellState
from runtime.kernel.envelope import Envelope
from runtime.kernel.journal import Extent, Journal, Mark, Snapshot
from runtime.kernel.mailbox import Mailbox
from runtime.kernel.memory import Memory
from runtime.kernel.placement.process import PlacedCore
from runtime.kernel.quarantine import Quarantine
from runtime.kernel.snapshots import SnapshotError


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
        self.quarantine = Quarantine(
            spec.name, spec.quarantine_after, services.post, services.clock
        )
        self.core: Core | None = None
        self.retry: Envelope | None = None
        """What was taken and is not handled yet; the next incarnation begins with it."""
        self.handled_sequence = 0
        """The highest that was handled; those in the mailbox may be lower."""
        self.failed_sequence = 0
        self.market: Any = None
        """What the core knew of the market: handed to the next core, which could not recover it."""
        self.memory = Memory(spec.name, spec.make_core, spec.snapshotter)
        self._context: Context | None = None
        """What the present core was told."""
        self._services = services
        self._post = services.post
        self._error: Exception | None = None
        self._ended = trio.Event()
        self._unsent: deque[tuple[Mailbox, Envelope]] = deque()

    # --- one incarnation after the other ---------------------------------------------------------

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Live one incarnation: return after a stop was asked for, raise what the core raised."""
        self._renew()
        try:
            await self._begin()
            task_status.started()
            await self._work()
        except Exception as error:
            self.failures += 1
            self._error = error
            self._ended.set()
            raise
        finally:
            self._lose_core(CellState.STOPPED if self._error is None else CellState.DOWN)
        if self._error is not None:
            raise self._error

    def request_stop(self) -> None:
        """Ask the incarnation to end by itself, after what it is handling."""
        self._ended.set()

    def _renew(self) -> None:
        """Forget how the last incarnation has ended."""
        self._ended = trio.Event()
        self._error = None
        self.failed_sequence = 0

    async def _begin(self) -> None:
        self.incarnation += 1
        self._context = self.spec.context(self.incarnation)
        core = self._recovered() if self.incarnation else self.spec.make_core(self._context)
        now_ns = self._services.clock.now_ns()
        outputs = await self._first_words(core, now_ns)
        self.core = core
        self.state = CellState.RUNNING
        self._deliver_all(outputs, 0, now_ns)
        self._services.changed(self)

    async def _work(self) -> None:
        """Have messages handled until a stop is asked for, or the core has failed."""
        await self._ended.wait()

    async def _first_words(self, core: Core, now_ns: int) -> list[Any]:
        """Start a core; return what it sends."""
        return core.start(now_ns)

    async def last_words(self, now_ns: int) -> list[Any]:
        """Return what the core sends before an orderly stop; nothing if there is none."""
        return [] if self.core is None else self.core.stop(now_ns)

    def _lose_core(self, state: CellState) -> None:
        """Forget the core at once: nothing more is handed to it."""
        self.market = getattr(self.core, "market", None) or self.market
        if isinstance(self.core, PlacedCore):
            self.core.close()
        self.core = None
        self.state = state
        self._services.changed(self)

    # --- a core that knows what those before it knew ----------------------------------------------

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

    @property
    def quarantined(self) -> list[int]:
        """Return the sequences of what was set aside, oldest first."""
        return self.quarantine.sequences

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
        if core is None or context is None or not self._is_at_rest:
            return None
        now_ns = self._services.clock.now_ns()
        sequence, waiting = self._post.sequence, self._waiting()
        try:
            return self.memory.keep(core, context, sequence, now_ns, waiting)
        except SnapshotError as error:
            self._services.log(self.name, f"no snapshot: {error}")
            return None

    @property
    def _is_at_rest(self) -> bool:
        """Return whether the core is between two messages, and will hear of more."""
        return not (self._unsent or self.mailbox.is_closed)

    def resume(self, mark: Mark, snapshot: Snapshot | None, quarantined: set[int]) -> None:
        """Go on where the cell of another process was: before the first incarnation."""
        self.incarnation = mark.incarnation
        self.handled_sequence = mark.handled
        self.quarantine.sequences[:] = sorted(quarantined)
        self.memory.latest = snapshot

    @property
    def is_idle(self) -> bool:
        """Return whether nothing is queued, waiting or being handled, here or on its way on."""
        mailbox = self.mailbox
        if mailbox.is_closed:
            return True
        return not (mailbox.depth or self.retry or self._unsent)

    # --- messages --------------------------------------------------------------------------------

    def step(self, now_ns: int) -> None:
        """Handle the next message, if there is one: simulated time's way of running a cell."""
        raise NotImplementedError

    def _note_overtaken(self, envelope: Envelope) -> None:
        """Record that a message is handled after later ones: its place in the past is here."""
        is_recorded = envelope.message.__class__ not in self._post.unrecorded
        if is_recorded and self.spec.needs_history and self._services.journal is not None:
            self.memory.overtaken.add(envelope.sequence)
            self._post.record(self.name, "", Overtaken(self.name, envelope.sequence))

    def _keep_or_quarantine(self, error: Exception, envelope: Envelope) -> None:
        """Take notice that a core has failed on an envelope: the next one gets it, or nobody."""
        self.failed_sequence = envelope.sequence
        self.retry = None if self.quarantine.takes(error, envelope) else envelope

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
