from decimal import Decimal

import pytest

from actors.messages.account import PositionChanged
from actors.messages.trading import Signal, SignalRefused
from actors.model.instrument import Outcome
from actors.model.order import OrderStatus, OrderType, Side
from actors.strategies.yes_no.memory import HalfPair, Memory
from tests.actors.strategies.builders import position, refusal, update

SECOND = 1_000_000_000


def sent(
    memory: Memory,
    number: int,
    instrument: str = "rain-YES",
    side: Side = Side.BUY,
    price: str = "0.45",
    reason: str = "arbitrage: edge",
) -> Signal:
    """Tell the memory of an order of 10 shares."""
    signal = Signal(
        signal_id=f"run-s-{number}",
        strategy="s",
        instrument=instrument,
        side=side,
        quantity=Decimal(10),
        order_type=OrderType.LIMIT,
        limit_price=Decimal(price),
        reason=reason,
    )
    memory.sent(signal)
    return signal


def left(memory: Memory) -> HalfPair | None:
    return memory.half_pair("rain-YES", "rain-NO")


def test_legs_that_fill_alike_leave_nothing_over() -> None:
    memory = Memory()
    for number, instrument in enumerate(("rain-YES", "rain-NO")):
        memory.updated(update(sent(memory, number, instrument), OrderStatus.FILLED, filled="10"), 0)
    assert left(memory) is None


@pytest.mark.parametrize(
    ("fills", "expected"),
    [
        (("10", "4"), HalfPair(Outcome.YES, Decimal(6), Decimal("0.45"))),
        (("0", "4"), HalfPair(Outcome.NO, Decimal(4), Decimal("0.50"))),
    ],
)
def test_what_one_leg_filled_more_is_left_over(fills: tuple[str, str], expected: HalfPair) -> None:
    memory = Memory()
    legs = [sent(memory, 1), sent(memory, 2, "rain-NO", price="0.50")]
    for leg, filled in zip(legs, fills, strict=True):
        memory.updated(update(leg, OrderStatus.CANCELLED, filled=filled), 0)
    assert left(memory) == expected


def test_a_sale_of_the_leg_settles_it() -> None:
    memory = Memory()
    memory.updated(update(sent(memory, 1), OrderStatus.FILLED, filled="10"), 0)
    sale = sent(memory, 2, side=Side.SELL, price="0.44", reason="leg: sell")
    memory.updated(update(sale, OrderStatus.PARTIALLY_FILLED, filled="4"), 0)
    half = left(memory)
    assert half is not None
    assert (half.size, half.paid) == (Decimal(6), Decimal("0.45"))
    memory.updated(update(sale, OrderStatus.FILLED, filled="10"), 0)
    assert left(memory) is None


def test_a_fill_after_the_end_counts() -> None:
    memory = Memory()
    leg = sent(memory, 1)
    memory.updated(update(leg, OrderStatus.CANCELLED), 0)
    assert left(memory) is None
    memory.updated(update(leg, OrderStatus.FILLED, filled="10"), 0)
    assert left(memory) == HalfPair(Outcome.YES, Decimal(10), Decimal("0.45"))


def test_inventory_is_no_leg() -> None:
    memory = Memory()
    leg = sent(memory, 1, reason="bootstrap: YES at 0.45")
    memory.updated(update(leg, OrderStatus.FILLED, filled="10"), 0)
    assert left(memory) is None


def test_orders_of_others_and_refused_ones_do_not_matter() -> None:
    memory = Memory()
    refused = sent(memory, 1)
    memory.refused(refusal(refused))
    memory.updated(update(refused, OrderStatus.FILLED, filled="10"), 0)
    assert left(memory) is None
    memory.refused(SignalRefused(signal_id="another", strategy="s", instrument="X", violations=()))


def test_finished_orders_are_forgotten_when_the_next_is_sent() -> None:
    memory = Memory()
    for number in range(5):
        memory.updated(update(sent(memory, number), OrderStatus.FILLED, filled="10"), 0)
    assert len(memory._orders) == 1


def test_a_side_waits_until_its_position_has_followed_its_fills() -> None:
    memory = Memory()
    order = sent(memory, 1)
    memory.updated(update(order, OrderStatus.FILLED, filled="10"), 5)
    assert memory.lags("rain-YES", 5, SECOND)
    memory.position_changed(position("rain-YES", "4"))
    assert memory.lags("rain-YES", 6, SECOND)
    memory.position_changed(position("rain-YES", "10"))
    assert not memory.lags("rain-YES", 6, SECOND)


def test_a_side_does_not_wait_for_ever() -> None:
    memory = Memory()
    memory.updated(update(sent(memory, 1), OrderStatus.FILLED, filled="10"), 5)
    assert memory.lags("rain-YES", SECOND + 4, SECOND)
    assert not memory.lags("rain-YES", SECOND + 5, SECOND)


def test_a_position_that_came_first_is_not_waited_for() -> None:
    memory = Memory()
    order = sent(memory, 1)
    memory.position_changed(position("rain-YES", "10"))
    memory.updated(update(order, OrderStatus.FILLED, filled="10"), 0)
    assert not memory.lags("rain-YES", 0, SECOND)
    assert memory.quantity("rain-YES") == 10
    sale = sent(memory, 2, side=Side.SELL)
    memory.updated(update(sale, OrderStatus.FILLED, filled="10"), 0)
    assert memory.lags("rain-YES", 0, SECOND)
    memory.position_changed(position("rain-YES", "0"))
    assert not memory.lags("rain-YES", 0, SECOND)
    assert isinstance(memory.position("rain-YES"), PositionChanged)
    assert memory.position("other") is None
