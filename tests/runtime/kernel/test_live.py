"""Live: timers, feeds, and knowing when nothing is in flight."""

from collections.abc import Iterator
from typing import Any

import attrs
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.actor import Later
from actors.messages.slices import Slice
from runtime.kernel.live import LiveFeed, LiveTimers
from tests.builders import quote_rows
from tests.runtime.kernel.fakes import (
    SECOND,
    Ask,
    Broken,
    Note,
    Plant,
    Reading,
    Script,
    live_plant,
)


async def running(nursery: trio.Nursery, of: Plant) -> LiveTimers:
    """Run the timers and all cells of a plant."""
    for child in (of.timers, *of.cells.values()):
        await nursery.start(lambda child=child, **status: child.run(**status))
    timers: LiveTimers = of.timers
    return timers


def stop(of: Plant) -> None:
    for child in (*of.cells.values(), of.timers):
        child.request_stop()


# Timers


async def test_timers_deliver_when_their_time_has_come(autojump_clock: MockClock) -> None:
    of = live_plant()
    script = Script()
    of.add("a", script)
    async with trio.open_nursery() as nursery:
        of.deliver(Later(Note("a", "2 s"), 2 * SECOND), Later(Note("a", "1 s"), SECOND))
        await running(nursery, of)
        of.deliver(Later(Note("a", "1 s too"), SECOND), Later(Note("a", "now"), 0))
        await trio.sleep(3)
        stop(of)
    assert [note.text for note in script.handled] == ["now", "1 s", "1 s too", "2 s"]
    assert script.times == [0, SECOND, SECOND, 2 * SECOND]


async def test_an_earlier_timer_wakes_up_timers_that_wait_for_a_later_one(
    autojump_clock: MockClock,
) -> None:
    of = live_plant()
    script = Script()
    of.add("a", script)
    async with trio.open_nursery() as nursery:
        await running(nursery, of)
        await wait_all_tasks_blocked()
        of.deliver(Later(Note("a", "late"), 9 * SECOND))
        await wait_all_tasks_blocked()
        of.deliver(Later(Note("a", "later"), 10 * SECOND), Later(Note("a", "early"), SECOND))
        await trio.sleep(20)
        stop(of)
    assert script.times == [SECOND, 9 * SECOND, 10 * SECOND]


async def test_a_timer_waits_for_room_as_every_sender(autojump_clock: MockClock) -> None:
    of = live_plant()
    box = of.add("a", Script(), capacity=1).mailbox
    of.deliver(Ask("a", 1))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(of.timers.run)
        of.deliver(Later(Ask("a", 2), SECOND), Later(Ask("a", 3), SECOND))
        await trio.sleep(2)
        assert (box.depth, box.waiting) == (1, 1)
        numbers = [(await box.take()).message.number for _ in range(3)]
        of.timers.request_stop()
    assert numbers == [1, 2, 3]


async def test_timers_that_were_stopped_keep_what_is_not_due_for_the_next_run(
    autojump_clock: MockClock,
) -> None:
    of = live_plant()
    box = of.add("a", Script()).mailbox
    of.deliver(Later(Note("a"), 5 * SECOND))
    for _ in range(2):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(of.timers.run)
            await wait_all_tasks_blocked()
            assert box.depth == 0
            of.timers.request_stop()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(of.timers.run)
        assert (await box.take()).time_ns == 5 * SECOND
        await wait_all_tasks_blocked()
        of.timers.request_stop()


# Quiescence


async def test_it_is_quiet_when_nothing_is_in_flight(autojump_clock: MockClock) -> None:
    of = live_plant()
    of.add("a", Script(answer=lambda note, now_ns: [Later(Note("b"), now_ns + 5 * SECOND)]))
    of.add("b", Script())
    await of.quiescence.wait()
    async with trio.open_nursery() as nursery:
        await running(nursery, of)
        of.deliver(Note("a"))
        assert not of.quiescence.is_quiet()
        await of.quiescence.wait()
        assert of.clock.now_ns() == 5 * SECOND
        assert of.quiescence.is_quiet()
        stop(of)


async def test_background_timers_do_not_disturb_the_quiet(autojump_clock: MockClock) -> None:
    of = live_plant()
    of.add("a", Script())
    async with trio.open_nursery() as nursery:
        await running(nursery, of)
        of.deliver(Later(Note("a"), SECOND, background=True))
        await of.quiescence.wait()
        assert of.clock.now_ns() == 0
        stop(of)


async def test_it_is_not_quiet_while_an_output_waits_for_room(autojump_clock: MockClock) -> None:
    of = live_plant()
    of.add("a", Script(answer=lambda _message, _now_ns: [Ask("b", 1), Ask("b", 2)]))
    b = of.add("b", Script(), capacity=1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(of.cells["a"].run)
        of.deliver(Note("a"))
        await wait_all_tasks_blocked()
        assert of.cells["a"].mailbox.depth == 0
        assert not of.cells["a"].is_idle
        b.mailbox.take_nowait()
        await wait_all_tasks_blocked()
        assert of.cells["a"].is_idle
        assert not of.quiescence.is_quiet()
        b.mailbox.take_nowait()
        await of.quiescence.wait()
        of.cells["a"].request_stop()


async def test_it_is_quiet_when_a_poison_message_has_been_set_aside(
    autojump_clock: MockClock,
) -> None:
    of = live_plant()
    of.add("a", Script(fails={Note("a"): 9}))
    supervisor = of.supervisor()
    async with trio.open_nursery() as nursery:
        await nursery.start(lambda **status: supervisor.run(**status))
        of.deliver(Note("a"))
        await of.quiescence.wait()
        assert of.cells["a"].failures == 3
        supervisor.request_stop()


async def test_an_actor_that_has_left_for_good_does_not_disturb_the_quiet() -> None:
    of = live_plant()
    cell = of.add("a", Script(fails={Note("a"): 9}))
    of.deliver(Note("a"), Note("a", "behind it"))
    with pytest.raises(Broken):
        await cell.run()
    assert not of.quiescence.is_quiet()
    cell.mailbox.close()
    assert of.quiescence.is_quiet()


# Feeds


@attrs.define
class FakeSource:
    """Yields slices; an exception among them is raised."""

    items: list[Slice | Exception]
    resumed: list[int] = attrs.field(factory=list)

    def slices(self, resume_ns: int) -> Iterator[Slice]:
        self.resumed.append(resume_ns)
        for item in self.items:
            if isinstance(item, Exception):
                raise item
            yield item

    def summary(self) -> dict[str, Any]:
        return {}


def rows(*seconds: int) -> Slice:
    return quote_rows([(second, 9) for second in seconds], start_ns=seconds[0] * SECOND)


def feed(of: Plant, *items: Slice | Exception) -> tuple[LiveFeed, FakeSource]:
    """Return a feed that tells of each slice how many rows it has."""
    source = FakeSource(list(items))

    def wrap(rows: Slice) -> Reading:
        return Reading("a", "rows", len(rows))

    return LiveFeed("feed", lambda _incarnation: source, wrap, of.post, of.clock), source


async def test_slices_are_sent_when_their_last_row_has_come(autojump_clock: MockClock) -> None:
    of = live_plant()
    script = Script()
    of.add("a", script)
    child, source = feed(of, rows(1, 2), rows(2).take(slice(0, 0)), rows(5))
    async with trio.open_nursery() as nursery:
        await running(nursery, of)
        await child.run()
        await of.quiescence.wait()
        stop(of)
    assert [reading.value for reading in script.handled] == [2, 1]
    assert script.times == [2 * SECOND, 5 * SECOND]
    assert (source.resumed, child.incarnation) == ([0], 0)


async def test_a_feed_that_returns_resumes_at_the_time_that_it_is(
    autojump_clock: MockClock,
) -> None:
    of = live_plant()
    of.add("a", Script())
    child, source = feed(of, rows(3), Broken("line 2"))
    for _ in range(2):
        with pytest.raises(Broken, match="line 2"):
            await child.run()
    assert source.resumed == [0, 3 * SECOND]


async def test_a_feed_that_is_stopped_sends_no_more(autojump_clock: MockClock) -> None:
    of = live_plant()
    box = of.add("a", Script()).mailbox
    child, _ = feed(of, rows(1), rows(50))
    async with trio.open_nursery() as nursery:
        await nursery.start(lambda **status: child.run(**status))
        await trio.sleep(5)
        child.request_stop()
    assert (box.depth, of.clock.now_ns()) == (1, 5 * SECOND)


async def test_a_feed_waits_for_room_if_its_messages_must_not_be_dropped(
    autojump_clock: MockClock,
) -> None:
    of = live_plant()
    box = of.add("a", Script(), capacity=1).mailbox
    child, _ = feed(of, rows(1), rows(2))
    child._wrap = lambda rows: Ask("a", len(rows))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(child.run)
        await trio.sleep(9)
        assert (box.depth, box.waiting) == (1, 1)
        await box.take()
    assert box.depth == 1
