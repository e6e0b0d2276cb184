"""The time after the last row: what is in flight still arrives, but not everything goes on."""

from collections.abc import Iterable
from typing import Any

from runtime.kernel.simulated_cell import SimulatedCell

AFTERMATH_NS = 60 * 1_000_000_000
"""How long after the last row strategies' timers still come, while anything is in flight.

One whose every timer leads to an order would keep a run going for ever.
"""


class Aftermath:
    """Says which timers come too late to happen."""

    def __init__(self, cells: Iterable[SimulatedCell]) -> None:
        self._strategies = {cell.name for cell in cells if not cell.spec.needs_history}
        self._last_ns: int | None = None
        """Until when strategies' timers come; None while there are rows."""

    def begin(self, now_ns: int) -> None:
        """Take notice that there are no more rows; once is enough."""
        if self._last_ns is None:
            self._last_ns = now_ns + AFTERMATH_NS

    def end(self) -> None:
        """Take notice that there are rows after all."""
        self._last_ns = None

    def spares(self, due_ns: int, what: Any) -> bool:
        """Return whether a timer is one that a strategy has set for itself, and too late."""
        if self._last_ns is None or due_ns <= self._last_ns or not isinstance(what, tuple):
            return False
        sender, _, _, is_background = what
        return is_background and sender in self._strategies
