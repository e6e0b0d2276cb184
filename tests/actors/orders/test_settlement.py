from decimal import Decimal
from typing import Any

import pytest

from actors.errors import OrderStateError
from actors.messages.trading import ExecutionReport, Fill, FillSettled, OrderUpdate, ReportKind
from actors.model.order import OrderStatus
from actors.orders.manager import OrderManager
from actors.orders.records import Settlement
from tests.actors.orders.rooms import asked, kinds, manager, of_kind, record_of, said, traded


def settled(trade: str = "t1") -> ExecutionReport:
    return said(ReportKind.TRADE_SETTLED, trade_id=trade)


def failed(trade: str = "t1") -> ExecutionReport:
    return said(ReportKind.TRADE_FAILED, trade_id=trade, reason="reverted")


def provisional(*messages: Any) -> OrderManager:
    """Return a manager with an order of 10 of which 4 have traded provisionally."""
    return manager(asked(), said(ReportKind.ACCEPTED), traded(4, provisional=True), *messages)


def test_a_provisional_trade_is_told_as_such_and_settled_later() -> None:
    core = manager(asked())
    [fill] = of_kind(core.handle(traded(4, provisional=True), 2), Fill)
    assert fill.provisional
    assert record_of(core).settlement is Settlement.PROVISIONAL
    assert core.handle(settled(), 3) == [
        FillSettled(
            client_order_id="a",
            strategy="strategy",
            instrument="BTC",
            venue="venue",
            trade_id="t1",
        )
    ]
    assert record_of(core).settlement is Settlement.SETTLED
    assert record_of(core).status is OrderStatus.PARTIALLY_FILLED


def test_a_failed_trade_is_taken_back() -> None:
    core = provisional(traded(2, trade="t2"))
    [told, update] = core.handle(failed(), 3)
    assert isinstance(told, FillSettled)
    assert (told.failed, told.reason) == (True, "reverted")
    assert isinstance(update, OrderUpdate)
    assert update.filled_quantity == 2
    assert update.reason == "trade t1 failed: reverted; its fill is taken back"
    record = record_of(core)
    assert record.settlement is Settlement.FAILED
    assert (record.filled_quantity, record.filled_cost, record.commission) == (
        Decimal(2),
        Decimal(200),
        Decimal("0.5"),
    )
    assert record.average_price == 100
    assert (record.traded_quantity, record.leaves_quantity) == (Decimal(6), Decimal(4))


def test_what_has_failed_is_not_open_again() -> None:
    core = provisional(failed())
    with pytest.raises(OrderStateError):
        core.handle(traded(7, trade="t2"), 4)
    [fill, update] = core.handle(traded(6, trade="t2"), 4)
    assert isinstance(fill, Fill)
    assert fill.leaves_quantity == 0
    assert isinstance(update, OrderUpdate)
    assert (update.status, update.filled_quantity) == (OrderStatus.FILLED, Decimal(6))
    assert record_of(core).leaves_quantity == 0


@pytest.mark.parametrize("word", [settled(), failed()])
def test_the_word_on_a_trade_may_come_twice(word: ExecutionReport) -> None:
    core = provisional(word)
    assert core.handle(word, 3) == []
    assert core.handle(traded(4, provisional=True), 4) == []


@pytest.mark.parametrize(("first", "second"), [(settled(), failed()), (failed(), settled())])
def test_the_opposite_of_what_was_said_raises(
    first: ExecutionReport, second: ExecutionReport
) -> None:
    core = provisional(first)
    before = record_of(core).filled_quantity
    with pytest.raises(OrderStateError, match="of which the opposite is known"):
        core.handle(second, 3)
    assert record_of(core).filled_quantity == before


@pytest.mark.parametrize(("word", "filled"), [(settled(), 4), (failed(), 0)])
def test_the_word_on_a_trade_may_come_before_it(word: ExecutionReport, filled: int) -> None:
    core = manager(asked(), said(ReportKind.ACCEPTED))
    assert core.handle(word, 2) == []
    assert core.handle(word, 2) == []
    assert record_of(core).settlement is Settlement.FINAL
    outputs = core.handle(traded(4, provisional=True), 3)
    assert kinds(outputs)[:3] == ["Fill", "OrderUpdate", "FillSettled"]
    assert record_of(core).filled_quantity == filled


def test_a_final_trade_is_settled_already_and_cannot_fail() -> None:
    core = manager(asked(), traded(4))
    assert core.handle(settled(), 2) == []
    with pytest.raises(OrderStateError, match="TRADE_FAILED of trade t1"):
        core.handle(failed(), 3)
    assert record_of(core).settlement is Settlement.FINAL


def test_a_trade_fails_after_its_order_was_over() -> None:
    core = provisional(traded(6, trade="t2"))
    assert record_of(core).status is OrderStatus.FILLED
    core.handle(failed(), 3)
    record = record_of(core)
    assert (record.status, record.filled_quantity) == (OrderStatus.FILLED, Decimal(6))
    assert record.leaves_quantity == 0


def test_an_order_that_was_never_sent_has_nothing_to_settle() -> None:
    core = manager(asked(-1))
    with pytest.raises(OrderStateError, match="never placed"):
        core.handle(settled(), 2)
