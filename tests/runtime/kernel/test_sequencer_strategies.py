"""The sequencer: strategies that fail on market rows, and what they miss."""

from typing import Any

import pytest

from actors.messages.records import MarketRow
from actors.messages.system import ActorFailed, ActorGaveUp, ActorRestarted, MessageQuarantined
from tests.runtime.kernel.fakes import Note, Order
from tests.runtime.kernel.ring import (
    SIZES,
    A,
    B,
    Ring,
    down_for,
    journal,
    quotes,
    ring,
    rising,
    run,
    times,
)
from tests.runtime.kernel.ring_cores import RingScript

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
    of = ring(rows, size, strategies={"s": bad, "t": good}, backoff=down_for(55))
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


@SIZES
def test_rows_that_a_strategy_does_not_want_are_not_kept_for_it(size: int) -> None:
    rows = quotes((10, 1), (20, 2), (30, 3, 1), (40, 4, 1), (50, 5), (90, 6))
    bad = RingScript(fails={("see", 10): 1}, codes=frozenset({A}))
    of = ring(rows, size, strategies={"s": bad}, backoff=down_for(50))
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
        backoff=down_for(45),
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
    of = ring(rows, size, strategies={"s": bad}, backoff=down_for(35), quarantine_after=2)
    run(of)
    # 45: back, fails on 40; 80: fails on 40 again, which is set aside; 115: all is over
    assert times(bad)[:4] == [10, 10, 30, 40]
    assert times(bad)[4:6] == [40, 90]
    assert [each.attempts for each in of.plant.reports(MessageQuarantined)] == [2]


@SIZES
def test_what_follows_a_failed_row_is_kept_while_it_is_tried_again(size: int) -> None:
    rows = quotes((10, 1), (20, 2), (30, 3, 1), (90, 5))
    bad = RingScript(fails={("see", 10): 2})
    of = ring(rows, size, strategies={"s": bad}, backoff=down_for(35))
    run(of)
    assert times(bad) == [10, 10, 10, 20, 30, 90]


@SIZES
def test_a_strategy_may_act_on_what_it_missed(size: int) -> None:
    rows = quotes((10, 1), (20, 2), (30, 3, 1), (90, 5))
    bad = RingScript(fails={("see", 10): 1}, every=2, trigger=99)
    of = ring(rows, size, strategies={"s": bad}, backoff=down_for(35))
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
    of = ring(rows, size, strategies={"s": bad}, backoff=down_for(35))
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
