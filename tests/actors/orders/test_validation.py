"""What is wrong with an order: each rule, everything at once, and whatever else may be given."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.errors import ValidationError
from actors.messages.market import Bar, Quote, Trade
from actors.model.instrument import Instrument, Outcome
from actors.model.order import Order, OrderType, Schedule, ScheduleKind, Side, TimeInForce
from actors.orders.validation import (
    CODES,
    RULES,
    VENUE_SYMBOLS,
    Capabilities,
    OrderValidator,
    ValidationResult,
    help_of,
    reason_of,
    validate,
)
from actors.orders.validation.orders import is_plainly_good
from actors.orders.validation.results import shown
from tests.builders import instrument, instruments, order

TOKEN = instrument(tick="0.001", order_tick="0.01", outcome=Outcome.YES)
TWAP = Schedule(kind=ScheduleKind.TWAP, duration_ns=60, slices=3)
VWAP = Schedule(kind=ScheduleKind.VWAP, duration_ns=60, slices=2, profile=(Decimal(1), Decimal(0)))
ICEBERG = Schedule(kind=ScheduleKind.ICEBERG, display_quantity=Decimal("0.5"))
PLAIN = order(quantity="2", limit="100")


def bounded(**bounds: Any) -> Instrument:
    """Return an instrument with bounds."""
    made: dict[str, Any] = {name: Decimal(value) for name, value in bounds.items()}
    return Instrument(id="BTC", venue="venue", symbol="BTC", **made)  # type: ignore[arg-type]


def changed(of: Any = PLAIN, **fields: Any) -> Any:
    """Return an order with other fields, whatever their types."""
    return msgspec.structs.replace(of, **fields)


def codes(bad: Any, of: Instrument | None = None) -> list[str]:
    """Return what is found by all rules, and that each code is told under its own rule."""
    findings = validate(bad, instrument() if of is None else of)
    assert all(finding.rule == CODES[finding.code].rule for finding in findings)
    return [finding.code for finding in findings]


STOP = changed(order_type=OrderType.STOP, limit_price=None, stop_price=Decimal(90))
STOP_LIMIT = changed(order_type=OrderType.STOP_LIMIT, stop_price=Decimal(90))
GTD = changed(time_in_force=TimeInForce.GTD, expire_time_ns=2, created_ns=1)


@pytest.mark.parametrize(
    "good",
    [
        order(quantity="0.01"),
        order(Side.SELL, quantity="1000000000000"),
        order(limit="100.01"),
        order(limit="0.01", order_type=OrderType.POST_ONLY),
        order(limit="100", time_in_force=TimeInForce.IOC),
        order(limit="100", time_in_force=TimeInForce.FAK),
        order(time_in_force=TimeInForce.FOK),
        STOP,
        STOP_LIMIT,
        changed(STOP_LIMIT, limit_price=Decimal(80)),
        GTD,
        changed(GTD, order_type=OrderType.POST_ONLY),
        changed(reduce_only=True, group="g", parent="run-strategy-0", arrival_price=Decimal(3)),
        changed(schedule=TWAP),
        changed(schedule=VWAP),
        changed(schedule=ICEBERG),
    ],
)
def test_a_good_order_has_nothing_wrong(good: Order) -> None:
    assert validate(good, instrument()) == ()
    assert OrderValidator(instruments=instruments()).validate(good).details == ()


@pytest.mark.parametrize(
    ("bad", "of", "code", "found"),
    [
        (order(quantity="0"), None, "QUANTITY_NOT_POSITIVE", "0"),
        (order(quantity="-0"), None, "QUANTITY_NOT_POSITIVE", "-0"),
        (order(quantity="0.015"), None, "QUANTITY_OFF_LOT", "0.015"),
        (order(quantity="4"), instrument(min_quantity="5"), "QUANTITY_BELOW_MIN", "4"),
        (order(quantity="6"), bounded(max_quantity=5), "QUANTITY_ABOVE_MAX", "6"),
        (order(quantity="1e30"), None, "QUANTITY_OUT_OF_RANGE", "1" + "0" * 30),
        (order(quantity="1e-99"), None, "QUANTITY_OFF_LOT", "1E-99"),
        (order(quantity="NaN"), None, "QUANTITY_NOT_FINITE", "NaN"),
        (order(quantity="sNaN"), None, "QUANTITY_NOT_FINITE", "sNaN"),
        (order(quantity="Infinity"), None, "QUANTITY_NOT_FINITE", "Infinity"),
        (order(quantity="-Infinity"), None, "QUANTITY_NOT_FINITE", "-Infinity"),
        (changed(quantity=1.5), None, "QUANTITY_NOT_DECIMAL", "the float 1.5"),
        (changed(quantity=2), None, "QUANTITY_NOT_DECIMAL", "the int 2"),
        (changed(quantity=None), None, "QUANTITY_NOT_DECIMAL", "none"),
        (changed(limit_price="100"), None, "PRICE_NOT_DECIMAL", "'100'"),
        (order(limit="NaN"), None, "PRICE_NOT_FINITE", "NaN"),
        (order(limit="0"), None, "PRICE_NOT_POSITIVE", "0"),
        (order(limit="-0.5"), TOKEN, "PRICE_NOT_POSITIVE", "-0.5"),
        (order(limit="0.505"), TOKEN, "PRICE_OFF_TICK", "0.505"),
        (order(limit="1e40"), None, "PRICE_OUT_OF_RANGE", "1E+40"),
        (order(limit="1"), TOKEN, "PRICE_NOT_A_PROBABILITY", "1"),
        (order(limit="4"), bounded(min_price=5), "PRICE_BELOW_MIN", "4"),
        (order(limit="6"), bounded(max_price=5), "PRICE_ABOVE_MAX", "6"),
        (changed(STOP, stop_price=True), None, "STOP_NOT_DECIMAL", "the bool True"),
        (changed(STOP, stop_price=Decimal("inf")), None, "STOP_NOT_FINITE", "Infinity"),
        (changed(STOP, stop_price=Decimal(-1)), None, "STOP_NOT_POSITIVE", "-1"),
        (changed(STOP_LIMIT, stop_price=Decimal(0)), None, "STOP_NOT_POSITIVE", "0"),
        (changed(STOP, stop_price=Decimal("0.001")), None, "STOP_OFF_TICK", "0.001"),
        (changed(STOP, stop_price=Decimal("1e40")), None, "STOP_OUT_OF_RANGE", "1E+40"),
        (changed(STOP, stop_price=Decimal(1)), TOKEN, "STOP_NOT_A_PROBABILITY", "1"),
        (STOP, bounded(min_price=91), "STOP_BELOW_MIN", "90"),
        (STOP, bounded(max_price=89), "STOP_ABOVE_MAX", "90"),
        (order(order_type=OrderType.LIMIT), None, "LIMIT_MISSING", "none"),
        (order(order_type=OrderType.POST_ONLY), None, "LIMIT_MISSING", "none"),
        (changed(STOP_LIMIT, limit_price=None), None, "LIMIT_MISSING", "none"),
        (order(limit="10", order_type=OrderType.MARKET), None, "LIMIT_UNWANTED", "10"),
        (changed(STOP, limit_price=Decimal(10)), None, "LIMIT_UNWANTED", "10"),
        (changed(STOP, stop_price=None), None, "STOP_MISSING", "none"),
        (changed(stop_price=Decimal(10)), None, "STOP_UNWANTED", "10"),
        (changed(client_order_id=""), None, "ORDER_ID_MISSING", "''"),
        (changed(client_order_id=7), None, "ORDER_ID_MISSING", "the int 7"),
        (changed(strategy=None), None, "STRATEGY_MISSING", "none"),
        (changed(instrument=["BTC"]), None, "SYMBOL_MISSING", "a list"),
        (changed(side="BUY"), None, "SIDE_UNKNOWN", "'BUY'"),
        (changed(order_type="LIMIT"), None, "ORDER_TYPE_UNKNOWN", "'LIMIT'"),
        (changed(time_in_force=None), None, "TIME_IN_FORCE_UNKNOWN", "none"),
        (changed(reason=b"why"), None, "FIELD_WRONG_TYPE", "a bytes"),
        (changed(group=None), None, "FIELD_WRONG_TYPE", "none"),
        (changed(parent=3), None, "FIELD_WRONG_TYPE", "the int 3"),
        (changed(reduce_only=1), None, "FIELD_WRONG_TYPE", "the int 1"),
        (changed(arrival_price=1.0), None, "FIELD_WRONG_TYPE", "the float 1.0"),
        (changed(arrival_price=Decimal("NaN")), None, "FIELD_WRONG_TYPE", "NaN"),
        (
            order(limit="1", order_type=OrderType.POST_ONLY, time_in_force=TimeInForce.IOC),
            None,
            "POST_ONLY_MUST_REST",
            "IOC",
        ),
        (
            order(limit="1", order_type=OrderType.POST_ONLY, time_in_force=TimeInForce.FOK),
            None,
            "POST_ONLY_MUST_REST",
            "FOK",
        ),
        (changed(GTD, expire_time_ns=0), None, "EXPIRY_MISSING", "the int 0"),
        (changed(expire_time_ns=5), None, "EXPIRY_UNWANTED", "GTC"),
        (changed(GTD, expire_time_ns=1), None, "EXPIRY_PASSED", "1"),
        (changed(GTD, created_ns=10**40), None, "EXPIRY_PASSED", "2"),
        (changed(created_ns=-1), None, "TIME_NOT_WHOLE", "the int -1"),
        (changed(created_ns=1.0), None, "TIME_NOT_WHOLE", "the float 1.0"),
        (changed(expire_time_ns=None), None, "TIME_NOT_WHOLE", "none"),
        (changed(parent="run-strategy-1"), None, "PARENT_IS_ITSELF", "'run-strategy-1'"),
        (changed(schedule="TWAP"), None, "SCHEDULE_MALFORMED", "'TWAP'"),
        (changed(schedule=changed(TWAP, kind="TWAP")), None, "SCHEDULE_MALFORMED", "'TWAP'"),
        (changed(schedule=changed(TWAP, slices=2.0)), None, "SCHEDULE_MALFORMED", "the float 2.0"),
        (changed(schedule=changed(VWAP, profile=[1])), None, "SCHEDULE_MALFORMED", "a list"),
        (changed(schedule=changed(VWAP, profile=(1, 2))), None, "SCHEDULE_MALFORMED", "the int 1"),
        (
            changed(schedule=changed(ICEBERG, display_quantity=Decimal("NaN"))),
            None,
            "SCHEDULE_MALFORMED",
            "NaN",
        ),
        (changed(schedule=changed(TWAP, duration_ns=0)), None, "SCHEDULE_DURATION", "the int 0"),
        (changed(schedule=changed(TWAP, slices=0)), None, "SCHEDULE_SLICES", "the int 0"),
        (
            changed(schedule=changed(TWAP, profile=(Decimal(1),))),
            None,
            "SCHEDULE_PROFILE",
            "1 weights",
        ),
        (changed(STOP, schedule=TWAP), None, "SCHEDULE_ORDER_TYPE", "STOP"),
        (changed(schedule=TWAP, group="g"), None, "SCHEDULE_RELATIVES", "'g'"),
        (changed(schedule=TWAP, parent="p"), None, "SCHEDULE_RELATIVES", "'p'"),
        (
            changed(schedule=changed(TWAP, slices=10**9)),
            None,
            "SCHEDULE_SLICES",
            f"the int {10**9}",
        ),
        (changed(schedule=changed(VWAP, slices=1)), None, "SCHEDULE_PROFILE", "2 weights"),
        (
            changed(schedule=changed(VWAP, profile=(Decimal(2), Decimal(-1)))),
            None,
            "SCHEDULE_PROFILE",
            "2, -1",
        ),
        (
            changed(schedule=changed(VWAP, profile=(Decimal(0), Decimal(0)))),
            None,
            "SCHEDULE_PROFILE",
            "0, 0",
        ),
        (
            changed(schedule=changed(ICEBERG, display_quantity=None)),
            None,
            "SCHEDULE_DISPLAY",
            "none",
        ),
        *(
            (
                changed(schedule=changed(ICEBERG, display_quantity=Decimal(display))),
                None,
                "SCHEDULE_DISPLAY",
                display,
            )
            for display in ("0", "-1", "0.005", "0.015")
        ),
        (
            changed(schedule=changed(ICEBERG, display_quantity=Decimal(1))),
            instrument(min_quantity="2"),
            "SCHEDULE_DISPLAY",
            "1",
        ),
        (
            changed(schedule=TWAP, time_in_force=TimeInForce.FOK),
            None,
            "SCHEDULE_TIME_IN_FORCE",
            "FOK",
        ),
    ],
)
def test_each_rule_names_what_it_found(
    bad: Order, of: Instrument | None, code: str, found: str
) -> None:
    of = of or instrument()
    assert [(each.code, each.found) for each in validate(bad, of)] == [(code, found)]


def test_all_findings_are_told_at_once() -> None:
    bad = order(
        quantity="0.005",
        limit="1.005",
        order_type=OrderType.POST_ONLY,
        time_in_force=TimeInForce.FOK,
    )
    findings = validate(bad, TOKEN)
    assert [finding.code for finding in findings] == [
        "QUANTITY_OFF_LOT",
        "PRICE_OFF_TICK",
        "PRICE_NOT_A_PROBABILITY",
        "POST_ONLY_MUST_REST",
    ]
    assert reason_of(findings).startswith(
        "QUANTITY_OFF_LOT: expected a multiple of 0.01, found 0.005; PRICE_OFF_TICK: expected "
    )


def test_a_display_quantity_beyond_counting_is_refused() -> None:
    endless = Decimal("1e30")
    bad = changed(quantity=endless, schedule=changed(ICEBERG, display_quantity=endless))
    assert codes(bad) == ["QUANTITY_OUT_OF_RANGE", "SCHEDULE_DISPLAY"]


def test_an_unknown_instrument_is_told_with_all_else() -> None:
    bad = order(quantity="-1", instrument="NOPE")
    assert [each.code for each in validate(bad, None)] == [
        "SYMBOL_UNKNOWN",
        "QUANTITY_NOT_POSITIVE",
    ]


@pytest.mark.parametrize("nothing", [None, 7, "order", {"order_id": "1"}, Order, object()])
def test_what_is_no_order_is_found_to_be_none(nothing: Any) -> None:
    for result in (
        validate(nothing, None),
        validate(nothing, instrument()),
        OrderValidator(instruments=instruments()).validate(nothing).details,
    ):
        assert [finding.code for finding in result] == ["ORDER_MALFORMED"]


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


# --- codes ---------------------------------------------------------------------------------------


def test_every_code_has_a_meaning_and_a_cure_of_its_own() -> None:
    for code, known in CODES.items():
        assert code == code.upper()
        assert known.rule in (*RULES, "fill")
        assert known.meaning.endswith(".")
        assert known.cure.endswith(".")
        assert help_of(code) == f"{code}: {known.meaning} {known.cure}"
    assert len({known.meaning for known in CODES.values()}) == len(CODES)
    with pytest.raises(ValueError, match="expected a code such as PRICE_OFF_TICK, found 'X'"):
        help_of("X")


def test_values_are_shown_in_a_few_words_whatever_they_are() -> None:
    assert shown(Decimal("1" * 40)) == "a number of 40 digits"
    assert shown(Decimal("1e99999")) == "1E+99999"
    assert shown(10**5000) == "a int"
    assert shown("x" * 100) == repr("x" * 60 + "...")
    assert shown(Decimal("10.500")) == "10.5"


# --- garbage -------------------------------------------------------------------------------------

NUMBERS = st.one_of(
    st.decimals(),
    st.decimals(min_value="0.01", max_value="1000", places=2),
    st.sampled_from(
        [Decimal(text) for text in ("-0", "sNaN", "1e999999", "1e-999999", "9e30", "1e28", "0.01")]
    ),
)
JUNK: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.binary(max_size=3),
    NUMBERS,
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
    st.sampled_from([10**5000, -(10**5000), object(), Order, Side.BUY, OrderType.STOP]),
)
SCHEDULES = st.builds(
    Schedule,
    kind=st.one_of(st.sampled_from(ScheduleKind), JUNK),
    duration_ns=st.one_of(st.integers(), JUNK),
    slices=st.one_of(st.integers(-1, 5), JUNK),
    profile=st.one_of(st.lists(NUMBERS, max_size=3).map(tuple), JUNK),
    display_quantity=st.one_of(st.none(), NUMBERS, JUNK),
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "client_order_id": st.one_of(st.just("id"), JUNK),
    "strategy": st.one_of(st.just("s"), JUNK),
    "instrument": st.one_of(st.just("BTC"), JUNK),
    "side": st.one_of(st.sampled_from(Side), JUNK),
    "quantity": st.one_of(NUMBERS, JUNK),
    "order_type": st.one_of(st.sampled_from(OrderType), JUNK),
    "limit_price": st.one_of(st.none(), NUMBERS, JUNK),
    "stop_price": st.one_of(st.none(), NUMBERS, JUNK),
    "time_in_force": st.one_of(st.sampled_from(TimeInForce), JUNK),
    "expire_time_ns": st.one_of(st.integers(), JUNK),
    "reduce_only": st.one_of(st.booleans(), JUNK),
    "group": st.one_of(st.just("g"), JUNK),
    "parent": st.one_of(st.just("p"), JUNK),
    "schedule": st.one_of(st.none(), SCHEDULES, JUNK),
    "arrival_price": st.one_of(st.none(), NUMBERS, JUNK),
    "created_ns": st.one_of(st.integers(), JUNK),
    "reason": st.one_of(st.just("r"), JUNK),
}


@given(st.fixed_dictionaries(FIELDS), JUNK, st.one_of(st.none(), st.integers()))
def test_any_garbage_gives_findings_and_never_an_exception(
    fields: dict[str, Any], market_data: Any, now_ns: int | None
) -> None:
    made = Order(**fields)
    validator = OrderValidator(
        instruments=instruments(),
        min_size=1,
        max_price=99,
        price_band="0.5",
        max_age_ns=5,
        symbol_patterns=VENUE_SYMBOLS,
        capabilities=Capabilities(reduce_only=False, schedules=False, groups=False),
    )
    for finding in validator.validate_order(made, market_data=market_data, now_ns=now_ns).details:
        assert help_of(finding.code)
        assert len(str(finding)) < 400


@given(
    st.sets(st.sampled_from(sorted(FIELDS)), max_size=3).flatmap(
        lambda names: st.fixed_dictionaries({name: FIELDS[name] for name in sorted(names)})
    ),
    st.sampled_from([PLAIN, order(), STOP_LIMIT, GTD]),
    st.sampled_from([instrument(), TOKEN, bounded(min_quantity=1, max_quantity=9, max_price=99)]),
)
def test_the_short_way_and_the_rules_agree(
    fields: dict[str, Any], base: Order, of: Instrument
) -> None:
    made = changed(base, **fields)
    by_rules = OrderValidator(instruments=instruments(of)).validate(made)
    if is_plainly_good(made, of):
        assert made.instrument != of.id or by_rules.details == ()
    if made.instrument == of.id:
        assert validate(made, of) == by_rules.details


@pytest.mark.parametrize(
    "plain",
    [
        PLAIN,
        order(),
        order(Side.SELL, limit="5", time_in_force=TimeInForce.IOC),
        changed(reduce_only=True, group="g", parent="p", arrival_price=Decimal(1), created_ns=5),
    ],
)
def test_plain_orders_take_the_short_way(plain: Order) -> None:
    assert is_plainly_good(plain, instrument())
