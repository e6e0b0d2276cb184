"""What strategies tell people rather than actors."""

from enum import StrEnum

import msgspec


class AlertKind(StrEnum):
    """What is unusual about a market."""

    WIDE_SPREAD = "WIDE_SPREAD"
    THIN = "THIN"
    CROSSED = "CROSSED"
    PAIR_OUT_OF_BAND = "PAIR_OUT_OF_BAND"
    ONE_SIDED = "ONE_SIDED"
    STALE_SIDE = "STALE_SIDE"
    PHANTOM_WALL = "PHANTOM_WALL"


class Alert(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something unusual has begun, or is over: sent once for each change."""

    strategy: str
    instrument: str
    kind: AlertKind
    is_raised: bool
    """False when it is over."""
    text: str
    time_ns: int


class Logged(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A line for the run's log."""

    strategy: str
    text: str
    time_ns: int
    is_shown: bool = False
    """Whether people see it on the console too."""
