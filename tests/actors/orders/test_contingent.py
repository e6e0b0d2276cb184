from decimal import Decimal
from typing import Any

import pytest

from actors.actor import Later
from actors.messages.system import CancelAll, Halt
from actors.messages.trading import (
    CancelOrder,
    CancelPlacedOrder,
    Fill,
    OrderUpdate,
    PlaceOrder,
    ReplacePlacedOrder,
    ReportKind,
)
from actors.model.order import OrderStatus, OrderType, Side, TimeInForce
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

CANCELLED = OrderStatus.CANCELLED
ENTRY = asked(10, 100, name="e")
EXIT: dict[str, Any] = {"side": Side.SELL, "group": "x", "parent": "e", "reduce_only": True}
PROFIT = asked(10, 100, name="p", **EXIT)
LOSS = asked(10, None, name="l", order_type=OrderType.STOP, stop_price=Decimal(90), **EXIT)


def two(first: int = 10, second: int = 10, *, seen: bool = True) -> OrderManager:
    """Return a manager with two alternatives, a and b, that the venue has acknowledged or not."""
    core = manager(asked(first, 101, name="a", group="g"), asked(second, 102, name="b", group="g"))
    if seen:
        core.handle(said(ReportKind.ACCEPTED, "a"), 1)
        core.handle(said(ReportKind.ACCEPTED, "b"), 1)
    return core


def bracket(*messages: Any) -> OrderManager:
    return manager(ENTRY, PROFIT, LOSS, *messages)


def in_position(filled: int = 10) -> OrderManager:
    """Return a manager whose entry has filled, and whose exits work."""
    core = bracket(said(ReportKind.ACCEPTED, "e"), traded(filled, "e"))
    core.handle(said(ReportKind.ACCEPTED, "p"), 2)
    core.handle(said(ReportKind.ACCEPTED, "l"), 2)
    return core


def asks(outputs: list[Any]) -> list[tuple[str, str, int]]:
    """Return what the broker is asked for."""
    found: list[tuple[str, str, int]] = []
    for each in outputs:
        match each:
            case PlaceOrder() | ReplacePlacedOrder():
                verb = "place" if isinstance(each, PlaceOrder) else "replace"
                found.append((verb, each.order.client_order_id, int(each.order.quantity)))
            case CancelPlacedOrder():
                found.append(("cancel", each.client_order_id, 0))
            case _:
                pass
    return found


class TestAlternatives:
    def test_both_go_to_the_venue_at_once(self) -> None:
        core = manager(asked(10, 101, name="a", group="g"))
        assert asks(core.handle(asked(10, 102, name="b", group="g"), 1)) == [("place", "b", 10)]
        assert [s for s, _, _ in record_of(core, "b").history] == [
            OrderStatus.RECEIVED,
            OrderStatus.VALIDATED,
            OrderStatus.SUBMITTING,
        ]

    def test_what_one_fills_the_other_gives_up(self) -> None:
        core = two()
        outputs = core.handle(traded(3, "a"), 2)
        assert asks(outputs) == [("replace", "b", 7)]
        outputs = core.handle(said(ReportKind.REPLACED, "b"), 3)
        assert answers(outputs) == [(True, 7)]
        assert record_of(core, "b").order.quantity == 7

    def test_when_one_has_filled_the_other_is_cancelled(self) -> None:
        core = two()
        outputs = core.handle(traded(10, "a"), 2)
        assert asks(outputs) == [("cancel", "b", 0)]
        update = outputs[-1]
        assert isinstance(update, OrderUpdate)
        assert update.reason == "its alternative a has filled"
        assert updates(core.handle(said(ReportKind.CANCELLED, "b"), 3)) == [("b", CANCELLED)]

    def test_a_smaller_one_is_cancelled_when_its_whole_has_traded_elsewhere(self) -> None:
        core = two(first=10, second=4)
        assert asks(core.handle(traded(4, "a"), 2)) == [("cancel", "b", 0)]

    def test_several_fills_lead_to_one_change_after_the_other(self) -> None:
        core = two()
        assert asks(core.handle(traded(3, "a"), 2)) == [("replace", "b", 7)]
        assert asks(core.handle(traded(2, "a", "t2"), 3)) == []
        assert asks(core.handle(said(ReportKind.REPLACED, "b"), 4)) == [("replace", "b", 5)]

    def test_a_change_that_the_venue_refuses_is_not_asked_for_again(self) -> None:
        core = two()
        core.handle(traded(3, "a"), 2)
        outputs = core.handle(said(ReportKind.REPLACE_REJECTED, "b"), 3)
        assert (asks(outputs), answers(outputs)) == ([], [])
        assert asks(core.handle(traded(2, "a", "t2"), 4)) == [("replace", "b", 5)]

    def test_the_other_is_changed_when_the_venue_has_it(self) -> None:
        core = two(seen=False)
        assert asks(core.handle(traded(3, "a"), 2)) == []
        assert asks(core.handle(said(ReportKind.ACCEPTED, "b"), 3)) == [("replace", "b", 7)]

    def test_both_may_fill_at_the_same_instant_and_both_are_told(self) -> None:
        core = two()
        core.handle(traded(10, "a"), 2)
        outputs = core.handle(traded(10, "b", "t2"), 2)
        [fill] = of_kind(outputs, Fill)
        assert (fill.client_order_id, fill.last_quantity) == ("b", Decimal(10))
        assert updates(outputs) == [("b", OrderStatus.FILLED)]

    def test_one_that_comes_after_the_other_has_filled_is_not_placed(self) -> None:
        core = manager(asked(10, 101, name="a", group="g"), traded(10, "a"))
        outputs = core.handle(asked(10, 102, name="b", group="g"), 2)
        assert (asks(outputs), updates(outputs)) == ([], [("b", CANCELLED)])

    def test_one_that_is_cancelled_or_refused_leaves_the_other_alone(self) -> None:
        core = two()
        outputs = core.handle(CancelOrder(client_order_id="a", strategy="strategy"), 2)
        outputs += core.handle(said(ReportKind.CANCELLED, "a"), 3)
        assert asks(outputs) == [("cancel", "a", 0)]
        assert record_of(core, "b").status is OrderStatus.WORKING

    def test_groups_of_two_strategies_are_two_groups(self) -> None:
        core = two()
        core.handle(asked(10, 103, name="c", group="g", strategy="other"), 1)
        core.handle(said(ReportKind.ACCEPTED, "c"), 1)
        assert asks(core.handle(traded(10, "a"), 2)) == [("cancel", "b", 0)]

    def test_a_change_of_the_quantity_counts_from_what_stands(self) -> None:
        core = two()
        core.handle(traded(3, "a"), 2)
        core.handle(said(ReportKind.REPLACED, "b"), 3)
        wish = changed(record_of(core, "b").order, quantity=20)
        assert asks(core.handle(wish, 4)) == [("replace", "b", 20)]
        core.handle(said(ReportKind.REPLACED, "b"), 5)
        assert asks(core.handle(traded(1, "a", "t2"), 6)) == [("replace", "b", 19)]

    @pytest.mark.parametrize("quantity", [7, 10])
    def test_a_change_of_the_price_alone_leaves_the_quantity_to_its_relatives(
        self, quantity: int
    ) -> None:
        core = two()
        core.handle(traded(3, "a"), 2)
        core.handle(said(ReportKind.REPLACED, "b"), 3)
        stale = changed(record_of(core, "b").order, quantity=quantity, limit_price=104)
        assert asks(core.handle(stale, 4)) == [("replace", "b", 7)]

    def test_a_change_by_its_strategy_waits_for_one_for_its_relatives(self) -> None:
        core = two()
        core.handle(traded(3, "a"), 2)
        assert core.handle(changed(record_of(core, "b").order, limit_price=104), 3) == []
        outputs = core.handle(said(ReportKind.REPLACED, "b"), 4)
        [request] = of_kind(outputs, ReplacePlacedOrder)
        assert (request.order.limit_price, request.order.quantity) == (Decimal(104), Decimal(7))

    def test_a_change_that_the_venue_refuses_keeps_what_was_approved(self) -> None:
        core = two()
        core.handle(changed(record_of(core, "b").order, quantity=20), 2)
        core.handle(said(ReportKind.REPLACE_REJECTED, "b"), 3)
        assert asks(core.handle(traded(3, "a"), 4)) == [("replace", "b", 7)]

    def test_an_order_that_ends_while_it_is_changed_for_its_relatives_owes_no_answer(self) -> None:
        core = two()
        core.handle(traded(3, "a"), 2)
        outputs = core.handle(said(ReportKind.CANCELLED, "b"), 3)
        assert kinds(outputs) == ["OrderUpdate"]


class TestBrackets:
    def test_exits_wait_for_the_entry(self) -> None:
        core = manager(ENTRY)
        [update] = core.handle(PROFIT, 1)
        assert isinstance(update, OrderUpdate)
        assert (update.status, update.reason) == (OrderStatus.VALIDATED, "held until e fills")
        assert record_of(core, "e").status is OrderStatus.SUBMITTING

    def test_exits_are_placed_for_what_has_filled_and_grow_with_it(self) -> None:
        core = bracket(said(ReportKind.ACCEPTED, "e"))
        outputs = core.handle(traded(3, "e"), 2)
        assert asks(outputs) == [("place", "p", 3), ("place", "l", 3)]
        assert answers(outputs) == [(True, 3), (True, 3)]
        core.handle(said(ReportKind.ACCEPTED, "p"), 3)
        outputs = core.handle(traded(7, "e", "t2"), 4)
        assert asks(outputs) == [("replace", "p", 10)], "the other is not acknowledged yet"
        assert asks(core.handle(said(ReportKind.ACCEPTED, "l"), 5)) == [("replace", "l", 10)]

    def test_an_exit_that_has_filled_before_it_could_grow_gives_up_what_it_would_have_been(
        self,
    ) -> None:
        core = in_position(filled=4)
        assert asks(core.handle(traded(3, "e", "t2"), 3)) == [
            ("replace", "p", 7),
            ("replace", "l", 7),
        ]
        (fill,) = of_kind(core.handle(traded(4, "l", "t3", 90), 4), Fill)
        assert fill.leaves_quantity == 3
        outputs = core.handle(said(ReportKind.REPLACE_REJECTED, "l"), 5)
        assert record_of(core, "l").status is OrderStatus.FILLED
        assert answers(outputs) == [(False, 4)]  # or the account would keep room for the rest

    def test_an_entry_that_has_filled_before_its_exits_came_is_no_trouble(self) -> None:
        core = manager(ENTRY, traded(10, "e"))
        assert asks(core.handle(PROFIT, 1)) == [("place", "p", 10)]

    def test_a_filled_exit_ends_the_other(self) -> None:
        core = in_position()
        assert asks(core.handle(traded(4, "p", "t2"), 3)) == [("replace", "l", 6)]
        core.handle(said(ReportKind.REPLACED, "l"), 4)
        assert asks(core.handle(traded(6, "p", "t3"), 5)) == [("cancel", "l", 0)]

    def test_an_exit_that_begins_to_fill_cancels_the_rest_of_the_entry(self) -> None:
        core = in_position(4)
        outputs = core.handle(traded(1, "l", "t2"), 3)
        assert asks(outputs) == [("cancel", "e", 0), ("replace", "p", 3)]
        assert record_of(core, "e").history[-1][2] == "its exit l has begun to fill"
        outputs = core.handle(said(ReportKind.CANCELLED, "e"), 4)
        assert asks(outputs) == []

    def test_what_the_entry_fills_in_that_race_is_protected_by_exits_that_are_open(self) -> None:
        core = in_position(4)
        core.handle(traded(1, "l", "t2"), 3)
        core.handle(said(ReportKind.REPLACED, "p"), 3)
        assert asks(core.handle(traded(2, "e", "t3"), 4)) == [
            ("replace", "p", 5),
            ("replace", "l", 6),
        ]

    def test_an_entry_that_ends_unfilled_ends_its_exits(self) -> None:
        core = bracket(said(ReportKind.ACCEPTED, "e"))
        outputs = core.handle(said(ReportKind.EXPIRED, "e"), 2)
        assert updates(outputs) == [
            ("e", OrderStatus.EXPIRED),
            ("p", CANCELLED),
            ("l", CANCELLED),
        ]
        assert asks(outputs) == []
        assert record_of(core, "p").history[-1][2] == "its parent e ended unfilled: EXPIRED"

    def test_an_entry_that_ends_partly_filled_leaves_its_exits_at_work(self) -> None:
        core = in_position(4)
        assert asks(core.handle(said(ReportKind.CANCELLED, "e"), 3)) == []
        assert record_of(core, "p").order.quantity == 4

    def test_an_entry_that_was_changed_before_its_exits_came_can_be_changed_again(self) -> None:
        core = manager(ENTRY, said(ReportKind.ACCEPTED, "e"), traded(1, "e", provisional=True))
        core.handle(changed(ENTRY, quantity=20), 2)
        core.handle(said(ReportKind.REPLACED, "e"), 3)
        core.handle(PROFIT, 4)
        again = changed(record_of(core, "e").order, limit_price=101)
        assert asks(core.handle(again, 5)) == [("replace", "e", 20)]

    def test_an_exit_of_an_order_that_nobody_knows_is_denied(self) -> None:
        core = manager()
        [update] = core.handle(PROFIT, 1)
        assert isinstance(update, OrderUpdate)
        assert (update.status, update.reason) == (OrderStatus.DENIED, "its parent e is not known")
        other = manager(asked(10, 100, name="e", strategy="other"))
        assert updates(other.handle(PROFIT, 1)) == [("p", OrderStatus.DENIED)]

    def test_an_exit_of_an_entry_that_was_denied_is_cancelled(self) -> None:
        core = manager(asked(-1, 100, name="e"))
        assert updates(core.handle(PROFIT, 1)) == [("p", CANCELLED)]

    def test_a_held_exit_is_cancelled_without_asking_the_venue(self) -> None:
        core = bracket()
        outputs = core.handle(CancelOrder(client_order_id="p", strategy="strategy"), 2)
        assert (asks(outputs), updates(outputs)) == ([], [("p", CANCELLED)])
        assert asks(core.handle(traded(10, "e"), 3)) == [("place", "l", 10)]

    @pytest.mark.parametrize("message", [Halt("drawdown"), CancelAll("the end")])
    def test_held_exits_end_with_everything(self, message: Any) -> None:
        core = bracket()
        outputs = core.handle(message, 2)
        assert asks(outputs) == [("cancel", "e", 0)]
        assert updates(outputs) == [
            ("e", OrderStatus.CANCELLING),
            ("p", CANCELLED),
            ("l", CANCELLED),
        ]
        assert asks(core.handle(traded(10, "e"), 3)) == []

    def test_a_held_exit_is_changed_here(self) -> None:
        core = bracket()
        outputs = core.handle(changed(PROFIT, quantity=6, limit_price=120), 2)
        assert (kinds(outputs), answers(outputs)) == (["ReplaceResult", "OrderUpdate"], [(True, 6)])
        [place, _] = of_kind(core.handle(traded(10, "e"), 3), PlaceOrder)
        assert (place.order.quantity, place.order.limit_price) == (Decimal(6), Decimal(120))

    def test_an_exit_whose_price_is_changed_still_grows_with_its_entry(self) -> None:
        core = in_position(4)
        wish = changed(record_of(core, "p").order, limit_price=99)
        assert asks(core.handle(wish, 3)) == [("replace", "p", 4)]
        core.handle(said(ReportKind.REPLACED, "p"), 4)
        assert asks(core.handle(traded(6, "e", "t2"), 5)) == [
            ("replace", "p", 10),
            ("replace", "l", 10),
        ]

    def test_a_change_of_an_exit_keeps_within_what_the_entry_has_filled(self) -> None:
        core = in_position(4)
        core.handle(traded(3, "p", "t2"), 3)
        core.handle(said(ReportKind.REPLACED, "l"), 4)
        outputs = core.handle(changed(record_of(core, "l").order, quantity=9), 5)
        assert asks(outputs) == [("replace", "l", 1)]
        outputs = core.handle(said(ReportKind.REPLACED, "l"), 6)
        assert answers(outputs) == [(True, 9), (True, 1)], "the wish, and what has become of it"

    def test_an_exit_whose_cancel_is_refused_is_cancelled_again_a_second_later(self) -> None:
        core = in_position(4)
        core.handle(traded(2, "p", "t2"), 3)
        outputs = core.handle(traded(2, "l", "t3"), 3)
        assert ("cancel", "p", 0) in asks(outputs)
        outputs = core.handle(said(ReportKind.CANCEL_REJECTED, "p"), 4)
        assert asks(outputs) == [], "a venue that is out would refuse for ever"
        [later] = of_kind(outputs, Later)
        assert later.at_ns == 4 + 1_000_000_000
        outputs = core.handle(changed(record_of(core, "p").order, quantity=9), 5)
        assert (asks(outputs), answers(outputs)) == ([], [(False, 4)])
        assert asks(core.handle(later.message, later.at_ns)) == [("cancel", "p", 0)]
        core.handle(said(ReportKind.CANCELLED, "p"), later.at_ns)
        assert core.handle(later.message, later.at_ns + 1) == []

    def test_an_exit_that_its_strategy_could_not_cancel_is_left_alone(self) -> None:
        core = in_position(4)
        core.handle(CancelOrder(client_order_id="p", strategy="strategy"), 3)
        outputs = core.handle(said(ReportKind.CANCEL_REJECTED, "p"), 4)
        assert of_kind(outputs, Later) == []

    def test_an_exit_whose_time_has_passed_expires_instead(self) -> None:
        late = asked(10, 100, name="p", time_in_force=TimeInForce.GTD, expire_time_ns=5, **EXIT)
        core = manager(ENTRY, late, LOSS)
        outputs = core.handle(traded(10, "e"), 9)
        assert asks(outputs) == [("place", "l", 10)]
        assert record_of(core, "p").status is OrderStatus.EXPIRED

    def test_exits_wait_until_they_are_large_enough(self) -> None:
        table = instruments(instrument(lot="1", tick="1", min_quantity="5"))
        core = manager(ENTRY, PROFIT, table=table)
        assert asks(core.handle(traded(3, "e"), 2)) == []
        assert asks(core.handle(traded(4, "e", "t2"), 3)) == [("place", "p", 7)]

    def test_a_failed_trade_of_the_entry_takes_from_its_exits(self) -> None:
        core = bracket(said(ReportKind.ACCEPTED, "e"))
        core.handle(traded(6, "e", "t1", provisional=True), 2)
        core.handle(traded(4, "e", "t2"), 2)
        for each in "pl":
            core.handle(said(ReportKind.ACCEPTED, each), 3)
            core.handle(said(ReportKind.REPLACED, each), 3)
        outputs = core.handle(said(ReportKind.TRADE_FAILED, "e", trade_id="t1"), 4)
        assert asks(outputs) == [("replace", "p", 4), ("replace", "l", 4)]


def test_a_report_on_an_order_that_is_held_raises() -> None:
    core = bracket()
    for message in (traded(1, "p"), said(ReportKind.CANCELLED, "p")):
        with pytest.raises(Exception, match="never placed"):
            core.handle(message, 2)
    assert record_of(core, "p").status is OrderStatus.VALIDATED
