"""Who hears market rows: followers, reactors, listeners, and what those that are down miss."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

from actors.actor import Follower, Listener, Reactor, Vectorised
from runtime.kernel.simulated_cell import SimulatedCell

Callback = Callable[[Any], None]
CodedEvent = tuple[int, Any]
"""A row object with its code."""


class Hearing(NamedTuple):
    """A cell that hears the rows of one code."""

    cell: SimulatedCell
    callback: Callback
    outbox: list[Any]
    """Its core's: not empty once a callback has acted."""


class Backlog:
    """What a strategy missed while it was down: the row it failed on, then what came after.

    Of the codes that ``conflates`` names, only the latest row is kept; of others, every row.
    """

    def __init__(self, conflates: Callable[[int], bool]) -> None:
        self.failed: CodedEvent | None = None
        self.conflated: dict[int, int] = {}
        """How many rows of each code were replaced by later ones."""
        self._conflates = conflates
        self._kept: dict[tuple[int, int], Any] = {}
        """Row objects by code and, where each counts, number; in the order of their coming."""
        self._number = 0

    def keeper(self, code: int) -> Callback:
        """Return what keeps the rows of one code."""
        keep = self._keep_latest if self._conflates(code) else self._keep_each
        return partial(keep, code)

    def _keep_latest(self, code: int, event: Any) -> None:
        if self._kept.pop((code, 0), None) is not None:
            self.conflated[code] = self.conflated.get(code, 0) + 1
        self._kept[code, 0] = event

    def _keep_each(self, code: int, event: Any) -> None:
        self._number += 1
        self._kept[code, self._number] = event

    def keep(self, events: Iterable[CodedEvent]) -> None:
        """Keep row objects once more: a strategy that was to make up for them has failed again."""
        for code, event in events:
            self.keeper(code)(event)

    def events(self) -> list[CodedEvent]:
        """Return what is to be made up for, oldest first."""
        kept = [(code, event) for (code, _), event in self._kept.items()]
        return kept if self.failed is None else [self.failed, *kept]


class Audience:
    """Sorts the cells, in order of rank, by how they hear of the market."""

    def __init__(self, cells: Sequence[SimulatedCell], conflates: Callable[[int], bool]) -> None:
        self._conflates = conflates
        self.followers: list[tuple[SimulatedCell, Follower]] = []
        self.reactors: list[tuple[SimulatedCell, Reactor]] = []
        self.vectorised: list[tuple[SimulatedCell, Vectorised]] = []
        self._cells = sorted(cells, key=lambda cell: cell.rank)
        self.table: dict[int, tuple[Hearing, ...]] = {}
        """By code, who hears its rows, as far as was asked; exchanged when a cell changes."""
        self._backlogs: dict[str, Backlog] = {}
        self._strategies: set[str] = set()

    def cell_changed(self, cell: SimulatedCell) -> None:
        """Take notice that a cell has got or lost its core."""
        self.table = {}
        if isinstance(cell.core, Listener) and not isinstance(cell.core, Vectorised):
            self._strategies.add(cell.name)
        elif cell.core is None and cell.name in self._strategies:
            self._backlogs.setdefault(cell.name, Backlog(self._conflates))
        self.followers = []
        self.reactors = []
        self.vectorised = []
        for each in self._cells:
            core = each.core
            follower = each.market if core is None else core
            if isinstance(follower, Follower):
                # what a core knew of the market goes on following it: its successor inherits it
                self.followers.append((each, follower))
            if isinstance(core, Reactor):
                self.reactors.append((each, core))
            if isinstance(core, Vectorised):
                self.vectorised.append((each, core))

    def hearing(self, code: int) -> tuple[Hearing, ...]:
        """Return who hears rows of this code, in order of rank; a strategy that is down, later."""
        found = self.table.get(code)
        if found is None:
            hearing = (self._hearing(cell, code) for cell in self._cells)
            found = self.table[code] = tuple(each for each in hearing if each is not None)
        return found

    def backlog(self, cell: SimulatedCell) -> Backlog:
        """Return what is kept for a strategy that is down."""
        return self._backlogs[cell.name]

    def take_backlog(self, cell: SimulatedCell) -> Backlog | None:
        """Return and forget what was kept for a strategy that is back."""
        self.table = {}
        return self._backlogs.pop(cell.name, None)

    def _hearing(self, cell: SimulatedCell, code: int) -> Hearing | None:
        core = cell.core
        if core is None:
            backlog = self._backlogs.get(cell.name)
            if backlog is None or cell.mailbox.is_closed:
                return None
            return Hearing(cell, backlog.keeper(code), [])
        if not isinstance(core, Listener) or isinstance(core, Vectorised):
            return None
        callback = callback_of(core, code)
        return None if callback is None else Hearing(cell, callback, core.outbox)


def callback_of(core: Listener, code: int) -> Callback | None:
    """Return what a strategy wants to be called with rows of a code; None if it does not.

    A strategy that cannot even tell fails when the row comes.
    """
    try:
        return core.callback(code)
    except Exception as error:  # noqa: BLE001 - any bug of a strategy is the supervisor's to judge
        return _raiser(error)


def _raiser(error: Exception) -> Callback:
    def fail(_event: Any) -> None:
        raise error

    return fail
