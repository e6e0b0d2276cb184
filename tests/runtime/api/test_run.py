"""A run as an object: constructors, starting, listening."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import trio

from actors.errors import ConfigError, ExecutionError
from actors.messages.account import EquityMarked
from actors.messages.market import Quote
from actors.messages.system import ActorFailed, ActorRestarted
from actors.messages.trading import Fill, OrderUpdate, Signal
from actors.strategies import Strategy
from runtime.api import EventKind, Run, backtest, replay, simulation
from runtime.config import parse_config

BARS = "time,open,high,low,close,volume\n" + "".join(
    f"2024-01-{day:02},{10 + day},{11 + day},{9 + day},{10 + day},1000\n" for day in range(1, 29)
)


class BuysOnce(Strategy):
    def on_start(self) -> None:
        self.bought = False

    def on_quote(self, quote: Quote) -> None:
        if not self.bought:
            self.bought = True
            self.buy(quote.instrument, 1, reason="once")


class Stumbles(Strategy):
    def on_start(self) -> None:
        self.quotes = 0

    def on_quote(self, quote: Quote) -> None:
        self.quotes += 1
        if self.quotes == 50:
            raise RuntimeError("tripped")


def small(**more: Any) -> Run:
    return simulation(2, 0.1, seed=3, duration=timedelta(seconds=20), **more)


def buying() -> Run:
    return small().add_strategy(BuysOnce, name="buyer", instruments=["SYN1*"])


# --- constructors --------------------------------------------------------------------------------


def test_a_simulation_of_five_assets() -> None:
    run = simulation(5, timedelta(milliseconds=100), duration=timedelta(seconds=10))
    result = run.start()
    assert result.events >= 100
    assert result.exit_code == 0
    assert run.result is result
    assert run.config.feeds[0].options["assets"] == 5


def test_an_interval_in_seconds_is_the_same_as_a_timedelta() -> None:
    one = simulation(2, 0.25).config
    two = simulation(2, timedelta(milliseconds=250)).config
    assert one == two


def test_a_backtest_of_bars(tmp_path: Path) -> None:
    (tmp_path / "ACME.csv").write_text(BARS)
    result = (
        backtest(tmp_path / "ACME.csv", cash=1000)
        .add_strategy("average_cross", on="bar", fast=2, slow=4, quantity=Decimal(5))
        .start()
    )
    assert result.name == "backtest_execution"
    assert result.starting_cash == 1000
    assert result.fills


def test_a_conservative_backtest_is_not_the_realistic_one(tmp_path: Path) -> None:
    path = tmp_path / "ACME.csv"
    assert backtest(path, conservative=True).config.broker.preset == "conservative"
    assert backtest(path).config.broker.preset == "realistic"


def test_a_replay_with_a_filter(tmp_path: Path) -> None:
    (tmp_path / "ACME.csv").write_text(BARS)
    (tmp_path / "OTHER.csv").write_text(BARS)
    run = replay(tmp_path, ["ACME*"], 0)
    assert run.config.mode == "replay"
    assert run.start().events == 28
    assert replay(tmp_path).start().events == 2 * 28
    assert replay(tmp_path, speed=2.0).config.speed == 2.0


def test_what_is_wrong_is_told_before_anything_starts() -> None:
    with pytest.raises(ConfigError, match="strategies"):
        small().add_strategy("no_such_strategy").start()
    with pytest.raises(ConfigError, match="seed"):
        simulation(seed=-1)


# --- putting together ----------------------------------------------------------------------------


def test_strategies_get_names_of_their_own() -> None:
    run = small().add_default_strategies().add_strategy("event_log").add_strategy(BuysOnce)
    names = [strategy.name for strategy in run.config.strategies]
    assert names == ["market_analysis", "event_log", "event_log-2", "BuysOnce"]


def test_the_explanation_is_the_same_run() -> None:
    run = small().add_strategy("average_cross", fast=3, slow=8, quantity=2)
    again = parse_config(run.explain(), "run.yaml", environment={})
    first, second = run.start(), Run(again).start()
    assert first.fills == second.fills
    assert first.fills


def test_a_run_is_started_once(tmp_path: Path) -> None:
    run = simulation(1, 0.1, duration=timedelta(seconds=2), folder=tmp_path)
    run.start()
    assert (tmp_path / "journal.db").is_file()
    with pytest.raises(ExecutionError, match="once"):
        run.start()
    with pytest.raises(ExecutionError, match="once"):
        run.add_strategy("event_log")


# --- events --------------------------------------------------------------------------------------


async def test_events_of_a_run_in_their_order() -> None:
    run = buying()
    async with run:
        events = [event async for event in run.events()]
    kinds = {event.kind for event in events}
    assert kinds >= {EventKind.MARKET, EventKind.USER, EventKind.METRICS, EventKind.RING}
    spoken = [event.sequence for event in events if event.sequence]
    assert spoken == sorted(spoken)
    assert [event.time_ns for event in events] == sorted(event.time_ns for event in events)
    quotes = [event for event in events if isinstance(event.data, Quote)]
    assert len(quotes) == 200
    signal = next(event for event in events if isinstance(event.data, Signal))
    assert (signal.sender, signal.kind) == ("buyer", EventKind.RING)
    assert run.result is not None
    assert len([event for event in events if isinstance(event.data, Fill)]) == len(run.result.fills)


async def test_only_the_kinds_that_were_asked_for() -> None:
    run = buying()
    async with run:
        users = run.events(["user"])
        metrics = run.events(["metrics"])
        assert all(event.kind is EventKind.USER for event in [e async for e in users])
        samples = [event.data async for event in metrics]
    assert samples
    assert all(isinstance(sample, EquityMarked) for sample in samples)


async def test_the_life_of_actors_is_among_the_events_of_the_system() -> None:
    run = small().add_strategy(Stumbles, name="clumsy", instruments=["SYN1*"])
    async with run:
        told = [event.data async for event in run.events(["system"])]
    assert all(not isinstance(each, Signal | Fill | Quote) for each in told)
    life = [each for each in told if isinstance(each, ActorFailed | ActorRestarted)]
    assert [type(each) for each in life[:2]] == [ActorFailed, ActorRestarted]
    assert {each.actor for each in life} == {"clumsy"}


def test_listening_changes_nothing() -> None:
    alone = buying().start()
    run = buying()

    async def listen() -> list[OrderUpdate]:
        async with run:
            return [e.data async for e in run.events() if isinstance(e.data, OrderUpdate)]

    assert trio.run(listen)
    assert run.result is not None
    assert run.result.fills == alone.fills
    assert run.result.equity == alone.equity


async def test_a_reader_who_leaves_holds_nobody_up() -> None:
    run = simulation(5, 0.01, duration=timedelta(seconds=60))
    async with run:
        async for event in run.events(["market"]):
            assert event.kind is EventKind.MARKET
            break
    assert run.result is not None
    assert run.result.events >= 6000


async def test_the_run_waits_for_a_slow_reader() -> None:
    run = simulation(5, 0.01, duration=timedelta(seconds=60))
    seen = 0
    async with run:
        async for _ in run.events(["market"]):
            seen += 1
            if seen % 1000 == 0:
                await trio.sleep(0.01)
    assert seen >= 6000


async def test_a_run_can_be_stopped_from_its_events() -> None:
    run = simulation(1, 0.1, duration=timedelta(hours=10))
    run.stop()  # too early: nothing runs yet
    async with run:
        async for event in run.events(["market"]):
            if event.data.time_ns > 0:
                run.stop()
    assert run.result is not None
    assert run.result.events < 36_000


async def test_the_market_is_asked_for_in_time() -> None:
    run = small()
    async with run:
        await trio.lowlevel.checkpoint()
        await trio.lowlevel.checkpoint()
        with pytest.raises(ExecutionError, match="before the run sets out"):
            run.events(["market"])
        words = "kinds: expected any of market, user, system, metrics, ring, found 'weather'"
        with pytest.raises(ValueError, match=words):
            run.events(["weather"])
    assert run.result is not None


# --- afterwards ----------------------------------------------------------------------------------


def test_a_finished_run_can_be_asked() -> None:
    run = buying()
    with pytest.raises(ExecutionError, match="ended"):
        _ = run.portfolio
    result = run.start()
    stats = run.get_execution_stats()
    assert stats["order_stats"]["total_filled"] == len(result.fills) == 2
    assert run.portfolio.get_cash_balance() == result.final_cash
    assert run.portfolio.get_position("SYN1") == 0
    (bought, closed) = run.orders.orders()
    assert run.orders.get_status(bought.order.client_order_id) == "FILLED"
    assert closed.order.reason == "close out"
