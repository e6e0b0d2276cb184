"""The near side of a link: a core that takes calls out of its mailbox and hands them over.

The core is plain code in a cell, so that calls are recorded, and durable, before they are handed
over; what waits for sockets is on the other side of the desk (:mod:`runtime.links.venue_link`).
"""

from collections.abc import Iterable
from typing import Any

import trio

from actors.actor import Context
from actors.messages.system import CancelAllAtVenue, Halt, HaltLifted, Resumed
from actors.messages.venue import CallKind, Outcome, VenueAnswer, VenueCall
from actors.venues.link_gate import LinkGate

_ROOM = 1024
"""How many calls may wait to be handed over."""
OWN_CALL = 0
"""The number of calls that the link makes itself; nobody waits for their answers."""
CANCEL_ALL_WITHIN_NS = 10_000_000_000


class Desk:
    """What both sides of a link share, whichever incarnation of each.

    Attributes:
        venue: The venue's name.
        gate: What may leave now.
        calls: Where the far side takes calls from.
    """

    def __init__(self, venue: str) -> None:
        self.venue = venue
        self.gate = LinkGate()
        self._handed_over = 0
        """The highest number of a call; those of the kill switch, below 0, do not count."""
        self._put, self.calls = trio.open_memory_channel[VenueCall](_ROOM)

    def hand_over(self, call: VenueCall) -> bool:
        """Hand a call over, once; return False if there is no room.

        One that a near side had handed over before it failed is not handed over again.
        """
        if 0 < call.number <= self._handed_over:
            return True
        try:
            self._put.send_nowait(call)
        except trio.WouldBlock:
            return False
        self._handed_over = max(self._handed_over, call.number)
        return True

    def not_sent(self, call: VenueCall, reason: str, now_ns: int) -> VenueAnswer:
        """Return the answer to a call that has not left."""
        return answer_of(call, Outcome.NOT_SENT, reason, self.venue, now_ns)


def answer_of(
    call: VenueCall, outcome: Outcome, reason: str, venue: str, now_ns: int
) -> VenueAnswer:
    """Return an answer that the link gives itself."""
    return VenueAnswer(
        number=call.number,
        kind=call.kind,
        outcome=outcome,
        venue=venue,
        venue_time_ns=now_ns,
        client_order_id=call.client_order_id,
        reason=reason,
    )


def cancel_all(cause: str, now_ns: int) -> VenueCall:
    """Return the link's own call to cancel whatever works."""
    return VenueCall(
        number=OWN_CALL,
        kind=CallKind.CANCEL_ALL,
        deadline_ns=now_ns + CANCEL_ALL_WITHIN_NS,
        cause=cause,
    )


class LinkCore:
    """Takes calls, and holds back what must not leave; a core."""

    def __init__(self, context: Context, desk: Desk) -> None:
        self._actor = context.actor
        self._desk = desk
        self._gate = LinkGate()

    def start(self, now_ns: int) -> list[Any]:
        """Have the gate of this incarnation asked from now on."""
        self._desk.gate = self._gate
        return []

    def handle(self, message: Any, now_ns: int) -> list[Any]:
        """Hand a call over, or answer that it has not left; take notice of halts."""
        if isinstance(message, VenueCall):
            return self._call(message, now_ns)
        if isinstance(message, Halt | HaltLifted | Resumed):
            self._gate.take(message)
        elif isinstance(message, CancelAllAtVenue):
            self._desk.hand_over(cancel_all(message.cause, now_ns))
        return []

    def recover(self, history: Iterable[tuple[str, Any]]) -> None:
        """Know again which halts there were, and until when earlier processes have made calls."""
        for how, message in history:
            if how == "received" and isinstance(message, Halt | HaltLifted | Resumed):
                self._gate.take(message)

    def stop(self, now_ns: int) -> list[Any]:
        """Say nothing."""
        return []

    def snapshot(self) -> Any:
        """Return what :meth:`reinstate` needs."""
        return {"halts": self._gate.halts.save(), "resumed_ns": self._gate.resumed_ns}

    def reinstate(self, snapshot: Any) -> None:
        """Go on from what was said."""
        self._gate.resumed_ns = snapshot["resumed_ns"]
        self._gate.halts.restore(snapshot["halts"])

    def _call(self, call: VenueCall, now_ns: int) -> list[Any]:
        reason = self._gate.refusal(call, now_ns)
        if reason is None and not self._desk.hand_over(call):
            reason = "too many calls wait for the link"
        return [] if reason is None else [self._desk.not_sent(call, reason, now_ns)]
