"""The journal: an append-only record of envelopes in SQLite, and reading it back.

One row per message, in the order of sequence numbers. A message that is to be delivered later is
written when it is sent, with ``due_ns``, and again (as a row that names the first as its cause)
when it is delivered. Every commit vouches for its rows by a checksum each, and for all commits
before it by a digest. The tables are described in :mod:`runtime.kernel.journal.schema`.
"""

from runtime.kernel.journal.inline import InlineJournal as InlineJournal
from runtime.kernel.journal.live import LiveJournal as LiveJournal
from runtime.kernel.journal.marks import Extent as Extent
from runtime.kernel.journal.marks import Mark as Mark
from runtime.kernel.journal.marks import Snapshot as Snapshot
from runtime.kernel.journal.marks import tail_start as tail_start
from runtime.kernel.journal.recorded import Journal as Journal
from runtime.kernel.journal.rows import Entry as Entry
from runtime.kernel.journal.rows import history as history
from runtime.kernel.journal.schema import SCHEMA_VERSION as SCHEMA_VERSION
from runtime.kernel.journal.segments import read_journal as read_journal
from runtime.kernel.journal.verify import Verified as Verified
from runtime.kernel.journal.verify import verify as verify
