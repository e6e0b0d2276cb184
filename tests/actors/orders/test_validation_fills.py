"""Trades that cannot be, by the orders that they name."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.errors import FillRejected, OrderStateError, Retry
from actors.messages.trading import ExecutionReport, Fill
from actors.model.instrument import Instrument, InstrumentId
from actors.model.order import Liquidity, Order, OrderType, Side
from actors.orders.validation import CODES, FillValidator
from tests.builders import START_NS, instrument, order, trade_report

ZERO = Decimal(0)
BUY = order(quantity="2", limit="100")
SELL = order(Side.SELL, quantity="2", limit="100")
MARKET = order(quantity="2")
VALIDATOR = FillValidator()


def changed(of: Any, **fields: Any) -> Any:
    """Return a message with other fields, whatever their types."""
    return msgspec.structs.replace(of, **fields)


def fill(quantity: str = "1", price: str = "100", **fields: Any) -> Fill:
    """Return a fill of BUY."""
    made = Fill(
        client_order_id=BUY.client_order_id,
        strategy=BUY.strategy,
        instrument=BUY.instrument,
        venue="venue",
        trade_id="trade-1",
        side=Side.BUY,
        last_quantity=Decimal(quantity),
        last_price=Decimal(price),
        commission=ZERO,
        liquidity=Liquidity.TAKER,
        leaves_quantity=Decimal(1),
        venue_time_ns=START_NS,
    )
    return changed(made, **fields) if fields else made


@pytest.mark.parametrize(
    ("trade", "of"),
    [
        (trade_report("1", "100"), BUY),
        (trade_report("2", "99.5"), BUY),
        (trade_report("1", "100"), SELL),
        (trade_report("1", "100.123"), SELL),
        (trade_report("1", "1000000"), MARKET),
        (trade_report("1", "1", commission="1001"), MARKET),
        (trade_report("1", "1", commission="-1001"), MARKET),
        (trade_report("1", "5000", commission="6000"), MARKET),
        (trade_report("1", "0", liquidity=Liquidity.SETTLEMENT), BUY),
        (trade_report("1", "1", liquidity=Liquidity.CONVERSION), SELL),
        (fill(), BUY),
    ],
)
def test_a_good_trade_has_nothing_wrong(trade: ExecutionReport | Fill, of: Order) -> None:
    assert VALIDATOR.validate_fill(trade, of, instrument=instrument()).details == ()
    VALIDATOR.check(trade, of, ZERO, instrument())
    VALIDATOR.check(trade, of, ZERO, None)


@pytest.mark.parametrize(
    ("trade", "of", "code", "found"),
    [
        (trade_report("0"), BUY, "FILL_QUANTITY_NOT_POSITIVE", "0"),
        (trade_report("-1"), BUY, "FILL_QUANTITY_NOT_POSITIVE", "-1"),
        (trade_report("NaN"), BUY, "FILL_QUANTITY_NOT_NUMBER", "NaN"),
        (
            changed(trade_report(), last_quantity=1.0),
            BUY,
            "FILL_QUANTITY_NOT_NUMBER",
            "the float 1.0",
        ),
        (trade_report("2.01"), BUY, "FILL_OVERFILL", "2.01"),
        (trade_report("0.005"), BUY, "FILL_OFF_LOT", "0.005"),
        (trade_report("1", "100.01"), BUY, "FILL_BEYOND_LIMIT", "100.01"),
        (trade_report("1", "99.99"), SELL, "FILL_BEYOND_LIMIT", "99.99"),
        (trade_report("1", "0"), MARKET, "FILL_PRICE_NOT_POSITIVE", "0"),
        (trade_report("1", "-1"), BUY, "FILL_PRICE_NOT_POSITIVE", "-1"),
        (
            trade_report("1", "-1", liquidity=Liquidity.SETTLEMENT),
            BUY,
            "FILL_PRICE_NOT_POSITIVE",
            "-1",
        ),
        (trade_report("1", "Infinity"), MARKET, "FILL_PRICE_NOT_NUMBER", "Infinity"),
        (trade_report("1", "sNaN"), BUY, "FILL_PRICE_NOT_NUMBER", "sNaN"),
        (changed(trade_report(), last_price="100"), BUY, "FILL_PRICE_NOT_NUMBER", "'100'"),
        (trade_report(commission="NaN"), BUY, "FILL_COMMISSION_NOT_NUMBER", "NaN"),
        (changed(trade_report(), commission=None), BUY, "FILL_COMMISSION_NOT_NUMBER", "none"),
        (trade_report(commission="1100.01"), BUY, "FILL_COMMISSION_TOO_HIGH", "1100.01"),
        (trade_report(commission="-1100.01"), BUY, "FILL_COMMISSION_TOO_HIGH", "-1100.01"),
        (trade_report(trade_id=""), BUY, "FILL_ID_MISSING", "''"),
        (changed(trade_report(), trade_id=7), BUY, "FILL_ID_MISSING", "the int 7"),
        (trade_report(id="other"), BUY, "FILL_ORDER_MISMATCH", "'other'"),
        (fill(instrument="ETH"), BUY, "FILL_SYMBOL_MISMATCH", "'ETH'"),
        (fill(side=Side.SELL), BUY, "FILL_SIDE_MISMATCH", "SELL"),
        (fill(side="BUY"), BUY, "FILL_SIDE_MISMATCH", "'BUY'"),
        (None, BUY, "FILL_MALFORMED", "none"),
        (fill(), None, "FILL_MALFORMED", "none"),
        (BUY, BUY, "FILL_MALFORMED", "a Order"),
    ],
)
def test_each_rule_names_what_it_found(trade: Any, of: Any, code: str, found: str) -> None:
    result = VALIDATOR.validate_fill(trade, of, instrument=instrument())
    assert [(each.code, each.found, each.rule) for each in result.details] == [
        (code, found, "fill")
    ]


def test_earlier_fills_count_and_may_not_come_twice() -> None:
    earlier = [fill("1.5")]
    assert VALIDATOR.validate_fill(fill("0.5", trade_id="trade-2"), BUY, earlier)
    assert VALIDATOR.validate_fill(fill("0.5"), BUY, earlier).codes == ("FILL_DUPLICATE",)
    much = VALIDATOR.validate_fill(fill("0.51", trade_id="trade-2"), BUY, earlier)
    assert much.codes == ("FILL_OVERFILL",)
    assert "0.5 of 2 is left" in much.reason
    elsewhere = fill("0.5", venue="elsewhere")
    assert VALIDATOR.validate_fill(elsewhere, BUY, earlier)
    odd = [changed(fill(), last_quantity=1.5), changed(fill(), last_quantity=Decimal("NaN")), None]
    assert VALIDATOR.validate_fill(fill("2", trade_id="trade-2"), BUY, odd)


def test_a_multiplier_raises_what_a_trade_may_cost() -> None:
    future = Instrument(id=InstrumentId("BTC"), venue="venue", symbol="BTC", multiplier=Decimal(10))
    trade = trade_report("1", "100", commission="2000")
    assert VALIDATOR.validate_fill(trade, BUY, instrument=future)
    assert not VALIDATOR.validate_fill(trade, BUY, instrument=instrument())


def test_limits_of_cost_and_slippage_are_the_users() -> None:
    strict = FillValidator(
        max_commission_fraction=Decimal("0.01"),
        commission_allowance=ZERO,
        max_slippage_fraction=Decimal("0.1"),
    )
    assert strict.validate_fill(trade_report(commission="1"), BUY)
    assert strict.validate_fill(trade_report(commission="1.01"), BUY).codes == (
        "FILL_COMMISSION_TOO_HIGH",
    )
    for side, good, bad in ((Side.BUY, "110", "110.01"), (Side.SELL, "90", "89.99")):
        of = changed(order(side, "2"), arrival_price=Decimal(100))
        assert strict.validate_fill(trade_report("1", good), of)
        assert strict.validate_fill(trade_report("1", bad), of).codes == ("FILL_SLIPPAGE_TOO_HIGH",)
        with pytest.raises(FillRejected, match="FILL_SLIPPAGE_TOO_HIGH: expected no worse than"):
            strict.check(trade_report("1", bad), of, ZERO, instrument())
    assert strict.validate_fill(trade_report("1", "500"), MARKET)  # nobody knew a price


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("max_commission_fraction", None),
        ("max_commission_fraction", Decimal(-1)),
        ("commission_allowance", 1.5),
        ("max_slippage_fraction", Decimal("NaN")),
    ],
)
def test_limits_that_are_none_are_refused_by_name(option: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"{option}: expected a Decimal of 0 or more, found"):
        FillValidator(**{option: value})


@pytest.mark.parametrize(
    ("trade", "code"),
    [
        (trade_report("NaN"), "FILL_QUANTITY_NOT_NUMBER"),
        (trade_report("1e40"), "FILL_OFF_LOT"),
        (trade_report("1", "NaN"), "FILL_PRICE_NOT_NUMBER"),
        (trade_report("1", commission="sNaN"), "FILL_COMMISSION_NOT_NUMBER"),
        (changed(trade_report("1", "101"), trade_id=7), "FILL_ID_MISSING"),
    ],
)
def test_what_cannot_be_computed_with_is_refused_on_the_way_too(trade: Any, code: str) -> None:
    with pytest.raises(FillRejected) as caught:
        VALIDATOR.check(trade, BUY, ZERO, instrument())
    assert caught.value.codes[0] == code


def test_a_trade_that_cannot_be_raises_with_everything_that_is_wrong() -> None:
    with pytest.raises(FillRejected) as caught:
        VALIDATOR.check(trade_report("1.005", "101"), BUY, Decimal(1), instrument())
    error = caught.value
    assert isinstance(error, OrderStateError)
    assert error.codes == ("FILL_OFF_LOT", "FILL_OVERFILL", "FILL_BEYOND_LIMIT")
    assert (error.venue, error.order_id) == ("venue", BUY.client_order_id)
    assert error.retry is Retry.AFTER_RECONCILE
    assert str(error).startswith("trade trade-1 of 1.005 in order run-strategy-1: FILL_OFF_LOT: ")
    assert "1 of 2 is left" in str(error)


NUMBERS: st.SearchStrategy[Any] = st.one_of(
    st.decimals(),
    st.decimals(min_value="-1", max_value="3", places=2),
    st.sampled_from([Decimal(text) for text in ("1e999999", "-9e999999", "1e-999999", "sNaN")]),
    st.none(),
    st.floats(),
    st.integers(),
    st.text(max_size=3),
)
TRADES = st.builds(
    changed,
    st.sampled_from([trade_report(), fill()]),
    last_quantity=NUMBERS,
    last_price=NUMBERS,
    commission=NUMBERS,
    trade_id=st.one_of(st.text(max_size=2), NUMBERS),
    client_order_id=st.one_of(st.just(BUY.client_order_id), NUMBERS),
    liquidity=st.one_of(st.sampled_from(Liquidity), NUMBERS),
)
ORDERS = st.builds(
    changed,
    st.sampled_from([BUY, SELL, MARKET]),
    quantity=NUMBERS,
    limit_price=NUMBERS,
    arrival_price=NUMBERS,
    side=st.one_of(st.sampled_from(Side), NUMBERS),
    order_type=st.one_of(st.sampled_from(OrderType), NUMBERS),
)


def checked(trade: Any, of: Order, at: Instrument | None) -> tuple[str, ...]:
    """Return the codes for which a trade is refused on its way."""
    try:
        VALIDATOR.check(trade, of, ZERO, at)
    except FillRejected as error:
        return error.codes
    return ()


@given(
    TRADES,
    st.one_of(st.sampled_from([BUY, SELL, MARKET]), ORDERS),
    st.lists(TRADES, max_size=3),
    st.sampled_from([None, instrument()]),
)
def test_any_garbage_gives_findings_and_never_another_exception(
    trade: Any, of: Order, earlier: Sequence[Any], at: Instrument | None
) -> None:
    validator = FillValidator(max_slippage_fraction=Decimal("0.5"))
    result = validator.validate_fill(trade, of, earlier, instrument=at)
    assert set(result.codes) <= set(CODES)
    by_rules = set(VALIDATOR.validate_fill(trade, of, instrument=at).codes)
    assert set(checked(trade, of, at)) == by_rules - {
        "FILL_ORDER_MISMATCH",
        "FILL_SYMBOL_MISMATCH",
        "FILL_SIDE_MISMATCH",
    }
