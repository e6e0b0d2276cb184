"""Mailboxes: one bounded trio memory channel per actor, and a rule for each type when it is full.

A mailbox belongs to the supervisor's side of things, not to the core: it survives restarts, and so
do its counters.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from enum import Enum, auto
from typing import Any

import attrs
import trio

from actors.errors import MailboxOverflow
from runtime.kernel.envelope import Envelope


class Overflow(Enum):
    """What happens to a message that finds the mailbox full."""

    WAIT = auto()
    """The sender waits: requests going forward."""
    KEEP_LATEST = auto()
    """It replaces the queued message of its key: market data."""
    CRASH = auto()
    """The sender crashes, loudly: reports coming back, which must never wait nor be lost."""


def _join_newest(_old: Any, new: Any) -> Any:
    return new


@attrs.frozen(kw_only=True)
class Rule:
    """The overflow rule of one message type.

    Attributes:
        overflow: What happens when the mailbox is full.
        key: For KEEP_LATEST, what makes two messages one: only equal keys replace each other.
        join: For KEEP_LATEST, what a queued message and its successor become.
        overtakes: Whether it goes before all that is queued and does not overtake.
    """

    overflow: Overflow
    key: Callable[[Any], Any] = type
    join: Callable[[Any, Any], Any] = _join_newest
    overtakes: bool = False


CRASH = Rule(overflow=Overflow.CRASH)
WAIT = Rule(overflow=Overflow.WAIT)


@attrs.frozen(kw_only=True)
class MailboxCounts:
    """What became of everything that was sent.

    ``sent = taken + queued + waiting + conflated + dead``, at any time.
    """

    sent: int
    taken: int
    queued: int
    waiting: int
    conflated: int
    dead: int
    waited: int
    """How many of them had to wait for room."""
    overflowed: int
    """How many were refused by crashing their sender (they do not count as sent)."""
    peak: int
    """The most that were queued at once."""


class _Slot:
    """A queued message that a later one of its key may replace."""

    __slots__ = ("envelope", "key", "time_ns")

    def __init__(self, key: Any, envelope: Envelope) -> None:
        self.key = key
        self.envelope = envelope
        self.time_ns = envelope.time_ns
        """When the first of those that it has become was sent."""


class _Waiter:
    """A message that waits for room and, live, the task that waits with it."""

    __slots__ = ("envelope", "task")

    def __init__(self, envelope: Envelope, task: trio.lowlevel.Task | None) -> None:
        self.envelope = envelope
        self.task = task


class Mailbox:
    """A bounded queue of envelopes with one receiver.

    ``capacity`` bounds what may be queued; ``reserve`` more places are kept for messages that may
    not wait (rule CRASH, and the first of each KEEP_LATEST key), so that reports get through when
    requests have filled the queue.
    """

    def __init__(
        self,
        name: str,
        *,
        capacity: int = 1024,
        reserve: int = 1024,
        rules: Mapping[type, Rule] | None = None,
        is_awaited: bool = True,
    ) -> None:
        if capacity < 1 or reserve < 0:
            raise ValueError(f"mailbox {name}: capacity must be 1 or more, reserve 0 or more")
        self.name = name
        self.capacity = capacity
        self.limit = capacity + reserve
        self.depth = 0
        self.is_closed = False
        self._rules = rules or {}
        self._conflated_types = frozenset(
            kind for kind, rule in self._rules.items() if rule.overflow is Overflow.KEEP_LATEST
        )
        self._first = frozenset(kind for kind, rule in self._rules.items() if rule.overtakes)
        self._special_types = self._conflated_types | self._first
        self._is_careful = False
        """Whether an envelope may be wrapped, or somebody waits for room."""
        sender, receiver = trio.open_memory_channel[Any](self.limit)
        self._put = sender.send_nowait if is_awaited else None
        self._get_now = receiver.receive_nowait
        self._get: Callable[[], Any] | None = self._get_now if is_awaited else None
        self._wait_for_one = receiver.receive
        self._queued: deque[Envelope | _Slot] = deque()
        self._ahead = 0
        """How many of those at the front have overtaken the rest."""
        self._slots: dict[Any, _Slot] = {}
        self._held: deque[_Waiter] = deque()
        self._refused: set[int] = set()
        """The sequences of what was told to wait and has found no room yet."""
        self._taken = 0
        self._conflated = 0
        self._dead = 0
        self._waited = 0
        self._overflowed = 0
        self._peak = 0

    def offer(self, envelope: Envelope) -> bool:
        """Queue an envelope without waiting; return False if its sender has to wait.

        Raises:
            MailboxOverflow: If there is no room and the type's rule is CRASH.
        """
        depth = self.depth
        if (
            depth >= self.capacity
            or self._is_careful
            or envelope.message.__class__ in self._special_types
        ):
            return self._offer_by_rule(envelope)
        if self._put is not None:
            self._put(envelope)
        self._queued.append(envelope)
        self.depth = depth + 1
        return True

    def _offer_by_rule(self, envelope: Envelope) -> bool:
        if self.is_closed:
            self._dead += 1
            return True
        rule = self._rules.get(envelope.message.__class__, CRASH)
        if rule.overflow is Overflow.KEEP_LATEST:
            return self._keep_latest(rule, envelope)
        if rule.overflow is Overflow.WAIT and self.depth >= self.capacity:
            self._refused.add(envelope.sequence)
            self._is_careful = True
            return False
        self._push(envelope, envelope)
        self._refused.discard(envelope.sequence)
        return True

    def _keep_latest(self, rule: Rule, envelope: Envelope) -> bool:
        key = rule.key(envelope.message)
        slot = self._slots.get(key)
        if slot is not None and self.depth >= self.capacity:
            joined = rule.join(slot.envelope.message, envelope.message)
            slot.envelope = Envelope(
                envelope.sequence, envelope.time_ns, envelope.sender, envelope.cause, joined
            )
            self._conflated += 1
            return True
        slot = _Slot(key, envelope)
        self._push(slot, envelope)
        self._slots[key] = slot
        self._is_careful = True
        return True

    def _push(self, item: Envelope | _Slot, envelope: Envelope) -> None:
        if self.depth >= self.limit:
            self._overflowed += 1
            kind = type(envelope.message).__name__
            raise MailboxOverflow(
                f"{self.name}: no room for {kind} from {envelope.sender}:"
                f" {self.depth} messages are queued"
            )
        if self._put is not None:
            self._put(item)
        if envelope.message.__class__ in self._first:
            self._queued.insert(self._ahead, item)
            self._ahead += 1
            self._is_careful = True
        else:
            self._queued.append(item)
        self.depth += 1

    def refill(self, envelopes: Iterable[Envelope]) -> None:
        """Queue what was sent to the same actor in another process, before anything else is.

        What there is no room for waits for it.
        """
        for envelope in envelopes:
            if self.depth < self.capacity and not self._held:
                self._push(envelope, envelope)
            else:
                self.hold(envelope)

    def hold(self, envelope: Envelope) -> None:
        """Queue an envelope behind those that wait for room: the sequencer's way of waiting."""
        self._hold(_Waiter(envelope, None))

    def _hold(self, waiter: _Waiter) -> None:
        self._held.append(waiter)
        self._refused.add(waiter.envelope.sequence)
        self._is_careful = True
        self._waited += 1

    async def send(self, envelope: Envelope) -> None:
        """Queue an envelope, waiting for room if its rule says so: the live way of waiting.

        Those that wait are let in in the order in which they came. A send that is cancelled has
        sent nothing.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        if self.offer(envelope):
            await trio.lowlevel.cancel_shielded_checkpoint()
            return
        waiter = _Waiter(envelope, trio.lowlevel.current_task())
        self._hold(waiter)

        def give_up(_raise_cancel: Any) -> trio.lowlevel.Abort:
            self._held.remove(waiter)
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(give_up)

    def take_nowait(self) -> Envelope | None:
        """Return the envelope that is first in line, or None."""
        depth = self.depth
        if not depth:
            return None
        if depth > self._peak:
            self._peak = depth
        self.depth = depth - 1
        self._taken += 1
        item: Any = self._queued.popleft()
        if self._get is not None:
            self._get()
        return self._let_next_in(item) if self._is_careful else item

    async def take(self) -> Envelope:
        """Return the envelope that is first in line, waiting for one."""
        await self._wait_for_one()
        while not self._queued:  # closed in the meantime: what had come is dead
            await self._wait_for_one()
        self._peak = max(self._peak, self.depth)
        self.depth -= 1
        self._taken += 1
        item: Any = self._queued.popleft()
        return self._let_next_in(item) if self._is_careful else item

    def _let_next_in(self, item: Envelope | _Slot) -> Envelope:
        """Unwrap what was taken, and give its place to whoever waits for one.

        So while anybody waits the mailbox stays full, and nobody can overtake.
        """
        if isinstance(item, _Slot):
            if self._slots.get(item.key) is item:
                del self._slots[item.key]
            item = item.envelope
        if self._ahead:
            self._ahead -= 1
        if self._held and self.depth < self.capacity:
            self._let_in(self._held.popleft())
        self._is_careful = bool(self._slots or self._refused or self._ahead)
        return item

    def _let_in(self, waiter: _Waiter) -> None:
        self._push(waiter.envelope, waiter.envelope)
        self._refused.discard(waiter.envelope.sequence)
        if waiter.task is not None:
            trio.lowlevel.reschedule(waiter.task)

    @property
    def counts(self) -> MailboxCounts:
        """Return what became of everything that was sent."""
        settled = self._taken + self._conflated + self._dead
        return MailboxCounts(
            sent=settled + self.depth + len(self._held),
            taken=self._taken,
            queued=self.depth,
            waiting=len(self._held),
            conflated=self._conflated,
            dead=self._dead,
            waited=self._waited,
            overflowed=self._overflowed,
            peak=max(self._peak, self.depth),
        )

    def close(self) -> None:
        """Take no more: the actor has left for good. What is queued and comes is dead."""
        self.is_closed = True
        if self._get is not None:
            self._get = self._get_what_is_there
        while self.take_nowait() is not None:
            self._taken -= 1
            self._dead += 1
        self.capacity = 0
        self._is_careful = True

    def _get_what_is_there(self) -> None:
        """Take one out of the channel, unless it is on its way to the task that waits for it."""
        with suppress(trio.WouldBlock):
            self._get_now()

    @property
    def waiting(self) -> int:
        """Return how many messages wait for room."""
        return len(self._held)

    def oldest_ns(self) -> int | None:
        """Return when the oldest queued message was sent, or None."""
        return self._queued[0].time_ns if self._queued else None

    def pending(self) -> set[int]:
        """Return the sequences of what was sent here and has not been taken."""
        queued = (i.envelope if isinstance(i, _Slot) else i for i in self._queued)
        return self._refused | {envelope.sequence for envelope in queued}
