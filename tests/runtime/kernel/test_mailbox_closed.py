"""A mailbox whose owner is waiting for a message when it is closed."""

import trio
import trio.testing

from runtime.kernel.envelope import Envelope
from runtime.kernel.mailbox import Mailbox


async def test_what_is_on_its_way_to_who_waits_for_it_is_dead_too() -> None:
    box = Mailbox("one")
    taken: list[Envelope] = []

    async def take() -> None:
        taken.append(await box.take())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(take)
        await trio.testing.wait_all_tasks_blocked()
        assert box.offer(Envelope(1, 0, "a", 0, "handed over"))
        assert box.offer(Envelope(2, 0, "a", 0, "queued"))
        box.close()
        await trio.testing.wait_all_tasks_blocked()
        assert taken == []
        counts = box.counts
        assert (counts.dead, counts.taken, counts.queued) == (2, 0, 0)
        assert box.offer(Envelope(3, 0, "a", 0, "too late"))
        assert box.counts.dead == 3
        nursery.cancel_scope.cancel()
