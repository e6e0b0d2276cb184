from decimal import Decimal
from typing import Any

import pytest

from actors.model.order import Side
from actors.strategies.yes_no import (
    MarketSnapshot,
    PairPosition,
    Rank,
    TradeSignal,
    YesNoParameters,
)
from actors.strategies.yes_no.arbitrage import pair_edge, resolve_leg, synthetic_arbitrage
from actors.strategies.yes_no.state import OpenLeg
from tests.actors.strategies.yes_no.rooms import NO, YES, asks, holding, market, top

PARAMETERS = YesNoParameters(max_leg_loss=Decimal("0.02"))


def parameters(**given: Any) -> YesNoParameters:
    return YesNoParameters(**given)


def leg(size: str = "10", paid: str = "0.45", *, late: bool = False) -> OpenLeg:
    """Return 10 YES that were bought at 0.45 and lack their NO."""
    return OpenLeg(side=YES, size=Decimal(size), paid=Decimal(paid), is_late=late)


# --- pairs ----------------------------------------------------------------------------------------


def test_both_sides_are_bought_where_they_cost_less_than_they_pay() -> None:
    yes, no = synthetic_arbitrage(asks("0.45", "0.50"), holding(), PARAMETERS)
    assert (yes.side, yes.price, yes.size) == (YES, Decimal("0.45"), Decimal(50))
    assert (no.side, no.price, no.size) == (NO, Decimal("0.50"), Decimal(50))
    for each in (yes, no):
        assert (each.rank, each.priority, each.action) == (Rank.SYNTHETIC_ARBITRAGE, 0, Side.BUY)
        assert each.reason == "arbitrage: YES and NO together earn 0.05 a pair"


def test_a_signal_tells_its_price_in_thousandths_too() -> None:
    yes, no = synthetic_arbitrage(asks("0.455", "0.5"), holding(), PARAMETERS)
    assert (yes.ticks, no.ticks) == (455, 500)
    edges = [TradeSignal(side=YES, price=Decimal(p), size=Decimal(1), rank=Rank.HEDGE, reason="")
             for p in (0, 1)]  # fmt: skip
    assert [each.ticks for each in edges] == [0, 1000]


def test_the_edge_is_what_both_fees_leave() -> None:
    # percentage: 0.45 * 0.01 + 0.5 * 0.01 = 0.0095
    assert pair_edge(asks("0.45", "0.5"), parameters(fee_rate=Decimal("0.01"))) == Decimal("0.0405")
    # curve: 0.072 * (0.45 * 0.55 + 0.5 * 0.5) = 0.03582
    curved = market(top("0.44", "0.45", curve="0.072"), top("0.49", "0.5", curve="0.072"))
    assert pair_edge(curved, PARAMETERS) == Decimal("0.01418")


@pytest.mark.parametrize(("edge", "orders"), [("0.05", 0), ("0.0499", 2)])
def test_the_edge_must_be_above_the_smallest(edge: str, orders: int) -> None:
    found = synthetic_arbitrage(asks("0.45", "0.5"), holding(), parameters(min_edge=Decimal(edge)))
    assert len(found) == orders


@pytest.mark.parametrize(
    ("depths", "held", "given", "size"),
    [
        (("30", "20"), holding(), {}, "20"),
        (("30.337", "100"), holding(), {}, "30.33"),
        ((None, None), holding(), {}, "50"),
        (("100", "100"), holding(), {"max_size": Decimal(12)}, "12"),
        (("100", "100"), holding("90", "60"), {"max_position": Decimal(100)}, "10"),
    ],
)
def test_the_size_is_the_smallest_of_depths_order_and_room(
    depths: tuple[str | None, str | None],
    held: PairPosition,
    given: dict[str, Any],
    size: str,
) -> None:
    yes, no = depths
    snapshot = market(top("0.44", "0.45", ("1", yes)), top("0.49", "0.5", ("1", no)))
    found = synthetic_arbitrage(snapshot, held, parameters(**given))
    assert [each.size for each in found] == [Decimal(size)] * 2


@pytest.mark.parametrize(
    ("snapshot", "held", "given"),
    [
        (asks("0.45", "0.5"), holding(pending="YES"), {}),
        (asks("0.45", "0.5"), holding(pending="NO"), {}),
        (asks("0.45", "0.5"), holding(), {"arbitrage": False}),
        (market(top(ask=None), top("0.4", "0.41")), holding(), {}),
        (asks("0.45", "0.5"), holding("500"), {}),
        (market(top("0.1", "0.2", min_size="60"), top()), holding(), {}),
    ],
)
def test_no_pair_is_bought_that_cannot_be(
    snapshot: MarketSnapshot, held: PairPosition, given: dict[str, Any]
) -> None:
    assert synthetic_arbitrage(snapshot, held, parameters(**given)) == []


# --- half a pair ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ask", "late", "bought"),
    [
        ("0.54", False, True),  # 0.45 + 0.54 < 1
        ("0.55", False, True),  # no gain, no loss
        ("0.56", False, False),  # a loss, and there is time
        ("0.56", True, True),  # a loss of 0.01 a share
        ("0.57", True, True),  # of 0.02, as much as may be
    ],
)
def test_the_missing_leg_is_bought_within_its_bounds(ask: str, late: bool, bought: bool) -> None:
    found = resolve_leg(leg(late=late), asks("0.45", ask), holding("10"), PARAMETERS)
    assert bool(found) is bought
    for each in found:
        assert (each.side, each.action, each.price) == (NO, Side.BUY, Decimal(ask))
        assert (each.size, each.rank, each.priority) == (Decimal(10), Rank.LEG, 3)


def test_a_late_leg_whose_other_is_too_dear_is_sold() -> None:
    (sale,) = resolve_leg(leg(late=True), asks("0.45", "0.58"), holding("10"), PARAMETERS)
    assert (sale.side, sale.action, sale.price) == (YES, Side.SELL, Decimal("0.44"))
    assert (sale.size, sale.reason) == (Decimal(10), "leg: the other is too dear, sell this")


def test_a_late_leg_that_nobody_offers_the_other_of_is_sold() -> None:
    snapshot = market(top("0.44", "0.45", ("4", "9")), top(ask=None))
    (sale,) = resolve_leg(leg(late=True), snapshot, holding("10"), PARAMETERS)
    assert (sale.side, sale.size) == (YES, Decimal(4))
    assert resolve_leg(leg(), snapshot, holding("10"), PARAMETERS) == []


def test_fees_count_when_a_pair_is_completed() -> None:
    # 0.45 + 0.54 + 1 % of both = 0.9999; with 0.541 it is 1.00091
    given = parameters(fee_rate=Decimal("0.01"))
    assert resolve_leg(leg(), asks("0.45", "0.54"), holding("10"), given)
    assert resolve_leg(leg(), asks("0.45", "0.541"), holding("10"), given) == []


def test_a_pair_is_completed_as_far_as_the_depth_goes() -> None:
    snapshot = market(top(), top("0.5", "0.51", ("100", "3.5")))
    (bought,) = resolve_leg(leg(), snapshot, holding("10"), PARAMETERS)
    assert bought.size == Decimal("3.5")
    assert bought.reason == "leg: complete the pair, earns 0.04 a share"


@pytest.mark.parametrize("pending", ["YES", "NO"])
def test_a_leg_waits_for_the_orders_under_way(pending: str) -> None:
    position = holding("10", pending=pending)
    assert resolve_leg(leg(late=True), asks("0.45", "0.5"), position, PARAMETERS) == []
