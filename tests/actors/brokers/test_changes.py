"""Changes of open orders, and ends at a time."""

from decimal import Decimal
from typing import Any

import pytest

from actors.actor import Later
from actors.brokers.market.sizes import Consumption
from actors.brokers.models.latency import ConstantLatency
from actors.brokers.simulated import SimulatedBroker, SimulatedBrokerConfig
from actors.messages.slices import MarketData
from actors.messages.system import TimerFired
from actors.messages.trading import OrderArrived, ReplaceArrived, ReportKind
from actors.model.order import OrderType, Side
from tests.actors.brokers.desks import (
    ACCEPTED,
    EXPIRED,
    REPLACED,
    TRIGGERED,
    Desk,
    buy,
    change,
    maker,
    sell,
    stop,
    taker,
    told,
    until,
)
from tests.actors.brokers.rows import Tape
from tests.builders import START_NS, context, instrument, instruments, place

FIVE, SEVEN = Decimal(5), Decimal(7)


def shown(*, ask: int = 101) -> Desk:
    desk = Desk()
    desk.show(lambda tape: tape.quote(99, ask, 5, 5))
    return desk


# --- changes -----------------------------------------------------------------------------------


def test_a_change_of_the_price_takes_what_it_gets_and_rests_with_the_remainder() -> None:
    desk = shown()
    asked = buy(7, "0.98")
    desk.place(asked)
    outputs = desk.broker.handle(change(asked, limit_price=Decimal("1.01")), 6)
    assert told(outputs) == [REPLACED, taker(5, "1.01")]
    assert told(desk.show(lambda tape: tape.quote(90, 91, 5, 5))) == [maker(2, "1.01")]


def test_the_new_quantity_is_that_of_the_whole_order() -> None:
    desk = shown()
    asked = buy(7, "1.01")
    assert told(desk.place(asked)) == [ACCEPTED, taker(5, "1.01")]
    [refused] = desk.broker.handle(change(asked, quantity=FIVE), 6)
    assert (refused.kind, refused.reason) == (
        ReportKind.REPLACE_REJECTED,
        "5 is not more than what has been filled",
    )
    assert told(desk.broker.handle(change(asked, quantity=Decimal(6)), 6)) == [REPLACED]
    [trade] = desk.show(lambda tape: tape.quote(99, 101, 5, 5))
    assert (trade.last_quantity, trade.trade_id) == (1, "run-strategy-1-2")


def test_a_larger_quantity_at_the_same_price_goes_behind_the_others() -> None:
    desk = shown()
    for name in "ab":
        desk.place(buy(3, "1.00", id=name))
    desk.broker.handle(change(buy(3, "1.00", id="a"), quantity=FIVE), 6)
    outputs = desk.show(lambda tape: tape.quote(99, 100, 5, 5))
    assert [(each.client_order_id, each.last_quantity) for each in outputs] == [("b", 3), ("a", 2)]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"client_order_id": "x"}, "the order is not open"),
        ({"side": Side.SELL}, "only quantity and prices can be changed"),
        ({"instrument": "ETH"}, "only quantity and prices can be changed"),
        ({"limit_price": Decimal("1.005")}, "1.005 is not a multiple of 0.01"),
        ({"quantity": Decimal("0.5")}, "0.5 is not a multiple of 1"),
        ({"quantity": Decimal(0)}, "0 is not more than what has been filled"),
    ],
)
def test_a_change_that_cannot_be_made_is_refused_and_the_order_stays(
    changes: dict[str, Any], reason: str
) -> None:
    desk = shown()
    asked = buy(3, "1.00")
    desk.place(asked)
    [refused] = desk.broker.handle(change(asked, **changes), 6)
    assert (refused.kind, refused.reason) == (ReportKind.REPLACE_REJECTED, reason)
    [held] = desk.broker.open_orders()
    assert held.order == asked


def test_a_post_only_order_is_not_changed_into_one_that_takes() -> None:
    desk = shown()
    asked = buy(3, "1.00", order_type=OrderType.POST_ONLY)
    desk.place(asked)
    [refused] = desk.broker.handle(change(asked, limit_price=Decimal("1.01")), 6)
    assert refused.reason == "post-only, but it would take"
    assert [held.limit for held in desk.broker.open_orders()] == [100]


def test_a_stop_price_can_be_changed_and_may_wake_the_order() -> None:
    desk = shown()
    asked = stop(buy(3), "1.10")
    desk.place(asked)
    later = change(asked, stop_price=Decimal("1.05"))
    assert told(desk.broker.handle(later, 6)) == [REPLACED]
    assert told(desk.show(lambda tape: tape.quote(99, 104, 5, 5))) == []
    outputs = desk.broker.handle(change(asked, stop_price=Decimal("1.04")), 7)
    assert told(outputs) == [REPLACED, TRIGGERED, taker(3, "1.04")]


def test_an_order_that_is_awake_does_not_sleep_again() -> None:
    desk = shown()
    asked = stop(buy(7, "1.02"), "1.01")
    assert told(desk.place(asked)) == [ACCEPTED, TRIGGERED, taker(5, "1.01")]
    changed = change(asked, stop_price=Decimal("1.50"), limit_price=Decimal("1.03"))
    assert told(desk.broker.handle(changed, 6)) == [REPLACED]
    assert told(desk.show(lambda tape: tape.quote(99, 103, 5, 5))) == [maker(2, "1.03")]


def test_a_change_without_a_price_waits_for_one() -> None:
    desk = Desk()
    asked = buy(7, "1.02")
    desk.place(asked)
    [replaced] = desk.broker.handle(change(asked, limit_price=Decimal("1.03")), 6)
    assert (replaced.kind, replaced.reason) == (ReportKind.REPLACED, "waits for a price")
    assert told(desk.show(lambda tape: tape.quote(99, 101, 9, 9))) == [taker(7, "1.01")]


def test_a_change_is_on_its_way_as_long_as_a_cancel() -> None:
    desk = Desk(SimulatedBrokerConfig(latency=ConstantLatency(cancel_ns=20, report_ns=3)))
    desk.show(lambda tape: tape.quote(99, 101))
    asked = buy(1, "1.00")
    desk.place(asked)
    asks = change(asked, limit_price=Decimal("0.98"))
    arrival = ReplaceArrived(order=asks.order)
    assert desk.broker.handle(asks, 30) == [Later(arrival, 50)]
    [replaced] = desk.broker.handle(arrival, 50)
    assert (replaced.at_ns, replaced.message.kind) == (53, ReportKind.REPLACED)


# --- ends at a time ----------------------------------------------------------------------------


def test_an_order_ends_at_its_time() -> None:
    desk = shown()
    accepted, timer = desk.place(until(buy(7, "1.00"), 50))
    fired = TimerFired("broker", "expire run-strategy-1", 50)
    assert timer == Later(fired, 50, background=True)
    assert told([accepted]) == [ACCEPTED]
    [expired] = desk.broker.handle(fired, 50)
    assert (expired.kind, expired.reason) == (ReportKind.EXPIRED, "its time is over")
    assert desk.broker.handle(fired, 51) == []
    assert desk.broker.open_orders() == []


def test_an_order_that_is_filled_at_once_needs_no_timer() -> None:
    assert told(shown().place(until(buy(3, "1.01"), 50))) == [taker(3, "1.01")]


def test_an_order_whose_time_was_over_before_it_came_is_rejected() -> None:
    [rejected] = shown().place(until(buy(3, "1.01"), 5))
    assert (rejected.kind, rejected.reason) == (ReportKind.REJECTED, "expired before it came")


def test_a_timer_that_nobody_knows_is_not_heard() -> None:
    assert shown().broker.handle(TimerFired("broker", "something else", 9), 9) == []


def test_the_end_of_an_order_is_reported_late_like_everything() -> None:
    desk = Desk(SimulatedBrokerConfig(latency=ConstantLatency(submit_ns=5, report_ns=3)))
    asked = until(sell(1, "9.00"), 50)
    [on_its_way] = desk.place(asked)
    assert on_its_way.message == OrderArrived(order=asked)
    _, timer = desk.broker.handle(on_its_way.message, 10)
    [expired] = desk.broker.handle(timer.message, 50)
    assert (expired.at_ns, told([expired.message])) == (53, [EXPIRED])


# --- crashes -----------------------------------------------------------------------------------


def restarted(history: list[tuple[str, Any]], rows: Any, table: Any) -> Any:
    """Return a fresh broker that knows the market and what was said."""
    first = SimulatedBroker(context("broker"), table)
    first.handle(MarketData(rows), 0)
    second: Any = SimulatedBroker(context("broker"), table)
    second.inherit(first.market)
    second.recover(history)
    return second


def test_changed_woken_and_ending_orders_are_there_again_after_a_crash() -> None:
    table = instruments(instrument(lot="1"))
    rows = Tape(table).quote(99, 101, 5, 5).build()
    config = SimulatedBrokerConfig(consumption=Consumption.NONE)  # they share one market
    first: Any = SimulatedBroker(context("broker"), table, config)
    first.handle(MarketData(rows), 0)
    asked = buy(7, "0.97", id="changed")
    messages = [
        place(asked),
        change(asked, quantity=Decimal(9), limit_price=Decimal("1.00")),
        place(stop(buy(7, "1.00", id="woken"), "1.01")),
        place(stop(sell(7, "0.90", id="asleep"), "0.95")),
        place(until(sell(7, "1.04", id="ending"), START_NS)),
        change(asked, quantity=Decimal(8), limit_price=Decimal("1.00")),
        place(stop(buy(7, id="market"), "1.01")),
    ]
    history: list[tuple[str, Any]] = []
    for now_ns, message in enumerate(messages):
        history.append(("received", message))
        history += [("sent", each) for each in first.handle(message, now_ns)]
    second: Any = SimulatedBroker(context("broker"), table, config)
    second.inherit(first.market)
    second.recover(history)
    was = [
        (h.order.client_order_id, h.leaves, h.limit, h.stop, h.takes, h.turn, h.trades)
        for h in first.open_orders()
    ]
    assert [
        (h.order.client_order_id, h.leaves, h.limit, h.stop, h.takes, h.turn, h.trades)
        for h in second.open_orders()
    ] == was
    assert len(was) == 5
    more = MarketData(Tape(table).quote(90, 100, 9, 9).quote(95, 101, 99, 99).build())
    fired = TimerFired("broker", "expire ending", START_NS)
    expected = [*first.handle(more, 9), *first.handle(fired, 10)]
    assert [*second.handle(more, 9), *second.handle(fired, 10)] == expected
    assert ReportKind.TRIGGERED in {each.kind for each in expected}


def test_a_change_that_was_refused_changes_nothing_after_a_crash() -> None:
    table = instruments(instrument(lot="1"))
    rows = Tape(table).quote(99, 101, 5, 5).build()
    asked = buy(7, "0.97")
    first: Any = SimulatedBroker(context("broker"), table)
    first.handle(MarketData(rows), 0)
    history: list[tuple[str, Any]] = []
    for message in (place(asked), change(asked, quantity=Decimal("0.5"))):
        history.append(("received", message))
        history += [("sent", each) for each in first.handle(message, 1)]
    [held] = restarted(history, rows, table).open_orders()
    assert held.order == asked
