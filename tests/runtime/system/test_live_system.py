"""A run in real time, on a clock that jumps: how it begins, how it ends, what it leaves undone."""

import signal
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from trio.testing import MockClock

from actors.errors import JournalError
from actors.messages.system import ActorGaveUp, CancelAllAtVenue, Halt
from actors.orders.manager import OrderManager
from actors.portfolio.portfolio import Portfolio
from runtime.config.daemon import CrashConfig, StopConfig, StopPolicy
from runtime.kernel.determinism import seeded_scheduler
from runtime.observe.result import ExitCode
from runtime.system import live
from runtime.system.halting import halt
from runtime.system.live import LiveSettings, LiveSystem
from runtime.system.notify import ServiceManager
from runtime.system.outcome import WallTimes, outcome
from runtime.wiring.blueprint import Blueprint
from runtime.wiring.components import blueprint
from runtime.wiring.plant import Plant, build_live
from runtime.wiring.routes import Role
from tests.ring.rig import config
from tests.ring.scenes import SMALL
from tests.ring.traps import Trap, trapped

_SECOND = 1_000_000_000
LONG = "feeds[0].events=1000"
_EPOCH_NS = 1_800_000_000 * _SECOND
_MINUTE_NS = 60 * _SECOND
PATIENT = StopConfig(
    strategies_ns=_MINUTE_NS,
    orders_ns=_MINUTE_NS,
    fills_ns=_MINUTE_NS,
    journal_ns=_MINUTE_NS,
    links_ns=_MINUTE_NS,
)


@attrs.define
class Lived:
    """A run in real time that is over, and what was sent in it."""

    system: LiveSystem
    sent: list[Any]

    @property
    def orders(self) -> OrderManager:
        found: OrderManager = self.system.cores[Role.ORDERS]
        return found

    @property
    def portfolio(self) -> Portfolio:
        found: Portfolio = self.system.cores[Role.PORTFOLIO]
        return found

    @property
    def held(self) -> list[Decimal]:
        return [each.quantity for each in self.portfolio.positions() if each.quantity]

    def of(self, kind: type) -> list[Any]:
        return [each for each in self.sent if isinstance(each, kind)]


def scene(*overrides: str) -> Blueprint:
    return blueprint(config(SMALL, "mode=paper", "slice_rows=1", *overrides))


def lived(
    plan: Blueprint,
    beside: Callable[[LiveSystem], Any] | None = None,
    folder: Path | None = None,
    **settings: Any,
) -> Lived:
    """Run to the end, with something going on beside.

    The clock jumps; where a journal is written, by a thread in real time, it only runs fast.
    """
    journal = None if folder is None else folder / "journal.db"
    settings.setdefault("stop", StopConfig() if folder is None else PATIENT)
    given = LiveSettings(epoch_ns=_EPOCH_NS, **settings)
    system = LiveSystem(plan, folder=folder, journal_path=journal, settings=given)
    run = Lived(system, [])

    def listen(plant: Plant) -> None:
        plant.post.tap = lambda envelope: run.sent.append(envelope.message)

    system.prepare(listen)
    if beside is not None:
        system.accompany(lambda: beside(system))
    clock = MockClock(autojump_threshold=0) if folder is None else MockClock(rate=10)
    with seeded_scheduler(plan.seed):
        trio.run(system.main, clock=clock)
    return run


def after(seconds: float, do: Callable[[LiveSystem], Any]) -> Callable[[LiveSystem], Any]:
    async def beside(system: LiveSystem) -> None:
        await trio.sleep(seconds)
        do(system)

    return beside


def test_it_ends_with_its_data() -> None:
    run = lived(scene("feeds[0].events=100"))
    assert run.system.exit_code is ExitCode.GOOD
    assert run.system.ending == "the market data ended"
    assert run.system.rows_passed == 100
    assert run.orders.open_orders() == []
    assert len(run.portfolio.fills) > 3
    assert run.system.undone == []


def test_it_ends_when_its_time_is_over_and_says_so_in_its_result() -> None:
    settings = config(SMALL, "mode=paper", LONG)
    run = lived(blueprint(settings), duration_ns=5 * _SECOND)
    result = outcome(settings, run.system, WallTimes(started_ns=0, finished_ns=1))
    assert result.reason == "its time is over"
    assert 60 < result.events < 80
    assert result.feeds[0].summary["generator"] == "random_walk"
    assert [row.state for row in result.actors if row.name.endswith(".one")] == ["running"]


@pytest.mark.parametrize("policy", list(StopPolicy))
def test_the_policy_decides_what_becomes_of_orders_and_positions(policy: StopPolicy) -> None:
    run = lived(scene(LONG), duration_ns=11 * _SECOND, stop=StopConfig(policy=policy))
    assert run.system.exit_code is ExitCode.GOOD, run.system.ending
    assert bool(run.orders.open_orders()) is (policy is StopPolicy.KEEP)
    assert bool(run.held) is (policy is not StopPolicy.FLATTEN)


def test_what_is_asked_for_first_decides() -> None:
    def ask(system: LiveSystem) -> None:
        system.request_stop("somebody asked", StopPolicy.KEEP)
        system.request_stop("too late", StopPolicy.FLATTEN, ExitCode.FAILED)

    run = lived(scene(LONG), after(11, ask))
    assert run.system.ending == "somebody asked"
    assert run.system.exit_code is ExitCode.GOOD
    assert run.orders.open_orders()


def test_a_signal_stops_in_order() -> None:
    run = lived(scene(LONG), after(11, lambda _: signal.raise_signal(signal.SIGTERM)))
    assert (run.system.exit_code, run.system.ending) == (ExitCode.INTERRUPTED, "interrupted")
    assert run.orders.open_orders() == []


def test_a_second_signal_is_quick_and_cancels_at_the_venue(tmp_path: Path) -> None:
    def interrupt_twice(system: LiveSystem) -> None:
        system.interrupt()
        system.interrupt()

    run = lived(scene(LONG), after(2, interrupt_twice), tmp_path)
    assert [each.cause for each in run.of(CancelAllAtVenue)] == ["stopped at once"]
    assert run.system.exit_code is ExitCode.FAILED
    assert run.system.ending == (
        "interrupted; left undone: stopped at once: not all stages were gone through"
    )


def test_what_is_not_done_in_time_is_named() -> None:
    slow = "broker.latency={type: constant, submit: 31ms, report: 17ms, cancel: 60s}"
    stop = StopConfig(orders_ns=_SECOND, fills_ns=_SECOND)
    run = lived(scene(LONG, slow), duration_ns=11 * _SECOND, stop=stop)
    assert run.system.exit_code is ExitCode.FAILED
    (words,) = run.system.undone
    assert words.startswith("orders: ")
    assert " open (small-3-" in words
    assert run.system.ending == f"its time is over; left undone: {words}"


def test_a_strategy_that_fails_at_its_last_words_is_named_and_the_rest_stops() -> None:
    plan = scene(LONG)
    make = plan.strategies["one"]

    def failing(context: Any) -> Any:
        core: Any = make(context)

        def stop(_now_ns: int) -> list[Any]:
            raise RuntimeError("no last words")

        core.stop = stop
        return core

    plan = attrs.evolve(plan, strategies={**plan.strategies, "one": failing})
    run = lived(plan, duration_ns=5 * _SECOND)
    (words,) = run.system.undone
    assert "one failed when it stopped: RuntimeError('no last words')" in words
    assert run.orders.open_orders() == []


@pytest.mark.parametrize("policy", [StopPolicy.CANCEL, StopPolicy.KEEP])
def test_the_end_of_a_core_ends_the_run(policy: StopPolicy, tmp_path: Path) -> None:
    plan = scene(LONG, "supervision={intensity: 0}")
    plan = trapped(plan, Role.PORTFOLIO, Trap(30, after=False))
    run = lived(plan, folder=tmp_path, crash=CrashConfig(policy=policy))
    assert run.system.exit_code is ExitCode.FAILED
    assert run.system.ending is not None
    assert run.system.ending.startswith("portfolio gave up: ")
    assert [each.actor for each in run.of(ActorGaveUp)] == ["portfolio"]
    assert bool(run.of(Halt)) is (policy is StopPolicy.CANCEL)


def test_the_end_of_a_strategy_does_not() -> None:
    plan = trapped(scene("supervision={intensity: 0}"), "one", Trap(30, after=False))
    run = lived(plan)
    assert run.system.exit_code is ExitCode.GOOD
    assert [each.actor for each in run.of(ActorGaveUp)] == ["one"]


def test_a_journal_that_fails_ends_the_run_and_tells_whoever_can_still_cancel(
    tmp_path: Path,
) -> None:
    told: list[str] = []

    class Shell:
        name = "far"

        async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
            task_status.started()
            await trio.sleep_forever()

        def request_stop(self) -> None:
            told.append("stop")

        def cancel_all_now(self, cause: str) -> None:
            told.append(cause)

    def fail(system: LiveSystem) -> None:
        system._lose_journal(JournalError("the disk is full"))
        system._lose_journal(JournalError("and again"))

    plan = attrs.evolve(scene(LONG), shells={"far": lambda _post, _clock: Shell()})
    run = lived(plan, after(2, fail), tmp_path, stop=StopConfig(links_ns=_SECOND))
    assert run.system.exit_code is ExitCode.FAILED
    assert run.system.failure == "the journal has failed: the disk is full"
    assert told[0] == "the journal has failed"
    sent = len(run.sent)
    run.system._send(CancelAllAtVenue("too late"))
    assert len(run.sent) == sent


def test_a_third_signal_halts_and_the_run_goes_on() -> None:
    run = lived(
        scene(LONG),
        after(5, lambda _: signal.raise_signal(signal.SIGUSR1)),
        duration_ns=11 * _SECOND,
    )
    assert {(halt.cause, halt.final) for halt in run.of(Halt)} == {("SIGUSR1", False)}
    assert run.orders.open_orders() == []
    assert run.system.ending == "its time is over"


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_comes_before_the_actors_are_there_is_kept(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without somebody who listens, it would end the process: here, nobody is so rude."""
    before = signal.signal(number, lambda *_: None)

    def build(*arguments: Any, **options: Any) -> Plant:
        signal.raise_signal(number)
        return build_live(*arguments, **options)

    monkeypatch.setattr(live, "build_live", build)
    try:
        run = lived(scene(LONG), duration_ns=5 * _SECOND)
    finally:
        signal.signal(number, before)
    is_halt = number is signal.SIGUSR1
    assert {halt.cause for halt in run.of(Halt)} == ({"SIGUSR1"} if is_halt else set())
    assert run.system.ending == ("its time is over" if is_halt else "interrupted")
    assert run.portfolio.fills == []


def test_a_hang_up_is_left_alone_where_it_was_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        run = lived(
            scene(LONG),
            after(2, lambda _: signal.raise_signal(signal.SIGHUP)),
            duration_ns=5 * _SECOND,
        )
    finally:
        signal.signal(signal.SIGHUP, before)
    assert run.system.ending == "its time is over"


def test_a_tree_that_fails_ends_the_run(tmp_path: Path) -> None:
    class Shell:
        name = "far"

        async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
            task_status.started()
            await trio.sleep(3)
            raise RuntimeError("far too far")

        def request_stop(self) -> None:
            raise AssertionError

    plan = attrs.evolve(scene(LONG), shells={"far": lambda _post, _clock: Shell()})
    run = lived(plan, duration_ns=60 * _SECOND)
    assert run.system.exit_code is ExitCode.FAILED
    assert run.system.ending is not None
    assert run.system.ending.startswith("far gave up: ")
    assert run.of(Halt)


def test_a_second_run_goes_on_with_the_first_ones_journal(tmp_path: Path) -> None:
    keep = attrs.evolve(PATIENT, policy=StopPolicy.KEEP)
    first = lived(scene(LONG), folder=tmp_path, duration_ns=3 * _SECOND, stop=keep)
    second = lived(scene(LONG), folder=tmp_path, duration_ns=2 * _SECOND)
    assert first.system.exit_code is second.system.exit_code is ExitCode.GOOD
    assert second.system.plant.resumption is not None
    earlier = [fill.trade_id for fill in first.portfolio.fills]
    assert [fill.trade_id for fill in second.portfolio.fills][: len(earlier)] == earlier
    assert second.orders.open_orders() == []


def test_a_halt_of_an_earlier_process_is_told_where_people_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(ServiceManager, "ready", lambda _self, status: told.append(status))
    for _ in range(2):
        lived(
            scene(LONG),
            after(1, lambda system: halt(system.plant, "it was late", "test")),
            folder=tmp_path,
            duration_ns=2 * _SECOND,
        )
    assert told == ["running", "halted: it was late"]


def test_who_holds_the_loop_is_watched_for_if_asked() -> None:
    run = lived(scene(LONG), duration_ns=_SECOND, blocked_after_ns=60 * _SECOND)
    assert run.system.watchdog is not None
    assert run.system.watchdog.count == 0
    assert lived(scene(LONG), duration_ns=_SECOND).system.watchdog is None


def test_it_runs_in_a_loop_of_its_own_and_tells_its_manager(tmp_path: Path) -> None:
    told: list[str] = []

    class Manager(ServiceManager):
        def tell(self, *words: str) -> None:
            told.extend(words)

    settings = LiveSettings(
        duration_ns=_SECOND // 5, manager=Manager(address="there", watchdog_s=0.05)
    )
    plan = scene(LONG, "feeds[0].interval=10ms")
    system = LiveSystem(plan, journal_path=tmp_path / "journal.db", settings=settings)
    system.run()
    assert told[0] == "READY=1"
    assert "WATCHDOG=1" in told
    assert told.index("WATCHDOG=1") < told.index("STOPPING=1")


def falling(*, has_started: bool) -> LiveSystem:
    """Return a run whose tree of actors falls over, when it has started or before."""

    async def run(*, task_status: trio.TaskStatus[None]) -> None:
        if has_started:
            task_status.started()
        await trio.sleep(1)
        raise RuntimeError("no root")

    def fell(plant: Plant) -> None:
        root: Any = plant.root
        root.run = run

    system = LiveSystem(scene(LONG), settings=LiveSettings(epoch_ns=_EPOCH_NS))
    system.prepare(fell)
    return system


def test_a_tree_that_falls_over_ends_the_run_with_its_words() -> None:
    system = falling(has_started=True)
    trio.run(system.main, clock=MockClock(autojump_threshold=0))
    assert system.exit_code is ExitCode.FAILED
    assert system.failure is not None
    assert system.failure.startswith("RuntimeError: no root (")


def test_a_tree_that_cannot_be_started_is_no_run() -> None:
    with pytest.raises(ExceptionGroup) as caught:
        trio.run(falling(has_started=False).main, clock=MockClock(autojump_threshold=0))
    assert caught.group_contains(RuntimeError, match="no root")
