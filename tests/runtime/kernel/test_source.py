"""A feed's cell: its slices in order, its failure in its turn, its return."""

from collections.abc import Callable, Iterator
from typing import Any

import attrs
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from actors.messages.slices import Slice
from runtime.kernel.cell_spec import CellState
from runtime.kernel.clock import VirtualClock
from runtime.kernel.source import Ended, Failed, SourceCell
from tests.builders import quote_rows
from tests.runtime.kernel.fakes import Broken


def rows(*times: int) -> Slice:
    """Return one row at each time; the times are one apart, or there is one."""
    return quote_rows([(1, 2)] * len(times), start_ns=times[0] if times else 0, step_ns=1)


@attrs.define
class FakeSource:
    """Yields slices; an exception among them is raised."""

    items: list[Slice | Exception]
    resumed: list[int] = attrs.field(factory=list)
    taken: int = 0

    def slices(self, resume_ns: int) -> Iterator[Slice]:
        self.resumed.append(resume_ns)
        for item in self.items:
            self.taken += 1
            if isinstance(item, Exception):
                raise item
            yield item

    def summary(self) -> dict[str, Any]:
        return {"slices": len(self.items)}


def feed(
    *items: Slice | Exception, clock: VirtualClock | None = None
) -> tuple[SourceCell, FakeSource]:
    source = FakeSource(list(items))
    return SourceCell("feed", lambda _incarnation: source, clock or VirtualClock()), source


async def everything(cell: SourceCell) -> list[Any]:
    """Return the times of each slice, and how the source has ended."""
    told: list[Any] = []
    while True:
        item = await cell.next()
        if isinstance(item, Ended | Failed):
            return [*told, item]
        told.append(item.times())


async def run(cell: SourceCell, use: Callable[[], Any]) -> Any:
    """Run a feed while it is used."""
    async with trio.open_nursery() as nursery:
        await nursery.start(lambda **status: cell.run(**status))
        return await use()


async def test_slices_come_in_order_and_empty_ones_not_at_all() -> None:
    cell, source = feed(rows(), rows(1, 2), rows(), rows(3), rows(4), rows(5), rows())

    async def use() -> list[Any]:
        told = await everything(cell)
        assert cell.state is CellState.RUNNING
        cell.reach_end()
        return told

    assert await run(cell, use) == [[1, 2], [3], [4], [5], Ended()]
    assert (cell.state, cell.incarnation, source.resumed) == (CellState.STOPPED, 0, [0])
    assert cell.source is source


async def test_a_source_does_not_run_far_ahead() -> None:
    cell, source = feed(*(rows(number) for number in range(10)))

    async def use() -> None:
        await wait_all_tasks_blocked()
        assert source.taken == 3
        await cell.next()
        await wait_all_tasks_blocked()
        assert source.taken == 4
        cell.request_stop()

    await run(cell, use)


async def test_a_source_has_started_when_it_has_its_first_rows_and_time_begins_there() -> None:
    clock = VirtualClock()
    cell, _ = feed(rows(), rows(70), clock=clock)

    async def use() -> None:
        assert clock.now_ns() == 70
        cell.request_stop()

    await run(cell, use)


async def test_a_source_without_rows_leaves_time_alone() -> None:
    clock = VirtualClock()
    cell, _ = feed(rows(), clock=clock)

    async def use() -> list[Any]:
        cell.reach_end()
        return await everything(cell)

    assert await run(cell, use) == [Ended()]
    assert clock.now_ns() == 0


async def test_a_failure_is_told_in_its_turn_and_raised_when_it_has_come_to_that() -> None:
    error = Broken("line 3")
    cell, _ = feed(rows(1), rows(2), error)

    async def use() -> None:
        assert await everything(cell) == [[1], [2], Failed(error)]
        await wait_all_tasks_blocked()
        assert (cell.failures, cell.state) == (0, CellState.RUNNING)
        cell.reach_end()

    with pytest.raises(ExceptionGroup) as raised:
        await run(cell, use)
    assert raised.value.exceptions == (error,)
    assert (cell.failures, cell.state) == (1, CellState.DOWN)


async def test_a_failure_before_the_first_row_is_told_in_the_same_way() -> None:
    error = Broken("no header")
    cell, _ = feed(error)

    async def use() -> None:
        assert await everything(cell) == [Failed(error)]
        cell.reach_end()

    with pytest.raises(ExceptionGroup):
        await run(cell, use)


async def test_a_source_that_cannot_be_made_fails_to_start() -> None:
    def make(_incarnation: int) -> FakeSource:
        raise Broken("no such file")

    cell = SourceCell("feed", make, VirtualClock())
    with pytest.raises(Broken, match="no such file"):
        await cell.run()


async def test_a_source_that_returns_resumes_at_the_time_that_it_is() -> None:
    clock = VirtualClock()
    cell, source = feed(rows(5), Broken("once"), clock=clock)
    starts: list[int] = []
    cell.on_start = lambda: starts.append(cell.incarnation)

    async def fail() -> None:
        await everything(cell)
        cell.reach_end()

    for now_ns in (7, 9):
        with pytest.raises(ExceptionGroup):
            await run(cell, fail)
        clock.advance(now_ns)
    assert source.resumed == [0, 7]
    assert (starts, cell.incarnation, cell.failures) == ([0, 1], 1, 2)


@pytest.mark.parametrize("slices", [1, 9])
async def test_a_source_that_is_stopped_ends_in_peace_and_says_so(slices: int) -> None:
    cell, _ = feed(*(rows(number) for number in range(slices)), Broken("never told"))

    async def use() -> None:
        await wait_all_tasks_blocked()
        cell.request_stop()
        assert await cell.next() == Ended()

    await run(cell, use)
    assert (cell.state, cell.failures) == (CellState.STOPPED, 0)


async def test_who_waits_for_a_source_that_is_stopped_is_told() -> None:
    cell, _ = feed()
    async with trio.open_nursery() as nursery:
        told: list[Any] = []

        async def wait() -> None:
            told.append(await cell.next())

        nursery.start_soon(wait)
        await wait_all_tasks_blocked()
        cell.request_stop()
    assert told == [Ended()]


async def test_a_source_that_is_cancelled_is_down() -> None:
    cell, _ = feed(rows(1))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(cell.run)
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert cell.state is CellState.DOWN
