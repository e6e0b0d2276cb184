"""The supervisor: runs its children in tasks of their own and does what the restart policy decides.

One task, the supervisor's, does everything in the order in which things happen: it launches, stops
and restarts. A child's task only runs the child and tells how that went; no exception of a child
reaches the nursery that it shares with its siblings. Cancelling a supervisor is no orderly stop: it
cancels all children at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from enum import Enum, StrEnum, auto
from math import inf
from random import Random  # noqa: TID251 - the type only; generators come from the run's seed
from typing import Protocol, runtime_checkable

import attrs
import trio

from actors.errors import IntensityExceeded
from actors.messages.system import ActorFailed, ActorGaveUp, ActorRestarted, FailureReport
from runtime.kernel.clock import Clock
from runtime.kernel.failures import report_failure
from runtime.kernel.restarts import (
    ChildPolicy,
    Exit,
    GiveUp,
    Restarts,
    ShutDown,
    SupervisorPolicy,
)

WORKER_SHUTDOWN_S = 5.0
"""How long a worker may take to stop unless told otherwise (OTP's default)."""

SupervisorReport = ActorFailed | ActorRestarted | ActorGaveUp


class Child(Protocol):
    """Something that can be run again and again, one incarnation after the other."""

    name: str

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Run one incarnation: tell ``started`` when ready, return or raise when it has ended."""
        ...

    def request_stop(self) -> None:
        """Ask the incarnation that runs now to return soon. Called only while :meth:`run` runs."""
        ...


@runtime_checkable
class Handler(Protocol):
    """A child that knows on which message it failed."""

    failed_sequence: int
    """The envelope on which the latest incarnation failed, 0 if on none."""


class State(StrEnum):
    """What a child is doing, as its supervisor sees it."""

    STARTING = "starting"
    RUNNING = "running"
    BACKING_OFF = "backing_off"
    STOPPING = "stopping"
    STOPPED = "stopped"
    GAVE_UP = "gave_up"
    """It failed and is not started again."""


@attrs.frozen(kw_only=True)
class ChildState:
    """One line of the tree: ``restarts`` counts since the run began, ``children`` if it has any."""

    name: str
    state: State
    restarts: int
    last_failure: FailureReport | None
    children: tuple[ChildState, ...] = ()


def _default_shutdown_s(spec: ChildSpec) -> float | None:
    return None if isinstance(spec.child, Supervisor) else WORKER_SHUTDOWN_S


@attrs.frozen(kw_only=True)
class ChildSpec:
    """A child, its policy, and how long it may take to stop.

    ``shutdown_s`` is in real seconds (of trio's clock): None waits for ever (the default for a
    supervisor), 0 cancels at once without asking; 5 s is the default for a worker.

    Raises:
        ValueError: If the names of child and policy differ, or ``shutdown_s`` is negative.
    """

    child: Child
    policy: ChildPolicy
    shutdown_s: float | None = attrs.Factory(_default_shutdown_s, takes_self=True)

    def __attrs_post_init__(self) -> None:
        if self.child.name != self.policy.name:
            raise ValueError(f"the policy of {self.child.name} is for {self.policy.name}")
        if self.shutdown_s is not None and not self.shutdown_s >= 0:
            raise ValueError(f"{self.child.name}: shutdown_s must be 0 or more, or None")


@attrs.frozen(kw_only=True)
class SupervisorServices:
    """What the supervisors of a run share.

    Attributes:
        clock: Back-off and budget go by it.
        random: Draws the jitter.
        report: Is told of each failure, restart and giving up. It must neither wait nor raise.
    """

    clock: Clock
    random: Random
    report: Callable[[SupervisorReport], None]


@attrs.define(eq=False)
class _Seat:
    """A child's place, which its incarnations take one after the other."""

    spec: ChildSpec
    launches: int = 0
    has_given_up: bool = False
    last_failure: FailureReport | None = None
    life: _Life | None = None

    @property
    def restarts(self) -> int:
        return max(0, self.launches - 1)


class _Event(Enum):
    UP = auto()
    ENDED = auto()


_Tell = Callable[[_Event, "_Life"], None]


class _Life:
    """One incarnation of a child; also the task status that is handed to it."""

    def __init__(self, spec: ChildSpec, tell: _Tell) -> None:
        self.error: Exception | None = None
        self.is_up = False
        self.is_asked_to_stop = False
        self.is_overdue = False
        """Whether it did not stop in time and was cancelled."""
        self._child = spec.child
        self._shutdown_s = spec.shutdown_s
        self._tell = tell
        self._has_begun = False
        self._scope = trio.CancelScope()
        self._ended = trio.Event()

    def started(self, value: None = None) -> None:  # noqa: ARG002 - trio's signature
        """Take notice that the child is ready; it calls this once."""
        if self.is_up:
            raise RuntimeError(f"{self._child.name} called started() twice in one incarnation")
        self.is_up = True
        self._tell(_Event.UP, self)

    async def run(self) -> None:
        """Run the child; nothing gets out of here but cancellation and KeyboardInterrupt."""
        try:
            with self._scope:
                if not self.is_asked_to_stop:
                    await self._run_child()
        finally:
            self._ended.set()
            self._tell(_Event.ENDED, self)

    async def _run_child(self) -> None:
        self._has_begun = True
        try:
            await self._child.run(task_status=self)
        except Exception as error:  # noqa: BLE001 - failures of children end here, all of them
            self.error = error
        except BaseExceptionGroup as group:
            self.error, others = group.split(Exception)
            if others is not None:
                raise others from None

    async def stop(self) -> None:
        """Ask the child to end, wait for as long as it may take, then cancel it."""
        self.is_asked_to_stop = True
        if self._has_begun and not self._ended.is_set():
            self._ask()
        limit_s = inf if self._shutdown_s is None else self._shutdown_s
        with trio.move_on_after(limit_s):
            await self._ended.wait()
        if not self._ended.is_set():
            self.is_overdue = limit_s > 0
            self._scope.cancel()
            await self._ended.wait()

    def _ask(self) -> None:
        if self._shutdown_s == 0:
            self._scope.cancel()
            return
        try:
            self._child.request_stop()
        except Exception as error:  # noqa: BLE001 - it cannot be asked, so it is cancelled
            self.error = error
            self._scope.cancel()
