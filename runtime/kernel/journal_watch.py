"""A journal that cannot be written any more: told at once, to somebody who can still act."""

from collections.abc import Callable

import trio

from actors.errors import JournalError
from runtime.kernel.incarnation import Child


class WatchedJournal:
    """Runs a journal's writer as a child of a supervisor.

    A failure is told and ends nothing by itself: what talks to the venue must have the time to
    cancel what is open there.
    """

    def __init__(self, journal: Child, tell: Callable[[JournalError], None]) -> None:
        self.name = journal.name
        self._journal = journal
        self._tell = tell
        self._is_asked = trio.Event()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Write until asked to stop."""
        self._is_asked = trio.Event()
        try:
            await self._journal.run(task_status=task_status)
        except JournalError as error:
            self._tell(error)
            await self._is_asked.wait()

    def request_stop(self) -> None:
        """Ask the writer to end after what it has."""
        self._is_asked.set()
        self._journal.request_stop()
