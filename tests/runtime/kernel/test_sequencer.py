"""The sequencer: what happens in which order, and what happens when something fails."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from actors.actor import Context, Later
from actors.errors import IntensityExceeded
from actors.messages.market import EventKind
from actors.messages.records import MarketRow
from actors.messages.slices import Slice
from actors.messages.system import ActorFailed, ActorGaveUp, ActorRestarted, MessageQuarantined
from runtime.kernel import sequencer as sequencer_module
from runtime.kernel.cell import CellState
from runtime.kernel.clock import LiveClock
from runtime.kernel.determinism import steady_collector
from runtime.kernel.journal import Entry
from runtime.kernel.pace import Pace
from runtime.kernel.supervisor import Supervisor
from tests.runtime.kernel.fakes import SECOND, Note, Order, Script, ScriptedCore, Tick
from tests.runtime.kernel.ring import (
    FakeSource,
    FakeStrategy,
    LiveRing,
    Ring,
    RingScript,
    quotes,
    run,
)

A, B = 0, 8
"""The codes of quotes of the two instruments."""
SIZES = pytest.mark.parametrize("size", [1, 3, 4096])


def feed(rows: Slice, size: int = 4096, *good: int) -> list[FakeSource]:
    """Return a feed whose first incarnations break off after so many rows."""
    return [*(FakeSource(rows, [size], each) for each in good), FakeSource(rows, [size])]


def rising(count: int, *, first_ns: int = 10, step_ns: int = 10, instrument: int = 0) -> Slice:
    """Return quotes whose bid is their number, from 1."""
    times = range(first_ns, first_ns + count * step_ns, step_ns)
    return quotes(*((time_ns, bid, instrument) for bid, time_ns in enumerate(times, 1)))


def ring(rows: Slice, size: int = 4096, **options: Any) -> Ring:
    """Return a ring with one feed."""
    return Ring(feeds={"feed": feed(rows, size)}, **options)


def times(of: RingScript) -> list[int]:
    return [time_ns for time_ns, _ in of.seen]


def journal(of: Ring, kind: type | None = None) -> list[Entry]:
    entries = list(of.journal.entries())
    return [entry for entry in entries if kind is None or isinstance(entry.message, kind)]


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


# The start


@SIZES
def test_before_the_first_row_a_back_off_takes_no_time(size: int) -> None:
    bad = RingScript(fails={("start", 0): 1, ("start", 1): 2})
    venue = RingScript(fails={("start", 0): 1})
    of = ring(rising(3), size, venue=venue, strategies={"s": bad}, backoff=seconds_down(25))
    run(of)
    assert bad.started == [10, 10, 10]
    assert times(bad) == [10, 20, 30]


async def test_a_tree_that_cannot_be_started_is_given_up() -> None:
    bad = RingScript(fails={("start", number): 99 for number in range(9)})
    of = ring(rising(3), strategies={"s": bad}, backoff=seconds_down(25))
    supervisor = of.plant.supervisor(children=of.children, intensity=3, base_ns=25)
    with pytest.raises(ExceptionGroup) as raised:
        await bring_up(of, supervisor)
    assert isinstance(raised.value.exceptions[0], IntensityExceeded)
    assert len(bad.started) == 4


async def bring_up(of: Ring, tree: Supervisor) -> None:
    async with trio.open_nursery() as nursery:
        await of.sequencer.bring_up(nursery, tree)


# Strategies that fail


@SIZES
def test_a_strategy_that_fails_on_a_row_gets_it_again_and_misses_none(size: int) -> None:
    bad, good = RingScript(fails={("see", 30): 2}), RingScript()
    of = ring(rising(5), size, strategies={"s": bad, "t": good})
    run(of)
    assert times(bad) == [10, 20, 30, 30, 30, 40, 50]
    assert times(good) == [10, 20, 30, 40, 50]
    assert bad.started == [10, 30, 30]
    assert [report.incarnation for report in of.plant.reports(ActorRestarted)] == [1, 2]


@SIZES
@pytest.mark.parametrize("attempts", [1, 2])
def test_a_row_that_a_strategy_always_fails_on_is_set_aside(size: int, attempts: int) -> None:
    bad = RingScript(fails={("see", 30): 99})
    of = ring(rising(4), size, strategies={"s": bad}, quarantine_after=attempts)
    run(of)
    assert times(bad) == [10, 20, *[30] * attempts, 40]
    (quarantined,) = of.plant.reports(MessageQuarantined)
    assert (quarantined.actor, quarantined.attempts) == ("s", attempts)
    (row,) = journal(of, MarketRow)
    assert (row.sequence, row.time_ns, row.message.time_ns, row.receivers) == (
        quarantined.message_sequence,
        30,
        30,
        ("s",),
    )
    assert quarantined.message_type == "MarketRow"


@SIZES
def test_the_acts_of_a_strategy_that_fails_before_they_are_sent_do_not_happen(size: int) -> None:
    bad = RingScript(every=2, trigger=99, fails={("take", 20): 1})
    of = ring(rising(4), size, strategies={"s": bad})
    run(of)
    assert [order.id for order in of.venue.handled] == ["s-1-1"]
    assert bad.started == [10, 20]


@SIZES
def test_a_strategy_that_is_down_sees_the_latest_of_each_code_when_it_is_back(size: int) -> None:
    rows = quotes((10, 1), (20, 2), (30, 3), (40, 4, 1), (50, 5), (60, 6, 1), (90, 7))
    bad, good = RingScript(fails={("see", 20): 1}), RingScript(every=3, trigger=5)
    of = ring(rows, size, strategies={"s": bad, "t": good}, backoff=seconds_down(55))
    run(of)
    assert bad.seen == [
        (10, "A 1"),
        (20, "A 2"),
        (20, "A 2"),
        (50, "A 5"),
        (60, "B 6"),
        (90, "A 7"),
    ]
    assert bad.started == [10, 75]
    assert times(good) == [10, 20, 30, 40, 50, 60, 90]
    assert of.sequencer.conflated == 2
    assert [note.text for note in good.handled] == [
        "accepted t-0-1",
        "filled t-0-1 at 5",
        "accepted t-0-2",
        "filled t-0-2 at 7",
    ]


def seconds_down(delay_ns: int) -> dict[str, Any]:
    return {"base_ns": delay_ns, "factor": 1.0, "jitter": 0.0}


@SIZES
def test_rows_that_a_strategy_does_not_want_are_not_kept_for_it(size: int) -> None:
    rows = quotes((10, 1), (20, 2), (30, 3, 1), (40, 4, 1), (50, 5), (90, 6))
    bad = RingScript(fails={("see", 10): 1}, codes=frozenset({A}))
    of = ring(rows, size, strategies={"s": bad}, backoff=seconds_down(50))
    run(of)
    assert times(bad) == [10, 10, 50, 90]
    assert of.sequencer.conflated == 1


@SIZES
def test_of_rows_that_each_count_a_strategy_that_is_down_gets_all(size: int) -> None:
    rows = quotes((10, 1), (20, 2), (30, 3, 1), (40, 4, 1), (50, 5), (90, 6))
    bad = RingScript(fails={("see", 10): 1, ("see", 30): 2})
    of = ring(
        rows,
        size,
        strategies={"s": bad},
        backoff=seconds_down(45),
        market={"conflates": lambda code: code == A},
    )
    run(of)
    # 55: back, fails on 30; 100: has it again, and what it did not come to
    assert times(bad) == [10, 10, 30, 30, 40, 90]
    assert of.sequencer.conflated == 2


@SIZES
def test_a_strategy_that_fails_again_on_what_it_missed_keeps_the_rest(size: int) -> None:
    rows = quotes((10, 1), (20, 2), (30, 3, 1), (40, 4), (90, 5))
    bad = RingScript(fails={("see", 10): 1, ("see", 40): 99})
    of = ring(rows, size, strategies={"s": bad}, backoff=seconds_down(35), quarantine_after=2)
    run(of)
    # 45: back, fails on 40; 80: fails on 40 again, which is set aside; 115: all is over
    assert times(bad)[:4] == [10, 10, 30, 40]
    assert times(bad)[4:6] == [40, 90]
    assert [each.attempts for each in of.plant.reports(MessageQuarantined)] == [2]


@SIZES
def test_what_follows_a_failed_row_is_kept_while_it_is_tried_again(size: int) -> None:
    rows = quotes((10, 1), (20, 2), (30, 3, 1), (90, 5))
    bad = RingScript(fails={("see", 10): 2})
    of = ring(rows, size, strategies={"s": bad}, backoff=seconds_down(35))
    run(of)
    assert times(bad) == [10, 10, 10, 20, 30, 90]


@SIZES
def test_a_strategy_may_act_on_what_it_missed(size: int) -> None:
    rows = quotes((10, 1), (20, 2), (30, 3, 1), (90, 5))
    bad = RingScript(fails={("see", 10): 1}, every=2, trigger=99)
    of = ring(rows, size, strategies={"s": bad}, backoff=seconds_down(35))
    run(of)
    assert times(bad) == [10, 10, 20, 30, 90]
    assert [(entry.time_ns, entry.message.id) for entry in journal(of, Order)] == [
        (45, "s-1-1"),
        (90, "s-1-2"),
    ]
    assert [entry.message.time_ns for entry in journal(of, MarketRow)] == [20, 90]


@SIZES
def test_a_strategy_that_cannot_send_its_acts_misses_what_follows_no_more(size: int) -> None:
    rows = quotes((10, 1), (20, 2), (30, 3, 1), (90, 5))
    bad = RingScript(fails={("see", 10): 1, ("take", 45): 2}, every=2, trigger=99)
    of = ring(rows, size, strategies={"s": bad}, backoff=seconds_down(35))
    run(of)
    assert times(bad) == [10, 10, 20, 30, 90]
    assert bad.started == [10, 45, 80]


@SIZES
def test_a_strategy_that_cannot_say_what_it_wants_fails_when_such_a_row_comes(size: int) -> None:
    rows = quotes((10, 1, 0), (20, 2, 1), (30, 3, 0))
    bad = RingScript(fails={("callback", B): 1})
    of = ring(rows, size, strategies={"s": bad})
    run(of)
    assert times(bad) == [10, 20, 30]
    assert bad.started == [10, 20]


@SIZES
def test_a_strategy_that_fails_to_start_again_is_tried_until_it_does(size: int) -> None:
    bad = RingScript(fails={("see", 20): 1, ("start", 1): 2, ("start", 2): 3})
    of = ring(rising(4), size, strategies={"s": bad})
    run(of)
    assert times(bad) == [10, 20, 20, 30, 40]
    assert len(bad.started) == 4


def close_when_given_up(of: Ring) -> None:
    """Do what a system does: an actor that stays down takes no more messages."""
    see = of.plant.post.observe

    def observe(message: Any, now_ns: int) -> None:
        see(message, now_ns)
        if isinstance(message, ActorGaveUp):
            of.plant.cells[message.actor].mailbox.close()

    of.plant.post.observe = observe


@SIZES
def test_a_strategy_whose_budget_is_spent_is_left_out_and_the_rest_goes_on(size: int) -> None:
    bad, good = RingScript(fails={("see", 20): 99}), RingScript(every=2, trigger=99)
    of = ring(rising(6), size, strategies={"s": bad, "t": good}, intensity=1)
    close_when_given_up(of)
    run(of)
    assert times(bad) == [10, 20, 20]
    assert len(times(good)) == 6
    assert len(of.venue.handled) == 3
    assert [report.actor for report in of.plant.reports(ActorGaveUp)] == ["s"]
    assert of.plant.cells["s"].mailbox.counts.dead == 0


@SIZES
def test_a_message_that_a_strategy_fails_on_comes_again_before_the_next_row(size: int) -> None:
    accepted = Note("s", "accepted s-0-1")
    bad = RingScript(every=2, trigger=99, fails={accepted: 1})
    of = ring(rising(3), size, strategies={"s": bad})
    run(of)
    assert bad.tried == [accepted, accepted]
    assert times(bad) == [10, 20, 30]
    assert bad.recovered[0][-1] == ("sent", Order("venue", "s", "s-0-1", 99))


def test_failures_at_one_instant_are_told_in_order_of_rank() -> None:
    for _ in range(8):
        scripts = {name: RingScript(fails={("see", 20): 1}) for name in "stuv"}
        of = ring(rising(3), strategies=scripts)
        run(of)
        reports = [r.actor for r in of.plant.observed if isinstance(r, ActorFailed)]
        assert reports == list("stuv")


# Vectorised strategies


@SIZES
def test_a_vectorised_strategy_acts_where_a_callback_would(size: int) -> None:
    outcomes = []
    for is_vectorised in (False, True):
        scripts = {
            "s": RingScript(every=3, trigger=5, is_vectorised=is_vectorised),
            "t": RingScript(every=4, trigger=6),
        }
        of = ring(rising(20), size, strategies=scripts)
        run(of)
        outcomes.append([(e.time_ns, e.sender, e.message) for e in journal(of)])
    assert outcomes[0] == outcomes[1]


@SIZES
def test_a_vectorised_strategy_that_cannot_look_at_a_row_gets_those_before_it(size: int) -> None:
    bad = RingScript(every=0, is_vectorised=True, fails={("look", 30): 99})
    of = ring(rising(5), size, strategies={"s": bad}, quarantine_after=2)
    run(of)
    assert bad.seen == [10, 20, 40, 50]
    assert bad.started == [10, 30, 30]
    assert [each.attempts for each in of.plant.reports(MessageQuarantined)] == [2]


def test_a_vectorised_strategy_that_fails_on_its_rows_goes_on_with_the_next() -> None:
    bad, good = RingScript(is_vectorised=True, fails={("rows", 30): 1}), RingScript(every=2)
    of = ring(rising(6), strategies={"s": bad, "t": good})
    run(of)
    assert bad.seen == [10, 20, 30, 40, 50, 60]
    assert len(bad.started) == 2
    assert len(of.venue.handled) == 3


# Venues and other followers that fail


@SIZES
@pytest.mark.parametrize("what", ["look", "react"])
def test_a_venue_that_fails_on_a_row_reacts_to_it_when_it_is_back(size: int, what: str) -> None:
    strategy = RingScript(every=2, trigger=4)
    venue = RingScript(fails={(what, 40): 2})
    of = ring(rising(5), size, venue=venue, strategies={"s": strategy})
    run(of)
    assert [note.text for note in strategy.handled] == [
        "accepted s-0-1",
        "filled s-0-1 at 4",
        "accepted s-0-2",
        "filled s-0-2 at 5",
    ]
    assert venue.started == [10, 40, 40]
    assert times(strategy) == [10, 20, 30, 40, 50]


@SIZES
@pytest.mark.parametrize("what", ["look", "react"])
def test_a_row_that_a_venue_always_fails_on_is_set_aside_for_it_alone(size: int, what: str) -> None:
    strategy = RingScript(every=2, trigger=4)
    venue = RingScript(fails={(what, 40): 99})
    of = ring(rising(5), size, venue=venue, strategies={"s": strategy}, quarantine_after=2)
    run(of)
    assert [note.text for note in strategy.handled] == [
        "accepted s-0-1",
        "accepted s-0-2",
        "filled s-0-1 at 5",
        "filled s-0-2 at 5",
    ]
    (quarantined,) = of.plant.reports(MessageQuarantined)
    assert (quarantined.actor, quarantined.message_type) == ("venue", "MarketRow")


@SIZES
def test_while_a_venue_is_down_rows_pass_and_orders_wait_for_it(size: int) -> None:
    strategy = RingScript(every=2, trigger=3)
    venue = RingScript(fails={("react", 30): 1})
    of = ring(rising(8), size, venue=venue, strategies={"s": strategy}, backoff=seconds_down(25))
    run(of)
    assert strategy.log[:3] == [
        f"20: {Note('s', 'accepted s-0-1')}",
        f"55: {Note('s', 'accepted s-0-2')}",
        f"60: {Note('s', 'filled s-0-1 at 6')}",
    ]
    assert times(strategy) == [10, 20, 30, 40, 50, 60, 70, 80]


@SIZES
def test_a_venue_that_fails_on_an_order_has_it_again(size: int) -> None:
    strategy = RingScript(every=2, trigger=4)
    venue = RingScript(fails={Order("venue", "s", "s-0-1", 4): 2})
    of = ring(rising(4), size, venue=venue, strategies={"s": strategy})
    run(of)
    assert [note.text for note in strategy.handled] == [
        "accepted s-0-1",
        "filled s-0-1 at 4",
        "accepted s-0-2",
    ]


def test_requests_that_waited_for_room_while_a_venue_was_down_are_handled_when_it_is_back() -> None:
    orders = [Order("venue", "s", str(number), 99) for number in range(5)]
    strategy = RingScript(first=orders)
    venue = RingScript(fails={orders[0]: 1})
    of = ring(
        rising(9),
        venue=venue,
        strategies={"s": strategy},
        capacity=2,
        backoff=seconds_down(25),
    )
    run(of)
    assert venue.handled == orders
    assert set(venue.times) == {35}


class Bell(ScriptedCore):
    """Reacts to the rows of some times with a note to itself."""

    times: Sequence[int] = (40,)

    def __init__(self, given: Context, script: Script) -> None:
        super().__init__(given, script)
        self.market = [0]
        self.name = given.actor

    def inherit(self, market: list[int]) -> None:
        self.market = market

    def advance(self, rows: Slice, stop: int) -> None:
        for time_ns in rows.times()[:stop]:
            if time_ns > self.market[0]:
                self.script.check(("advance", time_ns), self.incarnation)
                self.market[0] = time_ns

    def look(self, rows: Slice, start: int, stop: int) -> int:
        found = (
            row
            for row in range(start, stop)
            if rows.times()[row] in self.times and rows.kind[row] == EventKind.QUOTE
        )
        return next(found, stop)

    def react(self, rows: Slice, row: int, now_ns: int) -> list[Any]:
        self.script.check(("react", now_ns), self.incarnation)
        return [Note(self.name, "rings"), *self.script.answer(None, now_ns)]


def bell(script: Script) -> Callable[[Context], Any]:
    return partial(Bell, script=script)


@SIZES
def test_cores_that_react_to_one_row_are_recorded_together(size: int) -> None:
    scripts = {"x": Script(), "y": Script()}
    of = ring(rising(5), size, more={name: bell(script) for name, script in scripts.items()})
    run(of)
    row, *notes = journal(of)
    assert (row.sender, row.receivers, row.message.time_ns) == ("market", ("x", "y"), 40)
    assert [(note.sender, note.cause) for note in notes] == [("x", 1), ("y", 1)]


@SIZES
@pytest.mark.parametrize("failing", ["x", "y"])
def test_a_core_that_has_reacted_does_not_react_again_when_another_fails(
    size: int, failing: str
) -> None:
    scripts = {"x": Script(), "y": Script()}
    scripts[failing].fails[("react", 40)] = 2
    strategy = RingScript()
    of = ring(
        rising(5),
        size,
        strategies={"s": strategy},
        more={name: bell(script) for name, script in scripts.items()},
    )
    run(of)
    assert [len(script.handled) for script in scripts.values()] == [1, 1]
    assert times(strategy) == [10, 20, 30, 40, 50]


@SIZES
def test_a_core_whose_reaction_cannot_be_sent_has_failed_and_does_not_react_again(
    size: int,
) -> None:
    script = Script(answer=lambda message, _now_ns: ["no message"] if message is None else [])
    of = ring(rising(5), size, more={"x": bell(script)})
    run(of)
    assert script.handled == [Note("x", "rings")]
    assert len(script.started) == 2


@SIZES
def test_a_follower_takes_notice_of_every_row(size: int) -> None:
    class Diary(Bell):
        times: Sequence[int] = ()

        def advance(self, rows: Slice, stop: int) -> None:
            new = [t for t in rows.times()[:stop] if t > self.market[0]]
            self.script.tried += new
            self.market[0] = max([*new, self.market[0]])

    script = Script()
    run(ring(rising(10), size, more={"x": partial(Diary, script=script)}))
    assert script.tried == list(range(10, 101, 10))


@SIZES
def test_a_follower_that_fails_is_restarted_and_brought_up_to_date(size: int) -> None:
    script = Script(fails={("advance", 20): 1, ("advance", 50): 2})
    strategy = RingScript(every=1, trigger=99)
    of = ring(rising(5), size, strategies={"s": strategy}, more={"x": bell(script)})
    run(of)
    assert len(script.started) == 3
    assert of.plant.cells["x"].market == [50]
    assert script.handled == [Note("x", "rings")]
    assert times(strategy) == [10, 20, 30, 40, 50]


@SIZES
def test_a_reaction_comes_before_a_later_row_that_cannot_be_looked_at(size: int) -> None:
    class Shortsighted(Bell):
        def look(self, rows: Slice, start: int, stop: int) -> int:
            for time_ns in rows.times()[start:stop]:
                self.script.check(("look", time_ns), self.incarnation)
            return super().look(rows, start, stop)

    script = Script(fails={("look", 50): 1})
    of = ring(rising(6), size, more={"x": partial(Shortsighted, script=script)})
    run(of)
    assert script.handled == [Note("x", "rings")]
    assert script.started == [10, 50]


def test_a_look_that_fails_only_sometimes_counts_as_a_failure_on_the_next_row() -> None:
    class Moody(Bell):
        times: Sequence[int] = ()

        def look(self, rows: Slice, start: int, stop: int) -> int:
            self.script.check(("look", stop - start), self.incarnation)
            return super().look(rows, start, stop)

    script = Script(fails={("look", 6): 1})
    run(ring(rising(6), more={"x": partial(Moody, script=script)}))
    assert script.started == [10, 10]


def test_a_strategy_that_fails_as_a_follower_before_its_acts_are_sent_has_not_acted() -> None:
    class Following(FakeStrategy):
        def advance(self, rows: Slice, stop: int) -> None:
            self.script.check(("advance", rows.times()[max(stop - 1, 0)]), self.incarnation)

    script = RingScript(every=2, trigger=99, fails={("advance", 20): 1})
    of = ring(rising(4), more={"x": partial(Following, script=script)})
    run(of)
    assert [order.id for order in of.venue.handled] == ["x-1-1"]
    assert script.started == [10, 20]


# Feeds that fail


@SIZES
def test_a_feed_that_fails_does_so_after_its_last_row_and_resumes_when_it_is_back(
    size: int,
) -> None:
    strategy = RingScript()
    feeds = {"1": feed(rising(9), size, 3), "2": feed(rising(3, step_ns=40, instrument=1), size)}
    of = Ring(feeds=feeds, strategies={"s": strategy}, backoff=seconds_down(20))
    run(of)
    assert strategy.seen == [
        (10, "A 1"),
        (10, "B 1"),
        (20, "A 2"),
        (30, "A 3"),
        (31, "DOWN"),
        (50, "B 2"),
        (51, "UP"),
        (60, "A 6"),
        (70, "A 7"),
        (80, "A 8"),
        (90, "A 9"),
        (90, "B 3"),
    ]
    failed, restarted = of.plant.observed
    assert (failed.actor, failed.failure.text) == ("1", "line 4")
    assert (restarted.actor, restarted.delay_ns) == ("1", 20)


@SIZES
def test_a_run_waits_for_a_feed_that_is_to_come_back(size: int) -> None:
    strategy = RingScript()
    of = Ring(
        feeds={"1": feed(rising(4), size, 2)},
        strategies={"s": strategy},
        backoff=seconds_down(10),
    )
    run(of)
    assert times(strategy) == [10, 20, 21, 31, 40]


@SIZES
def test_a_feed_that_is_back_at_once_loses_no_row(size: int) -> None:
    strategy = RingScript()
    of = Ring(feeds={"1": feed(rising(4), size, 1, 2)}, strategies={"s": strategy})
    run(of)
    assert strategy.seen == [
        (10, "A 1"),
        (11, "DOWN"),
        (11, "UP"),
        (20, "A 2"),
        (21, "DOWN"),
        (21, "UP"),
        (30, "A 3"),
        (40, "A 4"),
    ]


@SIZES
def test_a_feed_whose_budget_is_spent_stays_down_and_the_other_goes_on(size: int) -> None:
    strategy = RingScript()
    feeds = {
        "1": feed(rising(9), size, 2, 4, 5),
        "2": feed(rising(6, instrument=1), size),
    }
    of = Ring(feeds=feeds, strategies={"s": strategy}, intensity=1)
    run(of)
    states = [(time_ns, text) for time_ns, text in strategy.seen if text in ("DOWN", "UP")]
    assert states == [(21, "DOWN"), (21, "UP"), (41, "DOWN")]
    assert [t for t, text in strategy.seen if text.startswith("B")] == [10, 20, 30, 40, 50, 60]


def test_the_end_of_a_feed_comes_first_at_its_instant_however_its_rows_are_cut() -> None:
    outcomes = []
    for size in (1, 4096):
        strategy = RingScript(every=2)
        feeds = {
            "1": feed(rising(4), size, 3),
            "2": feed(quotes((10, 1, 1), (95, 2, 1), (99, 3, 1)), size),
        }
        of = Ring(feeds=feeds, venue=RingScript(latency_ns=21), strategies={"s": strategy})
        outcomes.append(run(of))
        kinds = [e.type for e in journal(of) if e.time_ns == 31]
        assert kinds[:2] == ["ActorFailed", "ActorRestarted"]
    assert outcomes[0] == outcomes[1]


@SIZES
def test_a_row_that_was_reacted_to_goes_before_a_feed_that_returns_at_its_instant(
    size: int,
) -> None:
    strategy = RingScript()

    def restart_feed(message: Any, _now_ns: int) -> list[Any]:
        if message is not None:
            cell = of.children[0]
            cell.incarnation = max(cell.incarnation, 1)
            cell.on_start()
        return []

    of = ring(
        rising(5), size, strategies={"s": strategy}, more={"x": bell(Script(answer=restart_feed))}
    )
    run(of)
    assert [text for _, text in strategy.seen][:6] == ["A 1", "A 2", "A 3", "A 4", "UP", "A 5"]
    assert of.plant.cells["x"].mailbox.counts.sent == 1


async def test_a_feed_that_is_stopped_ends_the_run_in_peace() -> None:
    strategy = RingScript(every=3)
    of = ring(rising(9), 2, strategies={"s": strategy})
    strategy.answer = lambda _message, _now_ns: of.children[0].request_stop() or []
    await of.run()
    assert 30 <= times(strategy)[-1] < 90


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
            backoff=seconds_down(SECOND // 2),
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
    monkeypatch.setattr(sequencer_module, "_LAST_HORIZON", 128)
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
