"""Who holds the event loop is named, from outside."""

# ruff: noqa: TID251 - a loop that is blocked is blocked in real time

import sys
import threading
import time
from typing import Any

import attrs
import trio

from actors.messages.system import Alarm, TimerFired
from runtime.kernel import watchdog as module
from runtime.kernel.clock import LiveClock
from runtime.kernel.envelope import Envelope
from runtime.kernel.watchdog import Blocked, Handling, Watchdog

MS = 1_000_000


@attrs.define
class Watched:
    """A loop with a watchdog that barks after 80 ms."""

    handling: Handling = attrs.field(factory=Handling)
    told: list[str] = attrs.field(factory=list)
    alarms: list[Alarm] = attrs.field(factory=list)

    def watch(self) -> Watchdog:
        return Watchdog(self.handling, LiveClock(), 80 * MS, self.told.append, self.alarms.append)


def hold(seconds: float) -> None:
    """Compute for so long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


async def test_who_holds_the_loop_is_named_at_once_and_an_alarm_follows() -> None:
    watched = Watched()
    dog = watched.watch()
    async with trio.open_nursery() as nursery:
        await nursery.start(dog.run)
        await trio.sleep(0.05)
        watched.handling.actor = "clumsy"
        watched.handling.envelope = Envelope(41, 0, "timers", 0, TimerFired("clumsy", "t", 0))
        assert dog.is_alive
        hold(0.4)
        assert not dog.is_alive
        assert len(watched.told) == 1
        assert watched.alarms == []
        while not watched.alarms:  # noqa: ASYNC110 - the watchdog's next turn
            await trio.sleep(0.01)
        watched.handling.envelope = None
        await trio.sleep(0.2)
        assert dog.is_alive
        dog.request_stop()
    (said,) = watched.told
    assert said.startswith(
        "clumsy (TimerFired, message 41) has held the event loop for 0.08 s, at "
    )
    assert "kernel/test_watchdog.py:hold:" in said
    (alarm,) = watched.alarms
    assert alarm.source == "watchdog"
    assert alarm.text.startswith("clumsy (TimerFired, message 41) has held the event loop for 0.")
    assert dog.count == 1
    assert dog.latest is not None
    assert (dog.latest.actor, dog.latest.sequence) == ("clumsy", 41)


async def test_what_is_no_actor_is_named_by_its_place() -> None:
    watched = Watched()
    dog = watched.watch()
    async with trio.open_nursery() as nursery:
        await nursery.start(dog.run)
        await trio.sleep(0.05)
        hold(0.2)
        await trio.sleep(0.1)
        hold(0.2)
        await trio.sleep(0.1)
        dog.request_stop()
    assert dog.count == len(watched.told) == len(watched.alarms) == 2
    assert watched.told[0].startswith("something has held the event loop for 0.08 s, at ")


async def test_a_loop_that_turns_is_left_alone_and_the_thread_goes_with_the_task() -> None:
    watched = Watched()
    dog = watched.watch()
    async with trio.open_nursery() as nursery:
        await nursery.start(dog.run)
        names = {thread.name for thread in threading.enumerate()}
        assert "watchdog" in names
        for _ in range(30):
            hold(0.005)
            await trio.sleep(0.005)
        nursery.cancel_scope.cancel()
    assert (dog.count, watched.told, watched.alarms) == (0, [], [])
    assert "watchdog" not in {thread.name for thread in threading.enumerate()}


def test_a_thread_that_is_not_there_is_nowhere() -> None:
    assert module._where(None) == "unknown"
    here = module._where(sys._getframe())
    name = "test_a_thread_that_is_not_there_is_nowhere"
    assert here.startswith(f"kernel/test_watchdog.py:{name}:")


def test_words() -> None:
    given: dict[str, Any] = {"message_type": "Fill", "sequence": 3, "where": "a/b.py:f:1"}
    words = Blocked(actor="x", **given).words(1.5)
    assert words == "x (Fill, message 3) has held the event loop for 1.5 s, at a/b.py:f:1"
