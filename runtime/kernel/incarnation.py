"""One incarnation of a supervised child: its task, how it is asked to stop, and how it ended."""

from collections.abc import Callable
from enum import Enum, auto
from math import inf
from typing import Protocol

import trio


class Child(Protocol):
    """Something that can be run again and again, one incarnation after the other."""

    name: str

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Run one incarnation: tell ``started`` when ready, return or raise when it has ended."""
        ...

    def request_stop(self) -> None:
        """Ask the incarnation to return soon. A supervisor calls this only while it runs."""
        ...


class Progress(Enum):
    """What an incarnation tells of itself."""

    UP = auto()
    ENDED = auto()


class Incarnation:
    """A child's task; it is also the task status that the child is given.

    Attributes:
        error: What the child raised, its cancellations taken out.
        is_up: Whether the child has told that it is ready.
        is_asked_to_stop: Whether its end, from now on, is no exit of its own.
        is_overdue: Whether it did not stop in time and was cancelled.
        is_late: Whether it was not ready in time and was cancelled.
    """

    def __init__(
        self,
        child: Child,
        tell: Callable[["Incarnation", Progress], None],
        *,
        start_s: float | None,
        shutdown_s: float | None,
    ) -> None:
        self.error: Exception | None = None
        self.is_up = False
        self.is_asked_to_stop = False
        self.is_overdue = False
        self.is_late = False
        self._child = child
        self._start_s = inf if start_s is None else start_s
        self._shutdown_s = shutdown_s
        self._tell = tell
        self._has_begun = False
        self._scope = trio.CancelScope()
        self._ended = trio.Event()

    def started(self, value: None = None) -> None:
        """Take notice that the child is ready; it calls this once."""
        if self.is_up:
            raise RuntimeError(f"{self._child.name} called started() twice in one incarnation")
        self.is_up = True
        self._scope.deadline = inf
        self._tell(self, Progress.UP)

    async def run(self) -> None:
        """Run the child; only cancellation and exits (KeyboardInterrupt) get out of here."""
        try:
            with self._scope:
                if not self.is_asked_to_stop:
                    self._has_begun = True
                    self._scope.deadline = trio.current_time() + self._start_s
                    await self._run_child()
            self.is_late = self._scope.cancelled_caught and not self.is_asked_to_stop
        finally:
            self._ended.set()
            self._tell(self, Progress.ENDED)

    async def _run_child(self) -> None:
        try:
            await self._child.run(task_status=self)
        except Exception as error:  # noqa: BLE001 - whatever a child raises is its supervisor's
            self.error = error
        except BaseExceptionGroup as group:
            self.error, others = group.split(Exception)
            if others is not None:
                raise others from None

    async def stop(self) -> None:
        """Ask the child to end and wait for as long as it may take; then cancel it."""
        self.is_asked_to_stop = True
        self._scope.deadline = inf
        if self._shutdown_s != 0 and self._ask():
            with trio.move_on_after(inf if self._shutdown_s is None else self._shutdown_s):
                await self._ended.wait()
            self.is_overdue = not self._ended.is_set()
        self._scope.cancel()
        await self._ended.wait()

    def _ask(self) -> bool:
        """Return whether the child could be asked, or need not be."""
        if self._has_begun and not self._ended.is_set():
            try:
                self._child.request_stop()
            except Exception as error:  # noqa: BLE001 - it cannot be asked, so it is cancelled
                self.error = error
                return False
        return True
