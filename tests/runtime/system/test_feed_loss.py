"""A feed that gives up in real time: nobody trades on blindly, unless told to."""

from collections.abc import Iterator
from typing import Any

import attrs
import pytest

from actors.messages.account import TradingState
from actors.messages.safety import KillSwitchChanged
from actors.messages.slices import Slice
from actors.messages.system import ActorGaveUp
from actors.messages.trading import PlaceOrder
from runtime.config.daemon import FeedLoss, StopConfig, StopPolicy
from runtime.observe.result import ExitCode
from runtime.wiring.blueprint import Blueprint
from tests.runtime.system.test_live_system import LONG, Lived, lived, scene

_SECOND = 1_000_000_000
SECOND_FEED = (
    "feeds=[{name: market, type: synthetic, events: 1000, interval: 71ms, assets: [AAA]},"
    " {name: other, type: synthetic, events: 1000, interval: 71ms, assets: [ZZZ]}]"
)


def breaking(plan: Blueprint, feed: str, rows: int) -> Blueprint:
    """Return a run whose feed breaks, each time, after so many rows."""
    make = plan.sources[feed]

    def broken(incarnation: int) -> Any:
        source = make(incarnation)

        class Broken:
            def slices(self, resume_ns: int) -> Iterator[Slice]:
                for number, part in enumerate(source.slices(resume_ns)):
                    if number == rows:
                        raise RuntimeError("the line is dead")
                    yield part

            def summary(self) -> Any:
                return source.summary()

        return Broken()

    return attrs.evolve(plan, sources={**plan.sources, feed: broken})


def lost(rule: FeedLoss, feed: str = "other", **more: Any) -> Lived:
    plan = breaking(scene(SECOND_FEED, "supervision={intensity: 0}"), feed, 40)
    settings = {"duration_ns": 12 * _SECOND, "stop": StopConfig(policy=StopPolicy.KEEP), **more}
    return lived(plan, feed_loss=rule, **settings)


def places_after_the_loss(run: Lived) -> list[PlaceOrder]:
    at = next(i for i, each in enumerate(run.sent) if isinstance(each, ActorGaveUp))
    return [each for each in run.sent[at:] if isinstance(each, PlaceOrder)]


def test_trading_is_halted_and_latched_by_default() -> None:
    run = lost(FeedLoss.HALT)
    assert run.system.exit_code is ExitCode.FAILED
    assert run.system.failure is not None
    assert run.system.failure.startswith("feed other gave up: ")
    assert run.portfolio.trading_state is TradingState.HALTED
    assert run.orders.open_orders() == []
    latest = run.of(KillSwitchChanged)[-1]
    assert [each.cause for each in latest.causes] == [run.system.failure]
    assert places_after_the_loss(run) == []
    assert run.system.rows_passed > 150, "the other feed goes on"


def test_trading_may_be_reduced() -> None:
    run = lost(FeedLoss.REDUCE)
    assert run.portfolio.trading_state is TradingState.REDUCING
    assert run.of(KillSwitchChanged) == []


def test_trading_may_go_on() -> None:
    run = lost(FeedLoss.CONTINUE)
    assert run.system.exit_code is ExitCode.FAILED
    assert run.portfolio.trading_state is TradingState.ACTIVE
    assert places_after_the_loss(run)


@pytest.mark.parametrize("rule", list(FeedLoss))
def test_without_any_feed_the_run_ends(rule: FeedLoss) -> None:
    plan = breaking(scene(LONG, "supervision={intensity: 0}"), "market", 40)
    run = lived(plan, feed_loss=rule)
    assert run.system.exit_code is ExitCode.FAILED
    assert run.system.ending is not None
    assert run.system.ending.startswith("feed market gave up: ")
    assert run.orders.open_orders() == []
