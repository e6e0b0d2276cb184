"""The sequencer: feeds that fail and return."""

from typing import Any

from tests.runtime.kernel.fakes import Script
from tests.runtime.kernel.ring import (
    SIZES,
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
from tests.runtime.kernel.ring_cores import RingScript, bell

# Feeds that fail


@SIZES
def test_a_feed_that_fails_does_so_after_its_last_row_and_resumes_when_it_is_back(
    size: int,
) -> None:
    strategy = RingScript()
    feeds = {"1": feed(rising(9), size, 3), "2": feed(rising(3, step_ns=40, instrument=1), size)}
    of = Ring(feeds=feeds, strategies={"s": strategy}, backoff=down_for(20))
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
        backoff=down_for(10),
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
