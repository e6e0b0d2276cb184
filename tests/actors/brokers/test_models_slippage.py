"""Slippage: what each formula comes to, and what none of them may do."""

from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.brokers.models import impact as models_impact
from actors.brokers.models.impact import Impact
from actors.brokers.models.market_state import NO_MARKET, MarketState
from actors.brokers.models.slippage import (
    SLIPPAGE_ALIASES,
    SLIPPAGES,
    DynamicSlippage,
    FixedSlippage,
    NoSlippage,
    SizeSlippage,
    Slippage,
    SquareRootSlippage,
    VolatilityAwareSlippage,
    VolumeImpactSlippage,
    VolumeShareSlippage,
    VolumeSlippage,
)
from actors.model.instrument import Outcome
from actors.model.order import Side
from tests.builders import instrument

BUY, SELL = Side.BUY, Side.SELL
D = Decimal
MARKET = MarketState(volume=D(10_000), volatility=0.02)
MODELS: list[type[Slippage]] = [
    FixedSlippage,
    SizeSlippage,
    DynamicSlippage,
    VolumeSlippage,
    VolumeShareSlippage,
    VolumeImpactSlippage,
    VolatilityAwareSlippage,
    SquareRootSlippage,
]


def test_nothing_slips_by_default() -> None:
    model = NoSlippage()
    assert model.slipped(BUY, D("1.5"), D(3), NO_MARKET) == D("1.5")
    assert not model.needs_market
    assert not model.keeps_impact
    assert model.lasting(D(3), NO_MARKET) == 0
    assert not model.needs_volatility


@pytest.mark.parametrize(
    ("model", "buys", "sells"),
    [
        # 0.1 % of 50 is 0.05
        (FixedSlippage(price_impact=D("0.001")), "50.05", "49.95"),
        # a fifth of the reference quantity: 0.02 %
        (SizeSlippage(percentage=D("0.001"), reference_quantity=D(500)), "50.01", "49.99"),
        # 0.001 * (1 + 2 * 0.02) + 0.1 * 100 / 10000 = 0.00204
        (DynamicSlippage(), "50.102", "49.898"),
        # 0.1 * 1 % = 0.1 %
        (VolumeSlippage(), "50.05", "49.95"),
        # 0.1 * 0.01 ** 2 = 0.001 %
        (VolumeShareSlippage(), "50.0005", "49.9995"),
        # 1 % of the volume is the threshold: 0.01 % and 0.02 %
        (VolumeImpactSlippage(), "50.015", "49.985"),
        # 0.0001 + 0.02 * 5 = 10.01 %
        (VolatilityAwareSlippage(), "55.005", "44.995"),
        # 0.02 * sqrt(0.01) = 0.2 %
        (SquareRootSlippage(), "50.1", "49.9"),
    ],
)
def test_a_hundred_units_of_ten_thousand_at_fifty(model: Slippage, buys: str, sells: str) -> None:
    assert model.slipped(BUY, D(50), D(100), MARKET) == D(buys)
    assert model.slipped(SELL, D(50), D(100), MARKET) == D(sells)


@pytest.mark.parametrize(
    ("model", "price"),
    [
        (DynamicSlippage(), "50.05"),
        (VolumeSlippage(), "50"),
        (VolumeShareSlippage(), "50"),
        (VolumeImpactSlippage(), "50"),
        (VolatilityAwareSlippage(), "52.505"),
        (SquareRootSlippage(), "50"),
    ],
)
@pytest.mark.parametrize(
    "market", [NO_MARKET, MarketState(volume=D(0), volatility=float("nan"))], ids=["none", "empty"]
)
def test_what_nobody_knows_of_the_market_adds_nothing(
    model: Slippage, price: str, market: MarketState
) -> None:
    assert model.slipped(BUY, D(50), D(100), market) == D(price)


def test_the_share_of_the_volume_is_limited_where_the_model_says_so() -> None:
    model = VolumeShareSlippage(volume_limit=D("0.02"), price_impact=D("0.5"))
    assert model.slipped(BUY, D(100), D(9_000), MARKET) == D("100.02")


def test_earlier_purchases_make_later_ones_dearer_and_sales_no_better() -> None:
    model = VolumeImpactSlippage()
    moved = MarketState(volume=D(10_000), impact=D("0.002"))
    assert model.slipped(BUY, D(50), D(100), moved) == D("50.115")
    assert model.slipped(SELL, D(50), D(100), moved) == D("49.985")
    sold = MarketState(volume=D(10_000), impact=D("-0.002"))
    assert model.slipped(BUY, D(50), D(100), sold) == D("50.015")
    assert model.slipped(SELL, D(50), D(100), sold) == D("49.885")


def test_only_models_of_lasting_impact_have_one() -> None:
    assert VolumeImpactSlippage().keeps_impact
    assert VolumeImpactSlippage().lasting(D(100), MARKET) == D("0.0001")
    assert not FixedSlippage().keeps_impact
    assert FixedSlippage(price_impact=D(1)).lasting(D(100), MARKET) == 0


@pytest.mark.parametrize("model", MODELS)
def test_a_seller_always_gets_something(model: type[Slippage]) -> None:
    crash = MarketState(volume=D(1), volatility=9.0, impact=D(-5))
    price = model().slipped(SELL, D("0.01"), D(10**9), crash)
    assert 0 < price <= D("0.01")


@pytest.mark.parametrize("price", ["0", "-3.5"])
def test_prices_that_are_no_prices_stay_as_they_are(price: str) -> None:
    assert FixedSlippage(price_impact=D("0.1")).slipped(BUY, D(price), D(1), MARKET) == D(price)


def test_slippage_has_a_limit_of_its_own() -> None:
    model = VolatilityAwareSlippage(max_slippage=D("0.01"))
    assert model.slipped(BUY, D(50), D(1), MARKET) == D("50.5")


def test_prices_are_exact_up_to_twelve_digits_of_the_fraction() -> None:
    model = SizeSlippage(percentage=D("0.001"), reference_quantity=D(3))
    # a third of 0.001, rounded up
    assert model.slipped(BUY, D(1), D(1), NO_MARKET) == D("1.000333333334")
    assert model.slipped(SELL, D(1), D(1), NO_MARKET) == D("0.999666666666")


def test_prices_are_rounded_to_the_tick_if_that_is_asked_for() -> None:
    market = MarketState(instrument=instrument(tick="0.05"))
    model = FixedSlippage(price_impact=D("0.001"), round_to_tick=True)
    assert model.slipped(BUY, D(10), D(1), market) == D("10.05")
    assert model.slipped(SELL, D(10), D(1), market) == D("9.95")
    assert model.slipped(SELL, D("0.05"), D(1), market) == D("0.05")
    exact = FixedSlippage(price_impact=D("0.001"))
    assert exact.slipped(SELL, D(10), D(1), market) == D("9.99")


def test_an_outcome_token_never_costs_more_than_it_can_pay() -> None:
    token = MarketState(instrument=instrument(outcome=Outcome.YES))
    model = FixedSlippage(price_impact=D("0.05"))
    assert model.slipped(BUY, D("0.99"), D(1), token) == 1
    assert model.slipped(BUY, D("0.5"), D(1), token) == D("0.525")
    capped = MarketState(instrument=attrs.evolve(instrument(), max_price=D(20)))
    assert model.slipped(BUY, D("19.5"), D(1), capped) == 20
    assert model.slipped(BUY, D(21), D(1), capped) == 21


def test_whoever_asks_for_the_expensive_defaults_is_told() -> None:
    (words,) = VolatilityAwareSlippage().cautions()
    assert "5.01%" in words
    assert VolatilityAwareSlippage(volatility_multiplier=D("0.9")).cautions() == []
    assert FixedSlippage().cautions() == []


@pytest.mark.parametrize(
    ("model", "options", "words"),
    [
        (FixedSlippage, {"price_impact": D(-1)}, "price_impact: expected 0 or more, found -1"),
        (FixedSlippage, {"price_impact": D("NaN")}, "expected 0 or more, found NaN"),
        (FixedSlippage, {"price_impact": D("Infinity")}, "expected 0 or more, found Infinity"),
        (FixedSlippage, {"max_slippage": D(1)}, "max_slippage: expected a number from 0 to 0.99"),
        (SizeSlippage, {"reference_quantity": D(0)}, "expected more than 0, found 0"),
        (VolumeImpactSlippage, {"liquidity_threshold": D(0)}, "expected more than 0, found 0"),
    ],
)
def test_options_that_make_no_sense_are_told(
    model: type[Slippage], options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        model(**options)


def test_models_say_what_they_ask_of_the_market() -> None:
    asking = {name for name, model in SLIPPAGES.items() if model().needs_volatility}
    assert asking == {"pct_dynamic", "volatility_aware", "square_root"}
    assert all(model().needs_market for name, model in SLIPPAGES.items() if name != "none")


def test_models_are_found_by_name() -> None:
    assert list(SLIPPAGES) == [
        "none",
        "fixed_pct",
        "pct_size",
        "pct_dynamic",
        "volume",
        "volume_share",
        "volume_impact",
        "volatility_aware",
        "square_root",
    ]
    assert all(name in SLIPPAGES for names in SLIPPAGE_ALIASES.values() for name in names)
    assert not set(SLIPPAGE_ALIASES) & set(SLIPPAGES)


_amounts = st.decimals(min_value="0.000001", max_value=10**6, places=6)
_markets = st.builds(
    MarketState,
    volume=st.none() | st.decimals(min_value=0, max_value=10**9, places=6),
    volatility=st.none() | st.floats(0, 2) | st.just(float("nan")),
    impact=st.decimals(min_value="-0.5", max_value="0.5", places=9),
    instrument=st.none() | st.sampled_from([instrument(), instrument(tick="0.0025")]),
)
_models = st.sampled_from(MODELS).flatmap(
    lambda model: st.builds(model, round_to_tick=st.booleans())
)


@given(model=_models, price=_amounts, quantity=_amounts, market=_markets)
def test_nobody_trades_better_than_shown_or_for_nothing(
    model: Slippage, price: Decimal, quantity: Decimal, market: MarketState
) -> None:
    assert model.slipped(BUY, price, quantity, market) >= price
    assert 0 < model.slipped(SELL, price, quantity, market) <= price


@given(model=_models, price=_amounts, quantities=st.tuples(_amounts, _amounts), market=_markets)
def test_more_is_never_cheaper(
    model: Slippage, price: Decimal, quantities: tuple[Decimal, Decimal], market: MarketState
) -> None:
    less, more = sorted(quantities)
    dearer = [model.slipped(BUY, price, each, market) for each in (less, more)]
    assert dearer == sorted(dearer)
    cheaper = [model.slipped(SELL, price, each, market) for each in (more, less)]
    assert cheaper == sorted(cheaper)


# --- what stays -----------------------------------------------------------------------------------


def test_lasting_impact_adds_up_by_instrument() -> None:
    impact = Impact()
    impact.add(0, "a", 10, D("0.002"))
    impact.add(0, "b", 20, D("-0.0005"))
    impact.add(1, "c", 20, D("0.001"))
    impact.add(1, "d", 20, D(0))
    assert impact.at(0, 99) == D("0.0015")
    assert impact.at(1, 99) == D("0.001")
    assert impact.at(2, 99) == 0


def test_half_of_an_impact_fades_in_its_time() -> None:
    impact = Impact(decay_ns=100)
    impact.add(0, "a", 1_000, D("0.004"))
    assert impact.at(0, 1_000) == D("0.004")
    assert impact.at(0, 1_100) == D("0.002")
    impact.add(0, "b", 1_100, D("0.002"))
    assert impact.at(0, 1_200) == D("0.002")


@pytest.mark.parametrize("decay_ns", [0, 700])
def test_old_impacts_stay_though_they_cannot_be_taken_back(
    decay_ns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, bounded = Impact(decay_ns), Impact(decay_ns)
    for number in range(50):
        whole.add(number % 2, f"t{number}", number * 10, D(number) / 10_000)
    monkeypatch.setattr(models_impact, "_KEPT", 3)
    for number in range(50):
        bounded.add(number % 2, f"t{number}", number * 10, D(number) / 10_000)
    assert len(bounded.trade_ids()) == 6
    assert [bounded.at(index, 600) for index in (0, 1)] == [
        whole.at(index, 600) for index in (0, 1)
    ]
    whole.keep(whole.trade_ids() - {"t48", "t49"})
    bounded.keep(bounded.trade_ids() - {"t48", "t49"})
    assert len(bounded.trade_ids()) == 4
    assert [bounded.at(index, 600) for index in (0, 1)] == [
        whole.at(index, 600) for index in (0, 1)
    ]


def test_trades_that_nobody_heard_of_have_no_impact() -> None:
    impact, told = Impact(decay_ns=100), Impact(decay_ns=100)
    for index, trade_id, now_ns in [(0, "a", 0), (0, "lost", 50), (0, "b", 80), (1, "lost-2", 90)]:
        impact.add(index, trade_id, now_ns, D("0.001"))
        if not trade_id.startswith("lost"):
            told.add(index, trade_id, now_ns, D("0.001"))
    impact.keep({"a", "b", "another"})
    assert [impact.at(index, 100) for index in (0, 1)] == [told.at(0, 100), 0]
