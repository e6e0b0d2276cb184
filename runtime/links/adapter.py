"""What an adapter of a venue offers to the link: a connection, calls over it, and news from it."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from actors.messages.venue import VenueAnswer, VenueCall, VenueNews

MayLeave = Callable[[VenueCall], str | None]
"""Asked right before the first byte of a call leaves: why it must not, or None."""


class HeldBack(Exception):
    """A call was refused by the gate: not one byte of it has left. ``args[0]`` says why."""


class Connection(Protocol):
    """One connection to a venue, while it lasts."""

    async def request(self, call: VenueCall, may_leave: MayLeave) -> VenueAnswer:
        """Send a call and return the venue's answer.

        The connection asks ``may_leave`` once, when nothing is left to be waited for before the
        first byte. Whoever calls this cancels it when the call's time is over.

        Raises:
            HeldBack: If the call must not leave.
            NetworkError: If the connection broke: whether the call has arrived, nobody knows.
        """
        ...

    def heard(self) -> AsyncGenerator[VenueNews | VenueAnswer, None]:
        """Yield what comes unasked, and answers that nobody waits for any more.

        Raises:
            NetworkError: When the connection breaks.
        """
        ...


class Adapter(Protocol):
    """How one kind of venue is spoken to."""

    def connect(self) -> AbstractAsyncContextManager[Connection]:
        """Connect, and disconnect at the end of the block.

        Raises:
            NetworkError: If the venue cannot be reached.
            AuthenticationError: If it does not let us in.
        """
        ...
