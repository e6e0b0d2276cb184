"""The post office: envelopes, receivers, what is recorded, and what comes later."""

from heapq import heappop
from pathlib import Path
from typing import Any

import pytest

from actors.actor import Later
from actors.errors import MailboxOverflow
from runtime.kernel.journal import Entry
from tests.runtime.kernel.fakes import (
    Ask,
    Note,
    Plant,
    Reading,
    Script,
    inline_journal,
    live_plant,
    simulated_plant,
)


def plant(*names: str, folder: Path | None = None, **box: Any) -> Plant:
    """Return a simulated plant of cells that nobody steps."""
    made = simulated_plant(None if folder is None else inline_journal(folder))
    for name in names:
        made.add(name, Script(), **box)
    return made


def entries(of: Plant) -> list[Entry]:
    assert of.journal is not None
    return list(of.journal.entries())


def ready(of: Plant) -> list[str]:
    """Return who would be served, in order."""
    assert of.ready is not None
    heap = list(of.ready)
    return [heappop(heap)[2].name for _ in of.ready]


# Delivering


def test_a_message_gets_an_envelope_with_its_sender_and_its_cause() -> None:
    of = plant("a")
    of.post.deliver("me", 7, Note("a", "hello"), 50)
    taken = of.cells["a"].mailbox.take_nowait()
    assert taken is not None
    assert (taken.sequence, taken.time_ns, taken.sender, taken.cause) == (1, 50, "me", 7)
    assert taken.message == Note("a", "hello")


def test_every_message_has_a_sequence_of_its_own() -> None:
    of = plant("a", "b")
    of.deliver(Note("a"), Note("a+b"), Note("nobody"), Note("b"))
    assert of.post.sequence == 4
    assert of.cells["a"].mailbox.pending() == {1, 2}
    assert of.cells["b"].mailbox.pending() == {2, 4}


def test_who_got_a_message_is_ready_by_rank_and_then_by_sequence() -> None:
    of = plant("a", "b", "c")
    of.deliver(Note("c"), Note("b"), Note("c+a"), Note("b"))
    assert ready(of) == ["a", "b", "b", "c", "c"]


def test_what_nobody_receives_is_shown_to_observers() -> None:
    of = plant("a")
    of.deliver(Note("a"), Note("nobody"))
    assert of.observed == [Note("nobody")]


def test_without_an_observer_such_messages_are_shown_to_nobody() -> None:
    of = plant()
    of.post.observe = type(of.post)(of.clock, of.timers, None, None).observe
    of.deliver(Note("nobody"))
    assert of.post.sequence == 1


def test_a_type_that_is_not_routed_is_a_bug() -> None:
    of = plant("a")
    with pytest.raises(KeyError, match="str"):
        of.deliver("hello")
    with pytest.raises(KeyError, match="str"):
        of.deliver(Later("hello", 5))
    assert len(of.timers) == 0


def test_in_simulated_time_what_must_wait_is_held_at_its_receiver() -> None:
    of = plant("a", capacity=1)
    of.deliver(Ask("a", 1), Ask("a", 2))
    assert of.cells["a"].mailbox.waiting == 1
    assert ready(of) == ["a", "a"]


def test_a_full_mailbox_crashes_whoever_sends_a_report() -> None:
    of = plant("a", capacity=1, reserve=0)
    of.deliver(Note("a"))
    with pytest.raises(MailboxOverflow):
        of.deliver(Note("a"))


async def test_live_the_sender_is_told_what_must_wait() -> None:
    of = live_plant()
    for name in "ab":
        of.add(name, Script(), capacity=1)
    assert of.post.deliver("me", 0, Ask("a+b", 1), 0) is None
    blocked = of.post.deliver("me", 0, Ask("a+b", 2), 0)
    assert blocked is not None
    assert [(box.name, each.message.number) for box, each in blocked] == [("a", 2), ("b", 2)]
    assert of.cells["a"].mailbox.depth == 1


# Recording


def test_a_message_is_recorded_with_its_receivers(tmp_path: Path) -> None:
    of = plant("a", "b", folder=tmp_path)
    of.post.deliver("me", 0, Note("a+b"), 5)
    of.post.deliver("me", 1, Note("nobody"), 6)
    assert [(e.sequence, e.time_ns, e.receiver, e.cause) for e in entries(of)] == [
        (1, 5, "a,b", 0),
        (2, 6, "", 1),
    ]
    assert of.post.is_recording


def test_some_types_are_not_recorded(tmp_path: Path) -> None:
    of = plant("a", folder=tmp_path)
    of.post.unrecorded = frozenset({Reading})
    of.deliver(Reading("a", "x", 1), Note("a"))
    assert [(e.sequence, e.type) for e in entries(of)] == [(2, "Note")]
    assert of.cells["a"].mailbox.depth == 2


def test_a_message_that_comes_by_other_ways_is_recorded_only(tmp_path: Path) -> None:
    of = plant("a", folder=tmp_path)
    assert of.post.record("market", "a", Note("a")) == 1
    assert (entries(of)[0].sender, entries(of)[0].receiver) == ("market", "a")
    assert of.cells["a"].mailbox.depth == 0


def test_sequences_are_the_same_without_a_journal() -> None:
    of = plant("a")
    assert not of.post.is_recording
    assert of.post.record("market", "a", None) == 1
    of.deliver(Note("a"))
    assert of.post.sequence == 2


# Later


def fire(of: Plant) -> None:
    at_ns, delayed = of.timers.pop()
    of.clock.advance(at_ns)  # type: ignore[attr-defined]
    of.post.deliver_delayed(delayed, at_ns)


def test_a_later_message_is_in_flight_until_it_is_delivered() -> None:
    of = plant("a")
    of.post.deliver("me", 3, Later(Note("a"), 9), 5)
    box = of.cells["a"].mailbox
    assert (box.depth, of.post.in_flight_later, of.timers.next_ns()) == (0, 1, 9)
    fire(of)
    taken = box.take_nowait()
    assert taken is not None
    assert (taken.time_ns, taken.sender, taken.cause) == (9, "me", 3)
    assert of.post.in_flight_later == 0


def test_a_later_message_is_recorded_when_it_is_sent_and_when_it_is_delivered(
    tmp_path: Path,
) -> None:
    of = plant("a", "b", folder=tmp_path)
    of.post.deliver("me", 3, Later(Note("a+b"), 9), 5)
    fire(of)
    assert [(e.sequence, e.time_ns, e.receiver, e.cause, e.due_ns) for e in entries(of)] == [
        (1, 5, "a,b", 3, 9),
        (2, 9, "a,b", 1, None),
    ]


def test_a_background_message_is_not_in_flight_and_is_recorded_only_when_it_comes(
    tmp_path: Path,
) -> None:
    of = plant("a", folder=tmp_path)
    of.post.deliver("me", 3, Later(Note("a"), 9, background=True), 5)
    assert (of.post.in_flight_later, entries(of)) == (0, [])
    fire(of)
    assert of.post.in_flight_later == 0
    assert [(e.sequence, e.cause, e.due_ns) for e in entries(of)] == [(1, 3, None)]


async def test_live_a_later_message_may_have_to_wait_as_well() -> None:
    of = live_plant()
    of.add("a", Script(), capacity=1)
    of.deliver(Ask("a", 1))
    blocked = of.post.deliver_delayed(("me", 0, Ask("a", 2), True), 0)
    assert blocked is not None
    assert len(blocked) == 1
