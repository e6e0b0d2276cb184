from decimal import Decimal
from typing import Any

from actors.actor import Later
from actors.brokers.models.latency import ConstantLatency
from actors.brokers.recovery import RESTS, WAITS, HeldOrder, held_orders
from actors.brokers.simulated import SimulatedBroker, SimulatedBrokerConfig
from actors.messages.slices import MarketData
from actors.messages.system import CancelAllAtVenue
from actors.messages.trading import CancelPlacedOrder, OrderArrived, ReportKind
from tests.builders import (
    BTC,
    context,
    instruments,
    order,
    place,
    quote_rows,
    report,
    trade_report,
)


def received(message: Any) -> tuple[str, Any]:
    return ("received", message)


def sent(message: Any) -> tuple[str, Any]:
    return ("sent", message)


def test_an_order_is_held_from_its_acceptance_to_its_end() -> None:
    asked = order(quantity="3")
    history = [
        received(place(asked)),
        sent(report()),
        sent(Later(trade_report("1", trade_id="a"), 9)),
        sent(trade_report("1", trade_id="b")),
    ]
    past = held_orders(history)
    expected = HeldOrder(order=asked, waits=False, filled=Decimal(2), trades=2)
    assert past.held == [expected]
    assert (asked.client_order_id in past.arrived, len(past.arrived)) == (True, 1)
    assert past.trade_ids >= {"a", "b"}
    for end in (
        trade_report("1", trade_id="c"),
        report(ReportKind.CANCELLED),
        report(ReportKind.EXPIRED),
    ):
        assert held_orders([*history, sent(end)]).held == []


def test_an_order_that_was_filled_on_arrival_has_arrived_and_is_not_held() -> None:
    asked = order(quantity="3")
    history = [
        received(place(asked)),
        sent(trade_report("1", trade_id="a")),
        sent(Later(trade_report("2", trade_id="b"), 9)),
    ]
    past = held_orders(history)
    assert (past.held, asked.client_order_id in past.arrived) == ([], True)
    assert past.trade_ids == {"a", "b"}


def test_an_order_on_its_way_has_not_arrived() -> None:
    asked = order()
    history = [
        received(place(asked)),
        sent(Later(OrderArrived(order=asked), 9)),
        sent(report(ReportKind.CANCEL_REJECTED)),
    ]
    assert len(held_orders(history).arrived) == 0
    history += [received(OrderArrived(order=asked)), sent(report(ReportKind.REJECTED))]
    past = held_orders(history)
    assert (asked.client_order_id in past.arrived, past.held) == (True, [])


def test_an_order_waits_until_it_is_said_to_rest() -> None:
    history = [received(place()), sent(report(reason=WAITS))]
    assert [held.waits for held in held_orders(history).held] == [True]
    history += [sent(report(reason=RESTS))]
    assert [held.waits for held in held_orders(history).held] == [False]


def test_reports_of_others_are_not_ours() -> None:
    assert held_orders([sent(report(id="nobody's")), sent("something else")]).held == []


def test_the_first_cause_of_closing_is_kept() -> None:
    history = [received(CancelAllAtVenue("first")), received(CancelAllAtVenue("second"))]
    assert held_orders(history).closed == "first"


def broker_with(history: list[tuple[str, Any]]) -> Any:
    broker = SimulatedBroker(context("broker"), instruments())
    broker.recover(history)
    return broker


def test_a_recovered_order_trades_on_and_its_trades_are_numbered_on() -> None:
    history = [
        received(place(order(quantity="3", limit="100"))),
        sent(report()),
        sent(trade_report("1", "100")),
    ]
    broker = broker_with(history)
    [trade] = broker.handle(MarketData(quote_rows([(9_000, 9_999)])), 0)
    assert (trade.trade_id, trade.last_quantity) == ("run-strategy-1-2", Decimal(2))
    assert trade.last_price == 100
    assert broker.handle(place(order(quantity="3", limit="100")), 5) == []


def test_an_order_that_was_filled_on_arrival_is_not_filled_again_after_a_crash() -> None:
    table = instruments()
    first: Any = SimulatedBroker(context("broker"), table)
    first.handle(MarketData(quote_rows([(99, 101, 500, 500)], table=table)), 0)
    told = first.handle(place(order(quantity="2")), 1)
    assert [each.kind for each in told] == [ReportKind.TRADE]
    second: Any = SimulatedBroker(context("broker"), table)
    second.inherit(first.market)
    second.recover([received(place(order(quantity="2"))), *map(sent, told)])
    assert (second.open_orders(), second.handle(place(order(quantity="2")), 2)) == ([], [])
    [trade] = second.handle(place(order(quantity="3", id="b")), 3)
    assert (trade.kind, trade.last_quantity) == (ReportKind.TRADE, 3)  # what was left of five


def test_a_recovered_venue_stays_closed() -> None:
    broker = broker_with([received(CancelAllAtVenue("orders gave up"))])
    assert [each.kind for each in broker.handle(place(), 5)] == [ReportKind.REJECTED]


def test_what_was_taken_but_never_told_is_given_back() -> None:
    table = instruments()
    config = SimulatedBrokerConfig(latency=ConstantLatency(cancel_ns=1))
    first = SimulatedBroker(context("broker"), table, config)
    first.handle(MarketData(quote_rows([(99, 101, 500, 500)], table=table)), 0)
    told = first.handle(place(order(quantity="2", id="a")), 1)
    first.handle(place(order(quantity="3", id="lost")), 2)
    second: Any = SimulatedBroker(context("broker"), table, config)
    second.inherit(first.market)
    second.recover([received(place(order(quantity="2", id="a"))), *map(sent, told)])
    outputs = second.handle(place(order(quantity="9", id="b")), 3)
    assert [each.last_quantity for each in outputs if each.trade_id] == [3]
    assert second.handle(CancelPlacedOrder(client_order_id="b", instrument=BTC), 4) != []
