"""Whatever is given in place of an order: findings, and never an exception."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.model.instrument import Instrument
from actors.model.order import Order, OrderType, Schedule, ScheduleKind, Side, TimeInForce
from actors.orders.validation import (
    VENUE_SYMBOLS,
    Capabilities,
    OrderValidator,
    help_of,
    validate,
)
from actors.orders.validation.orders import is_plainly_good
from tests.actors.orders.candidates import (
    GTD,
    PLAIN,
    STOP_LIMIT,
    TOKEN,
    bounded,
    changed,
)
from tests.builders import instrument, instruments, order

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
