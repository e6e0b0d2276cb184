"""Mailboxes: what fits, what waits, what is joined, what crashes, and that nothing is lost."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from actors.errors import MailboxOverflow
from runtime.kernel.envelope import Envelope
from runtime.kernel.mailbox import Mailbox, Overflow, Rule
from tests.runtime.kernel.fakes import RULES, Ask, Note, Reading, envelope


def mailbox(capacity: int = 2, reserve: int = 2) -> Mailbox:
    return Mailbox("box", capacity=capacity, reserve=reserve, rules=RULES)


def texts(box: Mailbox) -> list[str]:
    """Take everything that is queued; return it in short."""
    return [short(each) for each in iter(box.take_nowait, None)]


def short(taken: Envelope) -> str:
    match taken.message:
        case Note(text=text):
            return text
        case Ask(number=number):
            return f"ask {number}"
        case other:
            return f"{other.key}={other.value}"


def reading(key: str, value: int, sequence: int = 1, *, time_ns: int = 0) -> Envelope:
    return envelope(Reading("box", key, value), sequence, time_ns=time_ns)


def ask(number: int, *, time_ns: int = 0) -> Envelope:
    return envelope(Ask("box", number), number, time_ns=time_ns)


def note(text: str, sequence: int = 1) -> Envelope:
    return envelope(Note("box", text), sequence)


# Room


def test_messages_come_out_in_the_order_in_which_they_went_in() -> None:
    box = mailbox(capacity=3)
    for text in "abc":
        assert box.offer(note(text))
    assert texts(box) == ["a", "b", "c"]
    assert box.take_nowait() is None


def test_requests_fill_the_capacity_and_reports_the_reserve_too() -> None:
    box = mailbox(capacity=2, reserve=1)
    assert box.offer(ask(1))
    assert box.offer(ask(2))
    assert not box.offer(ask(3))
    assert box.offer(note("report"))
    assert box.depth == box.limit == 3


def test_a_report_that_finds_no_room_crashes_its_sender_and_is_counted() -> None:
    box = mailbox(capacity=1, reserve=1)
    box.offer(note("a"))
    box.offer(note("b"))
    with pytest.raises(MailboxOverflow, match="box: no room for Note from sender: 2 messages"):
        box.offer(note("c"))
    assert (box.counts.overflowed, box.counts.sent) == (1, 2)
    assert texts(box) == ["a", "b"]


def test_a_type_without_a_rule_crashes() -> None:
    box = Mailbox("box", capacity=1, reserve=0)
    box.offer(note("a"))
    with pytest.raises(MailboxOverflow):
        box.offer(note("b"))


@pytest.mark.parametrize(("capacity", "reserve"), [(0, 1), (1, -1)])
def test_a_mailbox_must_have_room(capacity: int, reserve: int) -> None:
    with pytest.raises(ValueError, match="mailbox box: capacity"):
        mailbox(capacity, reserve)


# Keep the latest


def test_readings_are_joined_only_when_the_mailbox_is_full() -> None:
    box = mailbox(capacity=3)
    for value in range(5):
        assert box.offer(reading("x", value, value + 1))
    assert (box.depth, box.counts.conflated) == (3, 2)
    assert texts(box) == ["x=0", "x=1", "x=4"]


def test_joined_readings_keep_their_place_and_their_keys_apart() -> None:
    box = mailbox(capacity=2)
    box.offer(reading("x", 1))
    box.offer(reading("y", 1))
    box.offer(reading("x", 2))
    box.offer(reading("z", 1))
    box.offer(reading("y", 2))
    assert texts(box) == ["x=2", "y=2", "z=1"]


def test_a_joined_reading_carries_the_sequence_of_the_latest() -> None:
    box = mailbox(capacity=1)
    box.offer(reading("x", 1, 5))
    box.offer(reading("x", 2, 9))
    taken = box.take_nowait()
    assert taken is not None
    assert taken.sequence == 9


def test_a_taken_reading_is_not_joined_to_any_more() -> None:
    box = mailbox(capacity=1, reserve=1)
    box.offer(reading("x", 1))
    assert texts(box) == ["x=1"]
    box.offer(reading("x", 2))
    box.offer(reading("x", 3))
    assert texts(box) == ["x=3"]


def test_the_newest_of_a_key_is_the_one_that_is_replaced() -> None:
    box = mailbox(capacity=2)
    box.offer(reading("x", 1))
    box.offer(reading("x", 2))
    assert [short(box.take_nowait() or note(""))] == ["x=1"]
    box.offer(reading("y", 1))
    box.offer(reading("x", 3))
    assert texts(box) == ["x=3", "y=1"]


def test_a_rule_may_join_old_and_new() -> None:
    def add(old: Reading, new: Reading) -> Reading:
        return Reading(new.to, new.key, old.value + new.value)

    rules: dict[type, Rule] = {Reading: Rule(overflow=Overflow.KEEP_LATEST, join=add)}
    box = Mailbox("box", capacity=1, reserve=0, rules=rules)
    for value in (1, 2, 4):
        box.offer(reading("of any key", value))
    assert texts(box) == ["of any key=7"]


def test_a_new_key_that_finds_no_room_even_in_the_reserve_crashes() -> None:
    box = mailbox(capacity=1, reserve=1)
    box.offer(reading("x", 1))
    box.offer(reading("y", 1))
    with pytest.raises(MailboxOverflow):
        box.offer(reading("z", 1))


# Waiting in simulated time


def test_held_requests_get_in_one_by_one_and_in_order() -> None:
    box = mailbox(capacity=1)
    for number in (1, 2, 3):
        if not box.offer(ask(number)):
            box.hold(ask(number))
    assert (box.depth, box.waiting, box.counts.waited) == (1, 2, 2)
    assert texts(box) == ["ask 1", "ask 2", "ask 3"]
    assert box.waiting == 0


def test_a_request_does_not_overtake_one_that_is_held() -> None:
    box = mailbox(capacity=1)
    box.offer(ask(1))
    box.offer(note("report"))
    box.hold(ask(2))
    box.take_nowait()
    assert not box.offer(ask(3))
    box.hold(ask(3))
    assert texts(box) == ["report", "ask 2", "ask 3"]


def test_a_held_request_waits_until_the_reserve_is_free_again() -> None:
    box = mailbox(capacity=1, reserve=3)
    for text in "abc":
        box.offer(note(text))
    box.hold(ask(1))
    box.take_nowait()
    assert (box.depth, box.waiting) == (2, 1)
    assert texts(box) == ["b", "c", "ask 1"]


# Waiting live


async def test_a_sender_waits_for_room_and_goes_on_when_there_is_some() -> None:
    box = mailbox(capacity=1)
    await box.send(ask(1))
    sent: list[int] = []

    async def send(number: int) -> None:
        await box.send(ask(number))
        sent.append(number)

    async with trio.open_nursery() as nursery:
        for number in (2, 3, 4):
            nursery.start_soon(send, number)
            await wait_all_tasks_blocked()
        assert (sent, box.waiting, box.counts.waited) == ([], 3, 3)
        order = [short(await box.take())]
        await wait_all_tasks_blocked()
        assert sent == [2]
        order += [short(await box.take()) for _ in range(3)]
    assert order == ["ask 1", "ask 2", "ask 3", "ask 4"]
    assert sent == [2, 3, 4]


async def test_senders_keep_their_order_when_reports_use_up_the_room_that_gets_free() -> None:
    box = mailbox(capacity=1, reserve=9)
    box.offer(ask(1))
    for text in "abc":
        box.offer(note(text))
    async with trio.open_nursery() as nursery:
        for number in (2, 3):
            nursery.start_soon(box.send, ask(number))
            await wait_all_tasks_blocked()
        order = [short(await box.take())]
        await wait_all_tasks_blocked()
        order += [short(await box.take()) for _ in range(5)]
    assert order == ["ask 1", "a", "b", "c", "ask 2", "ask 3"]


async def test_whoever_comes_later_does_not_take_the_place_of_who_waits() -> None:
    box = mailbox(capacity=1)
    box.offer(ask(1))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(box.send, ask(2))
        await wait_all_tasks_blocked()
        box.take_nowait()
        assert not box.offer(ask(3))
        nursery.start_soon(box.send, ask(3))
        await wait_all_tasks_blocked()
        assert texts(box) == ["ask 2", "ask 3"]


async def test_a_sender_that_is_cancelled_while_it_waits_has_sent_nothing() -> None:
    box = mailbox(capacity=1)
    box.offer(ask(1))
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(box.send, ask(2))
            await wait_all_tasks_blocked()
            scope.cancel()
    assert scope.cancelled_caught
    assert texts(box) == ["ask 1"]
    assert box.waiting == 0


async def test_a_sender_that_is_cancelled_before_it_sends_has_sent_nothing() -> None:
    box = mailbox()
    with trio.CancelScope() as scope:
        scope.cancel()
        await box.send(ask(1))
    assert scope.cancelled_caught
    assert box.depth == 0


async def test_a_sender_that_has_room_gets_no_cancellation_after_it_has_sent() -> None:
    box = mailbox(capacity=20)
    sent: list[int] = []

    async def send(number: int) -> None:
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(cancel, scope)
                await box.send(ask(number))
                sent.append(number)

    async def cancel(scope: trio.CancelScope) -> None:
        scope.cancel()

    for number in range(20):  # trio's chance decides whether the cancellation comes in between
        await send(number)
    assert sent == list(range(20))
    assert box.depth == 20


async def test_a_receiver_waits_for_the_first_message() -> None:
    box = mailbox()
    async with trio.open_nursery() as nursery:

        async def receive() -> None:
            taken.append(short(await box.take()))

        taken: list[str] = []
        nursery.start_soon(receive)
        await wait_all_tasks_blocked()
        box.offer(reading("x", 1))
        assert box.pending() == {1}
    assert taken == ["x=1"]
    assert (box.depth, box.counts.peak, box.pending()) == (0, 1, set())


# The end


def test_what_is_queued_and_what_comes_after_the_end_is_dead() -> None:
    box = mailbox(capacity=1)
    box.offer(ask(1))
    box.hold(ask(2))
    box.offer(note("report"))
    box.close()
    assert box.offer(ask(3))
    assert box.offer(note("late"))
    counts = box.counts
    assert (counts.dead, counts.taken, counts.queued, counts.waiting) == (5, 0, 0, 0)
    assert counts.sent == 5
    assert box.take_nowait() is None


async def test_a_sender_that_waits_goes_on_when_the_mailbox_is_closed() -> None:
    box = mailbox(capacity=1)
    box.offer(ask(1))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(box.send, ask(2))
        nursery.start_soon(box.send, ask(3))
        await wait_all_tasks_blocked()
        box.close()
    await box.send(ask(4))
    assert (box.counts.dead, box.counts.sent, box.waiting) == (4, 4, 0)


# What others may see


def test_the_age_of_a_mailbox_is_that_of_its_first_message() -> None:
    box = mailbox(capacity=1)
    assert box.oldest_ns() is None
    box.offer(reading("x", 1, time_ns=5))
    box.offer(reading("x", 2, time_ns=8))
    assert box.oldest_ns() == 5
    box.offer(reading("y", 1, time_ns=9))
    box.take_nowait()
    assert box.oldest_ns() == 9


def test_the_peak_is_the_most_that_was_queued() -> None:
    box = mailbox(capacity=3)
    for text in "abc":
        box.offer(note(text))
    assert box.counts.peak == 3
    texts(box)
    box.offer(note("d"))
    assert box.counts.peak == 3


def test_pending_names_what_is_queued_held_or_was_refused() -> None:
    box = mailbox(capacity=1)
    box.offer(reading("x", 1, 1))
    box.offer(ask(2))
    box.hold(ask(2))
    box.offer(ask(3))
    box.offer(note("report", 4))
    assert box.pending() == {1, 2, 3, 4}
    assert texts(box) == ["x=1", "report", "ask 2"]
    assert box.pending() == {3}
    box.offer(ask(3))
    assert texts(box) == ["ask 3"]
    assert box.pending() == set()


# Many senders


@pytest.mark.parametrize("capacity", [1, 3])
async def test_with_many_senders_each_keeps_its_order_and_nothing_is_lost(capacity: int) -> None:
    box = mailbox(capacity)
    received: list[int] = []

    async def send(first: int) -> None:
        for number in range(first, first + 50):
            await box.send(ask(number))

    async def receive(take: Callable[[], Any]) -> None:
        while len(received) < 200:
            taken = take()
            taken = await box.take() if taken is None else taken
            received.append(taken.message.number)

    async with trio.open_nursery() as nursery:
        for first in range(0, 200, 50):
            nursery.start_soon(send, first)
        nursery.start_soon(partial(receive, box.take_nowait))
    assert sorted(received) == list(range(200))
    for first in range(0, 200, 50):
        own = [number for number in received if first <= number < first + 50]
        assert own == sorted(own)
    assert (box.counts.taken, box.counts.queued, box.waiting) == (200, 0, 0)
