"""The clock of a run in real time, where a journal is gone on with."""

from pathlib import Path

import pytest
from loguru import logger
from trio.testing import MockClock

from runtime.kernel.journal import LiveJournal
from runtime.wiring.plant import _live_clock
from tests.runtime.kernel.journal.stored import journal, write

MINUTE_NS = 60_000_000_000


@pytest.mark.parametrize("is_ahead", [True, False])
async def test_a_journal_that_is_ahead_of_the_machines_clock_is_told(
    tmp_path: Path, mock_clock: MockClock, is_ahead: bool
) -> None:
    await write(tmp_path, 6)
    written = journal(tmp_path, LiveJournal)
    assert written.last_time_ns == 60
    told: list[str] = []
    handler = logger.add(told.append, format="{message}")
    clock = _live_clock(10 if is_ahead else MINUTE_NS, written)
    logger.remove(handler)
    written.close()
    if is_ahead:
        assert clock.now_ns() == 61
        (line,) = told
        assert "the machine's clock says 1970-01-01T00:00:00" in line
        assert "the journal's last message was sent at 1970-01-01T00:00:00" in line
    else:
        assert clock.now_ns() == MINUTE_NS
        assert told == []
