from decimal import Decimal
from typing import Any

import pytest

from actors.messages.market import Bar, Trade
from actors.strategies.yes_no import (
    OracleParameters,
    OracleView,
    Rank,
    TradeSignal,
    YesNoParameters,
)
from actors.strategies.yes_no.oracle import fair_probability, oracle_filter
from actors.strategies.yes_no.oracle_price import OraclePrice
from tests.actors.strategies.builders import quote
from tests.actors.strategies.yes_no.rooms import NO, YES, asks
from tests.builders import SECOND, instrument

BITCOIN = instrument("BTC")


def oracle(**given: Any) -> OracleParameters:
    """Return a distance of 100 from a strike of 60,000."""
    defaults = {"instrument": "BTC", "width": Decimal(100), "strike": Decimal(60_000)}
    return OracleParameters(**{**defaults, **given})


def view(price: str, *, age_ns: int = 0, reference: str | None = "60000") -> OracleView:
    known = None if reference is None else Decimal(reference)
    return OracleView(price=Decimal(price), age_ns=age_ns, reference=known)


def wish(side: Any, price: str, rank: Rank = Rank.BOOTSTRAP) -> TradeSignal:
    return TradeSignal(side=side, price=Decimal(price), size=Decimal(1), rank=rank, reason="")


@pytest.mark.parametrize(
    ("price", "fair"),
    [
        ("60000", "0.5"),
        ("60050", "0.75"),
        ("59980", "0.4"),
        ("60100", "1"),
        ("61000", "1"),
        ("50000", "0"),
    ],
)
def test_the_fair_price_is_a_straight_line_around_the_reference(price: str, fair: str) -> None:
    assert fair_probability(view(price), oracle()) == Decimal(fair)


def test_without_a_reference_nothing_is_fair() -> None:
    assert fair_probability(view("60000", reference=None), oracle()) is None


@pytest.mark.parametrize(
    ("price", "side", "ask", "passes"),
    [
        ("60020", YES, "0.55", True),  # YES is worth 0.6
        ("60020", YES, "0.56", False),
        ("60020", NO, "0.35", True),  # NO is worth 0.4
        ("60020", NO, "0.36", False),
    ],
)
def test_a_side_passes_that_is_cheaper_than_fair(
    price: str, side: Any, ask: str, passes: bool
) -> None:
    parameters = YesNoParameters(oracle=oracle(min_edge=Decimal("0.05")))
    snapshot = asks("0.5", "0.5", view(price))
    kept, dropped = oracle_filter([wish(side, ask)], snapshot, parameters)
    assert (len(kept), len(dropped)) == ((1, 0) if passes else (0, 1))


def test_what_is_too_dear_is_dropped_with_both_prices() -> None:
    parameters = YesNoParameters(oracle=oracle(), fee_rate=Decimal("0.1"))
    snapshot = asks("0.5", "0.5", view("60020"))
    _, (dropped,) = oracle_filter([wish(YES, "0.56")], snapshot, parameters)
    assert dropped.reason == "oracle: YES is worth 0.6000, costs 0.6160"
    assert dropped.signal == wish(YES, "0.56")


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (None, "oracle: no price"),
        (view("60000", age_ns=5 * SECOND + 1), "oracle: price is 5.000000001 s old, 5 s may be"),
        (view("60000", reference=None), "oracle: nothing to compare the price with"),
    ],
)
def test_without_a_fresh_price_nothing_passes(seen: OracleView | None, reason: str) -> None:
    parameters = YesNoParameters(oracle=oracle())
    snapshot = asks("0.5", "0.5", seen)
    kept, dropped = oracle_filter([wish(YES, "0.01"), wish(NO, "0.01")], snapshot, parameters)
    assert kept == []
    assert [each.reason for each in dropped] == [reason] * 2


def test_a_price_exactly_as_old_as_may_be_still_counts() -> None:
    parameters = YesNoParameters(oracle=oracle())
    snapshot = asks("0.5", "0.5", view("60050", age_ns=5 * SECOND))
    assert oracle_filter([wish(YES, "0.5")], snapshot, parameters)[0] == [wish(YES, "0.5")]


def test_rules_that_it_does_not_filter_pass_without_a_price() -> None:
    parameters = YesNoParameters(oracle=oracle(filters=("bootstrap",)))
    hedge = wish(NO, "0.99", Rank.HEDGE)
    kept, dropped = oracle_filter([hedge, wish(YES, "0.5")], asks("0.5", "0.5"), parameters)
    assert kept == [hedge]
    assert [each.signal.side for each in dropped] == [YES]


def test_without_an_oracle_everything_passes() -> None:
    wishes = [wish(YES, "0.99"), wish(NO, "0.99")]
    assert oracle_filter(wishes, asks("0.5", "0.5"), YesNoParameters()) == (wishes, [])


# --- the price as it comes in ---------------------------------------------------------------------


def seen(price: OraclePrice, now_ns: int, first: str | None = None) -> tuple[str, int, Any]:
    found = price.view(now_ns, None if first is None else Decimal(first))
    assert found is not None
    return str(found.price), found.age_ns, found.reference


def test_the_price_is_the_mid_of_the_latest_quote_and_ages() -> None:
    price = OraclePrice(oracle())
    assert price.view(1, None) is None
    price.on_quote(quote(BITCOIN, 5_999_900, 6_000_001, time_ns=7))
    price.on_quote(quote(BITCOIN, 1, 2, (0, 5), time_ns=8))  # one side only: no mid
    assert seen(price, 10) == ("59999.505", 3, Decimal(60_000))


def test_without_a_strike_the_first_price_is_the_reference() -> None:
    price = OraclePrice(oracle(strike=None))
    price.on_quote(quote(BITCOIN, 100, 102, time_ns=1))
    assert price.price == Decimal("1.01")
    assert seen(price, 1, "0.99")[2] == Decimal("0.99")
    assert seen(price, 1)[2] is None


def test_prints_count_until_there_are_quotes() -> None:
    price = OraclePrice(oracle())
    price.on_trade(Trade(1, BITCOIN, 500, 1, 0))
    assert price.price == Decimal(5)
    price.on_bar(Bar(2, BITCOIN, 1, 1, 1, 600, 1, 6.0))
    assert price.price == Decimal(6)
    price.on_quote(quote(BITCOIN, 700, 702, time_ns=3))
    price.on_trade(Trade(4, BITCOIN, 900, 1, 0))
    price.on_bar(Bar(5, BITCOIN, 9, 9, 9, 900, 1, 9.0))
    assert price.price == Decimal("7.01")


def test_nothing_is_relied_on_after_the_feed_was_down() -> None:
    price = OraclePrice(oracle())
    price.on_quote(quote(BITCOIN, 700, 702, time_ns=3))
    price.forget()
    assert price.view(4, None) is None
    price.on_trade(Trade(4, BITCOIN, 900, 1, 0))
    assert price.price == Decimal(9)


def test_momentum_compares_with_the_price_a_window_ago() -> None:
    price = OraclePrice(oracle(rule="momentum", window_ns=10 * SECOND))
    for second, ticks in ((0, 100), (4, 200), (8, 300), (12, 400)):
        price.on_quote(quote(BITCOIN, ticks, ticks, time_ns=1 + second * SECOND))
    assert seen(price, 1 + 12 * SECOND)[2] == Decimal(1)
    assert seen(price, 1 + 14 * SECOND)[2] == Decimal(2)
    assert seen(price, 1 + 30 * SECOND)[2] == Decimal(4)


def test_a_window_that_has_not_passed_yet_has_no_reference() -> None:
    price = OraclePrice(oracle(rule="momentum", window_ns=10 * SECOND))
    price.on_quote(quote(BITCOIN, 100, 100, time_ns=SECOND))
    assert seen(price, 10 * SECOND)[2] is None


def test_the_window_keeps_a_bounded_number_of_prices() -> None:
    price = OraclePrice(oracle(rule="momentum", window_ns=10 * SECOND))
    for step in range(10_000):
        price.on_quote(quote(BITCOIN, 100 + step, 100 + step, time_ns=1 + step * SECOND // 100))
    assert len(price._window) <= 130
    now_ns = 1 + 9_999 * SECOND // 100
    reference = seen(price, now_ns)[2]
    assert reference == pytest.approx(Decimal("90.99"), abs=Decimal("0.1"))
