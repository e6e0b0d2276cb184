"""Comparing with the venue, in rounds; and what does not wait behind a rate limit."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from actors.actor import Later
from actors.brokers.rate_limiter import RateLimiterConfig
from actors.brokers.remote.broker import RemoteBroker
from actors.brokers.remote.config import RemoteBrokerConfig
from actors.brokers.remote.paced import PacedRemote
from actors.messages.reconciliation import Reconcile, VenueHoldings, VenueOrders
from actors.messages.system import Alarm, CancelAllAtVenue, TimerFired
from actors.messages.trading import CancelPlacedOrder, ExecutionReport, PlaceOrder
from actors.messages.venue import CallKind, Outcome, QueryOrder, VenueCall
from actors.venues.traits import VenueTraits
from tests.actors.brokers.remote.talk import ID, SECOND, Talk, order, shown, trade
from tests.builders import context


def timer(name: str) -> TimerFired:
    return TimerFired("broker", name, 0)


def one_round(talk: Talk, **trades: Any) -> tuple[VenueOrders, VenueHoldings]:
    """Answer all that a round asks."""
    (call,) = talk.answer(talk.last(CallKind.OPEN_ORDERS), orders=(shown(),))
    orders, account = talk.answer(call, **trades)
    (holdings,) = talk.answer(account, positions={"AAA": Decimal(1)}, balances={})
    return orders, holdings


def test_the_first_round_is_asked_for_at_the_start() -> None:
    talk = Talk()
    assert [call.kind for call in talk.calls] == [CallKind.OPEN_ORDERS]
    orders, holdings = one_round(talk, trades=(trade(),), cursor="1")
    assert (orders.round, orders.orders, orders.trades) == (1, (shown(),), (trade(),))
    assert (holdings.round, holdings.positions) == (1, {"AAA": Decimal(1)})


def test_the_next_round_comes_at_its_time_and_asks_for_newer_trades() -> None:
    talk = Talk(reconcile_every_ns=30 * SECOND)
    one_round(talk, cursor="9")
    (later,) = [e for _, e in talk.history if isinstance(e, Later) and e.background]
    assert (later.message.name, later.at_ns) == ("round 1", 30 * SECOND)
    (call,) = talk.say(later.message, 30)
    assert call.kind is CallKind.OPEN_ORDERS
    (trades,) = talk.answer(call)
    assert trades.cursor == "9"
    assert talk.say(later.message) == []  # it is under way, and the timer is an old one


def test_pages_are_put_together_and_gaps_are_told() -> None:
    talk = Talk()
    (page,) = talk.answer(talk.last(CallKind.OPEN_ORDERS))
    (more,) = talk.answer(page, trades=(trade(),), cursor="1", has_more=True, is_truncated=True)
    assert more.cursor == "1"
    orders, _ = talk.answer(more, trades=(trade(trade_id="T2"),), cursor="2")
    assert [each.trade_id for each in orders.trades] == ["T1", "T2"]
    assert orders.is_truncated


def test_the_pages_of_open_orders_are_put_together() -> None:
    talk = Talk()
    other = msgspec.structs.replace(shown(), client_order_id="run-one-2", venue_order_id="V2")
    first = talk.last(CallKind.OPEN_ORDERS)
    (more,) = talk.answer(first, orders=(shown(),), has_more=True, cursor="V1")
    assert (more.kind, more.cursor) == (CallKind.OPEN_ORDERS, "V1")
    (trades,) = talk.answer(more, orders=(other,), cursor="V2")
    assert (trades.kind, trades.cursor) == (CallKind.TRADES, "")
    orders, _ = talk.answer(trades)
    assert orders.orders == (shown(), other)


def test_a_list_that_lacks_open_orders_is_none() -> None:
    talk = Talk(read_attempts=2, read_backoff_ns=SECOND)
    call = talk.last(CallKind.OPEN_ORDERS)
    assert talk.answer(call, 1, orders=(shown(),), is_truncated=True) == []
    (again,) = talk.say(timer("retry 1 1"), 2)
    (trades,) = talk.answer(again, orders=(shown(),))
    orders, _ = talk.answer(trades)
    assert orders.orders == (shown(),), "the one that lacked some does not count"
    (call,) = talk.say(Reconcile("again"))
    assert talk.answer(call, is_truncated=True) == []
    (call,) = talk.say(timer("retry 2 1"))
    (alarm,) = talk.answer(call, is_truncated=True)
    why = "the venue does not tell all open orders"
    assert alarm.text == f"OPEN_ORDERS was asked 2 times and not answered: {why}"


@pytest.mark.parametrize("cursors", [("",), ("1", "1"), ("1", "2", "1")])
@pytest.mark.parametrize("kind", [CallKind.OPEN_ORDERS, CallKind.TRADES])
def test_pages_without_an_end_are_given_up_with_an_alarm(
    kind: CallKind, cursors: tuple[str, ...]
) -> None:
    talk = Talk(reconcile_every_ns=30 * SECOND)
    (told,) = talk.calls
    if kind is CallKind.TRADES:
        (told,) = talk.answer(told)
    for cursor in cursors:
        (told,) = talk.answer(told, has_more=True, cursor=cursor)
    assert isinstance(told, Alarm)
    assert told.text.startswith(f"{kind}: there is said to be more")
    (call,) = talk.say(timer("round 1"), 31)
    (trades,) = talk.answer(call, orders=(shown(),), cursor="9")
    assert trades.cursor == ""
    orders, _ = talk.answer(trades)
    assert (orders.round, orders.orders) == (2, (shown(),)), "the next one begins anew"


def test_after_a_gap_in_the_trades_they_are_asked_for_from_there_on() -> None:
    talk = Talk()
    talk.overdue(talk.place(at_s=1))
    one_round(talk, cursor="4")
    talk.say(Reconcile("again"))
    one_round(talk, is_truncated=True, cursor="7")
    query = QueryOrder(client_order_id=ID, instrument="AAA", sent_ns=SECOND)
    (call,) = talk.say(query, 60)
    (trades,) = talk.answer(call, order=None)
    assert (trades.kind, trades.cursor) == (CallKind.TRADES, "4")
    (more,) = talk.answer(trades, is_truncated=True, has_more=True, cursor="6")
    (report,) = talk.answer(more)
    assert (report.kind, report.reason) == ("NOT_FOUND", "the venue does not tell all its trades")
    (call,) = talk.say(query, 90)
    (trades,) = talk.answer(call, order=None)
    (report,) = talk.answer(trades)
    assert report.kind == "GONE"  # this time it has told all
    (call,) = talk.say(msgspec.structs.replace(query, sent_ns=70 * SECOND), 90)
    assert talk.answer(call, order=None)[0].cursor == "7"  # sent after the gap


def test_a_trade_that_a_round_brings_counts_as_told() -> None:
    talk = Talk()
    talk.answer(talk.place(), order=shown())
    one_round(talk, trades=(trade(),))
    assert talk.broker.open_tickets == 0


def test_a_question_is_asked_again_with_growing_pauses_and_then_given_up() -> None:
    talk = Talk(read_attempts=3, read_backoff_ns=SECOND)
    assert talk.answer(talk.calls[-1], 1, outcome=Outcome.REFUSED, reason="busy") == []
    assert talk.history[-1][1] == Later(TimerFired("broker", "retry 1 1", 2 * SECOND), 2 * SECOND)
    assert talk.say(timer("retry 1 9")) == []
    (again,) = talk.say(timer("retry 1 1"), 2)
    assert talk.overdue(again) == []
    (again,) = talk.say(timer("retry 1 2"), 9)
    (alarm,) = talk.answer(again, outcome=Outcome.LOST)
    assert isinstance(alarm, Alarm)
    assert alarm.text == "OPEN_ORDERS was asked 3 times and not answered: LOST"
    assert talk.say(timer("retry 1 3")) == []


def test_who_asks_for_a_comparison_gets_a_new_round() -> None:
    talk = Talk()
    first = talk.calls[-1]
    (call,) = talk.say(Reconcile("now"))
    assert talk.answer(first) == []  # it was asked too early
    (trades,) = talk.answer(call)
    orders, _ = talk.answer(trades)
    assert orders.round == 2


def test_a_fresh_broker_goes_on_with_the_round() -> None:
    talk = Talk()
    (trades,) = talk.answer(talk.calls[-1], orders=(shown(),))
    fresh = talk.again()
    theirs = talk.broker
    for message in (Reconcile("now"), timer("round 1")):
        assert fresh.handle(message, 5) == theirs.handle(message, 5)
    assert trades.kind is CallKind.TRADES


@pytest.mark.parametrize("name", ["request_timeout", "read_attempts", "settle_after"])
def test_a_limit_must_be_above_zero(name: str) -> None:
    field = name if name == "read_attempts" else f"{name}_ns"
    given: dict[str, Any] = {field: 0}
    with pytest.raises(ValueError, match=f"{name}: expected above 0, found 0"):
        RemoteBrokerConfig(traits=VenueTraits(name="far"), **given)
    with pytest.raises(ValueError, match="hides_at_most"):
        VenueTraits(name="far", hides_at_most_ns=-1)


# --- behind a rate limit ---------------------------------------------------------------------


def paced() -> PacedRemote:
    config = RemoteBrokerConfig(traits=VenueTraits(name="far"))
    limiter = RateLimiterConfig(Decimal(1), 1).build("far")
    return PacedRemote(RemoteBroker(context(actor="broker"), config), limiter, "broker")


def requests() -> list[Any]:
    return [
        *(PlaceOrder(order=order(order_id=f"run-one-{number}")) for number in (1, 2)),
        CancelPlacedOrder(client_order_id="run-one-1", instrument="AAA"),
    ]


def calls(outputs: list[Any]) -> list[CallKind]:
    return [each.kind for each in outputs if isinstance(each, VenueCall)]


def test_requests_wait_for_their_turn() -> None:
    broker = paced()
    said = [calls(broker.handle(each, 0)) for each in requests()]
    assert said == [[CallKind.PLACE], [], []]
    assert (broker.waiting, broker.open_tickets) == (2, 1)


def test_in_a_halt_what_waits_does_not_leave_and_cancels_do_at_once() -> None:
    broker = paced()
    history: list[tuple[str, Any]] = [("sent", each) for each in broker.start(0)]
    last = CancelPlacedOrder(client_order_id="run-one-7", instrument="AAA")
    for message in (*requests(), CancelAllAtVenue("fire"), last):
        outputs = broker.handle(message, 0)
        history += [("received", message), *(("sent", each) for each in outputs)]
        if isinstance(message, CancelAllAtVenue):
            assert calls(outputs) == [CallKind.CANCEL]
            assert [report.kind for report in outputs if isinstance(report, ExecutionReport)] == [
                "REJECTED"
            ]
        if message is last:
            assert calls(outputs) == [CallKind.CANCEL]
    fresh = paced()
    fresh.recover(history)
    assert fresh.waiting == broker.waiting == 0
    assert fresh.open_tickets == broker.open_tickets == 1
    number = next(each.number for each in broker.handle(last, 9) if isinstance(each, VenueCall))
    assert [e.number for e in fresh.handle(last, 9) if isinstance(e, VenueCall)] == [number]


def test_a_halt_with_nothing_waiting_is_only_noted() -> None:
    broker = paced()
    assert broker.handle(CancelAllAtVenue("fire"), 0) == []
