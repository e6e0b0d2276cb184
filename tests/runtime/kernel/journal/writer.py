"""A process that writes a live journal, says what is durable, and may be killed meanwhile.

``python -m tests.runtime.kernel.journal.writer FOLDER ROWS ROWS_PER_FILE``
"""

import os
import sys
from pathlib import Path

import trio

from actors.errors import JournalError
from runtime.kernel.journal import LiveJournal
from tests.runtime.kernel.journal.stored import fill, running


async def write(folder: Path, rows: int, segment_rows: int) -> None:
    """Append rows one by one after those that are there; print each that is durable."""
    async with trio.open_nursery() as nursery:
        written: LiveJournal = await running(nursery, folder, segment_rows=segment_rows)
        first = written.last_sequence + 1
        for sequence in range(first, first + rows):
            fill(written, 1, sequence)
            await written.durable(sequence)
            os.write(1, b"%d\n" % sequence)
        written.request_stop()
    written.close()


def main(arguments: list[str]) -> int:
    """Write; say in one line what went wrong."""
    folder, rows, segment_rows = arguments
    try:
        trio.run(write, Path(folder), int(rows), int(segment_rows))
    except (JournalError, ExceptionGroup) as error:
        leaf: BaseException = error
        while isinstance(leaf, BaseExceptionGroup):
            leaf = leaf.exceptions[0]
        os.write(2, f"{leaf}\n".encode())
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
