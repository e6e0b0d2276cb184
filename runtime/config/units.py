"""Durations and times as people write them, in integer nanoseconds."""

import re
from datetime import UTC, datetime
from decimal import Decimal

UNITS_NS = {
    "d": 86_400_000_000_000,
    "h": 3_600_000_000_000,
    "m": 60_000_000_000,
    "s": 1_000_000_000,
    "ms": 1_000_000,
    "us": 1_000,
    "ns": 1,
}
_PART = r"(\d+(?:\.\d+)?)(ns|us|ms|s|m|h|d)"
_DURATION = re.compile(rf"(?:{_PART})+")
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:?\d\d)?"
)


def parse_duration(text: str) -> int:
    """Return a duration such as ``5ms``, ``1.5s``, ``1h30m`` in nanoseconds.

    Raises:
        ValueError: If it is none, or is no whole number of nanoseconds.
    """
    compact = text.strip()
    if not _DURATION.fullmatch(compact):
        raise ValueError(f"not a duration: {text!r}")
    total = sum(Decimal(amount) * UNITS_NS[unit] for amount, unit in re.findall(_PART, compact))
    nanoseconds = int(total)
    if nanoseconds != total:
        raise ValueError(f"not a whole number of nanoseconds: {text!r}")
    return nanoseconds


def format_duration(nanoseconds: int) -> str:
    """Return a duration in the largest unit that divides it: ``5ms``, ``90s``, ``0s``."""
    if nanoseconds == 0:
        return "0s"
    unit, size = next(each for each in UNITS_NS.items() if nanoseconds % each[1] == 0)
    return f"{nanoseconds // size}{unit}"


def parse_time(text: str) -> int:
    """Return an ISO 8601 date or time (UTC unless it says otherwise) in nanoseconds since 1970.

    Raises:
        ValueError: If it is none.
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"not a time: {text!r}")
    date, clock, fraction, zone = match.groups()
    moment = datetime.fromisoformat(f"{date}T{clock or '00:00'}{zone or 'Z'}").astimezone(UTC)
    seconds = int(moment.timestamp())
    return seconds * UNITS_NS["s"] + int((fraction or "").ljust(9, "0"))
