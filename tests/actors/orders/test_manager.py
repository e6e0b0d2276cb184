from decimal import Decimal
from typing import Any

import pytest

from actors.actor import Core
from actors.errors import OrderStateError
from actors.messages.system import CancelAll, CancelStrategy, Halt
from actors.messages.trading import (
    CancelOrder,
    CancelPlacedOrder,
    ExecutionReport,
    Fill,
    OrderUpdate,
    PlaceOrder,
    ReportKind,
)
from actors.model.order import Liquidity, Order, OrderStatus, Side
from actors.orders.manager import OrderManager
from actors.orders.records import OrderRecord
from tests.builders import BTC, context, instruments, order, report, submit, trade_report

ID = "run-strategy-1"
CANCEL = CancelOrder(client_order_id=ID, strategy="strategy", reason="enough")
CANCEL_PLACED = CancelPlacedOrder(client_order_id=ID, instrument=BTC)


def manager(*messages: Any) -> OrderManager:
    """Return an order manager that has handled some messages."""
    core = OrderManager(context("orders"), instruments())
    for message in messages:
        core.handle(message, 1)
    return core


def placed(of: Order | None = None, *messages: Any) -> OrderManager:
    return manager(submit(of), report(), *messages)


def record_of(core: OrderManager, client_order_id: str = ID) -> OrderRecord:
    record = core.order(client_order_id)
    assert record is not None
    return record


def statuses(outputs: list[Any]) -> list[OrderStatus]:
    return [each.status for each in outputs if isinstance(each, OrderUpdate)]


def test_it_is_a_core_that_starts_and_stops_in_silence() -> None:
    core: Core = manager()
    assert (core.start(0), core.stop(1)) == ([], [])


def test_a_good_order_is_placed() -> None:
    core = manager()
    asked = order(limit="100", reason="cross")
    assert core.handle(submit(asked), 5) == [PlaceOrder(order=asked)]
    record = record_of(core)
    assert record.history == [
        (OrderStatus.RECEIVED, 5, "cross"),
        (OrderStatus.VALIDATED, 5, ""),
        (OrderStatus.SUBMITTING, 5, ""),
    ]
    assert (record.order, record.status, record.received_ns) == (asked, OrderStatus.SUBMITTING, 5)


def test_an_order_that_its_instrument_does_not_allow_is_denied_with_every_reason() -> None:
    core = manager()
    [update] = core.handle(submit(order(quantity="0.001", limit="-1")), 5)
    assert isinstance(update, OrderUpdate)
    assert update.status is OrderStatus.DENIED
    assert "QUANTITY_OFF_LOT: expected a multiple of 0.01, found 0.001" in update.reason
    assert "PRICE_NOT_POSITIVE: expected above 0, found -1" in update.reason
    assert record_of(core).history[-1] == (OrderStatus.DENIED, 5, update.reason)
    assert record_of(core).leaves_quantity == 0


def test_an_order_of_an_unknown_instrument_is_denied() -> None:
    assert statuses(manager().handle(submit(order(instrument="X")), 1)) == [OrderStatus.DENIED]


def test_an_order_that_comes_twice_is_placed_once() -> None:
    core = manager(submit())
    assert core.handle(submit(order(quantity="2")), 2) == []
    assert record_of(core).order.quantity == 1


def test_an_accepted_order_works() -> None:
    core = manager(submit(order(quantity="2")))
    assert core.handle(report(), 2) == [
        OrderUpdate(
            client_order_id=ID,
            strategy="strategy",
            instrument=BTC,
            side=Side.BUY,
            status=OrderStatus.WORKING,
            quantity=Decimal(2),
            filled_quantity=Decimal(0),
        )
    ]
    assert record_of(core).venue == "venue"


def test_trades_fill_an_order_step_by_step() -> None:
    core = placed(order(Side.SELL, quantity="3", reason="exit"))
    first = core.handle(trade_report("1", "100.5", trade_id="a", commission="0.1"), 2)
    last = core.handle(trade_report("2", "99", trade_id="b", commission="0.2"), 3)
    assert statuses(first + last) == [OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED]
    fills = [each for each in first + last if isinstance(each, Fill)]
    assert fills[0] == Fill(
        client_order_id=ID,
        strategy="strategy",
        instrument=BTC,
        venue="venue",
        trade_id="a",
        side=Side.SELL,
        last_quantity=Decimal(1),
        last_price=Decimal("100.5"),
        commission=Decimal("0.1"),
        liquidity=Liquidity.TAKER,
        leaves_quantity=Decimal(2),
        venue_time_ns=fills[0].venue_time_ns,
        reason="exit",
    )
    assert fills[1].leaves_quantity == 0
    record = record_of(core)
    assert (record.filled_quantity, record.filled_cost) == (Decimal(3), Decimal("298.5"))
    assert (record.commission, record.average_price) == (Decimal("0.3"), Decimal("99.5"))
    assert [status for status, _, _ in record.history][-3:] == [
        OrderStatus.WORKING,
        OrderStatus.PARTIALLY_FILLED,
        OrderStatus.FILLED,
    ]


def test_an_order_that_is_filled_on_arrival_goes_from_submitting_to_filled() -> None:
    core = manager(submit(order(quantity="2")))
    [fill, update] = core.handle(trade_report("2", "100.5"), 2)
    assert isinstance(fill, Fill)
    assert (fill.last_quantity, fill.leaves_quantity) == (Decimal(2), Decimal(0))
    assert update == OrderUpdate(
        client_order_id=ID,
        strategy="strategy",
        instrument=BTC,
        side=Side.BUY,
        status=OrderStatus.FILLED,
        quantity=Decimal(2),
        filled_quantity=Decimal(2),
    )
    assert [status for status, _, _ in record_of(core).history][-2:] == [
        OrderStatus.SUBMITTING,
        OrderStatus.FILLED,
    ]


def test_a_fill_comes_before_the_update_that_ends_the_order() -> None:
    outputs = placed().handle(trade_report("1"), 2)
    assert [type(each) for each in outputs] == [Fill, OrderUpdate]


def test_nothing_has_traded_without_a_trade() -> None:
    record = record_of(placed())
    assert record.average_price is None
    assert record.leaves_quantity == 1


def test_a_fill_may_come_before_the_acknowledgement() -> None:
    core = manager(submit(order(quantity="2")))
    assert statuses(core.handle(trade_report("1"), 2)) == [OrderStatus.PARTIALLY_FILLED]
    assert core.handle(report(), 3) == []
    assert record_of(core).status is OrderStatus.PARTIALLY_FILLED


def test_a_trade_that_comes_twice_is_applied_once() -> None:
    core = placed(order(quantity="3"), trade_report("1", trade_id="a"))
    assert core.handle(trade_report("1", trade_id="a"), 3) == []
    core.handle(trade_report("1", trade_id="b"), 3)
    assert record_of(core).filled_quantity == 2


@pytest.mark.parametrize(
    "kind", [ReportKind.CANCELLED, ReportKind.REJECTED, ReportKind.EXPIRED, ReportKind.ACCEPTED]
)
def test_a_report_that_comes_twice_says_nothing_new(kind: ReportKind) -> None:
    core = manager(submit())
    assert len(core.handle(report(kind, reason="why"), 2)) == 1
    before = list(record_of(core).history)
    assert core.handle(report(kind, reason="why"), 3) == []
    assert record_of(core).history == before


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (ReportKind.CANCELLED, OrderStatus.CANCELLED),
        (ReportKind.REJECTED, OrderStatus.REJECTED),
        (ReportKind.EXPIRED, OrderStatus.EXPIRED),
    ],
)
def test_a_late_fill_is_booked_and_does_not_revive_the_order(
    kind: ReportKind, status: OrderStatus
) -> None:
    core = manager(submit(order(quantity="2")), report(kind, reason="why"))
    [fill, update] = core.handle(trade_report("1", trade_id="a"), 3)
    assert isinstance(fill, Fill)
    assert isinstance(update, OrderUpdate)
    assert (update.status, update.filled_quantity) == (status, Decimal(1))
    assert fill.leaves_quantity == 0
    assert statuses(core.handle(trade_report("1", trade_id="b"), 4)) == [OrderStatus.FILLED]


def test_an_overfill_raises_and_changes_nothing() -> None:
    core = placed(order(quantity="2"), trade_report("1", trade_id="a"))
    with pytest.raises(OrderStateError, match=r"trade b of 2 .* 1 of 2 is left") as caught:
        core.handle(trade_report("2", trade_id="b"), 3)
    assert (caught.value.order_id, caught.value.venue) == (ID, "venue")
    assert record_of(core).filled_quantity == 1
    assert statuses(core.handle(trade_report("1", trade_id="b"), 4)) == [OrderStatus.FILLED]


@pytest.mark.parametrize("quantity", ["0", "-1"])
def test_a_trade_of_nothing_raises(quantity: str) -> None:
    with pytest.raises(OrderStateError, match=f"of {quantity} in order"):
        placed().handle(trade_report(quantity), 3)


def test_a_trade_in_an_order_that_was_denied_raises() -> None:
    core = manager(submit(order(Side.SELL, limit="0.015")))
    with pytest.raises(OrderStateError, match="FILL cannot happen"):
        core.handle(trade_report(), 2)
    assert record_of(core).filled_quantity == 0


@pytest.mark.parametrize("message", [report(), trade_report()])
def test_a_report_on_an_order_that_nobody_placed_raises(message: ExecutionReport) -> None:
    with pytest.raises(OrderStateError, match="never placed"):
        manager().handle(message, 1)


def test_a_cancel_goes_to_the_venue_and_is_told() -> None:
    core = placed()
    [request, update] = core.handle(CANCEL, 2)
    assert request == CANCEL_PLACED
    assert isinstance(update, OrderUpdate)
    assert (update.status, update.reason) == (OrderStatus.CANCELLING, "enough")
    assert statuses(core.handle(report(ReportKind.CANCELLED), 3)) == [OrderStatus.CANCELLED]


def test_a_cancel_without_a_reason_gets_one() -> None:
    core = placed()
    core.handle(CancelOrder(client_order_id=ID, strategy="strategy"), 2)
    assert record_of(core).history[-1][2] == "cancel asked for"


def test_a_second_cancel_waits_for_the_first() -> None:
    assert placed(None, CANCEL).handle(CANCEL, 3) == []


def test_cancelling_an_order_that_is_over_is_answered() -> None:
    core = placed(None, trade_report())
    [update] = core.handle(CANCEL, 3)
    assert isinstance(update, OrderUpdate)
    assert update.status is OrderStatus.FILLED
    assert update.reason == "nothing to cancel: the order is FILLED"
    assert record_of(core).history[-1][0] is OrderStatus.FILLED


def test_nobody_cancels_what_is_not_theirs() -> None:
    core = placed()
    assert core.handle(CancelOrder(client_order_id=ID, strategy="other"), 2) == []
    assert core.handle(CancelOrder(client_order_id="nope", strategy="strategy"), 2) == []
    assert record_of(core).status is OrderStatus.WORKING


@pytest.mark.parametrize(
    ("fills", "status"), [([], OrderStatus.WORKING), (["1"], OrderStatus.PARTIALLY_FILLED)]
)
def test_a_refused_cancel_lets_the_order_work_on(fills: list[str], status: OrderStatus) -> None:
    core = placed(order(quantity="2"), *[trade_report(each) for each in fills], CANCEL)
    [update] = core.handle(report(ReportKind.CANCEL_REJECTED, reason="too late"), 3)
    assert isinstance(update, OrderUpdate)
    assert (update.status, update.reason) == (status, "too late")


def test_an_order_may_trade_while_it_is_cancelled() -> None:
    core = placed(order(quantity="2"), CANCEL)
    assert statuses(core.handle(trade_report("1", trade_id="a"), 3)) == [OrderStatus.CANCELLING]
    assert statuses(core.handle(trade_report("1", trade_id="b"), 3)) == [OrderStatus.FILLED]
    assert core.handle(report(ReportKind.CANCEL_REJECTED), 4) == []


@pytest.mark.parametrize("news", [report(), trade_report("1")])
def test_a_cancel_that_overtook_its_order_is_sent_again(news: ExecutionReport) -> None:
    core = manager(submit(order(quantity="2")), CANCEL)
    assert core.handle(report(ReportKind.CANCEL_REJECTED, reason="not known"), 3) == []
    assert record_of(core).status is OrderStatus.CANCELLING
    assert CANCEL_PLACED in core.handle(news, 4)
    assert CANCEL_PLACED not in core.handle(report(), 5)
    assert statuses(core.handle(report(ReportKind.CANCELLED), 6)) == [OrderStatus.CANCELLED]


def test_a_cancel_that_overtook_its_order_is_not_sent_to_an_order_that_filled() -> None:
    core = manager(submit(), CANCEL, report(ReportKind.CANCEL_REJECTED))
    assert [type(each) for each in core.handle(trade_report(), 4)] == [Fill, OrderUpdate]


def test_a_halt_denies_new_orders_and_cancels_every_open_one() -> None:
    core = manager(
        submit(order(id="a")),
        submit(order(id="b", strategy="other")),
        report(id="b"),
        submit(order(id="c")),
        trade_report(id="c"),
        CancelOrder(client_order_id="a", strategy="strategy"),
    )
    outputs = core.handle(Halt("drawdown"), 5)
    cancels = [each for each in outputs if isinstance(each, CancelPlacedOrder)]
    assert [each.client_order_id for each in cancels] == ["a", "b"]
    assert statuses(outputs) == [OrderStatus.CANCELLING]
    [denied] = core.handle(submit(order(id="d")), 6)
    assert isinstance(denied, OrderUpdate)
    assert (denied.status, denied.reason) == (OrderStatus.DENIED, "halted: drawdown")
    assert record_of(core, "b").history[-1] == (OrderStatus.CANCELLING, 5, "halted: drawdown")


def test_cancelling_everything_leaves_room_for_new_orders() -> None:
    core = manager(submit(order(id="a")), submit(order(id="b", strategy="other")))
    outputs = core.handle(CancelAll("the run ends"), 5)
    cancels = [each for each in outputs if isinstance(each, CancelPlacedOrder)]
    assert [each.client_order_id for each in cancels] == ["a", "b"]
    assert core.handle(submit(order(id="c")), 6) == [PlaceOrder(order=order(id="c"))]


def test_a_halt_keeps_its_first_cause() -> None:
    core = manager(Halt(""), Halt("second"))
    [denied] = core.handle(submit(), 2)
    assert isinstance(denied, OrderUpdate)
    assert denied.reason == "halted: no cause given"


def test_a_stopped_strategy_is_cancelled_alone() -> None:
    core = manager(submit(order(id="a")), submit(order(id="b", strategy="other")))
    outputs = core.handle(CancelStrategy("strategy", "it failed"), 5)
    assert outputs[0] == CancelPlacedOrder(client_order_id="a", instrument=BTC)
    assert len(outputs) == 2
    [denied] = core.handle(submit(order(id="c")), 6)
    assert isinstance(denied, OrderUpdate)
    assert denied.reason == "strategy stopped: it failed"
    assert core.handle(submit(order(id="d", strategy="other")), 6) == [
        PlaceOrder(order=order(id="d", strategy="other"))
    ]


def test_orders_are_listed_as_they_came() -> None:
    core = manager(*[submit(order(id=each)) for each in "cab"], trade_report(id="a"))
    assert [record.order.client_order_id for record in core.orders()] == ["c", "a", "b"]
    assert [record.order.client_order_id for record in core.open_orders()] == ["c", "b"]
    assert core.open_orders("other") == []


def test_recovery_repeats_what_was_received_and_sends_nothing_again() -> None:
    received: list[Any] = [
        submit(order(id="a", quantity="2", limit="100")),
        report(id="a", time_ns=10),
        trade_report("1", id="a", time_ns=20),
        submit(order(id="b")),
        CancelOrder(client_order_id="a", strategy="strategy", reason="enough"),
        trade_report("5", id="a", trade_id="overfill", time_ns=25),
        CancelStrategy("other", "it failed"),
        Halt("drawdown"),
    ]
    first = OrderManager(context("orders"), instruments())
    history: list[tuple[str, Any]] = []
    for message in received:
        history.append(("received", message))
        try:
            outputs = first.handle(message, 7)
        except OrderStateError:
            continue
        history += [("sent", each) for each in outputs]
    again = OrderManager(context("orders"), instruments())
    again.recover(history)

    def known(core: OrderManager) -> list[tuple[object, ...]]:
        return [
            (r.order, r.status, r.filled_quantity, r.trade_ids, [s for s, _, _ in r.history])
            for r in core.orders()
        ]

    assert known(again) == known(first)
    assert record_of(again, "a").history[-1] == (OrderStatus.CANCELLING, 20, "enough")
    assert again.handle(submit(order(id="c")), 9) == first.handle(submit(order(id="c")), 9)
    assert again.handle(received[0], 9) == []
