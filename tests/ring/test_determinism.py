"""Same seed, same bytes: whatever the process, the hash seed and the cut of the market data."""

import os
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from runtime.config.model import JournalKind, RunConfig
from runtime.research.artefacts import write_artefacts
from runtime.research.statistics import statistics
from runtime.system import run_config
from tests.ring.rig import REPOSITORY, config
from tests.ring.scenes import RICH

COMPARED = ("journal.db", "orders.csv", "fills.csv", "equity.csv", "stats.json")
QUICKSTART = (REPOSITORY / "scenarios" / "quickstart.yaml").read_text()


def command(scenario: Path, out: Path, hash_seed: str) -> Path:
    """Run a scenario in a process of its own; return the run's folder."""
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(REPOSITORY)}
    arguments = [
        sys.executable,
        "-m",
        "runtime",
        "run",
        str(scenario),
        "--out",
        str(out),
        "--quiet",
    ]
    done = subprocess.run(
        arguments, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return (out / "latest").resolve()


def files(folder: Path) -> dict[str, bytes]:
    """Return what is compared."""
    return {name: (folder / name).read_bytes() for name in COMPARED}


def artefacts(settings: RunConfig, folder: Path) -> dict[str, bytes]:
    """Run in this process; return what is compared."""
    folder.mkdir()
    result = run_config(settings, folder)
    write_artefacts(folder, result, statistics(result))
    return {name: (folder / name).read_bytes() for name in COMPARED if (folder / name).exists()}


@pytest.mark.parametrize("text", [QUICKSTART, RICH], ids=["quickstart", "rich"])
def test_the_same_seed_gives_the_same_bytes_in_every_process(text: str, tmp_path: Path) -> None:
    scenario = tmp_path / "scenario.yaml"
    clumsy = REPOSITORY / "scenarios" / "clumsy.py"
    scenario.write_text(text.replace("clumsy.py:", f"{clumsy}:"))
    found = [files(command(scenario, tmp_path / seed, seed)) for seed in ("0", "1", "12345")]
    assert found[0]["fills.csv"].count(b"\n") > 50
    assert found[1] == found[0]
    assert found[2] == found[0]


@pytest.mark.parametrize("text", [QUICKSTART, RICH], ids=["quickstart", "rich"])
def test_the_same_seed_gives_the_same_bytes_however_rows_are_cut(text: str, tmp_path: Path) -> None:
    settings = config(text)
    whole = artefacts(settings, tmp_path / "4096")
    assert len(whole["journal.db"]) > 100_000
    for rows in (1, 7):
        assert artefacts(attrs.evolve(settings, slice_rows=rows), tmp_path / str(rows)) == whole


@pytest.mark.parametrize("text", [QUICKSTART, RICH], ids=["quickstart", "rich"])
def test_another_seed_gives_another_run(text: str, tmp_path: Path) -> None:
    settings = config(text)
    one, other = (
        artefacts(attrs.evolve(settings, seed=seed), tmp_path / str(seed)) for seed in (1, 2)
    )
    for name in COMPARED:
        assert one[name] != other[name], name


@pytest.mark.parametrize("text", [QUICKSTART, RICH], ids=["quickstart", "rich"])
def test_a_run_without_a_journal_comes_to_the_same(text: str, tmp_path: Path) -> None:
    settings = config(text)
    with_journal = artefacts(settings, tmp_path / "sqlite")
    without = artefacts(attrs.evolve(settings, journal=JournalKind.NONE), tmp_path / "none")
    assert "journal.db" not in without
    for name in ("orders.csv", "fills.csv", "equity.csv"):
        assert without[name] == with_journal[name]
