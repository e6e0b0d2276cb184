"""The journal of a simulated run."""

from pathlib import Path

from actors.messages.system import Archived
from runtime.kernel.codec import Codec
from runtime.kernel.envelope import Envelope
from runtime.kernel.journal import rotation
from runtime.kernel.journal.lookup import quarantined_among
from runtime.kernel.journal.recorded import Recorded, all_rows
from runtime.kernel.journal.rows import Row
from runtime.kernel.journal.schema import SIMULATED, connect, create, limit_size, read_meta
from runtime.kernel.journal.store import Store

_FLUSH_ROWS = 4096
_CHECKPOINT_PAGES = 4000


class InlineJournal(Recorded):
    """The journal of a simulated run: written by the sequencer's task itself, in big batches.

    The same run gives the same bytes: rows are committed in batches of a fixed size.
    """

    def __init__(self, path: Path, codec: Codec, meta: dict[str, str]) -> None:
        create(path, {"kind": SIMULATED, **meta}).close()
        super().__init__(_open(path), codec)

    def append(self, envelope: Envelope, receivers: str, due_ns: int | None = None) -> None:
        """Record an envelope."""
        message = envelope.message
        kind = message.__class__
        rows = self._rows
        rows.append(
            (
                envelope.sequence,
                envelope.time_ns,
                envelope.sender,
                receivers,
                envelope.cause,
                due_ns,
                kind.__name__,
                self._encode(message),
            )
        )
        if kind is Archived:
            self._remember(envelope.sequence, message)
        if len(rows) >= _FLUSH_ROWS:
            self._flush()

    @property
    def last_sequence(self) -> int:
        """Return the sequence of the last row, committed or not; 0 if there is none."""
        return self._rows[-1][0] if self._rows else self._committed

    async def durable(self, sequence: int) -> None:
        """Return at once: a simulated run is repeated, not recovered."""

    def quarantined(self, actor: str) -> set[int]:
        """Return the sequences of the messages that an actor has set aside."""
        return quarantined_among([*all_rows(self._path), *self._rows], actor)

    def _for_later(self) -> list[Row]:
        return list(all_rows(self._path))

    def rotate(self) -> bool:
        """Begin a new segment; return whether there is one (not while somebody reads this one).

        Raises:
            JournalError: If it cannot be made.
        """
        self._flush()
        self._stop_reading()
        rotation.prepare(self._store)
        if not rotation.switch(self._store):
            return False
        self._store = _open(self._path)
        return True

    def close(self) -> None:
        """Commit and close."""
        self._flush()
        self._close_all()

    def _flush(self) -> None:
        batch = self._take()
        self._store.commit(batch)
        self._was_committed(batch)


def _open(path: Path) -> Store:
    connection = connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
    limit_size(connection)
    return Store(path, connection, read_meta(connection), tracks_timers=False)
