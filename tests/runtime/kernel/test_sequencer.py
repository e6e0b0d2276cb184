"""The sequencer: what happens in which order, from the start to the end."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from actors.actor import Later
from actors.errors import IntensityExceeded
from actors.messages.records import MarketRow
from actors.messages.system import ActorFailed
from runtime.kernel import lookahead
from runtime.kernel import sequencer as sequencer_module
from runtime.kernel.cell_spec import CellState
from runtime.kernel.clock import LiveClock
from runtime.kernel.determinism import steady_collector
from runtime.kernel.pace import Pace
from runtime.kernel.supervisor import Supervisor
from tests.runtime.kernel.fakes import SECOND, Note, Order, Script, ScriptedCore, Tick
from tests.runtime.kernel.ring import (
    SIZES,
    A,
    B,
    LiveRing,
    Ring,
    down_for,
    feed,
    journal,
    quotes,
    ring,
    rising,
    run,
    times,
)
from tests.runtime.kernel.ring_cores import RingScript

# One thing after the other


@SIZES
def test_at_one_instant_timers_come_first_then_reactions_then_rows_then_acts(size: int) -> None:
    everything: list[Any] = []
    shared: dict[str, Any] = {"seen": everything, "log": everything, "handled": everything}
    strategy = RingScript(every=2, trigger=3, timer_ns=20, **shared)
    of = ring(rising(3), size, venue=RingScript(**shared), strategies={"s": strategy})
    run(of)
    order, tick = Order("venue", "s", "s-0-1", 3), Tick("s")
    accepted, filled = Note("s", "accepted s-0-1"), Note("s", "filled s-0-1 at 3")
    assert everything == [
        (10, "A 1"),
        (20, "A 2"),
        order,
        accepted,
        f"20: {accepted}",
        tick,
        f"30: {tick}",
        "30: 1 filled",
        filled,
        f"30: {filled}",
        (30, "A 3"),
    ]


def test_at_one_instant_lower_ranks_are_served_first_and_each_in_the_order_sent() -> None:
    heard: list[str] = []

    def answer(name: str, **to: list[str]) -> Callable[[Any, int], list[Any]]:
        def reply(note: Any, _now_ns: int) -> list[Any]:
            heard.append(f"{name} {note.text}")
            return [Note(receiver, f"{name}{note.text}") for receiver in to.get(note.text, [])]

        return reply

    scripts = {
        "x": Script(answer=answer("x", go=["z", "y", "z"])),
        "y": Script(answer=answer("y", xgo=["x", "z"])),
        "z": Script(answer=answer("z")),
    }
    more = {name: partial(ScriptedCore, script=script) for name, script in scripts.items()}
    of = ring(rising(1), more=more)
    of.plant.deliver(Note("x", "go"))
    run(of)
    assert heard == ["x go", "y xgo", "x yxgo", "z xgo", "z xgo", "z yxgo"]


def test_strategies_that_act_on_one_row_send_in_order_of_rank() -> None:
    strategies = {
        "s": RingScript(every=2, trigger=99, is_vectorised=True),
        "t": RingScript(every=2, trigger=99),
        "u": RingScript(every=2, trigger=99, is_vectorised=True),
    }
    of = ring(rising(2), strategies=strategies)
    run(of)
    row, *orders = journal(of)[:4]
    assert (row.sender, row.receivers) == ("market", ("s", "t", "u"))
    assert [entry.sender for entry in orders] == ["s", "t", "u"]
    assert {entry.cause for entry in orders} == {row.sequence}


@SIZES
def test_feeds_are_merged_by_time_and_then_by_their_order(size: int) -> None:
    strategy = RingScript()
    one = quotes((10, 1), (20, 2), (20, 3), (50, 4))
    two = quotes((5, 5, 1), (20, 6, 1), (30, 7, 1))
    of = Ring(feeds={"1": feed(one, size), "2": feed(two, size)}, strategies={"s": strategy})
    run(of)
    assert [text for _, text in strategy.seen] == ["B 5", "A 1", "A 2", "A 3", "B 6", "B 7", "A 4"]


def test_time_begins_with_the_first_row_of_all_feeds() -> None:
    strategy = RingScript(timer_ns=7)
    feeds = {"1": feed(rising(3, first_ns=50)), "2": feed(rising(2, first_ns=40))}
    run(Ring(feeds=feeds, strategies={"s": strategy}))
    assert strategy.started == [40]
    assert strategy.log[0] == f"47: {Tick('s')}"


def test_a_strategy_hears_only_what_it_wants() -> None:
    rows = quotes((10, 1, 0), (20, 2, 1), (30, 3, 0))
    scripts = {"a": RingScript(codes=frozenset({A})), "b": RingScript(codes=frozenset({B}))}
    deaf = RingScript(codes=frozenset())
    run(ring(rows, strategies={**scripts, "c": deaf}))
    assert [times(script) for script in scripts.values()] == [[10, 30], [20]]
    assert deaf.seen == []


def test_rows_that_nobody_wants_pass_all_the_same() -> None:
    of = ring(rising(500))
    run(of)
    assert (of.sequencer.rows_passed, of.plant.clock.now_ns()) == (500, 5_001)


# The start


@SIZES
def test_before_the_first_row_a_back_off_takes_no_time(size: int) -> None:
    bad = RingScript(fails={("start", 0): 1, ("start", 1): 2})
    venue = RingScript(fails={("start", 0): 1})
    of = ring(rising(3), size, venue=venue, strategies={"s": bad}, backoff=down_for(25))
    run(of)
    assert bad.started == [10, 10, 10]
    assert times(bad) == [10, 20, 30]


async def test_a_tree_that_cannot_be_started_is_given_up() -> None:
    bad = RingScript(fails={("start", number): 99 for number in range(9)})
    of = ring(rising(3), strategies={"s": bad}, backoff=down_for(25))
    supervisor = of.plant.supervisor(children=of.children, intensity=3, base_ns=25)
    with pytest.raises(ExceptionGroup) as raised:
        await bring_up(of, supervisor)
    assert isinstance(raised.value.exceptions[0], IntensityExceeded)
    assert len(bad.started) == 4


async def bring_up(of: Ring, tree: Supervisor) -> None:
    async with trio.open_nursery() as nursery:
        await of.sequencer.bring_up(nursery, tree)


# The end


def test_a_message_in_flight_keeps_the_run_alive_and_a_background_timer_does_not() -> None:
    strategy = RingScript(every=2, trigger=0, timer_ns=7)
    of = ring(rising(2), venue=RingScript(latency_ns=50), strategies={"s": strategy})
    run(of)
    assert f"70: {Note('s', 'accepted s-0-1')}" in strategy.log
    assert strategy.handled.count(Tick("s")) == 8
    assert of.plant.clock.now_ns() == 70


def test_without_anything_in_flight_the_run_ends_at_the_last_row() -> None:
    strategy = RingScript(timer_ns=7)
    of = ring(rising(2), strategies={"s": strategy})
    run(of)
    assert of.plant.clock.now_ns() == 21, "the feed's end is one after its last row"
    assert strategy.handled == [Tick("s")]


def test_a_run_without_rows_ends_at_once() -> None:
    strategy = RingScript(timer_ns=7)
    of = ring(rising(0), strategies={"s": strategy})
    run(of)
    assert (strategy.handled, of.sequencer.rows_passed) == ([], 0)


def test_last_words_are_sent_and_seen_through() -> None:
    strategy = RingScript(last=[Order("venue", "s", "last", 0)])
    of = ring(rising(2), venue=RingScript(latency_ns=5), strategies={"s": strategy})
    run(of)
    assert strategy.handled == [Note("s", "accepted last")]
    assert of.plant.cells["s"].state is CellState.STOPPED


def test_a_strategy_that_fails_to_stop_takes_nobody_along() -> None:
    bad = RingScript(fails={"stop": 9})
    good = RingScript(last=[Order("venue", "t", "last", 0)])
    of = ring(rising(2), strategies={"s": bad, "t": good})
    run(of)
    assert good.handled == [Note("t", "accepted last")]
    assert [report.actor for report in of.plant.reports(ActorFailed)] == ["s"]


def test_a_stop_lets_no_more_rows_pass_but_what_is_in_flight_arrive() -> None:
    def stop(_message: Any, _now_ns: int) -> list[Any]:
        of.sequencer.request_stop()
        return []

    strategy = RingScript(every=3, answer=stop)
    of = ring(rising(9), venue=RingScript(latency_ns=15), strategies={"s": strategy})
    run(of)
    assert times(strategy) == [10, 20, 30, 40]
    assert strategy.log == [f"45: {Note('s', 'accepted s-0-1')}"]


def test_a_later_message_whose_time_has_passed_comes_now() -> None:
    strategy = RingScript(first=[Later(Note("s", "late"), 3)])
    of = ring(rising(2), strategies={"s": strategy})
    run(of)
    assert strategy.log == [f"10: {Note('s', 'late')}"]


def test_requests_that_find_a_full_mailbox_are_handled_in_their_turn() -> None:
    orders = [Order("venue", "s", str(number), 99) for number in range(5)]
    strategy = RingScript(first=orders)
    of = ring(rising(2), strategies={"s": strategy}, capacity=2)
    run(of)
    assert of.venue.handled == orders
    assert of.plant.cells["venue"].mailbox.counts.waited == 3


# Pace


async def test_a_paced_run_gives_the_same_journal_and_takes_its_time(
    autojump_clock: MockClock,
) -> None:
    def paced(pace: Pace) -> Ring:
        scripts = {
            "s": RingScript(every=2, trigger=5, fails={("see", 6 * SECOND): 1}),
            "t": RingScript(every=3, trigger=9, timer_ns=7 * SECOND),
        }
        rows = rising(12, first_ns=SECOND, step_ns=SECOND)
        venue = RingScript(latency_ns=SECOND // 4)
        return Ring(
            feeds={"1": feed(rows, 5, 4)},
            venue=venue,
            strategies=scripts,
            pace=pace,
            backoff=down_for(SECOND // 2),
        )

    fast, slow = paced(Pace()), paced(Pace(2.0, LiveClock(epoch_ns=0)))
    await fast.run()
    began_s = trio.current_time()
    await slow.run()
    assert fast.outcome() == slow.outcome()
    assert trio.current_time() - began_s == pytest.approx(11 / 2, abs=0.2)


async def test_a_stop_ends_the_waiting_of_a_paced_run(autojump_clock: MockClock) -> None:
    strategy = RingScript()
    rows = quotes((SECOND, 1), (2 * SECOND, 2), (9_000 * SECOND, 3), (9_001 * SECOND, 4))
    of = ring(rows, strategies={"s": strategy}, pace=Pace(1.0, LiveClock(epoch_ns=0)))

    async def interrupt() -> None:
        await trio.sleep(60)
        of.sequencer.request_stop()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(interrupt)
        await of.run()
    assert trio.current_time() == pytest.approx(60)
    assert times(strategy)[:2] == [SECOND, 2 * SECOND]
    assert len(times(strategy)) <= 3


# Letting others run


async def test_a_conversation_without_end_can_be_cancelled() -> None:
    enough = trio.Event()

    def answer(note: Any, _now_ns: int) -> list[Any]:
        if len(echo.handled) == 1_500:
            enough.set()
        return [note]

    echo = Script(answer=answer)
    of = ring(rising(1), more={"x": partial(ScriptedCore, script=echo)})
    of.plant.deliver(Note("x"))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(of.run)
        await enough.wait()
        nursery.cancel_scope.cancel()
    assert nursery.cancel_scope.cancelled_caught
    assert len(echo.handled) < 9_999


async def test_rows_without_interaction_let_others_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookahead, "_LAST_HORIZON", 128)
    monkeypatch.setattr(sequencer_module, "_WORK_BETWEEN_PAUSES", 4)
    begun = trio.Event()
    strategy = RingScript(
        codes=frozenset(),
        first=[Later(Note("s"), 15)],
        answer=lambda _message, _now_ns: begun.set() or [],
    )
    of = ring(rising(5_000), strategies={"s": strategy})
    turns: set[int] = set()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(of.run)
        await begun.wait()
        while of.sequencer.rows_passed < 5_000:
            turns.add(of.sequencer.rows_passed)
            await trio.lowlevel.checkpoint()
    assert len(turns) > 9


class Cyclic:
    """Garbage that only the collector finds; counts those that are left."""

    alive = 0

    def __init__(self) -> None:
        self.own = self
        Cyclic.alive += 1

    def __del__(self) -> None:
        Cyclic.alive -= 1


async def test_garbage_is_collected_at_fixed_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequencer_module, "_WORK_BETWEEN_PAUSES", 4)
    most = 0

    def litter(_message: Any, _now_ns: int) -> list[Any]:
        nonlocal most
        Cyclic()
        most = max(most, Cyclic.alive)
        return []

    strategy = RingScript(every=1, answer=litter)
    of = ring(rising(2_000), strategies={"s": strategy})
    with steady_collector():
        await of.run()
    assert 16 < most < 500


# Live


def known(of: Ring) -> list[tuple[int, str, tuple[str, ...], Any]]:
    """Return who said what to whom and when; at one instant in no particular order."""
    entries = [e for e in journal(of) if not isinstance(e.message, MarketRow)]
    return sorted((e.time_ns, e.sender, e.receivers, repr(e.message)) for e in entries)


@pytest.mark.parametrize("latency_ns", [0, SECOND // 3])
async def test_the_same_ring_run_live_says_the_same(
    latency_ns: int, autojump_clock: MockClock
) -> None:
    def parts() -> dict[str, Any]:
        rows = rising(30, first_ns=SECOND, step_ns=SECOND)
        return {
            "feeds": {"1": feed(rows, 1)},
            "venue": RingScript(latency_ns=latency_ns),
            "strategies": {
                "s": RingScript(every=4, trigger=7, timer_ns=7 * SECOND),
                "t": RingScript(every=3, trigger=20),
            },
        }

    live = LiveRing(**parts())
    await live.run_until(31 * SECOND)
    simulated = Ring(**parts())
    await simulated.run()
    live_part = [each for each in known(live) if each[0] <= 30 * SECOND]
    simulated_part = [each for each in known(simulated) if each[0] <= 30 * SECOND]
    assert len(live_part) > 40
    assert live_part == simulated_part
    assert live.strategies["s"].seen == simulated.strategies["s"].seen
