from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from actors.model.order import Side
from actors.strategies.yes_no import (
    MarketSnapshot,
    OracleParameters,
    OracleView,
    PairPosition,
    Rank,
    Top,
    TradeSignal,
    YesNoParameters,
    decide,
    evaluate_strategy,
)
from actors.strategies.yes_no.arbitrage import synthetic_arbitrage
from actors.strategies.yes_no.sizing import cost
from tests.actors.strategies.yes_no.rooms import NO, YES, asks, holding, market, top

ORACLE = OracleParameters(instrument="BTC", width=Decimal(100), strike=Decimal(60_000))
UP = OracleView(price=Decimal(60_080), reference=Decimal(60_000))


def parameters(**given: Any) -> YesNoParameters:
    return YesNoParameters(**given)


# --- the order in which the rules are asked -------------------------------------------------------


def test_a_locked_profit_ends_all_trading() -> None:
    # an arbitrage of 0.2 a pair lies there, but 10 is certain
    position = holding("100", "100", ("40", "50"))
    decision = decide(asks("0.4", "0.4"), position, parameters())
    assert (decision.rank, decision.signals) == (Rank.PROFIT_LOCK, ())
    assert evaluate_strategy(asks("0.4", "0.4"), position, parameters()) is None


def test_a_stop_ends_all_buying() -> None:
    position = holding("200", "0", ("80", "0"))
    decision = decide(asks("0.4", "0.4"), position, parameters())
    assert (decision.rank, decision.signals) == (Rank.STOP_LOSS, ())
    assert decision.reason == "stop loss: 80 can be lost, 50 may be"
    exits = decide(asks("0.4", "0.4"), position, parameters(stop_exit=True))
    assert [(each.action, each.rank) for each in exits.signals] == [(Side.SELL, Rank.STOP_LOSS)]


def test_an_arbitrage_goes_before_the_inventory_and_asks_no_oracle() -> None:
    found = evaluate_strategy(asks("0.4", "0.5"), holding(), parameters(oracle=ORACLE))
    assert found is not None
    assert [each.rank for each in found] == [Rank.SYNTHETIC_ARBITRAGE] * 2


def test_the_inventory_asks_the_oracle() -> None:
    snapshot = asks("0.6", "0.41", UP)  # NO is cheap, but worth 0.1
    decision = decide(snapshot, holding(), parameters(oracle=ORACLE))
    assert (decision.rank, decision.signals) == (Rank.BOOTSTRAP, ())
    assert [each.reason for each in decision.dropped] == [
        "oracle: NO is worth 0.1000, costs 0.4100"
    ]
    assert evaluate_strategy(snapshot, holding(), parameters(oracle=ORACLE)) is None


def test_the_oracle_chooses_between_two_first_sides() -> None:
    snapshot = asks("0.5", "0.5", UP)
    (first,) = evaluate_strategy(snapshot, holding(), parameters(oracle=ORACLE)) or []
    assert (first.side, first.rank) == (YES, Rank.BOOTSTRAP)
    (cheaper,) = evaluate_strategy(asks("0.51", "0.5"), holding(), parameters()) or []
    assert cheaper.side is NO


@pytest.mark.parametrize("snapshot", [market(None, top()), market(top(), None), market(None, None)])
def test_nothing_is_decided_on_books_that_are_not_in_sync(snapshot: MarketSnapshot) -> None:
    assert not snapshot.sync_status
    position = holding("200", "0", ("80", "0"))
    assert evaluate_strategy(snapshot, position, parameters(stop_exit=True)) is None


def test_there_may_be_nothing_to_say() -> None:
    decision = decide(asks("0.6", "0.6"), holding(), parameters())
    assert (decision.rank, decision.signals, decision.dropped) == (None, (), ())


def test_ranks_are_named_after_the_rules() -> None:
    assert [rank.rule for rank in Rank] == [
        "profit_lock",
        "stop_loss",
        "leg",
        "synthetic_arbitrage",
        "bootstrap",
        "hedge",
        "average_down",
    ]


def test_an_average_of_nothing_is_nothing() -> None:
    assert holding().average_cost(YES) == holding().average_cost(NO) == 0


# --- whatever the market does ---------------------------------------------------------------------

prices = st.integers(1, 99).map(lambda ticks: Decimal(ticks) / 100)
sizes = st.none() | st.integers(0, 4000).map(lambda lots: Decimal(lots) / 100)
amounts = st.integers(0, 30_000).map(lambda lots: Decimal(lots) / 100)
maybe = st.none() | prices


@st.composite
def tops(draw: st.DrawFn) -> Top:
    return Top(
        bid=draw(maybe),
        ask=draw(maybe),
        bid_size=draw(sizes),
        ask_size=draw(sizes),
        min_size=draw(st.sampled_from([Decimal(0), Decimal(5)])),
        curve_fee_rate=draw(st.sampled_from([Decimal(0), Decimal("0.072")])),
    )


@st.composite
def positions(draw: st.DrawFn) -> PairPosition:
    held = [draw(amounts) for _ in range(2)]
    paid = [each * draw(prices) for each in held]
    return PairPosition(
        Qy=held[0],
        Qn=held[1],
        Cy=paid[0],
        Cn=paid[1],
        fees=draw(st.sampled_from([Decimal(0), Decimal(1)])),
        pending_yes=draw(st.booleans()),
        pending_no=draw(st.booleans()),
    )


snapshots = st.builds(
    MarketSnapshot,
    yes=st.none() | tops(),
    no=st.none() | tops(),
    oracle=st.none() | st.just(UP),
)
settings = st.builds(
    YesNoParameters,
    max_size=st.integers(1, 60).map(Decimal),
    max_position=st.integers(1, 320).map(Decimal),
    inventory_size=st.integers(1, 40).map(Decimal),
    lock_profit=st.none() | st.integers(1, 20).map(Decimal),
    max_loss=st.none() | st.integers(0, 60).map(Decimal),
    fee_rate=st.sampled_from([Decimal(0), Decimal("0.01")]),
    stop_exit=st.booleans(),
    oracle=st.none() | st.just(ORACLE),
)


@given(snapshots, positions(), settings)
def test_an_order_stays_within_its_bounds(
    snapshot: MarketSnapshot, position: PairPosition, given_: YesNoParameters
) -> None:
    for signal in evaluate_strategy(snapshot, position, given_) or []:
        assert snapshot.sync_status
        book = snapshot.top(signal.side)
        assert not position.is_pending(signal.side)
        assert signal.size > 0
        assert signal.size % book.lot == 0
        assert signal.size >= book.min_size
        if signal.action is Side.BUY:
            assert (signal.price, signal.rank > Rank.STOP_LOSS) == (book.ask, True)
            assert signal.size <= given_.max_size
            assert position.quantity(signal.side) + signal.size <= given_.max_position
            assert book.ask_size is None or signal.size <= book.ask_size
        else:
            assert (signal.price, signal.rank) == (book.bid, Rank.STOP_LOSS)
            assert signal.size <= position.quantity(signal.side)


@given(snapshots, positions(), settings)
def test_the_order_of_the_rules_is_kept(
    snapshot: MarketSnapshot, position: PairPosition, given_: YesNoParameters
) -> None:
    found = evaluate_strategy(snapshot, position, given_) or []
    assert len({each.rank for each in found}) <= 1
    assert len({each.side for each in found}) == len(found) <= 2


def filled(position: PairPosition, signals: list[TradeSignal], fees: Decimal) -> PairPosition:
    """Return the position after orders that filled whole, at their limits."""
    held = {YES: [position.Qy, position.Cy], NO: [position.Qn, position.Cn]}
    for signal in signals:
        assert signal.action is Side.BUY
        held[signal.side][0] += signal.size
        held[signal.side][1] += signal.size * signal.price
    (yes, paid_yes), (no, paid_no) = held[YES], held[NO]
    return PairPosition(
        Qy=yes, Qn=no, Cy=paid_yes, Cn=paid_no, fees=position.fees + fees
    )  # fmt: skip


@given(st.lists(st.builds(MarketSnapshot, yes=tops(), no=tops()), max_size=30), settings)
def test_a_locked_profit_never_shrinks(
    moments: list[MarketSnapshot], given_: YesNoParameters
) -> None:
    """Whatever comes, all filled at the limits: what is certain stays once it is enough."""
    assume(given_.lock_profit is not None and not given_.stop_exit)
    wanted = given_.lock_profit or Decimal(0)
    position, locked = PairPosition(), None
    for snapshot in moments:
        signals = evaluate_strategy(snapshot, position, given_) or []
        fees = sum(
            ((cost(s.price, snapshot.top(s.side), given_) - s.price) * s.size for s in signals),
            Decimal(0),
        )
        before, position = position, filled(position, signals, fees)
        if locked is not None:
            assert position == before
            assert position.guaranteed_profit == locked
        elif position.guaranteed_profit >= wanted:
            locked = position.guaranteed_profit


cheap = st.integers(5, 48).map(lambda ticks: top("0.01", str(Decimal(ticks) / 100)))


@given(st.builds(MarketSnapshot, yes=cheap, no=cheap), amounts, amounts)
def test_an_arbitrage_that_fills_makes_more_certain(
    snapshot: MarketSnapshot, yes: Decimal, no: Decimal
) -> None:
    position = PairPosition(Qy=yes, Qn=no, Cy=yes / 2, Cn=no / 2)
    signals = synthetic_arbitrage(snapshot, position, YesNoParameters())
    after = filled(position, signals, Decimal(0))
    gained = after.guaranteed_profit - position.guaranteed_profit
    assert len(signals) == 2
    assert gained > YesNoParameters().min_edge * signals[0].size
