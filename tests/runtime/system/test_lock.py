"""One process at a time in a folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.system.lock import LOCK_FILE, AlreadyRunning, only_instance, running_pid

HOLD = """
import sys
from pathlib import Path
from runtime.system.lock import only_instance
with only_instance(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_one_is_told_who_runs(tmp_path: Path) -> None:
    with only_instance(tmp_path):
        with (
            pytest.raises(AlreadyRunning, match=f"process {os.getpid()} runs there"),
            only_instance(tmp_path),
        ):
            pass
        assert running_pid(tmp_path) == os.getpid()
    assert running_pid(tmp_path) is None
    with only_instance(tmp_path):
        assert running_pid(tmp_path) == os.getpid()


def test_nobody_runs_where_nobody_ever_did(tmp_path: Path) -> None:
    assert running_pid(tmp_path) is None
    assert not (tmp_path / LOCK_FILE).exists()


def test_a_holder_that_has_written_nothing_yet_is_no_process_id(tmp_path: Path) -> None:
    with only_instance(tmp_path):
        (tmp_path / LOCK_FILE).write_text("")
        assert running_pid(tmp_path) == 0
        with pytest.raises(AlreadyRunning, match="process unknown"), only_instance(tmp_path):
            pass


def test_the_lock_goes_with_a_process_that_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdin is not None
    assert holder.stdout.readline() == b"held\n"
    assert running_pid(tmp_path) == holder.pid
    holder.kill()
    holder.wait()
    holder.stdin.close()
    holder.stdout.close()
    with only_instance(tmp_path):
        assert running_pid(tmp_path) == os.getpid()
