"""The order manager runs the validators on every order and every trade."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from actors.errors import FillRejected, OrderNeverPlaced, OrderNotFound, OrderStateError
from actors.messages.trading import (
    ExecutionReport,
    OrderUpdate,
    ReplaceOrder,
    ReportKind,
)
from actors.model.order import Order, OrderStatus, Side
from actors.orders.fill_check import loosest_limit
from actors.orders.manager import OrderManager
from actors.orders.validation import CODES
from tests.builders import context, instruments, order, report, submit, trade_report


def manager(*messages: Any) -> OrderManager:
    """Return an order manager after some messages."""
    core = OrderManager(context("orders"), instruments())
    for message in messages:
        core.handle(message, 1)
    return core


def replacing(of: Order, **fields: Any) -> ReplaceOrder:
    """Return the approval of a change."""
    changed = msgspec.structs.replace(of, **fields)
    return ReplaceOrder(order=changed, approved_by=(), reserved=Decimal(0))


BUY = order(quantity="2", limit="100")


@pytest.mark.parametrize(
    "fields",
    [
        {"quantity": 1.5},
        {"quantity": Decimal("NaN")},
        {"limit_price": "100"},
        {"side": "BUY"},
        {"time_in_force": None},
        {"schedule": "TWAP"},
    ],
)
def test_what_should_be_an_order_and_is_none_is_denied_with_codes(fields: dict[str, Any]) -> None:
    core = manager()
    [update] = core.handle(submit(msgspec.structs.replace(BUY, **fields)), 1)
    assert isinstance(update, OrderUpdate)
    assert update.status is OrderStatus.DENIED
    assert update.reason.partition(":")[0] in CODES


@pytest.mark.parametrize(
    ("trade", "code"),
    [
        (trade_report("2.01"), "FILL_OVERFILL"),
        (trade_report("0.005"), "FILL_OFF_LOT"),
        (trade_report("1", "100.01"), "FILL_BEYOND_LIMIT"),
        (trade_report("1", "0"), "FILL_PRICE_NOT_POSITIVE"),
        (trade_report("NaN"), "FILL_QUANTITY_NOT_NUMBER"),
        (trade_report("1", commission="5000"), "FILL_COMMISSION_TOO_HIGH"),
    ],
)
def test_a_trade_that_cannot_be_books_nothing(trade: ExecutionReport, code: str) -> None:
    core = manager(submit(BUY))
    with pytest.raises(FillRejected) as caught:
        core.handle(trade, 2)
    assert caught.value.codes == (code,)
    record = core.order(BUY.client_order_id)
    assert record is not None
    assert record.filled_quantity == 0
    assert record.trade_ids is None
    core.handle(trade_report("2"), 3)  # what is true is booked all the same
    assert record.status is OrderStatus.FILLED


def test_a_trade_that_was_refused_is_refused_again_after_a_crash() -> None:
    bad = trade_report("1", "101", trade_id="bad")
    history = [("received", message) for message in (submit(BUY), bad, trade_report("1"))]
    core = manager()
    core.recover(history)
    record = core.order(BUY.client_order_id)
    assert record is not None
    assert record.filled_quantity == 1
    with pytest.raises(FillRejected):
        core.handle(bad, 9)


def test_a_trade_that_was_applied_is_not_judged_again() -> None:
    core = manager(submit(BUY), trade_report("2"))
    assert core.handle(trade_report("2"), 2) == []


def test_trades_may_be_at_any_limit_that_the_order_was_asked_to_have() -> None:
    core = manager(submit(BUY), report(), replacing(BUY, limit_price=Decimal(99)))
    core.handle(trade_report("0.5", "100", trade_id="a"), 2)  # the change may not have arrived
    core.handle(report(ReportKind.REPLACED), 3)
    core.handle(trade_report("0.5", "100", trade_id="b"), 4)  # told late
    core.handle(replacing(BUY, limit_price=Decimal(101)), 5)
    core.handle(trade_report("0.5", "101", trade_id="c"), 6)  # the change may have arrived
    with pytest.raises(FillRejected, match="FILL_BEYOND_LIMIT: expected at most 101"):
        core.handle(trade_report("0.5", "101.01", trade_id="d"), 7)


def test_a_trade_of_more_may_show_that_a_change_took_place() -> None:
    core = manager(submit(BUY), report(), replacing(BUY, quantity=Decimal(3)))
    assert core.handle(trade_report("3"), 2)
    with pytest.raises(OrderStateError):
        core.handle(trade_report("1", trade_id="more"), 3)


def test_the_loosest_limit_is_the_highest_to_buy_and_the_lowest_to_sell() -> None:
    low, high = Decimal(99), Decimal(101)
    assert loosest_limit(BUY, low, None, high) == high
    assert loosest_limit(order(Side.SELL, limit="100"), low, high) == low
    assert loosest_limit(order(), None) is None


def test_a_report_on_no_order_of_ours_is_two_kinds_of_error() -> None:
    with pytest.raises(OrderNeverPlaced, match="never placed") as caught:
        manager().handle(trade_report(id="strange"), 1)
    assert isinstance(caught.value, OrderStateError)
    assert isinstance(caught.value, OrderNotFound)
    assert caught.value.order_id == "strange"
