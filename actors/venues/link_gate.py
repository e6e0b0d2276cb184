"""What a link to a venue lets out: asked right before the first byte of each call."""

from actors.messages.system import Halt, HaltLifted, Resumed
from actors.messages.venue import CallKind, VenueCall
from actors.model.halts import Halts

_OPENS = frozenset({CallKind.PLACE, CallKind.REPLACE})


class LinkGate:
    """Holds back new orders and changes while there is a halt, and whatever nobody waits for.

    What an earlier process has made is held back too: whether it has left nobody knows, so it must
    not leave again; whoever has made it asks what has become of it.

    It stands at the very end of our side, so that nothing that was under way when the halt came
    slips through. Cancels and questions always pass.

    Attributes:
        halts: Why there is a halt, if there is one.
        resumed_ns: Until when an earlier process has made calls; 0 if there was none.
    """

    def __init__(self) -> None:
        self.halts = Halts()
        self.resumed_ns = 0

    @property
    def cause(self) -> str | None:
        """Return the first cause of the halt; None if there is none."""
        return self.halts.cause

    def take(self, word: Halt | HaltLifted | Resumed) -> None:
        """Close at a halt; open when each cause is lifted; a final one lasts with its process."""
        if isinstance(word, Resumed):
            self.resumed_ns = word.last_ns
            self.halts.go_on()
        elif isinstance(word, Halt):
            self.halts.add(word.cause, is_final=word.final)
        else:
            self.halts.lift(word.cause)

    def refusal(self, call: VenueCall, now_ns: int) -> str | None:
        """Return why a call must not leave at ``now_ns``; None if it may."""
        cause = self.halts.cause
        if cause is not None and call.kind in _OPENS:
            return f"halted: {cause}"
        if 0 < call.made_ns <= self.resumed_ns:
            return "an earlier process has made it"
        if now_ns >= call.deadline_ns:
            return "its time was over before it could leave"
        return None
