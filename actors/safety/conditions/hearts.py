"""Conditions on who must be there: processes that answer, somebody who sends heartbeats."""

from typing import ClassVar

from actors.messages.safety import Heartbeat
from actors.messages.system import ActorFailed, Resumed
from actors.safety.conditions.condition import Untimed, seconds

UNRESPONSIVE = "Unresponsive"
"""The kind of failure of a process that does not answer in time."""
_MOST_SOURCES = 64


class LostProcesses(Untimed):
    """A strategy or feed in a process of its own does not answer any more."""

    name: ClassVar[str] = "lost_heartbeat"
    hears: ClassVar[tuple[type, ...]] = (ActorFailed,)

    def see(self, message: ActorFailed, now_ns: int) -> str:
        """Take notice of a failure: was it silence?"""
        if message.failure.kind != UNRESPONSIVE:
            return ""
        return f"lost heartbeat: limit none, found {message.actor}: {message.failure.text}"

    def begin_anew(self, now_ns: int) -> None:
        """Do nothing: nothing is kept."""


class Heartbeats:
    """Somebody who has sent a heartbeat sends none any more (a dead man's handle).

    ``limit_ns`` goes for those who state no time of their own. A restart of the process, and a
    halt that is lifted, end the watch: it begins with the next heartbeat.
    """

    name: ClassVar[str] = "heartbeat"
    hears: ClassVar[tuple[type, ...]] = (Heartbeat, Resumed)

    def __init__(self, limit_ns: int) -> None:
        self._limit_ns = limit_ns
        self._due_ns: dict[str, int] = {}

    @property
    def limit_ns(self) -> int:
        """Return how long somebody may be silent."""
        return self._limit_ns

    def see(self, message: Heartbeat | Resumed, now_ns: int) -> str:
        """Take notice of a heartbeat, or that the watch ends."""
        if isinstance(message, Resumed):
            self.begin_anew(now_ns)
        elif message.is_last:
            self._due_ns.pop(message.source, None)
        elif message.source in self._due_ns or len(self._due_ns) < _MOST_SOURCES:
            self._due_ns[message.source] = now_ns + (message.within_ns or self._limit_ns)
        return ""

    def check(self, now_ns: int) -> str:
        """Return who has been silent for too long."""
        late = [source for source, due_ns in self._due_ns.items() if now_ns > due_ns]
        if not late:
            return ""
        silent = ", ".join(sorted(late))
        return f"heartbeat: limit {seconds(self._limit_ns)} of silence, found {silent} overdue"

    def begin_anew(self, now_ns: int) -> None:
        """Watch nobody until the next heartbeat."""
        self._due_ns.clear()
