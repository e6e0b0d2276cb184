"""How many envelopes a live journal commits a second."""

import tempfile
import time
from pathlib import Path

import trio

from actors.messages.trading import Fill
from runtime.kernel.codec import Codec
from runtime.kernel.envelope import Envelope
from runtime.kernel.journal import LiveJournal
from tests.builders import order
from tests.runtime.journals import executed

ENVELOPES = 50_000
_WORKERS = 256


def journal_throughput(envelopes: int = ENVELOPES, folder: Path | None = None) -> float:
    """Return envelopes a second, each waited for by one of 256 who share commits.

    Args:
        envelopes: How many; positive.
        folder: Where; by default where temporary files are.
    """
    with tempfile.TemporaryDirectory(dir=folder) as made:
        return envelopes / trio.run(_write, Path(made) / "journal.db", envelopes)


async def _write(path: Path, envelopes: int) -> float:
    journal = LiveJournal(path, Codec([Fill]), {"run_id": "bench"})
    message = executed(order(), "1", "0.5")
    left = iter(range(1, envelopes + 1))

    async def work() -> None:
        for sequence in left:
            journal.append(Envelope(sequence, sequence, "orders", 0, message), "portfolio")
            await journal.durable(sequence)

    async with trio.open_nursery() as nursery:
        await nursery.start(journal.run)
        started = time.perf_counter()
        async with trio.open_nursery() as workers:
            for _ in range(_WORKERS):
                workers.start_soon(work)
        seconds = time.perf_counter() - started
        journal.request_stop()
    journal.close()
    return seconds
