"""The post office: gives messages their envelopes, and puts them where the routing table says."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from heapq import heappush
from typing import Any, Protocol

from actors.actor import Later
from actors.errors import MailboxOverflow
from runtime.kernel.clock import Clock
from runtime.kernel.envelope import Envelope
from runtime.kernel.journal import Journal
from runtime.kernel.mailbox import Mailbox


class Receiver(Protocol):
    """Whoever has a mailbox; a lower rank is served first at one instant."""

    name: str
    rank: int
    mailbox: Mailbox

    def step(self, now_ns: int) -> None:
        """Handle the next message: simulated time's way of running a receiver."""
        ...


Route = Callable[[Any], Sequence[Receiver]]
"""Names the receivers of a message."""

Ready = list[tuple[int, int, Receiver]]
Delayed = tuple[str, int, Any, bool]
"""Sender, cause, message, and whether it is only in the background."""


Blocked = list[tuple[Mailbox, Envelope]]
"""What must wait for room."""


class Timetable(Protocol):
    """Where messages for later wait."""

    def set(self, at_ns: int, what: Any) -> None:
        """Remember ``what`` for ``at_ns``."""
        ...


def _ignore(_message: Any, _now_ns: int) -> None:
    """Show a message to nobody."""


class Post:
    """Delivers to mailboxes.

    In simulated time whoever got a message is put on the ``ready`` heap, by ``(rank, sequence)``;
    live (``ready`` is None) the receiver's own task wakes up.
    """

    def __init__(
        self,
        clock: Clock,
        timers: Timetable,
        journal: Journal | None,
        ready: Ready | None,
    ) -> None:
        self.routes: Mapping[type, Route] = {}
        self.observe: Callable[[Any, int], None] = _ignore
        """Is shown every message that no actor receives (alerts, marks, supervision)."""
        self.tap: Callable[[Envelope], None] | None = None
        """Is shown every message that is delivered, whoever receives it."""
        self.unrecorded: frozenset[type] = frozenset()
        """Message types that are not journaled (market data on its way)."""
        self.shown: frozenset[type] | None = None
        """Message types that :attr:`observe` is shown though an actor receives them."""
        self.sequence = 0
        self.in_flight_later = 0
        self._clock = clock
        self._timers = timers
        self._journal = journal
        self._ready = ready
        self.is_recording = journal is not None

    def record(self, sender: str, receivers: str, message: Any) -> int:
        """Journal a message that reaches its receivers by other ways; return its sequence."""
        self.sequence += 1
        if self._journal is not None:
            envelope = Envelope(self.sequence, self._clock.now_ns(), sender, 0, message)
            self._journal.append(envelope, receivers)
        return self.sequence

    def deliver(
        self, sender: str, cause: int, message: Any, now_ns: int
    ) -> list[tuple[Mailbox, Envelope]] | None:
        """Send a message to everyone its route names; a :class:`Later` waits for its time.

        Returns:
            Live only: the deliveries that must wait for room, or None.

        Raises:
            MailboxOverflow: If a receiver has no room for what may not wait. Nothing is lost by it:
                everybody gets it, that receiver when it has room again.
        """
        kind = message.__class__
        if kind is Later:
            self._schedule(sender, cause, message, now_ns)
            return None
        receivers = self.routes[kind](message)
        self.sequence = sequence = self.sequence + 1
        envelope = Envelope(sequence, now_ns, sender, cause, message)
        if self._journal is not None and kind not in self.unrecorded:
            names = (
                receivers[0].name
                if len(receivers) == 1  # nearly always: joining takes longer
                else ",".join([receiver.name for receiver in receivers])
            )
            self._journal.append(envelope, names)
        if self.tap is not None:
            self.tap(envelope)
        if not receivers or (self.shown is not None and kind in self.shown):
            self.observe(message, now_ns)
        ready = self._ready
        blocked: Blocked | None = None
        overflow: MailboxOverflow | None = None
        for receiver in receivers:
            mailbox = receiver.mailbox
            try:
                if not mailbox.offer(envelope):
                    blocked = self._wait_for_room(mailbox, envelope, blocked)
            except MailboxOverflow as error:
                overflow = error
                mailbox.hold(envelope)
            if ready is not None:
                heappush(ready, (receiver.rank, sequence, receiver))
        if overflow is not None:
            _hold_all(blocked or ())
            raise overflow
        return blocked

    def _wait_for_room(
        self, mailbox: Mailbox, envelope: Envelope, blocked: Blocked | None
    ) -> Blocked | None:
        """Have an envelope wait: live its sender does, otherwise the mailbox holds it."""
        if self._ready is None:
            return [*(blocked or ()), (mailbox, envelope)]
        mailbox.hold(envelope)
        return None

    def _schedule(self, sender: str, cause: int, later: Later, now_ns: int) -> None:
        route = self.routes[type(later.message)]  # what cannot be delivered is refused at once
        if self._journal is not None and not later.background:
            self.sequence += 1
            envelope = Envelope(self.sequence, now_ns, sender, cause, later.message)
            names = ",".join(receiver.name for receiver in route(later.message))
            self._journal.append(envelope, names, later.at_ns)
            cause = self.sequence
        if not later.background:
            self.in_flight_later += 1
        self._timers.set(later.at_ns, (sender, cause, later.message, later.background))

    def set_again(self, sender: str, sequence: int, message: Any, at_ns: int) -> None:
        """Wait once more with what another process has sent for later, and recorded."""
        self.in_flight_later += 1
        self._timers.set(at_ns, (sender, sequence, message, False))

    def deliver_delayed(
        self, delayed: Delayed, now_ns: int
    ) -> list[tuple[Mailbox, Envelope]] | None:
        """Deliver a message whose time has come."""
        sender, cause, message, background = delayed
        if not background:
            self.in_flight_later -= 1
        return self.deliver(sender, cause, message, now_ns)


def _hold_all(blocked: Iterable[tuple[Mailbox, Envelope]]) -> None:
    for mailbox, envelope in blocked:
        mailbox.hold(envelope)
