"""The link over a socket: what becomes of each call, and of the connection."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import msgspec
import pytest
import trio

from actors.actor import Context
from actors.errors import JournalError
from actors.messages.system import Alarm, CancelAllAtVenue, Halt, HaltLifted, Resumed
from actors.messages.venue import CallKind, Outcome, VenueAnswer, VenueCall, VenueNews
from actors.model.order import Order, OrderType, Side
from actors.venues.fake.config import FakeFaults, FakeHabits, FakeVenueConfig
from runtime.kernel.clock import LiveClock
from runtime.kernel.determinism import seeded_random
from runtime.kernel.snapshots import Snapshotter
from runtime.links.desk import OWN_CALL, Desk, LinkCore
from runtime.links.socket_adapter import SocketAdapter, SocketVenueConfig
from runtime.links.venue_link import VenueLink
from tests.fakes.venue_server import VenueServer, listen

_SECOND = 1_000_000_000
RESTS = FakeHabits(rejects=0, parts=0, rests=1, late_fills=0, latency_ns=0)
FILLS = FakeHabits(rejects=0, parts=0, rests=0, late_fills=0, latency_ns=0)


class Ears:
    """Hears what a link tells."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.error: Exception | None = None
        self._news = trio.Event()

    def deliver(self, _sender: str, _cause: int, message: Any, _now_ns: int) -> None:
        if self.error is not None:
            raise self.error
        self.heard.append(message)
        self._news.set()

    def of(self, kind: type) -> list[Any]:
        return [each for each in self.heard if isinstance(each, kind)]

    async def wait_for(self, kind: type, count: int = 1) -> list[Any]:
        with trio.fail_after(5):
            while len(self.of(kind)) < count:
                self._news = trio.Event()
                await self._news.wait()
        return self.of(kind)


@attrs.frozen
class Ends:
    """Both ends of a link, and what is in between."""

    core: LinkCore
    link: VenueLink
    ears: Ears
    server: VenueServer
    nursery: trio.Nursery
    address: str

    def now_ns(self) -> int:
        return LiveClock().now_ns()

    def call(self, number: int, kind: CallKind, order_id: str = "", **more: Any) -> list[Any]:
        more.setdefault("deadline_ns", self.now_ns() + 2 * _SECOND)
        call = VenueCall(number=number, kind=kind, client_order_id=order_id, **more)
        return self.core.handle(call, self.now_ns())

    def place(self, number: int, order_id: str, **more: Any) -> list[Any]:
        return self.call(number, CallKind.PLACE, order_id, order=order(order_id), **more)


def order(order_id: str) -> Order:
    return Order(
        client_order_id=order_id,
        strategy="s",
        instrument="AAA",
        side=Side.BUY,
        quantity=Decimal(2),
        order_type=OrderType.LIMIT,
        limit_price=Decimal("0.5"),
    )


def core_of(desk: Desk) -> LinkCore:
    context = Context(run_id="r", actor="venue", incarnation=0, random=seeded_random(0, "venue"))
    core = LinkCore(context, desk)
    assert core.start(0) == []
    return core


@asynccontextmanager
async def ends(
    tmp_path: Path, *, token: str = "open", is_served: bool = True, **options: Any
) -> AsyncIterator[Ends]:
    """Connect a link to a venue in this process."""
    options = {"habits": RESTS, "name": "fake", **options}
    server = VenueServer(FakeVenueConfig(**options), "open")
    address = str(tmp_path / "venue.sock")
    desk, ears = Desk("fake"), Ears()
    adapter = SocketAdapter(SocketVenueConfig(address=address, token=token, name="fake"))
    link = VenueLink(desk, adapter, "venue", (ears, LiveClock()))
    async with trio.open_nursery() as nursery:
        if is_served:
            nursery.start_soon(listen, address, server)
            await up_to(lambda: Path(address).exists())
        await nursery.start(link.run)
        if is_served and token == "open":
            await up_to(lambda: link.is_connected)
        yield Ends(core_of(desk), link, ears, server, nursery, address)
        nursery.cancel_scope.cancel()


async def up_to(is_so: Any) -> None:
    with trio.fail_after(5):
        while not is_so():  # noqa: ASYNC110 - who changes it tells nobody
            await trio.sleep(0.005)


async def test_an_order_is_placed_and_answered(tmp_path: Path) -> None:
    async with ends(tmp_path) as both:
        assert both.place(1, "a") == []
        (answer,) = await both.ears.wait_for(VenueAnswer)
        assert (answer.number, answer.outcome) == (1, Outcome.ANSWERED)
        assert answer.order.client_order_id == "a"
        assert [each.client_order_id for each in both.server.venue.ledger().placed] == ["a"]


async def test_news_come_unasked(tmp_path: Path) -> None:
    async with ends(tmp_path, habits=FILLS) as both:
        both.place(1, "a")
        (news,) = await both.ears.wait_for(VenueNews)
        assert [trade.quantity for trade in news.trades] == [Decimal(2)]


async def test_many_calls_are_under_way_at_once(tmp_path: Path) -> None:
    async with ends(tmp_path) as both:
        for number in range(1, 51):
            both.place(number, f"o{number}")
        answers = await both.ears.wait_for(VenueAnswer, 50)
        assert sorted(each.number for each in answers) == list(range(1, 51))
        assert all(each.client_order_id == f"o{each.number}" for each in answers)


async def test_a_silent_venue_loses_a_call_and_a_late_answer_is_still_told(tmp_path: Path) -> None:
    faults = FakeFaults(late_answer=1, late_by_ns=50_000_000)
    async with ends(tmp_path, faults=faults) as both:
        both.place(1, "a", deadline_ns=both.now_ns() + 100_000_000)
        lost, late = await both.ears.wait_for(VenueAnswer, 2)
        assert (lost.outcome, lost.reason) == (Outcome.LOST, "no answer in time")
        assert (late.outcome, late.number) == (Outcome.ANSWERED, 1)


async def test_without_a_connection_nothing_is_sent(tmp_path: Path) -> None:
    async with ends(tmp_path, is_served=False) as both:
        both.place(1, "a")
        (answer,) = await both.ears.wait_for(VenueAnswer)
        assert answer.outcome is Outcome.NOT_SENT
        (alarm,) = both.ears.of(Alarm)
        assert alarm.source == "venue-link"
        assert alarm.text.startswith("no connection: ")


async def test_a_cut_connection_loses_what_was_under_way_and_comes_back(tmp_path: Path) -> None:
    async with ends(tmp_path, faults=FakeFaults(lose_request=1)) as both:
        both.place(1, "a")
        await up_to(lambda: both.server._client is not None)
        client = both.server._client
        assert client is not None
        await client.aclose()
        (answer,) = await both.ears.wait_for(VenueAnswer)
        assert answer.outcome is Outcome.LOST
        assert "hung up" in answer.reason
        (alarm,) = both.ears.of(Alarm)
        assert alarm.text.startswith("cut off: ")
        await up_to(lambda: both.link.is_connected)


async def test_a_wrong_token_is_told_and_nothing_is_sent(tmp_path: Path) -> None:
    async with ends(tmp_path, token="wrong") as both:
        (alarm,) = await both.ears.wait_for(Alarm)
        assert "wrong token" in alarm.text
        both.place(1, "a")
        (answer,) = await both.ears.wait_for(VenueAnswer)
        assert answer.outcome is Outcome.NOT_SENT
        await up_to(lambda: both.server.refused > 1)
        assert len(both.ears.of(Alarm)) == 1


async def test_a_halt_holds_back_what_has_been_handed_over(tmp_path: Path) -> None:
    async with ends(tmp_path) as both:
        both.place(1, "a")
        both.core.handle(Halt("enough", final=False), 0)  # before the link's task has had its turn
        (answer,) = await both.ears.wait_for(VenueAnswer)
        assert (answer.outcome, answer.reason) == (Outcome.NOT_SENT, "halted: enough")
        (refused,) = both.place(2, "b")
        assert refused.outcome is Outcome.NOT_SENT
        both.call(3, CallKind.CANCEL, "a")
        _, cancel = await both.ears.wait_for(VenueAnswer, 2)
        assert cancel.outcome is Outcome.ANSWERED
        both.core.handle(HaltLifted("enough"), 0)
        assert both.place(4, "d") == []
        answers = await both.ears.wait_for(VenueAnswer, 3)
        assert answers[-1].outcome is Outcome.ANSWERED
        assert [each.client_order_id for each in both.server.venue.ledger().placed] == ["d"]


async def test_everything_is_cancelled_at_the_venue_and_nobody_waits_for_it(tmp_path: Path) -> None:
    async with ends(tmp_path) as both:
        for number in (1, 2):
            both.place(number, f"o{number}")
        await both.ears.wait_for(VenueAnswer, 2)
        both.core.handle(CancelAllAtVenue("enough"), both.now_ns())
        news = await both.ears.wait_for(VenueNews, 2)
        assert {report.kind for each in news for report in each.reports} == {"CANCELLED"}
        assert all(each.number != OWN_CALL for each in both.ears.of(VenueAnswer))


async def test_in_an_emergency_nothing_has_to_be_recorded(tmp_path: Path) -> None:
    async with ends(tmp_path) as both:
        both.place(1, "a")
        await both.ears.wait_for(VenueAnswer)
        both.ears.error = JournalError("full")
        both.link.cancel_all_now("the journal has failed")
        both.nursery.start_soon(trio.sleep, 0)
        await up_to(lambda: not list(both.server.venue._books.open_orders()))


async def test_a_link_that_is_stopped_tells_what_is_lost(tmp_path: Path) -> None:
    async with ends(tmp_path, faults=FakeFaults(lose_answer=1)) as both:
        both.place(1, "a")
        await up_to(lambda: both.server.venue.ledger().placed)
        both.link.request_stop()
        (answer,) = await both.ears.wait_for(VenueAnswer)
        assert (answer.outcome, answer.reason) == (Outcome.LOST, "the link was stopped")
        both.link.cancel_all_now("too late")  # changes nothing


async def test_a_full_desk_takes_no_more() -> None:
    core = core_of(Desk("fake"))
    call = VenueCall(number=1, kind=CallKind.ACCOUNT, deadline_ns=9)
    taken = 0
    while not (answers := core.handle(msgspec.structs.replace(call, number=taken + 1), 0)):
        taken += 1
    assert taken == 1024
    assert (answers[0].outcome, answers[0].reason) == (
        Outcome.NOT_SENT,
        "too many calls wait for the link",
    )


def test_a_fresh_core_knows_the_halts() -> None:
    halt, final = Halt("one", final=False), Halt("two")
    history = [("at", 1), ("received", halt), ("sent", halt), ("received", final)]
    once, again = core_of(Desk("fake")), core_of(Desk("fake"))
    once.recover(history)
    again.reinstate(once.snapshot())
    call = VenueCall(number=1, kind=CallKind.PLACE, deadline_ns=9, order=order("a"))
    for core in (once, again):
        core.handle(HaltLifted("one"), 0)
        core.handle(HaltLifted("two"), 0)
        assert core.handle(call, 0)[0].reason == "halted: two"
        assert core.stop(0) == []
        core.handle(Resumed(last_ns=0), 0)
        assert core.handle(call, 0) == [], "it was final in the process before only"
    lifted = core_of(Desk("fake"))
    lifted.recover([("received", halt), ("received", HaltLifted("one"))])
    assert lifted.snapshot() == {"halts": [], "resumed_ns": 0}
    assert lifted.handle(call, 0) == []


def test_a_core_can_be_kept_and_read_back() -> None:
    once, snapshotter = core_of(Desk("fake")), Snapshotter()
    for _ in range(3):
        once.handle(Halt("one", final=False), 0)
    once.handle(Resumed(last_ns=5), 6)
    body = snapshotter.freeze(once)
    assert body is not None
    again: Any = snapshotter.thaw(body, core_of(Desk("fake")))
    assert again.snapshot() == once.snapshot() == {"halts": [("one", False)], "resumed_ns": 5}
    call = VenueCall(number=1, kind=CallKind.PLACE, deadline_ns=9, order=order("a"))
    assert again.handle(call, 7)[0].reason == "halted: one"


def test_what_an_earlier_process_has_made_does_not_leave_any_more() -> None:
    once, again = core_of(Desk("fake")), core_of(Desk("fake"))
    once.recover([("sent", Resumed(last_ns=9)), ("received", Resumed(last_ns=5))])
    again.reinstate(once.snapshot())
    third = core_of(Desk("fake"))
    assert third.handle(Resumed(last_ns=5), 6) == []
    for core in (once, again, third):
        old = VenueCall(number=1, kind=CallKind.PLACE, deadline_ns=99, made_ns=5)
        (answer,) = core.handle(old, 7)
        assert answer.outcome is Outcome.NOT_SENT
        assert answer.reason == "an earlier process has made it"
        assert core.handle(msgspec.structs.replace(old, number=2, made_ns=6), 7) == []


def test_a_call_that_was_handed_over_is_not_handed_over_again() -> None:
    desk = Desk("fake")
    call = VenueCall(number=1, kind=CallKind.PLACE, deadline_ns=9, order=order("a"))
    for core in (core_of(desk), core_of(desk)):  # the first has failed after it
        assert core.handle(call, 0) == []
        assert core.handle(msgspec.structs.replace(call, number=-1), 0) == []
    assert [desk.calls.receive_nowait().number for _ in range(3)] == [1, -1, -1]
    with pytest.raises(trio.WouldBlock):
        desk.calls.receive_nowait()


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("10.0.0.1:9000", "plain text is for loopback only"),
        ("venue.example:9000", "plain text is for loopback only"),
        ("localhost", "HOST:PORT"),
        ("127.0.0.1:0", "HOST:PORT"),
        ("relative.sock", "HOST:PORT"),
    ],
)
def test_plain_text_stays_on_this_machine(address: str, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        SocketVenueConfig(address=address)


@pytest.mark.parametrize("address", ["127.0.0.1:9000", "[::1]:9000", "localhost:1", "/tmp/x.sock"])
def test_addresses_of_this_machine_are_taken(address: str) -> None:
    assert SocketVenueConfig(address=address, token="secret").address == address
    assert "secret" not in repr(SocketVenueConfig(address=address, token="secret"))
