"""What of an actor's past outlives its cores, and how a fresh core gets it back.

There is one way, whether a core has failed or the whole process has ended: the latest snapshot if
it counts, then what the journal has recorded since. Without a snapshot that is the whole history.
"""

from collections.abc import Callable, Collection, Iterator
from typing import Any

import attrs

from actors.actor import Context, Core
from actors.errors import JournalError
from actors.messages.system import MessageQuarantined
from runtime.kernel.journal import Extent, Journal, Snapshot, history, tail_start
from runtime.kernel.snapshots import SaysItsState, SnapshotError, Snapshotter

Make = Callable[[Context], Core]


class Memory:
    """What one actor's cores have handled and sent, and the latest snapshot of one.

    Attributes:
        latest: The snapshot that the next core begins with, if it counts.
        overtaken: The sequences of what was handled after messages of higher sequences.
    """

    def __init__(self, name: str, make_core: Make, snapshotter: Snapshotter) -> None:
        self.latest: Snapshot | None = None
        self.overtaken: set[int] = set()
        self._name = name
        self._make_core = make_core
        self._snapshotter = snapshotter
        self._fingerprint: str | None = None

    def past(self, journal: Journal, extent: Extent) -> Iterator[tuple[str, Any]]:
        """Return all that the cores so far have handled and sent, in order."""
        return self._since(journal, extent, None)

    def _since(
        self, journal: Journal, extent: Extent, since: Snapshot | None
    ) -> Iterator[tuple[str, Any]]:
        entries = journal.entries(self._name, after=0 if since is None else tail_start(since))
        past = history(entries, self._name, attrs.evolve(extent, overtaken=self.overtaken), since)
        return (each for each in past if not isinstance(each[1], MessageQuarantined))

    def rebuilt(
        self, context: Context, journal: Journal | None, extent: Extent, market: Any
    ) -> tuple[Core, str | None]:
        """Return a core that knows what those before it knew.

        Args:
            context: What it is told.
            journal: Where its past is; None if there is none, and it knows nothing then.
            extent: What of the journal it has handled.
            market: What the core before knew of the market; None if nothing is known.

        Returns:
            The core, and why the latest snapshot did not count, if there was one.
        """
        why = None
        if journal is not None and self.latest is not None:
            try:
                return self._from_snapshot(self.latest, context, journal, extent, market), None
            except JournalError:
                raise
            except Exception as error:  # noqa: BLE001 - told; the whole history is still there
                why = f"the snapshot does not count: {error}"
                self.latest = None
        core = self._make_core(context)
        _inherit(core, market)
        if journal is not None:
            core.recover(self.past(journal, extent))
        return core, why

    def _from_snapshot(
        self, latest: Snapshot, context: Context, journal: Journal, extent: Extent, market: Any
    ) -> Core:
        snapshotter = self._snapshotter.for_context(context)
        fresh = self._make_core(context)
        if self._fingerprint_of(fresh, context) != latest.fingerprint:
            raise SnapshotError("it is of another version or configuration")
        core = snapshotter.thaw(latest.body, fresh)
        _inherit(core, market)
        core.recover(self._since(journal, extent, latest))
        return core

    def keep(
        self, core: Core, context: Context, sequence: int, now_ns: int, waiting: Collection[int]
    ) -> Snapshot | None:
        """Return a snapshot of a core; None if it does not say its state.

        Args:
            core: Between two messages.
            context: What its incarnation was told.
            sequence: The last that was given to any message.
            now_ns: The time.
            waiting: The sequences of what is sent to the actor and not handled.

        Raises:
            SnapshotError: If the core cannot be kept.
        """
        snapshotter = self._snapshotter.for_context(context)
        body = snapshotter.freeze(core)
        if body is None:
            return None
        self.latest = Snapshot(
            actor=self._name,
            sequence=sequence,
            handled=sequence,
            pending=tuple(sorted(waiting)),
            time_ns=now_ns,
            fingerprint=self._fingerprint_of(core, context),
            body=body,
        )
        self.overtaken.clear()
        return self.latest

    def _fingerprint_of(self, core: Core, context: Context) -> str:
        """Return the fingerprint of the actor's cores: it is the same as long as we live."""
        if self._fingerprint is None:
            fresh = core if isinstance(core, SaysItsState) else self._make_core(context)
            self._fingerprint = self._snapshotter.for_context(context).fingerprint(fresh)
        return self._fingerprint


def _inherit(core: Core, market: Any) -> None:
    inherit = getattr(core, "inherit", None)
    if inherit is not None and market is not None:
        inherit(market)
