"""What the venue holds against what we believe: when a difference counts, and what is done."""

from decimal import Decimal
from typing import Any

import attrs
import pytest
from msgspec.structs import replace

from actors.messages.account import CashAdjusted, CloseOut, EquityMarked
from actors.messages.reconciliation import Cure, Difference, VenueHoldings
from actors.messages.system import Resumed
from actors.messages.trading import Fill, FillSettled
from actors.model.order import Liquidity, Side
from actors.portfolio.config import HoldingsRule, PortfolioConfig
from tests.actors.portfolio.accounts import EURO_STOCK, EURUSD, FUTURE
from tests.actors.portfolio.accounts import table as many
from tests.actors.portfolio.builders import COIN, NO, fill
from tests.actors.portfolio.rounds import (
    COINS,
    DOLLARS,
    differences,
    holdings,
    open_keys,
    orders_agree,
    reconciling,
    resolve,
)
from tests.actors.portfolio.wishes import Desk, ended, state, wish

ADOPT = HoldingsRule.ADOPT


def both(desk: Desk, number: int, coins: str = "0", cash: str | None = "1000") -> list[Any]:
    """Hear both parts of a round of which the orders agree."""
    return desk.take(orders_agree(number), holdings(number, coins, cash))


def test_an_unchanged_venue_leads_to_nothing_but_the_word_that_it_was_compared() -> None:
    desk = reconciling()
    for number in (1, 2, 3):
        (word,) = both(desk, number)
        assert open_keys([word]) == ()


def test_a_difference_is_told_once_when_it_was_seen_in_two_quiet_rounds() -> None:
    desk = reconciling()
    assert differences(both(desk, 1, "7")) == []
    assert desk.core.is_reconciled, "only suspected"
    told = both(desk, 2, "7")
    assert told[0] == Difference(
        kind=told[0].kind,
        key=COINS,
        ours="0",
        theirs="7",
        cure=Cure.REFUSE,
        is_open=True,
        time_ns=0,
    )
    assert open_keys(told) == (COINS,)
    assert desk.refused(wish(1)) == ["Unreconciled"]
    assert differences(both(desk, 3, "7")) == []
    assert differences(both(desk, 4, "9")) == [], "told already"
    assert not desk.core.is_reconciled
    told = both(desk, 5)
    assert differences(told) == [(COINS, False)]
    assert desk.core.is_reconciled
    assert differences(both(desk, 6)) == []


def test_what_is_only_suspected_keeps_a_closed_gate_closed() -> None:
    desk = reconciling(is_open=False)
    assert open_keys(both(desk, 1, "7")) == (COINS,)
    assert not desk.core.is_reconciled
    assert open_keys(both(desk, 2)) == ()
    assert desk.core.is_reconciled


def test_a_fill_that_is_not_known_yet_is_no_difference() -> None:
    desk = reconciling()
    order = desk.order(wish(1, quantity="10")).order
    both(desk, 1, "4", "998")
    desk.fill(order, "4", leaves="6")
    assert differences(both(desk, 2, "8", "996")) == [], "another one is under way"
    desk.fill(order, "4", leaves="2")
    assert differences(both(desk, 3, "8", "996")) == []


def test_an_order_that_rests_does_not_hide_a_difference() -> None:
    desk = reconciling()
    desk.order(wish(1, quantity="100"))
    both(desk, 1, "5")
    assert differences(both(desk, 2, "5")) == [(COINS, True)]


def test_a_busy_instrument_does_not_hide_what_is_greater_than_its_orders() -> None:
    desk = reconciling()
    held, found = Decimal(0), []
    for number in range(1, 4):
        desk.fill(desk.order(wish(number, quantity="1")).order)
        held += 1
        cash = str(1000 - held / 2)
        found.append(differences(both(desk, number, str(held + 50), cash)))
    assert found == [[], [], [(COINS, True)]]


def test_a_busy_account_does_not_hide_a_balance_that_no_order_explains() -> None:
    desk = reconciling()
    found: list[Any] = []
    for number in range(1, 4):
        desk.fill(desk.order(wish(number, quantity="1")).order)
        found += differences(both(desk, number, str(number), "3"))
    assert found == [(DOLLARS, True)]


def test_what_an_ended_order_may_still_have_filled_is_explained() -> None:
    desk = reconciling()
    for number in range(1, 5):
        order = desk.order(wish(number, quantity="6")).order
        desk.take(ended(order))
        # its late fill, which the next round has brought
        told = both(desk, number, str(6 * number), str(1000 - 3 * number))
        assert differences(told) == []
        desk.fill(order)


def test_positions_are_compared_whoever_has_them() -> None:
    desk = reconciling()
    desk.take(fill(1, Side.BUY, "5", strategy="a"), fill(2, Side.SELL, "5", strategy="b"))
    for number in range(1, 5):
        assert differences(both(desk, number)) == []


def test_tolerances_are_the_configured_ones() -> None:
    desk = reconciling(position_tolerance=Decimal(2), cash_tolerance=Decimal(5))
    for number in range(1, 4):
        assert differences(both(desk, number, "2", "995")) == []
    desk = reconciling()
    found = [differences(both(desk, number, "0.1", "1000.011")) for number in (1, 2)]
    assert found == [[], [(COINS, True), (DOLLARS, True)]]


def test_what_the_account_does_not_know_is_not_compared() -> None:
    desk = reconciling()
    for number in (1, 2, 3):
        told = desk.take(
            VenueHoldings(
                round=number,
                venue="venue",
                asked_ns=number,
                positions={"DOGE": Decimal(5)},
                balances={"USD": Decimal(1000), "DOGE": Decimal(5)},
            )
        )
        assert differences(told) == []


def test_no_balances_are_told_and_none_is_compared() -> None:
    desk = reconciling()
    desk.take(fill(1))
    for number in (1, 2, 3):
        assert differences(both(desk, number, "10", None)) == []


def test_a_balance_that_is_missing_is_nothing_and_one_at_par_is_ours() -> None:
    desk = reconciling(is_open=False)
    for number, currency in enumerate(("USDC", "EUR"), 1):
        told: list[Any] = []
        for part in (1, 2):
            told = desk.take(
                VenueHoldings(
                    round=10 * number + part,
                    venue="venue",
                    asked_ns=10 * number + part,
                    positions={},
                    balances={currency: Decimal(1000)},
                )
            )
        assert differences(told) == ([] if currency == "USDC" else [(DOLLARS, True)])


def test_older_words_are_not_compared() -> None:
    desk = reconciling()
    both(desk, 5, "7")
    assert desk.take(holdings(4, "7")) == []


def test_a_taken_back_fill_is_a_movement() -> None:
    desk = reconciling()
    made = fill(1, Side.BUY, "10")
    desk.take(replace(made, provisional=True))
    both(desk, 1)
    word = FillSettled(
        client_order_id=made.client_order_id,
        strategy=made.strategy,
        instrument=COIN,
        venue="venue",
        trade_id=made.trade_id,
        failed=True,
    )
    desk.take(word)
    for number in (2, 3, 4):
        assert differences(both(desk, number)) == []


def test_a_restart_keeps_what_was_told_and_forgets_what_was_suspected() -> None:
    desk = reconciling()
    both(desk, 1, "7")
    both(desk, 2, "7", "900")
    desk.take(Resumed(last_ns=10))
    told = desk.take(holdings(3, "7", "900", asked_ns=11))
    assert differences(told) == []
    assert open_keys(told) == (COINS, DOLLARS)
    told = desk.take(holdings(4, "0", "900", asked_ns=12))
    assert differences(told) == [(DOLLARS, True), (COINS, False)]


# --- decisions -----------------------------------------------------------------------------------


def open_difference(coins: str = "7", cash: str = "1000", **options: Any) -> Desk:
    desk = reconciling(**options)
    both(desk, 1, coins, cash)
    both(desk, 2, coins, cash)
    return desk


def test_who_ignores_a_difference_hears_of_it_no_more() -> None:
    desk = open_difference()
    told = desk.take(resolve(COINS, Cure.IGNORE))
    assert differences(told) == [(COINS, False)]
    assert open_keys(told) == ()
    assert desk.core.is_reconciled
    desk.fill(desk.order(wish(1)).order)
    for number in (3, 4, 5):
        assert differences(both(desk, number, "17", "995")) == []
    found = [differences(both(desk, number, "20", "995")) for number in (6, 7)]
    assert found == [[], [(COINS, True)]], "another one"


def test_what_was_ignored_and_is_gone_is_told_when_it_comes_again() -> None:
    desk = open_difference()
    desk.take(resolve(COINS, Cure.IGNORE))
    assert differences(both(desk, 3)) == []
    found = [differences(both(desk, number, "7")) for number in (4, 5)]
    assert found == [[], [(COINS, True)]]


@pytest.mark.parametrize("cure", [Cure.ADOPT, Cure.BOOK])
def test_who_adopts_a_position_gets_it_at_its_mark_without_cash(cure: Cure) -> None:
    desk = open_difference()
    told = desk.take(resolve(COINS, cure))
    booked, position, entry, difference, word = told
    assert (booked.strategy, booked.side, booked.last_quantity) == ("external", Side.BUY, 7)
    assert (booked.last_price, booked.liquidity) == (Decimal("0.425"), Liquidity.SETTLEMENT)
    assert (booked.venue, position.quantity) == ("venue", 7)
    assert (entry.amount, entry.strategy) == (Decimal("2.975"), "external")
    assert (difference.cure, difference.is_open, word.open) == (cure, False, ())
    assert (desk.core.get_position(COIN), desk.core.cash) == (7, 1000)
    assert desk.core.is_reconciled
    for number in (3, 4, 5):
        assert differences(both(desk, number, "7")) == []


def test_who_adopts_a_balance_gets_an_entry_of_cash() -> None:
    desk = open_difference("0", "900")
    (entry, _difference, _word) = desk.take(resolve(DOLLARS, Cure.ADOPT))
    assert (entry.amount, entry.currency, entry.strategy) == (-100, "USD", "")
    assert desk.core.cash == 900
    assert desk.core.sub_portfolio("").adjustments == -100


def test_a_decision_on_something_else_changes_nothing() -> None:
    desk = open_difference()
    for key, cure in (
        ("ORDER_MISSING:1", Cure.IGNORE),
        (DOLLARS, Cure.IGNORE),
        (COINS, Cure.CANCEL),
    ):
        assert desk.take(resolve(key, cure)) == []
    assert not desk.core.is_reconciled
    assert Desk().take(resolve(COINS, Cure.ADOPT)) == []


def no_tokens(number: int, quantity: int = 3) -> VenueHoldings:
    return VenueHoldings(
        round=number,
        venue="venue",
        asked_ns=number,
        positions={NO: Decimal(quantity)},
        balances={},
    )


def test_a_position_that_nobody_can_price_is_not_adopted() -> None:
    desk = reconciling(holdings=ADOPT)
    desk.take(no_tokens(1))
    told = desk.take(no_tokens(2))
    assert differences(told) == [(f"POSITION:{NO}", True)]
    assert desk.take(resolve(f"POSITION:{NO}", Cure.ADOPT)) == []
    desk.quote("0.10", "0.20", NO)
    told = desk.take(no_tokens(3))
    assert differences(told) == [(f"POSITION:{NO}", False)]
    assert desk.core.get_position(NO) == 3


def test_without_a_mark_a_position_is_adopted_at_its_cost() -> None:
    desk = reconciling()
    desk.take(fill(1, Side.BUY, "4", "0.30", instrument=NO))
    for number in (1, 2):
        desk.take(no_tokens(number, 1))
    told = desk.take(no_tokens(3, 1))
    assert differences(told) == [(f"POSITION:{NO}", True)]
    told = desk.take(resolve(f"POSITION:{NO}", Cure.ADOPT))
    assert (told[0].side, told[0].last_quantity, told[0].last_price) == (
        Side.SELL,
        3,
        Decimal("0.3"),
    )


def test_the_rule_adopts_by_itself() -> None:
    desk = reconciling(is_open=False, holdings=ADOPT)
    assert open_keys(both(desk, 1, "7", "990")) == (COINS, DOLLARS)
    told = both(desk, 2, "7", "990")
    cures = [each.cure for each in told if isinstance(each, Difference)]
    assert (differences(told), cures) == ([(COINS, False), (DOLLARS, False)], [Cure.ADOPT] * 2)
    assert open_keys(told) == ()
    assert desk.core.is_reconciled
    assert (desk.core.get_position(COIN), desk.core.cash) == (7, 990)
    (word,) = both(desk, 3, "7", "990")
    assert open_keys([word]) == ()


def test_futures_and_other_currencies_are_adopted_too() -> None:
    desk = reconciling(
        is_open=False,
        holdings=ADOPT,
        instruments=many(),
        balances={"EUR": Decimal(50)},
        fx={"EUR": Decimal("1.1")},
    )
    desk.quote("50", "52", FUTURE)
    desk.quote("10", "11", EURO_STOCK)
    told: list[Any] = []
    for number in (1, 2):
        told = desk.take(
            VenueHoldings(
                round=number,
                venue="venue",
                asked_ns=number,
                positions={FUTURE: Decimal(-2), EURO_STOCK: Decimal(3)},
                balances={"USD": Decimal(1000), "EUR": Decimal(70)},
            )
        )
    assert len([each for each in told if isinstance(each, Fill)]) == 2
    assert desk.core.balances == {"USD": 1000, "EUR": 70}
    assert desk.core.get_position(FUTURE) == -2


# --- the starting cash ---------------------------------------------------------------------------


def test_the_venue_says_what_the_account_begins_with() -> None:
    desk = reconciling(is_open=False, cash=Decimal(10000), starting_cash_from_venue=True)
    told = both(desk, 1, "0", "500")
    assert [type(each) for each in told[:2]] == [EquityMarked, CashAdjusted]
    assert desk.core.is_reconciled
    assert desk.core.cash == 500
    metrics = desk.core.get_risk_metrics()
    assert metrics["drawdown"] == metrics["daily_loss"] == metrics["max_drawdown"] == 0
    found = [differences(both(desk, number, "0", "400")) for number in (2, 3)]
    assert found == [[], [(DOLLARS, True)]], "only once"
    again = desk.restarted()
    assert again.cash == 500
    assert state(again) == state(desk.core)


@pytest.mark.parametrize("booked", [True, False])
def test_an_account_that_has_begun_or_agrees_keeps_its_cash(booked: bool) -> None:
    desk = reconciling(is_open=False, starting_cash_from_venue=True)
    if booked:
        desk.take(fill(1))
    told = both(desk, 1, "10" if booked else "0", "900" if booked else "1000")
    assert not [each for each in told if isinstance(each, CashAdjusted)]
    assert desk.core.cash == (995 if booked else 1000)


def test_tolerances_are_never_negative() -> None:
    for name in ("position_tolerance", "cash_tolerance"):
        negative: Any = {name: Decimal(-1)}
        with pytest.raises(ValueError, match=f"{name}: expected 0 or more, found -1"):
            attrs.evolve(PortfolioConfig(cash=Decimal(0)), **negative)


def test_one_who_compares_nothing_books_what_was_adopted_before() -> None:
    desk = open_difference("7", "990")
    desk.take(resolve(COINS, Cure.ADOPT), resolve(DOLLARS, Cure.ADOPT), Resumed(last_ns=9))
    assert desk.core.statistics().settlements == 1
    other = Desk()
    other.core.recover(iter(desk.history))
    assert other.core.cash == desk.core.cash == 990
    assert other.core.positions() == desk.core.positions()
    assert other.core.trading_state == desk.core.trading_state == "ACTIVE"
    assert other.core.statistics() == desk.core.statistics()


def test_a_rebuilt_portfolio_knows_what_was_decided() -> None:
    for cure in (Cure.IGNORE, Cure.ADOPT):
        desk = open_difference("7", "990")
        desk.take(resolve(COINS, cure))
        again = desk.restarted()
        for word in (resolve(DOLLARS, cure), holdings(3, "7", "990"), orders_agree(3)):
            assert again.handle(word, 0) == desk.take(word)
        assert again.is_reconciled
        assert again.positions() == desk.core.positions()


def test_without_a_rate_there_is_no_first_sample() -> None:
    desk = reconciling(
        is_open=False,
        starting_cash_from_venue=True,
        balances={"EUR": Decimal(50)},
        fx={"EUR": EURUSD},
        instruments=many(),
    )
    told = both(desk, 1, "0", "500")
    assert [each.amount for each in told if isinstance(each, CashAdjusted)] == [-500, -50]
    assert desk.core.balances == {"USD": 500, "EUR": 0}


def test_an_order_without_any_price_explains_no_cash() -> None:
    desk = reconciling()
    desk.fill(desk.order(wish(1)).order)
    (closing,) = desk.take(CloseOut())
    for number in (1, 2):
        assert differences(both(desk, number, "10", "995")) == []
    desk.take(ended(closing.order))
    assert differences(both(desk, 3, "0", "995")) == [], "it may have filled"
