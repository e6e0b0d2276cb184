"""The stages of a stop where something is not as it should be."""

from typing import Any

import attrs
import trio

from actors.messages.system import CancelAll
from runtime.config.daemon import StopConfig, StopPolicy
from runtime.observe.result import ExitCode
from runtime.system.live import LiveSystem
from runtime.system.stages import Stages
from runtime.wiring.plant import build_live
from runtime.wiring.routes import Role
from tests.runtime.system.test_live_system import LONG, after, lived, scene

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


@attrs.frozen
class _Letter:
    message: Any = None


async def test_a_stage_without_names_still_says_something() -> None:
    wound = stages()
    assert wound._words_on_fills() == "messages are in flight"
    assert wound._words_on_orders() == "some have not answered"
