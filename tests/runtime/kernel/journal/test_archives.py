"""What actors have let a journal remember is found in its complete segments too."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.kernel.journal import schema
from runtime.kernel.journal.archives import Archives
from tests.runtime.kernel.journal.stored import archive, journal


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return which files are opened, as it happens."""
    paths: list[Path] = []
    open_file = schema.read_only

    def noted(path: Path) -> sqlite3.Connection:
        paths.append(path)
        return open_file(path)

    monkeypatch.setattr("runtime.kernel.journal.archives.read_only", noted)
    return paths


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """Return a journal of six segments, each of which remembers what the others do not."""
    written = journal(tmp_path)
    for number in range(1, 6):
        archive(written, 2 * number - 1, f"{number}", f'"{number}"')
        archive(written, 2 * number, "last", f'"{number}"')
        assert written.rotate()
    yield written.path
    written.close()


def test_the_newest_segment_that_knows_a_key_counts(path: Path) -> None:
    known = Archives(path)
    assert known.find(5, "order", "last") == '"5"'
    assert known.find(3, "order", "last") == '"3"'
    assert [known.find(5, "order", f"{number}") for number in range(1, 6)] == [
        '"1"',
        '"2"',
        '"3"',
        '"4"',
        '"5"',
    ]
    assert known.find(5, "order", "6") is None
    assert known.find(5, "fill", "1") is None
    assert known.find(0, "order", "last") is None
    known.close()


def test_a_segment_is_opened_when_it_is_asked_and_once(path: Path, opened: list[Path]) -> None:
    known = Archives(path)
    known.find(5, "order", "last")
    assert [each.name for each in opened] == ["journal-000005.sqlite"]
    for _ in range(3):
        known.find(5, "order", "no such order")
    assert len(opened) == 5
    known.close()
    known.find(5, "order", "last")
    assert len(opened) == 6
    known.close()


def test_only_the_newest_stay_open(path: Path, opened: list[Path]) -> None:
    known = Archives(path, most=2)
    for complete in (2, 3, 4, 5):
        assert known.find(complete, "order", "1") == '"1"'
    opened.clear()
    for _ in range(2):
        assert known.find(5, "order", "1") == '"1"'
    assert [each.name[8:14] for each in opened] == ["000003", "000002", "000001"] * 2
    known.close()
