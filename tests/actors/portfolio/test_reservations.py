from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.model.order import Order, Side
from actors.model.recent import RecentIds
from actors.portfolio.claims.reservations import Reservations
from tests.actors.portfolio.builders import COIN, YES, order

KEY = ("cross", COIN)


def holding(*orders: Order, opening: str = "10", cost: str = "5") -> Reservations:
    reservations = Reservations()
    for one in orders:
        count(reservations, one, Decimal(opening), Decimal(cost))
    return reservations


def count(reservations: Reservations, one: Order, opening: Decimal, cost: Decimal) -> None:
    reservations.add(one, reservations.strategy((one.strategy, one.instrument)), opening, cost)


def fill(reservations: Reservations, quantity: str, *, is_over: bool = False) -> None:
    reservations.fill("run-cross-1", Decimal(quantity), is_over=is_over)


def test_an_order_counts_for_its_strategy_and_for_the_account() -> None:
    held = holding(order(1), order(2, strategy="other"), order(3, Side.SELL, "4"))
    assert (held.strategy(KEY).buying, held.strategy(KEY).selling) == (Decimal(10), Decimal(4))
    assert (held.account(COIN).buying, held.account(COIN).selling) == (Decimal(20), Decimal(4))
    assert held.account(YES).buying == Decimal(0)
    assert len(held) == 3


def test_a_partial_fill_frees_its_share() -> None:
    held = holding(order(1))
    fill(held, "4")
    assert held.strategy(KEY).buying == Decimal(6)
    assert held.reserved == Decimal(3)


def test_the_closing_part_is_taken_to_fill_first() -> None:
    held = holding(order(1), opening="4", cost="2")
    fill(held, "6")
    assert held.reserved == Decimal(2)
    fill(held, "2")
    assert held.reserved == Decimal(1)


def test_an_order_that_costs_nothing_frees_only_its_quantity() -> None:
    held = holding(order(1, Side.SELL), cost="0")
    fill(held, "4")
    assert (held.strategy(KEY).selling, held.reserved) == (Decimal(6), Decimal(0))


def test_a_last_fill_frees_everything() -> None:
    for quantity, is_over in (("10", False), ("3", True), ("11", False)):
        held = holding(order(1))
        fill(held, quantity, is_over=is_over)
        assert (held.account(COIN).buying, held.reserved) == (Decimal(0), Decimal(0))
        assert "run-cross-1" not in held


def test_a_late_fill_of_a_released_order_frees_nothing_twice() -> None:
    held = holding(order(1, Side.SELL))
    held.release("run-cross-1")
    held.release("run-cross-1")
    fill(held, "5")
    assert (held.account(COIN).selling, held.reserved) == (Decimal(0), Decimal(0))


lots = st.integers(1, 10**12).map(lambda n: Decimal(n).scaleb(-8))


@given(st.lists(st.tuples(lots, lots, lots, st.lists(lots, max_size=4)), max_size=8))
@settings(deadline=None)
def test_whatever_fills_nothing_stays_reserved_when_all_orders_are_over(
    plans: list[tuple[Decimal, Decimal, Decimal, list[Decimal]]],
) -> None:
    held = Reservations()
    for number, (quantity, opening, cost, _) in enumerate(plans):
        side = Side.BUY if number % 2 else Side.SELL
        count(held, order(number, side, str(quantity)), min(opening, quantity), cost)
    for number, (*_, fills) in enumerate(plans):
        for quantity in fills:
            before = held.reserved
            held.fill(f"run-cross-{number}", quantity, is_over=False)
            assert 0 <= held.reserved <= before
    for number in range(len(plans)):
        held.release(f"run-cross-{number}")
    assert held.reserved == 0
    assert (held.account(COIN).buying, held.account(COIN).selling) == (Decimal(0), Decimal(0))
    assert len(held) == 0


def test_recent_ids_are_known_again_and_bounded() -> None:
    recent = RecentIds(limit=3)
    assert [recent.add(name) for name in "aba"] == [True, True, False]
    for number in range(100):
        assert recent.add(str(number))
        assert not recent.add(str(max(number - 2, 0)))
        assert len(recent) <= 6
    assert recent.add("a")
