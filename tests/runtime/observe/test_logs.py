"""The log, and what must never be in it."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from loguru import logger

from runtime.observe import logs
from runtime.observe.logs import LOG_FILE, logging_to
from runtime.observe.masking import masked, masked_text
from tests.builders import START_NS


def _lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def test_a_line_tells_virtual_time_actor_and_what_was_bound(tmp_path: Path) -> None:
    with logging_to(tmp_path, console=None):
        logger.bind(time_ns=START_NS, actor="cross", attempt=2).info("restarted {}", "it")

    (line,) = _lines(tmp_path)
    assert line["time_ns"] == START_NS
    assert line["time"] == "2023-11-14T22:13:20Z"
    assert (line["level"], line["actor"], line["message"]) == ("INFO", "cross", "restarted it")
    assert line["extra"] == {"attempt": 2}
    assert "exception" not in line


def test_a_traceback_goes_to_the_file_and_not_to_the_console(tmp_path: Path) -> None:
    console = io.StringIO()
    with logging_to(tmp_path, console=console):
        try:
            raise ValueError("boom, api_key=hush")
        except ValueError:
            logger.opt(exception=True).error("failed:\nbadly")
            logger.bind(console=False).error("for the file only")

    first, second = _lines(tmp_path)
    assert "Traceback" in first["exception"]
    assert "hush" not in first["exception"]
    assert second["message"] == "for the file only"
    assert console.getvalue() == "error failed: badly\n"


def test_the_console_shows_warnings_in_one_line_with_time_and_actor(tmp_path: Path) -> None:
    console = io.StringIO()
    with logging_to(tmp_path, console=console):
        logger.info("not shown")
        logger.bind(time_ns=START_NS + 5, actor="tape").warning("line 3: token=abc")

    assert console.getvalue() == "warning 22:13:20.000000005 tape: line 3: token=***\n"


def test_the_console_can_be_limited_to_errors() -> None:
    console = io.StringIO()
    with logging_to(None, console=console, console_level="ERROR"):
        logger.warning("not shown")
        logger.error("shown")

    assert console.getvalue() == "error shown\n"


def test_there_is_a_log_even_without_a_line_and_nothing_is_written_after(tmp_path: Path) -> None:
    console = io.StringIO()
    with logging_to(tmp_path, console=console):
        assert (tmp_path / "log.jsonl").read_text() == ""
    logger.error("too late")

    assert (tmp_path / "log.jsonl").read_text() == ""
    assert console.getvalue() == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("api_key=abc", "api_key=***"),
        ('{"secret": "abc", "name": "x"}', '{"secret": "***", "name": "x"}'),
        ("POLYMARKET_PASSPHRASE: abc def", "POLYMARKET_PASSPHRASE: *** def"),
        ("https://x.test/?token=abc&y=1", "https://x.test/?token=***&y=1"),
        ("the key is lost", "the key is lost"),
    ],
)
def test_what_is_assigned_to_a_secret_name_is_masked(text: str, expected: str) -> None:
    assert masked_text(text) == expected


def test_secrets_are_masked_at_any_depth() -> None:
    data = {"venue": {"api_key": "a", "keys": {"x": 1}}, "list": [{"password": 1}, "secret=a", 5]}

    assert masked(data) == {
        "venue": {"api_key": "***", "keys": {"x": 1}},
        "list": [{"password": "***"}, "secret=***", 5],
    }


def test_a_log_that_gets_long_is_begun_anew_and_one_older_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "MOST_BYTES", 600)
    with logging_to(tmp_path, console=None):
        for number in range(20):
            logger.info(f"line {number}")
    lines = (tmp_path / logs.OLDER_LOG_FILE).read_text() + (tmp_path / LOG_FILE).read_text()
    numbers = [json.loads(line)["message"] for line in lines.splitlines()]
    assert numbers == [f"line {number}" for number in range(20 - len(numbers), 20)]
    assert len(lines) < 1500
    assert len(list(tmp_path.iterdir())) == 2
