"""kill -9: whatever happens to the process, nothing is lost, doubled or made up."""

import signal
from pathlib import Path

import pytest

from runtime.kernel.faults import tear
from tests.daemon.daemons import CONFIG, Daemon, Venue, books_of, daemon, venue
from tests.daemon.killing import Tally, compare, kill_again_and_again


@pytest.mark.parametrize("seed", [1, 2])
def test_a_daemon_that_is_killed_again_and_again_ends_flat_and_reconciled(
    tmp_path: Path, seed: int
) -> None:
    tally = kill_again_and_again(tmp_path, 10, seed)
    assert tally.wrong == [], str(tally)
    assert tally.kills.total() == 10
    assert tally.trades > 0


@pytest.mark.parametrize("fault", ["full", "fsync"])
def test_a_journal_that_cannot_be_written_ends_the_run_and_the_next_goes_on(
    tmp_path: Path, fault: str
) -> None:
    habits = {"latency": "5ms", "rejects": 0, "parts": 0, "rests": 1, "late_fills": 0}
    with venue(tmp_path, habits=habits) as there, daemon(tmp_path, CONFIG) as night:
        night.start(faults=f"journal.before_commit:60={fault}")
        assert night.ended() == 1
        told = night.errors.splitlines()
        assert told[-1].startswith("bulkhead: the journal has failed: ")
        statuses = {order["status"] for order in there.ledger()["orders"]}
        assert "CANCELLED" in statuses
        assert not statuses & {"WORKING", "PARTIALLY_FILLED"}, "cancelled past the journal"
        _agree_in_the_end(night, there)


def test_a_disk_that_is_really_full_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    with venue(tmp_path) as there, daemon(tmp_path, CONFIG) as night:
        night.start(faults="journal.pages=40")
        assert night.ended() == 1
        assert "the journal has failed: " in night.errors
        assert books_of(night.run_folder).submitted
        _agree_in_the_end(night, there)


def test_a_torn_last_page_is_gone_on_with_or_refused_in_one_line(tmp_path: Path) -> None:
    with venue(tmp_path) as there, daemon(tmp_path, CONFIG) as night:
        night.start(faults="journal.after_commit:50=torn")
        assert night.kill_after(20) == -signal.SIGKILL
        night.start("--set", "daemon.duration=2s", is_awaited=False)
        if night.ended() == 0:
            tally = Tally()
            compare(night, there.ledger(), tally)
            assert tally.wrong == []
        else:
            assert len(night.errors.splitlines()) == 1
            assert "journal" in night.errors


def test_a_damaged_journal_is_refused_in_one_line(tmp_path: Path) -> None:
    with venue(tmp_path), daemon(tmp_path, CONFIG) as night:
        night.start("--set", "daemon.duration=1s")
        assert night.ended() == 0
        tear(night.run_folder / "journal.db")
        night.start(is_awaited=False)
        assert night.ended() == 1
        (line,) = night.errors.splitlines()
        assert line.startswith("bulkhead: ")
        assert "journal.db" in line


def _agree_in_the_end(night: Daemon, there: Venue) -> None:
    """Start once more, end in order, and compare everybody's books."""
    night.start("--set", "daemon.duration=2s")
    assert night.ended() == 0, night.errors
    tally = Tally()
    compare(night, there.ledger(), tally)
    assert tally.wrong == []
