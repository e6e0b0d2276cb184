"""The run's log: ``log.jsonl`` for machines, one line on the console for people.

Whoever has a time or a name binds it: ``logger.bind(time_ns=now_ns, actor=name).warning(...)``.
What is bound with ``console=False`` goes to the file only.
"""

import json
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from loguru import logger

from runtime.observe.masking import masked, masked_text
from runtime.observe.times import clock_time, iso_time

if TYPE_CHECKING:
    from loguru import Record

LOG_FILE = "log.jsonl"
OLDER_LOG_FILE = "log-older.jsonl"
MOST_BYTES = 64 * 1024 * 1024
"""How long the log may get before it is begun anew."""
_OURS = frozenset({"time_ns", "actor", "console"})


@contextmanager
def logging_to(
    folder: Path | None, *, console: TextIO | None, console_level: str = "WARNING"
) -> Iterator[None]:
    """Send the log to ``folder/log.jsonl`` and to the console while the block runs.

    Args:
        folder: Where the file goes; None for no file.
        console: Where lines for people go; None for none.
        console_level: The lowest level that people see.
    """
    logger.remove()
    sinks: list[int] = []
    if folder is not None:
        sinks.append(logger.add(_JsonLines(folder / LOG_FILE), level="DEBUG", format="{message}"))
    if console is not None:
        sink = _ConsoleLines(console)
        sinks.append(logger.add(sink, level=console_level, format="{message}", filter=_is_shown))
    try:
        yield
    finally:
        for sink_id in sinks:
            logger.remove(sink_id)


def json_line(record: "Record") -> str:
    """Return a log record as one line of JSON, without its line end; secrets are masked."""
    extra = record["extra"]
    time_ns = extra.get("time_ns")
    line: dict[str, Any] = {
        "time_ns": time_ns,
        "time": None if time_ns is None else iso_time(time_ns),
        "wall": record["time"].isoformat(),
        "level": record["level"].name,
        "actor": extra.get("actor"),
        "message": masked_text(record["message"]),
        "where": f"{record['name']}:{record['function']}:{record['line']}",
    }
    rest = {key: value for key, value in extra.items() if key not in _OURS}
    if rest:
        line["extra"] = masked(rest)
    exception = record["exception"]
    if exception is not None:
        frames = traceback.format_exception(exception.type, exception.value, exception.traceback)
        line["exception"] = masked_text("".join(frames))
    return json.dumps(line, ensure_ascii=False, default=str)


def console_line(record: "Record") -> str:
    """Return a log record as one line for people, without its line end; secrets are masked."""
    extra = record["extra"]
    time_ns = extra.get("time_ns")
    words = [record["level"].name.lower()]
    if time_ns is not None:
        words.append(clock_time(time_ns))
    if extra.get("actor"):
        words.append(f"{extra['actor']}:")
    words.append(masked_text(" ".join(record["message"].split())))
    return " ".join(words)


def _is_shown(record: "Record") -> bool:
    return bool(record["extra"].get("console", True))


class _JsonLines:
    """Writes JSON lines; when there are too many, the older half goes into a file of its own.

    Of these only the latest is kept, so that a daemon's log does not fill the disk.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("a", encoding="utf-8")

    def write(self, message: Any) -> None:
        self._file.write(f"{json_line(message.record)}\n")
        self._file.flush()
        if self._file.tell() > MOST_BYTES:
            self._file.close()
            self._path.replace(self._path.with_name(OLDER_LOG_FILE))
            self._file = self._path.open("a", encoding="utf-8")

    def stop(self) -> None:
        """Close the file; the library calls it when the sink is removed."""
        self._file.close()


class _ConsoleLines:
    """Writes lines for people."""

    def __init__(self, console: TextIO) -> None:
        self._console = console

    def write(self, message: Any) -> None:
        self._console.write(f"{console_line(message.record)}\n")
        self._console.flush()
