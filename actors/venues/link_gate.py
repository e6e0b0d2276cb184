"""What a link to a venue lets out: asked right before the first byte of each call."""

from actors.messages.system import Halt, HaltLifted
from actors.messages.venue import CallKind, VenueCall

_OPENS = frozenset({CallKind.PLACE, CallKind.REPLACE})


class LinkGate:
    """Holds back new orders and changes while there is a halt, and whatever nobody waits for.

    It stands at the very end of our side, so that nothing that was under way when the halt came
    slips through. Cancels and questions always pass.

    Attributes:
        cause: Why there is a halt; None if there is none.
    """

    def __init__(self) -> None:
        self.cause: str | None = None
        self._is_final = False

    def take(self, word: Halt | HaltLifted) -> None:
        """Close at a halt; open when it is lifted, unless one of the halts was final."""
        if isinstance(word, Halt):
            self.cause = self.cause or word.cause
            self._is_final = self._is_final or word.final
        elif not self._is_final:
            self.cause = None

    def refusal(self, call: VenueCall, now_ns: int) -> str | None:
        """Return why a call must not leave at ``now_ns``; None if it may."""
        if self.cause is not None and call.kind in _OPENS:
            return f"halted: {self.cause}"
        if now_ns >= call.deadline_ns:
            return "its time was over before it could leave"
        return None
