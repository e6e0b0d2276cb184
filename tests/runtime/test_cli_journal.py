"""``bulkhead journal verify | show | export``."""

import json
import shutil
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from runtime.cli import main
from tests.runtime.kernel.journal.stored import change

SAMPLE = Path(__file__).parent / "kernel" / "samples" / "journal-v1.db"
ORDER = "sample-7-arbitrage-1"

Output = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a run of an older version."""
    run = tmp_path / "run"
    run.mkdir()
    shutil.copy(SAMPLE, run / "journal.db")
    return run


def shown(folder: Path, capsys: Output, *options: str) -> list[dict[str, Any]]:
    """Return what ``show`` prints as JSON."""
    assert main(["journal", "show", str(folder), "--json", *options]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_journal_in_order_is_said_to_be(folder: Path, capsys: Output) -> None:
    assert main(["journal", "verify", str(folder)]) == 0
    said = capsys.readouterr().out
    assert said == "ok: 167 rows in 0 commits in 1 file, without checksums (an old version)\n"


def test_a_damaged_journal_is_told_in_one_line(folder: Path, capsys: Output) -> None:
    change(folder / "journal.db", "UPDATE envelopes SET cause = 99 WHERE sequence = 7")
    assert main(["journal", "verify", str(folder)]) == 1
    told = capsys.readouterr().err
    assert told.endswith("journal.db: row 7: its cause 99 is not before it\n")
    assert told.count("\n") == 1


def test_the_newest_of_several_runs_is_taken(folder: Path, capsys: Output) -> None:
    (folder.parent / "latest").symlink_to(folder)
    assert main(["journal", "verify", str(folder.parent)]) == 0
    assert capsys.readouterr().out.startswith("ok: 167 rows")


@pytest.mark.parametrize("command", ["verify", "show"])
def test_a_folder_without_a_journal_is_told(tmp_path: Path, capsys: Output, command: str) -> None:
    assert main(["journal", command, str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"bulkhead: no run with a journal in {tmp_path}\n"


def test_entries_are_shown_one_a_line(folder: Path, capsys: Output) -> None:
    assert main(["journal", "show", str(folder), "--from", "7", "--to", "8"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(
        "        7 2026-01-01T00:00:00.300000000Z PlaceOrder orders -> broker because of 6 {"
    )
    assert " due 2026-01-01T00:00:00.320000000Z {" in second


def test_what_nobody_receives_is_shown_too(folder: Path, capsys: Output) -> None:
    assert main(["journal", "show", str(folder), "--type", "EquityMarked", "--to", "2"]) == 0
    assert " EquityMarked portfolio -> nobody because of 1 {" in capsys.readouterr().out
    assert shown(folder, capsys, "--type", "EquityMarked", "--to", "2")[0]["receivers"] == []


def test_entries_are_chosen(folder: Path, capsys: Output) -> None:
    assert [each["sequence"] for each in shown(folder, capsys, "--from", "166")] == [166, 167]
    of_actor = shown(folder, capsys, "--actor", "orders", "--to", "9")
    assert [each["sequence"] for each in of_actor] == [6, 7, 9]
    assert {each["type"] for each in shown(folder, capsys, "--type", "Fill")} == {"Fill"}
    followed = shown(folder, capsys, "--follow-order", ORDER)
    assert [each["type"] for each in followed] == [
        "Signal",
        "SubmitOrder",
        "PlaceOrder",
        "OrderArrived",
        "OrderArrived",
        "ExecutionReport",
        "ExecutionReport",
        "Fill",
        "OrderUpdate",
    ]


def test_a_journal_is_exported_as_lines(folder: Path, tmp_path: Path, capsys: Output) -> None:
    out = tmp_path / "journal.jsonl"
    assert main(["journal", "export", str(folder), "--out", str(out)]) == 0
    assert capsys.readouterr().err == f"167 entries in {out}\n"
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert lines == shown(folder, capsys)


def test_an_unknown_kind_of_file_is_refused(folder: Path, tmp_path: Path, capsys: Output) -> None:
    out = tmp_path / "journal.csv"
    assert main(["journal", "export", str(folder), "--out", str(out)]) == 1
    assert "expected a name that ends with .jsonl or .parquet" in capsys.readouterr().err
    assert not out.exists()


def test_parquet_needs_a_library(
    folder: Path, tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    out = tmp_path / "journal.parquet"
    assert main(["journal", "export", str(folder), "--out", str(out)]) == 1
    assert "Parquet needs pyarrow: install bulkhead-trading[parquet]" in capsys.readouterr().err


class FakeWriter:
    """Stands in for the writer of the library, which need not be installed."""

    written: list[dict[str, Any]]

    def __init__(self, _path: Path, _schema: Any) -> None:
        FakeWriter.written = []

    def __enter__(self) -> "FakeWriter":
        return self

    def __exit__(self, *_: object) -> None: ...

    def write_table(self, rows: list[dict[str, Any]]) -> None:
        FakeWriter.written += rows


def test_parquet_gets_every_entry_with_its_message_as_text(
    folder: Path, tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    def anything(*_: object) -> None: ...

    arrow: Any = ModuleType("pyarrow")
    arrow.schema = arrow.int64 = arrow.string = arrow.list_ = anything
    arrow.Table = SimpleNamespace(from_pylist=lambda rows, schema: rows)
    parquet: Any = ModuleType("pyarrow.parquet")
    parquet.ParquetWriter = FakeWriter
    monkeypatch.setitem(sys.modules, "pyarrow", arrow)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", parquet)
    out = tmp_path / "journal.parquet"
    assert main(["journal", "export", str(folder), "--out", str(out)]) == 0
    assert len(FakeWriter.written) == 167
    first = FakeWriter.written[0]
    assert (first["sequence"], json.loads(first["message"])) == (1, {"is_last": False})


def test_real_parquet_is_read_back(folder: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    out = tmp_path / "journal.parquet"
    assert main(["journal", "export", str(folder), "--out", str(out)]) == 0
    rows = parquet.read_table(out).to_pylist()
    assert [row["sequence"] for row in rows] == list(range(1, 168))
