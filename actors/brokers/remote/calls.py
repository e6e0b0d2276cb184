"""The calls that are on their way: their numbers, their deadlines, what they are for."""

from enum import Enum, auto

import attrs
import msgspec

from actors.actor import Later
from actors.messages.system import Alarm, TimerFired
from actors.messages.venue import VenueAnswer, VenueCall

DEADLINE = "deadline "
"""Begins the name of the timer of a call; its number follows."""


class Purpose(Enum):
    """Who is waiting for the answer."""

    WRITE = auto()
    """The order manager, for what has become of its request."""
    INQUIRY = auto()
    """The order manager, for how one order stands."""
    ROUND = auto()
    """The comparison with the venue."""


@attrs.frozen
class InFlight:
    """A call that is not answered yet."""

    call: VenueCall
    purpose: Purpose


class Pages:
    """Where the pages of an answer have begun: one that leads back to another has no end."""

    def __init__(self) -> None:
        self._cursors: set[str] = set()

    def lead_back(self, call: VenueCall, answer: VenueAnswer) -> bool:
        """Return whether the page after an answer was asked for before, in this question."""
        self._cursors.add(call.cursor)
        return answer.cursor in self._cursors


class Calls:
    """Numbers calls and remembers them until they are answered or overdue."""

    def __init__(self, actor: str, timeout_ns: int) -> None:
        self.number = 0
        """The last one given."""
        self._actor = actor
        self._timeout_ns = timeout_ns
        self._in_flight: dict[int, InFlight] = {}

    def make(
        self, call: VenueCall, purpose: Purpose, now_ns: int, *, background: bool = False
    ) -> list[VenueCall | Later]:
        """Return a call with its number and its deadline, and the timer that watches it.

        A simulated run does not wait for a timer in the ``background``.
        """
        self.number += 1
        deadline_ns = now_ns + self._timeout_ns
        call = msgspec.structs.replace(
            call, number=self.number, deadline_ns=deadline_ns, made_ns=now_ns
        )
        self._in_flight[self.number] = InFlight(call, purpose)
        timer = TimerFired(self._actor, f"{DEADLINE}{self.number}", deadline_ns)
        return [call, Later(timer, deadline_ns, background)]

    def take(self, number: int) -> InFlight | None:
        """Return a call that waits no more; None if it did not."""
        return self._in_flight.pop(number, None)

    def take_all(self) -> list[InFlight]:
        """Return all calls; none waits any more."""
        all_of_them = list(self._in_flight.values())
        self._in_flight.clear()
        return all_of_them

    def waits_for(self, kind: str, client_order_id: str) -> bool:
        """Return whether a call of a kind about an order is on its way."""
        return any(
            each.call.kind == kind and each.call.client_order_id == client_order_id
            for each in self._in_flight.values()
        )

    def no_end(self, call: VenueCall, now_ns: int) -> Alarm:
        """Return the alarm that the pages of an answer have no end."""
        text = f"{call.kind}: there is said to be more, and that is what was told before"
        return Alarm(source=self._actor, text=text, time_ns=now_ns)

    def __len__(self) -> int:
        return len(self._in_flight)
