"""A daemon in a process of its own: started once, stopped in order, gone on with."""

import os
import signal
from decimal import Decimal
from pathlib import Path

import pytest

from tests.daemon.daemons import CASH, CONFIG, SIMULATED, books_of, daemon, venue


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
        assert night.kill_after(2.0) == -signal.SIGKILL
        before = books_of(night.run_folder)
        assert before.trades
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
        night.start("--set", "stop.policy=keep")
        assert night.process is not None
        with pytest.raises(Exception, match="timed out"):
            night.process.wait(1.5)
        os.kill(there.process.pid, signal.SIGSTOP)
        night.tell(signal.SIGTERM)
        assert night.wait_for("STOPPING=1")
        night.tell(signal.SIGTERM)
        assert night.ended(seconds=5.0) == 1
        assert "not all stages were gone through" in night.errors
        os.kill(there.process.pid, signal.SIGCONT)


def test_stopping_with_keep_leaves_orders_and_the_next_start_takes_them_up(tmp_path: Path) -> None:
    habits = {"latency": "5ms", "rejects": 0, "parts": 0, "rests": 1, "late_fills": 0}
    with venue(tmp_path, habits=habits) as there, daemon(tmp_path, CONFIG) as night:
        night.start("--set", "daemon.duration=1500ms", "--set", "stop.policy=keep")
        assert night.ended() == 0, night.errors
        kept = [each for each in there.ledger()["orders"] if each["status"] == "WORKING"]
        assert kept
        assert len(books_of(night.run_folder).not_over) == len(kept)
        night.start("--set", "daemon.duration=1s", "--set", "stop.policy=cancel")
        assert night.ended() == 0, night.errors
        open_there = [each for each in there.ledger()["orders"] if each["status"] == "WORKING"]
        assert open_there == []
        assert books_of(night.run_folder).not_over == {}


def test_a_flattened_account_agrees_with_the_venue(tmp_path: Path) -> None:
    with venue(tmp_path) as there, daemon(tmp_path, CONFIG) as night:
        night.start("--set", "daemon.duration=3s")
        assert night.ended() == 0, night.errors
        books, ledger = books_of(night.run_folder), there.ledger()
        assert len(books.trades) > 5
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
