"""Calls of a core off the event loop."""

import sys
from collections.abc import Iterator
from typing import Any

import pytest
import trio

from runtime.kernel.placement.away import InProcess, InThread
from runtime.kernel.placement.process import Unresponsive
from tests.runtime.kernel.placement.cores import Hopeless, Obedient, Slow, context, placed


@pytest.fixture(autouse=True)
def _switching() -> Iterator[None]:
    interval = sys.getswitchinterval()
    yield
    sys.setswitchinterval(interval)


async def ticks_during(call: Any) -> tuple[int, Any]:
    """Return how often the loop has turned during a call, and what the call has raised."""
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            await trio.sleep(0.01)
            turns += 1

    raised: Any = None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(turn)
        try:
            await call()
        except Exception as error:  # noqa: BLE001 - looked at by the test
            raised = error
        nursery.cancel_scope.cancel()
    return turns, raised


async def test_in_a_thread_a_core_is_called_as_ever() -> None:
    away, core = InThread("far", 5.0), Obedient(context())
    assert await away.start(core, 4) == ["started", 4, 0, 0, 0]
    assert await away.call(core.handle, ("add", 3), 5) == [3]
    with pytest.raises(ValueError, match="oh"):
        await away.call(core.handle, ("fail", "oh"), 5)

    async def seven() -> int:
        return 7

    assert await away.wait(core, seven) == 7
    assert (away.left_behind, away.is_busy) == (0, False)
    assert sys.getswitchinterval() < 0.001


async def test_a_thread_that_does_not_come_back_is_left_behind_and_counted() -> None:
    away, core = InThread("far", 0.1), Obedient(context())
    for number in (1, 2):
        turns, raised = await ticks_during(lambda: away.call(core.handle, ("nap", 0.4), 5))
        assert isinstance(raised, Unresponsive)
        assert str(raised) == (
            f"far has not returned within 0.1 s; threads left behind so far: {number}"
        )
        assert turns >= 3
    assert away.left_behind == 2


async def test_one_call_waits_for_the_other() -> None:
    away, core = InThread("far", 5.0), Obedient(context())
    seen: list[Any] = []

    async def call(message: Any) -> None:
        seen.extend(await away.call(core.handle, message, 1))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(call, ("nap", 0.1))
        await trio.testing.wait_all_tasks_blocked()
        assert away.is_busy
        nursery.start_soon(call, ("add", 1))
    assert seen == ["slept", 1]


async def test_in_a_process_it_starts_answers_and_is_asked_whether_it_is_there() -> None:
    away, core = InProcess(5.0, 0.05), placed(Slow)
    turns, raised = await ticks_during(lambda: away.start(core, 4))
    assert raised is None
    assert turns >= 5
    assert core.deadline_s == 5.0
    assert await away.call(core.handle, ("add", 3), 5) == [3]
    seen: list[bool] = []

    async def busy_later() -> str:
        await trio.sleep(0.02 if len(seen) == 3 else 10)
        return "done"

    async def wait() -> None:
        assert await away.wait(core, counted) == "done"

    async def counted() -> str:
        seen.append(away.is_busy)
        return await busy_later()

    await wait()
    assert len(seen) == 3
    core.close()
    assert not away.is_busy


async def test_a_process_that_dies_while_nothing_is_asked_of_it_is_noticed() -> None:
    away, core = InProcess(5.0, 0.05), placed()
    await away.start(core, 4)
    child = core._child
    assert child is not None
    child._process.kill()
    with pytest.raises(Unresponsive, match="far: its process has ended with signal SIGKILL"):
        await away.wait(core, trio.sleep_forever)
    assert core.pid is None


async def test_a_call_that_is_cancelled_ends_its_process() -> None:
    away, core = InProcess(30.0), placed()
    await away.start(core, 4)
    with trio.move_on_after(0.1) as scope:
        await away.call(core.handle, ("spin", None), 5)
    assert scope.cancelled_caught
    core.close()  # as a cell does that has lost its core; the thread lets the connection go
    assert core.pid is None
    with pytest.raises(Unresponsive):
        core.start(5)  # there is no other process


async def test_a_process_is_not_left_behind_when_the_core_in_it_cannot_start() -> None:
    away, core = InProcess(5.0), placed(Hopeless)
    with pytest.raises(Exception, match="no far today"):
        await away.start(core, 4)
    assert core.pid is None
    core = placed(Slow)
    with trio.move_on_after(0.02):
        await away.start(core, 4)
    assert core.pid is None
