"""A message from cell to cell: waiting for each, and draining bursts."""

import time
from typing import Any

import msgspec
import trio

from actors.actor import Context
from runtime.kernel.cell_spec import CellServices, CellSpec
from runtime.kernel.clock import LiveClock
from runtime.kernel.determinism import seeded_random
from runtime.kernel.live import LiveTimers, Quiescence
from runtime.kernel.live_cell import LiveCell
from runtime.kernel.mailbox import Mailbox
from runtime.kernel.post import Post


class Ball(msgspec.Struct, frozen=True, gc=False):
    """A message that is passed on until its number is 0."""

    to: str
    left: int


class _Player:
    """Passes each ball back to the other cell; the last one ends the game."""

    def __init__(self, other: str, finished: trio.Event) -> None:
        self._other = other
        self._finished = finished

    def start(self, now_ns: int) -> list[Any]:
        return []

    def handle(self, message: Any, now_ns: int) -> list[Any]:
        if message.left:
            return [Ball(self._other, message.left - 1)]
        self._finished.set()
        return []

    def recover(self, history: Any) -> None:
        raise AssertionError("a benchmark does not crash")

    def stop(self, now_ns: int) -> list[Any]:
        return []


class _Thrower(_Player):
    """Throws a burst of balls that the other drains."""

    def __init__(self, other: str, finished: trio.Event, burst: int) -> None:
        super().__init__(other, finished)
        self._burst = burst

    def handle(self, message: Any, now_ns: int) -> list[Any]:
        return [Ball(self._other, -1)] * self._burst + [Ball(self._other, message.left)]


class _Catcher(_Player):
    """Takes what comes; asks for the next burst at the end of each."""

    def handle(self, message: Any, now_ns: int) -> list[Any]:
        return super().handle(message, now_ns) if message.left >= 0 else []


def _spec(name: str, rank: int, core: Any) -> CellSpec:
    def context(incarnation: int) -> Context:
        return Context(
            run_id="bench", actor=name, incarnation=incarnation, random=seeded_random(1, name)
        )

    def make_core(_context: Context) -> Any:
        return core

    return CellSpec(name=name, rank=rank, make_core=make_core, context=context)


def _cells(cores: dict[str, Any]) -> tuple[Post, list[LiveCell]]:
    clock = LiveClock()
    timers = LiveTimers(clock)
    post = Post(clock, timers, None, None)
    quiescence = Quiescence(post)
    services = CellServices(
        post=post,
        clock=clock,
        journal=None,
        became_idle=quiescence.check,
        changed=lambda _cell: None,
    )

    cells = {
        name: LiveCell(_spec(name, rank, core), Mailbox(name, capacity=4096), services)
        for rank, (name, core) in enumerate(cores.items())
    }
    routes = {name: (cell,) for name, cell in cells.items()}
    post.routes = {Ball: lambda ball: routes[ball.to]}
    return post, list(cells.values())


async def _play(cores: dict[str, Any], first: Ball, finished: trio.Event) -> float:
    post, cells = _cells(cores)
    async with trio.open_nursery() as nursery:
        for cell in cells:
            await nursery.start(cell.run)
        started = time.perf_counter()
        post.deliver("bench", 0, first, 0)
        await finished.wait()
        elapsed = time.perf_counter() - started
        for cell in cells:
            cell.request_stop()
    return elapsed


def busy_message(messages: int = 50_000) -> float:
    """Return seconds for a message between two cells that each wait for the other."""

    async def main() -> float:
        finished = trio.Event()
        cores = {"ping": _Player("pong", finished), "pong": _Player("ping", finished)}
        return await _play(cores, Ball("ping", messages), finished) / messages

    return trio.run(main)


def burst_message(bursts: int = 100, burst: int = 1000) -> float:
    """Return seconds for a message to a cell that drains bursts."""

    async def main() -> float:
        finished = trio.Event()
        cores = {
            "thrower": _Thrower("catcher", finished, burst),
            "catcher": _Catcher("thrower", finished),
        }
        return await _play(cores, Ball("thrower", bursts), finished) / (bursts * burst)

    return trio.run(main)
