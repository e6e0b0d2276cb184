from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from actors.actor import Later
from actors.errors import OrderStateError
from actors.messages.system import Alarm, CancelAll, TimerFired
from actors.messages.trading import (
    CancelOrder,
    CancelPlacedOrder,
    OrderUpdate,
    PlaceOrder,
    ReplacePlacedOrder,
    ReportKind,
)
from actors.messages.venue import QueryOrder
from actors.model.order import OrderStatus, Schedule, ScheduleKind, Side
from actors.orders.config import OrderManagerConfig
from actors.orders.manager import OrderManager
from tests.actors.orders.rooms import (
    answers,
    asked,
    changed,
    manager,
    of_kind,
    record_of,
    said,
    traded,
    updates,
)

SECOND = 1_000_000_000
LOST, NOT_FOUND, GONE = ReportKind.LOST, ReportKind.NOT_FOUND, ReportKind.GONE
ACCEPTED, CANCELLED = ReportKind.ACCEPTED, ReportKind.CANCELLED
UNKNOWN, WORKING = OrderStatus.UNKNOWN, OrderStatus.WORKING
CANCEL = CancelOrder(client_order_id="a", strategy="strategy")
TWAP = Schedule(kind=ScheduleKind.TWAP, duration_ns=90, slices=3)
ICEBERG = Schedule(kind=ScheduleKind.ICEBERG, display_quantity=Decimal(3))


def timer_of(outputs: list[Any]) -> TimerFired:
    [later] = of_kind(outputs, Later)
    assert not later.background
    timer = later.message
    assert isinstance(timer, TimerFired)
    assert timer.at_ns == later.at_ns
    return timer


def lost(*messages: Any, config: OrderManagerConfig | None = None) -> tuple[OrderManager, Any]:
    """Return a manager whose latest request was lost at 1 ns, and the timer of its question."""
    core = manager(*messages, config=config)
    return core, timer_of(core.handle(said(LOST), 1))


class TestALostSubmit:
    def test_it_is_unknown_and_keeps_its_reservation(self) -> None:
        core = manager(asked())
        outputs = core.handle(said(LOST, reason="timeout"), 5)
        assert updates(outputs) == [("a", UNKNOWN)]
        assert not record_of(core).status.is_terminal
        assert of_kind(outputs, OrderUpdate)[0].reason == "timeout"
        assert timer_of(outputs) == TimerFired("orders", "doubt:a", 5 + SECOND)

    def test_it_is_asked_for_with_growing_waits_up_to_the_cap_for_ever(self) -> None:
        core = manager()
        core.handle(asked(), 7)
        timer = timer_of(core.handle(said(LOST), 8))
        times: list[int] = []
        while len(times) < 12:
            outputs = core.handle(timer, timer.at_ns)
            for query in of_kind(outputs, QueryOrder):
                assert query == QueryOrder(client_order_id="a", instrument="BTC", sent_ns=7)
                times.append(timer.at_ns - 8)
            timer = timer_of(outputs)
        waits = [(b - a) / SECOND for a, b in pairwise(times)]
        assert times[0] == SECOND
        assert waits == [1, 2, 4, 8, 16, *[30] * 6]

    def test_an_alarm_is_raised_at_each_deadline_and_louder(self) -> None:
        config = OrderManagerConfig(unknown_deadline_ns=10 * SECOND, query_cap_ns=4 * SECOND)
        core, timer = lost(asked(), config=config)
        alarms: list[Alarm] = []
        while len(alarms) < 3:
            outputs = core.handle(timer, timer.at_ns)
            alarms += of_kind(outputs, Alarm)
            timer = timer_of(outputs)
        assert [(each.time_ns - 1) / SECOND for each in alarms] == [10, 20, 30]
        assert alarms[0].source == "orders"
        assert alarms[0].text.startswith("order a (BUY 10 BTC) has been in doubt for 10 s")
        assert alarms[1].text.startswith("STILL UNKNOWN, alarm 2: order a")
        assert record_of(core).status is UNKNOWN, "never REJECTED without evidence"

    @pytest.mark.parametrize(
        ("evidence", "status"),
        [
            (said(ACCEPTED), WORKING),
            (said(ReportKind.TRIGGERED), WORKING),
            (traded(3), OrderStatus.PARTIALLY_FILLED),
            (traded(10), OrderStatus.FILLED),
            (said(CANCELLED), OrderStatus.CANCELLED),
            (said(ReportKind.EXPIRED), OrderStatus.EXPIRED),
            (said(ReportKind.REJECTED), OrderStatus.REJECTED),
            (said(GONE), OrderStatus.REJECTED),
        ],
    )
    def test_the_venues_word_ends_the_doubt(self, evidence: Any, status: OrderStatus) -> None:
        core, timer = lost(asked())
        assert ("a", status) in updates(core.handle(evidence, 2))
        assert core.handle(timer, timer.at_ns) == [], "nobody asks any more"

    @pytest.mark.parametrize("kind", [LOST, NOT_FOUND])
    def test_not_found_and_another_loss_prove_nothing(self, kind: ReportKind) -> None:
        core, timer = lost(asked())
        assert core.handle(said(kind), 2) == []
        assert of_kind(core.handle(timer, timer.at_ns), QueryOrder)
        assert record_of(core).status is UNKNOWN

    def test_not_found_alone_begins_the_doubt(self) -> None:
        core = manager(asked())
        assert updates(core.handle(said(NOT_FOUND), 2)) == [("a", UNKNOWN)]
        assert record_of(core).history[-1][2] == "the venue's answer: NOT_FOUND"

    def test_a_late_fill_after_gone_is_applied(self) -> None:
        core, _ = lost(asked())
        core.handle(said(GONE), 2)
        assert updates(core.handle(traded(4), 3)) == [("a", OrderStatus.REJECTED)]
        assert record_of(core).filled_quantity == 4
        assert core.handle(said(GONE), 4) == []
        assert core.handle(said(LOST), 4) == []

    def test_what_was_never_sent_cannot_be_lost(self) -> None:
        core = manager(asked(), asked(name="x", side=Side.SELL, parent="a"))
        denied = manager(asked(-1))
        for kind in (LOST, NOT_FOUND, GONE):
            with pytest.raises(OrderStateError):
                core.handle(said(kind, "x"), 2)
            with pytest.raises(OrderStateError):
                denied.handle(said(kind), 2)


class TestALostCancel:
    def test_it_is_asked_again_as_soon_as_the_order_shows_that_it_works(self) -> None:
        core, timer = lost(asked(), said(ACCEPTED), CANCEL)
        assert record_of(core).status is UNKNOWN
        assert of_kind(core.handle(timer, timer.at_ns), QueryOrder)
        outputs = core.handle(said(ACCEPTED), 2 * SECOND)
        assert of_kind(outputs, CancelPlacedOrder)
        assert updates(outputs) == [("a", WORKING), ("a", OrderStatus.CANCELLING)]
        assert updates(core.handle(said(CANCELLED), 3 * SECOND)) == [("a", OrderStatus.CANCELLED)]

    def test_a_refused_second_cancel_does_not_end_the_doubt(self) -> None:
        core, timer = lost(asked(), said(ACCEPTED), CANCEL)
        timer = timer_of(core.handle(timer, timer.at_ns))
        core.handle(said(ACCEPTED), timer.at_ns)
        core.handle(said(ReportKind.CANCEL_REJECTED, reason="it is over"), timer.at_ns)
        assert record_of(core).status is WORKING
        assert of_kind(core.handle(timer, timer.at_ns), QueryOrder)
        core.handle(said(CANCELLED), timer.at_ns)
        assert record_of(core).status is OrderStatus.CANCELLED

    def test_gone_is_cancelled_where_the_venue_had_shown_it(self) -> None:
        core, _ = lost(asked(), said(ACCEPTED), CANCEL)
        assert updates(core.handle(said(GONE), 2)) == [("a", OrderStatus.CANCELLED)]

    def test_not_found_is_no_cancel(self) -> None:
        core = manager(asked(), said(ACCEPTED), CANCEL)
        assert updates(core.handle(said(NOT_FOUND), 2)) == [("a", UNKNOWN)]
        assert updates(core.handle(traded(10), 3)) == [("a", OrderStatus.FILLED)]

    def test_of_an_unknown_order_it_is_sent_at_once_and_remembered(self) -> None:
        core, _ = lost(asked())
        outputs = core.handle(CANCEL, 2)
        assert of_kind(outputs, CancelPlacedOrder)
        assert updates(outputs) == [("a", UNKNOWN)]
        assert core.handle(CANCEL, 3) == [], "asking once is enough"
        assert of_kind(core.handle(CancelAll("halt"), 3), CancelPlacedOrder), "but for the switch"
        assert core.handle(said(NOT_FOUND), 4) == []
        outputs = core.handle(said(ACCEPTED), 5)
        assert of_kind(outputs, CancelPlacedOrder)
        assert record_of(core).status is OrderStatus.CANCELLING

    def test_while_working_it_is_asked_for_too(self) -> None:
        core = manager(asked(), said(ACCEPTED))
        outputs = core.handle(said(LOST), 2)
        assert updates(outputs) == []
        assert record_of(core).status is WORKING
        timer = timer_of(outputs)
        core.handle(said(ACCEPTED), 3)
        core.handle(traded(1), 3)
        timer = timer_of(core.handle(timer, timer.at_ns))
        core.handle(said(ACCEPTED), timer.at_ns)
        assert core.handle(timer, timer.at_ns) == []


class TestALostChange:
    def test_the_venue_says_whether_it_was_made(self) -> None:
        for kind, quantity in ((ReportKind.REPLACED, 7), (ReportKind.REPLACE_REJECTED, 10)):
            order = asked()
            core = manager(order, said(ACCEPTED), changed(order, quantity=7))
            core.handle(said(LOST), 2)
            assert record_of(core).status is UNKNOWN
            outputs = core.handle(said(kind), 3)
            assert answers(outputs) == [(kind is ReportKind.REPLACED, quantity)]
            assert updates(outputs)[-1] == ("a", WORKING)

    def test_that_it_works_is_no_answer_to_the_change(self) -> None:
        order = asked()
        core, timer = lost(order, said(ACCEPTED), changed(order, quantity=7))
        timer = timer_of(core.handle(timer, timer.at_ns))
        core.handle(said(ACCEPTED), timer.at_ns)
        assert of_kind(core.handle(timer, timer.at_ns), QueryOrder)

    def test_gone_answers_it(self) -> None:
        order = asked()
        core = manager(order, said(ACCEPTED), changed(order, quantity=7), said(LOST))
        outputs = core.handle(said(GONE), 3)
        assert answers(outputs) == [(False, 10)]
        assert updates(outputs) == [("a", OrderStatus.CANCELLED)]

    def test_one_that_is_asked_for_meanwhile_waits(self) -> None:
        order = asked()
        core = manager(order, said(ACCEPTED), CANCEL, said(NOT_FOUND))
        refused = core.handle(changed(order, quantity=7), 3)
        assert answers(refused) == [(False, 10)], "it is to be cancelled"
        core = manager(order, said(LOST))
        assert core.handle(changed(order, quantity=7), 3) == []
        assert of_kind(core.handle(said(ACCEPTED), 4), ReplacePlacedOrder)

    def test_one_waits_while_another_is_in_doubt_although_trades_come(self) -> None:
        order = asked()
        core = manager(order, said(ACCEPTED), changed(order, quantity=8), said(LOST))
        record_of(core).waiting = changed(order, quantity=6).order
        assert of_kind(core.handle(traded(1), 3), ReplacePlacedOrder) == []
        outputs = core.handle(said(ReportKind.REPLACED), 4)
        assert [int(r.order.quantity) for r in of_kind(outputs, ReplacePlacedOrder)] == [6]


class TestRelatives:
    def test_a_part_in_doubt_is_asked_for_and_its_whole_goes_on(self) -> None:
        core = manager(asked(9, schedule=ICEBERG))
        outputs = core.handle(said(LOST, "a/1", reason="timeout"), 2)
        timer = timer_of(outputs)
        assert timer.name == "doubt:a/1"
        [update] = of_kind(outputs, OrderUpdate)
        assert (update.client_order_id, update.reason) == ("a", "part a/1 is UNKNOWN: timeout")
        outputs = core.handle(timer, timer.at_ns)
        assert [each.client_order_id for each in of_kind(outputs, QueryOrder)] == ["a/1"]
        outputs = core.handle(traded(3, "a/1"), timer.at_ns)
        assert [each.order.client_order_id for each in of_kind(outputs, PlaceOrder)] == ["a/2"]

    def test_the_part_of_a_cancelled_whole_is_cancelled_as_soon_as_it_shows(self) -> None:
        core = manager(asked(9, schedule=TWAP), said(LOST, "a/1"))
        assert of_kind(core.handle(CANCEL, 2), CancelPlacedOrder)
        outputs = core.handle(said(ACCEPTED, "a/1"), 3)
        assert [each.client_order_id for each in of_kind(outputs, CancelPlacedOrder)] == ["a/1"]
        assert updates(core.handle(said(CANCELLED, "a/1"), 4))[-1] == ("a", OrderStatus.CANCELLED)

    def test_a_part_that_is_gone_ends_its_whole(self) -> None:
        core = manager(asked(9, schedule=ICEBERG), said(LOST, "a/1"))
        outputs = core.handle(said(GONE, "a/1"), 3)
        assert updates(outputs)[-1] == ("a", OrderStatus.CANCELLED)

    def test_alternatives_in_doubt_are_changed_when_they_show(self) -> None:
        core = manager(
            asked(group="g"),
            asked(name="b", group="g"),
            said(ACCEPTED, "b"),
            CancelOrder(client_order_id="b", strategy="strategy"),
            said(LOST, "b"),
        )
        assert of_kind(core.handle(traded(4), 2), ReplacePlacedOrder) == []
        assert record_of(core, "b").status is UNKNOWN
        outputs = core.handle(said(ACCEPTED, "b"), 3)
        assert of_kind(outputs, CancelPlacedOrder)

    def test_an_exit_that_fills_asks_once_to_cancel_its_unknown_entry(self) -> None:
        core = manager(asked(), traded(4), asked(name="x", side=Side.SELL, parent="a"))
        core.handle(said(LOST), 2)
        core.handle(CANCEL, 2)
        core.handle(said(LOST), 2)
        assert record_of(core).status is UNKNOWN
        outputs = core.handle(traded(1, "x", "t2"), 3)
        assert of_kind(outputs, CancelPlacedOrder) == []

    def test_an_entry_that_is_gone_ends_its_exits(self) -> None:
        core = manager(asked(), asked(name="x", side=Side.SELL, parent="a"), said(LOST))
        outputs = core.handle(said(GONE), 2)
        assert updates(outputs) == [("a", OrderStatus.REJECTED), ("x", OrderStatus.CANCELLED)]


def test_the_timer_of_a_question_that_is_over_does_nothing() -> None:
    core, timer = lost(asked())
    assert core.handle(TimerFired("orders", "doubt:nobody", 3), 3) == []
    core.handle(timer, timer.at_ns)
    assert core.handle(timer, timer.at_ns) == [], "there is a later one"


def test_a_doubt_about_an_order_that_is_not_here_ends() -> None:
    core, timer = lost(asked())
    del core._registry.records["a"], core._registry.open["a"]
    assert core.handle(timer, timer.at_ns) == []
    assert core._doubts.open == {}


def test_a_rebuilt_core_asks_as_the_first_did() -> None:
    core = manager()
    history: list[tuple[str, Any]] = []
    messages: list[tuple[int, Any]] = [(5, asked()), (6, said(LOST)), (7, CANCEL)]
    for at_ns, message in messages:
        core.handle(message, at_ns)
        history += [("at", at_ns), ("received", message)]
    again = manager()
    again.recover(history)
    timer = TimerFired("orders", "doubt:a", 6 + SECOND)
    news: list[Any] = [timer, said(ACCEPTED)]
    for message in news:
        assert again.handle(message, timer.at_ns) == core.handle(message, timer.at_ns)
    assert record_of(again).history == record_of(core).history
