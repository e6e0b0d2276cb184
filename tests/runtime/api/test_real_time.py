"""A run in real time, governed by the program in which it runs."""

from pathlib import Path
from typing import Any

import pytest
import trio

from actors.errors import ConfigError, ExecutionError, KernelError
from actors.messages.safety import KillSwitchChanged
from actors.messages.system import Halt, HaltLifted
from runtime.api import EventKind, Run, real_time, simulation
from runtime.config.load import load_config
from runtime.observe.result import ExitCode
from runtime.system.events import Events
from runtime.system.lock import only_instance
from tests.ring.rig import REPOSITORY

PAPER = REPOSITORY / "scenarios" / "paper.yaml"
QUICK = ("feeds[0].interval=5ms", "stop.policy=flatten")
DATA: dict[str, Any] = {
    "mode": "paper",
    "daemon": {"duration": "100ms"},
    "feeds": [{"name": "market", "type": "synthetic", "interval": "10ms", "assets": 1}],
}


def paper(*overrides: str, folder: Path | None = None) -> Run:
    return real_time(PAPER, folder=folder, overrides=[*QUICK, *overrides])


def test_the_scenario_that_is_shipped_runs_for_as_long_as_it_is_told(tmp_path: Path) -> None:
    run = paper("daemon.duration=1s", folder=tmp_path / "runs")
    result = run.start()
    assert (result.exit_code, result.reason) == (ExitCode.GOOD, "its time is over")
    assert result.orders
    assert result.events > 20
    assert all(row.position.quantity == 0 for row in result.positions)
    assert (tmp_path / "runs" / "journal.db").is_file()


async def test_a_program_halts_and_resumes_and_stops() -> None:
    run = paper()
    told: list[Any] = []
    with trio.fail_after(30):
        async with run:
            events = run.events(["system", "market"])
            await run.begun()
            assert run.status()["halt"]["is_halted"] is False
            run.halt("looks wrong to me")
            async for event in events:
                told.append(event.data)
                if isinstance(event.data, KillSwitchChanged):
                    break
            assert run.status()["halt"]["is_halted"] is True
            with pytest.raises(ExecutionError, match=r"resume: refused.*'looks fine'"):
                await run.resume("looks fine")
            await run.resume("looks wrong to me")
            assert run.status()["halt"]["is_halted"] is False
            run.stop("cancel")
            told += [event.data async for event in events]
    kinds = [type(each) for each in told]
    assert kinds.index(Halt) < kinds.index(KillSwitchChanged) < kinds.index(HaltLifted)
    assert run.result is not None
    assert (run.result.exit_code, run.result.reason) == (ExitCode.GOOD, "stopped by the program")


async def test_what_cannot_be_done_is_refused() -> None:
    run = paper()
    with pytest.raises(ExecutionError, match="expected one that runs"):
        run.status()
    with pytest.raises(ValueError, match="sell everything"):
        run.stop("sell everything")
    with trio.fail_after(30):
        async with run:
            await run.begun()
            run.stop()
    with pytest.raises(ExecutionError, match="expected one that runs"):
        run.halt("too late")
    virtual = simulation(1, 0.1)
    with pytest.raises(ExecutionError, match="expected one in real time, found mode: simulate"):
        virtual.halt("not here")


async def test_a_run_in_virtual_time_stops_without_a_policy() -> None:
    run = simulation(1, 0.1, duration="1h")
    async with run:
        await run.begun()
        with pytest.raises(ExecutionError, match="no policy"):
            run.stop("keep")
        run.stop()


async def test_a_halt_that_cannot_be_delivered_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    run = paper()
    with trio.fail_after(30):
        async with run:
            await run.begun()
            with monkeypatch.context() as patched:
                patched.setattr("runtime.api.run.halt", lambda *_: ["Halt was not delivered"])
                with pytest.raises(ExecutionError, match="halt: Halt was not delivered"):
                    run.halt("whatever")
            run.stop()


def test_a_folder_has_one_run_at_a_time(tmp_path: Path) -> None:
    run = paper(folder=tmp_path)
    with only_instance(tmp_path), pytest.raises(KernelError, match="runs there"):
        run.start()


def test_plain_data_are_a_configuration_too() -> None:
    run = real_time(DATA, overrides=["daemon.duration=50ms"])
    assert run.config.daemon.duration_ns == 50_000_000
    assert run.start().reason == "its time is over"


def test_real_money_is_asked_for_twice_and_nothing_is_guessed() -> None:
    with pytest.raises(ExecutionError, match="expected mode: live in the file as well"):
        real_time(DATA, live=True)
    with pytest.raises(ExecutionError, match="expected mode: paper or live, found simulate"):
        real_time({**DATA, "mode": "simulate", "daemon": {}})
    with pytest.raises(ConfigError, match="kill_switch"):
        real_time({**DATA, "mode": "live"})
    live = {
        **DATA,
        "mode": "live",
        "kill_switch": {"daily_loss": 50},
        "broker": {"type": "venue", "venue": {"type": "fake"}},
    }
    with pytest.raises(ExecutionError, match="expected live=True as well"):
        real_time(live)
    assert real_time(live, live=True).config.mode == "live"


def test_the_configuration_is_the_one_of_the_command_line() -> None:
    assert real_time(PAPER).config == load_config(PAPER, environment={})


def test_in_real_time_nobody_is_waited_for() -> None:
    events = Events(waits=False)
    stream = events.subscribe([EventKind.MARKET])

    class Row:
        time_ns = 1

    for _ in range(2000):
        events.take_row(Row())
    assert stream.missed == 2000 - 1025
    stream.close()
    events.take_row(Row())
    assert stream.missed == 2000 - 1025
