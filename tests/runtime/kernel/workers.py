"""Children of a supervisor that log what happens to them, and their world."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from random import Random  # noqa: TID251 - seeded, in a test
from typing import Any

import attrs
import trio
from trio.testing import wait_all_tasks_blocked

from runtime.kernel.clock import VirtualClock
from runtime.kernel.incarnation import Child
from runtime.kernel.restarts import (
    ChildPolicy,
    Restart,
    SupervisorPolicy,
)
from runtime.kernel.supervisor import (
    ChildSpec,
    State,
    Supervisor,
    SupervisorReport,
    SupervisorServices,
)
from tests.runtime.kernel.otp_model import Log

PERIOD_NS = 5


class Worker:
    """A child that does as it is told: it starts, waits, and ends in the way the test asks for."""

    def __init__(self, name: str, log: Log, *, failing_starts: int = 0) -> None:
        self.name = name
        self.failing_starts = failing_starts
        self.may_start = trio.Event()
        self.may_start.set()
        self.obeys = True
        self.on_stop: Callable[[], None] = lambda: None
        self._log = log
        self._end = trio.Event()
        self._error: BaseException | None = None

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        self._end = trio.Event()
        self._error = None
        if self.failing_starts:
            self.failing_starts -= 1
            self._log.append(("fail", self.name))
            raise ConnectionError(f"{self.name} cannot start")
        await self.may_start.wait()
        self._log.append(("start", self.name))
        task_status.started()
        try:
            await self._end.wait()
        except trio.Cancelled:
            self._log.append(("cancelled", self.name))
            raise
        if self._error is not None:
            raise self._error

    def request_stop(self) -> None:
        self._log.append(("stop", self.name))
        self.on_stop()
        if self.obeys:
            self._end.set()

    def crash(self, error: BaseException | None = None) -> None:
        self._error = error or ValueError(f"{self.name} crashed")
        self._end.set()

    def finish(self) -> None:
        self._end.set()


def started(*names: str) -> Log:
    return [("start", name) for name in names]


def stopped(*names: str) -> Log:
    return [("stop", name) for name in names]


@attrs.define
class World:
    """A run's clock, its log of starts and stops, and all that its supervisors report."""

    clock: Any = attrs.Factory(VirtualClock)
    log: Log = attrs.Factory(list)
    reports: list[SupervisorReport] = attrs.Factory(list)
    seed: int = 1

    def workers(self, names: str) -> list[Worker]:
        return [Worker(name, self.log) for name in names]

    def supervisor(
        self, name: str, children: Iterable[Child | ChildSpec], **policy: Any
    ) -> Supervisor:
        policy.setdefault("intensity", 3)
        services = SupervisorServices(
            clock=self.clock, random=Random(self.seed), report=self.reports.append
        )
        specs = [each if isinstance(each, ChildSpec) else spec(each) for each in children]
        return Supervisor(name, SupervisorPolicy(**policy), specs, services)

    async def advance(self, to_ns: int) -> None:
        """Move virtual time on, waking whoever sleeps till then, and let everybody settle."""
        while (next_ns := self.clock.timers.next_ns()) is not None and next_ns <= to_ns:
            at_ns, woken = self.clock.timers.pop()
            self.clock.advance(max(at_ns, self.clock.now_ns()))
            woken.set()
            await wait_all_tasks_blocked()
        self.clock.advance(to_ns)
        await wait_all_tasks_blocked()

    def said(self, kind: type) -> list[Any]:
        return [report for report in self.reports if isinstance(report, kind)]


def spec(child: Child, restart: Restart = Restart.PERMANENT, **options: Any) -> ChildSpec:
    limits = {name: options.pop(name) for name in ("start_s", "shutdown_s") if name in options}
    policy = ChildPolicy(name=child.name, restart=restart, **options)
    return ChildSpec(child=child, policy=policy, **limits)


@asynccontextmanager
async def running(supervisor: Supervisor) -> AsyncIterator[None]:
    """Run a supervisor around a block: all its children are up before, and stopped after it."""
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        yield
        supervisor.request_stop()


async def crash(worker: Worker, error: BaseException | None = None) -> None:
    worker.crash(error)
    await wait_all_tasks_blocked()


async def finish(worker: Worker) -> None:
    worker.finish()
    await wait_all_tasks_blocked()


def states(supervisor: Supervisor) -> dict[str, State]:
    return {child.name: child.state for child in supervisor.children_states()}
