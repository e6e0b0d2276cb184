"""The live way of running cells: each drains its own mailbox, timers have a task of their own."""

from collections.abc import Callable, Sequence
from typing import Any

import trio

from actors.actor import Source
from runtime.kernel.cell import Cell
from runtime.kernel.clock import Clock, Timers
from runtime.kernel.post import Post


class LiveTimers:
    """Delivers messages whose time has come; a child of a supervisor."""

    name = "timers"

    def __init__(self, clock: Clock) -> None:
        self.post: Post | None = None
        self._clock = clock
        self._timers = Timers()
        self._nap = trio.CancelScope()
        self._added = trio.Event()
        self._is_stopping = False

    def set(self, at_ns: int, what: Any) -> None:
        """Remember a delayed delivery for ``at_ns``."""
        next_ns = self._timers.next_ns()
        self._timers.set(at_ns, what)
        self._added.set()
        if next_ns is None or at_ns < next_ns:
            self._nap.cancel()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Deliver what is due, until asked to stop."""
        self._is_stopping = False
        task_status.started()
        while not self._is_stopping:
            due_ns = self._timers.next_ns()
            if due_ns is None:
                self._added = trio.Event()
                await self._added.wait()
            elif due_ns > self._clock.now_ns():
                with trio.CancelScope() as self._nap:
                    await self._clock.sleep_until_ns(due_ns)
            else:
                await self._deliver(self._timers.pop()[1])

    async def _deliver(self, what: Any) -> None:
        assert self.post is not None
        blocked = self.post.deliver_delayed(what, self._clock.now_ns())
        for mailbox, envelope in blocked or ():
            await mailbox.send(envelope)

    def request_stop(self) -> None:
        """Deliver no more."""
        self._is_stopping = True
        self._added.set()
        self._nap.cancel()


class Quiescence:
    """Tells when no message is in flight: none queued, none being handled, none on its way."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._cells: Sequence[Cell] = ()
        self._changed = trio.Event()
        self._is_awaited = False

    def watch(self, cells: Sequence[Cell]) -> None:
        """Say which cells there are."""
        self._cells = cells

    def is_quiet(self) -> bool:
        """Return whether no message is in flight now."""
        return not self._post.in_flight_later and all(cell.is_idle for cell in self._cells)

    def check(self) -> None:
        """Take notice that a cell has become idle."""
        if self._is_awaited:
            self._changed.set()

    async def wait(self) -> None:
        """Return when no message is in flight."""
        while not self.is_quiet():
            self._changed = trio.Event()
            self._is_awaited = True
            await self._changed.wait()
        self._is_awaited = False


class LiveFeed:
    """Sends a source's slices into the ring as their time comes; a child of a supervisor."""

    def __init__(
        self,
        name: str,
        make_source: Callable[[int], Source],
        wrap: Callable[[Any], Any],
        post: Post,
        clock: Clock,
    ) -> None:
        self.name = name
        self.incarnation = -1
        self._make_source = make_source
        self._wrap = wrap
        self._post = post
        self._clock = clock
        self._scope = trio.CancelScope()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Send everything the source has; each slice at the time of its last row."""
        self.incarnation += 1
        source = self._make_source(self.incarnation)
        task_status.started()
        with trio.CancelScope() as self._scope:
            for rows in source.slices(self._clock.now_ns() if self.incarnation else 0):
                if not len(rows):
                    continue
                await self._clock.sleep_until_ns(rows.times()[-1])
                message = self._wrap(rows)
                blocked = self._post.deliver(self.name, 0, message, self._clock.now_ns())
                for mailbox, envelope in blocked or ():
                    await mailbox.send(envelope)

    def request_stop(self) -> None:
        """Send no more."""
        self._scope.cancel()
