import pytest

from actors.model.instrument import Instrument, Outcome
from actors.model.order import Order, OrderType, Side, TimeInForce
from actors.orders.validators import RULES, reason_of, validate
from tests.builders import instrument, order

TOKEN = instrument(tick="0.001", order_tick="0.01", outcome=Outcome.YES)


@pytest.mark.parametrize(
    "good",
    [
        order(quantity="0.01"),
        order(Side.SELL, quantity="1000000000000"),
        order(limit="100.01"),
        order(limit="0.01", order_type=OrderType.POST_ONLY),
        order(limit="100", time_in_force=TimeInForce.IOC),
        order(time_in_force=TimeInForce.FOK),
    ],
)
def test_a_good_order_has_no_violations(good: Order) -> None:
    assert validate(good, instrument()) == ()


@pytest.mark.parametrize(
    ("bad", "of", "policy", "found"),
    [
        (order(quantity="0"), instrument(), "Quantity", "0"),
        (order(quantity="0.015"), instrument(), "Lot", "0.015"),
        (order(quantity="4"), instrument(min_quantity="5"), "MinQuantity", "4"),
        (order(order_type=OrderType.LIMIT), instrument(), "LimitPrice", "none"),
        (order(order_type=OrderType.POST_ONLY), instrument(), "LimitPrice", "none"),
        (order(limit="10", order_type=OrderType.MARKET), instrument(), "LimitPrice", "10"),
        (order(limit="0"), instrument(), "Price", "0"),
        (order(limit="-0.5"), TOKEN, "Price", "-0.5"),
        (order(limit="0.505"), TOKEN, "Tick", "0.505"),
        (order(limit="1"), TOKEN, "OutcomePrice", "1"),
        (
            order(limit="1", order_type=OrderType.POST_ONLY, time_in_force=TimeInForce.IOC),
            instrument(),
            "PostOnly",
            "IOC",
        ),
        (
            order(limit="1", order_type=OrderType.POST_ONLY, time_in_force=TimeInForce.FOK),
            instrument(),
            "PostOnly",
            "FOK",
        ),
    ],
)
def test_each_rule_names_what_it_found(bad: Order, of: Instrument, policy: str, found: str) -> None:
    assert [(v.policy, v.found) for v in validate(bad, of)] == [(policy, found)]


def test_all_violations_are_told_at_once() -> None:
    bad = order(
        quantity="-0.005",
        limit="1.005",
        order_type=OrderType.POST_ONLY,
        time_in_force=TimeInForce.FOK,
    )
    violations = validate(bad, TOKEN)
    assert [v.policy for v in violations] == [
        "Quantity",
        "Lot",
        "MinQuantity",
        "PostOnly",
        "Tick",
        "OutcomePrice",
    ]
    assert reason_of(violations).startswith("Quantity: expected above 0, found -0.005; Lot: ")


def test_an_unknown_instrument_ends_the_questions() -> None:
    violations = validate(order(quantity="-1", instrument="NOPE"), None)
    assert reason_of(violations) == "Instrument: expected a known instrument, found NOPE"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "sNaN"])
def test_what_is_no_number_is_refused(number: str) -> None:
    found = [validate(order(quantity=number), instrument()), validate(order(limit=number), TOKEN)]
    assert [[v.policy for v in violations] for violations in found] == [["Number"]] * 2


def test_price_rules_leave_market_orders_alone() -> None:
    assert [rule(order(), TOKEN) for rule in RULES] == [None] * len(RULES)
