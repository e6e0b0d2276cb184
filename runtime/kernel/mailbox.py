"""Mailboxes: one bounded trio memory channel per actor, and a rule for each type when it is full.

A mailbox belongs to the supervisor's side of things, not to the core: it survives restarts, and so
do its counters.
"""

from collections import deque
from collections.abc import Callable, Mapping
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
    """

    overflow: Overflow
    key: Callable[[Any], Any] = type
    join: Callable[[Any, Any], Any] = _join_newest


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

    __slots__ = ("envelope", "key")

    def __init__(self, key: Any, envelope: Envelope) -> None:
        self.key = key
        self.envelope = envelope


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
    ) -> None:
        if capacity < 1 or reserve < 0:
            raise ValueError(f"mailbox {name}: capacity must be 1 or more, reserve 0 or more")
        self.name = name
        self.capacity = capacity
        self.limit = capacity + reserve
        self.depth = 0
        self.is_closed = False
        self._rules = rules or {}
        self._conflates = any(r.overflow is Overflow.KEEP_LATEST for r in self._rules.values())
        self._is_careful = self._conflates
        """Whether an envelope may be wrapped, or somebody waits for room."""
        sender, receiver = trio.open_memory_channel[Any](self.limit)
        self._put = sender.send_nowait
        self._get = receiver.receive_nowait
        self._wait_for_one = receiver.receive
        self._queued_ns: deque[int] = deque()
        self._slots: dict[Any, _Slot] = {}
        self._held: deque[Envelope] = deque()
        self._room = trio.lowlevel.ParkingLot()
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
        if depth >= self.capacity or self._is_careful:
            return self._offer_by_rule(envelope)
        self._put(envelope)
        self._queued_ns.append(envelope.time_ns)
        self.depth = depth + 1
        return True

    def _offer_by_rule(self, envelope: Envelope) -> bool:
        if self.is_closed:
            self._dead += 1
            return True
        rule = self._rules.get(envelope.message.__class__, CRASH)
        if rule.overflow is Overflow.KEEP_LATEST:
            return self._keep_latest(rule, envelope)
        if rule.overflow is Overflow.WAIT and (self.depth >= self.capacity or self._held):
            return False
        self._push(envelope, envelope)
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
        return True

    def _push(self, item: Envelope | _Slot, envelope: Envelope) -> None:
        if self.depth >= self.limit:
            self._overflowed += 1
            kind = type(envelope.message).__name__
            raise MailboxOverflow(
                f"{self.name}: no room for {kind} from {envelope.sender}:"
                f" {self.depth} messages are queued"
            )
        self._put(item)
        self._queued_ns.append(envelope.time_ns)
        self.depth += 1

    def hold(self, envelope: Envelope) -> None:
        """Queue an envelope behind those that wait for room: the sequencer's way of waiting."""
        self._held.append(envelope)
        self._is_careful = True
        self._waited += 1

    async def send(self, envelope: Envelope) -> None:
        """Queue an envelope, waiting for room if its rule says so: the live way of waiting."""
        if self.offer(envelope):
            await trio.lowlevel.checkpoint()
            return
        self._waited += 1
        while not self.offer(envelope):
            self._is_careful = True
            await self._room.park()

    def take_nowait(self) -> Envelope | None:
        """Return the oldest envelope, or None."""
        depth = self.depth
        if not depth:
            return None
        if depth > self._peak:
            self._peak = depth
        self.depth = depth - 1
        self._taken += 1
        self._queued_ns.popleft()
        item = self._get()
        return self._let_next_in(item) if self._is_careful else item

    async def take(self) -> Envelope:
        """Return the oldest envelope, waiting for one."""
        item = await self._wait_for_one()
        self._peak = max(self._peak, self.depth)
        self.depth -= 1
        self._taken += 1
        self._queued_ns.popleft()
        return self._let_next_in(item) if self._is_careful else item

    def _let_next_in(self, item: Envelope | _Slot) -> Envelope:
        """Unwrap what was taken, and give its place to whoever waits for one."""
        if isinstance(item, _Slot):
            if self._slots.get(item.key) is item:
                del self._slots[item.key]
            item = item.envelope
        if self._held and self.depth < self.capacity:
            held = self._held.popleft()
            self._push(held, held)
        if self._room:
            self._room.unpark()
        self._is_careful = self._conflates or bool(self._held or self._room)
        return item

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
        while self.take_nowait() is not None:
            self._taken -= 1
            self._dead += 1
        self.capacity = 0
        self._is_careful = True
        self._room.unpark_all()

    @property
    def waiting(self) -> int:
        """Return how many messages wait for room."""
        return len(self._held) + len(self._room)

    def oldest_ns(self) -> int | None:
        """Return when the oldest queued message was sent, or None."""
        return self._queued_ns[0] if self._queued_ns else None
