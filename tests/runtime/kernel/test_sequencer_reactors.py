"""The sequencer: venues and other followers of the market that fail."""

from collections.abc import Sequence
from functools import partial

import pytest

from actors.messages.slices import Slice
from actors.messages.system import MessageQuarantined
from tests.runtime.kernel.fakes import Note, Order, Script
from tests.runtime.kernel.ring import SIZES, down_for, journal, ring, rising, run, times
from tests.runtime.kernel.ring_cores import Bell, FakeStrategy, RingScript, bell

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
    of = ring(rising(8), size, venue=venue, strategies={"s": strategy}, backoff=down_for(25))
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
        backoff=down_for(25),
    )
    run(of)
    assert venue.handled == orders
    assert set(venue.times) == {35}


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


@pytest.mark.parametrize("trigger", [0, 9_999], ids=["filled", "working"])
def test_reactors_are_asked_once_for_each_stretch_between_two_acts(trigger: int) -> None:
    asked: list[int] = []

    class Calm(Bell):
        def look(self, rows: Slice, start: int, stop: int) -> int:
            asked.append(stop - start)
            return stop

    strategy = RingScript(every=100, trigger=trigger)
    calm = partial(Calm, script=Script())
    of = ring(rising(3_000), more={"x": calm}, strategies={"s": strategy})
    run(of)
    assert times(strategy) == list(range(10, 30_010, 10))
    stretches = [rows for rows in asked if rows > 1]
    assert len(stretches) <= 30 + 2
    assert max(asked) <= 200
