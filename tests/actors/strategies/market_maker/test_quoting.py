from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.messages.market import UNKNOWN_LOTS
from actors.strategies.market_maker import MakerParameters, quoted_prices
from actors.strategies.market_maker.quoting import quoted_sizes, twice_fair_ticks
from tests.actors.strategies.builders import outcome_pair, quote
from tests.builders import instrument

BTC = instrument("BTC")
YES, _ = outcome_pair()


def maker(**given_: Any) -> MakerParameters:
    """Return a spread of 100 bps, a skew of 50 at the largest position of 100."""
    defaults = {"spread_bps": Decimal(100), "skew_bps": Decimal(50)}
    return MakerParameters(**{**defaults, **given_})


@pytest.mark.parametrize(
    ("position", "bid", "ask"),
    [
        ("0", "99.50", "100.50"),  # 100 bps around 100
        ("100", "99.00", "100.00"),  # 50 bps lower
        ("-100", "100.00", "101.00"),
        ("50", "99.25", "100.25"),
        ("900", "99.00", "100.00"),  # no further than at the largest position
    ],
)
def test_quotes_lie_around_the_mid_and_lean_against_the_position(
    position: str, bid: str, ask: str
) -> None:
    prices = quoted_prices(quote(BTC, 9_900, 10_100), Decimal(position), maker())
    assert (prices.bid, prices.ask) == (Decimal(bid), Decimal(ask))


def test_prices_are_rounded_away_from_each_other() -> None:
    prices = quoted_prices(quote(BTC, 10_000, 10_003), Decimal(0), maker(spread_bps=Decimal(1)))
    # the fair price is 100.015, half of the smallest spread 0.01
    assert (prices.bid, prices.ask) == (Decimal("100.00"), Decimal("100.03"))


def test_the_order_grid_may_be_coarser_than_that_of_the_book() -> None:
    coarse = instrument("BTC", order_tick="0.5")
    prices = quoted_prices(quote(coarse, 10_010, 10_020), Decimal(0), maker(spread_bps=Decimal(1)))
    assert (prices.bid, prices.ask) == (Decimal("99.5"), Decimal("101.0"))


def test_a_quote_never_crosses_the_market() -> None:
    skewed = maker(skew_bps=Decimal(500), spread_bps=Decimal(0))
    low = quoted_prices(quote(BTC, 10_000, 10_002), Decimal(100), skewed)
    assert low.ask == Decimal("100.01")
    high = quoted_prices(quote(BTC, 10_000, 10_002), Decimal(-100), skewed)
    assert high.bid == Decimal("100.01")


@pytest.mark.parametrize(
    ("bid", "ask", "expected"),
    [(1, 2, (None, Decimal("0.03"))), (98, 99, (Decimal("0.97"), None))],
)
def test_no_price_outside_of_0_and_1_for_an_outcome(bid: int, ask: int, expected: Any) -> None:
    prices = quoted_prices(quote(YES, bid, ask), Decimal(0), maker(min_spread_ticks=3))
    assert prices == expected


def test_the_instruments_own_bounds_hold() -> None:
    bounded = attrs.evolve(BTC, min_price=Decimal("99.6"), max_price=Decimal("100.4"))
    assert quoted_prices(quote(bounded, 9_900, 10_100), Decimal(0), maker()) == (None, None)
    outcome = attrs.evolve(YES, max_price=Decimal("0.5"))
    assert quoted_prices(quote(outcome, 48, 52), Decimal(0), maker()).ask is None


@pytest.mark.parametrize(
    ("sizes", "fair", "twice"),
    [
        ((300, 100), "mid", 20_010),
        ((300, 100), "microprice", 20_015),  # three quarters of the way to the ask
        ((100, 300), "microprice", 20_005),
        ((UNKNOWN_LOTS, 100), "microprice", 20_010),
    ],
)
def test_the_microprice_leans_to_the_side_with_less(
    sizes: tuple[int, int], fair: Any, twice: int
) -> None:
    assert twice_fair_ticks(quote(BTC, 10_000, 10_010, sizes), maker(fair=fair)) == twice


@pytest.mark.parametrize(
    ("what", "held", "sizes"),
    [
        (BTC, ("0", "0"), ("10", "10")),
        (BTC, ("95", "95"), ("5", "10")),
        (BTC, ("100", "90"), ("0", "10")),
        (BTC, ("-97", "-97.505"), ("10", "2.49")),
        (YES, ("0", "0"), ("10", "0")),
        (YES, ("4", "4"), ("10", "4")),
        (YES, ("4", "3"), ("10", "3")),
    ],
)
def test_sizes_keep_the_position_within_its_bounds(
    what: Any, held: tuple[str, str], sizes: tuple[str, str]
) -> None:
    highest, lowest = map(Decimal, held)
    assert quoted_sizes(what, (highest, lowest), maker()) == tuple(map(Decimal, sizes))


def test_what_is_too_small_for_an_order_is_not_quoted() -> None:
    coarse = instrument("BTC", min_quantity="5")
    assert quoted_sizes(coarse, (Decimal(96), Decimal(96)), maker())[0] == 0


@given(
    st.integers(1, 20_000),
    st.integers(1, 500),
    st.integers(-150, 150),
    st.builds(
        MakerParameters,
        spread_bps=st.integers(0, 500).map(Decimal),
        skew_bps=st.integers(0, 500).map(Decimal),
        min_spread_ticks=st.integers(1, 9),
        fair=st.sampled_from(["mid", "microprice"]),
    ),
)
def test_whatever_the_market_quotes_are_passive_and_apart(
    bid: int, spread: int, position: int, parameters: MakerParameters
) -> None:
    seen = quote(BTC, bid, bid + spread, (5, 9))
    prices = quoted_prices(seen, Decimal(position), parameters)
    step = BTC.order_tick
    if prices.bid is not None:
        assert prices.bid % step == 0
        assert step <= prices.bid < BTC.price(seen.ask_ticks)
    if prices.ask is not None:
        assert prices.ask % step == 0
        assert prices.ask > BTC.price(seen.bid_ticks)
    if prices.bid is not None and prices.ask is not None:
        assert prices.bid < prices.ask
