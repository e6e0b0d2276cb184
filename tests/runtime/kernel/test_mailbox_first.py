"""Some types overtake all that waits in a mailbox."""

import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

from runtime.kernel.envelope import Envelope
from runtime.kernel.mailbox import Mailbox, Overflow, Rule
from tests.runtime.kernel.fakes import RULES, Ask, Note, Reading, Tick, envelope

URGENT = {**RULES, Tick: Rule(overflow=Overflow.CRASH, overtakes=True)}


def box(capacity: int = 8, reserve: int = 8) -> Mailbox:
    return Mailbox("a", capacity=capacity, reserve=reserve, rules=URGENT)


def taken(mailbox: Mailbox) -> list[int]:
    found = []
    while (each := mailbox.take_nowait()) is not None:
        found.append(each.sequence)
    return found


def test_what_is_urgent_comes_first_in_its_own_order() -> None:
    mailbox = box()
    for sequence, message in enumerate([Note("a"), Tick("a"), Note("a"), Tick("a")], 1):
        assert mailbox.offer(envelope(message, sequence))
    assert taken(mailbox) == [2, 4, 1, 3]
    assert mailbox.counts.taken == 4


def test_it_overtakes_what_waits_for_room_too() -> None:
    mailbox = box(capacity=1)
    assert mailbox.offer(envelope(Ask("a"), 1))
    mailbox.hold(envelope(Ask("a"), 2))
    assert mailbox.offer(envelope(Tick("a"), 3))
    assert taken(mailbox) == [3, 1, 2]


async def test_a_receiver_that_waits_gets_what_is_first(autojump_clock: MockClock) -> None:
    mailbox = box()
    got: list[int] = []

    async def take_all() -> None:
        while len(got) < 3:
            got.append((await mailbox.take()).sequence)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(take_all)
        await wait_all_tasks_blocked()
        for sequence, message in enumerate([Note("a"), Note("a"), Tick("a")], 1):
            mailbox.offer(envelope(message, sequence))
    assert got == [3, 1, 2]


MESSAGES = [Note("a"), Tick("a"), Reading("a", "k", 1), Ask("a")]


@given(st.lists(st.sampled_from([*MESSAGES, None]), max_size=60))
def test_all_that_is_urgent_is_taken_before_all_that_is_not(acts: list[object]) -> None:
    mailbox = box(capacity=80)
    urgent: list[int] = []
    others: list[int] = []
    for sequence, act in enumerate(acts, 1):
        if act is None:
            expected = urgent or others
            found = mailbox.take_nowait()
            assert (found.sequence if found else None) == (expected.pop(0) if expected else None)
        else:
            assert mailbox.offer(Envelope(sequence, 0, "sender", 0, act))
            (urgent if isinstance(act, Tick) else others).append(sequence)
        assert mailbox.pending() == {*urgent, *others}
        assert mailbox.depth == len(urgent) + len(others)
    assert taken(mailbox) == urgent + others
