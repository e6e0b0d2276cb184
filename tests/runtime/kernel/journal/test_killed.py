"""A real process is killed, or its disk fails, at chosen points: what was durable is there."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from actors.errors import JournalError
from runtime.kernel.journal import LiveJournal, verify
from tests.runtime.kernel.journal.stored import META, NAME, any_codec, file_names, read

ROWS = 8
MANY = 1_000_000
ROTATION = ("prepared", "closed", "moved", "done")


def written_until(folder: Path, plan: str, segment_rows: int = MANY) -> tuple[int, int, str]:
    """Run a writer; return its exit code, the last row that it called durable, its last words."""
    module = "tests.runtime.kernel.journal.writer"
    done = subprocess.run(
        [sys.executable, "-m", module, str(folder), str(ROWS), str(segment_rows)],
        env={**os.environ, "BULKHEAD_FAULTS": plan},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    told = [int(line) for line in done.stdout.split()]
    return done.returncode, max(told, default=0), done.stderr


def checked(folder: Path) -> list[int]:
    """Return the sequences of a journal that was gone on with and closed, and is in order."""
    LiveJournal(folder / NAME, any_codec(), META).close()
    found = [entry.sequence for entry in read(folder / NAME)]
    assert found == list(range(1, len(found) + 1))
    assert verify(folder / NAME).rows == len(found)
    return found


@pytest.mark.parametrize("count", [1, 4])
@pytest.mark.parametrize("point", ["before_commit", "after_commit"])
async def test_what_was_durable_survives_a_kill(tmp_path: Path, point: str, count: int) -> None:
    code, durable, _ = written_until(tmp_path, f"journal.{point}:{count}=kill")
    assert code == -signal.SIGKILL
    assert durable == count - 1
    committed = count if point == "after_commit" else count - 1
    assert checked(tmp_path) == list(range(1, committed + 1))


@pytest.mark.parametrize(
    ("action", "words"), [("full", "No space left"), ("fsync", "Input/output")]
)
async def test_a_disk_that_fails_is_told_and_nothing_more_is_durable(
    tmp_path: Path, action: str, words: str
) -> None:
    code, durable, said = written_until(tmp_path, f"journal.before_commit:4={action}")
    assert code == 1
    assert words in said
    assert durable == 3
    assert checked(tmp_path) == [1, 2, 3]


@pytest.mark.parametrize("point", ["before_commit", "after_commit"])
async def test_a_torn_end_is_refused(tmp_path: Path, point: str) -> None:
    code, durable, _ = written_until(tmp_path, f"journal.{point}:5=torn")
    assert code == -signal.SIGKILL
    assert durable == 4
    with pytest.raises(JournalError, match="its end is damaged") as caught:
        checked(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("step", ROTATION)
async def test_a_rotation_that_is_interrupted_is_finished_or_taken_back(
    tmp_path: Path, step: str
) -> None:
    code, durable, _ = written_until(tmp_path, f"journal.rotate.{step}:1=kill", 4)
    assert code == -signal.SIGKILL
    assert durable in (4, 5)
    before = [entry.sequence for entry in read(tmp_path / NAME)]
    assert before == [1, 2, 3, 4, 5]
    assert checked(tmp_path) == before
    has_happened = step in ("moved", "done")
    assert ("journal-000001.sqlite" in file_names(tmp_path)) is has_happened
    assert "journal-next.sqlite" not in file_names(tmp_path)
    code, durable, _ = written_until(tmp_path, "")
    assert (code, durable) == (0, 13)
    assert len(checked(tmp_path)) == 13


async def test_a_journal_is_made_whole_or_not_at_all(tmp_path: Path) -> None:
    assert written_until(tmp_path, "journal.created:1=kill")[0] == -signal.SIGKILL
    assert file_names(tmp_path) == ["journal-new.sqlite"]
    assert written_until(tmp_path, "")[:2] == (0, ROWS)
    assert file_names(tmp_path) == [NAME]


async def test_killed_again_and_again_it_goes_on(tmp_path: Path) -> None:
    durable = 0
    for plan in (
        "after_commit:3=kill",
        "before_commit:4=kill",
        "rotate.moved:2=kill",
        "none:1=kill",
    ):
        _, told, said = written_until(tmp_path, f"journal.{plan}", 4)
        assert said == ""
        assert told > durable
        durable = told
        assert len(checked(tmp_path)) >= durable
    assert verify(tmp_path / NAME).segments >= 3
