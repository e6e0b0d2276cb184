from decimal import Decimal
from typing import Any

import pytest

from actors.messages.account import (
    CloseOut,
    EquityMarked,
    MarkEquity,
    SetTradingState,
    TradingState,
    TradingStateChanged,
)
from actors.messages.system import CancelAll, Halt
from actors.messages.trading import SignalRefused, Violation
from actors.model.order import Side
from actors.portfolio.approval.samples import DAY_NS, Landmarks
from actors.risk.loss import Action, DailyLoss, Drawdown
from tests.actors.portfolio.builders import SECOND
from tests.actors.portfolio.wishes import Desk, modify, names, state, wish

BUY, SELL = Side
ACTIVE, REDUCING, HALTED = TradingState


def set_state(to: TradingState, cause: str = "enough", acknowledges: str = "") -> SetTradingState:
    return SetTradingState(state=to, cause=cause, acknowledges=acknowledges)


def changed(to: TradingState, cause: str) -> TradingStateChanged:
    return TradingStateChanged(state=to, cause=cause)


def holding(*policies: Any, quantity: str = "100", **options: Any) -> Desk:
    """Return a desk that has bought coins at 0.50, which are worth 0.50 now."""
    desk = Desk(*policies, **options)
    desk.quote("0.50", "0.50")
    desk.fill(desk.order(wish(1, quantity=quantity)).order)
    return desk


# --- set by somebody -----------------------------------------------------------------------------


def test_reducing_lets_only_pass_what_reduces() -> None:
    desk = holding()
    assert desk.take(set_state(REDUCING)) == [changed(REDUCING, "enough")]
    (refused,) = desk.take(wish(2))
    assert refused.violations == (
        Violation("Reducing", "what reduces a position", "10 opened (enough)"),
    )
    assert desk.refused(wish(3, SELL, "101")) == ["Reducing"]
    order = desk.order(wish(4, SELL, "40")).order
    assert desk.refused(modify(4, "101")) == ["Reducing"]
    assert desk.change(modify(4, "100")).order == desk.history[-1][1].order
    assert order.quantity == 40


def test_halted_lets_nothing_pass_and_cancels_everything() -> None:
    desk = holding()
    assert desk.take(set_state(HALTED)) == [changed(HALTED, "enough"), CancelAll("enough")]
    assert desk.refused(wish(2, SELL, "100")) == ["Halted"]
    assert desk.take(CloseOut()) == []
    assert (desk.core.trading_state, desk.core.trading_state_cause) == (HALTED, "enough")
    info = desk.core.get_account_info()
    assert (info["trading_state"], info["trading_state_cause"]) == ("HALTED", "enough")


def test_a_worse_state_stays_until_its_cause_is_acknowledged() -> None:
    desk = Desk()
    desk.take(set_state(HALTED))
    for message in (
        set_state(ACTIVE, "please"),
        set_state(ACTIVE, "please", acknowledges="something else"),
        set_state(REDUCING, "another cause"),
        set_state(HALTED, "another cause"),
    ):
        assert desk.take(message) == [changed(HALTED, "enough")]
    sample, told = desk.take(set_state(REDUCING, "slowly", acknowledges="enough"))
    assert isinstance(sample, EquityMarked)
    assert told == changed(REDUCING, "slowly")
    assert names(desk.take(set_state(ACTIVE, "fine", acknowledges="slowly"))) == [
        "EquityMarked",
        "TradingStateChanged",
    ]
    assert (desk.core.trading_state, desk.core.trading_state_cause) == (ACTIVE, "")
    desk.order(wish(1))


def test_what_the_system_has_halted_stays_halted() -> None:
    desk = Desk()
    desk.take(set_state(HALTED), Halt("orders gave up"))
    assert desk.take(set_state(ACTIVE, "go", acknowledges="enough")) == [changed(HALTED, "enough")]
    core = desk.restarted()
    assert core.trading_state is HALTED
    assert core.handle(set_state(ACTIVE, "go", acknowledges="enough"), 0) == [
        changed(HALTED, "enough")
    ]
    fresh = Desk()
    fresh.take(Halt("orders gave up"))
    assert fresh.core.trading_state_cause == "orders gave up"


# --- tripped by losses ---------------------------------------------------------------------------


def test_a_limit_on_losses_refuses_what_opens_while_it_is_exceeded() -> None:
    desk = holding(DailyLoss(max_loss=Decimal(5)))
    desk.quote("0.44", "0.44")
    assert desk.refused(wish(2)) == ["DailyLoss"]
    assert desk.core.trading_state is ACTIVE
    desk.order(wish(3, SELL, "10"))
    desk.quote("0.46", "0.46")
    desk.order(wish(4))


@pytest.mark.parametrize(("action", "to"), [(Action.REDUCE, REDUCING), (Action.HALT, HALTED)])
def test_a_limit_on_losses_trips_at_a_decision(action: Action, to: TradingState) -> None:
    desk = holding(DailyLoss(max_loss=Decimal(5), action=action))
    desk.quote("0.44", "0.44")
    told = desk.take(wish(2))
    cause = "DailyLoss: limit 5, found 6"
    assert told[0] == changed(to, cause)
    assert (CancelAll(cause) in told) is (to is HALTED)
    assert isinstance(told[-1], SignalRefused)
    assert [v.policy for v in told[-1].violations] == (
        ["Halted"] if to is HALTED else ["Reducing", "DailyLoss"]
    )
    desk.quote("0.50", "0.50")  # it stays, though the loss is made good
    assert desk.refused(wish(3)) == ["Halted" if to is HALTED else "Reducing"]
    assert state(desk.restarted()) == state(desk.core)


def test_a_limit_on_losses_trips_at_a_sample_of_the_equity() -> None:
    desk = holding(
        Drawdown(max_drawdown=Decimal("0.01"), action=Action.REDUCE),
        DailyLoss(max_loss=Decimal(20), action=Action.HALT),
    )
    desk.quote("0.39", "0.39")
    told = desk.take(MarkEquity(), now_ns=SECOND)
    cause = "Drawdown: limit 1 %, found 1.10 %"
    assert names(told) == ["EquityMarked", "TradingStateChanged", "Later"]
    assert told[1] == changed(REDUCING, cause)
    assert names(desk.take(MarkEquity(), now_ns=2 * SECOND)) == ["EquityMarked", "Later"]
    desk.quote("0.29", "0.29")
    told = desk.take(MarkEquity(), now_ns=3 * SECOND)
    assert names(told) == ["EquityMarked", "TradingStateChanged", "CancelAll", "Later"]


def test_a_change_of_an_order_trips_too() -> None:
    desk = holding(DailyLoss(max_loss=Decimal(5), action=Action.HALT))
    desk.order(wish(2))
    desk.quote("0.44", "0.44")
    assert names(desk.take(modify(2, "5"))) == ["TradingStateChanged", "CancelAll", "SignalRefused"]


def test_after_it_was_lifted_losses_are_counted_anew() -> None:
    desk = holding(DailyLoss(max_loss=Decimal(5), action=Action.HALT))
    desk.quote("0.44", "0.44")
    desk.take(wish(2))
    cause = desk.core.trading_state_cause
    desk.take(set_state(ACTIVE, "go on", acknowledges=cause), now_ns=SECOND)
    desk.order(wish(3, quantity="1", limit="0.01"), now_ns=SECOND)
    desk.quote("0.40", "0.40")
    desk.order(wish(4, quantity="1", limit="0.01"), now_ns=SECOND)
    core = desk.restarted()
    assert state(core) == state(desk.core)
    desk.quote("0.38", "0.38")
    assert names(desk.take(wish(5), now_ns=SECOND)) == [
        "TradingStateChanged",
        "CancelAll",
        "SignalRefused",
    ]


def test_a_new_day_begins_with_what_is_left() -> None:
    desk = holding(DailyLoss(max_loss=Decimal(5)))
    desk.quote("0.44", "0.44")
    desk.take(MarkEquity(), now_ns=SECOND)
    assert desk.refused(wish(2), now_ns=DAY_NS - 1) == ["DailyLoss"]
    desk.order(wish(3), now_ns=DAY_NS)
    assert desk.core.get_risk_metrics()["daily_loss"] == 6
    desk.take(MarkEquity(), now_ns=DAY_NS + SECOND)
    assert desk.core.get_risk_metrics()["daily_loss"] == 0
    assert state(desk.restarted()) == state(desk.core)


def test_the_reports_say_what_is_at_stake() -> None:
    desk = holding()
    desk.take(MarkEquity(), now_ns=SECOND)
    desk.quote("0.40", "0.40")
    desk.order(wish(2, quantity="50", limit="0.30"))
    found = desk.core.get_risk_metrics()
    assert found["gross_exposure"] == found["net_exposure"] == 40
    assert found["worst_case_exposure"] == 60
    assert (found["daily_loss"], found["drawdown"]) == (10, Decimal("0.01"))


# --- landmarks -----------------------------------------------------------------------------------


def sample(time_ns: int, value: str) -> EquityMarked:
    return EquityMarked(time_ns=time_ns, cash=Decimal(0), equity=Decimal(value))


def test_a_day_begins_with_its_first_nanosecond_or_with_what_was_before() -> None:
    marks: Any = Landmarks(Decimal(100))
    assert (marks.day_start(0), marks.peak) == (100, 100)
    marks.add(sample(5, "90"))
    assert marks.day_start(6) == 100
    marks.add(sample(DAY_NS, "80"))
    assert marks.day_start(DAY_NS + 1) == 80
    marks.add(sample(DAY_NS + 5, "120"))
    marks.add(sample(2 * DAY_NS + 5, "70"))
    assert (marks.day_start(2 * DAY_NS + 6), marks.day_start(9 * DAY_NS), marks.peak) == (
        120,
        70,
        120,
    )
    marks.begin_anew()
    assert (marks.day_start(2 * DAY_NS + 7), marks.peak) == (70, 70)


def test_where_nothing_is_known_the_first_sample_begins_the_day() -> None:
    marks: Any = Landmarks(None)
    assert [marks.day_start(0), marks.peak] == [None, None]
    marks.add(sample(5, "90"))
    assert (marks.day_start(6), marks.peak) == (90, 90)


def test_an_account_of_several_currencies_loses_nothing_before_its_first_sample() -> None:
    desk = Desk(
        DailyLoss(max_loss=Decimal(5)),
        balances={"EUR": Decimal(10)},
        fx={"EUR": "MISSING"},
        cash=Decimal(100),
    )
    view = desk.core._gate.view
    assert (view.equity(), view.peak_equity(), view.day_start_equity(0)) == (100, 100, 100)
