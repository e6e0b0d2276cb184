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


@attrs.define
class MailboxCounts:
    """What became of everything that was sent.

    ``sent = taken + queued + waiting + conflated + dead``, at any time.
    """

    sent: int = 0
    taken: int = 0
    conflated: int = 0
    dead: int = 0
    waited: int = 0
    """How many of them had to wait for room."""
    overflowed: int = 0
    """How many were refused by crashing their sender (they do not count as sent)."""
    peak: int = 0


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
        self.counts = MailboxCounts()
        self.depth = 0
        self.is_closed = False
        self._rules = rules or {}
        sender, receiver = trio.open_memory_channel[Envelope | _Slot](self.limit)
        self._put = sender.send_nowait
        self._get = receiver.receive_nowait
        self._wait_for_one = receiver.receive
        self._queued_ns: deque[int] = deque()
        self._slots: dict[Any, _Slot] = {}
        self._held: deque[Envelope] = deque()
        self._room = trio.lowlevel.ParkingLot()

    def offer(self, envelope: Envelope) -> bool:
        """Queue an envelope without waiting; return False if its sender has to wait.

        Raises:
            MailboxOverflow: If there is no room and the type's rule is CRASH.
        """
        depth = self.depth
        if depth >= self.capacity or self._slots or self._held:
            return self._offer_with_care(envelope)
        self._put(envelope)
        self._queued_ns.append(envelope.time_ns)
        self.depth = depth + 1
        self.counts.sent += 1
        return True

    def _offer_with_care(self, envelope: Envelope) -> bool:
        if self.is_closed:
            self.counts.sent += 1
            self.counts.dead += 1
            return True
        rule = self._rules.get(type(envelope.message), CRASH)
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
            self.counts.sent += 1
            self.counts.conflated += 1
            return True
        slot = _Slot(key, envelope)
        self._push(slot, envelope)
        self._slots[key] = slot
        return True

    def _push(self, item: Envelope | _Slot, envelope: Envelope) -> None:
        if self.depth >= self.limit:
            self.counts.overflowed += 1
            kind = type(envelope.message).__name__
            raise MailboxOverflow(
                f"{self.name}: no room for {kind} from {envelope.sender}:"
                f" {self.depth} messages are queued"
            )
        self._put(item)
        self._queued_ns.append(envelope.time_ns)
        self.depth += 1
        self.counts.sent += 1
        self.counts.peak = max(self.counts.peak, self.depth)

    def hold(self, envelope: Envelope) -> None:
        """Queue an envelope behind those that wait for room: the sequencer's way of waiting."""
        self._held.append(envelope)
        self.counts.sent += 1
        self.counts.waited += 1

    async def send(self, envelope: Envelope) -> None:
        """Queue an envelope, waiting for room if its rule says so: the live way of waiting."""
        if self.offer(envelope):
            await trio.lowlevel.checkpoint()
            return
        self.counts.waited += 1
        while not self.offer(envelope):
            await self._room.park()

    def take_nowait(self) -> Envelope | None:
        """Return the oldest envelope, or None."""
        if not self.depth:
            return None
        return self._taken(self._get())

    async def take(self) -> Envelope:
        """Return the oldest envelope, waiting for one."""
        return self._taken(await self._wait_for_one())

    def _taken(self, item: Envelope | _Slot) -> Envelope:
        counts = self.counts
        if self.depth > counts.peak:
            counts.peak = self.depth
        self.depth -= 1
        counts.taken += 1
        self._queued_ns.popleft()
        if item.__class__ is _Slot:
            assert isinstance(item, _Slot)
            if self._slots.get(item.key) is item:
                del self._slots[item.key]
            item = item.envelope
        if self._held and self.depth < self.capacity:
            held = self._held.popleft()
            self._put(held)
            self._queued_ns.append(held.time_ns)
            self.depth += 1
        if self._room:
            self._room.unpark()
        assert isinstance(item, Envelope)
        return item

    def close(self) -> None:
        """Take no more: the actor has left for good. What is queued and comes is dead."""
        self.is_closed = True
        while self.take_nowait() is not None:
            self.counts.taken -= 1
            self.counts.dead += 1
        self.capacity = 0
        self._room.unpark_all()

    @property
    def waiting(self) -> int:
        """Return how many messages wait for room."""
        return len(self._held) + len(self._room)

    def oldest_ns(self) -> int | None:
        """Return when the oldest queued message was sent, or None."""
        return self._queued_ns[0] if self._queued_ns else None
