"""Splits, merges and redemptions: exact to the digit in cash, or refused with every reason."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.messages.account import ConversionKind, ConvertTokens, EquityMarked, PositionChanged
from actors.messages.system import Halt
from actors.messages.trading import Fill, SignalRefused, Violation
from actors.model.instrument import Instrument, InstrumentId, Instruments, Outcome
from actors.model.order import Liquidity, Side
from actors.portfolio.account import new_account
from actors.portfolio.booking.conversions import Conversions
from actors.portfolio.config import EquitySampling
from actors.portfolio.portfolio import Portfolio
from actors.portfolio.reporting.pairs import PairBook
from tests.actors.portfolio.accounts import (
    COIN,
    EURUSD,
    NO,
    OTHER_NO,
    OTHER_YES,
    YES,
    config,
    core,
    fills_of,
    tape,
)
from tests.actors.portfolio.builders import fill, only, see, signal

SPLIT, MERGE, REDEEM = ConversionKind


def request(
    kind: ConversionKind,
    quantity: str = "10",
    instrument: str = YES,
    *,
    number: int = 1,
    strategy: str = "cross",
) -> ConvertTokens:
    return ConvertTokens(
        request_id=f"run-{strategy}-convert-{number}",
        strategy=strategy,
        kind=kind,
        instrument=instrument,
        quantity=Decimal(quantity),
    )


def holding(**terms: Any) -> Portfolio:
    booked = core(**terms)
    booked.handle(fill(1, quantity="10", price="0.40", instrument=YES), 0)
    booked.handle(fill(2, quantity="12", price="0.50", instrument=NO), 0)
    see(booked, tape().quote(1, "0.46", "0.49", YES).rows())
    return booked


def resolve(booked: Portfolio, payoff: str, instrument: str = YES, at_ns: int = 9) -> list[Any]:
    rows = tape().resolution(at_ns, payoff, instrument).rows()
    assert booked.look(rows, 0, 1) == 0
    booked.advance(rows, 1)
    return [*booked.react(rows, 0, at_ns)]


def refusal(booked: Portfolio, one: ConvertTokens) -> list[Violation]:
    refused = only(booked.handle(one, 5), SignalRefused)
    assert refused.signal_id == one.request_id
    return list(refused.violations)


def policies(booked: Portfolio, one: ConvertTokens) -> list[str]:
    return [violation.policy for violation in refusal(booked, one)]


# --- what is done --------------------------------------------------------------------------------


def test_a_merge_makes_one_of_each_outcome_into_one_of_cash() -> None:
    booked = holding()
    cash = booked.cash
    outputs = booked.handle(request(MERGE, "10", NO), 7)
    assert [type(each) for each in outputs] == [Fill, PositionChanged] * 2
    yes, no = fills_of(outputs)
    assert (yes.instrument, yes.last_price, no.instrument) == (YES, Decimal("0.475"), NO)
    assert yes.last_price + no.last_price == 1
    for leg in (yes, no):
        assert (leg.side, leg.last_quantity, leg.commission) == (Side.SELL, Decimal(10), Decimal(0))
        assert leg.liquidity is Liquidity.CONVERSION
        assert (leg.reason, leg.venue_time_ns) == ("merge", 7)
    assert booked.cash == cash + 10
    assert [each.quantity for each in booked.positions()] == [2, 0]
    assert sum(each.realized_pnl for each in booked.positions()) == 10 - 4 - 5
    assert booked.statistics().conversions == 1


def test_a_split_makes_one_of_cash_into_one_of_each_outcome() -> None:
    booked = core()
    outputs = booked.handle(request(SPLIT, "30"), 7)
    assert [each.side for each in fills_of(outputs)] == [Side.BUY, Side.BUY]
    assert booked.cash == 970
    assert [(p.instrument, p.quantity, p.cost) for p in booked.positions()] == [
        (NO, Decimal(30), Decimal(15)),
        (YES, Decimal(30), Decimal(15)),
    ]
    assert booked.equity() == 1000


@pytest.mark.parametrize(
    ("bid", "instrument", "price"),
    [("0.30", YES, "0.30"), ("0.30", NO, "0.70"), ("1.40", YES, "1"), ("1.40", NO, "0")],
)
def test_the_one_is_divided_at_the_mark(bid: str, instrument: str, price: str) -> None:
    booked = core()
    see(booked, tape().quote(1, bid, bid, instrument).rows())
    yes, no = fills_of(booked.handle(request(SPLIT, "5"), 2))
    assert (yes.last_price, no.last_price) == (Decimal(price), 1 - Decimal(price))


@given(
    st.integers(1, 5000).map(lambda lots: Decimal(lots).scaleb(-1)),
    st.integers(0, 100),
    st.integers(0, 100),
)
@settings(deadline=None, max_examples=50)
def test_a_split_and_its_merge_leave_the_cash_as_it_was(
    quantity: Decimal, first: int, second: int
) -> None:
    booked = core()
    for number, (kind, ticks) in enumerate(((SPLIT, first), (MERGE, second))):
        price = str(Decimal(ticks).scaleb(-2))
        see(booked, tape().quote(number + 1, price, price, YES).rows())
        booked.handle(request(kind, str(quantity), number=number), number + 1)
        assert booked.cash == 1000 - (quantity if kind is SPLIT else 0)
    assert booked.cash == 1000
    assert sum(each.realized_pnl for each in booked.positions()) == 0


def test_the_same_request_is_carried_out_once() -> None:
    booked = core()
    outputs = booked.handle(request(SPLIT, "5"), 2)
    assert booked.handle(request(SPLIT, "5"), 3) == []
    for leg in fills_of(outputs):
        assert booked.handle(leg, 3) == []  # our own fills come back by the common way
    statistics = booked.statistics()
    assert booked.cash == 995
    assert (statistics.conversions, statistics.duplicate_fills) == (1, 0)
    assert statistics.duplicate_signals == 1


def test_a_conversion_is_a_change_of_the_equity_curve() -> None:
    booked = core(equity=EquitySampling.ON_CHANGE)
    assert isinstance(booked.handle(request(SPLIT, "5"), 2)[-1], EquityMarked)


# --- redemptions ---------------------------------------------------------------------------------


def test_tokens_may_wait_for_their_redemption() -> None:
    booked = holding(auto_redeem=False)
    assert resolve(booked, "1") == []
    assert booked.mark(YES) == 1
    (leg,) = fills_of(booked.handle(request(REDEEM, "4"), 11))
    assert (leg.side, leg.last_price, leg.liquidity) == (
        Side.SELL,
        Decimal(1),
        Liquidity.SETTLEMENT,
    )
    assert booked.cash == 990 + 4
    assert booked.positions()[1].quantity == 6
    late = fill(8, quantity="1", price="0.40", instrument=YES)
    assert len(booked.handle(late, 12)) == 1  # nor is a late fill settled by itself
    assert booked.handle(request(REDEEM, "7", number=2), 13)
    assert booked.get_position(YES) == 0


def test_by_default_nothing_is_left_to_redeem() -> None:
    booked = holding()
    assert len(fills_of(resolve(booked, "1"))) == 1
    assert refusal(booked, request(REDEEM, "1")) == [Violation("Conversion", "0 YES", "1")]


def test_a_market_must_have_resolved() -> None:
    assert policies(holding(), request(REDEEM, "1")) == ["Resolved"]
    assert policies(holding(), request(REDEEM, "11")) == ["Resolved", "Conversion"]


def test_pairs_may_be_merged_after_the_resolution_too() -> None:
    booked = holding(auto_redeem=False)
    resolve(booked, "0")
    yes, no = fills_of(booked.handle(request(MERGE), 11))
    assert (yes.last_price, no.last_price) == (Decimal(0), Decimal(1))


# --- refusals ------------------------------------------------------------------------------------


def test_tokens_that_are_being_sold_cannot_be_merged() -> None:
    booked = holding()
    booked.handle(signal(9, Side.SELL, "3", limit="0.60", instrument=YES), 1)
    assert refusal(booked, request(MERGE, "8")) == [Violation("Conversion", "7 YES", "8")]
    assert fills_of(booked.handle(request(MERGE, "7", number=2), 6))


def test_every_token_that_is_missing_is_named() -> None:
    assert refusal(holding(), request(MERGE, "13")) == [
        Violation("Conversion", "10 YES", "13"),
        Violation("Conversion", "12 NO", "13"),
    ]
    assert policies(holding(), request(MERGE, "1", strategy="other")) == ["Conversion"] * 2


def test_a_split_needs_the_cash() -> None:
    booked = core("20")
    booked.handle(signal(1, quantity="20", limit="0.50"), 0)
    assert refusal(booked, request(SPLIT, "11")) == [Violation("CashLimit", "10", "11")]
    assert policies(core(fx={"USDC": EURUSD}), request(SPLIT, "1")) == ["Rate"]


def test_a_resolved_market_cannot_be_split() -> None:
    booked = core()
    resolve(booked, "1")
    assert policies(booked, request(SPLIT)) == ["Resolved"]


def test_a_split_is_no_way_past_a_halt() -> None:
    booked = holding()
    booked.handle(Halt("enough"), 1)
    assert policies(booked, request(SPLIT)) == ["Halted"]
    assert fills_of(booked.handle(request(MERGE, "1", number=2), 2))


@pytest.mark.parametrize(
    ("kind", "quantity", "instrument", "expected"),
    [
        (MERGE, "0", YES, "Size"),
        (SPLIT, "-1", YES, "Size"),
        (SPLIT, "0.05", YES, "Size"),
        (SPLIT, "NaN", YES, "Size"),
        (SPLIT, "Infinity", YES, "Size"),
        (MERGE, "NaN", YES, "Size"),
        (REDEEM, "NaN", YES, "Size"),
        (SPLIT, "1", COIN, "Conversion"),
        (MERGE, "1", "UNHEARD", "Instrument"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(
    kind: ConversionKind, quantity: str, instrument: str, expected: str
) -> None:
    booked = holding()
    assert policies(booked, request(kind, quantity, instrument)) == [expected]
    assert booked.statistics().refused_conversions == 1
    assert booked.statistics().refused_signals == 0
    assert booked.cash == 990


def test_a_token_without_a_partner_cannot_be_converted() -> None:
    booked = core()
    booked.handle(fill(1, quantity="2", price="0.40", instrument=OTHER_YES), 0)
    assert policies(booked, request(MERGE, "1", OTHER_NO)) == ["Conversion"]
    lone = Instruments()
    lone.add(
        Instrument(
            id=InstrumentId("LONE"),
            venue="venue",
            symbol="lone",
            outcome=Outcome.YES,
            complement=InstrumentId("UNHEARD"),
        )
    )
    account = new_account(config(), lone)
    refused = Conversions(account).decide(request(SPLIT, "1", "LONE"), 1)
    assert isinstance(refused, SignalRefused)
    assert PairBook(lone, account.ledger, account.reservations).pair("LONE") is None
