"""Showing a strategy what was before it began: its callbacks see the rows, and nothing goes out."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

import msgspec

from actors.actor import Vectorised
from actors.messages.slices import Slice

Past = Callable[[int], Iterable[Slice]]
"""Returns the rows to be shown to whoever begins at a time, in nanoseconds; oldest first."""


class PastShown(msgspec.Struct, frozen=True, gc=False):
    """Rows from before a strategy began, for one that cannot fetch them; None: that was all."""

    rows: Slice | None


class _Learner(Protocol):
    """What is shown rows."""

    now_ns: int
    outbox: list[Any]

    def callback(self, code: int) -> Callable[[Any], None] | None:
        """Return what to call with each row of this code."""
        ...


def show_past(core: _Learner, rows: Slice) -> None:
    """Show rows as they would have come in, each at its time; forget what they make the core send.

    Whatever a callback raises is raised.
    """
    if isinstance(core, Vectorised):
        _show_columns(core, rows)
        return
    outbox = core.outbox
    for code, time_ns, event in zip(rows.codes, rows.times(), rows.events(), strict=True):
        callback = core.callback(code)
        if callback is not None:
            core.now_ns = time_ns
            callback(event)
            outbox.clear()


def _show_columns(core: Any, rows: Slice) -> None:
    """As :func:`show_past`, up to each row at which the core would act."""
    times, length = rows.times(), len(rows)
    position = 0
    while position < length:
        acts = core.on_slice(rows, position, length)
        stop = length if acts is None else acts + 1
        core.now_ns = times[stop - 1]
        core.on_rows(rows, position, stop)
        core.outbox.clear()
        position = stop
