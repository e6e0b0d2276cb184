"""Mailboxes against a model: whatever is done, the same comes out, and nothing is lost."""

from collections import deque
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from actors.errors import MailboxOverflow
from runtime.kernel.envelope import Envelope
from runtime.kernel.mailbox import Mailbox
from tests.runtime.kernel.fakes import RULES, Ask, Note, Reading, envelope


def mailbox(capacity: int = 2, reserve: int = 2) -> Mailbox:
    return Mailbox("box", capacity=capacity, reserve=reserve, rules=RULES)


class Model:
    """A mailbox in the plainest words: a list, and a list of those that wait."""

    def __init__(self, capacity: int, reserve: int) -> None:
        self.capacity = capacity
        self.limit = capacity + reserve
        self.queue: list[Envelope] = []
        self.held: deque[Envelope] = deque()
        self.is_closed = False
        self.seen = dict.fromkeys(("taken", "conflated", "dead", "waited", "overflowed"), 0)

    def send(self, sent: Envelope) -> None:
        if self.is_closed:
            self.seen["dead"] += 1
            return
        is_full = len(self.queue) >= self.capacity
        if isinstance(sent.message, Ask) and (is_full or self.held):
            self.held.append(sent)
            self.seen["waited"] += 1
            return
        if isinstance(sent.message, Reading) and is_full:
            for place in reversed(range(len(self.queue))):
                other = self.queue[place].message
                if isinstance(other, Reading) and other.key == sent.message.key:
                    self.queue[place] = sent
                    self.seen["conflated"] += 1
                    return
        if len(self.queue) >= self.limit:
            self.seen["overflowed"] += 1
            return
        self.queue.append(sent)

    def take(self) -> Envelope | None:
        if not self.queue:
            return None
        taken = self.queue.pop(0)
        self.seen["taken"] += 1
        if self.held and len(self.queue) < self.capacity:
            self.queue.append(self.held.popleft())
        return taken

    def close(self) -> None:
        self.seen["dead"] += len(self.queue) + len(self.held)
        self.queue, self.held, self.is_closed = [], deque(), True


class MailboxMachine(RuleBasedStateMachine):
    """Does the same to a mailbox and to the model."""

    @initialize(capacity=st.integers(1, 4), reserve=st.integers(0, 3))
    def begin(self, capacity: int, reserve: int) -> None:
        self.box = mailbox(capacity, reserve)
        self.model = Model(capacity, reserve)
        self.sequence = 0
        self.tries = 0

    def _send(self, message: Any) -> None:
        self.sequence += 1
        sent = envelope(message, self.sequence, time_ns=self.sequence)
        try:
            if not self.box.offer(sent):
                self.box.hold(sent)
        except MailboxOverflow:
            self.tries -= 1
        self.tries += 1
        self.model.send(sent)

    @rule(count=st.integers(1, 3))
    def ask(self, count: int) -> None:
        for _ in range(count):
            self._send(Ask("box", self.sequence))

    @rule()
    def note(self) -> None:
        self._send(Note("box", str(self.sequence)))

    @rule(key=st.sampled_from("xy"))
    def read(self, key: str) -> None:
        self._send(Reading("box", key, self.sequence))

    @rule(count=st.integers(1, 4))
    def take(self, count: int) -> None:
        for _ in range(count):
            assert self.box.take_nowait() == self.model.take()

    @rule(is_sure=st.integers(0, 9))
    def close(self, is_sure: int) -> None:
        if is_sure == 9:
            self.box.close()
            self.model.close()

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "box"):
            return
        counts, model = self.box.counts, self.model
        assert counts.sent == self.tries
        assert counts.sent == sum(
            (counts.taken, counts.queued, counts.waiting, counts.conflated, counts.dead)
        )
        assert {name: getattr(counts, name) for name in model.seen} == model.seen
        assert (counts.queued, counts.waiting) == (len(model.queue), len(model.held))
        assert self.box.pending() == {e.sequence for e in [*model.queue, *model.held]}
        assert counts.peak <= self.box.limit


TestMailboxAgainstAModel = MailboxMachine.TestCase
TestMailboxAgainstAModel.settings = settings(deadline=None, max_examples=60, stateful_step_count=40)
