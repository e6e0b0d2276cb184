"""Halts that can be lifted, beside the account's own and the system's last word."""

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.messages.account import (
    MarkEquity,
    SetTradingState,
    TradingState,
    TradingStateChanged,
)
from actors.messages.system import CancelAll, CancelStrategy, Halt, HaltLifted, Resumed
from actors.risk.loss import Action, DailyLoss
from tests.actors.portfolio.builders import SECOND
from tests.actors.portfolio.wishes import Desk, state, wish

ACTIVE, REDUCING, HALTED = TradingState


def say(to: TradingState, cause: str, acknowledges: str = "") -> SetTradingState:
    return SetTradingState(state=to, cause=cause, acknowledges=acknowledges)


def changed(to: TradingState, cause: str) -> TradingStateChanged:
    return TradingStateChanged(state=to, cause=cause)


def held(desk: Desk) -> tuple[TradingState, str]:
    return desk.core.trading_state, desk.core.trading_state_cause


def test_a_halt_that_is_not_final_is_lifted_by_its_cause_only() -> None:
    desk = Desk()
    desk.take(Halt("stale feed", final=False))
    assert held(desk) == (HALTED, "stale feed")
    assert desk.refused(wish(1)) == ["Halted"]
    assert desk.take(HaltLifted("another")) == []
    assert desk.take(say(ACTIVE, "me", "stale feed")) == [changed(HALTED, "stale feed")]
    assert desk.refused(wish(2)) == ["Halted"]
    assert desk.take(HaltLifted("stale feed")) == [changed(ACTIVE, "")]
    desk.order(wish(3))


def test_of_several_halts_each_must_be_lifted() -> None:
    desk = Desk()
    desk.take(Halt("first", final=False), Halt("second", final=False))
    assert held(desk) == (HALTED, "first")
    assert desk.take(HaltLifted("first")) == [changed(HALTED, "second")]
    assert desk.take(HaltLifted("second")) == [changed(ACTIVE, "")]
    assert held(desk) == (ACTIVE, "")


def test_what_was_set_before_holds_again_after_a_halt() -> None:
    desk = Desk()
    desk.take(say(REDUCING, "careful"), Halt("fire", final=False))
    assert held(desk) == (HALTED, "fire")
    assert desk.take(HaltLifted("fire")) == [changed(REDUCING, "careful")]
    assert held(desk) == (REDUCING, "careful")


def test_a_final_halt_cannot_be_lifted() -> None:
    for story in (
        [Halt("fire", final=False), Halt("the end")],
        [Halt("the end"), Halt("fire", final=False)],
    ):
        desk = Desk()
        desk.take(*story)
        desk.take(HaltLifted("fire"), HaltLifted("the end"))
        desk.take(say(ACTIVE, "me", desk.core.trading_state_cause))
        assert desk.core.trading_state is HALTED
        assert state(desk.restarted()) == state(desk.core)


def test_a_final_halt_is_lifted_by_its_cause_in_the_next_process() -> None:
    desk = Desk()
    desk.take(Halt("the end"), Halt("fire", final=False), HaltLifted("fire"))
    assert held(desk) == (HALTED, "the end")
    desk.take(Resumed(last_ns=0))
    assert held(desk) == (HALTED, "the end")
    assert held_again(desk)
    assert desk.take(HaltLifted("another")) == []
    assert desk.take(HaltLifted("the end")) == [changed(ACTIVE, "")]
    desk.order(wish(1))
    assert held_again(desk)


def test_a_final_halt_that_was_lifted_at_once_is_over_in_the_next_process() -> None:
    desk = Desk()
    desk.take(Halt("the end"))
    assert desk.take(HaltLifted("the end")) == []
    assert held(desk) == (HALTED, "the end")
    desk.take(Resumed(last_ns=0))
    assert held(desk) == (ACTIVE, "")
    assert held_again(desk)


def test_a_strategy_that_was_stopped_runs_in_the_next_process() -> None:
    desk = Desk()
    desk.take(CancelStrategy("cross", "it gave up"))
    assert desk.refused(wish(1)) == ["Stopped"]
    desk.take(Resumed(last_ns=0))
    desk.order(wish(2))
    assert desk.restarted()._gate._stopped == {}


def test_more_causes_than_a_kill_switch_latches_are_not_kept() -> None:
    desk = Desk()
    for number in range(70):
        desk.take(Halt(f"fire {number}", final=False))
    for number in range(64):
        desk.take(HaltLifted(f"fire {number}"))
    assert held(desk) == (ACTIVE, "")


def test_a_loss_that_halted_is_lifted_by_its_cause_and_counted_anew() -> None:
    desk = Desk(DailyLoss(max_loss=Decimal(1), action=Action.HALT))
    desk.fill(desk.order(wish(1, quantity="100")).order)
    desk.quote("0.30", "0.32")
    told = desk.take(MarkEquity(), now_ns=SECOND)
    cause = desk.core.trading_state_cause
    assert CancelAll(cause) in told
    told = desk.take(HaltLifted(cause), now_ns=2 * SECOND)
    assert told[-1] == changed(ACTIVE, f"lifted: {cause}")
    assert held(desk) == (ACTIVE, "")
    desk.take(MarkEquity(), now_ns=3 * SECOND)
    assert held(desk) == (ACTIVE, ""), "the loss was accepted"
    assert state(desk.restarted()) == state(desk.core)


def test_the_own_halt_and_anothers_are_lifted_one_by_one() -> None:
    desk = Desk()
    desk.take(say(HALTED, "mine"), Halt("theirs", final=False))
    assert held(desk) == (HALTED, "mine")
    told = desk.take(say(ACTIVE, "me", "mine"))
    assert told[-2:] == [changed(ACTIVE, "me"), changed(HALTED, "theirs")]
    assert held(desk) == (HALTED, "theirs")
    assert held_again(desk)
    desk.take(HaltLifted("theirs"))
    assert held(desk) == (ACTIVE, "")


def held_again(desk: Desk) -> bool:
    again = desk.restarted()
    return (again.trading_state, again.trading_state_cause) == held(desk)


def test_only_the_latest_causes_are_remembered() -> None:
    desk = Desk()
    for number in range(200):
        desk.take(Halt(f"fire {number}", final=False), HaltLifted(f"fire {number}"))
    assert len(desk.core._gate.states._heard) == 64
    assert held(desk) == (ACTIVE, "")


causes = st.sampled_from(("a", "b", "c"))
words = st.one_of(
    st.builds(Halt, causes, st.just(False)),
    st.builds(Halt, causes, st.just(False)),
    st.builds(HaltLifted, causes),
    st.builds(
        lambda to, cause, known: say(to, f"own {cause}", f"own {known}"),
        st.sampled_from(TradingState),
        causes,
        causes,
    ),
    st.just(MarkEquity()),
    st.builds(Halt, st.sampled_from(("the end", "a"))),
    st.builds(Resumed, last_ns=st.just(0)),
)


@given(st.lists(st.lists(words, min_size=1, max_size=3), max_size=12))
@settings(deadline=None, max_examples=300)
def test_a_rebuilt_portfolio_is_in_the_same_state(story: list[list[Any]]) -> None:
    desk = Desk()
    for number, together in enumerate(story, 1):
        desk.take(*together, now_ns=number * SECOND)
    again = desk.restarted()
    assert state(again) == state(desk.core)
    for cause in ("a", "b", "c", desk.core.trading_state_cause):
        lifted = HaltLifted(cause)
        assert again.handle(lifted, 99 * SECOND) == desk.core.handle(lifted, 99 * SECOND)
        assert state(again) == state(desk.core)
