"""A daemon in a process of its own: started once, stopped in order, gone on with."""

import os
import signal
from decimal import Decimal
from pathlib import Path

import pytest

from tests.daemon.daemons import (
    CASH,
    CONFIG,
    SIMULATED,
    books_of,
    daemon,
    venue,
    wait_until,
    working,
)


def test_one_at_a_time_and_stopped_in_order_by_a_signal(tmp_path: Path) -> None:
    with daemon(tmp_path, SIMULATED) as night:
        night.start()
        second = type(night)(folder=tmp_path, config=night.config, starts=10)
        second.start(is_awaited=False)
        assert second.ended() == 1
        assert f"process {night.pid} runs there" in second.errors
        assert len(second.errors.splitlines()) == 1
        night.tell(signal.SIGTERM)
        assert night.wait_for("STOPPING=1")
        assert night.ended() == 130
        assert night.errors == "bulkhead: interrupted\n"
    assert night.manifest()["reason"] == "interrupted"


def test_it_goes_on_where_it_was_killed(tmp_path: Path) -> None:
    with daemon(tmp_path, SIMULATED) as night:
        night.start()
        assert wait_until(lambda: len(books_of(night.run_folder).trades) > 2)
        assert night.kill_after(0) == -signal.SIGKILL
        before = books_of(night.run_folder)
        night.start("--set", "daemon.duration=1s", "--set", "stop.policy=flatten")
        assert night.ended() == 0
        after = books_of(night.run_folder)
        assert before.trades < after.trades
        assert before.submitted < after.submitted
        assert after.repeated == []
        assert after.held == {}
        assert after.cash == Decimal(night.stats()["final_cash"])


def test_a_second_signal_is_quick(tmp_path: Path) -> None:
    habits = {"latency": "5ms", "rejects": 0, "parts": 0, "rests": 1, "late_fills": 0}
    text = CONFIG.replace("request_timeout: 500ms", "request_timeout: 20s")
    with venue(tmp_path, habits=habits) as there, daemon(tmp_path, text) as night:
        night.start("--set", "stop.policy=cancel")
        there.wait_for(lambda ledger: bool(working(ledger)))
        os.kill(there.process.pid, signal.SIGSTOP)
        night.tell(signal.SIGTERM)
        assert night.wait_for("STOPPING=1")
        night.tell(signal.SIGTERM)
        assert night.ended(seconds=20.0) == 1, "the first signal's stages take longer"
        assert "not all stages were gone through" in night.errors
        os.kill(there.process.pid, signal.SIGCONT)


def test_stopping_with_keep_leaves_orders_and_the_next_start_takes_them_up(tmp_path: Path) -> None:
    habits = {"latency": "5ms", "rejects": 0, "parts": 0, "rests": 1, "late_fills": 0}
    with venue(tmp_path, habits=habits) as there, daemon(tmp_path, CONFIG) as night:
        night.start("--set", "stop.policy=keep")
        there.wait_for(lambda ledger: len(working(ledger)) > 2)
        night.tell(signal.SIGTERM)
        assert night.ended() == 130, night.errors
        kept = working(there.ledger())
        assert len(books_of(night.run_folder).not_over) == len(kept)
        night.start("--set", "daemon.duration=1s", "--set", "stop.policy=cancel")
        assert night.ended() == 0, night.errors
        assert working(there.ledger()) == []
        assert books_of(night.run_folder).not_over == {}


def test_a_flattened_account_agrees_with_the_venue(tmp_path: Path) -> None:
    with venue(tmp_path) as there, daemon(tmp_path, CONFIG) as night:
        night.start()
        there.wait_for(lambda ledger: len(ledger["trades"]) > 5)
        night.tell(signal.SIGTERM)
        assert night.ended() == 130, night.errors
        books, ledger = books_of(night.run_folder), there.ledger()
        assert books.held == {} == ledger["positions"]
        cash = {Decimal(ledger["balances"]["USD"]), Decimal(night.stats()["final_cash"])}
        assert cash == {books.cash}
        assert books.cash != CASH


@pytest.mark.parametrize(
    ("text", "arguments", "expected"),
    [
        (SIMULATED, ("--live",), "--live: expected mode: live in the file, found paper"),
        (SIMULATED, ("--stress",), "--stress: expected a run in virtual time, found mode: paper"),
        (
            CONFIG.replace("mode: paper", "mode: live\nkill_switch: {daily_loss: 50}"),
            (),
            "mode: live trades with real money: it needs --live on the command line as well",
        ),
    ],
)
def test_what_must_not_begin_does_not(
    tmp_path: Path, text: str, arguments: tuple[str, ...], expected: str
) -> None:
    with daemon(tmp_path, text) as night:
        night.start(*arguments, is_awaited=False)
        assert night.ended() == 2
        assert night.errors == f"bulkhead: {expected}\n"
    assert not (tmp_path / "runs").exists()
