"""Plants of cells a, b, c that a supervisor runs, live or simulated."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from heapq import heappush
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from runtime.kernel.cell import Cell
from runtime.kernel.supervisor import Supervisor
from tests.runtime.kernel.fakes import (
    Note,
    Plant,
    Script,
    live_plant,
    simulated_plant,
)

Mode = Callable[[], Plant]
MODES = pytest.mark.parametrize("mode", [live_plant, simulated_plant])


@asynccontextmanager
async def supervised(
    of: Plant, names: str | None = None, **options: Any
) -> AsyncIterator[Supervisor]:
    """Run all cells of a plant, or those named, and stop them in the end."""
    supervisor = of.supervisor(names, **options)
    async with trio.open_nursery() as nursery:
        await nursery.start(lambda **status: supervisor.run(**status))
        yield supervisor
        supervisor.request_stop()


async def settle(of: Plant) -> None:
    """Let everything happen that can happen without time going by."""
    if of.ready is None:
        await wait_all_tasks_blocked()
    else:
        await of.drain()


def notes(*texts: str) -> list[Note]:
    """Return notes to a."""
    return [Note("a", text) for text in texts]


def forward(message: Any, _now_ns: int) -> list[Any]:
    """Pass a message on to b."""
    return [Note("b", f"{message.text} 1"), Note("b", f"{message.text} 2")]


def revive(of: Plant) -> None:
    """Let who has a core again handle what has waited for it, as the sequencer does."""

    def changed(cell: Cell) -> None:
        if cell.core is not None and of.ready is not None:
            waiting = cell.mailbox.depth + cell.mailbox.waiting + (cell.retry is not None)
            for turn in range(-waiting, 0):
                heappush(of.ready, (cell.rank, turn, cell))

    of.on_change.append(changed)


def plant(mode: Mode, *scripts: Script, **options: Any) -> Plant:
    """Return a plant of the cells a, b, ..."""
    of = mode()
    revive(of)
    for name, script in zip("abc", scripts, strict=False):
        of.add(name, script, **options)
    return of
