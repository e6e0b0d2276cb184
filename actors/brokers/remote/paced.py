"""A remote broker behind a rate limit; what must not wait does not."""

from typing import Any

from actors.brokers.paced import Pacing
from actors.brokers.rate_limiter import RateLimiter
from actors.brokers.remote.broker import RemoteBroker
from actors.messages.system import CancelAllAtVenue


class PacedRemote(Pacing):
    """Holds requests back until the limiter has a token for them.

    While there is a halt nothing waits: cancels leave at once, and new orders do not leave at all.
    Questions (how an order stands, comparisons) take no token.
    """

    def __init__(self, broker: RemoteBroker, limiter: RateLimiter, actor: str) -> None:
        super().__init__(broker, limiter, actor)
        self._remote = broker

    @property
    def open_tickets(self) -> int:
        """Return how many orders are remembered because they are not over."""
        return self._remote.open_tickets

    def handle(self, message: Any, now_ns: int) -> list[Any]:
        """Let a request pass or wait; hand on everything else."""
        if isinstance(message, CancelAllAtVenue):
            outputs = self._remote.handle(message, now_ns)
            if self.waiting:
                outputs += self._let_all_go(now_ns)
            return outputs
        if self._remote.halted is not None and self.takes(message):
            return self._remote.handle(message, now_ns)
        return super().handle(message, now_ns)

    def passes(self, message: Any) -> bool:
        """Return whether a request of the past went to the broker at once."""
        return self._remote.halted is not None
