"""Fills that are traded but not settled: two balances, and what becomes of those that fail."""

from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from actors.messages.account import EquityMarked, PositionChanged
from actors.messages.trading import Fill
from actors.model.order import Side
from actors.portfolio.config import EquitySampling
from actors.portfolio.portfolio import Portfolio
from tests.actors.portfolio.accounts import COIN, FUTURE, YES, core, fills_of, tape, word
from tests.actors.portfolio.builders import fill, only


def provisional(*arguments: Any, **terms: Any) -> Fill:
    return replace(fill(*arguments, **terms), provisional=True)


def traded() -> Portfolio:
    booked = core()
    booked.handle(fill(1, Side.BUY, "10", "5"), 1)
    booked.handle(provisional(2, Side.BUY, "4", "6", commission="1"), 2)
    return booked


def test_a_provisional_fill_counts_at_once_but_is_not_settled() -> None:
    booked = traded()
    assert (booked.cash, booked.settled_cash) == (Decimal(925), Decimal(950))
    assert booked.get_position(COIN) == 14
    assert booked.settled_position("cross", COIN) == 10
    assert booked.statistics().provisional_fills == 1


def test_of_a_provisional_future_only_the_commission_is_unsettled() -> None:
    booked = core()
    booked.handle(provisional(1, Side.BUY, "1", "6", commission="1", instrument=FUTURE), 2)
    assert (booked.cash, booked.settled_cash) == (Decimal(999), Decimal(1000))


def test_a_settled_fill_is_as_any_other() -> None:
    booked = traded()
    assert booked.handle(word(2, failed=False), 3) == []
    assert booked.settled_cash == booked.cash == 925
    assert booked.settled_position("cross", COIN) == 14
    assert booked.statistics().provisional_fills == 0


def test_a_failed_fill_has_never_been() -> None:
    booked = traded()
    booked.handle(fill(3, Side.SELL, "7", "9", commission="2"), 3)
    outputs = booked.handle(word(2, failed=True), 4)
    never = core()
    never.handle(fill(1, Side.BUY, "10", "5"), 1)
    never.handle(fill(3, Side.SELL, "7", "9", commission="2"), 3)
    assert outputs == never.positions()
    assert (booked.cash, booked.fills) == (never.cash, never.fills)
    assert booked.commission == 2
    assert booked.statistics().failed_fills == 1


def test_the_only_fill_of_a_position_leaves_nothing_behind() -> None:
    booked = core()
    booked.handle(provisional(1, Side.SELL, "4", "6"), 1)
    changed = only(booked.handle(word(1, failed=True), 2), PositionChanged)
    assert (changed.quantity, changed.cost) == (Decimal(0), Decimal(0))
    assert booked.positions() == []
    assert booked.available == booked.cash == 1000


def test_a_failure_may_leave_a_short() -> None:
    booked = core()
    booked.handle(provisional(1, Side.BUY, "4", "6"), 1)
    booked.handle(fill(2, Side.SELL, "4", "7"), 2)
    booked.handle(word(1, failed=True), 3)
    assert booked.get_position(COIN) == -4
    assert booked.available == 1028 - 56


def test_a_second_word_and_a_word_on_nothing_are_counted() -> None:
    booked = traded()
    booked.handle(word(2, failed=True), 3)
    cash = booked.cash
    for again in (word(2, failed=True), word(2, failed=False), word(1, failed=True)):
        assert booked.handle(again, 4) == []
    assert booked.cash == cash
    assert booked.statistics().ignored_settlements == 3


def test_a_failed_fill_that_is_reported_again_is_a_duplicate() -> None:
    booked = traded()
    booked.handle(word(2, failed=True), 3)
    assert booked.handle(provisional(2, Side.BUY, "4", "6", commission="1"), 4) == []
    assert booked.cash == 950
    assert booked.statistics().duplicate_fills == 1


def test_a_failure_after_the_resolution_settles_the_rest_anew() -> None:
    booked = core()
    booked.handle(fill(1, Side.BUY, "10", "0.50", instrument=YES), 1)
    booked.handle(provisional(2, Side.BUY, "4", "0.60", instrument=YES), 2)
    rows = tape().resolution(3, "1", YES).rows()
    booked.advance(rows, 1)
    assert booked.react(rows, 0, 3)
    assert booked.cash == 1000 - 5 - Decimal("2.4") + 14
    outputs = booked.handle(word(2, failed=True, instrument=YES), 4)
    (settlement,) = fills_of(outputs)
    assert (settlement.side, settlement.last_quantity) == (Side.BUY, Decimal(4))
    assert booked.cash == 1005
    assert booked.get_position(YES) == 0


def test_a_failure_is_a_change_of_the_equity_curve() -> None:
    booked = core(equity=EquitySampling.BOTH)
    booked.handle(provisional(1, Side.SELL, "4", "6"), 1)
    assert isinstance(booked.handle(word(1, failed=True), 2)[-1], EquityMarked)


def test_of_two_orders_that_met_each_other_the_word_on_one_leaves_the_other() -> None:
    booked = core()
    booked.handle(provisional(2, Side.BUY, "4", "6"), 1)
    booked.handle(provisional(2, Side.SELL, "4", "6", order=2, strategy="other"), 1)
    assert booked.get_position(COIN) == 0
    booked.handle(word(2, failed=True), 2)
    assert booked.get_position(COIN) == -4
    assert booked.cash == 1024
    assert booked.statistics().provisional_fills == 1


def test_two_late_fills_of_one_trade_are_settled_each() -> None:
    booked = core()
    rows = tape().resolution(3, "1", YES).rows()
    booked.advance(rows, 1)
    booked.react(rows, 0, 3)
    for order in (1, 2):
        late = fill(2, Side.BUY, "10", "0.50", instrument=YES, order=order)
        (settlement,) = fills_of(booked.handle(late, 4))
        assert settlement.trade_id == f"settle-YES-cross-run-cross-{order}/trade-2"
    assert booked.get_position(YES) == 0
    assert booked.cash == 1010
