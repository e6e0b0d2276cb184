"""Positions that are not plain: multipliers, futures, lots, whole cents."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.messages.trading import Fill
from actors.model.order import Side
from actors.portfolio.books.exact import round_to
from actors.portfolio.books.ledger import Ledger
from actors.portfolio.books.positions import Position
from actors.portfolio.books.settings import CostMethod
from tests.actors.portfolio.accounts import COIN, FUTURE, SCALED, account
from tests.actors.portfolio.builders import fill
from tests.shared import conformance, shared_file

CENT = Decimal("0.01")


def ledger(*fills: Fill, **terms: object) -> Ledger:
    return account(*fills, **terms).ledger  # type: ignore[arg-type]


def only(booked: Ledger) -> Position:
    (position,) = booked.opened()
    return position


# --- multipliers ---------------------------------------------------------------------------------


def test_a_multiplier_scales_cost_cash_and_profit() -> None:
    booked = ledger(
        fill(1, Side.BUY, "4", "10", instrument=SCALED),
        fill(2, Side.SELL, "1", "12", instrument=SCALED, commission="0.3"),
    )
    now = only(booked)
    assert (now.quantity, now.cost, now.realized_pnl) == (Decimal(3), Decimal(150), Decimal(10))
    assert booked.cash == 1000 - 200 + 60 - Decimal("0.3")
    assert now.worth(Decimal(11)) == 165
    assert now.unrealized_pnl(Decimal(11)) == 15
    assert now.notional(Decimal(11)) == 165
    assert now.flow() == booked.cash - 1000


def test_a_short_with_a_multiplier_counts_its_proceeds() -> None:
    booked = ledger(fill(1, Side.SELL, "4", "10", instrument=SCALED))
    assert (booked.cash, booked.short_cost) == (Decimal(1200), Decimal(200))
    assert only(booked).worth(None) == -200
    assert only(booked).unrealized_pnl(None) == 0


def test_the_plain_class_serves_what_is_plain_and_no_other() -> None:
    assert type(ledger().position(("a", COIN))) is Position
    for terms in ({"money_step": CENT}, {"cost_method": CostMethod.FIFO}):
        assert type(ledger(**terms).position(("a", COIN))) is not Position
    assert type(ledger().position(("a", SCALED))) is not Position
    assert type(ledger().position(("a", "unheard of"))) is Position


# --- futures -------------------------------------------------------------------------------------


def test_a_future_costs_nothing_to_open_but_its_commission() -> None:
    booked = ledger(fill(1, Side.BUY, "2", "3643.35", instrument=FUTURE, commission="4"))
    now = only(booked)
    assert booked.cash == 996
    assert now.cost == Decimal("72867")
    assert now.worth(None) == 0
    assert now.worth(Decimal("3650")) == now.unrealized_pnl(Decimal("3650")) == Decimal(133)
    assert now.notional(Decimal("3650")) == 73000
    assert booked.short_cost == 0


def test_closing_a_future_settles_its_profit() -> None:
    booked = ledger(
        fill(1, Side.SELL, "2", "100", instrument=FUTURE, commission="4"),
        fill(2, Side.BUY, "1", "98", instrument=FUTURE, commission="2"),
    )
    now = only(booked)
    assert now.realized_pnl == 20
    assert booked.cash == 1000 + 20 - 6
    assert now.flow() == 14
    assert booked.short_cost == 0


def test_a_future_that_turns_round_settles_what_it_closes() -> None:
    booked = ledger(
        fill(1, Side.BUY, "2", "100", instrument=FUTURE),
        fill(2, Side.SELL, "3", "101", instrument=FUTURE),
    )
    now = only(booked)
    assert (now.quantity, now.cost, now.realized_pnl) == (Decimal(-1), Decimal(1010), Decimal(20))
    assert booked.cash == 1020


# --- lots ----------------------------------------------------------------------------------------


def test_first_in_first_out_closes_the_oldest_lots() -> None:
    fills = (
        fill(1, Side.BUY, "10", "1"),
        fill(2, Side.BUY, "10", "2"),
        fill(3, Side.SELL, "15", "3"),
    )
    now = only(ledger(*fills, cost_method=CostMethod.FIFO))
    assert (now.quantity, now.cost, now.realized_pnl) == (Decimal(5), Decimal(10), Decimal(25))
    average = only(ledger(*fills))
    assert (average.cost, average.realized_pnl) == (Decimal("7.5"), Decimal("22.5"))


def test_shorts_have_lots_too() -> None:
    booked = ledger(
        fill(1, Side.SELL, "10", "3"),
        fill(2, Side.SELL, "10", "4"),
        fill(3, Side.BUY, "25", "2"),
        cost_method=CostMethod.FIFO,
    )
    now = only(booked)
    assert (now.quantity, now.cost, now.realized_pnl) == (Decimal(5), Decimal(10), Decimal(30))
    assert booked.cash == 1000 + 70 - 50
    assert booked.short_cost == 0


def test_a_partial_lot_keeps_its_price() -> None:
    booked = ledger(
        fill(1, Side.BUY, "3", "0.1"),
        fill(2, Side.BUY, "4", "0.2"),
        fill(3, Side.SELL, "1", "0.3"),
        fill(4, Side.SELL, "1", "0.3"),
        cost_method=CostMethod.FIFO,
    )
    assert only(booked).cost == Decimal("0.9")
    assert only(booked).realized_pnl == Decimal("0.4")


# --- whole cents ---------------------------------------------------------------------------------


def test_profits_and_commissions_are_rounded_half_even_when_booked() -> None:
    booked = ledger(
        fill(1, Side.BUY, "10", "1.0000", commission="0.125"),
        fill(2, Side.SELL, "10", "1.0125", commission="0.135"),
        money_step=CENT,
    )
    now = only(booked)
    assert now.realized_pnl == Decimal("0.12")
    assert now.commission == Decimal("0.12") + Decimal("0.14")
    assert booked.cash == 1000 + Decimal("0.12") - Decimal("0.26")


def test_opening_is_paid_to_the_digit_whatever_the_step() -> None:
    booked = ledger(fill(1, Side.BUY, "10", "1.00037"), money_step=CENT)
    assert booked.cash == Decimal("989.9963")


@given(st.integers(-(10**9), 10**9), st.sampled_from(["0.01", "0.05", "1", "25"]))
def test_rounding_is_to_the_nearest_multiple(amount: int, text: str) -> None:
    value, step = Decimal(amount).scaleb(-4), Decimal(text)
    rounded = round_to(value, step)
    assert rounded % step == 0
    assert abs(rounded - value) <= step / 2


@pytest.mark.parametrize(
    ("value", "rounded"), [("0.125", "0.12"), ("0.135", "0.14"), ("-0.005", "0")]
)
def test_a_tie_goes_to_the_even_neighbour(value: str, rounded: str) -> None:
    assert round_to(Decimal(value), CENT) == Decimal(rounded)


# --- a year of a future --------------------------------------------------------------------------


def test_recorded_trades_of_a_future_give_the_recorded_value_and_cash() -> None:
    expected = conformance("14-backtrader-sma15-futures")["expected"]
    trades = [(date, Side.BUY, price) for date, price in expected["buys"]]
    trades += [(date, Side.SELL, price) for date, price in expected["sells"]]
    booked = account(
        *(
            fill(number, side, "1", str(price), commission="2", instrument=FUTURE)
            for number, (_, side, price) in enumerate(sorted(trades))
        ),
        cash="10000",
    )
    bars = shared_file("data/bars/2006-day-001.txt").read_text().split()
    last = Decimal(bars[-1].split(",")[4])
    booked.marks.payoffs[FUTURE] = last  # the shortest way to a mark
    assert booked.equity() == Decimal(str(expected["final_value"]))
    assert booked.available() == Decimal(str(expected["final_cash"]))
