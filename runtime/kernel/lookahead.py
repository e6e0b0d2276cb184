"""Looking ahead at market rows: what cores are asked before the rows are passed."""

from collections.abc import Callable
from typing import Any

from actors.actor import Reactor, Rows, Vectorised

_FIRST_HORIZON = 64
_LAST_HORIZON = 65_536


class Horizon:
    """How far to look ahead: wider while nothing happens, nearer after an interaction.

    Attributes:
        rows: How many rows to look at.
    """

    def __init__(self) -> None:
        self.rows = _FIRST_HORIZON
        self._ahead = _FIRST_HORIZON
        """How far it looked from the last interaction."""
        self._interacted = 0
        """How many rows had passed by then."""

    def narrow(self, passed: int) -> None:
        """Look ahead, from an interaction on, twice as far as the last one was away.

        Interactions come in twos and threes, an order and then its fill: so those that follow at
        once shorten the look only by and by.
        """
        ahead = max(2 * (passed - self._interacted), self._ahead * 3 // 4, _FIRST_HORIZON)
        self.rows = self._ahead = min(ahead, _LAST_HORIZON)
        self._interacted = passed

    def widen(self) -> None:
        """Look twice as far: nothing has happened."""
        self.rows = min(self.rows * 2, _LAST_HORIZON)


class Turns:
    """Who has had its turn at a row before the row is passed, and is not asked about it again."""

    def __init__(self) -> None:
        self._rows: Rows | None = None
        self._next: dict[str, int] = {}

    def had(self, name: str, rows: Rows, row: int) -> None:
        """Note that a core has reacted to a row, or never will."""
        if self._rows is not rows:
            self._rows = rows
            self._next = {}
        self._next[name] = row + 1

    def start(self, name: str, rows: Rows, start: int) -> int:
        """Return the first row from ``start`` on at which a core has not had its turn."""
        if self._rows is not rows:
            return start
        return max(start, self._next.get(name, 0))


def first_act(core: Vectorised, rows: Rows, start: int, stop: int) -> int:
    """Return the first row in ``[start, stop)`` at which a strategy acts, or ``stop``."""
    row = core.on_slice(rows, start, stop)
    return stop if row is None else row


def reaction(core: Reactor, rows: Rows, row: int, now_ns: int) -> list[Any] | None:
    """Return what a core makes of a row, or None if it does not react to it."""
    core.advance(rows, row + 1)
    if core.look(rows, row, row + 1) > row:
        return None
    return core.react(rows, row, now_ns)


def first_failure(
    look: Callable[[int, int], int], start: int, stop: int, error: Exception
) -> tuple[int, Exception | None]:
    """Return the first row that a look ahead fails on, with what it raises, row by row.

    A row at which the core would react comes first, with None.

    Args:
        look: What was asked, about rows from one to before another.
        start: The first row.
        stop: The row after the last.
        error: What the look at all rows together has raised.
    """
    for row in range(start, stop):
        try:
            if look(row, row + 1) == row:
                return row, None
        except Exception as failure:  # noqa: BLE001 - handed back
            return row, failure
    return start, error
