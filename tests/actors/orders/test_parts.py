from decimal import Decimal
from typing import Any

import pytest

from actors.actor import Later
from actors.errors import OrderStateError
from actors.messages.system import Halt, TimerFired
from actors.messages.trading import (
    CancelOrder,
    CancelPlacedOrder,
    Fill,
    OrderUpdate,
    PlaceOrder,
    ReplaceResult,
    ReportKind,
)
from actors.model.order import OrderStatus, Schedule, ScheduleKind, Side
from actors.orders.manager import OrderManager
from tests.actors.orders.rooms import (
    answers,
    asked,
    changed,
    kinds,
    manager,
    of_kind,
    record_of,
    said,
    traded,
    updates,
)
from tests.builders import instrument, instruments

TWAP = Schedule(kind=ScheduleKind.TWAP, duration_ns=90, slices=3)
ICEBERG = Schedule(kind=ScheduleKind.ICEBERG, display_quantity=Decimal(4))
CANCEL = CancelOrder(client_order_id="a", strategy="strategy")


def slice_timer(number: int, name: str = "a") -> TimerFired:
    return TimerFired("orders", f"slice:{name}:{number}", 1 + 30 * number)


def placed(outputs: list[Any]) -> list[tuple[str, int]]:
    return [
        (each.order.client_order_id, int(each.order.quantity))
        for each in of_kind(outputs, PlaceOrder)
    ]


def last_reason(outputs: list[Any]) -> str:
    reason: str = of_kind(outputs, OrderUpdate)[-1].reason
    return reason


def twap(quantity: int = 9, **more: Any) -> OrderManager:
    return manager(asked(quantity, schedule=TWAP, **more))


def fill_part(core: OrderManager, number: int, quantity: int, name: str = "a") -> list[Any]:
    trade = traded(quantity, f"{name}/{number}", f"t{number}-{quantity}")
    outputs: list[Any] = core.handle(trade, 5)
    return outputs


class TestTimedSchedules:
    def test_the_first_part_goes_out_at_once_and_a_timer_is_set_for_the_next(self) -> None:
        core = manager()
        place, later = core.handle(asked(9, schedule=TWAP), 1)
        assert isinstance(place, PlaceOrder)
        part = place.order
        assert (part.client_order_id, part.quantity, part.schedule) == ("a/1", Decimal(3), None)
        assert part.limit_price == 100
        assert later == Later(slice_timer(1), 31, background=True)
        assert record_of(core, "a/1").status is OrderStatus.SUBMITTING

    def test_each_slice_sends_a_part(self) -> None:
        core = twap()
        outputs = core.handle(slice_timer(1), 31)
        assert placed(outputs) == [("a/2", 3)]
        assert of_kind(outputs, Later) == [Later(slice_timer(2), 61, background=True)]
        outputs = core.handle(slice_timer(2), 61)
        assert placed(outputs) == [("a/3", 3)]
        assert of_kind(outputs, Later) == [Later(slice_timer(3), 91, background=True)]

    def test_strategy_and_portfolio_hear_of_the_whole_order_only(self) -> None:
        core = twap()
        assert updates(core.handle(said(ReportKind.ACCEPTED, "a/1"), 2)) == [
            ("a", OrderStatus.WORKING)
        ]
        outputs = fill_part(core, 1, 3)
        [fill] = of_kind(outputs, Fill)
        assert (fill.client_order_id, fill.last_quantity, fill.leaves_quantity) == (
            "a",
            Decimal(3),
            Decimal(6),
        )
        assert updates(outputs) == [("a", OrderStatus.PARTIALLY_FILLED)]
        assert [record.order.client_order_id for record in core.orders()] == ["a"]
        assert core.handle(said(ReportKind.ACCEPTED, "a/1"), 2) == []

    def test_a_trade_that_comes_twice_is_applied_once(self) -> None:
        core = twap()
        fill_part(core, 1, 2)
        assert fill_part(core, 1, 2) == []
        assert record_of(core).filled_quantity == 2

    def test_what_a_part_leaves_unfilled_goes_with_the_next(self) -> None:
        core = twap()
        fill_part(core, 1, 1)
        assert updates(core.handle(said(ReportKind.CANCELLED, "a/1"), 6)) == []
        assert placed(core.handle(slice_timer(1), 31)) == [("a/2", 5)]

    def test_what_rests_is_left_to_work(self) -> None:
        core = twap()
        core.handle(said(ReportKind.ACCEPTED, "a/1"), 2)
        assert placed(core.handle(slice_timer(1), 31)) == [("a/2", 3)]

    def test_at_the_end_the_rest_goes_out_once_more(self) -> None:
        core = twap()
        for number in (1, 2):
            core.handle(said(ReportKind.EXPIRED, f"a/{number}"), 2)
            core.handle(slice_timer(number), 1 + 30 * number)
        core.handle(said(ReportKind.EXPIRED, "a/3"), 62)
        outputs = core.handle(slice_timer(3), 91)
        assert (placed(outputs), of_kind(outputs, Later)) == ([("a/4", 9)], [])
        outputs = core.handle(said(ReportKind.CANCELLED, "a/4"), 92)
        assert updates(outputs) == [("a", OrderStatus.CANCELLED)]
        assert last_reason(outputs) == "the schedule is over"

    def test_at_the_end_what_works_goes_on(self) -> None:
        core = twap()
        for number in (1, 2, 3):
            core.handle(slice_timer(number), 1 + 30 * number)
        assert record_of(core).status is OrderStatus.SUBMITTING
        assert updates(fill_part(core, 1, 3) + fill_part(core, 2, 3))[-1][1] in (
            OrderStatus.PARTIALLY_FILLED,
        )
        assert updates(fill_part(core, 3, 3)) == [("a", OrderStatus.FILLED)]

    def test_a_rejected_part_is_told(self) -> None:
        core = twap()
        outputs = core.handle(said(ReportKind.REJECTED, "a/1", "closed"), 2)
        assert last_reason(outputs) == "part a/1 was rejected: closed"
        assert updates(outputs) == [("a", OrderStatus.SUBMITTING)]

    def test_a_slice_too_small_to_send_goes_with_the_next(self) -> None:
        table = instruments(instrument(lot="1", tick="1", min_quantity="3"))
        core = manager(asked(9, schedule=TWAP), table=table)
        fill_part(core, 1, 2)
        core.handle(said(ReportKind.CANCELLED, "a/1"), 6)
        assert placed(core.handle(slice_timer(1), 31)) == [("a/2", 4)]
        fill_part(core, 2, 2)
        core.handle(slice_timer(2), 61)
        fill_part(core, 3, 3)

    def test_a_slice_for_which_nothing_is_left_sends_nothing(self) -> None:
        core = manager(asked(1, schedule=TWAP))
        assert kinds(core.handle(slice_timer(1), 31)) == ["Later"]
        assert placed(core.handle(slice_timer(2), 61)) == [("a/1", 1)]

    def test_the_shortfall_against_the_arrival_price_is_told_at_the_end(self) -> None:
        core = twap(arrival_price=Decimal(98))
        for number in (1, 2):
            fill_part(core, number, 3)
            core.handle(slice_timer(number), 1 + 30 * number)
        assert core.shortfall("a") == 12
        outputs = fill_part(core, 3, 3)
        assert last_reason(outputs) == "filled in parts; shortfall 18 against 98"
        assert core.shortfall("a") == Decimal(18)
        assert core.shortfall("b") is None

    def test_a_sale_below_the_arrival_price_falls_short(self) -> None:
        core = manager(asked(3, None, Side.SELL, arrival_price=Decimal(102)), traded(3))
        assert core.shortfall("a") == 6
        assert record_of(manager(asked(3))).shortfall is None

    def test_timers_of_orders_that_are_over_or_of_slices_that_are_past_say_nothing(self) -> None:
        core = twap()
        core.handle(slice_timer(1), 31)
        assert core.handle(slice_timer(1), 31) == []
        assert core.handle(slice_timer(1, "nobody"), 31) == []
        core.handle(asked(1, name="b"), 1)
        assert core.handle(slice_timer(1, "b"), 31) == []
        core.handle(Halt("stop"), 40)
        assert core.handle(slice_timer(2), 61) == []

    def test_a_part_that_fills_after_its_rest_was_sent_again_makes_the_order_larger(self) -> None:
        core = twap(3)
        core.handle(said(ReportKind.EXPIRED, "a/1"), 2)
        core.handle(slice_timer(1), 31)
        outputs = core.handle(traded(2, "a/2", "x"), 32)
        outputs = core.handle(traded(1, "a/1", "y"), 33)
        assert updates(outputs) == [("a", OrderStatus.FILLED)]
        core.handle(slice_timer(2), 61)
        core = twap(3)
        core.handle(said(ReportKind.EXPIRED, "a/1"), 2)
        core.handle(slice_timer(1), 31)
        core.handle(slice_timer(2), 61)
        core.handle(traded(2, "a/2", "x"), 62)
        core.handle(traded(1, "a/3", "z"), 63)
        assert record_of(core).status is OrderStatus.FILLED
        outputs = core.handle(traded(1, "a/1", "y"), 64)
        assert kinds(outputs) == ["ReplaceResult", "Fill", "OrderUpdate"]
        assert answers(outputs) == [(True, 4)]
        assert record_of(core).status is OrderStatus.FILLED
        assert record_of(core).filled_quantity == 4

    def test_a_late_fill_of_a_part_that_was_over_is_taken(self) -> None:
        core = twap()
        core.handle(said(ReportKind.CANCELLED, "a/1"), 2)
        assert updates(fill_part(core, 1, 3)) == [("a", OrderStatus.PARTIALLY_FILLED)]
        assert record_of(core, "a/1").status is OrderStatus.FILLED
        assert placed(core.handle(slice_timer(1), 31)) == [("a/2", 3)]


class TestIcebergs:
    def test_the_next_part_is_shown_when_the_one_before_has_filled(self) -> None:
        core = manager()
        outputs = core.handle(asked(10, schedule=ICEBERG), 1)
        assert (placed(outputs), kinds(outputs)) == ([("a/1", 4)], ["PlaceOrder"])
        assert placed(fill_part(core, 1, 3)) == []
        outputs = core.handle(traded(1, "a/1", "x"), 2)
        assert placed(outputs) == [("a/2", 4)]
        assert placed(fill_part(core, 2, 4)) == [("a/3", 2)]
        assert updates(fill_part(core, 3, 2)) == [("a", OrderStatus.FILLED)]

    def test_a_part_that_ends_in_another_way_ends_the_order(self) -> None:
        core = manager(asked(10, schedule=ICEBERG))
        fill_part(core, 1, 1)
        outputs = core.handle(said(ReportKind.EXPIRED, "a/1", "too late"), 3)
        assert updates(outputs) == [("a", OrderStatus.CANCELLED)]
        assert last_reason(outputs) == "part a/1 is EXPIRED: too late"


class TestRequests:
    def test_a_cancel_reaches_every_part_that_works(self) -> None:
        core = twap()
        core.handle(said(ReportKind.ACCEPTED, "a/1"), 2)
        core.handle(slice_timer(1), 31)
        core.handle(said(ReportKind.ACCEPTED, "a/2"), 32)
        outputs = core.handle(CANCEL, 33)
        assert [each.client_order_id for each in of_kind(outputs, CancelPlacedOrder)] == [
            "a/1",
            "a/2",
        ]
        assert updates(outputs) == [("a", OrderStatus.CANCELLING)]
        assert updates(core.handle(said(ReportKind.CANCELLED, "a/1"), 34)) == []
        outputs = core.handle(said(ReportKind.CANCELLED, "a/2"), 35)
        assert updates(outputs) == [("a", OrderStatus.CANCELLED)]
        assert core.handle(slice_timer(2), 61) == []

    def test_a_cancel_between_two_parts_ends_the_order_at_once(self) -> None:
        core = twap()
        fill_part(core, 1, 3)
        outputs = core.handle(CANCEL, 6)
        assert updates(outputs) == [("a", OrderStatus.CANCELLED)]
        assert last_reason(outputs) == "cancel asked for"

    def test_a_cancel_that_overtook_its_part_is_sent_again(self) -> None:
        core = twap()
        core.handle(CANCEL, 2)
        assert core.handle(said(ReportKind.CANCEL_REJECTED, "a/1"), 3) == []
        outputs = core.handle(said(ReportKind.ACCEPTED, "a/1"), 4)
        assert kinds(outputs) == ["CancelPlacedOrder"]

    def test_a_part_whose_cancel_is_refused_works_on_and_so_does_its_order(self) -> None:
        core = twap()
        core.handle(said(ReportKind.ACCEPTED, "a/1"), 2)
        core.handle(CANCEL, 3)
        outputs = core.handle(said(ReportKind.CANCEL_REJECTED, "a/1", "no"), 4)
        assert updates(outputs) == [("a", OrderStatus.WORKING)]
        assert core.handle(said(ReportKind.CANCEL_REJECTED, "a/1", "no"), 4) == []
        assert updates(fill_part(core, 1, 3)) == [
            ("a", OrderStatus.PARTIALLY_FILLED),
            ("a", OrderStatus.CANCELLED),
        ]

    def test_a_change_is_for_the_parts_to_come(self) -> None:
        core = twap()
        record = record_of(core)
        outputs = core.handle(changed(record.order, quantity=15, limit_price=101), 2)
        assert answers(outputs) == [(True, 15)]
        [place] = of_kind(core.handle(slice_timer(1), 31), PlaceOrder)
        assert (place.order.quantity, place.order.limit_price) == (Decimal(7), Decimal(101))

    @pytest.mark.parametrize("number", [1, 2])
    def test_a_change_to_less_than_was_sent_is_refused(self, number: int) -> None:
        core = twap()
        [answer, update] = core.handle(changed(record_of(core).order, quantity=number), 2)
        assert isinstance(answer, ReplaceResult)
        assert not answer.accepted
        assert answer.reason == "the schedule cannot be changed: 3 has been sent"
        assert isinstance(update, OrderUpdate)

    def test_a_schedule_that_makes_no_sense_is_denied(self) -> None:
        bad = Schedule(kind=ScheduleKind.TWAP, slices=3)
        [update] = manager().handle(asked(9, schedule=bad), 1)
        assert isinstance(update, OrderUpdate)
        assert update.status is OrderStatus.DENIED
        assert "a duration above 0" in update.reason

    @pytest.mark.parametrize(
        "message",
        [
            said(ReportKind.ACCEPTED),
            traded(1),
            said(ReportKind.CANCELLED, "a/9"),
            traded(1, "a/9"),
        ],
    )
    def test_a_report_on_the_whole_order_or_on_no_part_raises(self, message: Any) -> None:
        core = twap()
        with pytest.raises(OrderStateError, match="never placed"):
            core.handle(message, 2)

    def test_exits_of_a_scheduled_entry_follow_its_parts(self) -> None:
        core = twap()
        exit_ = asked(9, 110, Side.SELL, name="x", parent="a", reduce_only=True)
        core.handle(exit_, 1)
        assert placed(fill_part(core, 1, 3)) == [("x", 3)]
        core.handle(said(ReportKind.ACCEPTED, "x"), 6)
        outputs = core.handle(traded(1, "x", "t-x", price=110), 7)
        assert updates(outputs)[-1] == ("a", OrderStatus.CANCELLED)
        assert core.handle(slice_timer(1), 31) == []

    def test_a_part_may_trade_provisionally(self) -> None:
        core = twap()
        [fill] = of_kind(core.handle(traded(3, "a/1", "t", provisional=True), 3), Fill)
        assert fill.provisional
        outputs = core.handle(said(ReportKind.TRADE_FAILED, "a/1", trade_id="t"), 4)
        assert kinds(outputs) == ["FillSettled", "OrderUpdate"]
        assert record_of(core).filled_quantity == 0
