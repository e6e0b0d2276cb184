"""No order leaves before the books agree with the venue's."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from actors.messages.account import CloseOut, ConversionKind, ConvertTokens
from actors.messages.reconciliation import Part
from actors.messages.system import Resumed
from actors.messages.trading import SignalRefused, SubmitOrder
from actors.model.order import OrderStatus, Side
from actors.portfolio.reconciling.agreement import Agreement
from tests.actors.portfolio.builders import YES, fill, signal
from tests.actors.portfolio.rounds import holdings, orders_agree, reconciling
from tests.actors.portfolio.wishes import Desk, ended, modify, wish


def test_without_reconciliation_nothing_waits_for_it() -> None:
    desk = Desk()
    desk.take(orders_agree(1, "ORDER_MISSING:x"), Resumed(last_ns=5), holdings(1, "7"))
    assert desk.core.is_reconciled
    desk.order(wish(1))


def test_nothing_passes_before_both_parts_of_one_round_agree() -> None:
    desk = reconciling(is_open=False)
    assert desk.refused(wish(1)) == ["Unreconciled"]
    desk.take(orders_agree(1))
    assert desk.refused(wish(2)) == ["Unreconciled"]
    desk.take(holdings(2))
    assert desk.refused(wish(3)) == ["Unreconciled"], "another round's"
    desk.take(orders_agree(2))
    assert desk.core.is_reconciled
    desk.order(wish(4))


def test_it_tells_what_differs_since_a_round_of_which_both_parts_are_over() -> None:
    desk = reconciling(is_open=False)
    assert desk.core.compared_after(0) is None
    desk.take(orders_agree(1, "TRADE_EXTERNAL:9"))
    assert desk.core.compared_after(0) is None, "the holdings' part is not over"
    desk.take(holdings(1, cash="999"))
    assert desk.core.compared_after(0) == ("BALANCE:USD", "TRADE_EXTERNAL:9")
    assert desk.core.compared_after(1) is None
    desk.take(holdings(2))
    assert desk.core.compared_after(1) is None, "the orders' part is not over"
    desk.take(orders_agree(2))
    assert desk.core.compared_after(1) == ()
    desk.take(orders_agree(3), holdings(3, cash="999"))
    assert desk.core.is_reconciled
    assert desk.core.compared_after(2) == ("BALANCE:USD",), "suspected, though not told yet"
    assert Desk().core.compared_after(-1) is None, "nobody compares"


def test_a_refusal_says_what_is_wanted_and_why() -> None:
    desk = reconciling(is_open=False)
    (told,) = desk.take(wish(1))
    (violation,) = told.violations
    assert violation.limit == "books that agree with the venue"
    assert violation.found == "not compared yet"
    desk.take(orders_agree(3, "a", "b", "c", "d", "e"))
    (told,) = desk.take(wish(2))
    assert told.violations[0].found == "round 3: a, b, c and 2 more"


def test_an_open_difference_of_the_orders_closes_the_gate_until_a_round_agrees() -> None:
    desk = reconciling()
    desk.take(orders_agree(1, "TRADE_EXTERNAL:9"))
    assert not desk.core.is_reconciled
    desk.take(holdings(1))
    assert not desk.core.is_reconciled
    desk.take(holdings(2))
    desk.take(orders_agree(2))
    assert desk.core.is_reconciled


def test_somebody_decides_within_the_round() -> None:
    desk = reconciling()
    desk.take(orders_agree(1, "TRADE_EXTERNAL:9"), holdings(1))
    assert not desk.core.is_reconciled
    desk.take(orders_agree(1))
    assert desk.core.is_reconciled


def test_the_first_part_of_a_new_round_does_not_close_the_gate() -> None:
    desk = reconciling()
    desk.take(orders_agree(1))
    assert desk.core.is_reconciled


def test_changes_and_conversions_and_the_close_out_wait_too() -> None:
    desk = reconciling()
    desk.order(wish(1))
    desk.fill(desk.order(wish(2)).order)
    desk.take(orders_agree(1, "x"))
    assert desk.refused(modify(1, "5")) == ["Unreconciled"]
    split = ConvertTokens(
        request_id="c", strategy="a", kind=ConversionKind.SPLIT, instrument=YES, quantity=Decimal(1)
    )
    assert desk.refused(split) == ["Unreconciled"]
    assert desk.take(CloseOut()) == []
    desk.take(orders_agree(2), holdings(2, "10", "995"))
    assert isinstance(desk.take(CloseOut())[0], SubmitOrder)


def test_fills_and_ends_of_orders_are_booked_behind_a_closed_gate() -> None:
    desk = reconciling()
    first, second = desk.order(wish(1)).order, desk.order(wish(2)).order
    desk.take(orders_agree(1, "x"))
    desk.fill(first)
    desk.take(ended(second))
    assert desk.core.get_position("COIN") == 10
    assert desk.core.reserved == 0


def test_a_halt_is_named_before_books_that_do_not_agree() -> None:
    desk = reconciling(is_open=False)
    desk.core._approval.halt("a cause")
    assert desk.refused(wish(1)) == ["Halted"]


def test_a_restart_of_the_process_closes_the_gate_until_a_younger_round() -> None:
    desk = reconciling()
    desk.take(Resumed(last_ns=50))
    (told,) = desk.take(wish(1))
    assert isinstance(told, SignalRefused)
    assert told.violations[0].found == "not compared since the restart"
    desk.take(orders_agree(1), holdings(1))
    assert not desk.core.is_reconciled, "asked for by the process before"
    desk.take(orders_agree(2), holdings(2, asked_ns=51))
    assert desk.core.is_reconciled


@pytest.mark.parametrize("steps", range(1, 9))
def test_a_rebuilt_portfolio_has_the_same_gate(steps: int) -> None:
    desk = reconciling(is_open=False)
    story: list[Any] = [
        orders_agree(1),
        holdings(1),
        orders_agree(2, "x"),
        holdings(2),
        orders_agree(3),
        holdings(3),
        Resumed(last_ns=10),
        holdings(4, asked_ns=11),
    ]
    desk.take(*story[:steps])
    again = desk.restarted()
    assert again.is_reconciled is desk.core.is_reconciled
    for number in (4, 5):
        for word in (orders_agree(number), holdings(number, asked_ns=10 + number)):
            assert again.handle(word, 9) == desk.core.handle(word, 9)
            probe = signal(900 + number + 10 * (word is not None))
            assert again.handle(probe, 9) == desk.core.handle(probe, 9)


def test_an_agreement_that_nobody_needs_is_never_closed() -> None:
    agreement = Agreement(is_needed=False)
    agreement.take(orders_agree(1, "x"))
    agreement.begin("a restart")
    assert agreement.problem is None
    assert Part.ORDERS in Part


def test_an_unknown_order_keeps_its_reservation() -> None:
    desk = Desk()
    order = desk.order(wish(1)).order
    before = desk.core.reserved
    desk.take(ended(order, OrderStatus.UNKNOWN))
    assert desk.core.reserved == before > 0
    assert desk.restarted().reserved == before
    desk.take(ended(order, OrderStatus.REJECTED))
    assert desk.core.reserved == 0


def test_fills_of_strategies_that_do_not_exist_are_booked() -> None:
    desk = Desk()
    found = replace(fill(1, Side.BUY, "3"), strategy="external", client_order_id="venue-7")
    desk.take(found)
    (position,) = desk.core.positions()
    assert (position.strategy, position.quantity) == ("external", 3)
    assert desk.restarted().positions() == desk.core.positions()
