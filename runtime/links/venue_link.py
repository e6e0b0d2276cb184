"""The far side of a link: keeps a connection, sends calls over it, and tells what comes back.

Each call is a task of its own with a deadline. What becomes of it is told in any case:

========================================= ==========
what has happened                         outcome
========================================= ==========
the venue has answered                    as it says
there is no connection                    NOT_SENT
the gate held it back                     NOT_SENT
its time was over before a byte had left  NOT_SENT
its time was over later                   LOST
the connection broke under it             LOST
the link failed under it                  LOST
========================================= ==========
"""

from contextlib import aclosing
from typing import Any, Protocol

import trio
from loguru import logger

from actors.errors import AuthenticationError, JournalError, NetworkError, VenueError
from actors.messages.system import Alarm
from actors.messages.venue import Outcome, VenueAnswer, VenueCall
from runtime.kernel import faults
from runtime.kernel.clock import NANOSECONDS, Clock
from runtime.links.adapter import Adapter, Connection, HeldBack
from runtime.links.desk import OWN_CALL, Desk, answer_of, cancel_all

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0
_EMERGENCY_S = 1.0
"""How long an emergency goes on when everything else is cancelled: seconds."""


class Postman(Protocol):
    """What delivers messages."""

    def deliver(self, sender: str, cause: int, message: Any, now_ns: int) -> Any:
        """Send a message to everyone who is to have it."""
        ...


class VenueLink:
    """A link to one venue; a child of a supervisor.

    Attributes:
        is_connected: Whether calls can leave now.
    """

    def __init__(self, desk: Desk, adapter: Adapter, sender: str, services: tuple[Postman, Clock]):
        self.name = f"{sender}-link"
        self._desk = desk
        self._adapter = adapter
        self._sender = sender
        self._post, self._clock = services
        self._connection: Connection | None = None
        self._tasks: trio.Nursery | None = None
        self._scope = trio.CancelScope()

    @property
    def is_connected(self) -> bool:
        """Return whether calls can leave now."""
        return self._connection is not None

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep the connection and serve calls until asked to stop."""
        self._scope = trio.CancelScope()
        with self._scope:
            async with trio.open_nursery() as self._tasks:
                self._tasks.start_soon(self._keep_connected)
                task_status.started()
                while True:
                    self._tasks.start_soon(self._serve, await self._desk.calls.receive())
        self._tasks = None

    def request_stop(self) -> None:
        """Let calls that are under way be lost, and disconnect."""
        self._scope.cancel()

    def cancel_all_now(self, cause: str) -> None:
        """Cancel what works at the venue by the shortest way: past the desk, nothing recorded."""
        if self._tasks is not None:
            call = cancel_all(cause, self._clock.now_ns())
            self._tasks.start_soon(self._serve_shielded, call)

    # --- calls -----------------------------------------------------------------------------------

    async def _serve_shielded(self, call: VenueCall) -> None:
        with trio.move_on_after(_EMERGENCY_S, shield=True):
            await self._serve(call)

    async def _serve(self, call: VenueCall) -> None:
        """See a call through, and tell what has become of it."""
        attempt = _Attempt(self._desk, call, self._clock)
        answer = attempt.lost("the link failed")
        try:
            answer = await attempt.outcome(self._connection)
            faults.reach("link.before_answer")
        except trio.Cancelled:
            answer = attempt.lost("the link was stopped")
            raise
        finally:
            self._tell(answer)

    def _tell(self, message: Any) -> None:
        """Deliver a message; one that cannot be recorded any more is not."""
        if isinstance(message, VenueAnswer) and message.number == OWN_CALL:
            return
        try:
            self._post.deliver(self._sender, 0, message, self._clock.now_ns())
        except JournalError as error:
            logger.warning(f"{self.name}: a {type(message).__name__} is not recorded: {error}")

    # --- the connection --------------------------------------------------------------------------

    async def _keep_connected(self) -> None:
        """Connect, again and again, with growing pauses; tell when it is cut, and back."""
        pause_s, was_up, has_told = _FIRST_PAUSE_S, False, False
        while True:
            try:
                async with self._adapter.connect() as connection:
                    if has_told:
                        logger.warning(f"{self.name}: connected again")
                    pause_s, was_up, has_told = _FIRST_PAUSE_S, True, False
                    self._connection = connection
                    await self._hear(connection)
            except (NetworkError, AuthenticationError, VenueError) as error:
                if not has_told:
                    self._alarm(f"{'cut off' if was_up else 'no connection'}: {error}")
                    has_told = True
            finally:
                self._connection = None
            await trio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def _hear(self, connection: Connection) -> None:
        async with aclosing(connection.heard()) as messages:
            async for message in messages:
                self._tell(message)

    def _alarm(self, text: str) -> None:
        self._tell(Alarm(source=self.name, text=text, time_ns=self._clock.now_ns()))


class _Attempt:
    """One call on its way: knows whether a byte of it may have left."""

    def __init__(self, desk: Desk, call: VenueCall, clock: Clock) -> None:
        self._desk = desk
        self._call = call
        self._clock = clock
        self._has_left = False

    async def outcome(self, connection: Connection | None) -> VenueAnswer:
        """Send the call, and return what has become of it."""
        now_ns = self._clock.now_ns()
        if connection is None:
            return self.lost("there is no connection to the venue")
        left_s = (self._call.deadline_ns - now_ns) / NANOSECONDS
        with trio.move_on_after(max(0.0, left_s)):
            try:
                return await connection.request(self._call, self._may_leave)
            except HeldBack as error:
                return self.lost(str(error))
            except (NetworkError, VenueError) as error:
                return self.lost(f"no answer: {error}")
        return self.lost("no answer in time")

    def lost(self, reason: str) -> VenueAnswer:
        """Return the answer to a call without one: whether it has left decides which."""
        outcome = Outcome.LOST if self._has_left else Outcome.NOT_SENT
        return answer_of(self._call, outcome, reason, self._desk.venue, self._clock.now_ns())

    def _may_leave(self, call: VenueCall) -> str | None:
        refusal = self._desk.gate.refusal(call, self._clock.now_ns())
        if refusal is None:
            faults.reach("link.before_send")
            self._has_left = True
        return refusal
