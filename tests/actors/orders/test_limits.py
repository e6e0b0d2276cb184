from typing import Any

import pytest

from actors.actor import Later
from actors.errors import OrderStateError
from actors.messages.system import TimerFired
from actors.messages.trading import (
    CancelOrder,
    CancelOrders,
    CancelPlacedOrder,
    OrderUpdate,
    PlaceOrder,
    ReportKind,
    SubmitOrder,
)
from actors.model.order import OrderStatus, Schedule, ScheduleKind, Side, TimeInForce
from actors.orders.config import HOUR_NS, OrderManagerConfig
from actors.orders.manager import OrderManager
from actors.orders.records import MOST_HISTORY
from tests.actors.orders.rooms import (
    asked,
    changed,
    manager,
    of_kind,
    record_of,
    said,
    traded,
    updates,
)

TWAP = Schedule(kind=ScheduleKind.TWAP, duration_ns=90, slices=3)
GUARDED = OrderManagerConfig(duplicate_guard=True)
AGEING = OrderManagerConfig(max_order_age_hours=6)
DENIED = OrderStatus.DENIED


def guarded(*messages: Any) -> OrderManager:
    return manager(*messages, config=GUARDED)


class TestDuplicates:
    def test_a_second_order_on_the_same_side_is_denied_and_counted(self) -> None:
        core = guarded(asked())
        [update] = core.handle(asked(name="b"), 2)
        assert isinstance(update, OrderUpdate)
        assert (update.status, update.reason) == (
            DENIED,
            "duplicate: a is SUBMITTING on the same side",
        )
        assert core.refused_duplicates == 1
        assert updates(core.handle(asked(name="c"), 3)) == [("c", DENIED)]
        assert core.refused_duplicates == 2

    def test_duplicates_are_allowed_unless_told_otherwise(self) -> None:
        core = manager(asked(), asked(name="b"))
        assert core.refused_duplicates == 0
        assert len(core.open_orders()) == 2

    @pytest.mark.parametrize(
        "other",
        [
            asked(name="b", side=Side.SELL),
            asked(name="b", strategy="other"),
            asked(name="b", group="g"),
            asked(name="b", parent="a"),
        ],
    )
    def test_others_are_no_duplicates(self, other: SubmitOrder) -> None:
        core = guarded(asked())
        core.handle(other, 2)
        assert core.refused_duplicates == 0

    @pytest.mark.parametrize(
        "end",
        [
            traded(10),
            said(ReportKind.CANCELLED),
            said(ReportKind.REJECTED),
            said(ReportKind.EXPIRED),
        ],
    )
    def test_every_end_of_an_order_makes_room(self, end: Any) -> None:
        core = guarded(asked(), end)
        assert of_kind(core.handle(asked(name="b"), 2), PlaceOrder)

    def test_a_denied_order_takes_no_room(self) -> None:
        core = guarded(asked(-1))
        assert of_kind(core.handle(asked(name="b"), 2), PlaceOrder)

    def test_an_order_blocks_no_longer_than_the_timeout(self) -> None:
        config = OrderManagerConfig(duplicate_guard=True, duplicate_timeout_ns=100)
        core = manager(asked(), config=config)
        assert updates(core.handle(asked(name="b"), 100)) == [("b", DENIED)]
        assert of_kind(core.handle(asked(name="c"), 101), PlaceOrder)
        assert updates(core.handle(asked(name="d"), 102)) == [("d", DENIED)]

    def test_a_rebuilt_core_refuses_the_same(self) -> None:
        config = OrderManagerConfig(duplicate_guard=True, duplicate_timeout_ns=100)
        messages = [asked(created_ns=1_000), asked(name="b", created_ns=1_050)]
        again = manager(config=config)
        again.recover([("received", each) for each in messages])
        assert record_of(again, "b").status is DENIED
        assert updates(again.handle(asked(name="c", created_ns=1_099), 1_099)) == [("c", DENIED)]
        assert of_kind(again.handle(asked(name="d", created_ns=1_100), 1_100), PlaceOrder)


class TestAgeing:
    def test_an_order_that_is_too_old_is_cancelled_with_the_cause(self) -> None:
        core = manager(config=AGEING)
        [_, later] = core.handle(asked(), 5)
        timer = TimerFired("orders", "ageing", 5 + 6 * HOUR_NS)
        assert later == Later(timer, timer.at_ns, background=True)
        outputs = core.handle(timer, timer.at_ns)
        assert of_kind(outputs, CancelPlacedOrder)
        assert updates(outputs) == [("a", OrderStatus.CANCELLING)]
        assert record_of(core).history[-1][2] == "open for more than 6 hours"

    def test_one_timer_serves_all_orders(self) -> None:
        core = manager(config=AGEING)
        core.handle(asked(), 5)
        assert of_kind(core.handle(asked(name="b"), 7), Later) == []
        outputs = core.handle(TimerFired("orders", "ageing", 5 + 6 * HOUR_NS), 5 + 6 * HOUR_NS)
        assert [each.client_order_id for each in of_kind(outputs, CancelPlacedOrder)] == ["a"]
        [later] = of_kind(outputs, Later)
        assert later.at_ns == 7 + 6 * HOUR_NS

    def test_orders_that_are_over_or_end_by_themselves_do_not_age(self) -> None:
        core = manager(config=AGEING)
        gtd = asked(name="g", time_in_force=TimeInForce.GTD, expire_time_ns=99 * HOUR_NS)
        assert of_kind(core.handle(gtd, 1), Later) == []
        core.handle(asked(), 5)
        core.handle(traded(10), 6)
        assert core.handle(TimerFired("orders", "ageing", 5 + 6 * HOUR_NS), 5 + 6 * HOUR_NS) == []
        assert of_kind(core.handle(asked(name="c"), 8), Later), "the next order sets it again"

    def test_held_exits_age_with_their_entry(self) -> None:
        core = manager(asked(), asked(name="x", side=Side.SELL, parent="a"), config=AGEING)
        outputs = core.handle(TimerFired("orders", "ageing", 1 + 6 * HOUR_NS), 1 + 6 * HOUR_NS)
        assert ("x", OrderStatus.CANCELLED) in updates(outputs)

    def test_a_rebuilt_core_goes_on_with_the_timer_that_was_set(self) -> None:
        again = manager(config=AGEING)
        again.recover([("received", asked(created_ns=3))])
        assert of_kind(again.handle(asked(name="b", created_ns=4), 4), Later) == []
        outputs = again.handle(TimerFired("orders", "ageing", 3 + 6 * HOUR_NS), 3 + 6 * HOUR_NS)
        assert [each.client_order_id for each in of_kind(outputs, CancelPlacedOrder)] == ["a"]
        assert of_kind(outputs, Later)[0].at_ns == 4 + 6 * HOUR_NS

    @pytest.mark.parametrize("hours", [None, 0])
    def test_nothing_ages_unless_told(self, hours: int | None) -> None:
        core = manager(config=OrderManagerConfig(max_order_age_hours=hours))
        assert of_kind(core.handle(asked(), 5), Later) == []
        assert core.handle(TimerFired("orders", "ageing", 6), 6) == []


class TestEviction:
    def test_orders_that_are_over_are_forgotten_from_the_oldest_on(self) -> None:
        core = manager(config=OrderManagerConfig(max_completed_orders=2))
        for name in "abcd":
            core.handle(asked(name=name), 1)
        for name in "bdca":
            core.handle(traded(10, name, f"t-{name}"), 2)
        assert list(core.completed_orders) == ["a", "c"]
        assert core.evicted_orders == 2

    def test_open_orders_are_kept_however_many_there_are(self) -> None:
        core = manager(config=OrderManagerConfig(max_completed_orders=0))
        for name in "abc":
            core.handle(asked(name=name), 1)
        core.handle(traded(10, "b"), 2)
        assert list(core.active_orders) == ["a", "c"]
        assert core.completed_orders == {}

    def test_late_news_of_a_forgotten_order_say_nothing_but_a_trade_raises(self) -> None:
        core = manager(asked(), traded(10), config=OrderManagerConfig(max_completed_orders=0))
        assert core.order("a") is None
        assert core.handle(said(ReportKind.CANCELLED), 3) == []
        assert core.handle(asked(), 3) == [], "its id is not used again"
        assert core.handle(CancelOrder(client_order_id="a", strategy="strategy"), 3) == []
        with pytest.raises(OrderStateError, match="its record was evicted to the journal"):
            core.handle(traded(1, trade="t9"), 3)

    def test_the_memory_of_ids_is_bounded_too(self) -> None:
        core = manager(config=OrderManagerConfig(max_completed_orders=1))
        for number in range(30):
            core.handle(asked(name=f"o{number}"), 1)
            core.handle(traded(10, f"o{number}", f"t{number}"), 2)
        assert core.evicted_orders == 29
        assert core.handle(said(ReportKind.CANCELLED, "o28"), 3) == []
        with pytest.raises(OrderStateError, match="never placed"):
            core.handle(said(ReportKind.CANCELLED, "o2"), 3)

    def test_a_provisional_trade_keeps_its_order(self) -> None:
        core = manager(
            asked(), traded(10, provisional=True), config=OrderManagerConfig(max_completed_orders=0)
        )
        assert core.order("a") is not None
        core.handle(said(ReportKind.TRADE_SETTLED, trade_id="t1"), 3)
        core.handle(asked(name="b"), 4)
        core.handle(traded(10, "b", "t2"), 4)
        assert core.completed_orders == {}

    def test_relatives_are_kept_until_all_are_over(self) -> None:
        config = OrderManagerConfig(max_completed_orders=0)
        core = manager(asked(), config=config)
        core.handle(asked(name="p", side=Side.SELL, parent="a", group="g"), 1)
        core.handle(asked(name="l", side=Side.SELL, parent="a", group="g"), 1)
        core.handle(traded(10), 2)
        assert list(core.completed_orders) == ["a"]
        core.handle(traded(10, "p", "t2"), 3)
        assert list(core.completed_orders) == ["a", "p"]
        core.handle(said(ReportKind.CANCELLED, "l"), 4)
        assert core.cleanup_old_orders() == 0
        assert list(core.completed_orders) == []

    def test_a_schedule_takes_its_parts_along(self) -> None:
        core = manager(asked(9, schedule=TWAP), config=OrderManagerConfig(max_completed_orders=0))
        core.handle(said(ReportKind.EXPIRED, "a/1"), 2)
        core.handle(CancelOrder(client_order_id="a", strategy="strategy"), 3)
        assert core.get_order("a/1") is None
        assert core.handle(said(ReportKind.EXPIRED, "a/1"), 4) == []
        with pytest.raises(OrderStateError, match="evicted to the journal"):
            core.handle(traded(1, "a/1"), 5)

    def test_cleaning_up_forgets_everything_that_is_over(self) -> None:
        core = manager(asked(), asked(name="b"), traded(10))
        assert list(core.completed_orders) == ["a"]
        assert core.cleanup_old_orders() == 1
        assert (list(core.active_orders), list(core.completed_orders)) == (["b"], [])
        assert core.cleanup_old_orders() == 0

    def test_a_week_of_orders_takes_no_more_room_than_a_day(self) -> None:
        core = manager(config=OrderManagerConfig(max_completed_orders=50))
        for number in range(2_000):
            name = f"o{number}"
            core.handle(asked(name=name, group=f"g{number}", schedule=None), number)
            core.handle(traded(10, name, f"t{number}"), number)
        registry = core._registry
        assert len(registry.records) == 50
        assert len(registry.groups) == 50
        assert len(registry.forgotten) == 500
        assert len(registry._completed) == 50


class TestHistories:
    def test_the_first_and_the_latest_changes_are_kept(self) -> None:
        core = manager(asked(), said(ReportKind.ACCEPTED))
        for number in range(100):
            core.handle(changed(asked(), limit_price=100 + number), number)
            core.handle(said(ReportKind.REPLACED), number)
        record = record_of(core)
        assert len(record.history) == MOST_HISTORY
        assert record.received_ns == 1
        assert record.history[-1] == (OrderStatus.WORKING, 99, "")
        assert record.submitted_ns == 1

    def test_what_was_not_sent_counts_from_its_receipt(self) -> None:
        core = manager(asked(), asked(name="x", side=Side.SELL, parent="a"))
        assert record_of(core, "x").submitted_ns == 1


class TestLookUps:
    def test_the_seeds_names_find_orders(self) -> None:
        core = manager(asked(), asked(name="b"), asked(name="c"), traded(3, "b"))
        core.handle(said(ReportKind.REJECTED, "c"), 2)
        assert core.get_order("a") is core.order("a")
        assert core.get_order("x") is None
        assert core.get_status("b") is OrderStatus.PARTIALLY_FILLED
        assert core.get_status("x") is None
        assert [r.order.client_order_id for r in core.get_active_orders()] == ["a", "b"]
        assert [r.order.client_order_id for r in core.get_pending_orders()] == ["a"]
        assert list(core.active_orders) == ["a", "b"]
        assert list(core.completed_orders) == ["c"]

    def test_the_part_of_a_schedule_is_found_by_its_id(self) -> None:
        core = manager(asked(9, schedule=TWAP))
        assert core.get_status("a/1") is OrderStatus.SUBMITTING


class TestCancelSome:
    ORDERS = (
        asked(name="a"),
        asked(name="b", side=Side.SELL),
        asked(name="c", strategy="other"),
        asked(name="d"),
    )

    @pytest.mark.parametrize(
        ("message", "expected"),
        [
            (CancelOrders(strategy="strategy"), ["a", "b", "d"]),
            (CancelOrders(strategy="strategy", side=Side.BUY), ["a", "d"]),
            (CancelOrders(strategy="strategy", instrument="BTC"), ["a", "b", "d"]),
            (CancelOrders(strategy="strategy", instrument="ETH"), []),
            (CancelOrders(strategy="nobody"), []),
        ],
    )
    def test_what_is_named_is_cancelled(self, message: CancelOrders, expected: list[str]) -> None:
        outputs = manager(*self.ORDERS).handle(message, 2)
        asked_for = [each.client_order_id for each in of_kind(outputs, CancelPlacedOrder)]
        assert asked_for == expected
        assert all(status is OrderStatus.CANCELLING for _, status in updates(outputs))

    def test_what_is_being_cancelled_is_not_asked_again(self) -> None:
        core = manager(*self.ORDERS)
        message = CancelOrders(strategy="strategy", reason="enough")
        core.handle(message, 2)
        assert core.handle(message, 3) == []
        assert record_of(core).history[-1] == (OrderStatus.CANCELLING, 2, "enough")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"max_order_age_hours": -1.0}, "max_order_age_hours: expected 0 or more, or none"),
        ({"max_order_age_hours": float("nan")}, "max_order_age_hours"),
        ({"max_completed_orders": -1}, "max_completed_orders: expected 0 or more, or none"),
        ({"duplicate_timeout_ns": -1}, "duplicate_timeout: expected 0 or more, found -1 ns"),
        ({"query_after_ns": 0}, "query_after: expected above 0, found 0 ns"),
        ({"query_cap_ns": -1}, "query_cap: expected above 0, found -1 ns"),
        ({"unknown_deadline_ns": 0}, "unknown_deadline: expected above 0"),
        ({"query_backoff": 0.5}, "query_backoff: expected 1 or more, found 0.5"),
    ],
)
def test_a_wrong_limit_is_named(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        OrderManagerConfig(**wrong)


def test_a_system_that_runs_for_weeks_has_the_seeds_limits() -> None:
    config = OrderManagerConfig.bounded()
    assert (config.max_order_age_hours, config.max_completed_orders) == (6, 10_000)
    assert config.max_age_ns == 6 * HOUR_NS


def test_a_daemon_keeps_a_thousand_orders_and_cancels_none_for_its_age() -> None:
    config = OrderManagerConfig.daemon()
    assert (config.max_order_age_hours, config.max_completed_orders) == (None, 1_000)
