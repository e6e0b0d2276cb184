"""How an order stands: found, not found, gone; what proves nothing stays in doubt."""

from typing import Any

import pytest

from actors.messages.system import Alarm, CancelAllAtVenue, Resumed
from actors.messages.trading import CancelPlacedOrder, ReplacePlacedOrder, ReportKind
from actors.messages.venue import CallKind, Outcome, QueryOrder, VenueCall, VenueNews
from actors.model.order import OrderStatus, TimeInForce
from tests.actors.brokers.remote.talk import ID, SECOND, Talk, kinds, order, shown, trade

K = ReportKind


def query(sent_s: float = 0) -> QueryOrder:
    return QueryOrder(client_order_id=ID, instrument="AAA", sent_ns=round(sent_s * SECOND))


def lost(**options: Any) -> Talk:
    """Return a talk in which an order's answer was lost, at 5 s."""
    talk = Talk(**options)
    talk.overdue(talk.place())
    return talk


def ask(talk: Talk, at_s: float = 6, sent_s: float = 0) -> VenueCall:
    (call,) = talk.say(query(sent_s), at_s)
    assert call.kind is CallKind.ORDER
    return call  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"order": shown()}, [K.ACCEPTED]),
        ({"order": shown(OrderStatus.FILLED, "5"), "trades": (trade(),)}, [K.TRADE]),
        ({"order": shown(OrderStatus.CANCELLED, "2"), "trades": (trade("2"),)},
         [K.TRADE, K.CANCELLED]),
        ({"order": shown(OrderStatus.REJECTED), "reason": "poor"}, [K.REJECTED]),
        ({"outcome": Outcome.REFUSED, "reason": "busy"}, [K.NOT_FOUND]),
        ({"outcome": Outcome.LOST}, [K.NOT_FOUND]),
    ],
)  # fmt: skip
def test_what_the_venue_shows_is_reported(fields: dict[str, Any], expected: list[K]) -> None:
    talk = lost()
    assert kinds(talk.answer(ask(talk), **fields)) == expected


def test_an_order_is_asked_for_once_at_a_time() -> None:
    talk = lost()
    ask(talk)
    assert talk.say(query()) == []
    talk.say(Resumed(last_ns=6), 7)
    asked = ask(talk, 8)
    assert talk.last(CallKind.ORDER) is asked


def test_a_question_that_is_not_answered_proves_nothing() -> None:
    talk = lost()
    call = ask(talk)
    assert kinds(talk.overdue(call)) == [K.NOT_FOUND]
    assert talk.answer(call, order=shown()) == []


def test_not_found_too_early_or_at_a_venue_of_which_nobody_knows_proves_nothing() -> None:
    young = Talk()
    young.place(at_s=5)
    assert kinds(young.answer(ask(young, 6, sent_s=5), order=None)) == [K.NOT_FOUND]
    unknown = lost(hides=None)
    assert kinds(unknown.answer(ask(unknown, 900), order=None)) == [K.NOT_FOUND]


def test_not_found_after_all_and_no_trades_either_is_gone() -> None:
    talk = lost()
    (call,) = talk.answer(ask(talk), order=None)
    assert call.kind is CallKind.TRADES
    assert kinds(talk.answer(call, trades=(trade(order_id="other"),))) == [K.GONE]
    assert talk.broker.open_tickets == 0


def test_an_order_that_is_not_shown_but_has_traded_is_explained_by_its_trades() -> None:
    talk = lost()
    (call,) = talk.answer(ask(talk), order=None)
    (more,) = talk.answer(call, has_more=True, cursor="1")
    assert (more.kind, more.cursor) == (CallKind.TRADES, "1")
    assert kinds(talk.answer(more, trades=(trade(),))) == [K.TRADE, K.GONE]


def test_without_all_trades_nothing_is_gone() -> None:
    talk = lost()
    (call,) = talk.answer(ask(talk), order=None)
    assert kinds(talk.answer(call, is_truncated=True)) == [K.NOT_FOUND]


def test_trades_whose_pages_have_no_end_are_given_up_with_an_alarm() -> None:
    talk = lost()
    (call,) = talk.answer(ask(talk), order=None)
    (more,) = talk.answer(call, has_more=True, cursor="1")
    report, alarm = talk.answer(more, has_more=True, cursor="1", trades=(trade(order_id="x"),))
    assert (report.kind, report.reason) == (K.NOT_FOUND, "TRADES: its pages have no end")
    assert isinstance(alarm, Alarm)
    assert alarm.text.startswith("TRADES: there is said to be more")
    (call,) = talk.answer(ask(talk), order=None)
    assert kinds(talk.answer(call)) == [K.GONE]


def test_where_that_is_safe_it_is_sent_again_if_the_trades_do_not_tell() -> None:
    talk = lost(idempotent=True)
    (call,) = talk.answer(ask(talk, 9), order=None)
    report, again = talk.answer(call, is_truncated=True)
    assert (report.kind, again.kind) == (K.NOT_FOUND, CallKind.PLACE)


def test_an_order_that_is_being_sent_again_is_not_gone() -> None:
    talk = lost(idempotent=True)
    report, call = talk.answer(ask(talk, 6, sent_s=5), order=None)
    assert (report.kind, call.kind) == (K.NOT_FOUND, CallKind.PLACE)
    (trades,) = talk.answer(ask(talk, 9), order=None)
    (word,) = talk.answer(trades)
    assert (word.kind, word.reason) == (K.NOT_FOUND, "it is being sent")


def test_trades_that_are_missing_are_asked_for() -> None:
    talk = lost()
    (call,) = talk.answer(ask(talk), order=shown(OrderStatus.FILLED, "5"))
    assert call.kind is CallKind.TRADES
    assert kinds(talk.answer(call, trades=(trade(),))) == [K.TRADE]
    assert talk.broker.open_tickets == 0


def test_trades_that_are_not_told_yet_keep_the_doubt() -> None:
    talk = lost()
    (call,) = talk.answer(ask(talk), order=shown(OrderStatus.FILLED, "5"))
    assert kinds(talk.answer(call)) == [K.NOT_FOUND]


def test_the_order_s_end_is_told_after_its_trades() -> None:
    talk = lost()
    (call,) = talk.answer(ask(talk), order=shown(OrderStatus.CANCELLED, "2"))
    assert kinds(talk.answer(call, trades=(trade("2"),))) == [K.TRADE, K.CANCELLED]


# --- changes ---------------------------------------------------------------------------------


def changing() -> Talk:
    """Return a talk in which the answer to a change was lost, at 6 s."""
    talk = Talk()
    talk.answer(talk.place(), order=shown())
    (call,) = talk.say(ReplacePlacedOrder(order=order("7")), 1)
    talk.overdue(call)
    return talk


def test_a_change_that_shows_has_been_made() -> None:
    talk = changing()
    assert kinds(talk.answer(ask(talk, 7), order=shown(quantity="7"))) == [K.REPLACED]
    other = changing()
    said = other.answer(ask(other, 7), order=shown(quantity="7", limit=None))
    assert kinds(said) == [K.REPLACED]


def test_a_change_that_does_not_show_has_not_been_made_after_some_time() -> None:
    talk = changing()
    assert kinds(talk.answer(ask(talk, 7), order=shown())) == [K.NOT_FOUND]
    assert kinds(talk.answer(ask(talk, 30), order=shown())) == [K.REPLACE_REJECTED]


def test_an_order_that_has_traded_whole_is_not_changed_any_more() -> None:
    talk = Talk()
    talk.answer(talk.place(), order=shown())
    talk.say(ReplacePlacedOrder(order=order("8")), 1)
    talk.say(VenueNews(trades=(trade("5"),)))
    assert talk.broker.open_tickets == 1  # it may be 8 now
    told = talk.answer(ask(talk, 2), order=shown(OrderStatus.FILLED, "5"))
    assert kinds(told) == [K.REPLACE_REJECTED]
    assert talk.broker.open_tickets == 0


def test_an_order_that_has_traded_more_than_any_change_wants_is_over() -> None:
    talk = Talk()
    talk.answer(talk.place(), order=shown())
    change = talk.say(ReplacePlacedOrder(order=order("3")), 1)[0]
    talk.say(VenueNews(trades=(trade("5"),)))
    assert talk.broker.open_tickets == 0
    assert kinds(talk.overdue(change)) == [K.LOST]


def test_a_cancelled_order_has_not_been_changed() -> None:
    talk = changing()
    said = talk.answer(ask(talk, 30), order=shown(OrderStatus.CANCELLED))
    assert kinds(said) == [K.REPLACE_REJECTED, K.CANCELLED]


# --- sent again ------------------------------------------------------------------------------


def unseen(**fields: Any) -> Talk:
    """Return a talk with a venue that makes one of two orders, and an answer that was lost."""
    talk = Talk(hides=None, idempotent=True)
    talk.overdue(talk.place(order(**fields)))
    return talk


def test_an_order_is_sent_again_under_its_id_where_that_is_safe() -> None:
    talk = unseen()
    report, call = talk.answer(ask(talk), order=None)
    assert report.kind is K.NOT_FOUND
    assert (call.kind, call.order) == (CallKind.PLACE, order())
    assert kinds(talk.answer(ask(talk, 7), order=None)) == [K.NOT_FOUND]  # it is on its way
    assert kinds(talk.answer(call, outcome=Outcome.REFUSED)) == [K.NOT_FOUND]
    assert kinds(talk.answer(call, outcome=Outcome.NOT_SENT)) == [K.NOT_FOUND]
    assert kinds(talk.answer(call, order=shown())) == [K.ACCEPTED]


def test_it_is_not_sent_again_when_nobody_wants_it_any_more() -> None:
    unwanted = unseen()
    unwanted.say(CancelPlacedOrder(client_order_id=ID, instrument="AAA"))
    assert len(unwanted.answer(ask(unwanted), order=None)) == 1
    halted = unseen()
    halted.say(CancelAllAtVenue("fire"))
    assert len(halted.answer(ask(halted), order=None)) == 1
    late = unseen(time_in_force=TimeInForce.GTD, expire_time_ns=6 * SECOND)
    assert len(late.answer(ask(late), order=None)) == 1
