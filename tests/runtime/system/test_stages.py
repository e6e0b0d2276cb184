"""The stages of a stop where something is not as it should be."""

from pathlib import Path
from typing import Any

import attrs
import trio

from actors.errors import JournalError
from actors.messages.system import CancelAll
from runtime.config.daemon import StopConfig, StopPolicy
from runtime.observe.result import ExitCode
from runtime.system.live import LiveSystem
from runtime.system.notify import ServiceManager
from runtime.system.stages import Stages
from runtime.wiring.plant import build_live
from runtime.wiring.routes import Role
from tests.runtime.system.test_live_system import LONG, after, lived, scene
from tests.runtime.system.test_live_venue import RESTING, remote

_SECOND = 1_000_000_000


def stages(policy: StopPolicy = StopPolicy.CANCEL) -> Stages:
    """Return the stages of a plant that has not been started: it has no cores."""
    plant = build_live(scene(), None, lambda _event: None, epoch_ns=0)
    soon = StopConfig(orders_ns=_SECOND // 10, fills_ns=_SECOND // 10)
    return Stages(plant, soon, policy, "a test")


async def test_who_is_not_there_has_nothing_to_say_and_does_nothing() -> None:
    wound = stages(StopPolicy.FLATTEN)
    with trio.fail_after(5):
        await wound.run()
    assert wound.undone == [
        "orders: some have not answered",
        "fills: messages are in flight",
    ]
    assert (wound.open_orders(), wound.unknown_orders(), wound.holdings()) == ([], [], [])


def test_what_is_still_held_is_named() -> None:
    """The broker takes no order to close: the positions stay."""
    slow = "broker.latency={type: constant, submit: 60s, report: 1ms, cancel: 1ms}"
    plan = scene(LONG)
    late = scene(LONG, slow)

    def slow_down(system: LiveSystem) -> None:
        system.plant.cells[Role.BROKER].core = late.cores[Role.BROKER](_context(system))

    stop = StopConfig(policy=StopPolicy.FLATTEN, orders_ns=2 * _SECOND, fills_ns=_SECOND)
    run = lived(plan, after(10.9, slow_down), duration_ns=11 * _SECOND, stop=stop)
    assert run.system.exit_code is ExitCode.FAILED
    orders = next(each for each in run.system.undone if each.startswith("orders: "))
    assert " held (SYN1)" in orders
    assert run.of(CancelAll)


def _context(system: LiveSystem) -> Any:
    return system.plant.cells[Role.BROKER].spec.context(0)


async def test_a_full_mailbox_is_waited_for() -> None:
    wound = stages()
    cell = wound._plant.cells[Role.ORDERS]
    sent: list[str] = []
    full = cell.mailbox

    class Room:
        async def send(self, envelope: Any) -> None:
            sent.append(type(envelope.message).__name__)

    def deliver(*_arguments: Any) -> Any:
        return [(Room(), attrs.evolve(_Letter(), message=CancelAll("x")))]

    post: Any = wound._plant.post
    post.deliver = deliver
    await wound._send_from("system", CancelAll("x"))
    assert sent == ["CancelAll"]
    assert full.depth == 0


async def test_a_journal_that_fails_ends_the_stages() -> None:
    wound = stages()
    post: Any = wound._plant.post

    def deliver(*_arguments: Any) -> Any:
        raise JournalError("no room")

    post.deliver = deliver
    wound._is_idle = lambda: True  # type: ignore[method-assign]
    with trio.fail_after(5):
        await wound.run()
    assert wound.undone == ["orders: the journal has failed: no room"]
    assert str(wound.journal_error) == "no room"


def test_a_journal_that_fails_amid_a_stop_is_cancelled_past(tmp_path: Path) -> None:
    """Last words cannot be recorded; orders that rest are cancelled all the same."""
    venues: list[Any] = []

    def break_journal(system: LiveSystem) -> None:
        venues.append(system.plant.cells[Role.VENUE].core)
        journal: Any = system.plant.journal

        def append(*_row: Any) -> None:
            raise JournalError("no room")

        journal.append = append
        system.request_stop("the test is over")

    stop = StopConfig(orders_ns=600 * _SECOND, links_ns=_SECOND)
    run = lived(remote(habits=RESTING), after(3, break_journal), tmp_path, stop=stop)
    assert run.system.exit_code is ExitCode.FAILED
    assert run.system.failure is not None
    assert "the journal has failed: no room" in run.system.failure
    statuses = [each.status for each in venues[0].ledger().orders]
    assert statuses
    assert all(status.is_terminal for status in statuses)


def test_stages_end_when_the_journal_is_lost_beside_them(tmp_path: Path) -> None:
    def lose(system: LiveSystem) -> None:
        venue: Any = system.plant.cells[Role.VENUE].core
        venue.handle = lambda *_: []  # the orders' stage waits for its answers
        system.request_stop("the test is over")

    async def beside(system: LiveSystem) -> None:
        await trio.sleep(3)
        lose(system)
        await trio.sleep(1)
        system._lose_journal(JournalError("no room"))

    stop = StopConfig(orders_ns=600 * _SECOND, links_ns=_SECOND)
    run = lived(remote(habits=RESTING), beside, tmp_path, stop=stop)
    assert "not all stages were gone through" in run.system.undone
    assert (run.system.finished_ns - run.system.started_ns) < 60 * _SECOND


def test_a_service_manager_hears_no_more_once_the_journal_has_failed(tmp_path: Path) -> None:
    told: list[str] = []

    class Manager(ServiceManager):
        def tell(self, *words: str) -> None:
            told.extend(words)

    def break_journal(system: LiveSystem) -> None:
        told.clear()
        journal: Any = system.plant.journal

        async def durable(_sequence: int) -> None:
            raise JournalError("no room")

        journal.durable = durable

    stop = StopConfig(links_ns=_SECOND)
    manager = Manager(address="there", watchdog_s=0.5)
    run = lived(scene(LONG), after(3, break_journal), tmp_path, stop=stop, manager=manager)
    assert run.system.exit_code is ExitCode.FAILED
    assert run.system.failure is not None
    assert "the journal has failed: no room" in run.system.failure
    assert "STOPPING=1" in told
    assert "WATCHDOG=1" not in told[told.index("STOPPING=1") :]


@attrs.frozen
class _Letter:
    message: Any = None


async def test_a_stage_without_names_still_says_something() -> None:
    wound = stages()
    assert wound._words_on_fills() == "messages are in flight"
    assert wound._words_on_orders() == "some have not answered"
