"""What is wrong with an order: each rule, everything at once, and the codes."""

from decimal import Decimal
from typing import Any

import pytest

from actors.model.instrument import Instrument
from actors.model.order import Order, OrderType, Side, TimeInForce
from actors.orders.validation import (
    CODES,
    RULES,
    OrderValidator,
    help_of,
    reason_of,
    validate,
)
from actors.orders.validation.results import shown
from tests.actors.orders.candidates import (
    GTD,
    ICEBERG,
    STOP,
    STOP_LIMIT,
    TOKEN,
    TWAP,
    VWAP,
    bounded,
    changed,
    codes,
)
from tests.builders import instrument, instruments, order


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
