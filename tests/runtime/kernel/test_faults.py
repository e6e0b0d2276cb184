"""Faults on purpose: a plan is read, and followed at the named points."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from actors.errors import ConfigError
from runtime.kernel import faults


def test_without_a_plan_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "_plan", None)
    faults.reach("link.before_send")
    assert faults.limit("journal.pages") is None


@pytest.mark.parametrize(("action", "number"), [("full", errno.ENOSPC), ("fsync", errno.EIO)])
def test_a_disk_fails_at_the_time_that_is_planned(
    monkeypatch: pytest.MonkeyPatch, action: str, number: int
) -> None:
    monkeypatch.setattr(faults, "_plan", faults.parse(f"a.point:2={action}, journal.pages=9"))
    faults.reach("a.point")
    faults.reach("another")
    with pytest.raises(OSError) as caught:  # noqa: PT011 - the number is what counts
        faults.reach("a.point")
    assert caught.value.errno == number
    faults.reach("a.point")
    assert faults.limit("journal.pages") == 9
    assert faults.limit("journal.rows") is None


def test_another_plan_can_be_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "_plan", None)
    faults.install(faults.parse("a.point:1=full"))
    with pytest.raises(OSError, match="No space"):
        faults.reach("a.point")
    faults.install(None)
    faults.reach("a.point")
    assert faults.limit("a.limit") is None


@pytest.mark.parametrize("text", ["point", "point=kill", "point:x=kill", "point:1=burn", ":1=kill"])
def test_what_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"BULKHEAD_FAULTS: expected POINT:N=kill") as caught:
        faults.parse(text)
    assert caught.value.problems[0].found == repr(text)


def test_an_empty_plan_is_one() -> None:
    assert faults.parse(" , ") == faults.FaultPlan({}, {})


@pytest.mark.parametrize("action", ["kill", "torn"])
def test_a_process_is_killed(tmp_path: Path, action: str) -> None:
    file = tmp_path / "file.db"
    file.write_bytes(bytes(20_000))
    code = "import sys, pathlib; from runtime.kernel.faults import reach\n"
    code += "reach('a.point', pathlib.Path(sys.argv[1])); print('alive', flush=True)\n" * 2
    done = subprocess.run(
        [sys.executable, "-c", code, str(file)],
        env={**os.environ, "BULKHEAD_FAULTS": f"a.point:2={action}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGKILL, "alive\n", "")
    content = file.read_bytes()
    assert len(content) == 20_000
    assert (content == bytes(20_000)) is (action == "kill")
    assert content[:11_808] == bytes(11_808)


def test_the_log_of_a_database_is_torn_rather_than_the_database(tmp_path: Path) -> None:
    for name in ("file.db", "file.db-wal"):
        (tmp_path / name).write_bytes(bytes(100))
    faults.tear(tmp_path / "file.db")
    assert (tmp_path / "file.db").read_bytes() == bytes(100)
    assert (tmp_path / "file.db-wal").read_bytes() != bytes(100)


def test_what_would_be_torn_is_named_by_whoever_comes_to_the_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = []
    monkeypatch.setattr(os, "kill", lambda process, number: killed.append((process, number)))
    file = tmp_path / "file.db"
    file.write_bytes(bytes(10))
    plan = faults.parse("a.point:1=torn,a.point:2=torn,a.point:3=kill")
    for reached in (file, None, file):
        plan.reach("a.point", reached)
    assert killed == [(os.getpid(), signal.SIGKILL)] * 3
    assert file.read_bytes() == bytes(each * 151 % 256 for each in range(10))
