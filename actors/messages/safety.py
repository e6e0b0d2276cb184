"""What the kill switch says of itself, and what proves that somebody is still there."""

import msgspec


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Somebody lives; trading is halted when nothing more is heard of it for ``within_ns``.

    The first one begins the watch, one with ``is_last`` ends it.
    """

    source: str
    within_ns: int
    is_last: bool = False


class LatchedCause(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Why trading is halted: the cause in words, who gave it (a condition's name), and when."""

    cause: str
    by: str
    time_ns: int
    is_acknowledged: bool = False


class KillSwitchChanged(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How the kill switch stands from now on: halted while there is any cause.

    Attributes:
        causes: In the order in which they came; all must be acknowledged.
        open_orders: How many orders are open as far as is known; None while nobody has said.
        note: What has changed, or why somebody's wish was refused.
    """

    causes: tuple[LatchedCause, ...] = ()
    open_orders: int | None = None
    note: str = ""

    @property
    def is_halted(self) -> bool:
        """Return whether trading is halted."""
        return bool(self.causes)
