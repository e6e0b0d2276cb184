from decimal import Decimal
from typing import Any

import pytest

from actors.messages.market import UNKNOWN_LOTS, Connection, ConnectionState, Resolution
from actors.messages.trading import Signal
from actors.model.instrument import Instrument
from actors.model.order import OrderStatus, OrderType, Side, TimeInForce
from actors.strategies.fees import fee_per_unit
from actors.strategies.outcome_arbitrage import OutcomeArbitrage
from tests.actors.strategies.builders import (
    outcome_pair,
    position,
    quote,
    refusal,
    started,
    update,
)
from tests.builders import instrument, instruments

YES, NO = outcome_pair()
TERMINAL = [
    OrderStatus.FILLED,
    OrderStatus.CANCELLED,
    OrderStatus.REJECTED,
    OrderStatus.EXPIRED,
    OrderStatus.DENIED,
]


def arbitrage(**parameters: Any) -> OutcomeArbitrage:
    """Return a strategy that buys up to 10 pairs at a time for an edge above 0.005."""
    given = {"max_size": Decimal(10), **parameters}
    return started(
        OutcomeArbitrage,
        instruments(YES, NO),
        parameters=OutcomeArbitrage.Parameters(**given),
    )


def offered(
    core: OutcomeArbitrage, yes: int, no: int, sizes: tuple[int, int] = (5000, 5000)
) -> list[Signal]:
    """Quote YES, then NO, at these asks and ask sizes; return what is sent."""
    core.on_quote(quote(YES, yes - 1, yes, (100, sizes[0])))
    core.on_quote(quote(NO, no - 1, no, (100, sizes[1])))
    return core.take_outbox(0)


def test_it_buys_both_legs_where_they_cost_less_than_they_pay() -> None:
    yes, no = offered(arbitrage(), 45, 50)
    assert [yes.instrument, no.instrument] == ["rain-YES", "rain-NO"]
    assert [yes.limit_price, no.limit_price] == [Decimal("0.45"), Decimal("0.50")]
    for leg in (yes, no):
        assert (leg.side, leg.quantity) == (Side.BUY, Decimal(10))
        assert (leg.order_type, leg.time_in_force) == (OrderType.LIMIT, TimeInForce.IOC)
        assert leg.reason == "YES and NO together: edge 0.05 a pair"


def test_the_edge_must_be_above_the_smallest() -> None:
    assert offered(arbitrage(min_edge=Decimal("0.05")), 45, 50) == []
    assert len(offered(arbitrage(min_edge=Decimal("0.0499")), 45, 50)) == 2
    assert offered(arbitrage(min_edge=Decimal(0)), 50, 50) == []


def test_fees_are_part_of_the_price() -> None:
    assert offered(arbitrage(fee_rate=Decimal("0.05")), 45, 50) == []
    assert len(offered(arbitrage(fee_rate=Decimal("0.04")), 45, 50)) == 2
    assert offered(arbitrage(curve_fee_rate=Decimal("0.1")), 45, 50) == []
    assert len(offered(arbitrage(curve_fee_rate=Decimal("0.072")), 45, 50)) == 2


def test_the_curved_fee_is_highest_at_one_half() -> None:
    rate = Decimal("0.072")
    assert fee_per_unit(Decimal("0.5"), Decimal(0), rate) == Decimal("0.018")
    assert fee_per_unit(Decimal("0.9"), Decimal("0.01"), rate) == Decimal("0.01548")


@pytest.mark.parametrize(
    ("sizes", "parameters", "held", "expected"),
    [
        ((300, 5000), {}, "0", "3"),
        ((5000, 250), {}, "0", "2.5"),
        ((UNKNOWN_LOTS, UNKNOWN_LOTS), {}, "0", "10"),
        ((5000, 5000), {"max_position": Decimal(12)}, "8", "4"),
        ((5000, 5000), {"max_size": Decimal("1.237")}, "0", "1.23"),
    ],
)
def test_the_size_is_the_smallest_of_what_is_offered_wanted_and_allowed(
    sizes: tuple[int, int], parameters: dict[str, Any], held: str, expected: str
) -> None:
    core = arbitrage(**parameters)
    core.handle(position(NO.id, held), 0)
    assert [leg.quantity for leg in offered(core, 45, 50, sizes)] == [Decimal(expected)] * 2


def test_a_full_position_takes_no_more() -> None:
    core = arbitrage(max_position=Decimal(8))
    core.handle(position(YES.id, "8"), 0)
    assert offered(core, 45, 50) == []


def test_less_than_the_smallest_order_is_not_sent() -> None:
    yes, no = outcome_pair(min_quantity="5")
    core = started(OutcomeArbitrage, instruments(yes, no))
    core.on_quote(quote(yes, 44, 45, (100, 499)))
    core.on_quote(quote(no, 49, 50, (100, 5000)))
    assert core.outbox == []


def test_nothing_is_bought_where_nobody_offers() -> None:
    assert offered(arbitrage(), 45, 50, (0, 5000)) == []


@pytest.mark.parametrize("end", TERMINAL)
def test_the_pair_waits_until_both_orders_are_over(end: OrderStatus) -> None:
    core = arbitrage()
    yes, no = offered(core, 45, 50)
    assert offered(core, 45, 50) == []
    core.handle(update(yes, end), 1)
    assert offered(core, 45, 50) == []
    core.handle(update(no, end), 1)
    assert len(offered(core, 45, 50)) == 2


def test_a_refusal_frees_the_pair_too() -> None:
    core = arbitrage()
    for leg in offered(core, 45, 50):
        core.handle(refusal(leg), 1)
    assert len(offered(core, 45, 50)) == 2


def test_an_offer_is_used_once() -> None:
    core = arbitrage()
    for leg in offered(core, 45, 50):
        core.handle(update(leg, OrderStatus.FILLED), 1)
    core.on_quote(quote(YES, 44, 45))
    assert core.outbox == []
    core.on_quote(quote(NO, 49, 50))
    assert len(core.outbox) == 2


@pytest.mark.parametrize("about", [None, YES])
def test_an_offer_from_before_a_change_of_connection_is_not_used(about: Instrument | None) -> None:
    core = arbitrage()
    core.on_quote(quote(YES, 44, 45))
    core.on_connection(Connection(1, about, ConnectionState.GAPPED))
    core.on_quote(quote(NO, 49, 50))
    assert core.outbox == []


def test_a_change_of_another_books_connection_does_not_matter() -> None:
    core = arbitrage()
    core.on_quote(quote(YES, 44, 45))
    core.on_connection(Connection(1, NO, ConnectionState.GAPPED))
    core.on_quote(quote(NO, 49, 50))
    assert len(core.outbox) == 2


def test_a_pair_that_appears_later_is_traded_too() -> None:
    table = instruments(YES, NO)
    core = started(OutcomeArbitrage, table)
    later = outcome_pair("snow")
    for each in later:
        table.add(each)
    for each, ask in zip(reversed(later), (30, 60), strict=True):
        core.on_quote(quote(each, ask - 1, ask))
    assert [signal.instrument for signal in core.outbox] == ["snow-YES", "snow-NO"]


def test_an_instrument_without_a_pair_is_left_alone() -> None:
    lone = instrument("lone")
    core = started(OutcomeArbitrage, instruments(lone))
    core.on_quote(quote(lone, 1, 2))
    core.on_quote(quote(YES, 1, 2))
    assert core.outbox == []


@pytest.mark.parametrize("decided", [YES, NO])
def test_a_market_that_has_resolved_is_left_alone(decided: Instrument) -> None:
    core = arbitrage()
    core.on_resolution(Resolution(1, decided, 100))
    assert offered(core, 45, 50) == []
    core = arbitrage()
    core.on_quote(quote(YES, 44, 45))
    core.on_quote(quote(NO, 59, 60))
    core.on_resolution(Resolution(1, decided, 100))
    core.on_resolution(Resolution(1, decided, 100))
    assert offered(core, 45, 50) == []
