from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.messages.account import PositionChanged
from actors.messages.trading import Fill
from actors.model.instrument import Instrument
from actors.model.order import Liquidity, Side
from actors.portfolio.books.ledger import Ledger
from tests.actors.portfolio.builders import COIN, YES, fill, table
from tests.shared import conformance

INITIAL = Decimal(1000)


def ledger(*fills: Fill) -> Ledger:
    booked = Ledger(INITIAL)
    for one in fills:
        booked.apply(one)
    return booked


def position(booked: Ledger) -> PositionChanged:
    (only,) = booked.positions()
    return only


def token(name: str = YES) -> Instrument:
    found = table().get(name)
    assert found is not None
    return found


def test_a_purchase_is_paid_and_held_at_cost() -> None:
    changed = Ledger(INITIAL).apply(fill(quantity="10", price="0.52", commission="0.01"))
    assert changed == PositionChanged(
        strategy="cross",
        instrument=COIN,
        quantity=Decimal(10),
        cost=Decimal("5.2"),
        realized_pnl=Decimal(0),
        commission=Decimal("0.01"),
    )
    booked = ledger(fill(quantity="10", price="0.52", commission="0.01"))
    assert booked.cash == Decimal("994.79")
    assert booked.commission == Decimal("0.01")


def test_a_partial_sale_takes_its_part_of_the_average_cost() -> None:
    booked = ledger(
        fill(1, Side.BUY, "10", "0.40"),
        fill(2, Side.BUY, "30", "0.60"),
        fill(3, Side.SELL, "10", "0.70"),
    )
    now = position(booked)
    assert (now.quantity, now.cost) == (Decimal(30), Decimal("16.5"))
    assert now.realized_pnl == Decimal("1.5")  # 10 * (0.70 - 0.55)


def test_a_sale_through_zero_begins_a_short_at_its_own_price() -> None:
    booked = ledger(fill(1, Side.BUY, "10", "0.40"), fill(2, Side.SELL, "25", "0.50"))
    now = position(booked)
    assert (now.quantity, now.cost) == (Decimal(-15), Decimal("7.5"))
    assert now.realized_pnl == Decimal(1)
    assert booked.short_cost == Decimal("7.5")


def test_a_short_gains_when_it_is_bought_back_lower() -> None:
    booked = ledger(
        fill(1, Side.SELL, "20", "0.50"),
        fill(2, Side.SELL, "20", "0.70"),
        fill(3, Side.BUY, "10", "0.40"),
    )
    now = position(booked)
    assert (now.quantity, now.cost) == (Decimal(-30), Decimal(18))
    assert now.realized_pnl == Decimal(2)
    assert booked.cash == INITIAL + 24 - 4


def test_closing_everything_leaves_no_cost_behind() -> None:
    booked = ledger(
        fill(1, Side.BUY, "3", "0.1"),
        fill(2, Side.BUY, "4", "0.2"),
        fill(3, Side.SELL, "1", "0.3"),  # takes 1.1 / 7, which has no end
        fill(4, Side.SELL, "6", "0.3"),
    )
    now = position(booked)
    assert not now.quantity
    assert not now.cost
    assert now.realized_pnl == Decimal("1.0")
    assert booked.open_positions() == []
    assert booked.short_cost == 0


def test_an_endless_cost_is_rounded_half_even_to_28_digits() -> None:
    booked = ledger(fill(1, Side.BUY, "7", "1"), fill(2, Side.BUY, "2", "2"))
    booked.apply(fill(3, Side.SELL, "1", "1"))  # takes 11 / 9
    assert position(booked).cost == Decimal("9.777777777777777777777777778")


def test_the_same_trade_is_booked_once() -> None:
    booked = ledger(fill(1))
    assert booked.apply(fill(1)) is None
    assert booked.cash == Decimal(995)
    assert booked.duplicates == 1
    assert booked.fills == [fill(1)]


def test_a_position_that_was_only_asked_for_is_none() -> None:
    booked = Ledger(INITIAL)
    assert booked.position(("cross", COIN)).quantity == 0
    assert booked.positions() == []
    booked.apply(fill())
    assert [now.quantity for now in booked.positions()] == [Decimal(10)]


def test_two_venues_may_use_the_same_trade_id() -> None:
    booked = ledger(fill(1), fill(1, venue="elsewhere"))
    assert booked.duplicates == 0
    assert booked.total(COIN).quantity == 20


def test_a_fill_of_nothing_is_a_bug() -> None:
    with pytest.raises(AssertionError, match="of nothing"):
        ledger(fill(quantity="0"))


def test_the_account_holds_the_sum_of_its_strategies() -> None:
    booked = ledger(
        fill(1, Side.BUY, "10", strategy="a"),
        fill(2, Side.SELL, "4", strategy="b"),
        fill(3, Side.BUY, "1", strategy="a", instrument=YES),
    )
    assert booked.total(COIN).quantity == 6
    assert booked.total(YES).quantity == 1
    assert booked.position(("b", COIN)).quantity == -4
    assert booked.position(("b", YES)).quantity == 0


def test_a_settlement_sells_longs_and_buys_shorts_back_at_the_payoff() -> None:
    booked = ledger(
        fill(1, Side.BUY, "10", "0.60", strategy="b", instrument=YES),
        fill(2, Side.SELL, "4", "0.60", strategy="a", instrument=YES),
        fill(3, Side.BUY, "5", strategy="a"),
    )
    cash = booked.cash
    fills = booked.settle(token(), Decimal(1), 77)
    assert [(f.strategy, f.side, f.last_quantity) for f in fills] == [
        ("a", Side.BUY, Decimal(4)),
        ("b", Side.SELL, Decimal(10)),
    ]
    assert {(f.liquidity, f.commission, f.last_price) for f in fills} == {
        (Liquidity.SETTLEMENT, Decimal(0), Decimal(1))
    }
    assert fills[0].trade_id == "settle-YES-a"
    assert booked.cash == cash  # nothing is booked yet
    for settlement in fills:
        booked.apply(settlement)
    assert booked.cash == cash + 10 - 4
    assert booked.settled == 2
    assert [p.instrument for p in booked.open_positions()] == [COIN]


def test_the_settlement_of_a_late_fill_has_an_id_of_its_own() -> None:
    booked = ledger(fill(1, instrument=YES))
    (first,) = booked.settle(token(), Decimal(1), 5)
    booked.apply(first)
    late = fill(2, instrument=YES)
    booked.apply(late)
    (second,) = booked.settle(token(), Decimal(1), 9, late)
    assert second.trade_id == "settle-YES-cross-run-cross-1/trade-2"
    assert booked.apply(second) is not None


def test_a_settlement_that_comes_back_is_no_duplicate() -> None:
    booked = ledger(fill(1, instrument=YES))
    (settlement,) = booked.settle(token(), Decimal(1), 5)
    booked.apply(settlement)
    assert booked.apply(settlement) is None
    assert booked.duplicates == 0


def test_the_recorded_paper_fills_give_the_recorded_positions_and_settlement() -> None:
    expected = conformance("03-polymarket-paper-fills-settlement")["expected"]
    booked = ledger(*map(recorded_fill, expected["fills"]))
    for entry, now in zip(by_asset(expected["positions"]), booked.positions(), strict=True):
        assert now.instrument == entry["asset"]
        assert near(now.quantity, entry["size"])
        assert near(now.cost / now.quantity, entry["average_price"])
        assert near(now.commission, entry["fees"])
    assert near(booked.commission, expected["totals"]["fees"])
    for asset in ("BTC", "ETH", "SOL"):
        settled = Instrument(id=asset, venue="polymarket", symbol=asset)  # type: ignore[arg-type]
        for settlement in booked.settle(settled, Decimal(0), 0):
            booked.apply(settlement)
    for entry, now in zip(
        by_asset(expected["settlement"]["markets"]), booked.positions(), strict=True
    ):
        assert near(now.realized_pnl - now.commission, entry["post_settlement_pnl"])
    total = expected["settlement"]["total_post_settlement_pnl"]
    assert near(booked.cash - INITIAL, total)


def by_asset(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(entries, key=lambda entry: str(entry["asset"]))


def near(found: Decimal, expected: float) -> bool:
    return abs(float(found) - expected) <= 1e-9


def recorded_fill(entry: dict[str, Any]) -> Fill:
    return fill(
        entry["order"],
        quantity=str(entry["fill_size"]),
        price=str(entry["fill_price"]),
        commission=str(entry["fee"]),
        instrument=entry["asset"],
        venue="polymarket",
    )


# --- properties ----------------------------------------------------------------------------------

prices = st.integers(1, 99_999_999).map(lambda ticks: Decimal(ticks).scaleb(-4))
quantities = st.integers(1, 10**12).map(lambda lots: Decimal(lots).scaleb(-8))
commissions = st.integers(-(10**9), 10**12).map(lambda amount: Decimal(amount).scaleb(-12))


@st.composite
def fill_lists(draw: st.DrawFn) -> list[Fill]:
    count = draw(st.integers(0, 25))
    return [
        fill(
            number,
            draw(st.sampled_from(Side)),
            str(draw(quantities)),
            str(draw(prices)),
            commission=str(draw(commissions)),
            strategy=draw(st.sampled_from("ab")),
            instrument=draw(st.sampled_from((COIN, YES))),
        )
        for number in range(count)
    ]


def signed(one: Fill) -> Decimal:
    return one.last_quantity * one.side.sign


@given(fill_lists())
@settings(deadline=None)
def test_cash_is_the_exact_sum_of_what_the_fills_paid(fills: list[Fill]) -> None:
    booked = ledger(*fills)
    with localcontext(prec=200):
        paid = sum((signed(f) * f.last_price + f.commission for f in fills), Decimal(0))
        assert booked.cash == INITIAL - paid


@given(fill_lists())
@settings(deadline=None)
def test_cash_follows_from_results_costs_and_commissions_exactly(fills: list[Fill]) -> None:
    booked = ledger(*fills)
    with localcontext(prec=200):
        cash = INITIAL - booked.commission
        for now in booked.positions():
            cash += now.realized_pnl - (now.cost if now.quantity > 0 else -now.cost)
        assert booked.cash == cash
        shorts = (p.cost for p in booked.positions() if p.quantity < 0)
        assert booked.short_cost == sum(shorts, Decimal(0))


@given(fill_lists())
@settings(deadline=None)
def test_positions_are_the_sums_of_their_fills(fills: list[Fill]) -> None:
    booked = ledger(*fills)
    for now in booked.positions():
        mine = [f for f in fills if (f.strategy, f.instrument) == (now.strategy, now.instrument)]
        assert now.quantity == sum(map(signed, mine))
        assert now.commission == sum(f.commission for f in mine)
        assert now.cost >= 0
    for name in (COIN, YES):
        held = sum(p.quantity for p in booked.positions() if p.instrument == name)
        assert booked.total(name).quantity == held


@given(fill_lists(), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_totals_do_not_depend_on_the_order_of_fills(fills: list[Fill], chance: Any) -> None:
    shuffled = list(fills)
    chance.shuffle(shuffled)
    first, second = ledger(*fills), ledger(*shuffled)
    assert first.cash == second.cash
    assert first.commission == second.commission
    for name in (COIN, YES):
        assert first.total(name).quantity == second.total(name).quantity
    quantities_of = [[(p.strategy, p.quantity) for p in x.positions()] for x in (first, second)]
    assert quantities_of[0] == quantities_of[1]


@given(fill_lists(), st.data())
@settings(deadline=None)
def test_a_replay_with_repetitions_equals_the_first_run(fills: list[Fill], data: Any) -> None:
    first = ledger(*fills)
    repeated = [f for f in fills for _ in range(data.draw(st.integers(1, 3)))]
    with localcontext(prec=3):  # nobody's ambient context matters
        second = ledger(*repeated)
    assert second.positions() == first.positions()
    assert (second.cash, second.fills) == (first.cash, first.fills)
    assert second.duplicates == len(repeated) - len(fills)


@given(fill_lists(), prices)
@settings(deadline=None)
def test_after_a_settlement_the_fills_alone_explain_the_cash(
    fills: list[Fill], payoff: Decimal
) -> None:
    booked = ledger(*fills)
    for settlement in booked.settle(token(), payoff, 1):
        booked.apply(settlement)
    assert all(p.instrument != YES for p in booked.open_positions())
    assert booked.total(YES).quantity == 0
    assert ledger(*booked.fills).cash == booked.cash
