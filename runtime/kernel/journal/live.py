"""The journal of a live run."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import trio
from loguru import logger

from actors.errors import JournalError
from actors.messages.system import Archived
from runtime.kernel.codec import Codec
from runtime.kernel.envelope import Envelope
from runtime.kernel.faults import limit
from runtime.kernel.journal import rotation
from runtime.kernel.journal.opening import acknowledged_path, check_rows, open_live, reopen
from runtime.kernel.journal.recorded import Recorded
from runtime.kernel.journal.rows import Entry
from runtime.kernel.journal.schema import MIGRATED
from runtime.kernel.journal.segments import forget, next_path
from runtime.kernel.journal.store import Batch

SEGMENT_ROWS = 1_000_000
_ATTEMPTS = 10
"""A new file that cannot be made is tried again so many times in the time that fills one."""


class LiveJournal(Recorded):
    """The journal of a live run: one writer actor commits in groups, in a thread of its own.

    A file of an earlier process is gone on with (``is_resumed``). Whoever needs a message to be
    durable waits in :meth:`durable`; everybody who waits while a commit is under way shares the
    next one. A commit that fails is the end: from then on everybody who waits or appends is told,
    and nothing more is written.

    Args:
        path: The file.
        codec: Knows the message types.
        meta: Names the run; that of a file which exists must say the same.
        segment_rows: After how many rows a new file begins, positive; see :meth:`rotate`.

    Raises:
        JournalError: If the file is another run's, or is damaged.
    """

    name = "journal"

    def __init__(
        self, path: Path, codec: Codec, meta: dict[str, str], *, segment_rows: int = SEGMENT_ROWS
    ) -> None:
        opened = open_live(path, meta)
        store, self.is_resumed = opened.store, opened.is_resumed
        super().__init__(store, codec)
        self._checked_after = opened.checked_after
        self.last_time_ns = store.last_time_ns
        """When the last row was sent that an earlier process has left; 0 if there is none."""
        self.is_migrated = MIGRATED in store.meta
        """Whether it was one of version 1 once, which had no marks."""
        self.commits = 0
        self._segment_rows = segment_rows = limit("journal.segment_rows") or segment_rows
        self._rotation_wanted = False
        self._rotates_after = segment_rows
        self._failure: JournalError | None = None
        self._work = trio.Event()
        self._done = trio.Event()
        self._is_stopping = False
        self._thread = trio.CapacityLimiter(1)

    def append(self, envelope: Envelope, receivers: str, due_ns: int | None = None) -> None:
        """Record an envelope; the writer actor commits it.

        Raises:
            JournalError: If the journal has failed.
        """
        if self._failure is not None:
            self._raise_failure()
        message = envelope.message
        kind = message.__class__
        row = (
            envelope.sequence,
            envelope.time_ns,
            envelope.sender,
            receivers,
            envelope.cause,
            due_ns,
            kind.__name__,
            self._encode(message),
        )
        self._rows.append(row)
        self._appended = envelope.sequence
        if kind is Archived:
            self._remember(envelope.sequence, message)
        self._work.set()

    def entries(self, actor: str | None = None, *, after: int = 0) -> Iterator[Entry]:
        """Yield everything recorded so far, in order; or what one actor has received or sent.

        What an earlier process has left is checked before it is read for the first time.

        Raises:
            JournalError: If it is not as it was written.
        """
        self.check_after(after)
        return super().entries(actor, after=after)

    def check_after(self, after: int) -> None:
        """Check what an earlier process has left after a sequence, and is not checked yet.

        Raises:
            JournalError: If it is not as it was written.
        """
        if after < self._checked_after:
            check_rows(self._path, after, self._checked_after)
            self._checked_after = after

    def has_sent(self, actor: str) -> bool:
        """Return whether the file that is written has something which an actor has sent."""
        query = "SELECT 1 FROM envelopes WHERE sender = ? LIMIT 1"
        return self._connection.execute(query, (actor,)).fetchone() is not None

    async def durable(self, sequence: int) -> None:
        """Return when everything up to ``sequence`` that was appended is committed.

        Raises:
            JournalError: If the journal has failed before it was.
        """
        while self._committed < min(sequence, self._appended):
            if self._failure is not None:
                self._raise_failure()
            await self._done.wait()

    def _raise_failure(self) -> None:
        raise JournalError(str(self._failure)) from self._failure

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Commit whatever has been appended, group by group, until asked to stop.

        Raises:
            JournalError: If a commit fails, or one has failed before.
        """
        if self._failure is not None:
            self._raise_failure()
        self._is_stopping = False
        task_status.started()
        while not self._is_stopping:
            if self._has_work:
                await self._commit(self._take())
                await self._rotate_if_due()
            else:
                self._work = trio.Event()
                await self._work.wait()
        while not (batch := self._take()).is_empty:
            await self._commit(batch)

    @property
    def _has_work(self) -> bool:
        return bool(self._rows or self._kept or self._rotation_wanted)

    async def _commit(self, batch: Batch) -> None:
        """Commit the oldest rows; they stay queued until they are durable."""
        try:
            await trio.to_thread.run_sync(self._store.commit, batch, limiter=self._thread)
        except JournalError as error:
            self._fail(error)
            raise
        self._was_committed(batch)
        self.commits += 1
        self._wake()

    def _fail(self, error: JournalError) -> None:
        self._failure = error
        self._wake()

    def _wake(self) -> None:
        done, self._done = self._done, trio.Event()
        done.set()

    def keep_soon(self) -> None:
        """Commit what was given to :meth:`keep` without waiting for the next message."""
        self._work.set()

    def request_stop(self) -> None:
        """Ask the writer to commit what is left and return."""
        self._is_stopping = True
        self._work.set()

    # --- segments --------------------------------------------------------------------------------

    def rotate(self) -> None:
        """Ask the writer to begin a new segment after its next commit.

        By itself it does so when the active one has more rows than ``segment_rows`` and each cell
        that has a mark a snapshot; at twice as many rows it waits for no snapshot any more. Where
        somebody else reads the active file, that waits for a later commit; where the new one cannot
        be made, the active one grows.
        """
        self._rotation_wanted = True
        self._work.set()

    async def _rotate_if_due(self) -> None:
        if not (self._rotation_wanted or self._is_segment_full()):
            return
        self._rotation_wanted = False
        if not await self._prepared():
            return
        try:
            self._stop_reading()
            if rotation.switch(self._store):
                self._store = reopen(self._path)
        except (JournalError, sqlite3.Error, OSError) as error:
            failure = JournalError(f"the journal cannot begin a new file: {error}")
            self._fail(failure)
            raise failure from error

    async def _prepared(self) -> bool:
        """Make the next segment; where it cannot be made, try again some time later."""
        store = self._store
        try:
            await trio.to_thread.run_sync(rotation.prepare, store, limiter=self._thread)
        except (JournalError, sqlite3.Error, OSError) as error:
            logger.warning(f"the journal cannot begin a new file, and goes on in this one: {error}")
            with contextlib.suppress(OSError):  # what is left of it is removed before the next
                forget(next_path(store.path))
            self._rotates_after = store.rows + self._segment_rows // _ATTEMPTS
            return False
        self._rotates_after = self._segment_rows
        return True

    def _is_segment_full(self) -> bool:
        rows = self._store.rows
        if rows <= self._rotates_after:
            return False
        return rows > 2 * self._segment_rows or all(map(self.snapshot, self._marked))

    def close(self) -> None:
        """Commit what is left and close; after a failure leave everything as it is.

        Raises:
            JournalError: If what is left cannot be committed.
        """
        is_whole = False
        try:
            if self._failure is None and not (batch := self._take()).is_empty:
                self._store.commit(batch)
                self._was_committed(batch)
            is_whole = self._failure is None
        finally:
            self._close_all(is_whole=is_whole)
        if is_whole:
            acknowledged_path(self._path).unlink()
