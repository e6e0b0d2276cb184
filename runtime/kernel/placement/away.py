"""Calls a core off the event loop, and does not wait for it for ever.

In simulated time nothing of this is used: a core in a process is called there as any other, and one
in a thread is called in the loop.
"""

import math
import sys
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

import trio

from actors.actor import Core
from runtime.kernel.placement.process import PlacedCore, Unresponsive

T = TypeVar("T")

_SWITCH_S = 0.0005
"""How long a thread that computes keeps the interpreter from the others (5 ms by default)."""


class Away(Protocol):
    """How the core of one actor is called; one call at a time."""

    @property
    def is_busy(self) -> bool:
        """Return whether a call is under way."""
        ...

    async def start(self, core: Core, now_ns: int) -> list[Any]:
        """Start a fresh core and return what it sends."""
        ...

    async def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """Return what a call of the core returns; raise what it raises.

        Raises:
            Unresponsive: If it takes too long.
        """
        ...

    async def wait(self, core: Core, until: Callable[[], Awaitable[T]]) -> T:
        """Wait for something else, and see to it meanwhile that the core is there."""
        ...


class InThread:
    """Calls a core in a thread of its own: it shares the interpreter with the event loop.

    A core that computes for long makes everything slower, and one that calls into C code without
    letting go of the interpreter stops it. So that the loop gets its turn, the interpreter changes
    threads more often once there is such a core, in this whole process. A thread cannot be killed:
    one that has not come back in time is left behind with its core, and counted.

    Args:
        name: The actor's.
        deadline_s: How long a call may take, in seconds of trio's clock.
    """

    def __init__(self, name: str, deadline_s: float) -> None:
        self.left_behind = 0
        """How many threads have not come back in time; some of them may have since."""
        self._name = name
        self._deadline_s = deadline_s
        self._turn = trio.Lock()

    @property
    def is_busy(self) -> bool:
        """Return whether a call is under way."""
        return self._turn.locked()

    async def start(self, core: Core, now_ns: int) -> list[Any]:
        """Start a fresh core and return what it sends."""
        sys.setswitchinterval(min(sys.getswitchinterval(), _SWITCH_S))
        return await self.call(core.start, now_ns)

    async def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """Return what a call of the core returns; raise what it raises."""
        async with self._turn:
            with trio.move_on_after(self._deadline_s):
                return await _in_thread(function, *arguments)
        self.left_behind += 1
        raise Unresponsive(
            f"{self._name} has not returned within {self._deadline_s:g} s; "
            f"threads left behind so far: {self.left_behind}"
        )

    async def wait(self, core: Core, until: Callable[[], Awaitable[T]]) -> T:
        """Wait for something else; a core that is not called does nothing."""
        return await until()


class InProcess:
    """Calls a core in a process of its own, which is killed when it does not answer in time.

    Args:
        deadline_s: How long an answer may take, in seconds of the machine.
        heartbeat_s: How often it is asked whether it is there while there is nothing else to ask,
            in seconds of trio's clock; infinity for never.
    """

    def __init__(self, deadline_s: float, heartbeat_s: float = math.inf) -> None:
        self._deadline_s = deadline_s
        self._heartbeat_s = heartbeat_s
        self._turn = trio.Lock()

    @property
    def is_busy(self) -> bool:
        """Return whether a call is under way."""
        return self._turn.locked()

    async def start(self, core: Core, now_ns: int) -> list[Any]:
        """Start the process and the core in it, and return what that sends."""
        assert isinstance(core, PlacedCore)
        core.deadline_s = self._deadline_s
        try:
            return await self.call(core.start, now_ns)
        except BaseException:
            core.close()
            raise

    async def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """Return what a call of the core returns; raise what it raises."""
        async with self._turn:
            return await _in_thread(function, *arguments)

    async def wait(self, core: Core, until: Callable[[], Awaitable[T]]) -> T:
        """Wait for something else, and ask the process now and then whether it is there."""
        assert isinstance(core, PlacedCore)
        while True:
            with trio.move_on_after(self._heartbeat_s):
                return await until()
            await self.call(core.ping)


async def _in_thread(function: Callable[..., T], *arguments: Any) -> T:
    """Call in a thread; who has been left behind takes nobody's place."""
    return await trio.to_thread.run_sync(
        function, *arguments, abandon_on_cancel=True, limiter=trio.CapacityLimiter(1)
    )
