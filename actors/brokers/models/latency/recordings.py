"""Delays that were measured, from a list or from a file."""

from pathlib import Path

_SOME = "at least one delay"


def read_delays(leg: str, source: Path | tuple[int, ...]) -> tuple[int, ...]:
    """Return the delays of a leg, in nanoseconds.

    Args:
        leg: What messages call it.
        source: The delays, or a file with one a line, in its last column.

    Raises:
        ValueError: If the file cannot be read, or something is no delay.
    """
    delays = _read_file(leg, source) if isinstance(source, Path) else source
    if not delays:
        raise ValueError(f"{leg}: expected {_SOME}, found none")
    for delay in delays:
        if delay < 0:
            raise ValueError(f"{leg}: expected delays of 0 or more, found {delay}")
    return delays


def _read_file(leg: str, path: Path) -> tuple[int, ...]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{leg}: expected a readable file, found {str(path)!r}") from error
    found: list[int] = []
    for number, line in enumerate(lines, start=1):
        text = line.rpartition(",")[2].strip()
        if text.lstrip("-").isdecimal():
            found.append(int(text))
        elif text and number > 1:
            where = f"{text!r} in line {number} of {path}"
            raise ValueError(f"{leg}: expected delays in nanoseconds, found {where}")
    return tuple(found)
