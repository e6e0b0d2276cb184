"""Requests become calls, answers become reports; what is not answered is lost, never guessed."""

from decimal import Decimal

import pytest

from actors.messages.account import CloseOut
from actors.messages.system import CancelAllAtVenue, Halt, HaltLifted, Resumed
from actors.messages.trading import (
    CancelPlacedOrder,
    ExecutionReport,
    PlaceOrder,
    ReplacePlacedOrder,
    ReportKind,
)
from actors.messages.venue import CallKind, Outcome, QueryOrder, VenueCall, VenueNews
from actors.model.order import OrderStatus, OrderType
from tests.actors.brokers.remote.talk import ID, SECOND, Talk, answer_to, kinds, order, shown, trade

CANCEL = CancelPlacedOrder(client_order_id=ID, instrument="AAA")
K = ReportKind


def test_an_order_becomes_a_call_with_a_number_and_a_deadline() -> None:
    talk = Talk()
    call = talk.place(at_s=1)
    assert (call.kind, call.client_order_id, call.instrument) == (CallKind.PLACE, ID, "AAA")
    assert call.order == order()
    assert call.deadline_ns == 6 * SECOND
    assert call.number == 2  # the first has asked for open orders


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"order": shown()}, [K.ACCEPTED]),
        ({"order": shown(OrderStatus.PARTIALLY_FILLED, "2"), "trades": (trade("2"),)},
         [K.TRADE, K.ACCEPTED]),
        ({"order": shown(OrderStatus.FILLED, "5"), "trades": (trade(),)}, [K.TRADE]),
        ({"order": shown(OrderStatus.CANCELLED)}, [K.CANCELLED]),
        ({"order": shown(OrderStatus.EXPIRED)}, [K.EXPIRED]),
        ({"order": shown(OrderStatus.REJECTED)}, [K.REJECTED]),
        ({"order": None}, [K.NOT_FOUND]),
        ({"outcome": Outcome.REFUSED, "reason": "no"}, [K.REJECTED]),
        ({"outcome": Outcome.NOT_SENT, "reason": "no"}, [K.REJECTED]),
        ({"outcome": Outcome.LOST, "reason": "cut"}, [K.LOST]),
    ],
)  # fmt: skip
def test_the_answer_to_an_order_is_reported(fields: dict, expected: list) -> None:  # type: ignore[type-arg]
    talk = Talk()
    assert kinds(talk.answer(talk.place(), **fields)) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"order": shown(OrderStatus.CANCELLED)}, [K.CANCELLED]),
        ({"order": shown(OrderStatus.FILLED, "5"), "trades": (trade(),)},
         [K.TRADE, K.CANCEL_REJECTED]),
        ({"order": shown()}, [K.LOST]),
        ({"order": None}, [K.NOT_FOUND]),
        ({"outcome": Outcome.REFUSED}, [K.CANCEL_REJECTED]),
        ({"outcome": Outcome.NOT_SENT}, [K.CANCEL_REJECTED]),
        ({"outcome": Outcome.LOST}, [K.LOST]),
    ],
)  # fmt: skip
def test_the_answer_to_a_cancel_is_reported(fields: dict, expected: list) -> None:  # type: ignore[type-arg]
    talk = Talk()
    talk.answer(talk.place(), order=shown())
    (call,) = talk.say(CANCEL)
    assert kinds(talk.answer(call, **fields)) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"order": shown(quantity="7")}, [K.REPLACED]),
        ({"order": shown(OrderStatus.CANCELLED)}, [K.CANCELLED]),
        ({"order": None}, [K.NOT_FOUND]),
        ({"outcome": Outcome.REFUSED}, [K.REPLACE_REJECTED]),
        ({"outcome": Outcome.NOT_SENT}, [K.REPLACE_REJECTED]),
        ({"outcome": Outcome.LOST}, [K.LOST]),
    ],
)
def test_the_answer_to_a_change_is_reported(fields: dict, expected: list) -> None:  # type: ignore[type-arg]
    talk = Talk()
    talk.answer(talk.place(), order=shown())
    (call,) = talk.say(ReplacePlacedOrder(order=order("7")))
    assert kinds(talk.answer(call, **fields)) == expected


def test_a_change_that_has_traded_is_told_before_its_trades_are_asked_for() -> None:
    talk = Talk()
    talk.answer(talk.place(), order=shown())
    (call,) = talk.say(ReplacePlacedOrder(order=order("7")))
    said = talk.answer(call, order=shown(OrderStatus.PARTIALLY_FILLED, "2", "7"))
    assert kinds(said) == [K.REPLACED]
    assert talk.last(CallKind.ORDER).client_order_id == ID


def test_what_becomes_of_a_change_is_told_once_and_not_of_another() -> None:
    talk = Talk()
    talk.answer(talk.place(), order=shown())
    first = talk.say(ReplacePlacedOrder(order=order("7")), 1)[0]
    replaced = ExecutionReport(client_order_id=ID, kind=K.REPLACED, venue="far", venue_time_ns=1)
    assert talk.say(VenueNews(reports=(replaced,))) == []  # of which change?
    talk.overdue(first)
    (call,) = talk.say(QueryOrder(client_order_id=ID, instrument="AAA", sent_ns=0), 7)
    assert kinds(talk.answer(call, order=shown(quantity="7"))) == [K.REPLACED]
    second = talk.say(ReplacePlacedOrder(order=order("3")), 8)[0]
    assert talk.answer(first, order=shown(quantity="7")) == []  # late, and known
    assert talk.answer(first, outcome=Outcome.REFUSED, reason="no") == []
    ended = talk.answer(first, order=shown(quantity="7", filled="2"), trades=(trade("2"),))
    assert kinds(ended) == [K.TRADE]
    assert kinds(talk.answer(second, outcome=Outcome.REFUSED, reason="no")) == [K.REPLACE_REJECTED]


def test_an_answer_that_does_not_come_in_time_is_lost_and_comes_late_as_news() -> None:
    talk = Talk()
    call = talk.place()
    (lost,) = talk.overdue(call)
    assert (lost.kind, lost.reason) == (K.LOST, "PLACE: no answer in time")
    assert kinds(talk.answer(call, 9, order=shown())) == [K.ACCEPTED]
    assert talk.overdue(call) == []


def test_a_late_error_says_nothing_new() -> None:
    talk = Talk()
    call = talk.place()
    talk.overdue(call)
    assert talk.answer(call, outcome=Outcome.LOST) == []


def test_a_refusal_of_an_order_that_is_over_is_old_news() -> None:
    talk = Talk()
    call = talk.place()
    talk.answer(call, order=shown(OrderStatus.FILLED, "5"), trades=(trade(),))
    assert talk.broker.open_tickets == 0
    assert talk.answer(call, outcome=Outcome.REFUSED) == []


def test_a_refusal_of_what_works_proves_nothing() -> None:
    talk = Talk()
    call = talk.place()
    news = ExecutionReport(client_order_id=ID, kind=K.ACCEPTED, venue="far", venue_time_ns=1)
    talk.say(VenueNews(reports=(news,)))
    assert kinds(talk.answer(call, outcome=Outcome.REFUSED)) == [K.NOT_FOUND]


def test_what_is_not_sent_says_so() -> None:
    talk = Talk(lacks=("STOP", "REPLACE"))
    stop = order(order_type=OrderType.STOP, limit_price=None, stop_price=Decimal(12))
    (rejected,) = talk.say(PlaceOrder(order=stop))
    assert rejected.reason == "not sent: order type STOP is not supported"
    (kept,) = talk.say(ReplacePlacedOrder(order=order("7")))
    assert (kept.kind, kept.reason) == (
        K.REPLACE_REJECTED,
        "not sent: the venue does not change orders",
    )


def test_a_second_cancel_waits_for_the_answer_to_the_first() -> None:
    talk = Talk()
    talk.answer(talk.place(), order=shown())
    (call,) = talk.say(CANCEL)
    assert talk.say(CANCEL) == []
    talk.overdue(call)
    assert [each.kind for each in talk.say(CANCEL)] == [CallKind.CANCEL]


def test_in_a_halt_nothing_new_leaves_and_every_cancel_does() -> None:
    talk = Talk()
    talk.answer(talk.place(), order=shown())
    talk.say(CANCEL)
    assert talk.say(CancelAllAtVenue("fire")) == []
    assert isinstance(talk.say(CANCEL)[0], VenueCall)
    (rejected,) = talk.say(PlaceOrder(order=order(order_id="run-one-2")))
    assert (rejected.kind, rejected.reason) == (K.REJECTED, "not sent: halted: fire")
    (kept,) = talk.say(ReplacePlacedOrder(order=order("7")))
    assert kept.kind is K.REPLACE_REJECTED
    talk.say(HaltLifted("fire"))
    assert talk.place(order(order_id="run-one-3")).kind is CallKind.PLACE


def test_it_sends_again_when_every_cause_is_lifted() -> None:
    talk = Talk()
    talk.say(CancelAllAtVenue("one"))
    talk.say(CancelAllAtVenue("two"))
    talk.say(HaltLifted("one"))
    (rejected,) = talk.say(PlaceOrder(order=order(order_id="run-one-1")))
    assert rejected.reason == "not sent: halted: two"
    talk.say(HaltLifted("two"))
    assert talk.place(order(order_id="run-one-2")).kind is CallKind.PLACE


def test_that_all_was_cancelled_at_the_end_is_over_in_the_next_process() -> None:
    talk = Talk()
    talk.say(CancelAllAtVenue("stopped at once"))
    talk.say(Resumed(last_ns=2), 3)
    assert talk.place(order(order_id="run-one-1"), 4).kind is CallKind.PLACE
    talk.say(CancelAllAtVenue("what the kill switch tells again"), 5)
    for broker in (talk.broker, talk.again()):
        (rejected,) = broker.handle(PlaceOrder(order=order(order_id="run-one-2")), 6 * SECOND)
        assert rejected.reason == "not sent: halted: what the kill switch tells again"


def test_news_of_our_orders_are_reported_and_of_others_are_not() -> None:
    talk = Talk()
    talk.place()
    theirs = trade(trade_id="T2", order_id="")
    foreign = ExecutionReport(client_order_id="x", kind=K.CANCELLED, venue="far", venue_time_ns=1)
    said = talk.say(VenueNews(reports=(foreign,), trades=(trade(), theirs)))
    assert kinds(said) == [K.TRADE]
    assert said[0].trade_id == "T1"


@pytest.mark.parametrize("again", [False, True])
def test_orders_of_a_run_whose_id_begins_as_ours_are_not_ours(again: bool) -> None:
    talk = Talk()
    for order_id in (ID, "run-one.2-1", "run-a-b-7"):  # "run" is our run
        talk.place(order(order_id=order_id))
    broker = talk.again() if again else talk.broker
    ours = ["run-one-1", "run-one-1/2", "run-one.1-4", "run-one-99", "run-a-b-8"]
    theirs = ["run-5-one-1", "run-one", "run-a-7", "run-one-1-1", "runs-one-1", "run-1", "run-"]
    trades = tuple(trade(order_id=each) for each in (*ours, *theirs))
    reports = tuple(
        ExecutionReport(client_order_id=each, kind=K.ACCEPTED, venue="far", venue_time_ns=1)
        for each in (*ours, *theirs)
    )
    said = broker.handle(VenueNews(trades=trades, reports=reports), 5)
    assert [each.client_order_id for each in said] == [*ours, *ours]


def test_what_the_earlier_process_asked_is_lost_and_old_orders_are_not_sent() -> None:
    talk = Talk()
    call = talk.place(order(created_ns=1), at_s=1)
    said = talk.say(Resumed(last_ns=2 * SECOND), 60)
    assert kinds(said) == [K.LOST]
    assert said[-1].kind is CallKind.OPEN_ORDERS
    (rejected,) = talk.say(PlaceOrder(order=order(order_id="run-one-2", created_ns=5)))
    assert rejected.reason == "not sent: approved before the restart"
    assert talk.answer(call, outcome=Outcome.NOT_SENT) == []  # who knows what was sent before
    part = order(order_id="run-one-1/2", created_ns=5)
    assert talk.place(part, 61).kind is CallKind.PLACE
    exit_held_back = order(order_id="run-one-3", created_ns=5, parent="run-one-1")
    assert talk.place(exit_held_back, 62).kind is CallKind.PLACE
    assert kinds(talk.answer(call, order=shown())) == [K.ACCEPTED]


def test_what_is_not_for_a_remote_broker_is_ignored_or_refused() -> None:
    talk = Talk()
    assert talk.say(CloseOut()) == []
    assert talk.broker.stop(0) == []
    with pytest.raises(TypeError, match="does not take Halt"):
        talk.broker.handle(Halt("x"), 0)


def test_a_fresh_broker_knows_what_the_old_one_knew() -> None:
    talk = Talk()
    first = talk.place()
    talk.answer(first, order=shown())
    talk.say(ReplacePlacedOrder(order=order("7")), 1)
    talk.place(order(order_id="run-one-2"), 2)
    talk.say(CancelAllAtVenue("fire"), 3)
    fresh = talk.again()
    for message in (
        answer_to(talk.last(CallKind.REPLACE), order=shown(quantity="7")),
        answer_to(talk.calls[0]),
        CANCEL,
        PlaceOrder(order=order(order_id="run-one-3")),
        HaltLifted("fire"),
        PlaceOrder(order=order(order_id="run-one-4")),
        Resumed(last_ns=4),
    ):
        assert fresh.handle(message, 4 * SECOND) == talk.broker.handle(message, 4 * SECOND)
