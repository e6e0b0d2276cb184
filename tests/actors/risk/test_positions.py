from decimal import Decimal

import pytest

from actors.messages.trading import Violation
from actors.model.order import Side
from actors.risk.positions import InventoryLimit, PositionLimit
from actors.risk.scope import Per
from tests.actors.risk.requests import Seen, exposure, request, token

YES = token("YES", market="rain", event="weather")
NO = token("NO", market="rain", event="weather")
SNOW = token("SNOW", market="snow", event="weather")
COIN = token("COIN")
ALL = (YES, NO, SNOW, COIN)
MARKS = {"YES": "0.50", "NO": "0.40", "SNOW": "0.10", "COIN": "100"}


def holding(**quantities: str) -> Seen:
    held = tuple(
        exposure(each, quantities[each.id], "0", "1") for each in ALL if each.id in quantities
    )
    return Seen(instruments=ALL, held=held, own=held[:1], marks=dict(MARKS))


def limit(value: str, per: Per = Per.MARKET) -> InventoryLimit:
    return InventoryLimit(max_value_usd=Decimal(value), per=per)


def test_inventory_is_counted_at_the_marks_with_what_works() -> None:
    # 10 asked, 4 held, 2 being bought: 16 at 0.50
    asked = request(held="4", buying="2", instrument=YES, view=holding())
    assert limit("8").check(asked) is None
    assert limit("7.99").check(asked) == Violation("InventoryLimit", "7.99", "8")


def test_the_outcomes_of_a_market_are_added_up() -> None:
    asked = request(instrument=YES, view=holding(NO="9", SNOW="99", COIN="1"))
    assert limit("9").check(asked) is None  # 10 YES at 0.50, 9 and 1 NO at 0.40
    assert limit("8.99").check(asked) is not None


def test_an_event_and_the_account_count_more() -> None:
    asked = request(instrument=YES, view=holding(NO="9", SNOW="99", COIN="1"))
    assert limit("19", Per.EVENT).check(asked) is None
    assert limit("18.99", Per.EVENT).check(asked) is not None
    assert limit("219", Per.ACCOUNT).check(asked) is None
    assert limit("218.99", Per.ACCOUNT).check(asked) is not None


def test_a_strategy_counts_its_own_only() -> None:
    asked = request(
        instrument=NO, held="2", account=("50", "0", "0"), view=holding(YES="4", NO="9")
    )
    assert limit("7.30", Per.STRATEGY).check(asked) is None  # 12 NO at 0.40, 5 YES at 0.50
    assert limit("7.29", Per.STRATEGY).check(asked) is not None


def test_shorts_count_as_much_as_longs() -> None:
    coin = request(Side.SELL, "2", held="-1", selling="1", instrument=COIN, view=holding())
    assert limit("400").check(coin) is None
    assert limit("399").check(coin) == Violation("InventoryLimit", "399", "400")


def test_what_only_reduces_passes() -> None:
    closing = request(Side.SELL, held="10", opening="0", instrument=YES, view=holding(YES="10"))
    for policy in (limit("0"), PositionLimit(max_size=Decimal(0), per=Per.MARKET)):
        assert policy.check(closing) is None


def test_without_a_mark_the_orders_price_counts() -> None:
    unseen = Seen(instruments=ALL, held=(exposure(NO, "100"),))
    assert limit("5").check(request(instrument=YES, view=unseen)) is None
    assert limit("4.99").check(request(instrument=YES, view=unseen)) is not None


def test_a_multiplier_and_a_rate_make_the_inventory_dearer() -> None:
    future = token("FUT", multiplier="10")
    view = Seen(marks={"FUT": "2"}, rates={"USD": "3"})
    asked = request(quantity="1", instrument=future, view=view)
    assert limit("60").check(asked) is None
    assert limit("59").check(asked) is not None


def test_a_position_limit_may_count_a_market_or_an_event() -> None:
    asked = request(instrument=YES, view=holding(NO="9", SNOW="20"))
    for size, per in (("20", Per.MARKET), ("41", Per.EVENT)):
        assert PositionLimit(max_size=Decimal(size), per=per).check(asked) is None
        refused = PositionLimit(max_size=Decimal(size) - 1, per=per).check(asked)
        assert refused == Violation("PositionLimit", str(int(size) - 1), size)


def test_a_negative_inventory_limit_is_an_error() -> None:
    with pytest.raises(ValueError, match="max_value_usd: expected 0 or more, found -1"):
        limit("-1")
