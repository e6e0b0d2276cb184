"""Poison messages: how often an actor has failed on one, and what is set aside for it."""

from typing import Any

from actors.messages.system import MessageQuarantined
from runtime.kernel.clock import Clock
from runtime.kernel.envelope import Envelope
from runtime.kernel.failures import report_failure
from runtime.kernel.post import Post


class Quarantine:
    """What one actor has failed on again and again, and is not given any more.

    Args:
        actor: Whose messages.
        after: How many failures in a row on one message are enough.
        post: Sends what is to be told of it.
        clock: Says when.

    Attributes:
        sequences: Of what was set aside, oldest first.
    """

    def __init__(self, actor: str, after: int, post: Post, clock: Clock) -> None:
        self.sequences: list[int] = []
        self._actor = actor
        self._after = after
        self._post = post
        self._clock = clock
        self._attempts = 0
        self._attempted: Any = None

    def attempts_on(self, what: Any) -> int:
        """Return how many times in a row the actor has failed on this, this time included."""
        self._attempts = self._attempts + 1 if what == self._attempted else 1
        self._attempted = what
        return self._attempts

    def takes(self, error: Exception, envelope: Envelope) -> bool:
        """Count a failure on an envelope; return whether it is set aside now, and told."""
        attempts = self.attempts_on(envelope.sequence)
        if attempts < self._after:
            return False
        kind = type(envelope.message).__name__
        self.set_aside(envelope.sequence, kind, attempts, error)
        return True

    def set_aside(self, sequence: int, message_type: str, attempts: int, error: Exception) -> None:
        """Set a message aside, and tell of it with its place in the journal."""
        self.sequences.append(sequence)
        report = MessageQuarantined(
            actor=self._actor,
            message_sequence=sequence,
            message_type=message_type,
            attempts=attempts,
            failure=report_failure(error),
        )
        self._post.deliver(self._actor, sequence, report, self._clock.now_ns())
