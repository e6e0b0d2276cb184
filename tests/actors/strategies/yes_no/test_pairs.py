"""The YES/NO strategy: both legs of a pair, and when only one of them fills."""

from decimal import Decimal

import pytest

from actors.actor import Later
from actors.messages.trading import SignalBatch
from actors.model.order import TERMINAL, OrderStatus, Side, TimeInForce
from actors.strategies.yes_no import YesNo
from tests.actors.strategies.builders import outcome_pair, quote, refusal, started, update
from tests.actors.strategies.yes_no.traders import (
    NO,
    YES,
    core,
    ended,
    fired,
    held,
    offered,
    signals,
)
from tests.builders import SECOND, instruments

# --- arbitrage ------------------------------------------------------------------------------------


def test_both_legs_go_out_together_or_not_at_all() -> None:
    sent = offered(core(), 45, 50)
    (batch,) = [each for each in sent if isinstance(each, SignalBatch)]
    assert batch.all_or_none
    assert [leg.instrument for leg in batch.signals] == [YES.id, NO.id]
    for leg in batch.signals:
        assert (leg.side, leg.quantity) == (Side.BUY, Decimal(10))
        assert (leg.time_in_force, leg.priority) == (TimeInForce.IOC, 0)
        assert leg.reason == "arbitrage: YES and NO together earn 0.05 a pair"


def test_an_offer_is_used_once() -> None:
    strategy = core()
    for leg in signals(offered(strategy, 45, 50)):
        ended(strategy, leg, "0")
    strategy.on_quote(quote(YES, 44, 45))
    assert strategy.take_outbox(1) == []
    strategy.on_quote(quote(NO, 49, 50))
    assert len(signals(strategy.take_outbox(1))) == 2


@pytest.mark.parametrize("end", sorted(TERMINAL))
def test_a_side_is_free_again_after_any_end_of_its_order(end: OrderStatus) -> None:
    strategy = core()
    yes, no = signals(offered(strategy, 45, 50))
    assert offered(strategy, 45, 50) == []
    strategy.handle(update(yes, end), 1)
    assert offered(strategy, 45, 50) == []
    strategy.handle(update(no, end), 1)
    assert len(signals(offered(strategy, 45, 50))) == 2


def test_a_refusal_frees_both_sides() -> None:
    strategy = core()
    for leg in signals(offered(strategy, 45, 50)):
        strategy.handle(refusal(leg), 1)
    assert len(signals(offered(strategy, 45, 50))) == 2


def test_a_side_waits_for_its_position_but_not_for_ever() -> None:
    strategy = core(max_position=Decimal(15), order_timeout_ns=SECOND)
    for leg in signals(offered(strategy, 45, 50)):
        strategy.handle(update(leg, OrderStatus.FILLED, filled="10"), 5)
    assert offered(strategy, 45, 50, time_ns=6) == []
    held(strategy, YES, "10", "4.5")
    assert offered(strategy, 45, 50, time_ns=7) == []
    held(strategy, NO, "10", "5")
    assert [leg.quantity for leg in signals(offered(strategy, 45, 50, time_ns=8))] == [5, 5]


# --- one leg fills, the other does not ------------------------------------------------------------


def legged(strategy: YesNo, *, time_ns: int = 1) -> None:
    """Have YES filled and NO not."""
    yes, no = signals(offered(strategy, 45, 50, time_ns=time_ns))
    ended(strategy, yes, "10", OrderStatus.FILLED)
    ended(strategy, no, "0")


def test_the_missing_leg_is_bought_while_that_loses_nothing() -> None:
    strategy = core()
    legged(strategy)
    (again,) = signals(offered(strategy, 46, 55, time_ns=2))
    assert (again.instrument, again.side) == (NO.id, Side.BUY)
    assert (again.quantity, again.limit_price) == (Decimal(10), Decimal("0.55"))
    assert again.reason == "leg: complete the pair, earns 0 a share"
    ended(strategy, again, "10", OrderStatus.FILLED)
    assert len(signals(offered(strategy, 45, 50, time_ns=3))) == 2


def test_before_its_time_is_over_a_dear_leg_is_waited_for() -> None:
    strategy = core(leg_timeout_ns=SECOND)
    legged(strategy)
    assert signals(offered(strategy, 46, 56, time_ns=SECOND)) == []


def test_a_late_leg_is_completed_at_a_small_loss() -> None:
    strategy = core(leg_timeout_ns=SECOND, max_leg_loss=Decimal("0.02"))
    legged(strategy)
    (again,) = signals(offered(strategy, 46, 57, time_ns=SECOND + 1))
    assert (again.instrument, again.limit_price) == (NO.id, Decimal("0.57"))


def test_a_late_leg_that_would_lose_more_is_sold_until_it_is_gone() -> None:
    strategy = core(leg_timeout_ns=SECOND, max_leg_loss=Decimal("0.02"))
    legged(strategy)
    (sale,) = signals(offered(strategy, 46, 58, time_ns=SECOND + 1))
    assert (sale.instrument, sale.side, sale.quantity) == (YES.id, Side.SELL, Decimal(10))
    assert sale.limit_price == Decimal("0.45")
    ended(strategy, sale, "6")
    (rest,) = signals(offered(strategy, 46, 58, time_ns=SECOND + 2))
    assert (rest.side, rest.quantity) == (Side.SELL, Decimal(4))
    ended(strategy, rest, "4", OrderStatus.FILLED)
    assert signals(offered(strategy, 46, 58, time_ns=SECOND + 3)) == []


def test_a_timer_looks_at_a_leg_in_a_market_that_stands_still() -> None:
    strategy = core(leg_timeout_ns=SECOND)
    sent = offered(strategy, 45, 50)
    (timer,) = [each for each in sent if isinstance(each, Later)]
    yes, no = signals(sent)
    ended(strategy, yes, "10", OrderStatus.FILLED)
    ended(strategy, no, "0")
    assert signals(offered(strategy, 46, 60, time_ns=2)) == []
    (sale,) = signals(fired(strategy, timer))
    assert (sale.instrument, sale.side) == (YES.id, Side.SELL)


def test_what_is_too_small_for_an_order_is_left() -> None:
    yes, no = outcome_pair("snow", min_quantity="5")
    strategy = started(YesNo, instruments(yes, no), parameters=YesNo.Parameters(inventory=False))
    strategy.on_quote(quote(yes, 44, 45))
    strategy.on_quote(quote(no, 49, 50))
    first, second = signals(strategy.take_outbox(1))
    strategy.handle(update(first, OrderStatus.CANCELLED, filled="4"), 1)
    held(strategy, yes, "4", "1.8")
    strategy.handle(update(second, OrderStatus.CANCELLED), 1)
    strategy.on_quote(quote(yes, 44, 45))
    strategy.on_quote(quote(no, 49, 50))
    assert len(signals(strategy.take_outbox(2))) == 2


def test_inventory_of_the_other_side_hedges_a_leg() -> None:
    strategy = core()
    held(strategy, NO, "10", "5")
    legged(strategy)
    assert len(signals(offered(strategy, 45, 50, time_ns=2))) == 2
