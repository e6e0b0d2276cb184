"""The validator as a library: its bounds, the market, symbols, capabilities and times."""

from decimal import Decimal
from typing import Any

import pytest

from actors.errors import ValidationError
from actors.messages.market import Bar, Quote, Trade
from actors.model.order import OrderType, TimeInForce
from actors.orders.validation import (
    VENUE_SYMBOLS,
    Capabilities,
    OrderValidator,
    ValidationResult,
)
from tests.actors.orders.candidates import (
    GTD,
    PLAIN,
    STOP,
    TWAP,
    bounded,
    changed,
)
from tests.builders import instrument, instruments, order

# --- the validator of the library ----------------------------------------------------------------


def test_only_the_rules_that_are_chosen_are_asked() -> None:
    bad = changed(client_order_id="", quantity=Decimal(-1), instrument="NOPE", order_type="LIMIT")
    validator = OrderValidator(instruments=instruments())
    result = validator.validate_order(bad, rules=["basic", "price", "quantity", "symbol"])
    assert not result
    assert set(result.codes) == {
        "ORDER_ID_MISSING",
        "ORDER_TYPE_UNKNOWN",
        "SYMBOL_UNKNOWN",
        "QUANTITY_NOT_POSITIVE",
    }
    assert validator.validate_order(bad, rules=["quantity"]).codes == ("QUANTITY_NOT_POSITIVE",)
    assert validator.validate_order(bad, rules=[]).is_valid


def test_a_missing_limit_is_found_by_the_price_rule_and_told_once() -> None:
    bad = changed(limit_price=None)
    validator = OrderValidator()
    assert validator.validate_order(bad, rules=["basic", "price"]).codes == ("LIMIT_MISSING",)
    assert validator.validate(bad).codes == ("LIMIT_MISSING",)


@pytest.mark.parametrize("name", ["prize", None, 3])
def test_a_rule_that_does_not_exist_is_the_callers_mistake(name: Any) -> None:
    with pytest.raises(ValueError, match=r"rules: expected some of basic, .*timestamps, found"):
        OrderValidator().validate_order(PLAIN, rules=[name])


def test_a_result_says_what_is_wrong_and_may_be_raised() -> None:
    good, bad = ValidationResult(), OrderValidator().validate(order(quantity="0"))
    assert good
    assert good.is_valid
    assert good.reason == ""
    good.raise_if_invalid()
    assert not bad.is_valid
    assert bad.reason == "QUANTITY_NOT_POSITIVE: expected above 0, found 0"
    assert str(bad.details[0]) == bad.reason
    with pytest.raises(ValidationError, match="QUANTITY_NOT_POSITIVE") as caught:
        bad.raise_if_invalid()
    assert caught.value.msg == bad.reason


def test_custom_bounds_judge_orders_without_any_table() -> None:
    validator = OrderValidator.custom(
        min_size=10.0, max_size=10000.0, min_price=0.01, max_price=0.99
    )
    assert validator == OrderValidator.custom()
    assert validator.validate(order(quantity="10", limit="0.99", instrument="0x123abc"))
    for quantity, limit, code in (
        ("9.99", "0.5", "QUANTITY_BELOW_MIN"),
        ("10000.01", "0.5", "QUANTITY_ABOVE_MAX"),
        ("10", "0.001", "PRICE_BELOW_MIN"),
        ("10", "0.991", "PRICE_ABOVE_MAX"),
    ):
        assert validator.validate(order(quantity=quantity, limit=limit)).codes == (code,)


def test_the_tighter_of_two_bounds_binds() -> None:
    table = instruments(bounded(min_quantity=2, max_quantity=8, min_price=2, max_price=8))
    wide = OrderValidator(instruments=table, min_size=1, max_size=9, min_price=1, max_price=9)
    tight = OrderValidator(instruments=table, min_size=3, max_size=7, min_price=3, max_price=7)
    low, high = order(quantity="2", limit="2"), order(quantity="8", limit="8")
    assert wide.validate(low)
    assert wide.validate(high)
    assert tight.validate(low).codes == ("QUANTITY_BELOW_MIN", "PRICE_BELOW_MIN")
    assert tight.validate(high).codes == ("QUANTITY_ABOVE_MAX", "PRICE_ABOVE_MAX")


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("min_size", "many", "expected a number or None, found 'many'"),
        ("max_size", True, "expected a number or None, found True"),
        ("min_price", -1, "min_price: expected a number of 0 or more, found -1"),
        ("max_price", "NaN", "max_price: expected a number of 0 or more, found NaN"),
        ("price_band", Decimal("1e31"), "price_band: expected"),
        ("max_age_ns", 0, "max_age_ns: expected nanoseconds above 0, found 0"),
        ("max_age_ns", 1.5, "max_age_ns: expected nanoseconds above 0, found 1.5"),
        ("symbol_patterns", {"v": "("}, "symbol_patterns: expected a regular expression for v"),
        ("symbol_patterns", {"v": None}, "symbol_patterns: expected a regular expression for v"),
    ],
)
def test_bounds_that_are_none_are_refused_by_name(option: str, value: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        OrderValidator(**{option: value})


# --- the market ----------------------------------------------------------------------------------

QUOTE = Quote(
    time_ns=0,
    instrument=instrument(),
    bid_ticks=9_900,
    ask_ticks=10_100,
    bid_lots=1,
    ask_lots=1,
    mid=100.0,
)
TRADE = Trade(time_ns=0, instrument=instrument(), price_ticks=10_000, lots=1, aggressor=0)
BAR = Bar(
    time_ns=0,
    instrument=instrument(),
    open_ticks=1,
    high_ticks=1,
    low_ticks=1,
    close_ticks=10_000,
    volume_lots=1,
    close=100.0,
)


@pytest.mark.parametrize(
    "market_data",
    [
        QUOTE,
        changed(QUOTE, bid_ticks=10_000, ask_lots=0),
        changed(QUOTE, ask_ticks=10_000, bid_lots=0),
        TRADE,
        BAR,
        Decimal(100),
        {"bid": Decimal(99), "ask": Decimal(101)},
        {"price": Decimal(100)},
        {"close": Decimal(100), "volume": 3},
    ],
)
def test_prices_must_lie_within_a_band_around_the_market(market_data: Any) -> None:
    validator = OrderValidator(price_band=Decimal("0.1"))
    for limit, found in (("90", ()), ("110", ()), ("89.99", 1), ("110.01", 1)):
        result = validator.validate_order(order(limit=limit), market_data=market_data)
        assert result.codes == (("PRICE_OUT_OF_BAND",) if found else ())
    far = changed(STOP, stop_price=Decimal(200))
    assert validator.validate_order(far, market_data=market_data).codes == ("STOP_OUT_OF_BAND",)
    assert OrderValidator().validate_order(far, market_data=market_data)
    assert validator.validate(far)


@pytest.mark.parametrize(
    "nothing",
    [
        changed(QUOTE, bid_lots=0, ask_lots=0),
        {},
        {"bid": 1.0, "price": "100"},
        Decimal("NaN"),
        Decimal(-1),
        Decimal("1e999"),
        100.0,
        "100",
        object(),
    ],
)
def test_market_data_without_a_price_are_told_not_ignored(nothing: Any) -> None:
    validator = OrderValidator(price_band=Decimal("0.1"))
    result = validator.validate_order(PLAIN, market_data=nothing)
    assert result.codes == ("MARKET_DATA_UNREADABLE",)
    assert validator.validate_order(PLAIN, rules=["basic"], market_data=nothing)


# --- symbols, capabilities, times ----------------------------------------------------------------


@pytest.mark.parametrize("name", [" BTC", "BTC\n", "B\x00C", "x" * 201, "\u2003"])
def test_a_name_that_cannot_be_a_symbol_is_refused_by_its_format(name: str) -> None:
    assert OrderValidator().validate(order(instrument=name)).codes == ("SYMBOL_FORMAT",)


@pytest.mark.parametrize("name", ["B", "BTC-USD", "S&P 500", "0x123abc", "x" * 200, "Öl"])
def test_without_a_table_any_proper_name_will_do(name: str) -> None:
    assert OrderValidator().validate(order(instrument=name))


@pytest.mark.parametrize(
    ("venue", "good", "bad"),
    [
        ("polymarket", "7132104567925221259462638553270691275033272", "RAIN-YES"),
        ("binance", "BTCUSDT", "BTC-USD"),
        ("binance", "BTCUSDT_250926", "btcusdt"),
        ("coinbase", "BTC-USD", "BTCUSD"),
    ],
)
def test_a_venue_may_say_what_its_symbols_look_like(venue: str, good: str, bad: str) -> None:
    table = instruments(instrument(good, venue=venue), instrument(bad, venue=venue))
    live = OrderValidator(instruments=table, symbol_patterns=VENUE_SYMBOLS)
    assert live.validate(order(instrument=good))
    assert live.validate(order(instrument=bad)).codes == ("SYMBOL_VENUE_FORMAT",)
    assert OrderValidator(instruments=table).validate(order(instrument=bad))


def test_what_the_venue_lacks_is_refused() -> None:
    nothing = Capabilities(
        order_types=frozenset({OrderType.LIMIT}),
        times_in_force=frozenset({TimeInForce.GTC}),
        reduce_only=False,
        groups=False,
        parents=False,
        schedules=False,
    )
    validator = OrderValidator(capabilities=nothing)
    assert validator.validate(PLAIN)
    family = changed(reduce_only=True, group="g", parent="p")
    assert validator.validate(family).codes == ("VENUE_LACKS",) * 3
    assert validator.validate(changed(schedule=TWAP)).codes == ("VENUE_LACKS",)
    market = order(time_in_force=TimeInForce.IOC)
    assert [(each.expected, each.found) for each in validator.validate(market).details] == [
        ("LIMIT", "MARKET"),
        ("GTC", "IOC"),
    ]
    none_at_all = OrderValidator(capabilities=Capabilities(order_types=frozenset()))
    assert "nothing of the kind" in none_at_all.validate(PLAIN).reason


def test_an_order_is_neither_too_old_nor_from_the_future() -> None:
    validator = OrderValidator(max_age_ns=100)
    made = changed(created_ns=1000)
    assert validator.validate(made, now_ns=1000)
    assert validator.validate(made, now_ns=1100)
    assert validator.validate(made, now_ns=1101).codes == ("ORDER_TOO_OLD",)
    assert validator.validate(made, now_ns=999).codes == ("CREATED_IN_FUTURE",)
    assert validator.validate(made)
    assert validator.validate(changed(created_ns=0), now_ns=10**18)  # nobody knows when
    assert OrderValidator().validate(made, now_ns=10**18)


def test_an_end_must_lie_after_now() -> None:
    ends = changed(GTD, expire_time_ns=50)
    assert OrderValidator().validate(ends, now_ns=49)
    assert OrderValidator().validate(ends, now_ns=50).codes == ("EXPIRY_PASSED",)
