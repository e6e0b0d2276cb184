"""Commissions: examples computed by hand, exactness, and what is remembered."""

from decimal import Decimal, Inexact, localcontext
from typing import Any, ClassVar

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from actors.brokers.matching.reports import Reporter
from actors.brokers.models.commission import (
    COMMISSION_ALIASES,
    COMMISSIONS,
    DEFAULT_TIERS,
    Charged,
    Charges,
    CommissionModel,
    FixedCommission,
    MakerTakerCommission,
    NoCommission,
    PastTrade,
    PercentageCommission,
    PerShareCommission,
    PerUnitCommission,
    PolymarketCommission,
    TieredCommission,
)
from actors.brokers.open_orders.open_order import OpenOrder
from actors.messages.trading import ExecutionReport, ReportKind
from actors.model.instrument import Instrument, Outcome
from actors.model.order import Liquidity
from tests.builders import instrument, order

TAKER, MAKER = Liquidity.TAKER, Liquidity.MAKER
D = Decimal
STOCK = instrument()
FUTURE = attrs.evolve(STOCK, multiplier=D(10))
TOKEN = instrument(outcome=Outcome.YES)
_AMOUNT = st.decimals(min_value=0, max_value=10**9, places=8)


def charge(
    model: CommissionModel, price: str, quantity: str, liquidity: Liquidity = TAKER, of: Any = STOCK
) -> Decimal:
    """Return what a first trade is charged."""
    return model.commission(D(price), D(quantity), liquidity, of)


# --- models of one trade --------------------------------------------------------------------------


def test_no_commission_is_nothing() -> None:
    assert charge(NoCommission(), "100", "2") == 0
    assert NoCommission().expected(D(100), D(2), STOCK) == 0


@example(price=D("999999999.87654321"), quantity=D("123456789.12345678"), rate=D("0.123456789"))
@given(price=_AMOUNT, quantity=_AMOUNT, rate=st.decimals(min_value=-1, max_value=1, places=9))
def test_a_percentage_is_the_exact_product(
    price: Decimal, quantity: Decimal, rate: Decimal
) -> None:
    charged = PercentageCommission(rate).commission(price, quantity, MAKER, FUTURE)
    with localcontext() as context:
        context.prec = 200
        context.traps[Inexact] = True
        assert charged == price * quantity * 10 * rate


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        # 30 at 50: worth 1500
        (FixedCommission(cost_per_trade=D("2.5")), "2.5"),
        (FixedCommission(), "0"),
        (PercentageCommission(D("0.002")), "3"),
        (PerUnitCommission(amount=D("0.1")), "3"),
        (MakerTakerCommission(maker=D("-0.0001"), taker=D("0.0005")), "0.75"),
        (TieredCommission(), "3"),
        (PerShareCommission(), "1"),
        (PerShareCommission(rate_per_share=D("0.05")), "1.5"),
        (PerShareCommission(rate_per_share=D(1)), "10"),
        (PerShareCommission(rate_per_share=D(1), maximum_commission=None), "30"),
    ],
)
def test_thirty_at_fifty(model: CommissionModel, expected: str) -> None:
    assert charge(model, "50", "30") == D(expected)


def test_who_provides_may_get_something_back() -> None:
    model = MakerTakerCommission(maker=D("-0.0001"), taker=D("0.0005"))
    assert charge(model, "50", "30", MAKER) == D("-0.15")
    assert model.expected(D(50), D(30), STOCK) == D("0.75")


def test_a_future_costs_by_the_unit_whatever_its_multiplier() -> None:
    model = PerUnitCommission(amount=D(2))
    assert charge(model, "3643.35", "1", of=FUTURE) == 2
    assert charge(PercentageCommission(D("0.001")), "100", "1", of=FUTURE) == 1


def test_a_negative_price_has_the_notional_of_its_amount() -> None:
    assert charge(PercentageCommission(D("0.01")), "-37", "1") == D("0.37")


@pytest.mark.parametrize(
    ("price", "quantity", "fee"),
    [
        ("0.06", "10", "0.040608"),  # 10 * 0.072 * 0.06 * 0.94
        ("0.04", "19.2", "0.05308416"),
        ("0.5", "100", "1.8"),
        ("1", "100", "0"),
        ("0", "100", "0"),
        ("1.2", "100", "0"),
    ],
)
def test_polymarket_s_curve(price: str, quantity: str, fee: str) -> None:
    assert charge(PolymarketCommission(rate=D("0.072")), price, quantity, of=TOKEN) == D(fee)


def test_polymarket_s_rate_is_the_market_s_where_it_has_one() -> None:
    model = PolymarketCommission(rate=D("0.072"))
    free = attrs.evolve(TOKEN, fee_rate=D(0))
    assert charge(model, "0.5", "100", of=free) == 0
    dear = attrs.evolve(TOKEN, fee_rate=D("0.1"))
    assert charge(model, "0.5", "100", of=dear) == D("2.5")
    assert model.expected(D("0.9"), D(100), dear) == D("2.5")
    assert model.expected(D("0.9"), D(100), TOKEN) == D("1.8")


def test_polymarket_charges_who_takes_and_may_pay_who_provides() -> None:
    assert charge(PolymarketCommission(rate=D("0.072")), "0.5", "100", MAKER, TOKEN) == 0
    generous = PolymarketCommission(rate=D("0.072"), maker_rebate=D("0.2"))
    assert charge(generous, "0.5", "100", MAKER, TOKEN) == D("-0.36")


# --- tiers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "whole", "marginal"),
    [
        ("500", "1.5", "1.5"),
        ("999", "2.997", "2.997"),
        ("1000", "2", "3"),
        ("5000", "10", "11"),  # 3 + 4000 * 0.002
        ("9999.99", "19.99998", "20.99998"),
        ("10000", "10", "21"),
        ("25000", "25", "36"),  # 3 + 18 + 15000 * 0.001
    ],
)
def test_a_tier_is_that_of_the_trade_s_value(value: str, whole: str, marginal: str) -> None:
    free = D(0)
    assert charge(TieredCommission(minimum_commission=free), "1", value) == D(whole)
    by_part = TieredCommission(minimum_commission=free, marginal=True)
    assert charge(by_part, "1", value) == D(marginal)


@pytest.mark.parametrize(
    ("volume", "whole", "marginal"),
    [
        ("0", "6", "5"),  # all at 0.3 %; 3 + 1000 * 0.002
        ("500", "6", "4.5"),
        ("1000", "4", "4"),
        ("9000", "4", "3"),
        ("10000", "2", "2"),
    ],
)
def test_a_tier_may_be_that_of_what_was_traded_before(
    volume: str, whole: str, marginal: str
) -> None:
    before = Charged(volume=D(volume))
    for is_marginal, expected in ((False, whole), (True, marginal)):
        model = TieredCommission(basis="cumulative", marginal=is_marginal, minimum_commission=D(0))
        assert model.commission(D(2), D(1000), TAKER, STOCK, before) == D(expected)


def test_tiers_of_one_s_own() -> None:
    tiers = ((D(0), D("0.001")), (D(5000), D("0.0005")), (D(50_000), D("0.0002")))
    model = TieredCommission(tiers=tiers)
    assert charge(model, "100", "49") == D("4.9")
    assert charge(model, "100", "50") == D("2.5")
    assert charge(model, "100", "500") == 10
    assert charge(model, "1", "1") == 1, "the minimum"


def test_what_to_expect_of_a_bounded_order() -> None:
    assert TieredCommission().expected_rate == D("0.003")
    assert TieredCommission().expected(D(1), D(100), STOCK) == 1
    assert TieredCommission().expected(D(1), D(2000), STOCK) == 6
    assert PerShareCommission.expected_rate == 0
    assert PerShareCommission().expected(D(50), D(10_000), STOCK) == 10


@given(
    parts=st.lists(st.integers(1, 5000), min_size=1, max_size=8),
    model=st.sampled_from(
        [
            TieredCommission(marginal=True, minimum_commission=D(0)),
            TieredCommission(basis="cumulative", marginal=True, minimum_commission=D(0)),
        ]
    ),
)
def test_marginal_cumulative_tiers_charge_the_same_however_an_order_is_cut(
    parts: list[int], model: TieredCommission
) -> None:
    charges = Charges(model)
    whole = order(quantity=str(sum(parts)), limit="1")
    charged = sum(charges.charge(whole, STOCK, D(1), D(part), TAKER) for part in parts)
    at_once = charge(model, "1", str(sum(parts)))
    if model.basis == "cumulative":
        assert charged == at_once
    else:
        assert charged >= at_once


# --- what an order was charged before -------------------------------------------------------------


def _charged(model: CommissionModel, *quantities: str, of: str = "1000000") -> list[Decimal]:
    charges = Charges(model)
    mine = order(quantity=of, limit="1")
    return [charges.charge(mine, STOCK, D(1), D(each), TAKER) for each in quantities]


def test_the_minimum_is_that_of_the_order_not_of_each_trade() -> None:
    model = PerShareCommission()  # 0.5, 0.75, 0.25, 0.5 by themselves
    assert _charged(model, "100", "150", "50", "100") == [1, D("0.25"), D("0.25"), D("0.5")]


def test_the_maximum_is_that_of_the_order() -> None:
    assert _charged(PerShareCommission(), "1500", "1000", "9") == [D("7.5"), D("2.5"), 0]


def test_tiers_have_a_minimum_for_the_order() -> None:
    assert _charged(TieredCommission(), "100", "200", "500") == [1, 0, D("1.4")]


def test_each_order_has_its_own_minimum_and_the_next_one_begins_anew() -> None:
    charges = Charges(PerShareCommission())
    first, second = order(quantity="10", limit="1", id="a"), order(quantity="10", limit="1", id="b")
    assert charges.charge(first, STOCK, D(1), D(5), TAKER) == 1
    assert charges.charge(second, STOCK, D(1), D(10), TAKER) == 1
    assert charges.charge(first, STOCK, D(1), D(5), TAKER) == 0
    charges.charge(second, STOCK, D(1), D(1), TAKER)
    charges.forget("b")
    charges.forget("c")
    assert charges.charge(second, STOCK, D(1), D(1), TAKER) == 1


def test_an_order_that_has_ended_is_forgotten() -> None:
    reporter = Reporter("v", PerShareCommission())
    mine = order(quantity="10", limit="1", id="a")
    held = OpenOrder(mine, STOCK, 0, 1, 100, 1000, 1)
    amount = D(1), D(1), TAKER
    assert reporter.trade(held, amount, 0).commission == 1
    reporter.say(ReportKind.ACCEPTED, "a", 0)
    assert reporter.trade(held, amount, 0).commission == 0
    reporter.say(ReportKind.CANCELLED, "a", 0)
    assert reporter.trade(held, amount, 0).commission == 1, "as if it were another order"


def test_the_account_s_volume_outlives_its_orders() -> None:
    charges = Charges(TieredCommission(basis="cumulative", minimum_commission=D(0)))
    for number, expected in enumerate(["1.8", "1.8", "1.2", "1.2"]):
        mine = order(quantity="600", limit="1", id=str(number))
        assert charges.charge(mine, STOCK, D(1), D(600), TAKER) == D(expected)


@attrs.frozen(kw_only=True)
class _ByTheHundred(CommissionModel):
    """One of somebody's own: the account pays 1 for each trade after its first 100 of volume."""

    expected_rate: ClassVar[Decimal] = D(0)
    needs_history: ClassVar[bool] = True

    def commission(
        self,
        price: Decimal,
        quantity: Decimal,
        liquidity: Liquidity,
        instrument: Instrument,
        already: Charged | None = None,
    ) -> Decimal:
        return D(1) if already is not None and already.volume >= 100 else D(0)


def test_a_model_of_one_s_own_may_look_at_the_volume() -> None:
    assert _charged(_ByTheHundred(), "60", "60", "1") == [0, 0, 1]


def _told(client_order_id: str, quantity: Decimal, commission: Decimal) -> ExecutionReport:
    return ExecutionReport(
        client_order_id=client_order_id,
        kind=ReportKind.TRADE,
        venue="v",
        venue_time_ns=0,
        last_quantity=quantity,
        last_price=D(1),
        commission=commission,
    )


_models = st.sampled_from(
    [
        TieredCommission(basis="cumulative"),
        TieredCommission(basis="cumulative", marginal=True, maximum_commission=D(4)),
        TieredCommission(round_to=D("0.01")),
        PerShareCommission(round_to=D("0.1")),
        PercentageCommission(D("0.001")),
    ]
)


@given(
    model=_models,
    trades=st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 700)), max_size=12),
    cut=st.integers(0, 12),
)
def test_a_restart_changes_no_charge(
    model: CommissionModel, trades: list[tuple[str, int]], cut: int
) -> None:
    orders = {each: order(quantity="1000", limit="1", id=each) for each in "abc"}
    calm, charges = Charges(model), Charges(model)
    past: list[PastTrade] = []
    for number, (client_order_id, lots) in enumerate(trades):
        if number == cut:
            charges = Charges(model)
            charges.restore(past)
        mine, quantity = orders[client_order_id], D(lots)
        expected = calm.charge(mine, STOCK, D(1), quantity, TAKER)
        assert charges.charge(mine, STOCK, D(1), quantity, TAKER) == expected
        past.append((mine, STOCK, _told(client_order_id, quantity, expected)))


def test_charges_are_rounded_half_to_even_if_that_is_asked_for() -> None:
    cents = D("0.01")
    model = PercentageCommission(D("0.01"), round_to=cents)
    assert _charged(model, "0.5", "1.5", "2.5", "99.4") == [D(0), D("0.02"), D("0.02"), D("0.99")]
    bounded = PerShareCommission(round_to=cents, minimum_commission=D(0))
    assert _charged(bounded, "1", "1", "1") == [0, D("0.01"), 0], "the total is 0.005, 0.01, 0.015"


# --- the table ------------------------------------------------------------------------------------


def test_the_rate_to_reckon_with_covers_what_is_charged() -> None:
    assert NoCommission.expected_rate == FixedCommission.expected_rate == 0
    assert PerUnitCommission.expected_rate == 0
    assert PercentageCommission(D("0.002")).expected_rate == D("0.002")
    assert MakerTakerCommission(maker=D("0.1"), taker=D("0.2")).expected_rate == D("0.2")
    assert PolymarketCommission(rate=D("0.07")).expected_rate == D("0.07")


@given(
    price=st.decimals(min_value=0, max_value=1, places=4),
    quantity=_AMOUNT,
    rate=st.decimals(min_value=0, max_value=1, places=4),
)
def test_no_polymarket_fee_exceeds_what_was_expected(
    price: Decimal, quantity: Decimal, rate: Decimal
) -> None:
    model = PolymarketCommission(rate=rate)
    fee = model.commission(price, quantity, TAKER, TOKEN)
    assert 0 <= fee <= model.expected(price, quantity, TOKEN)
    assert fee <= price * quantity * model.expected_rate


@pytest.mark.parametrize(
    ("model", "options", "words"),
    [
        (PercentageCommission, {"rate": D("NaN")}, "rate: expected a number, found NaN"),
        (FixedCommission, {"cost_per_trade": D(-1)}, "cost_per_trade: expected 0 or more"),
        (PerUnitCommission, {"amount": D(-1)}, "amount: expected 0 or more, found -1"),
        (MakerTakerCommission, {"maker": D("sNaN"), "taker": D(0)}, "maker: expected a number"),
        (PolymarketCommission, {"rate": D(2)}, "rate: expected a number from 0 to 1, found 2"),
        (TieredCommission, {"tiers": ()}, "tiers: expected at least one, found none"),
        (TieredCommission, {"tiers": ((D(5), D(0)),)}, "expected the first one to begin at 0"),
        (
            TieredCommission,
            {"tiers": ((D(0), D(0)), (D(0), D(1)))},
            "tiers: expected rising amounts, found 0 after 0",
        ),
        (TieredCommission, {"tiers": ((D("NaN"), D(0)),)}, "tiers: expected amounts, found NaN"),
        (TieredCommission, {"tiers": ((D(0), D(-1)),)}, "tiers: expected rates of 0 or more"),
        (
            PerShareCommission,
            {"maximum_commission": D("0.5")},
            r"maximum_commission: expected 1.0 or more, found 0.5",
        ),
        (PerShareCommission, {"maximum_commission": D(-1)}, "expected 0 or more, found -1"),
        (NoCommission, {"round_to": D(0)}, "round_to: expected more than 0, found 0"),
    ],
)
def test_options_that_make_no_sense_are_told(
    model: type[CommissionModel], options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        model(**options)


def test_models_are_found_by_name() -> None:
    assert list(COMMISSIONS) == [
        "none",
        "fixed",
        "percentage",
        "tiered",
        "per_share",
        "per_unit",
        "maker_taker",
        "polymarket",
    ]
    assert all(names[0] in COMMISSIONS for names in COMMISSION_ALIASES.values())
    assert TieredCommission().tiers == DEFAULT_TIERS
    assert TieredCommission().minimum_commission == 1
