"""The shapes that everything here has.

A *core* decides: plain synchronous code, one message in, a list of outputs out. The runtime's
*cell* does the rest (waits, records, sends). Cores know no addresses, no clock and no event loop.
"""

from collections.abc import Callable, Iterable, Iterator
from random import Random  # noqa: TID251 - the type only; generators come from the run's seed
from typing import Any, Protocol, runtime_checkable

import attrs
import msgspec


class Archive(Protocol):
    """What actors have let the journal remember for them (:class:`Archived`)."""

    def find(self, kind: str, key: str) -> str | None:
        """Return the latest state under a key, as JSON; None if there is none."""
        ...


@attrs.frozen(kw_only=True)
class Context:
    """What an actor is told about the run when its core is built.

    ``incarnation`` is 0 for the first core and grows by one with each restart, so that ids
    derived from it never repeat. ``random`` is the actor's own generator, seeded from the run's
    seed and the actor's name: its draws do not depend on what other actors draw. ``archive`` is
    None where nothing is remembered (no journal).
    """

    run_id: str
    actor: str
    incarnation: int
    random: Random
    archive: Archive | None = None


class Later(msgspec.Struct, frozen=True, gc=False):
    """A message to be delivered at ``at_ns``; the only way for a core to wait.

    A ``background`` message (a strategy's timer, a mark of the equity curve) does not keep a
    simulated run alive when the market data have ended; one that is in flight (an order on its
    way to the venue) does.
    """

    message: Any
    at_ns: int
    background: bool = False


class Core(Protocol):
    """What an actor decides."""

    def start(self, now_ns: int) -> list[Any]:
        """Return the outputs with which the actor begins; called once for each incarnation."""
        ...

    def handle(self, message: Any, now_ns: int) -> list[Any]:
        """Return the outputs that ``message`` leads to. Never waits, never yields."""
        ...

    def recover(self, history: Iterable[tuple[str, Any]]) -> None:
        """Rebuild the state from the journal, before :meth:`start`.

        Args:
            history: ``("received" | "sent", message)`` in the order in which the earlier
                incarnations handled and sent them, and ``("at", time_ns)`` where the time of what
                follows is another than of what was before.
        """
        ...

    def stop(self, now_ns: int) -> list[Any]:
        """Return the last outputs before an orderly stop."""
        ...


class RowCursor(Protocol):
    """The row objects of some rows, and how far they have been taken."""

    events: Iterator[Any]

    @property
    def position(self) -> int:
        """Return the row that comes next."""
        ...


class Rows(Protocol):
    """A columnar run of consecutive market events in time order, as the kernel sees it."""

    uniform_code: int | None
    """The code of every row, if all have the same."""

    @property
    def codes(self) -> list[int]:
        """Return one small integer per row: who listens is decided by it."""
        ...

    def __len__(self) -> int: ...

    def times(self) -> list[int]:
        """Return the time of each row, as Python integers."""
        ...

    def cursor(self, start: int) -> RowCursor:
        """Return the row objects from row ``start`` on, as strategies' callbacks get them."""
        ...

    def record(self, row: int) -> Any:
        """Return row ``row`` as a message for the journal."""
        ...

    def describe(self, event: Any) -> Any:
        """Return a row object as a message for the journal, when its row is not at hand."""
        ...

    def take(self, rows: Any) -> Any:
        """Return some rows (a Python slice) as rows of their own."""
        ...


@runtime_checkable
class Follower(Protocol):
    """A core that keeps up with the market without reacting to each row (marks)."""

    def advance(self, rows: Any, stop: int) -> None:
        """Take notice of the rows before ``stop``; called with growing ``stop``, cheaply."""
        ...


@runtime_checkable
class Reactor(Follower, Protocol):
    """A follower that may react to a row (a simulated venue, a settling portfolio)."""

    def look(self, rows: Any, start: int, stop: int) -> int:
        """Return the first row in ``[start, stop)`` at which it would react, or ``stop``.

        Looks ahead without changing state.
        """
        ...

    def react(self, rows: Any, row: int, now_ns: int) -> list[Any]:
        """Take row ``row`` and return the outputs it leads to."""
        ...


@runtime_checkable
class Listener(Protocol):
    """A core that is called for each market row it asked for (a strategy)."""

    outbox: list[Any]
    """What the callbacks send; a callback that appends to it has acted, and is stopped after.

    The same list for the core's whole life.
    """

    def callback(self, code: int) -> Callable[[Any], None] | None:
        """Return what to call with each row of this code, or None to hear nothing of it."""
        ...

    def take_outbox(self, now_ns: int) -> list[Any]:
        """Return and forget what the callbacks have sent.

        Args:
            now_ns: The time of the row at which they sent it; delays count from it.
        """
        ...


@runtime_checkable
class Vectorised(Listener, Protocol):
    """A listener that works on whole columns: it gets these two calls, and no callback per row.

    ``on_slice`` is asked first. Then ``on_rows`` is given the rows that have passed: up to and
    with the row named, or fewer, if something else happened before it. So the outbox may be filled
    only when the last row given is the one that ``on_slice`` would name, and the results are those
    of a callback for each row.
    """

    def on_slice(self, rows: Any, start: int, stop: int) -> int | None:
        """Return the first row in ``[start, stop)`` at which it would act, or None.

        Looks ahead without changing state: it may be asked again, for any later ``start``.
        """
        ...

    def on_rows(self, rows: Any, start: int, stop: int) -> None:
        """Take the rows in ``[start, stop)``, which follow those taken before; act at the last."""
        ...


class Source(Protocol):
    """Where market rows come from: a recorded file, a price generator."""

    def slices(self, resume_ns: int) -> Iterator[Any]:
        """Yield slices in time order.

        Args:
            resume_ns: 0 at first; after a restart, the time before which rows are lost. Books
                must then begin with a snapshot of their state at that time.
        """
        ...

    def summary(self) -> dict[str, Any]:
        """Return counts for the run's result: lines, rows, problems."""
        ...
