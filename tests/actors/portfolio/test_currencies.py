"""Several currencies in one account: purses, rates, what is at par and what is not."""

from decimal import Decimal, localcontext
from typing import Any

import pytest

from actors.actor import Later
from actors.messages.account import CashAdjusted, EquityMarked, MarkEquity
from actors.messages.trading import SignalRefused, SubmitOrder
from actors.model.order import Side
from actors.portfolio.config import PortfolioConfig
from actors.risk.limits import CashLimit
from tests.actors.portfolio.accounts import (
    COIN,
    EURO_STOCK,
    EURUSD,
    FUTURE,
    TABLE,
    USDJPY,
    YEN_STOCK,
    YES,
    account,
    config,
    core,
    tape,
)
from tests.actors.portfolio.builders import SECOND, fill, only, see, signal

FIXED: dict[str, Any] = {"balances": {"EUR": Decimal(100)}, "fx": {"EUR": Decimal("1.10")}}


def test_each_currency_has_its_purse() -> None:
    booked = core(**FIXED)
    booked.handle(fill(1, quantity="2", price="30", commission="0.5", instrument=EURO_STOCK), 0)
    booked.handle(fill(2, quantity="1", price="100", instrument=COIN), 0)
    assert booked.get_cash_balance("EUR") == Decimal("39.5")
    assert booked.get_cash_balance("USD") == booked.get_cash_balance() == booked.cash == 900
    assert booked.get_cash_balance("CHF") == 0
    assert booked.balances == {"USD": Decimal(900), "EUR": Decimal("39.5")}


def test_equity_is_in_the_accounts_currency() -> None:
    booked = core(**FIXED)
    booked.handle(fill(1, quantity="2", price="30", commission="0.5", instrument=EURO_STOCK), 0)
    assert booked.equity() == 1000 + Decimal("1.10") * Decimal("99.5")
    see(booked, tape().quote(1, "34", "36", EURO_STOCK).rows())
    assert booked.equity() == 1000 + Decimal("1.10") * Decimal("109.5")
    assert booked.unrealized_pnl() == Decimal("11.0")


@pytest.mark.parametrize("dollar", ["USDC", "USDT", "pUSD"])
def test_tokens_that_promise_a_dollar_are_dollars(dollar: str) -> None:
    booked = core()
    booked.handle(fill(1, quantity="10", price="0.5", instrument=YES), 0)
    assert booked.cash == booked.get_cash_balance(dollar) == 995


def test_unless_they_have_a_rate_of_their_own() -> None:
    booked = core(fx={"USDC": Decimal("0.999")})
    booked.handle(fill(1, quantity="10", price="0.5", instrument=YES), 0)
    assert (booked.cash, booked.get_cash_balance("USDC")) == (Decimal(1000), Decimal(-5))
    assert booked.equity() == 1000


def test_the_price_of_an_instrument_may_be_the_rate_either_way_round() -> None:
    fx = {"EUR": EURUSD, "JPY": USDJPY}
    booked = core(fx=fx, balances={"EUR": Decimal(100), "JPY": Decimal(3000)})
    assert booked.equity() is None
    assert booked.unrated_currencies() == ["EUR", "JPY"]
    see(booked, tape().quote(1, "1.10", "1.12", EURUSD).quote(1, "150", "150", USDJPY).rows())
    assert booked.unrated_currencies() == []
    inverse = Decimal("0.006666666666666666666666666667")
    with localcontext(prec=60):
        assert booked.equity() == 1111 + inverse * 3000


def test_a_rate_that_speaks_of_other_currencies_is_none() -> None:
    for wrong in (USDJPY, "UNHEARD"):
        booked = core(fx={"EUR": wrong}, balances={"EUR": Decimal(1)})
        see(booked, tape().quote(1, "150", "150", USDJPY).rows())
        assert booked.equity() is None


def test_while_a_rate_is_missing_there_is_no_sample() -> None:
    booked = core(fx={"EUR": EURUSD}, balances={"EUR": Decimal(100)})
    booked.start(0)
    (timer,) = booked.handle(MarkEquity(), SECOND)
    assert not isinstance(timer, EquityMarked)
    assert booked.stop(2 * SECOND) == []
    see(booked, tape().quote(1, "1.10", "1.12", EURUSD).rows())
    assert only(booked.stop(3 * SECOND), EquityMarked).equity == 1111
    assert [sample.portfolio_value for sample in booked.equity_curve().samples()] == [1111]


def test_without_a_sample_the_next_one_is_due_an_interval_later_not_at_once() -> None:
    booked = core(balances={"EUR": Decimal(100)}, fx={"EUR": "EURUSD"})
    [first] = booked.start(0)
    assert isinstance(first, Later)
    assert booked.handle(MarkEquity(), first.at_ns) == [
        Later(MarkEquity(), first.at_ns + SECOND, background=True)
    ]


def test_a_flat_foreign_balance_needs_no_rate() -> None:
    booked = account(
        fill(1, Side.BUY, "1", "7", instrument=YEN_STOCK),
        fill(2, Side.SELL, "1", "7", instrument=YEN_STOCK),
    )
    assert booked.equity() == 1000


def test_what_has_no_rate_cannot_be_opened() -> None:
    booked = core(policies=(CashLimit(),))
    see(booked, tape().quote(1, "30", "31", EURO_STOCK).rows())
    refusal = only(booked.handle(signal(1, limit="31", instrument=EURO_STOCK), 1), SignalRefused)
    assert "EUR" in str(refusal.violations)


def test_an_order_reserves_in_the_accounts_currency() -> None:
    booked = core(policies=(CashLimit(),), **FIXED)
    submitted = only(
        booked.handle(signal(1, quantity="10", limit="30", instrument=EURO_STOCK), 1), SubmitOrder
    )
    assert submitted.reserved == booked.reserved == 330
    assert booked.available == 1000 + 110 - 330
    refused = booked.handle(signal(2, quantity="30", limit="30", instrument=EURO_STOCK), 1)
    assert only(refused, SignalRefused).violations[0].policy == "CashLimit"


def test_parts_of_strategies_are_converted() -> None:
    booked = core(**FIXED)
    booked.handle(fill(1, quantity="2", price="30", instrument=EURO_STOCK, strategy="a"), 0)
    booked.handle(fill(2, quantity="1", price="100", strategy="b"), 0)
    see(booked, tape().quote(1, "34", "36", EURO_STOCK).rows())
    parts = booked.sub_portfolios()
    mine, other = parts["a"], parts["b"]
    assert mine is not None
    assert other is not None
    assert mine.cash_flows == {"EUR": Decimal(-60)}
    assert (mine.cash_flow, mine.equity, mine.unrealized_pnl) == (
        Decimal(-66),
        Decimal(11),
        Decimal(11),
    )
    assert mine.net_pnl == 11
    assert (other.cash_flow, other.equity) == (Decimal(-100), Decimal(0))
    assert core().sub_portfolio("nobody") is not None


def test_parts_without_a_rate_are_unknown() -> None:
    booked = core(fx={"EUR": EURUSD})
    booked.handle(fill(1, quantity="2", price="30", instrument=EURO_STOCK), 0)
    assert booked.sub_portfolio("cross") is None
    assert booked.unrealized_pnl() is None
    entry = CashAdjusted(
        entry_id="gas", time_ns=0, currency="EUR", amount=Decimal(-1), reason="gas", strategy="x"
    )
    assert booked.handle(entry, 0) == []
    assert booked.handle(entry, 0) == []
    assert booked.get_cash_balance("EUR") == -61
    assert booked.sub_portfolio("x") is None
    assert booked.available == 1000


def test_the_account_in_one_mapping() -> None:
    booked = core(**FIXED)
    booked.handle(fill(1, Side.SELL, "2", "30", instrument=EURO_STOCK), 0)
    booked.handle(fill(2, Side.BUY, "1", "100", commission="1"), 0)
    see(booked, tape().quote(1, "110", "110", COIN).rows())
    info = booked.get_account_info()
    assert {name: value for name, value in info.items() if not name.startswith("trading")} == {
        "currency": "USD",
        "cash": Decimal(899),
        "settled_cash": Decimal(899),
        "reserved": Decimal(0),
        "available": 899 + Decimal("1.10") * (160 - 120),
        "commission": Decimal(1),
        "unrealized_pnl": Decimal(10),
        "portfolio_value": 899 + 110 + Decimal("1.10") * 100,
    }
    metrics = booked.get_risk_metrics()
    assert (metrics["gross_exposure"], metrics["net_exposure"]) == (Decimal(176), Decimal(44))
    assert metrics["equity"] == booked.equity()
    assert [each.instrument for each in booked.get_all_positions()] == [COIN, EURO_STOCK]
    assert booked.get_position(EURO_STOCK) == booked.account_position(EURO_STOCK) == -2


# --- futures and leverage ------------------------------------------------------------------------


def test_a_future_ties_up_its_margin_and_frees_what_it_gains() -> None:
    booked = core("10000", policies=(CashLimit(),))
    submitted = only(
        booked.handle(signal(1, quantity="2", limit="100", instrument=FUTURE), 1), SubmitOrder
    )
    assert submitted.reserved == 2000
    booked.handle(fill(1, quantity="2", price="100", instrument=FUTURE, commission="4"), 1)
    assert (booked.reserved, booked.available, booked.cash) == (
        Decimal(0),
        Decimal(7996),
        Decimal(9996),
    )
    see(booked, tape().quote(2, "103", "105", FUTURE).rows())
    assert booked.available == 7996 + 80
    assert booked.equity() == 9996 + 80
    assert booked.get_risk_metrics()["gross_exposure"] == 2080


def test_leverage_lets_equity_carry_more() -> None:
    booked = core(leverage=Decimal(10), policies=(CashLimit(),))
    submitted = only(booked.handle(signal(1, quantity="50", limit="100"), 1), SubmitOrder)
    assert submitted.reserved == 500
    booked.handle(fill(1, quantity="50", price="100"), 1)
    assert booked.cash == -4000
    assert booked.available == 500
    see(booked, tape().quote(2, "102", "102").rows())
    assert booked.available == 1100 - 510
    refused = booked.handle(signal(2, quantity="60", limit="100"), 3)
    assert only(refused, SignalRefused).violations[0].policy == "CashLimit"


def test_leverage_goes_for_shorts_too() -> None:
    booked = core(leverage=Decimal(2))
    booked.handle(fill(1, Side.SELL, "10", "100"), 1)
    assert booked.available == 500


# --- configuration -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({"balances": {"EUR": Decimal(-1)}}, "balances: expected 0 or more of EUR, found -1"),
        ({"balances": {"USD": Decimal(1)}}, "balances: expected other currencies, found USD"),
        ({"balances": {"EUR": Decimal(1)}}, "fx: expected a rate of EUR, found none"),
        ({"fx": {"USD": Decimal(1)}}, "fx: expected other currencies, found USD"),
        ({"fx": {"EUR": Decimal(0)}}, "fx: expected a rate of EUR above 0, found 0"),
        ({"fx": {"EUR": Decimal("NaN")}}, "fx: expected a rate of EUR above 0, found NaN"),
        ({"fx": {"EUR": ".nan"}}, "fx: expected a rate of EUR or an instrument's id, found '.nan'"),
        ({"fx": {"EUR": ""}}, "fx: expected a rate of EUR or an instrument's id, found ''"),
        ({"currency": " "}, "currency: expected a name such as USD, found ' '"),
        ({"money_step": Decimal(0)}, "money_step: expected above 0, found 0"),
        ({"leverage": Decimal("0.5")}, "leverage: expected 1 or more, found 0.5"),
    ],
)
def test_a_wrong_account_is_told_in_words(terms: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        PortfolioConfig(cash=Decimal(1), **terms)


def test_a_configuration_says_how_the_books_are_kept() -> None:
    books = config(**FIXED).books
    assert (books.currency, books.is_par("USDC"), books.is_par("EUR")) == ("USD", True, False)
    assert not config(currency="EUR").books.is_par("USDC")
    assert TABLE.get(COIN) is not None
