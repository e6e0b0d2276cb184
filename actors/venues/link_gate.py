"""What a link to a venue lets out: asked right before the first byte of each call."""

from actors.messages.system import Halt, HaltLifted, Resumed
from actors.messages.venue import CallKind, VenueCall

_OPENS = frozenset({CallKind.PLACE, CallKind.REPLACE})


class LinkGate:
    """Holds back new orders and changes while there is a halt, and whatever nobody waits for.

    What an earlier process has made is held back too: whether it has left nobody knows, so it must
    not leave again; whoever has made it asks what has become of it.

    It stands at the very end of our side, so that nothing that was under way when the halt came
    slips through. Cancels and questions always pass.

    Attributes:
        cause: Why there is a halt; None if there is none.
        resumed_ns: Until when an earlier process has made calls; 0 if there was none.
    """

    def __init__(self) -> None:
        self.cause: str | None = None
        self.resumed_ns = 0
        self._is_final = False

    def take(self, word: Halt | HaltLifted | Resumed) -> None:
        """Close at a halt; open when it is lifted, unless one of the halts was final."""
        if isinstance(word, Resumed):
            self.resumed_ns = word.last_ns
        elif isinstance(word, Halt):
            self.cause = self.cause or word.cause
            self._is_final = self._is_final or word.final
        elif not self._is_final:
            self.cause = None

    def refusal(self, call: VenueCall, now_ns: int) -> str | None:
        """Return why a call must not leave at ``now_ns``; None if it may."""
        if self.cause is not None and call.kind in _OPENS:
            return f"halted: {self.cause}"
        if 0 < call.made_ns <= self.resumed_ns:
            return "an earlier process has made it"
        if now_ns >= call.deadline_ns:
            return "its time was over before it could leave"
        return None
