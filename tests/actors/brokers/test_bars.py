from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.brokers.market.shown import Bar
from actors.brokers.matching.bar_fills import (
    FillPolicy,
    limit_price,
    market_price,
    moment,
    path,
    stop_price,
)
from actors.brokers.models.slippage import FixedSlippage
from actors.brokers.simulated import SimulatedBrokerConfig
from actors.messages.trading import ReportKind
from actors.model.order import Order, OrderType, TimeInForce
from tests.actors.brokers.desks import (
    ACCEPTED,
    CANCELLED,
    Desk,
    buy,
    maker,
    sell,
    taker,
    told,
)
from tests.builders import START_NS

CONSERVATIVE, NEXT_OPEN = FillPolicy.CONSERVATIVE, FillPolicy.NEXT_OPEN
CLOSE, OHLC4, ADAPTIVE = FillPolicy.CLOSE, FillPolicy.OHLC4, FillPolicy.ADAPTIVE_PATH
_WAITING = [CONSERVATIVE, NEXT_OPEN, OHLC4, ADAPTIVE]
_BAR = (100, 111, 90, 104)
_IMMEDIATE = [TimeInForce.IOC, TimeInForce.FAK, TimeInForce.FOK]


def desk_of(policy: FillPolicy, **options: Any) -> Desk:
    return Desk(SimulatedBrokerConfig(bars=policy, **options))


@pytest.mark.parametrize(
    ("policy", "bought", "sold"),
    [
        (CONSERVATIVE, "1.11", "0.90"),
        (NEXT_OPEN, "1.00", "1.00"),
        (OHLC4, "1.0125", "1.0125"),
        (ADAPTIVE, "1.00", "1.00"),
    ],
)
def test_a_market_order_meets_the_next_bar(policy: FillPolicy, bought: str, sold: str) -> None:
    desk = desk_of(policy)
    desk.show(lambda tape: tape.bar(50, 60, 40, 55))
    assert told(desk.place(buy(3, id="a"))) == [ACCEPTED]
    assert told(desk.place(sell(3, id="b"))) == [ACCEPTED]
    outputs = desk.show(lambda tape: tape.bar(*_BAR, 1000).bar(1, 1, 1, 1))
    assert [Decimal(each.last_price) for each in outputs] == [Decimal(bought), Decimal(sold)]
    assert {each.venue_time_ns for each in outputs} == {START_NS}


def test_under_close_a_market_order_trades_at_the_close_of_the_bar_it_was_decided_at() -> None:
    desk = desk_of(CLOSE)
    desk.show(lambda tape: tape.bar(*_BAR))
    assert told(desk.place(buy(3))) == [taker(3, "1.04")]


def test_where_nothing_was_traded_the_mean_is_the_close() -> None:
    desk = desk_of(OHLC4)
    desk.place(buy(3))
    assert told(desk.show(lambda tape: tape.bar(*_BAR, 0))) == [taker(3, "1.04")]


@pytest.mark.parametrize("policy", [*_WAITING, CLOSE])
def test_the_first_bar_of_all_is_met_like_any_other(policy: FillPolicy) -> None:
    desk = desk_of(policy)
    assert told(desk.place(buy(3, "1.05", id="a"))) == [ACCEPTED]
    desk.place(buy(3, "0.50", id="b"))
    outputs = desk.show(lambda tape: tape.bar(*_BAR))
    trade = taker(3, "1.04") if policy is CLOSE else maker(3, "1.00")
    assert told(outputs) == [trade, ACCEPTED]
    assert outputs[1].reason == "rests"


@pytest.mark.parametrize("policy", _WAITING)
def test_a_limit_order_waits_for_the_next_bar_as_a_resting_one(policy: FillPolicy) -> None:
    desk = desk_of(policy)
    desk.show(lambda tape: tape.bar(100, 100, 100, 100))
    [accepted] = desk.place(buy(3, "1.20"))
    assert accepted.reason == ""
    assert told(desk.show(lambda tape: tape.bar(110, 130, 90, 100))) == [maker(3, "1.10")]


@pytest.mark.parametrize("in_force", _IMMEDIATE)
def test_the_next_bar_is_the_moment_of_what_must_fill_at_once(in_force: TimeInForce) -> None:
    desk = desk_of(NEXT_OPEN, max_volume_pct=Decimal("0.1"))
    desk.show(lambda tape: tape.bar(100, 100, 100, 100))
    for name, asked in (
        ("market", buy(7, time_in_force=in_force)),
        ("beyond", buy(7, "0.99", time_in_force=in_force)),
        ("within", buy(7, "1.00", time_in_force=in_force)),
    ):
        order = _named(asked, name)
        [accepted] = desk.place(order)
        assert accepted.reason == "waits for a price"
        outputs = told(desk.show(lambda tape: tape.bar(*_BAR, 50)))
        parts = [] if in_force is TimeInForce.FOK or name == "beyond" else [taker(5, "1.00")]
        assert outputs == [*parts, CANCELLED]
    whole = _named(buy(5, time_in_force=in_force), "whole")
    desk.place(whole)
    assert told(desk.show(lambda tape: tape.bar(*_BAR, 59))) == [taker(5, "1.00")]


def _named(of: Order, name: str) -> Order:
    return buy(
        int(of.quantity),
        None if of.limit_price is None else str(of.limit_price),
        id=name,
        time_in_force=of.time_in_force,
    )


def test_a_quote_after_a_bar_is_met_at_once() -> None:
    desk = desk_of(NEXT_OPEN)
    desk.show(lambda tape: tape.bar(100, 100, 100, 100).quote(99, 101, 5, 5))
    assert told(desk.place(buy(2, id="a"))) == [taker(2, "1.01")]
    desk.show(lambda tape: tape.bar(100, 100, 100, 100))
    assert told(desk.place(buy(2, id="b"))) == [ACCEPTED]
    assert told(desk.show(lambda tape: tape.quote(99, 103, 5, 5))) == [taker(2, "1.03")]


def test_the_last_bar_is_known_across_slices_and_instruments() -> None:
    desk = desk_of(NEXT_OPEN)
    desk.show(lambda tape: tape.bar(100, 100, 100, 100).trade(99).bar(7, 7, 7, 7))
    desk.show(lambda tape: tape.trade(98))
    assert told(desk.place(buy(2, id="a"))) == [ACCEPTED]
    desk.show(lambda tape: tape.quote(99, 101).trade(98))
    desk.show(lambda tape: tape.trade(98))
    assert told(desk.place(buy(2, id="b"))) == [taker(2, "1.01")]


# --- volume ------------------------------------------------------------------------------------


def test_a_bar_has_room_for_a_share_of_its_volume_and_the_rest_stays() -> None:
    desk = desk_of(NEXT_OPEN, max_volume_pct=Decimal("0.1"))
    desk.show(lambda tape: tape.bar(100, 100, 100, 100))
    desk.place(buy(12, id="a"))
    desk.place(sell(3, id="b"))
    desk.place(buy(2, "0.95", id="c"))
    outputs = desk.show(
        lambda tape: tape.bar(*_BAR, 99).bar(101, 101, 101, 101, 4).bar(102, 102, 102, 102, -1)
    )
    assert [(each.client_order_id, each.last_quantity) for each in outputs] == [
        ("a", 9),
        ("a", 3),
        ("b", 3),
    ]
    assert [held.order.client_order_id for held in desk.broker.open_orders()] == ["c"]
    assert told(desk.show(lambda tape: tape.bar(95, 95, 95, 95, 30))) == [maker(2, "0.95")]


def test_orders_at_one_close_share_its_volume() -> None:
    desk = desk_of(CLOSE, max_volume_pct=Decimal("0.5"))
    desk.show(lambda tape: tape.bar(*_BAR, 10))
    assert told(desk.place(buy(3, id="a"))) == [taker(3, "1.04")]
    assert told(desk.place(sell(3, id="b"))) == [ACCEPTED, taker(2, "1.04")]
    assert told(desk.place(buy(3, id="c", time_in_force=TimeInForce.FOK))) == [ACCEPTED, CANCELLED]
    assert told(desk.show(lambda tape: tape.bar(*_BAR, 10))) == [taker(1, "1.04")]


def test_quotes_have_room_for_a_share_of_their_size() -> None:
    desk = Desk(SimulatedBrokerConfig(max_volume_pct=Decimal("0.5")))
    desk.show(lambda tape: tape.quote(99, 101, 7, 7))
    assert told(desk.place(buy(5, id="a"))) == [ACCEPTED, taker(3, "1.01")]
    assert told(desk.place(buy(1, id="b"))) == [ACCEPTED]
    book = [(101, 4), (102, 9)]
    desk.show(lambda tape: tape.book([(99, 5)], book, is_snapshot=True).quote(99, 101, 5, 4))
    assert desk.broker.open_orders() == []
    assert told(desk.place(buy(9, "1.02", id="c"))) == [ACCEPTED, taker(3, "1.02")]


# --- slippage ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "clamped", "free"),
    [(buy(1), "1.11", "1.500"), (sell(1), "0.90", "0.500"), (buy(1, "1.05"), "1.00", "1.00")],
)
def test_slippage_stays_in_the_bar_unless_it_may_leave(
    asked: Order, clamped: str, free: str
) -> None:
    for allow, price in ((False, clamped), (True, free)):
        slippage = FixedSlippage(price_impact=Decimal("0.5"))
        desk = desk_of(NEXT_OPEN, slippage=slippage, allow_outside_bar=allow)
        desk.show(lambda tape: tape.bar(*_BAR))
        desk.place(asked)
        [trade] = desk.show(lambda tape: tape.bar(*_BAR))
        assert trade.last_price == Decimal(price)


def test_a_post_only_order_is_refused_at_the_last_close_and_rests_else() -> None:
    desk = desk_of(NEXT_OPEN)
    desk.show(lambda tape: tape.bar(*_BAR))
    [refused] = desk.place(buy(1, "1.04", order_type=OrderType.POST_ONLY))
    assert refused.kind is ReportKind.REJECTED
    assert told(desk.place(buy(1, "1.03", id="b", order_type=OrderType.POST_ONLY))) == [ACCEPTED]
    assert told(desk.show(lambda tape: tape.bar(*_BAR))) == [maker(1, "1.00")]


# --- the way through a bar ---------------------------------------------------------------------


@st.composite
def _bars(draw: st.DrawFn) -> Bar:
    low, high = sorted(draw(st.tuples(st.integers(1, 40), st.integers(1, 40))))
    inside = st.integers(low, high)
    return Bar(draw(inside), high, low, draw(inside), draw(st.integers(-1, 9)))


@given(bar=_bars(), ticks=st.integers(0, 41), sign=st.sampled_from([1, -1]))
def test_prices_are_in_the_bar_and_never_better_than_stop_or_worse_than_limit(
    bar: Bar, ticks: int, sign: int
) -> None:
    for policy in FillPolicy:
        quarters = market_price(bar, policy, sign)
        assert 4 * bar.low <= quarters <= 4 * bar.high
        if (bar.high if sign > 0 else -bar.low) >= sign * ticks:
            woken = stop_price(bar, policy, ticks, sign)
            assert (woken - 4 * ticks) * sign >= 0
            assert 4 * bar.low <= woken <= 4 * bar.high or ticks not in range(bar.low, bar.high)
    price = limit_price(bar, ticks, sign)
    reaches = (bar.low if sign > 0 else -bar.high) <= sign * ticks
    assert (price is not None) == reaches
    if price is not None:
        assert (ticks - price) * sign >= 0
        assert price == ticks or price == bar.open


@given(bar=_bars(), ticks=st.integers(0, 41), direction=st.sampled_from([1, -1]))
def test_the_way_goes_to_the_nearer_extreme_first_and_meets_what_is_in_the_bar(
    bar: Bar, ticks: int, direction: int
) -> None:
    way = path(bar)
    assert (way[0], way[3]) == (bar.open, bar.close)
    assert sorted(way[1:3]) == [bar.low, bar.high]
    assert abs(way[1] - bar.open) <= abs(way[2] - bar.open)
    steps = [(0, 0, way[0])]
    for leg in range(3):
        begin, end = way[leg], way[leg + 1]
        step = 1 if end > begin else -1
        steps += [(leg, n, begin + step * n) for n in range(1, abs(end - begin) + 1)]
    met = [(leg, n) for leg, n, at in steps if (at - ticks) * direction >= 0]
    found = moment(bar, ticks, direction)
    assert found == (met[0] if met else None)
    for after in [(leg, n) for leg, n, _ in steps]:
        later = [each for each in met if each >= after]
        assert (moment(bar, ticks, direction, after) is None) == (not later)
