"""Nanoseconds as people and tables read them."""

from datetime import UTC, datetime

_SECOND = 1_000_000_000
_SHORT = ((86_400 * _SECOND, "d"), (3_600 * _SECOND, "h"), (60 * _SECOND, "min"), (_SECOND, "s"))


def iso_time(time_ns: int) -> str:
    """Return a time as ISO 8601 in UTC, with all nine digits if it has a fraction of a second."""
    seconds, fraction = divmod(time_ns, _SECOND)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{fraction:09d}Z" if fraction else f"{text}Z"


def clock_time(time_ns: int) -> str:
    """Return the time of day in UTC with nine digits: ``12:00:00.000000000``."""
    seconds, fraction = divmod(time_ns, _SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC):%H:%M:%S}.{fraction:09d}"


def short_time(time_ns: int) -> str:
    """Return a time in UTC to the second, without the year: ``11-14 22:13:20``."""
    return f"{datetime.fromtimestamp(time_ns // _SECOND, UTC):%m-%d %H:%M:%S}"


def span(duration_ns: int) -> str:
    """Return a duration in the largest unit it fills, with one digit: ``2.5 h``, ``12.0 ms``."""
    for size, unit in (*_SHORT, (1_000_000, "ms"), (1_000, "us")):
        if duration_ns >= size:
            return f"{duration_ns / size:.1f} {unit}"
    return f"{duration_ns} ns"
