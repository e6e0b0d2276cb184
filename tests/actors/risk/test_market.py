from decimal import Decimal

import pytest

from actors.messages.trading import Violation
from actors.model.order import OrderType, Side, TimeInForce
from actors.risk.market import PriceCollar, SelfTrade, StaleData
from tests.actors.risk.requests import Seen, request, working

COLLAR = PriceCollar(max_deviation=Decimal("0.1"))
AT_HALF = Seen(marks={"YES": "0.50"})


def test_a_price_may_differ_from_the_mark_by_a_fraction_either_way() -> None:
    for side in Side:
        for price in ("0.45", "0.55"):
            assert COLLAR.check(request(side, price=price, view=AT_HALF)) is None
        for price in ("0.44", "0.56"):
            refused = COLLAR.check(request(side, price=price, view=AT_HALF))
            assert refused == Violation("PriceCollar", "0.45 to 0.55", price)


def test_without_a_mark_no_price_can_be_weighed() -> None:
    assert COLLAR.check(request()) == Violation(
        "PriceCollar", "a mark to weigh the price by", "none"
    )


def test_a_stop_limit_is_weighed_against_its_stop() -> None:
    stop_limit = {"order_type": OrderType.STOP_LIMIT, "stop": "0.80", "view": AT_HALF}
    assert COLLAR.check(request(price="0.85", **stop_limit)) is None  # type: ignore[arg-type]
    assert COLLAR.check(request(price="0.50", **stop_limit)) is not None  # type: ignore[arg-type]


def test_a_stop_has_no_price_to_weigh() -> None:
    assert COLLAR.check(request(order_type=OrderType.STOP, price="0.01", stop="0.01")) is None


def test_data_may_be_as_old_as_the_limit() -> None:
    policy = StaleData(max_age_ns=2_000_000_000)
    view = Seen(seen_ns={"YES": 1_000_000_000})
    assert policy.check(request(now_ns=3_000_000_000, view=view)) is None
    refused = policy.check(request(now_ns=3_500_000_000, view=view))
    assert refused == Violation("StaleData", "2 s", "2.5 s")


def test_data_that_never_came_are_stale() -> None:
    refused = StaleData(max_age_ns=1_000_000_000).check(request())
    assert refused == Violation("StaleData", "1 s", "no price yet")


def resting(side: Side, limit: str | None, **others: object) -> Seen:
    return Seen(at_work=(working("theirs", side, "5", limit, **others),))  # type: ignore[arg-type]


def test_an_order_does_not_trade_with_the_accounts_own() -> None:
    offer = resting(Side.SELL, "0.50")
    refused = SelfTrade().check(request(Side.BUY, price="0.50", view=offer))
    assert refused == Violation("SelfTrade", "no order against one's own", "theirs at 0.5")
    assert SelfTrade().check(request(Side.BUY, price="0.49", view=offer)) is None
    assert SelfTrade().check(request(Side.SELL, price="0.01", view=offer)) is None
    bid = resting(Side.BUY, "0.50")
    assert SelfTrade().check(request(Side.SELL, price="0.50", view=bid)) is not None
    assert SelfTrade().check(request(Side.SELL, price="0.51", view=bid)) is None


def test_a_market_order_meets_ones_own_at_the_touch() -> None:
    asked = request(order_type=OrderType.MARKET, view=resting(Side.SELL, "0.50"))
    assert SelfTrade().check(asked) is not None


@pytest.mark.parametrize(
    "others",
    [
        {"instrument": "NO"},
        {"order_type": OrderType.STOP_LIMIT},
        {"limit": None, "order_type": OrderType.MARKET},
        {"time_in_force": TimeInForce.IOC},
        {"time_in_force": TimeInForce.FOK},
        {"time_in_force": TimeInForce.FAK},
        {"strategy": "cross", "group": "g"},
        {"strategy": "cross", "parent": "mine"},
    ],
)
def test_what_is_not_in_the_book_at_the_same_time_is_not_met(others: dict[str, object]) -> None:
    view = resting(Side.SELL, **{"limit": "0.40", **others})  # type: ignore[arg-type]
    assert SelfTrade().check(request(Side.BUY, group="g", view=view)) is None


def test_a_child_is_not_weighed_against_its_parent() -> None:
    view = resting(Side.SELL, "0.40", strategy="cross")
    assert SelfTrade().check(request(Side.BUY, parent="theirs", view=view)) is None
    assert SelfTrade().check(request(Side.BUY, parent="another", view=view)) is not None


def test_a_group_of_the_same_name_of_another_strategy_is_another_group() -> None:
    view = resting(Side.SELL, "0.40", group="g")
    assert SelfTrade().check(request(Side.BUY, group="g", view=view)) is not None


def test_stop_orders_may_be_placed_anywhere() -> None:
    view = resting(Side.SELL, "0.40")
    asked = request(Side.BUY, order_type=OrderType.STOP, stop="0.50", view=view)
    assert SelfTrade().check(asked) is None


def test_collars_and_ages_that_make_no_sense_are_errors() -> None:
    with pytest.raises(ValueError, match="max_deviation: expected 0 or more, found -1"):
        PriceCollar(max_deviation=Decimal(-1))
    with pytest.raises(ValueError, match="max_age_ns: expected above 0, found 0"):
        StaleData(max_age_ns=0)
