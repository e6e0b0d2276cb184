from decimal import Decimal

import pytest

from actors.messages.trading import Violation
from actors.model.order import Side
from actors.risk.limits import POLICIES, CashLimit, NoShort, Per, PositionLimit
from actors.risk.policy import evaluate, opening_quantity
from tests.actors.risk.requests import request, token


def limit(size: str = "100", per: Per = Per.ACCOUNT) -> PositionLimit:
    return PositionLimit(max_size=Decimal(size), per=per)


def test_a_position_may_reach_its_limit_and_not_exceed_it() -> None:
    assert limit().check(request(quantity="100")) is None
    assert limit().check(request(quantity="100.1")) == Violation("PositionLimit", "100", "100.1")


def test_a_short_position_is_limited_too() -> None:
    assert limit().check(request(Side.SELL, "100")) is None
    assert limit().check(request(Side.SELL, "101")) == Violation("PositionLimit", "100", "101")


def test_working_orders_on_the_same_side_use_the_room() -> None:
    assert limit().check(request(held="50", buying="40")) is None
    refused = limit().check(request(held="50", buying="41"))
    assert refused == Violation("PositionLimit", "100", "101")
    assert limit().check(request(Side.SELL, held="-50", selling="41")) == refused


def test_working_orders_on_the_other_side_give_no_room() -> None:
    assert limit().check(request(held="95", selling="50")) is not None


def test_an_order_that_only_reduces_passes_even_above_the_limit() -> None:
    assert limit("5").check(request(Side.SELL, "10", held="100")) is None
    assert limit("5").check(request(Side.BUY, "10", held="-100")) is None


def test_an_order_through_zero_is_limited_on_the_other_side() -> None:
    assert limit("5").check(request(Side.SELL, "105", held="100")) is None
    refused = limit("5").check(request(Side.SELL, "106", held="100"))
    assert refused == Violation("PositionLimit", "5", "6")


def test_a_limit_counts_the_account_or_the_strategy() -> None:
    mine_is_small = request(account=("95", "0", "0"))
    assert limit(per=Per.ACCOUNT).check(mine_is_small) is not None
    assert limit(per=Per.STRATEGY).check(mine_is_small) is None
    mine_is_large = request(held="95", account=("0", "0", "0"))
    assert limit(per=Per.ACCOUNT).check(mine_is_large) is None
    assert limit(per=Per.STRATEGY).check(mine_is_large) is not None


def test_a_negative_position_limit_is_an_error() -> None:
    with pytest.raises(ValueError, match="max_size: expected 0 or more, found -1"):
        limit("-1")


def test_cash_must_cover_what_is_opened() -> None:
    assert CashLimit().check(request(available="5")) is None
    assert CashLimit().check(request(available="4.99")) == Violation("CashLimit", "4.99", "5")


def test_closing_is_free_even_without_cash() -> None:
    assert CashLimit().check(request(Side.SELL, opening="0", available="-3")) is None


def test_tokens_cannot_be_sold_short() -> None:
    refused = NoShort().check(request(Side.SELL, "10", held="8", opening="2"))
    assert refused == Violation("NoShort", "8", "10")
    assert NoShort().check(request(Side.SELL, "10", held="10", opening="0")) is None


def test_working_sales_count_as_sold() -> None:
    refused = NoShort().check(request(Side.SELL, "10", held="12", selling="5", opening="3"))
    assert refused == Violation("NoShort", "7", "10")


def test_more_sales_than_holdings_leave_nothing_to_sell() -> None:
    refused = NoShort().check(request(Side.SELL, "10", held="2", selling="5"))
    assert refused == Violation("NoShort", "0", "10")


def test_no_short_lets_purchases_and_shortable_instruments_pass() -> None:
    assert NoShort().check(request(Side.BUY)) is None
    assert NoShort().check(request(Side.SELL, instrument=token(can_short=True))) is None


def test_every_violation_is_named_in_the_order_of_the_policies() -> None:
    policies = (limit("5"), CashLimit(), NoShort())
    found = evaluate(policies, request(Side.SELL, "10", available="1"))
    assert [violation.policy for violation in found] == ["PositionLimit", "CashLimit", "NoShort"]
    assert evaluate(policies[1:], request(available="5")) == ()


def test_what_exceeds_the_closable_quantity_opens() -> None:
    closable = {"-1": "10", "0": "10", "4": "6", "10": "0", "12": "0"}
    for held, opens in closable.items():
        assert opening_quantity(Decimal(10), Decimal(held)) == Decimal(opens)


def test_policies_are_registered_under_their_names() -> None:
    assert list(POLICIES)[:4] == ["PositionLimit", "InventoryLimit", "CashLimit", "NoShort"]
    assert len(POLICIES) == 15
    assert [policy.__name__ for policy in POLICIES.values()] == list(POLICIES)
