from decimal import Decimal

from tests.actors.portfolio.builders import all_policies
from tests.actors.portfolio.wishes import Desk, answer, modify, wish


def test_an_order_that_filled_while_it_was_to_grow_holds_nothing_back() -> None:
    desk = Desk(*all_policies(), cash=Decimal(1000))
    old = desk.order(wish(1)).order
    desk.change(modify(1, "20"))
    desk.fill(old, "10", leaves="10")  # until the venue answers, the other 10 may come
    assert desk.core.reserved > 0
    desk.take(answer(old, accepted=False))
    assert desk.core.reserved == 0
    assert desk.refused(modify(1, "30")) == ["Modify"]
