from decimal import Decimal

import pytest

from actors.errors import OrderStateError
from actors.messages.system import CancelStrategy
from actors.messages.trading import (
    CancelOrder,
    CancelPlacedOrder,
    Fill,
    OrderUpdate,
    ReplacePlacedOrder,
    ReplaceResult,
    ReportKind,
)
from actors.model.order import OrderStatus, Side
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

SUBMIT = asked()
ACCEPTED = said(ReportKind.ACCEPTED)
REPLACED = said(ReportKind.REPLACED)
REFUSED = said(ReportKind.REPLACE_REJECTED, reason="too late")
CANCEL = CancelOrder(client_order_id="a", strategy="strategy")


def replacing(quantity: int = 20, limit: int = 101) -> OrderManager:
    """Return a manager that has asked the venue to change an order of 10 at 100."""
    return manager(SUBMIT, ACCEPTED, changed(SUBMIT, quantity=quantity, limit_price=limit))


def test_a_change_goes_to_the_venue_and_is_told() -> None:
    core = manager(SUBMIT, ACCEPTED)
    wish = changed(SUBMIT, quantity=20, limit_price=101)
    [request, update] = core.handle(wish, 3)
    assert request == ReplacePlacedOrder(order=wish.order)
    assert isinstance(update, OrderUpdate)
    assert (update.status, update.quantity) == (OrderStatus.REPLACING, Decimal(10))
    [answer, told] = core.handle(REPLACED, 4)
    assert answer == ReplaceResult(
        client_order_id="a", strategy="strategy", accepted=True, order=wish.order
    )
    assert isinstance(told, OrderUpdate)
    assert (told.status, told.quantity) == (OrderStatus.WORKING, Decimal(20))
    assert record_of(core).order == wish.order
    assert [status for status, _, _ in record_of(core).history][-2:] == [
        OrderStatus.REPLACING,
        OrderStatus.WORKING,
    ]


def test_a_refused_change_leaves_the_order_as_it_was() -> None:
    core = replacing()
    outputs = core.handle(REFUSED, 4)
    assert answers(outputs) == [(False, 10)]
    assert updates(outputs) == [("a", OrderStatus.WORKING)]
    assert record_of(core).history[-1] == (OrderStatus.WORKING, 4, "too late")
    assert core.handle(REFUSED, 5) == []
    assert core.handle(REPLACED, 5) == []


def test_an_order_fills_on_while_it_is_changed() -> None:
    core = replacing(quantity=15)
    assert updates(core.handle(traded(4), 4)) == [("a", OrderStatus.REPLACING)]
    assert updates(core.handle(REPLACED, 5)) == [("a", OrderStatus.PARTIALLY_FILLED)]
    outputs = core.handle(traded(11, trade="t2"), 6)
    assert of_kind(outputs, Fill)[0].leaves_quantity == 0
    assert updates(outputs) == [("a", OrderStatus.FILLED)]


def test_a_trade_of_more_than_there_was_shows_that_the_change_took_place() -> None:
    core = replacing(quantity=20)
    outputs = core.handle(traded(15), 4)
    assert kinds(outputs) == ["ReplaceResult", "OrderUpdate", "Fill", "OrderUpdate"]
    assert answers(outputs) == [(True, 20)]
    assert of_kind(outputs, Fill)[0].leaves_quantity == 5
    assert core.handle(changed(record_of(core).order, quantity=30), 5)
    assert core.handle(REPLACED, 6) == [], "the answer to the first change"
    assert record_of(core).order.quantity == 20
    assert answers(core.handle(REFUSED, 7)) == [(False, 20)]


@pytest.mark.parametrize("kind", [ReportKind.EXPIRED, ReportKind.CANCELLED])
@pytest.mark.parametrize("trades", [(15,), (20,), (4, 11), (10, 5), (10, 10)])
def test_trades_that_the_end_of_a_changed_order_has_overtaken_are_applied(
    kind: ReportKind, trades: tuple[int, ...]
) -> None:
    core = replacing()
    core.handle(said(kind), 4)
    core.handle(REPLACED, 5)
    for number, quantity in enumerate(trades):
        outputs = core.handle(traded(quantity, trade=f"t{number}", price=101), 6)
        assert [fill.last_quantity for fill in of_kind(outputs, Fill)] == [quantity]
        assert not of_kind(outputs, ReplaceResult)
    record = record_of(core)
    assert (int(record.order.quantity), int(record.filled_quantity)) == (20, sum(trades))
    is_whole = sum(trades) == 20
    assert record.status is (OrderStatus.FILLED if is_whole else OrderStatus(kind.value))
    with pytest.raises(OrderStateError):
        core.handle(traded(6, trade="t9"), 7)


def test_a_trade_of_more_than_even_the_change_allows_raises() -> None:
    core = replacing(quantity=20)
    with pytest.raises(OrderStateError):
        core.handle(traded(21), 4)
    assert record_of(core).filled_quantity == 0
    assert record_of(core).order.quantity == 10


@pytest.mark.parametrize(
    ("answer", "status", "told"),
    [
        (REPLACED, OrderStatus.PARTIALLY_FILLED, (True, 20)),
        (REFUSED, OrderStatus.FILLED, (False, 10)),
        (said(ReportKind.CANCELLED), OrderStatus.FILLED, (False, 10)),
    ],
)
def test_a_full_fill_during_growth_waits_for_the_venues_answer(
    answer: object, status: OrderStatus, told: tuple[bool, int]
) -> None:
    core = replacing(quantity=20)
    outputs = core.handle(traded(10), 4)
    assert updates(outputs) == [("a", OrderStatus.REPLACING)]
    assert of_kind(outputs, Fill)[0].leaves_quantity == 10
    outputs = core.handle(answer, 5)  # type: ignore[arg-type]
    assert answers(outputs) == [told]
    assert record_of(core).status is status


def test_a_full_fill_ends_a_change_that_would_make_the_order_smaller() -> None:
    core = replacing(quantity=5)
    outputs = core.handle(traded(10), 4)
    assert kinds(outputs) == ["Fill", "ReplaceResult", "OrderUpdate"]
    assert answers(outputs) == [(False, 10)]
    assert record_of(core).status is OrderStatus.FILLED
    assert core.handle(REFUSED, 5) == []


def test_fills_of_as_much_as_the_change_leaves_end_the_order_with_it() -> None:
    core = replacing(quantity=5)
    assert updates(core.handle(traded(5), 4)) == [("a", OrderStatus.REPLACING)]
    outputs = core.handle(REPLACED, 5)
    assert (answers(outputs), updates(outputs)) == ([(True, 5)], [("a", OrderStatus.FILLED)])


def test_fills_of_more_than_a_change_leaves_are_what_the_order_was() -> None:
    core = replacing(quantity=5)
    core.handle(traded(7), 4)
    outputs = core.handle(REPLACED, 5)
    assert answers(outputs) == [(True, 5), (True, 7)], "the wish, and what has become of it"
    assert record_of(core).status is OrderStatus.FILLED
    assert record_of(core).history[-1][2] == "fills came first"


def test_a_change_waits_until_the_venue_has_the_order() -> None:
    core = manager(SUBMIT)
    assert core.handle(changed(SUBMIT, quantity=20), 2) == []
    outputs = core.handle(ACCEPTED, 3)
    assert kinds(outputs) == ["OrderUpdate", "ReplacePlacedOrder", "OrderUpdate"]
    assert record_of(core).status is OrderStatus.REPLACING


def test_a_change_that_waited_is_answered_if_the_order_is_over_first() -> None:
    core = manager(SUBMIT, changed(SUBMIT, quantity=20))
    outputs = core.handle(said(ReportKind.REJECTED), 3)
    assert (kinds(outputs), answers(outputs)) == (["ReplaceResult", "OrderUpdate"], [(False, 10)])


def test_a_change_that_waited_is_given_up_if_fills_came_first() -> None:
    core = manager(SUBMIT, changed(SUBMIT, quantity=4))
    outputs = core.handle(traded(6), 3)
    assert answers(outputs) == [(False, 10)]
    assert record_of(core).status is OrderStatus.PARTIALLY_FILLED


def test_a_cancel_gives_up_a_change_that_waits() -> None:
    core = manager(SUBMIT, changed(SUBMIT, quantity=4))
    outputs = core.handle(CANCEL, 3)
    assert kinds(outputs) == ["CancelPlacedOrder", "ReplaceResult", "OrderUpdate"]


def test_a_cancel_and_a_change_may_be_answered_in_any_order() -> None:
    core = replacing(quantity=20)
    assert updates(core.handle(CANCEL, 4)) == [("a", OrderStatus.CANCELLING)]
    assert updates(core.handle(REPLACED, 5)) == [("a", OrderStatus.CANCELLING)]
    assert record_of(core).order.quantity == 20
    outputs = core.handle(said(ReportKind.CANCELLED), 6)
    assert updates(outputs) == [("a", OrderStatus.CANCELLED)]


def test_a_second_change_is_refused_while_one_is_under_way_and_answered_after_it() -> None:
    core = replacing(quantity=20)
    [update] = core.handle(changed(SUBMIT, quantity=12), 4)
    assert isinstance(update, OrderUpdate)
    assert update.reason == "another change is under way"
    outputs = core.handle(REPLACED, 5)
    assert answers(outputs) == [(True, 20), (False, 20)]
    assert answers(core.handle(said(ReportKind.CANCELLED), 6)) == []


def test_a_second_change_is_refused_while_one_waits() -> None:
    core = manager(SUBMIT, changed(SUBMIT, quantity=4))
    assert kinds(core.handle(changed(SUBMIT, quantity=12), 4)) == ["OrderUpdate"]
    core.handle(ACCEPTED, 5)
    assert answers(core.handle(REFUSED, 6)) == [(False, 10), (False, 10)]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"quantity": 3}, "quantity: expected above the 4 filled, found 3"),
        ({"quantity": 4}, "quantity: expected above the 4 filled, found 4"),
        ({"quantity": -1}, "expected above 0"),
        ({"limit_price": Decimal("0.5")}, "multiple of 1"),
        ({"side": Side.SELL}, "side cannot be changed: it is BUY, asked for was SELL"),
        ({"group": "g"}, "group cannot be changed"),
        ({"strategy": "other"}, "strategy cannot be changed"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(more: dict[str, object], words: str) -> None:
    core = manager(SUBMIT, ACCEPTED, traded(4))
    [answer, update] = core.handle(changed(SUBMIT, **more), 4)
    assert isinstance(answer, ReplaceResult)
    assert not answer.accepted
    assert words in answer.reason
    assert isinstance(update, OrderUpdate)
    assert update.status is OrderStatus.PARTIALLY_FILLED


def test_a_change_of_an_order_that_is_over_or_unknown_is_answered() -> None:
    core = manager(SUBMIT, ACCEPTED, traded(10))
    assert answers(core.handle(changed(SUBMIT, quantity=20), 4)) == [(False, 10)]
    unknown = changed(asked(name="x"), quantity=20)
    [answer] = core.handle(unknown, 4)
    assert isinstance(answer, ReplaceResult)
    assert (answer.accepted, answer.reason) == (False, "the order is not known")


def test_a_change_of_a_stopped_strategy_is_refused() -> None:
    core = manager(SUBMIT, ACCEPTED, CancelStrategy("strategy", "it failed"))
    [answer, _] = core.handle(changed(SUBMIT, quantity=20), 4)
    assert isinstance(answer, ReplaceResult)
    assert "strategy stopped" in answer.reason


def test_a_cancel_that_overtook_its_order_goes_before_a_change() -> None:
    core = manager(SUBMIT, CANCEL, said(ReportKind.CANCEL_REJECTED))
    outputs = core.handle(ACCEPTED, 4)
    assert of_kind(outputs, CancelPlacedOrder)
    assert not of_kind(outputs, ReplacePlacedOrder)


def test_a_triggered_stop_is_told_once() -> None:
    core = manager(SUBMIT)
    [update] = core.handle(said(ReportKind.TRIGGERED), 3)
    assert isinstance(update, OrderUpdate)
    assert (update.status, update.reason) == (OrderStatus.WORKING, "triggered")
    assert record_of(core).is_triggered
    assert core.handle(said(ReportKind.TRIGGERED), 4) == []
    core.handle(said(ReportKind.CANCELLED), 5)
    assert core.handle(said(ReportKind.TRIGGERED), 6) == []
