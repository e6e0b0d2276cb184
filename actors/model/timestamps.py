"""Texts of times and durations as integer nanoseconds, exactly: no float on the way."""

import re
from datetime import UTC, datetime
from functools import lru_cache

from actors.model.money import NANOSECONDS

TIME_LIMIT_NS = 1 << 63
"""Times are int64: they end in the year 2262."""

_ISO = re.compile(
    r"(?P<year>\d{4})[-/]?(?P<month>\d\d)[-/]?(?P<day>\d\d)"
    r"(?:[T ](?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,18}))?)?"
    r" ?(?P<zone>Z|UTC|[+-]\d\d:?\d\d)?)?",
    re.ASCII,
)
_EPOCH = re.compile(r"(\d{1,19})(?:\.(\d{0,30}))?", re.ASCII)
_DURATION = re.compile(r"(\d{1,18}) ?(ns|us|ms|s|m|h|d)", re.ASCII)
_UNITS_NS = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": NANOSECONDS,
    "m": 60 * NANOSECONDS,
    "h": 3_600 * NANOSECONDS,
    "d": 86_400 * NANOSECONDS,
}
_FIRST_MILLISECOND = 10**11
_FIRST_MICROSECOND = 10**14
_FIRST_NANOSECOND = 10**17
_DATE_DIGITS = 8


def timestamp_ns(text: str) -> int:
    """Return a time as nanoseconds since 1970, UTC.

    Args:
        text: ISO 8601 (date, or date and time; without a zone it is UTC), ``YYYYMMDD``, or a
            number of seconds, milli-, micro- or nanoseconds since 1970 (see :func:`epoch_ns`).

    Raises:
        ValueError: If it is none of these, or outside the years 1970 to 2261.
    """
    is_date = len(text) == _DATE_DIGITS and text.isdigit()
    return iso_ns(text) if is_date or text[4:5] in ("-", "/") or " " in text else epoch_ns(text)


def iso_ns(text: str) -> int:
    """Return an ISO 8601 time as nanoseconds since 1970; digits beyond nanoseconds are cut off.

    Raises:
        ValueError: If it is no such time, or outside the years 1970 to 2261.
    """
    match = _ISO.fullmatch(text)
    if match is None:
        raise ValueError(f"not a time: {text!r}")
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    whole_s = _second(f"{year}-{month}-{day}T{hour or '00'}:{minute or '00'}:{second or '00'}")
    part_ns = int(fraction[:9].ljust(9, "0")) if fraction else 0
    return _checked((whole_s - _offset_s(zone)) * NANOSECONDS + part_ns, text)


def epoch_ns(text: str) -> int:
    """Return a number of seconds, or smaller units, since 1970 as nanoseconds.

    The size tells the unit: seconds below 1e11 (the year 5138), then milliseconds below 1e14,
    microseconds below 1e17, nanoseconds. Digits beyond nanoseconds are cut off.

    Raises:
        ValueError: If it is no plain decimal number, or too large.
    """
    match = _EPOCH.fullmatch(text)
    if match is None:
        raise ValueError(f"not a time: {text!r}")
    whole, fraction = match.groups()
    places = _places_to_ns(int(whole))
    digits = (fraction or "")[:places].ljust(places, "0")
    return _checked(int(whole + digits), text)


def scaled_ns(number: int) -> int:
    """Return a whole number of milli-, micro- or nanoseconds since 1970 as nanoseconds.

    Raises:
        ValueError: If it is negative or too large.
    """
    return _checked(number * 10 ** _places_to_ns(number), str(number))


def duration_ns(value: int | str) -> int:
    """Return a duration such as ``5ms``, ``1m`` or ``1d`` in nanoseconds; an int is returned as is.

    Raises:
        ValueError: If it is no such duration.
    """
    if isinstance(value, int):
        return value
    match = _DURATION.fullmatch(value)
    if match is None:
        raise ValueError(f"expected a duration such as 1m, found {value!r}")
    return int(match[1]) * _UNITS_NS[match[2]]


def _places_to_ns(number: int) -> int:
    """Return how many decimal places the unit of an epoch number is from nanoseconds."""
    if number < _FIRST_MILLISECOND:
        return 9
    if number < _FIRST_MICROSECOND:
        return 6
    return 3 if number < _FIRST_NANOSECOND else 0


def _checked(time_ns: int, text: str) -> int:
    if not 0 <= time_ns < TIME_LIMIT_NS:
        raise ValueError(f"time outside the years 1970 to 2261: {text!r}")
    return time_ns


@lru_cache(maxsize=4096)
def _second(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@lru_cache(maxsize=64)
def _offset_s(zone: str | None) -> int:
    if zone in (None, "Z", "UTC"):
        return 0
    assert zone is not None
    hours, minutes = int(zone[1:3]), int(zone[-2:])
    return (-1 if zone[0] == "-" else 1) * (hours * 3_600 + minutes * 60)
