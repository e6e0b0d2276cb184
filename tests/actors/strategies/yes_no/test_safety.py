from decimal import Decimal

import pytest

from actors.model.order import Side
from actors.strategies.yes_no import PairPosition, Rank, YesNoParameters
from actors.strategies.yes_no.safety import profit_lock, stop_exit, stop_loss
from tests.actors.strategies.yes_no.rooms import NO, YES, asks, holding, market, top

LOCK = YesNoParameters(lock_profit=Decimal(5))
STOP = YesNoParameters(max_loss=Decimal(20), stop_exit=True)


@pytest.mark.parametrize(
    ("position", "profit"),
    [
        (holding("100", "100", ("40", "50")), "10"),  # 100 pairs pay 100, cost 90
        (holding("100", "60", ("40", "30")), "-10"),  # 60 pairs pay 60, cost 70
        (holding("100", "100", ("40", "50"), fees="1.5", realized="2"), "10.5"),
        (holding("0", "50", ("0", "20")), "-20"),
        (holding(), "0"),
    ],
)
def test_what_is_certain_is_the_pairs_less_all_costs(position: PairPosition, profit: str) -> None:
    assert position.guaranteed_profit == Decimal(profit)


@pytest.mark.parametrize(
    ("cost_of_no", "locked"), [("55", True), ("54.99", True), ("55.01", False), ("60", False)]
)
def test_profit_is_locked_once_enough_is_certain(cost_of_no: str, locked: bool) -> None:
    position = holding("100", "100", ("40", cost_of_no))
    assert (profit_lock(position, LOCK) is not None) is locked


def test_a_locked_profit_is_told_with_its_amount() -> None:
    position = holding("100", "100", ("40", "50"))
    assert profit_lock(position, LOCK) == "profit locked: 10 is certain"
    assert profit_lock(position, YesNoParameters(lock_profit=None)) is None


@pytest.mark.parametrize(("cost", "stopped"), [("20", False), ("20.01", True), ("0", False)])
def test_buying_stops_when_too_much_can_be_lost(cost: str, stopped: bool) -> None:
    assert (stop_loss(holding("50", "0", (cost, "0")), STOP) is not None) is stopped


def test_a_stop_is_told_with_both_amounts() -> None:
    position = holding("50", "0", ("25", "0"))
    assert stop_loss(position, STOP) == "stop loss: 25 can be lost, 20 may be"
    assert stop_loss(position, YesNoParameters(max_loss=None)) is None


@pytest.mark.parametrize(
    ("yes", "no", "side", "size", "price"),
    [("50", "20", YES, "30", "0.40"), ("10", "25.5", NO, "15.5", "0.55")],
)
def test_the_excess_is_sold_at_its_bid(yes: str, no: str, side: str, size: str, price: str) -> None:
    snapshot = asks("0.41", "0.56")
    (sale,) = stop_exit(snapshot, holding(yes, no), STOP)
    assert (sale.side, sale.action, sale.size) == (side, Side.SELL, Decimal(size))
    assert (sale.price, sale.rank, sale.priority) == (Decimal(price), Rank.STOP_LOSS, 3)


def test_no_more_is_sold_than_is_bid_for() -> None:
    snapshot = market(top("0.4", "0.41", ("7.5", "100")), top())
    assert stop_exit(snapshot, holding("50"), STOP)[0].size == Decimal("7.5")
    unknown = market(top("0.4", "0.41", (None, None)), top())
    assert stop_exit(unknown, holding("50"), STOP)[0].size == Decimal(50)


def test_nothing_is_sold_where_it_makes_no_sense() -> None:
    snapshot = asks("0.41", "0.56")
    assert stop_exit(snapshot, holding("50", "50"), STOP) == []
    assert stop_exit(snapshot, holding("50", pending="YES"), STOP) == []
    assert stop_exit(snapshot, holding("50"), YesNoParameters()) == []
    assert stop_exit(market(top(None), top()), holding("50"), STOP) == []
    small = market(top(min_size="5"), top())
    assert stop_exit(small, holding("4"), STOP) == []
