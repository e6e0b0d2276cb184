"""The base of strategies: wishes, lifecycle, timers, orders and positions."""

from decimal import Decimal
from typing import Any

import attrs
import pytest

from actors.actor import Core, Later, Listener
from actors.messages.account import EquityMarked
from actors.messages.system import TimerFired
from actors.messages.trading import CancelOrder, Fill, OrderUpdate, Signal
from actors.model.order import Liquidity, OrderStatus, OrderType, Side, TimeInForce
from actors.strategies import Strategy, StrategyConfig
from actors.strategies.blotter import OpenOrder
from tests.actors.strategies.builders import position, refusal, started, update
from tests.actors.strategies.diaries import (
    A,
    B,
    BuyEachQuote,
    Diary,
    Idle,
    sent_by,
)
from tests.builders import context, instruments

# --- wishes --------------------------------------------------------------------------------------


def test_a_strategy_is_a_core_and_a_listener() -> None:
    core: Core = Idle(context(), instruments())
    assert isinstance(core, Listener)


def test_buying_sends_a_market_signal() -> None:
    core = started(Idle, instruments(A))
    order_id = core.buy(A, 5)
    assert order_id == "run-s-1"
    assert sent_by(core) == Signal(
        signal_id="run-s-1", strategy="s", instrument="A", side=Side.BUY, quantity=Decimal(5)
    )


def test_selling_carries_every_term() -> None:
    core = started(Idle, instruments(A))
    core.sell(
        "A",
        "0.5",
        limit=Decimal("1.25"),
        time_in_force=TimeInForce.IOC,
        reason="why",
        priority=3,
    )
    assert sent_by(core) == Signal(
        signal_id="run-s-1",
        strategy="s",
        instrument="A",
        side=Side.SELL,
        quantity=Decimal("0.5"),
        order_type=OrderType.LIMIT,
        limit_price=Decimal("1.25"),
        time_in_force=TimeInForce.IOC,
        reason="why",
        priority=3,
    )


def test_a_post_only_order_needs_a_limit() -> None:
    core = started(Idle, instruments(A))
    core.buy(A, 1, limit=2, post_only=True)
    assert sent_by(core).order_type is OrderType.POST_ONLY
    with pytest.raises(ValueError, match="post_only needs a limit"):
        core.buy(A, 1, post_only=True)


def test_a_target_names_a_position_and_no_side() -> None:
    core = started(Idle, instruments(A))
    core.target(A, "-2.5")
    signal = sent_by(core)
    assert (signal.side, signal.quantity, signal.target) == (None, None, Decimal("-2.5"))


@pytest.mark.parametrize(
    ("number", "error", "words"),
    [
        (0.5, TypeError, "quantity: expected a Decimal.*found the float 0.5"),
        (True, TypeError, "found the bool True"),
        (None, TypeError, "found the NoneType None"),
        ("half", ValueError, "expected a number, found 'half'"),
        ("NaN", ValueError, "expected a finite number"),
        (Decimal("Infinity"), ValueError, "expected a finite number"),
        (0, ValueError, "expected above 0, found 0"),
        (-1, ValueError, "expected above 0, found -1"),
    ],
)
def test_a_quantity_that_is_not_exact_or_not_positive_is_refused(
    number: Any, error: type[Exception], words: str
) -> None:
    core = started(Idle, instruments(A))
    with pytest.raises(error, match=words):
        core.buy(A, number)
    assert core.outbox == []


def test_a_float_limit_is_refused() -> None:
    core = started(Idle, instruments(A))
    limit: Any = 0.52
    with pytest.raises(TypeError, match="limit: expected a Decimal"):
        core.buy(A, 1, limit=limit)


def test_a_misspelt_term_is_refused() -> None:
    core = started(Idle, instruments(A))
    terms: Any = {"limt": 1}
    with pytest.raises(TypeError, match="limt"):
        core.buy(A, 1, **terms)


def test_ids_count_from_one_in_each_incarnation() -> None:
    second_life = started(Idle, instruments(A), incarnation=2)
    assert [second_life.buy(A, 1), second_life.target(A, 0)] == ["run-s.2-1", "run-s.2-2"]


def test_cancelling_names_the_order() -> None:
    core = started(Idle, instruments(A))
    core.cancel("run-s-1", reason="late")
    assert sent_by(core) == CancelOrder(client_order_id="run-s-1", strategy="s", reason="late")


# --- lifecycle -----------------------------------------------------------------------------------


def test_start_and_stop_return_what_their_callbacks_send() -> None:
    core = BuyEachQuote(context("s"), instruments(A))
    (first,) = core.start(5)
    (last,) = core.stop(9)
    assert (first.reason, last.reason, core.now_ns) == ("start", "stop", 9)


def test_without_a_configuration_the_parameters_are_the_defaults() -> None:
    class Sized(Strategy):
        @attrs.frozen(kw_only=True)
        class Parameters:
            size: int = 3

    assert Sized(context(), instruments()).parameters == Sized.Parameters()


def test_parameters_of_another_strategy_are_a_bug() -> None:
    with pytest.raises(AssertionError, match="wrong parameters"):
        Idle(context(), instruments(), StrategyConfig(parameters=3))


def test_fills_are_wanted_only_where_somebody_listens() -> None:
    assert Fill not in Strategy.wants
    assert Fill not in Idle.wants
    assert Fill in Diary.wants
    assert OrderUpdate in Idle.wants


def test_a_message_that_nobody_routes_here_is_a_bug() -> None:
    core = started(Idle, instruments(A))
    stray: Any = EquityMarked(time_ns=1, cash=Decimal(1), equity=Decimal(1))
    with pytest.raises(AssertionError):
        core.handle(stray, 1)


# --- timers --------------------------------------------------------------------------------------


def fired(core: Strategy, later: Any) -> list[Any]:
    """Deliver a timer."""
    return core.handle(later.message, later.at_ns)


def test_a_timer_fires_after_its_delay_and_does_not_keep_the_run_alive() -> None:
    core = started(Diary, instruments(A))
    core.set_timer("wake", 30)
    (later,) = core.take_outbox(100)
    assert later == Later(TimerFired("s", "wake", 130), 130, background=True)
    fired(core, later)
    assert core.heard == ["start", ("wake", 130)]


def test_a_timer_set_again_forgets_its_earlier_time() -> None:
    core = started(Diary, instruments(A))
    core.set_timer("wake", 30)
    (early,) = core.take_outbox(100)
    core.set_timer("wake", 60)
    (late,) = core.take_outbox(110)
    fired(core, early)
    fired(core, late)
    fired(core, late)
    assert core.heard == ["start", ("wake", 170)]


def test_a_timer_of_an_earlier_life_is_ignored() -> None:
    core = started(Diary, instruments(A), incarnation=1)
    assert core.handle(TimerFired("s", "wake", 5), 5) == []
    assert core.heard == ["start"]


def test_a_timer_without_delay_is_refused() -> None:
    core = started(Idle, instruments(A))
    with pytest.raises(ValueError, match="expected above 0 ns, found 0"):
        core.set_timer("wake", 0)


# --- orders and positions ------------------------------------------------------------------------


def test_an_order_is_open_from_the_wish_to_its_terminal_state() -> None:
    core = started(Diary, instruments(A, B))
    core.buy(A, 2)
    wish = sent_by(core)
    asked = OpenOrder(
        client_order_id="run-s-1",
        instrument="A",
        side=Side.BUY,
        quantity=Decimal(2),
        filled_quantity=Decimal(0),
        status=None,
    )
    assert core.open_orders() == (asked,)
    assert (core.has_open_order(A), core.has_open_order("B")) == (True, False)
    working = update(wish, OrderStatus.PARTIALLY_FILLED, filled="1")
    core.handle(working, 1)
    assert core.open_orders()[0].status is OrderStatus.PARTIALLY_FILLED
    assert core.open_orders()[0].filled_quantity == 1
    done = update(wish, OrderStatus.CANCELLED)
    core.handle(done, 2)
    assert core.open_orders() == ()
    assert core.heard == ["start", (working, 1), (done, 0)]


def test_a_refused_wish_is_not_open() -> None:
    core = started(Diary, instruments(A))
    core.buy(A, 2)
    no = refusal(sent_by(core))
    core.handle(no, 1)
    assert core.heard == ["start", (no, 0)]


def test_a_target_is_open_once_the_order_manager_speaks_of_it() -> None:
    core = started(Idle, instruments(A))
    core.target(A, 2)
    wish = sent_by(core)
    assert core.open_orders() == ()
    core.handle(update(wish, OrderStatus.WORKING), 1)
    assert core.has_open_order(A)


def test_the_position_is_known_before_the_callback_hears_of_it() -> None:
    core = started(Diary, instruments(A))
    assert core.position(A) == 0
    change = position("A", "-3")
    core.handle(change, 4)
    assert core.heard == ["start", (change, Decimal(-3))]
    assert (core.position("A"), core.now_ns) == (Decimal(-3), 4)


def test_a_fill_is_told() -> None:
    core = started(Diary, instruments(A))
    fill = Fill(
        client_order_id="run-s-1",
        strategy="s",
        instrument="A",
        venue="venue",
        trade_id="1",
        side=Side.BUY,
        last_quantity=Decimal(1),
        last_price=Decimal(2),
        commission=Decimal(0),
        liquidity=Liquidity.TAKER,
        leaves_quantity=Decimal(0),
        venue_time_ns=1,
    )
    core.handle(fill, 1)
    assert core.heard == ["start", fill]


def test_a_restarted_strategy_knows_its_orders_and_positions_and_calls_nobody() -> None:
    first = started(Idle, instruments(A, B))
    first.buy(A, 1)
    first.buy(A, 2)
    first.buy(B, 3)
    first.target(B, 9)
    done, open_, refused, target = first.take_outbox(0)
    history = [
        *[("sent", each) for each in (done, open_, refused, target)],
        ("received", update(done, OrderStatus.FILLED, filled="1")),
        ("received", refusal(refused)),
        ("received", position("A", "1")),
        ("received", TimerFired("s", "wake", 5)),
        ("received", update(target, OrderStatus.WORKING)),
    ]
    for _, message in history[4:]:
        first.handle(message, 1)
    second = Diary(context("s"), instruments(A, B))
    second.recover(history)
    assert second.open_orders() == first.open_orders()
    assert [order.client_order_id for order in second.open_orders()] == ["run-s-2", "run-s-4"]
    assert second.position(A) == 1
    second.start(2)
    assert second.heard == ["start"]
