from decimal import Decimal
from typing import Any

import pytest

from actors.strategies.yes_no import MarketSnapshot, PairPosition, Rank, YesNoParameters
from actors.strategies.yes_no.inventory import average_down, bootstrap, hedge, inventory
from tests.actors.strategies.yes_no.rooms import NO, YES, asks, holding, market, top

PARAMETERS = YesNoParameters()


def parameters(**given: Any) -> YesNoParameters:
    return YesNoParameters(**given)


# --- bootstrap ------------------------------------------------------------------------------------


def test_the_first_side_is_the_cheaper_one() -> None:
    (first,) = bootstrap(asks("0.6", "0.42"), holding(), PARAMETERS)
    assert (first.side, first.price, first.size) == (NO, Decimal("0.42"), Decimal(10))
    assert (first.rank, first.priority) == (Rank.BOOTSTRAP, 2)
    assert first.reason == "bootstrap: NO at 0.42"


def test_two_cheap_sides_are_alternatives() -> None:
    found = bootstrap(asks("0.5", "0.48"), holding(), PARAMETERS)
    assert [each.side for each in found] == [NO, YES]


@pytest.mark.parametrize(
    ("snapshot", "held"),
    [
        (asks("0.51", "0.52"), holding()),
        (asks("0.4", "0.5"), holding("1")),
        (asks("0.4", "0.5"), holding("0", "1")),
        (asks("0.4", "0.5"), holding(pending="NO")),
        (asks("0.4", "0.5"), holding(pending="YES")),
        (market(top(ask=None), top("0.6", "0.7")), holding()),
    ],
)
def test_no_first_side_where_one_is_there_or_none_is_cheap(
    snapshot: MarketSnapshot, held: PairPosition
) -> None:
    assert bootstrap(snapshot, held, PARAMETERS) == []


def test_the_size_is_bounded_by_depth_order_and_position() -> None:
    thin = market(top("0.39", "0.4", ("1", "3")), top("0.6", "0.7"))
    assert bootstrap(thin, holding(), PARAMETERS)[0].size == Decimal(3)
    small = parameters(max_position=Decimal(4))
    assert bootstrap(asks("0.4", "0.7"), holding(), small)[0].size == Decimal(4)
    coarse = market(top("0.39", "0.4", min_size="11"), top("0.6", "0.7"))
    assert bootstrap(coarse, holding(), PARAMETERS) == []


# --- hedge ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("no", "bought"),
    [("0.58", True), ("0.59", True), ("0.591", False), ("0.6", False)],
)
def test_the_other_side_is_bought_while_the_pair_stays_below_one_less_the_margin(
    no: str, bought: bool
) -> None:
    # 20 YES for 8: 0.40 each; with the margin of 0.01, NO may cost 0.59
    found = hedge(asks("0.4", no), holding("20", "0", ("8", "0")), PARAMETERS)
    assert bool(found) is bought
    for each in found:
        assert (each.side, each.size, each.rank) == (NO, Decimal(10), Rank.HEDGE)


def test_fees_count_on_both_sides_of_a_hedge() -> None:
    position = holding("20", "0", ("8", "0"))
    # 1 % of 0.40 and of 0.58 is 0.0098: the pair costs 0.9898; with 0.59 it costs 0.9999
    given = parameters(fee_rate=Decimal("0.01"))
    assert hedge(asks("0.4", "0.58"), position, given)
    assert hedge(asks("0.4", "0.59"), position, given) == []


def test_a_hedge_is_no_larger_than_what_it_hedges() -> None:
    (found,) = hedge(asks("0.4", "0.5"), holding("24", "21.5", ("9.6", "10")), PARAMETERS)
    assert found.size == Decimal("2.5")
    (mirrored,) = hedge(asks("0.4", "0.5"), holding("1", "4", ("0.4", "2")), PARAMETERS)
    assert (mirrored.side, mirrored.size) == (YES, Decimal(3))


@pytest.mark.parametrize(
    ("snapshot", "held"),
    [
        (asks("0.4", "0.5"), holding("5", "5", ("2", "2"))),
        (asks("0.4", "0.5"), holding("5", "0", ("2", "0"), pending="NO")),
        (market(top(), top(ask=None)), holding("5", "0", ("2", "0"))),
    ],
)
def test_there_may_be_nothing_to_hedge(snapshot: MarketSnapshot, held: PairPosition) -> None:
    assert hedge(snapshot, held, PARAMETERS) == []


# --- average down ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("ask", "bought"), [("0.35", True), ("0.36", False), ("0.3", True)])
def test_more_is_bought_a_step_below_the_average_cost(ask: str, bought: bool) -> None:
    position = holding("20", "0", ("8", "0"))  # 0.40 each, the step is 0.05
    found = average_down(asks(ask, "0.7"), position, PARAMETERS)
    assert bool(found) is bought
    for each in found:
        assert (each.side, each.size, each.rank) == (YES, Decimal(10), Rank.AVERAGE_DOWN)


def test_of_two_sides_held_alike_the_one_that_fell_further_is_bought() -> None:
    position = holding("10", "10", ("5", "5"))
    (found,) = average_down(asks("0.44", "0.4"), position, PARAMETERS)
    assert found.side is NO


@pytest.mark.parametrize(
    ("snapshot", "held"),
    [
        (asks("0.3", "0.7"), holding()),
        (asks("0.3", "0.7"), holding("20", "0", ("8", "0"), pending="YES")),
        (asks("0.3", "0.7"), holding("500", "0", ("200", "0"))),
        (asks("0.3", "0.7"), holding("20", "30", ("8", "9"))),  # the smaller side is to be hedged
        (market(top(ask=None), top(ask=None)), holding("20", "0", ("8", "0"))),
    ],
)
def test_nothing_is_averaged_down_that_should_not_be(
    snapshot: MarketSnapshot, held: PairPosition
) -> None:
    assert average_down(snapshot, held, PARAMETERS) == []


# --- all three ------------------------------------------------------------------------------------


def test_a_hedge_goes_before_averaging_down() -> None:
    position = holding("20", "0", ("8", "0"))
    assert inventory(asks("0.3", "0.5"), position, PARAMETERS)[0].rank is Rank.HEDGE
    assert inventory(asks("0.3", "0.75"), position, PARAMETERS)[0].rank is Rank.AVERAGE_DOWN
    assert inventory(asks("0.4", "0.7"), holding(), PARAMETERS)[0].rank is Rank.BOOTSTRAP


def test_without_inventory_no_side_is_bought_alone() -> None:
    off = parameters(inventory=False)
    assert inventory(asks("0.3", "0.5"), holding(), off) == []
    assert inventory(asks("0.6", "0.6"), holding(), PARAMETERS) == []
