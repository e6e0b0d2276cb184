"""A journal's writer that fails: told, and nothing else ends by it."""

from actors.errors import JournalError
from runtime.kernel.journal_watch import WatchedJournal
from runtime.kernel.supervisor import State
from tests.runtime.kernel.workers import Worker, World, crash, running, started, states, stopped


def watched(world: World) -> tuple[WatchedJournal, Worker, list[JournalError]]:
    told: list[JournalError] = []
    (writer,) = world.workers("j")
    return WatchedJournal(writer, told.append), writer, told


async def test_a_failure_is_told_and_the_run_goes_on(world: World) -> None:
    journal, writer, told = watched(world)
    supervisor = world.supervisor("top", [journal], intensity=0)
    error = JournalError("the disk is full")
    async with running(supervisor):
        await crash(writer, error)
        assert told == [error]
        assert states(supervisor) == {"j": State.RUNNING}
    assert world.reports == []
    assert world.log == [*started("j"), *stopped("j")]


async def test_what_is_no_failure_of_the_journal_is_its_supervisor_s(world: World) -> None:
    journal, writer, told = watched(world)
    async with running(world.supervisor("top", [journal])):
        await crash(writer, KeyError("a bug"))
        assert world.log == started("j", "j")
    assert told == []
    assert len(world.reports) == 2
