"""Notices that the event loop does not turn, and says who holds it.

A thread looks from outside, because nobody inside can. It counts its own naps instead of reading a
clock: a process that was stopped and goes on has blocked nothing. What holds the interpreter itself
(C code that does not let go of it) holds this thread too, and is not seen.
"""

import sys
import threading
from collections.abc import Callable
from pathlib import PurePath
from types import FrameType

import attrs
import trio

from actors.messages.system import Alarm
from runtime.kernel.clock import NANOSECONDS, Clock
from runtime.kernel.envelope import Envelope

_NAPS = 4
"""How many naps of the thread make up the time after which the loop counts as blocked."""
_SOURCE = "watchdog"


class Handling:
    """What is handled in the event loop at this moment: live cells write it, a watchdog reads."""

    __slots__ = ("actor", "envelope")

    def __init__(self) -> None:
        self.actor = ""
        self.envelope: Envelope | None = None
        """None between two messages."""


@attrs.frozen(kw_only=True)
class Blocked:
    """The loop has not turned.

    Attributes:
        actor: Whose message it is; empty if it is no actor that holds the loop.
        message_type: The message's type; empty like ``actor``.
        sequence: The message's place in the journal, or 0.
        where: ``file:function:line`` of the innermost frame.
    """

    actor: str
    message_type: str
    sequence: int
    where: str

    def words(self, seconds: float) -> str:
        """Return it in words, for a time that the loop was held at least, in seconds."""
        who = "something"
        if self.actor:
            who = f"{self.actor} ({self.message_type}, message {self.sequence})"
        return f"{who} has held the event loop for {seconds:g} s, at {self.where}"


class Watchdog:
    """Watches the event loop it runs in; a child of a supervisor.

    Args:
        handling: What the cells of this loop write.
        clock: Stamps the alarms.
        blocked_after_ns: After so long without a turn the loop counts as blocked.
        tell: Is told at once, in the thread: it must not touch what belongs to the loop.
        alarm: Is told in the loop, once it turns again.

    Attributes:
        count: How often the loop was blocked.
        latest: The last time it was; None if it never was.
    """

    name = "watchdog"

    def __init__(
        self,
        handling: Handling,
        clock: Clock,
        blocked_after_ns: int,
        tell: Callable[[str], None],
        alarm: Callable[[Alarm], None],
    ) -> None:
        self.count = 0
        self.latest: Blocked | None = None
        self._handling = handling
        self._clock = clock
        self._nap_s = blocked_after_ns / NANOSECONDS / _NAPS
        self._tell = tell
        self._alarm = alarm
        self._turns = 0
        self._naps = 0
        """How many naps the thread has taken since the loop has turned."""
        self._alarms = 0
        self._loop = 0
        self._is_stopping = trio.Event()

    @property
    def is_alive(self) -> bool:
        """Return whether the loop turns; any thread may ask."""
        return self._naps < _NAPS

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Watch until asked to stop."""
        self._is_stopping = trio.Event()
        self._loop = threading.get_ident()
        self._naps = 0
        leave = threading.Event()
        thread = threading.Thread(target=self._watch, args=(leave,), name=self.name, daemon=True)
        thread.start()
        task_status.started()
        try:
            while not self._is_stopping.is_set():
                self._turn()
                with trio.move_on_after(self._nap_s / 2):
                    await self._is_stopping.wait()
        finally:
            leave.set()
            thread.join(1.0)

    def request_stop(self) -> None:
        """Watch no more."""
        self._is_stopping.set()

    def _turn(self) -> None:
        """Show the thread that the loop turns; raise the alarm if it did not for a while."""
        naps, count = self._naps, self.count
        self._turns += 1
        if count > self._alarms and self.latest is not None:
            self._alarms = count
            text = self.latest.words(naps * self._nap_s)
            self._alarm(Alarm(source=_SOURCE, text=text, time_ns=self._clock.now_ns()))

    def _watch(self, leave: threading.Event) -> None:
        turns = self._turns
        while not leave.wait(self._nap_s):
            if self._turns != turns:
                turns, self._naps = self._turns, 0
                continue
            self._naps += 1
            if self._naps == _NAPS:
                self._is_blocked()

    def _is_blocked(self) -> None:
        envelope, actor = self._handling.envelope, self._handling.actor
        self.latest = Blocked(
            actor="" if envelope is None else actor,
            message_type="" if envelope is None else type(envelope.message).__name__,
            sequence=0 if envelope is None else envelope.sequence,
            where=_where(sys._current_frames().get(self._loop)),
        )
        self.count += 1
        self._tell(self.latest.words(_NAPS * self._nap_s))


def _where(frame: FrameType | None) -> str:
    if frame is None:
        return "unknown"
    file = "/".join(PurePath(frame.f_code.co_filename).parts[-2:])
    return f"{file}:{frame.f_code.co_qualname}:{frame.f_lineno}"
