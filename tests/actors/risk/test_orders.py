from decimal import Decimal

import pytest

from actors.messages.trading import Violation
from actors.model.order import Order, OrderType, Side
from actors.risk.orders import MaxOpenOrders, MaxOrderNotional, MaxOrderSize, OrderRate
from actors.risk.scope import OrdersPer
from actors.risk.view import Approved
from tests.actors.risk.requests import Seen, request, token, working


def test_an_order_may_be_as_large_as_the_limit_and_no_larger() -> None:
    policy = MaxOrderSize(max_size=Decimal(10))
    assert policy.check(request(quantity="10")) is None
    assert policy.check(request(quantity="10.5")) == Violation("MaxOrderSize", "10", "10.5")


def test_the_value_of_an_order_counts_its_multiplier_and_its_currency() -> None:
    policy = MaxOrderNotional(max_notional=Decimal(100))
    assert policy.check(request(quantity="200", price="0.50")) is None
    assert policy.check(request(quantity="201")) == Violation("MaxOrderNotional", "100", "100.5")
    ten_barrels = token(multiplier="10")
    found = policy.check(request(quantity="21", instrument=ten_barrels))
    assert found == Violation("MaxOrderNotional", "100", "105")
    dear = Seen(rates={"USD": "4"})
    assert policy.check(request(quantity="51", view=dear)) is not None


def test_closing_orders_are_limited_too() -> None:
    assert MaxOrderSize(max_size=Decimal(5)).check(request(Side.SELL, opening="0")) is not None


def at_work(*names: str, strategy: str = "cross", instrument: str = "YES") -> Seen:
    return Seen(
        at_work=tuple(
            working(name, Side.BUY, "1", "0.40", strategy=strategy, instrument=instrument)
            for name in names
        )
    )


def test_only_so_many_orders_are_open_at_a_time() -> None:
    policy = MaxOpenOrders(max_orders=2)
    assert policy.check(request(view=at_work("a"))) is None
    assert policy.check(request(view=at_work("a", "b"))) == Violation("MaxOpenOrders", "2", "3")


def test_a_change_is_no_further_open_order() -> None:
    assert MaxOpenOrders(max_orders=2).check(request(view=at_work("a", "mine"))) is None


def test_open_orders_are_counted_per_strategy_or_instrument() -> None:
    per_strategy = MaxOpenOrders(max_orders=1, per=OrdersPer.STRATEGY)
    assert per_strategy.check(request(view=at_work("a", strategy="other"))) is None
    assert per_strategy.check(request(view=at_work("a"))) is not None
    per_instrument = MaxOpenOrders(max_orders=1, per=OrdersPer.INSTRUMENT)
    assert per_instrument.check(request(view=at_work("a", instrument="NO"))) is None
    assert per_instrument.check(request(view=at_work("a", strategy="other"))) is not None


def approved(*times_ns: int, quantity: str = "10", strategy: str = "cross") -> Seen:
    orders = [
        Order(
            client_order_id=f"order-{time_ns}",
            strategy=strategy,
            instrument="YES",
            side=Side.BUY,
            quantity=Decimal(quantity),
            order_type=OrderType.LIMIT,
            limit_price=Decimal("0.50"),
        )
        for time_ns in times_ns
    ]
    return Seen(approved=tuple(map(Approved, times_ns, orders)))


def test_a_rate_counts_what_was_approved_within_the_interval() -> None:
    policy = OrderRate(max_orders=2, interval_ns=100)
    assert policy.remembers_ns == 100
    assert policy.check(request(now_ns=150, view=approved(40, 60))) is None
    assert policy.check(request(now_ns=160, view=approved(60, 61))) is None
    refused = policy.check(request(now_ns=159, view=approved(60, 61)))
    assert refused == Violation("OrderRate", "2", "3")


def test_a_rate_may_count_one_strategy_only() -> None:
    others = approved(1, 2, 3, strategy="other")
    assert OrderRate(max_orders=1, interval_ns=100).check(request(view=others)) is not None
    per_strategy = OrderRate(max_orders=1, interval_ns=100, per=OrdersPer.STRATEGY)
    assert per_strategy.check(request(view=others)) is None


def test_the_very_same_order_may_be_repeated_so_often() -> None:
    policy = OrderRate(max_orders=9, interval_ns=100, max_repeats=2)
    assert policy.check(request(view=approved(1))) is None
    assert policy.check(request(view=approved(1, 2))) == Violation("OrderRate", "2 of a kind", "3")
    for other in (
        request(quantity="11", view=approved(1, 2)),
        request(Side.SELL, view=approved(1, 2)),
        request(price="0.51", view=approved(1, 2)),
        request(strategy="other", view=approved(1, 2)),
        request(instrument=token("NO"), view=approved(1, 2)),
        request(order_type=OrderType.MARKET, view=approved(1, 2)),
        request(order_type=OrderType.STOP_LIMIT, stop="0.6", view=approved(1, 2)),
    ):
        assert policy.check(other) is None


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: MaxOrderSize(max_size=Decimal(-1)), "max_size: expected 0 or more, found -1"),
        (lambda: MaxOrderNotional(max_notional=Decimal(-1)), "max_notional: expected 0 or more"),
        (lambda: MaxOpenOrders(max_orders=-1), "max_orders: expected 0 or more, found -1"),
        (lambda: OrderRate(max_orders=0, interval_ns=1), "max_orders: expected 1 or more, found 0"),
        (lambda: OrderRate(max_orders=1, interval_ns=0), "interval_ns: expected above 0, found 0"),
        (
            lambda: OrderRate(max_orders=1, interval_ns=1, max_repeats=0),
            "max_repeats: expected 1 or more, found 0",
        ),
    ],
)
def test_limits_that_make_no_sense_are_errors(make: object, words: str) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match=words):
        make()
