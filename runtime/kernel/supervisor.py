"""The supervisor: runs its children in tasks of their own and does what the restart policy decides.

One task, the supervisor's, does everything in the order in which things happened: it launches,
stops and restarts. A child's task only runs the child and tells how that went; no exception of a
child reaches the nursery that it shares with its siblings. Nothing here polls or sleeps but on the
clock, so in virtual time a supervisor settles without time going by. Cancelling a supervisor is no
orderly stop: it cancels all its children at once.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from functools import partial
from random import Random  # noqa: TID251 - the type only; generators come from the run's seed
from typing import Protocol, assert_never, runtime_checkable

import attrs
import trio

from actors.errors import IntensityExceeded
from actors.messages.system import ActorFailed, ActorGaveUp, ActorRestarted, FailureReport
from runtime.kernel.clock import Clock
from runtime.kernel.failures import report_failure
from runtime.kernel.incarnation import Child, Incarnation, Progress
from runtime.kernel.restarts import (
    ChildPolicy,
    Exit,
    GiveUp,
    Restarts,
    ShutDown,
    StartAgain,
    StayDown,
    SupervisorPolicy,
)

WORKER_SHUTDOWN_S = 5.0
"""How long a worker may take to stop unless told otherwise (OTP's default)."""

SupervisorReport = ActorFailed | ActorRestarted | ActorGaveUp


@runtime_checkable
class FailsOnMessage(Protocol):
    """A child that knows on which message its latest incarnation failed."""

    failed_sequence: int
    """The envelope's sequence, 0 if it failed on none."""


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
    """One child: ``restarts`` since the run began; ``children`` if it is a supervisor itself."""

    name: str
    state: State
    restarts: int
    last_failure: FailureReport | None
    children: tuple["ChildState", ...]


def _default_shutdown_s(spec: "ChildSpec") -> float | None:
    return None if isinstance(spec.child, Supervisor) else WORKER_SHUTDOWN_S


@attrs.frozen(kw_only=True)
class ChildSpec:
    """A child, its policy, and how long it may take to start and to stop.

    Both are in seconds of trio's clock; None waits for ever. A child that is not ready after
    ``start_s`` has failed. A ``shutdown_s`` of 0 cancels at once, without asking; by default a
    worker gets 5 s and a supervisor all the time it needs.

    Raises:
        ValueError: If the policy has another name, ``start_s`` is not more than 0, or
            ``shutdown_s`` is negative.
    """

    child: Child
    policy: ChildPolicy
    start_s: float | None = None
    shutdown_s: float | None = attrs.Factory(_default_shutdown_s, takes_self=True)

    def __attrs_post_init__(self) -> None:
        if self.child.name != self.policy.name:
            raise ValueError(f"{self.child.name}: its policy is for {self.policy.name}")
        if self.start_s is not None and not self.start_s > 0:
            raise ValueError(f"{self.child.name}: start_s must be more than 0, or None")
        if self.shutdown_s is not None and not self.shutdown_s >= 0:
            raise ValueError(f"{self.child.name}: shutdown_s must be 0 or more, or None")


@attrs.frozen(kw_only=True)
class SupervisorServices:
    """What the supervisors of a run share.

    Attributes:
        clock: Back-off and budget go by it.
        random: Draws the jitter.
        report: Is told of each failure, restart and giving up; it neither waits nor raises.
    """

    clock: Clock
    random: Random
    report: Callable[[SupervisorReport], None]


@attrs.define(eq=False)
class _Seat:
    """A child's place, which its incarnations take one after the other."""

    spec: ChildSpec
    life: Incarnation | None = None
    launches: int = 0
    has_given_up: bool = False
    last_failure: FailureReport | None = None

    @property
    def restarts(self) -> int:
        return max(0, self.launches - 1)


@attrs.frozen
class _News:
    """Something that an incarnation has told, and when."""

    seat: _Seat
    life: Incarnation
    progress: Progress
    at_ns: int


class Supervisor:
    """Starts its children in order, restarts what fails, stops them in reversed order.

    It is a child itself, so supervisors nest: one that gives up raises ``IntensityExceeded``,
    chained from the last failure, which its own supervisor takes as any other failure.

    Raises:
        ValueError: If two children have one name, or a child is significant for no shutdown.
    """

    def __init__(
        self,
        name: str,
        policy: SupervisorPolicy,
        children: Sequence[ChildSpec],
        services: SupervisorServices,
    ) -> None:
        self.name = name
        self._make_restarts = partial(Restarts, policy, [spec.policy for spec in children])
        self._restarts = self._make_restarts()
        self._seats = {spec.policy.name: _Seat(spec) for spec in children}
        self._services = services
        self._news: deque[_News] = deque()
        self._bell = trio.Event()
        self._alarms: set[int] = set()
        self._rung_ns = 0
        self._is_ending = False
        self._failure: IntensityExceeded | None = None

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run the children until a stop is asked for, or their policy ends it.

        ``started`` is told when every child is up (or was asked to stop before that).

        Raises:
            IntensityExceeded: If there were more restarts than the budget allows.
        """
        self._restarts = self._make_restarts()
        self._failure = None
        self._restarts.begin(self._services.clock.now_ns())
        try:
            async with trio.open_nursery() as nursery:
                await self._supervise(nursery, task_status)
                nursery.cancel_scope.cancel()  # only alarms are left
            if self._failure is not None:
                raise self._failure
        finally:
            self._forget_run()

    def request_stop(self) -> None:
        """Ask for an orderly end: of this run or, if none is under way, of the next one."""
        self._is_ending = True
        self._bell.set()

    def children_states(self) -> list[ChildState]:
        """Return what each child is doing, in start order."""
        now_ns = self._services.clock.now_ns()
        return [self._child_state(seat, now_ns) for seat in self._seats.values()]

    async def _supervise(self, nursery: trio.Nursery, task_status: trio.TaskStatus[None]) -> None:
        has_started = False
        while not self._is_ending:
            self._launch_due(nursery)
            if not has_started and self._restarts.is_settled():
                has_started = True
                task_status.started()
            await self._bell.wait()
            self._bell = trio.Event()
            while self._news and not self._is_ending:
                await self._take(self._news.popleft())
        await self._stop(self._restarts.close())
        if not has_started and self._failure is None:
            task_status.started()

    def _launch_due(self, nursery: trio.Nursery) -> None:
        """Launch who may start now; set the alarm for the next back-off's end."""
        now_ns = max(self._services.clock.now_ns(), self._rung_ns)
        while (name := self._restarts.next_start(now_ns)) is not None:
            seat = self._seats[name]
            spec, tell = seat.spec, partial(self._hear, seat)
            seat.life = Incarnation(
                spec.child, tell, start_s=spec.start_s, shutdown_s=spec.shutdown_s
            )
            seat.launches += 1
            seat.has_given_up = False
            self._restarts.launched(name)
            nursery.start_soon(seat.life.run, name=name)
        wake_ns = self._restarts.wake_ns()
        if wake_ns is not None and wake_ns not in self._alarms:
            self._alarms.add(wake_ns)
            nursery.start_soon(self._ring_at, wake_ns)

    async def _ring_at(self, at_ns: int) -> None:
        await self._services.clock.sleep_until_ns(at_ns)
        self._alarms.discard(at_ns)
        # A clock made of floats may wake up a nanosecond early; to set the alarm again would spin.
        self._rung_ns = max(self._rung_ns, at_ns)
        self._bell.set()

    def _hear(self, seat: _Seat, life: Incarnation, progress: Progress) -> None:
        self._news.append(_News(seat, life, progress, self._services.clock.now_ns()))
        self._bell.set()

    async def _take(self, news: _News) -> None:
        seat = news.seat
        if seat.life is not news.life:
            return  # stopped in the meantime: nothing follows from how that went
        match news.progress:
            case Progress.UP:
                self._came_up(seat, news.at_ns)
            case Progress.ENDED:
                await self._ended(seat, news.life, news.at_ns)
            case _:
                assert_never(news.progress)

    def _came_up(self, seat: _Seat, now_ns: int) -> None:
        name = seat.spec.policy.name
        self._restarts.came_up(name, now_ns)
        if seat.restarts:
            delay_ns = self._restarts.delay_ns(name)
            self._services.report(
                ActorRestarted(actor=name, incarnation=seat.restarts, delay_ns=delay_ns)
            )

    async def _ended(self, seat: _Seat, life: Incarnation, now_ns: int) -> None:
        """Do what the policy decides about a child that ended by itself."""
        failure = self._vacate(seat, life)
        how = Exit.NORMAL if failure is None else Exit.FAILED
        name = seat.spec.policy.name
        decision = self._restarts.exited(name, how, now_ns, self._services.random.random())
        match decision:
            case StayDown():
                self._stays_down(seat, failure)
            case StartAgain():
                await self._stop(decision.stop)
            case ShutDown():
                self._stays_down(seat, failure)
                self._is_ending = True
            case GiveUp():
                reason = self._gave_up(seat, failure, decision.reason)
                self._failure = IntensityExceeded(f"{self.name} gave up on {name}: {reason}")
                self._failure.__cause__ = life.error
                self._is_ending = True
            case _:
                assert_never(decision)

    def _stays_down(self, seat: _Seat, failure: FailureReport | None) -> None:
        if failure is not None:
            self._gave_up(seat, failure, "temporary, so it is not restarted")

    def _gave_up(self, seat: _Seat, failure: FailureReport | None, reason: str) -> str:
        """Tell that a child stays down; return why, in full."""
        seat.has_given_up = True
        last = "it had returned" if failure is None else f"{failure.kind}: {failure.text}"
        reason = f"{reason}; {last}"
        self._services.report(ActorGaveUp(actor=seat.spec.policy.name, reason=reason))
        return reason

    async def _stop(self, names: Iterable[str]) -> None:
        """Stop children one after the other, in the order given."""
        for name in names:
            seat = self._seats[name]
            assert seat.life is not None, f"{name} is to be stopped, but does not run"
            await seat.life.stop()
            self._vacate(seat, seat.life)
            self._restarts.exited(name, Exit.SHUTDOWN, self._services.clock.now_ns(), 0.0)

    def _vacate(self, seat: _Seat, life: Incarnation) -> FailureReport | None:
        """Take an ended incarnation off its seat; report and return its failure, if any."""
        seat.life = None
        failure = _failure_of(life, seat.spec)
        if failure is not None:
            child = seat.spec.child
            sequence = child.failed_sequence if isinstance(child, FailsOnMessage) else 0
            seat.last_failure = failure
            self._services.report(
                ActorFailed(actor=child.name, failure=failure, message_sequence=sequence)
            )
        return failure

    def _forget_run(self) -> None:
        for seat in reversed(self._seats.values()):
            if seat.life is not None:  # the supervisor itself was cancelled
                self._vacate(seat, seat.life)
        self._restarts.close()
        self._news.clear()
        self._alarms.clear()
        self._bell = trio.Event()
        self._is_ending = False
        self._failure = None

    def _child_state(self, seat: _Seat, now_ns: int) -> ChildState:
        child = seat.spec.child
        return ChildState(
            name=child.name,
            state=self._state(seat, now_ns),
            restarts=seat.restarts,
            last_failure=seat.last_failure,
            children=tuple(child.children_states()) if isinstance(child, Supervisor) else (),
        )

    def _state(self, seat: _Seat, now_ns: int) -> State:
        if seat.life is not None:
            if seat.life.is_asked_to_stop:
                return State.STOPPING
            return State.RUNNING if seat.life.is_up else State.STARTING
        due_ns = self._restarts.waits_until_ns(seat.spec.policy.name)
        if due_ns is not None:
            return State.BACKING_OFF if due_ns > now_ns else State.STARTING
        return State.GAVE_UP if seat.has_given_up else State.STOPPED


def _failure_of(life: Incarnation, spec: ChildSpec) -> FailureReport | None:
    if life.error is not None:
        return report_failure(life.error)
    if life.is_late:
        text = f"was not ready within {spec.start_s:g} s and was cancelled"
        return FailureReport(kind="StartTimeout", text=text, where="unknown")
    if life.is_overdue:
        text = f"did not stop within {spec.shutdown_s:g} s and was cancelled"
        return FailureReport(kind="ShutdownTimeout", text=text, where="unknown")
    return None
