"""A core in a process of its own, and its stand-in."""

# ruff: noqa: TID251 - real processes take real time

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from actors.actor import Listener, Vectorised
from runtime.kernel.failures import FailedElsewhere, report_failure
from runtime.kernel.placement import process
from runtime.kernel.placement.child import Maker
from runtime.kernel.placement.process import ChildProcess, PlacedCore, Unresponsive
from tests.runtime.kernel.placement.cores import Columnar, Hopeless, Obedient, Thing, placed


def is_running(pid: int) -> bool:
    """Return whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def is_gone_within(pid: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while is_running(pid):
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


@pytest.fixture(scope="module")
def core() -> Iterator[PlacedCore]:
    """Yield a stand-in that several tests talk with."""
    stand_in = placed(things=[Thing(7)])
    assert stand_in.start(5) == ["started", 5, 0, 0, 0]
    yield stand_in
    stand_in.close()


def test_each_call_is_the_core_s_own(core: PlacedCore) -> None:
    before = core.snapshot()
    assert core.handle(("add", 3), 1) == [before + 3]
    assert core.snapshot() == before + 3
    assert core.stop(9) == ["stopped", 9]
    core.ping()
    (pid,) = core.handle(("pid", None), 1)
    assert pid == core.pid != os.getpid()


def test_it_draws_the_same_chance(core: PlacedCore) -> None:
    assert core.handle(("draw", None), 1) == [Random(7).random()]


def test_a_failure_is_told_in_the_child_s_words(core: PlacedCore) -> None:
    with pytest.raises(FailedElsewhere, match="ValueError: too far") as caught:
        core.handle(("fail", "too far"), 1)
    report = report_failure(caught.value)
    with pytest.raises(ValueError, match="too far") as here:
        Obedient.fail(None, "too far")  # type: ignore[arg-type]
    assert report == report_failure(here.value)
    assert report.where.startswith("placement/cores.py:Obedient.fail:")
    assert core.handle(("add", 0), 1) == [core.snapshot()]


def test_what_cannot_be_sent_back_is_a_failure(core: PlacedCore) -> None:
    with pytest.raises(FailedElsewhere, match="pickle"):
        core.handle(("unpicklable", None), 1)


def test_what_both_sides_have_is_not_sent_and_what_is_added_reaches_the_child() -> None:
    things = [Thing(7)]
    core = placed(things=things)
    try:
        core.start(0)
        assert core.handle(("number_of", things[0]), 1) == [7, things[0]]
        things += [Thing(8), Thing(9)]
        assert core.handle(("number_of", things[2]), 1) == [9, things[2]]
    finally:
        core.close()


def test_it_hears_rows_as_a_listener(core: PlacedCore) -> None:
    assert isinstance(core, Listener)
    assert not isinstance(core, Vectorised)
    assert core.callback(0) is None
    show = core.callback(1)
    assert show is not None
    core.handle(("add", -core.snapshot()), 1)
    outbox = core.outbox
    show(4)
    assert outbox == []
    show(6)
    assert len(outbox) == 1
    assert core.take_outbox(33) == [10, 33]
    assert core.outbox is outbox
    assert outbox == []


def test_it_works_on_columns_that_are_shown_once() -> None:
    core = placed(Columnar)
    try:
        core.start(0)
        assert isinstance(core, Vectorised)
        rows: Any = [1, 2, 9, 1]
        assert core.on_slice(rows, 0, 2) is None
        rows[0] = 7  # not seen any more
        assert core.on_slice(rows, 0, 4) == 2
        core.on_rows(rows, 0, 2)
        assert core.outbox == []
        core.on_rows(rows, 2, 3)
        assert core.outbox
        assert core.take_outbox(4) == [9, 4]
        assert core.on_slice([*rows, 9], 0, 5) == 0
    finally:
        core.close()


def test_it_recovers_a_long_past_after_a_snapshot() -> None:
    core = placed(things=[Thing(7)])
    core.reinstate(41)
    core.recover(("sent", number) for number in range(1203))
    try:
        assert core.start(1) == ["started", 1, 0, 41, 1203]
        assert core.handle(("past", None), 1) == list(range(1203))
    finally:
        core.close()


def test_a_past_that_cannot_be_recovered_from_is_a_failure() -> None:
    core = placed()
    core.recover([("sent", "broken"), *(("sent", number) for number in range(1200))])
    with pytest.raises(FailedElsewhere, match="a broken past"):
        core.start(1)
    assert core.pid is None


def test_a_core_that_cannot_be_built_is_a_failure() -> None:
    for core, text in ((placed(Hopeless), "no far today"), (placed(is_broken=True), "no such")):
        with pytest.raises(FailedElsewhere, match=text):
            core.start(1)
        assert core.pid is None


def test_one_that_loops_for_ever_is_killed() -> None:
    core = placed()
    core.deadline_s = 0.3
    core.start(0)
    assert core.deadline_s == 0.3
    pid = core.pid
    assert pid is not None
    (grandchild,) = core.handle(("parent", None), 1)
    with pytest.raises(Unresponsive, match=r"far has not answered within 0\.3 s and was killed"):
        core.handle(("spin", None), 1)
    assert core.pid is None
    assert is_gone_within(pid, 2)
    assert is_gone_within(grandchild, 2)
    with pytest.raises(Unresponsive, match="far: its process was ended"):
        core.handle(("add", 1), 1)
    core.close()


@pytest.mark.parametrize(
    ("message", "how"), [(("leave", 3), "exit code 3"), (("kill", None), "signal SIGKILL")]
)
def test_one_that_ends_is_noticed_at_once(message: tuple[str, object], how: str) -> None:
    core = placed()
    core.start(0)
    with pytest.raises(Unresponsive, match=f"far: its process has ended with {how}"):
        core.handle(message, 1)
    assert core.pid is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_one_whose_whole_group_is_asked_to_end_still_says_its_last_words(
    core: PlacedCore, number: signal.Signals
) -> None:
    core.start(0)
    assert core.pid is not None
    os.kill(core.pid, number)
    assert core.stop(11) == ["stopped", 11]


def test_one_that_was_closed_while_it_started_does_not_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    core, started = placed(), []

    class Late(ChildProcess):
        def __init__(self, name: str, maker: Maker) -> None:
            super().__init__(name, maker)
            started.append(self.pid)
            core.close()

    monkeypatch.setattr(process, "ChildProcess", Late)
    with pytest.raises(Unresponsive, match="its process was ended"):
        core.start(0)
    assert is_gone_within(started[0], 2)


def test_one_that_closes_its_line_is_noticed() -> None:
    core = placed()
    core.start(0)
    with pytest.raises(Unresponsive, match="its process has closed the connection"):
        core.handle(("hang_up", None), 1)
    assert core.pid is None


def test_nothing_is_started_before_it_is_needed() -> None:
    core = placed()
    core.recover([])
    assert core.pid is None
    core.close()


ORPHAN = """
import sys, time
from tests.runtime.kernel.placement.cores import placed
core = placed()
core.start(0)
print(core.pid, flush=True)
core.handle((sys.argv[1], 60), 1)
"""


@pytest.mark.parametrize("doing", ["spin", "nap"])
def test_no_child_outlives_a_parent_that_is_killed(doing: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ORPHAN, doing], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        time.sleep(0.05)
        assert is_running(pid)
        os.kill(parent.pid, signal.SIGKILL)
    assert is_gone_within(pid, 3)
