from decimal import Decimal

import pytest
from msgspec.structs import replace

from actors.messages.account import SetTradingState, TradingState
from actors.messages.system import CancelStrategy
from actors.messages.trading import Violation
from actors.model.order import Side
from actors.risk.limits import CashLimit, NoShort, PositionLimit
from actors.risk.orders import MaxOpenOrders, OrderRate
from tests.actors.portfolio.builders import YES, all_policies
from tests.actors.portfolio.wishes import Desk, answer, ended, modify, state, wish

BUY, SELL = Side


def changed_to(quantity: str, limit: str, *, cash: str = "1000") -> Desk:
    """Return a desk on which 10 at 0.50 are being changed to something else."""
    desk = Desk(*all_policies(), cash=Decimal(cash))
    desk.order(wish(1))
    desk.change(modify(1, quantity, limit=limit))
    return desk


def test_a_change_is_an_order_as_it_shall_be_under_its_old_id() -> None:
    desk = Desk(*all_policies(), fee_rate=Decimal("0.01"))
    before = desk.order(wish(1, limit="0.50", stop="0.45"), now_ns=3).order
    found = desk.change(modify(1, "12.55", limit="0.60", stop="0.55"), now_ns=7)
    assert found.order == replace(
        before,
        quantity=Decimal("12.5"),
        limit_price=Decimal("0.60"),
        stop_price=Decimal("0.55"),
        created_ns=7,
    )
    assert found.approved_by == ("PositionLimit", "CashLimit", "NoShort")
    assert found.reserved == Decimal("12.5") * Decimal("0.60") * Decimal("1.01")


def test_what_is_not_named_stays() -> None:
    desk = Desk()
    before = desk.order(wish(1)).order
    assert desk.change(modify(1, limit="0.40")).order == replace(
        before, limit_price=Decimal("0.40")
    )
    assert desk.change(modify(1, "5")).order.limit_price == Decimal("0.40")  # of the latest form


@pytest.mark.parametrize(
    ("quantity", "limit", "most", "cost"),
    [
        ("12", "0.60", 12, "7.2"),
        ("4", "0.40", 10, "5"),
        ("4", "2", 10, "8"),
        ("20", "0.1", 20, "5"),
    ],
)
def test_until_the_venue_answers_the_greater_form_is_reserved(
    quantity: str, limit: str, most: int, cost: str
) -> None:
    desk = changed_to(quantity, limit)
    assert (desk.working(), desk.core.reserved) == ((most, 0), Decimal(cost))
    order = replace(
        desk.history[-1][1].order, quantity=Decimal(quantity), limit_price=Decimal(limit)
    )
    desk.take(answer(order))
    assert desk.working() == (Decimal(quantity), 0)
    assert desk.core.reserved == Decimal(quantity) * Decimal(limit)


def test_a_refused_change_leaves_the_order_as_it_was() -> None:
    desk = changed_to("12", "0.60")
    desk.take(answer(desk.history[1][1].order, accepted=False))
    assert (desk.working(), desk.core.reserved) == ((10, 0), 5)


def test_fills_come_off_both_forms() -> None:
    desk = changed_to("12", "0.60")
    old, new = desk.history[1][1].order, desk.history[-1][1].order
    desk.fill(old, "4", leaves="6")
    assert (desk.working(), desk.core.reserved) == ((8, 0), Decimal("4.8"))
    desk.take(answer(new))
    assert (desk.working(), desk.core.reserved) == ((8, 0), Decimal("4.8"))
    desk.fill(new, "8", leaves="0")
    assert (desk.working(), desk.core.reserved) == ((0, 0), 0)


def test_more_may_fill_than_the_old_form_had_before_the_answer_comes() -> None:
    desk = changed_to("15", "0.50")
    old, new = desk.history[1][1].order, desk.history[-1][1].order
    desk.fill(old, "12", leaves="3")
    assert (desk.working(), desk.core.reserved) == ((3, 0), Decimal("1.5"))
    desk.take(answer(new))
    assert (desk.working(), desk.core.reserved) == ((3, 0), Decimal("1.5"))


def test_an_order_that_ends_while_it_is_changed_leaves_nothing() -> None:
    desk = changed_to("12", "0.60")
    new = desk.history[-1][1].order
    desk.take(ended(new))
    desk.take(answer(new))
    assert (desk.working(), desk.core.reserved, len(desk.core._account.reservations)) == (
        (0, 0),
        0,
        0,
    )


def test_of_several_changes_the_greatest_counts_until_one_is_accepted() -> None:
    desk = changed_to("12", "0.50")
    small = desk.change(modify(1, "3")).order
    great = desk.change(modify(1, "20")).order
    assert desk.working() == (20, 0)
    desk.take(answer(small))
    assert desk.working() == (20, 0)
    desk.take(answer(great))
    assert desk.working() == (20, 0)
    desk.change(modify(1, "1"))
    desk.take(answer(great, accepted=False))
    assert desk.working() == (20, 0)


def test_somebody_elses_change_is_taken_as_it_is() -> None:
    desk = Desk()
    order = desk.order(wish(1, SELL)).order
    assert desk.core.reserved == 5
    desk.take(answer(order, accepted=False))
    desk.take(answer(replace(order, quantity=Decimal(4))))
    assert (desk.working(), desk.core.reserved) == ((0, 4), 2)
    desk.take(ended(order))
    assert (desk.working(), desk.core.reserved) == ((0, 0), 0)


def test_a_change_is_put_before_the_policies_without_its_old_form() -> None:
    desk = Desk(PositionLimit(max_size=Decimal(12)), CashLimit(), cash=Decimal(6))
    desk.order(wish(1))
    assert desk.refused(modify(1, "13")) == ["PositionLimit", "CashLimit"]
    desk.change(modify(1, "12"))
    assert desk.core.reserved == 6


def test_a_change_is_no_new_open_order_but_counts_for_the_rate() -> None:
    desk = Desk(MaxOpenOrders(max_orders=1), OrderRate(max_orders=2, interval_ns=100))
    desk.order(wish(1))
    desk.change(modify(1, "11"), now_ns=50)
    assert desk.refused(modify(1, "12"), now_ns=99) == ["OrderRate"]
    desk.change(modify(1, "12"), now_ns=100)


def test_selling_more_than_is_held_is_refused_as_a_change_too() -> None:
    desk = Desk(NoShort())
    desk.fill(desk.order(wish(1, instrument=YES)).order)
    desk.order(wish(2, SELL, "4", instrument=YES))
    desk.change(modify(2, "10"))
    (refused,) = desk.take(modify(2, "11"))
    assert refused.violations == (Violation("NoShort", "10", "11"),)
    assert (refused.signal_id, refused.instrument) == ("run-cross-2", YES)


def test_a_reduce_only_order_grows_to_what_is_held_and_no_further() -> None:
    desk = Desk()
    desk.fill(desk.order(wish(1)).order)
    order = desk.order(wish(2, SELL, "4", reduce_only=True)).order
    desk.fill(order, "1", leaves="3")
    assert desk.change(modify(2, "99")).order.quantity == 10  # 1 filled, 9 held
    desk.fill(desk.order(wish(3, SELL, "9")).order)
    assert desk.refused(modify(2, "99")) == ["ReduceOnly"]


def test_changes_that_make_no_sense_are_refused() -> None:
    desk = Desk()
    desk.order(wish(1))
    desk.order(wish(2, limit=None))
    desk.order(wish(3, limit=None, stop="0.60"))
    desk.fill(desk.order(wish(4)).order, "3", leaves="7")
    for message, violation in (
        (modify(9), Violation("Modify", "an open order of the strategy", "run-cross-9")),
        (
            replace(modify(1, "5"), strategy="other"),
            Violation("Modify", "an open order of the strategy", "run-cross-1"),
        ),
        (modify(1), Violation("Modify", "something to change", "nothing")),
        (modify(1, stop="0.5"), Violation("Modify", "no stop price of a LIMIT order", "0.5")),
        (modify(2, limit="0.5"), Violation("Modify", "no limit of a MARKET order", "0.5")),
        (modify(3, limit="0.5"), Violation("Modify", "no limit of a STOP order", "0.5")),
        (modify(4, "3"), Violation("Size", "more than the 3 filled", "3")),
        (modify(4, "3.05"), Violation("Size", "more than the 3 filled", "3")),
        (modify(1, limit="-1"), Violation("NoPrice", "an ask to buy at", "-1")),
    ):
        (refused,) = desk.take(message)
        assert refused.violations == (violation,)
    assert desk.core.statistics().refused_by == {"Modify": 6, "Size": 2, "NoPrice": 1}


def test_a_market_order_is_weighed_at_the_touch_when_it_is_changed() -> None:
    desk = Desk()
    desk.order(wish(1, limit=None))
    desk.quote("0.50", "0.55")
    assert desk.change(modify(1, "20")).reserved == 11
    desk.quote(None, None)
    assert desk.refused(modify(1, "21")) == ["NoPrice"]


def test_nothing_is_changed_when_trading_is_halted_or_the_strategy_stopped() -> None:
    desk = Desk()
    desk.order(wish(1))
    desk.order(wish(1, strategy="other"))
    desk.take(CancelStrategy("other", "crashed"))
    assert desk.refused(modify(1, "5", strategy="other")) == ["Stopped"]
    desk.take(SetTradingState(state=TradingState.HALTED, cause="enough"))
    assert desk.refused(modify(1, "5")) == ["Halted"]


def test_changes_under_way_outlive_a_restart() -> None:
    desk = Desk(*all_policies(), OrderRate(max_orders=9, interval_ns=9))
    first = desk.order(wish(1)).order
    # refused ones are skipped, a fill that was queued behind a change does not change what it opens
    assert desk.refused(modify(1, "5000")) == ["PositionLimit", "CashLimit"]
    desk.take(modify(1, "12", limit="0.60"), modify(1, "14"))
    desk.fill(first, "4", leaves="6")
    assert state(desk.restarted()) == state(desk.core)
    desk.take(answer(desk.change(modify(1, "9")).order), ended("run-cross-7"))
    assert state(desk.restarted()) == state(desk.core)
    desk.take(ended(first))
    assert state(desk.restarted()) == state(desk.core)
    assert desk.core.reserved == 0
