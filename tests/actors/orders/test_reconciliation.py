from decimal import Decimal
from typing import Any

import pytest

from actors.errors import OrderStateError
from actors.messages.reconciliation import Cure, Part, Reconciled, ResolveDifference
from actors.messages.trading import (
    CancelOrder,
    CancelPlacedOrder,
    Fill,
    OrderUpdate,
    ReportKind,
)
from actors.messages.venue import QueryOrder
from actors.model.order import OrderStatus, Schedule, ScheduleKind, Side
from actors.orders.config import ExternalOrders, ExternalTrades, OrderManagerConfig
from actors.orders.manager import OrderManager
from actors.orders.reconciliation import differences
from tests.actors.orders.lists import left_open, lists, their_trade, theirs, told
from tests.actors.orders.rooms import asked, manager, of_kind, record_of, said, traded

ACCEPTED = said(ReportKind.ACCEPTED)
ICEBERG = Schedule(kind=ScheduleKind.ICEBERG, display_quantity=Decimal(3))
MISSING, STRANGE = "ORDER_MISSING:a", "ORDER_EXTERNAL:x"


def with_rules(
    orders: ExternalOrders = ExternalOrders.REFUSE,
    trades: ExternalTrades = ExternalTrades.REFUSE,
) -> OrderManager:
    return manager(config=OrderManagerConfig(external_orders=orders, external_trades=trades))


def resolve(key: str, cure: Cure) -> ResolveDifference:
    return ResolveDifference(key=key, cure=cure, cause="looked at it")


class TestAgreement:
    def test_a_venue_that_agrees_is_reconciled_in_a_word(self) -> None:
        core = manager(asked(), ACCEPTED, traded(3))
        outputs = core.handle(lists(theirs(filled=3), their_trade(3), number=7), 60)
        assert outputs == [Reconciled(part=Part.ORDERS, round=7)]

    def test_what_is_younger_than_the_question_may_be_missing(self) -> None:
        core = manager(asked(), asked(name="b"))
        core.handle(ACCEPTED, 55)
        assert told(core.handle(lists(asked_ns=55), 60)) == []

    def test_held_orders_and_wholes_of_schedules_are_not_at_the_venue(self) -> None:
        core = manager(
            asked(9, schedule=ICEBERG),
            said(ReportKind.ACCEPTED, "a/1"),
            asked(name="b"),
            said(ReportKind.ACCEPTED, "b"),
            asked(name="x", side=Side.SELL, parent="b"),
        )
        assert told(core.handle(lists(theirs("a/1"), theirs("b")), 60)) == []
        assert told(core.handle(lists(theirs("b"), number=2), 61)) == [
            ("ORDER_MISSING:a/1", "ASK", True)
        ]


class TestMissingOrders:
    def test_it_is_asked_for_and_keeps_the_gate_closed(self) -> None:
        core = manager(asked(), ACCEPTED)
        outputs = core.handle(lists(), 60)
        assert told(outputs) == [(MISSING, "ASK", True)]
        assert of_kind(outputs, QueryOrder)
        assert left_open(outputs) == (MISSING,)
        assert record_of(core).status is OrderStatus.WORKING

    def test_it_is_told_once_while_it_lasts(self) -> None:
        core = manager(asked(), ACCEPTED, lists())
        assert core.handle(lists(number=2), 61) == [
            Reconciled(part=Part.ORDERS, round=2, open=(MISSING,))
        ]

    @pytest.mark.parametrize(
        "word", [said(ReportKind.GONE), said(ReportKind.ACCEPTED), said(ReportKind.CANCELLED)]
    )
    def test_the_answer_to_the_question_closes_it_at_once(self, word: Any) -> None:
        core = manager(asked(), ACCEPTED)
        core.handle(lists(), 60)
        outputs = core.handle(word, 61)
        assert told(outputs) == [(MISSING, "ASK", False)]
        assert outputs[-1] == Reconciled(part=Part.ORDERS, round=1)
        assert core.handle(said(ReportKind.ACCEPTED), 62) == []

    def test_a_list_that_has_it_again_closes_it(self) -> None:
        core = manager(asked(), ACCEPTED)
        core.handle(lists(), 60)
        outputs = core.handle(lists(theirs(), number=2, asked_ns=70), 80)
        assert told(outputs) == [(MISSING, "ASK", False)]
        assert left_open(outputs) == ()
        assert core._doubts.open == {}

    def test_what_is_in_doubt_already_is_left_to_that(self) -> None:
        core = manager(asked(), ACCEPTED, CancelOrder(client_order_id="a", strategy="strategy"))
        core.handle(said(ReportKind.LOST), 10)
        assert told(core.handle(lists(), 60)) == []

    def test_it_can_be_ignored(self) -> None:
        core = manager(asked(), ACCEPTED)
        core.handle(lists(), 60)
        outputs = core.handle(resolve(MISSING, Cure.IGNORE), 61)
        assert told(outputs) == [(MISSING, "IGNORE", False)]
        assert left_open(outputs) == ()
        assert core.handle(lists(number=2), 62) == [Reconciled(part=Part.ORDERS, round=2)]

    def test_a_listed_order_in_doubt_is_known_to_work(self) -> None:
        core = manager(asked(), said(ReportKind.LOST))
        core.handle(lists(theirs(), asked_ns=50), 60)
        assert record_of(core).status is OrderStatus.WORKING
        assert core._doubts.open == {}


class TestOurTrades:
    def test_one_that_was_missed_is_booked_and_told(self) -> None:
        core = manager(asked(), ACCEPTED)
        outputs = core.handle(lists(theirs(filled=4), their_trade(4)), 60)
        [fill] = of_kind(outputs, Fill)
        assert (fill.trade_id, fill.last_quantity, fill.commission) == (
            "t1",
            Decimal(4),
            Decimal("0.5"),
        )
        assert told(outputs) == [("TRADE_MISSED:t1", "BOOK", False)]
        assert left_open(outputs) == ()
        assert core.handle(traded(4), 61) == [], "its own report comes late"

    def test_one_of_an_order_that_is_over_is_booked_too(self) -> None:
        core = manager(asked(), said(ReportKind.REJECTED))
        assert of_kind(core.handle(lists(their_trade(10)), 60), Fill)
        assert record_of(core).status is OrderStatus.FILLED

    def test_one_that_cannot_be_is_refused_until_somebody_decides(self) -> None:
        core = manager(asked(), ACCEPTED)
        key = "TRADE_MISSED:t1"
        outputs = core.handle(lists(theirs(), their_trade(11)), 60)
        assert told(outputs) == [(key, "REFUSE", True)]
        assert left_open(core.handle(lists(theirs(), number=2), 61)) == (key,)
        assert told(core.handle(resolve(key, Cure.BOOK), 62)) == [(key, "REFUSE", True)]
        assert told(core.handle(resolve(key, Cure.CANCEL), 62)) == [(key, "REFUSE", True)]
        assert told(core.handle(resolve(key, Cure.IGNORE), 62)) == [(key, "IGNORE", False)]
        assert told(core.handle(lists(theirs(), their_trade(11), number=3), 63)) == []

    def test_quantity_without_a_trade_is_asked_for(self) -> None:
        core = manager(asked(), ACCEPTED)
        key = "TRADE_MISSED:order:a"
        outputs = core.handle(lists(theirs(filled=4)), 60)
        assert told(outputs) == [(key, "ASK", True)]
        assert of_kind(outputs, QueryOrder)
        assert core.handle(lists(theirs(filled=4), number=2), 61) == [
            Reconciled(part=Part.ORDERS, round=2, open=(key,))
        ]
        assert told(core.handle(traded(4), 62)) == []
        assert told(core.handle(ACCEPTED, 62)) == [(key, "ASK", False)]

    def test_an_answer_that_does_not_explain_it_leaves_it_open(self) -> None:
        core = manager(asked(), ACCEPTED)
        core.handle(lists(theirs(filled=4)), 60)
        assert told(core.handle(ACCEPTED, 62)) == []
        core.handle(traded(4), 63)
        outputs = core.handle(lists(theirs(filled=4), number=2), 64)
        assert told(outputs) == [("TRADE_MISSED:order:a", "ASK", False)]


class TestOrdersThatAreOverHere:
    def test_one_that_works_at_the_venue_is_cancelled(self) -> None:
        core = manager(asked(), said(ReportKind.GONE))
        key = "ORDER_EXTERNAL:a"
        outputs = core.handle(lists(theirs()), 60)
        assert told(outputs) == [(key, "CANCEL", True)]
        assert of_kind(outputs, CancelPlacedOrder)
        again = core.handle(lists(theirs(), number=2), 61)
        assert told(again) == []
        assert of_kind(again, CancelPlacedOrder), "until it is done"
        assert told(core.handle(lists(number=3), 62)) == [(key, "CANCEL", False)]

    def test_what_ended_after_the_question_or_filled_is_not(self) -> None:
        core = manager(asked(), asked(name="b"), traded(10, "b"))
        core.handle(said(ReportKind.CANCELLED), 55)
        assert core.handle(lists(theirs(), theirs("b")), 60) == [
            Reconciled(part=Part.ORDERS, round=1)
        ]

    def test_it_cannot_be_adopted(self) -> None:
        core = manager(asked(), said(ReportKind.GONE))
        key = "ORDER_EXTERNAL:a"
        core.handle(lists(theirs()), 60)
        assert told(core.handle(resolve(key, Cure.ADOPT), 61)) == [(key, "CANCEL", True)]
        assert of_kind(core.handle(resolve(key, Cure.CANCEL), 61), CancelPlacedOrder)


class TestExternalOrders:
    def test_refused_they_keep_the_gate_closed_while_they_last(self) -> None:
        core = with_rules()
        assert told(core.handle(lists(theirs("x")), 60)) == [(STRANGE, "REFUSE", True)]
        assert left_open(core.handle(lists(theirs("x"), number=2), 61)) == (STRANGE,)
        assert told(core.handle(lists(number=3), 62)) == [(STRANGE, "REFUSE", False)]

    def test_ignored_they_are_told_once(self) -> None:
        core = with_rules(ExternalOrders.IGNORE)
        outputs = core.handle(lists(theirs("x")), 60)
        assert told(outputs) == [(STRANGE, "IGNORE", False)]
        assert left_open(outputs) == ()
        assert len(core.handle(lists(theirs("x"), number=2), 61)) == 1
        assert told(core.handle(lists(number=3), 62)) == []

    def test_cancelled_they_are_asked_to_go(self) -> None:
        core = with_rules(ExternalOrders.CANCEL)
        outputs = core.handle(lists(theirs("", venue_order_id="v9")), 60)
        assert of_kind(outputs, CancelPlacedOrder)[0].client_order_id == "v9"
        assert left_open(outputs) == ("ORDER_EXTERNAL:v9",)
        assert core.handle(traded(1, "v9", "t1"), 61) == []
        assert core.handle(said(ReportKind.LOST, "v9"), 61) == []
        assert core.handle(said(ReportKind.CANCELLED, "v9"), 62) == []
        assert core.order("v9") is None
        with pytest.raises(OrderStateError):
            core.handle(said(ReportKind.CANCELLED, "v8"), 62)

    def test_adopted_they_are_tracked_and_their_fills_booked(self) -> None:
        core = with_rules(ExternalOrders.ADOPT)
        outputs = core.handle(lists(theirs("x", filled=4), their_trade(1, "x")), 60)
        assert told(outputs) == [
            (STRANGE, "ADOPT", False),
            ("TRADE_MISSED:t1", "BOOK", False),
        ]
        [fill] = of_kind(outputs, Fill)
        assert (fill.strategy, fill.leaves_quantity) == ("external", Decimal(6))
        assert of_kind(outputs, OrderUpdate)[0].status is OrderStatus.WORKING
        record = record_of(core, "x")
        assert record.order.quantity == 7, "what filled before our time is not its"
        assert told(core.handle(lists(theirs("x", filled=1), number=2), 61)) == []
        core.handle(traded(6, "x", "t2"), 62)
        assert record.status is OrderStatus.FILLED

    def test_an_adopted_order_that_vanishes_is_asked_for(self) -> None:
        core = with_rules(ExternalOrders.ADOPT)
        core.handle(lists(theirs("x")), 40)
        assert told(core.handle(lists(number=2), 60)) == [("ORDER_MISSING:x", "ASK", True)]

    def test_one_in_an_unknown_instrument_cannot_be_adopted(self) -> None:
        core = with_rules(ExternalOrders.ADOPT, ExternalTrades.ADOPT)
        outputs = core.handle(
            lists(theirs("x", instrument="?"), their_trade(1, "y", instrument="?")), 60
        )
        assert [cure for _, cure, _ in told(outputs)] == ["REFUSE", "REFUSE"]
        for key in left_open(outputs):
            assert told(core.handle(resolve(key, Cure.ADOPT), 61)) == [(key, "REFUSE", True)]

    @pytest.mark.parametrize("cure", [Cure.ADOPT, Cure.IGNORE, Cure.CANCEL, Cure.BOOK])
    def test_somebody_may_decide(self, cure: Cure) -> None:
        core = with_rules()
        core.handle(lists(theirs("x")), 60)
        outputs = core.handle(resolve(STRANGE, cure), 61)
        if cure is Cure.CANCEL:
            assert of_kind(outputs, CancelPlacedOrder)
        elif cure is Cure.BOOK:
            assert told(outputs) == [(STRANGE, "REFUSE", True)]
        else:
            assert told(outputs) == [(STRANGE, str(cure), False)]
            assert (core.order("x") is not None) is (cure is Cure.ADOPT)
            assert core.handle(lists(theirs("x"), number=2), 62) == [
                Reconciled(part=Part.ORDERS, round=2)
            ]

    def test_decisions_about_what_is_not_open_are_for_others(self) -> None:
        assert manager().handle(resolve("POSITION:BTC", Cure.BOOK), 1) == []


class TestExternalTrades:
    KEY = "TRADE_EXTERNAL:t1"

    def test_refused_they_wait_for_somebody(self) -> None:
        core = with_rules()
        assert told(core.handle(lists(their_trade(1, "x")), 60)) == [(self.KEY, "REFUSE", True)]
        outputs = core.handle(lists(number=2), 61)
        assert (told(outputs), left_open(outputs)) == ([], (self.KEY,))
        outputs = core.handle(resolve(self.KEY, Cure.BOOK), 62)
        assert [fill.strategy for fill in of_kind(outputs, Fill)] == ["external"]
        assert told(outputs) == [(self.KEY, "BOOK", False)]

    def test_ignored_they_are_told_once(self) -> None:
        core = with_rules(trades=ExternalTrades.IGNORE)
        outputs = core.handle(lists(their_trade(1, "x")), 60)
        assert told(outputs) == [(self.KEY, "IGNORE", False)]
        assert len(core.handle(lists(their_trade(1, "x"), number=2), 61)) == 1

    def test_adopted_they_are_booked_once_however_often_they_come(self) -> None:
        core = with_rules(trades=ExternalTrades.ADOPT)
        trades = [their_trade(n, "", f"t{n}", venue_order_id="v1") for n in (1, 2)]
        outputs = core.handle(lists(trades[0]), 60)
        assert [int(f.last_quantity) for f in of_kind(outputs, Fill)] == [1]
        outputs = core.handle(lists(*trades, number=2), 61)
        assert [int(f.last_quantity) for f in of_kind(outputs, Fill)] == [2]
        record = record_of(core, "v1")
        assert (record.status, record.filled_quantity) == (OrderStatus.FILLED, Decimal(3))

    def test_one_without_any_order_has_one_of_its_own(self) -> None:
        core = with_rules(trades=ExternalTrades.ADOPT)
        core.handle(lists(their_trade(1, "", venue_order_id="")), 60)
        assert record_of(core, "external:t1").status is OrderStatus.FILLED

    def test_one_that_cannot_be_leaves_nothing_behind(self) -> None:
        core = with_rules(trades=ExternalTrades.ADOPT)
        core.handle(lists(their_trade(1, "x")), 60)
        wrong = [
            their_trade(1, "x", "t2", price=Decimal(-1)),
            their_trade(1, "y", "t3", price=Decimal(0)),
        ]
        outputs = core.handle(lists(*wrong, number=2), 61)
        assert left_open(outputs) == ("TRADE_MISSED:t2", "TRADE_EXTERNAL:t3")
        assert core.order("y") is None
        record = record_of(core, "x")
        assert (record.status, record.order.quantity) == (OrderStatus.FILLED, Decimal(1))
        assert core.open_orders() == []

    def test_one_of_an_order_that_was_forgotten_is_not_taken_for_new(self) -> None:
        config = OrderManagerConfig(max_completed_orders=0, external_trades=ExternalTrades.ADOPT)
        core = manager(asked(), traded(10), config=config)
        assert told(core.handle(lists(their_trade(10)), 60)) == [(self.KEY, "REFUSE", True)]

    def test_very_many_are_kept_as_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(differences, "MOST_KEPT", 2)
        core = with_rules()
        trades = [their_trade(1, "x", f"t{n}") for n in range(4)]
        opened = left_open(core.handle(lists(*trades), 60))
        assert opened == ("TRADE_EXTERNAL:t0", "TRADE_EXTERNAL:t1", "TRADE_EXTERNAL:others")
        assert left_open(core.handle(lists(number=2), 61)) == opened
        assert told(core.handle(resolve(opened[-1], Cure.IGNORE), 62)) == [
            (opened[-1], "IGNORE", False)
        ]

    def test_what_was_told_is_not_remembered_for_ever(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(differences, "_MOST_TOLD", 2)
        core = with_rules(trades=ExternalTrades.IGNORE)
        core.handle(lists(*(their_trade(1, "x", f"t{n}") for n in range(4))), 60)
        assert len(core._reconciliation._differences._told) == 2


class TestTruncatedHistory:
    KEY = "HISTORY_TRUNCATED:venue"

    def test_it_stays_until_somebody_decides(self) -> None:
        core = manager()
        assert told(core.handle(lists(is_truncated=True), 60)) == [(self.KEY, "REFUSE", True)]
        assert left_open(core.handle(lists(number=2), 61)) == (self.KEY,)
        assert told(core.handle(resolve(self.KEY, Cure.ADOPT), 62)) == [(self.KEY, "REFUSE", True)]
        assert told(core.handle(resolve(self.KEY, Cure.IGNORE), 62)) == [
            (self.KEY, "IGNORE", False)
        ]
        assert told(core.handle(lists(number=3, is_truncated=True), 63)) == []
        assert told(core.handle(lists(number=4), 64)) == []
        assert told(core.handle(lists(number=5, is_truncated=True), 65)) == [
            (self.KEY, "REFUSE", True)
        ]


def test_the_second_round_with_an_unchanged_venue_says_nothing_but_that() -> None:
    core = manager(
        asked(),
        ACCEPTED,
        asked(name="b"),
        said(ReportKind.ACCEPTED, "b"),
        asked(name="c"),
        said(ReportKind.GONE, "c"),
        config=OrderManagerConfig(external_orders=ExternalOrders.ADOPT),
    )
    entries = (theirs("a", filled=2), theirs("x", filled=1), their_trade(2), their_trade(1, "y"))
    first = core.handle(lists(*entries, is_truncated=True), 60)
    assert len(told(first)) == 5
    core.handle(traded(1, "b", "t9"), 61)
    second = core.handle(lists(*entries, is_truncated=True, number=2), 62)
    assert second == [Reconciled(part=Part.ORDERS, round=2, open=left_open(first))]
    assert core.order("x") is not None
    assert len(core.open_orders()) == 3, "no working order is lost"


def test_a_rebuilt_core_tells_nothing_twice() -> None:
    entries = (theirs("x"), their_trade(1, "y"), their_trade(2))
    messages = [asked(), ACCEPTED, lists(*entries, is_truncated=True)]
    again = manager()
    history: list[tuple[str, Any]] = [("at", 60)]
    history += [("received", each) for each in messages]
    again.recover(history)
    outputs = again.handle(lists(*entries, is_truncated=True, number=2), 61)
    assert told(outputs) == []
    assert len(left_open(outputs)) == 3
