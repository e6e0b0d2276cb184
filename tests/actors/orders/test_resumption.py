import pickle
from decimal import Decimal
from typing import Any

import pytest

from actors.actor import Later
from actors.messages.system import CancelStrategy, Halt, HaltLifted, Resumed, TimerFired
from actors.messages.trading import (
    CancelOrder,
    CancelPlacedOrder,
    OrderUpdate,
    PlaceOrder,
    ReportKind,
)
from actors.messages.venue import QueryOrder
from actors.model.order import OrderStatus, Schedule, ScheduleKind, Side
from actors.orders.config import HOUR_NS, OrderManagerConfig
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
from tests.actors.orders.test_machine import known

REMOTE = OrderManagerConfig(remote=True)
RESUMED = Resumed(last_ns=100)
CANCEL = CancelOrder(client_order_id="a", strategy="strategy")
ACCEPTED = said(ReportKind.ACCEPTED)
UNKNOWN = OrderStatus.UNKNOWN
TWAP = Schedule(kind=ScheduleKind.TWAP, duration_ns=90, slices=3)
ICEBERG = Schedule(kind=ScheduleKind.ICEBERG, display_quantity=Decimal(3))


def queried(outputs: list[Any]) -> list[str]:
    return [each.client_order_id for each in of_kind(outputs, QueryOrder)]


class TestAnotherProcess:
    @pytest.mark.parametrize(
        "before",
        [
            [],
            [ACCEPTED, CANCEL],
            [ACCEPTED, changed(asked(), quantity=7)],
            [said(ReportKind.LOST)],
        ],
    )
    def test_what_was_on_its_way_is_asked_for_at_once(self, before: list[Any]) -> None:
        core = manager(asked(), *before, config=REMOTE)
        outputs = core.handle(RESUMED, 200)
        assert record_of(core).status is UNKNOWN
        assert queried(outputs) == ["a"]
        [later] = of_kind(outputs, Later)
        assert later.at_ns == 200 + REMOTE.query_after_ns

    def test_what_works_is_left_to_reconciliation(self) -> None:
        core = manager(asked(), ACCEPTED, asked(name="x", side=Side.SELL, parent="a"))
        assert manager(asked(), ACCEPTED, config=REMOTE).handle(RESUMED, 200) == []
        assert core.handle(RESUMED, 200) == []

    def test_the_strategy_hears_of_the_doubt(self) -> None:
        core = manager(asked(), config=REMOTE)
        [update] = of_kind(core.handle(RESUMED, 200), OrderUpdate)
        assert update.reason == "the process was restarted before an answer came"

    def test_the_part_of_a_schedule_is_asked_for(self) -> None:
        core = manager(asked(9, schedule=ICEBERG), config=REMOTE)
        outputs = core.handle(RESUMED, 200)
        assert queried(outputs) == ["a/1"]
        assert [each.client_order_id for each in of_kind(outputs, OrderUpdate)] == ["a"]
        assert queried(core.handle(RESUMED, 300)) == ["a/1"]

    def test_what_was_approved_before_comes_too_late(self) -> None:
        core = manager(asked(), ACCEPTED, config=REMOTE)
        core.handle(RESUMED, 200)
        [update] = core.handle(asked(name="b", created_ns=100), 201)
        assert isinstance(update, OrderUpdate)
        assert (update.status, update.reason) == (
            OrderStatus.DENIED,
            "approved before the restart",
        )
        assert answers(core.handle(changed(asked(), quantity=7, created_ns=100), 201)) == [
            (False, 10)
        ]
        assert of_kind(core.handle(asked(name="c", created_ns=101), 202), PlaceOrder)

    def test_a_simulated_venue_has_waited(self) -> None:
        core = manager(asked())
        assert core.handle(RESUMED, 200) == []
        assert record_of(core).status is OrderStatus.SUBMITTING
        assert of_kind(core.handle(asked(name="b"), 201), PlaceOrder)

    def test_the_exit_of_a_known_entry_is_not_too_late(self) -> None:
        core = manager(asked(), traded(10), config=REMOTE)
        core.handle(RESUMED, 200)
        exit_ = asked(name="x", side=Side.SELL, parent="a", created_ns=100)
        assert of_kind(core.handle(exit_, 201), PlaceOrder)


class TestLostTimers:
    def test_ageing_goes_on_with_the_oldest(self) -> None:
        config = OrderManagerConfig(max_order_age_hours=6)
        core = manager(asked(), asked(name="b"), config=config)
        core.handle(traded(10), 2)
        [later] = of_kind(core.handle(RESUMED, 200), Later)
        assert later == Later(
            TimerFired("orders", "ageing", 1 + 6 * HOUR_NS), 1 + 6 * HOUR_NS, background=True
        )
        late = of_kind(core.handle(RESUMED, 7 * HOUR_NS), Later)
        assert [each.at_ns for each in late] == [7 * HOUR_NS]
        core.handle(traded(10, "b", "t2"), 3)
        assert core.handle(RESUMED, 200) == []
        assert of_kind(core.handle(asked(name="c"), 8), Later), "the next order sets it again"

    def test_cancels_that_were_refused_are_tried_again(self) -> None:
        core = manager(asked(), ACCEPTED)
        core.handle(Halt("stop"), 2)
        assert of_kind(core.handle(said(ReportKind.CANCEL_REJECTED), 3), Later)
        [later] = of_kind(core.handle(RESUMED, 200), Later)
        assert later.message.name == "retry:a"
        assert of_kind(core.handle(later.message, later.at_ns), CancelPlacedOrder)

    def test_a_schedule_goes_on_from_now(self) -> None:
        core = manager(asked(9, schedule=TWAP), asked(9, name="i", schedule=ICEBERG))
        [later] = of_kind(core.handle(RESUMED, 11), Later)
        assert (later.at_ns, later.message.name, later.background) == (31, "slice:a:1", True)
        [later] = of_kind(core.handle(RESUMED, 500), Later)
        assert later.at_ns == 500
        outputs = core.handle(later.message, 500)
        assert [int(each.order.quantity) for each in of_kind(outputs, PlaceOrder)] == [3]
        assert of_kind(outputs, Later)[0].at_ns == 530
        core.handle(CANCEL, 501)
        assert core.handle(RESUMED, 502) == []


class TestHalts:
    def test_a_halt_can_be_lifted(self) -> None:
        core = manager(asked(), ACCEPTED)
        assert of_kind(core.handle(Halt("loss", final=False), 2), CancelPlacedOrder)
        assert updates(core.handle(asked(name="b"), 3)) == [("b", OrderStatus.DENIED)]
        assert core.handle(HaltLifted("loss"), 4) == []
        assert of_kind(core.handle(asked(name="c"), 5), PlaceOrder)

    @pytest.mark.parametrize("finals", [(True, False), (False, True)])
    def test_a_final_one_stays_whichever_came_first(self, finals: tuple[bool, bool]) -> None:
        core = manager(*(Halt("end", final=each) for each in finals), HaltLifted("end"))
        assert updates(core.handle(asked(name="b"), 3)) == [("b", OrderStatus.DENIED)]

    def test_each_cause_must_be_lifted(self) -> None:
        core = manager(*(Halt(each, final=False) for each in ("loss", "fire")), HaltLifted("loss"))
        [update] = core.handle(asked(name="b"), 3)
        assert isinstance(update, OrderUpdate)
        assert update.reason == "halted: fire"
        core.handle(HaltLifted("fire"), 4)
        assert of_kind(core.handle(asked(name="c"), 5), PlaceOrder)

    def test_a_final_one_is_lifted_in_the_next_process(self) -> None:
        core = manager(Halt("end"), RESUMED)
        assert updates(core.handle(asked(name="b"), 3)) == [("b", OrderStatus.DENIED)]
        core.handle(HaltLifted("end"), 4)
        assert of_kind(core.handle(asked(name="c"), 5), PlaceOrder)

    def test_a_strategy_that_was_stopped_runs_in_the_next_process(self) -> None:
        core = manager(CancelStrategy("strategy", "it gave up"))
        assert updates(core.handle(asked(name="b"), 3)) == [("b", OrderStatus.DENIED)]
        core.handle(RESUMED, 4)
        assert of_kind(core.handle(asked(name="c"), 5), PlaceOrder)

    def test_unknown_orders_are_cancelled_at_once(self) -> None:
        core = manager(asked(), said(ReportKind.LOST))
        assert of_kind(core.handle(Halt("loss", final=False), 2), CancelPlacedOrder)


STORY: list[Any] = [
    asked(group="g"),
    asked(name="b", group="g"),
    asked(9, name="s", schedule=TWAP),
    ACCEPTED,
    said(ReportKind.LOST, "b"),
    said(ReportKind.LOST, "s/1"),
    Halt("loss", final=False),
    RESUMED,
    HaltLifted("loss"),
    traded(3, "b", provisional=True),
]
AFTER: list[Any] = [
    asked(name="n", created_ns=50),
    asked(name="m", created_ns=150),
    said(ReportKind.ACCEPTED, "b"),
    said(ReportKind.GONE, "s/1"),
    said(ReportKind.TRADE_FAILED, "b", trade_id="t1"),
    TimerFired("orders", "doubt:a", 1),
    RESUMED,
]


def _rebuilt(core: OrderManager) -> OrderManager:
    again = manager(config=REMOTE)
    history: list[tuple[str, Any]] = []
    for number, message in enumerate(STORY):
        history += [("at", 10 * number), ("received", message)]
    again.recover(history)
    return again


def _pickled(core: OrderManager) -> OrderManager:
    again = pickle.loads(pickle.dumps(core))
    assert isinstance(again, OrderManager)
    return again


@pytest.mark.parametrize("renew", [_rebuilt, _pickled])
def test_a_renewed_core_says_what_the_first_would(renew: Any) -> None:
    core = manager(config=REMOTE)
    for number, message in enumerate(STORY):
        core.handle(message, 10 * number)
    again = renew(core)
    assert known(again) == known(core)
    for number, message in enumerate(AFTER):
        assert again.handle(message, 1_000 + number) == core.handle(message, 1_000 + number)
    assert known(again) == known(core)


def test_an_order_whose_cancel_a_remote_venue_refuses_is_asked_for() -> None:
    core = manager(asked(), said(ReportKind.ACCEPTED), config=REMOTE)
    core.handle(CancelOrder(client_order_id="a", strategy="strategy"), 1)
    outputs = core.handle(said(ReportKind.CANCEL_REJECTED, reason="it is EXPIRED"), 2)
    assert [each.client_order_id for each in of_kind(outputs, QueryOrder)] == ["a"]
    core.handle(CancelOrder(client_order_id="a", strategy="strategy"), 3)
    unsent = said(ReportKind.CANCEL_REJECTED, reason="not sent: no connection")
    assert of_kind(core.handle(unsent, 4), QueryOrder) == []
    core.handle(said(ReportKind.EXPIRED), 5)
    late = said(ReportKind.CANCEL_REJECTED, reason="it is EXPIRED")
    assert of_kind(core.handle(late, 6), QueryOrder) == []
