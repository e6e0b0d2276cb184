"""Every exception that Bulkhead raises on purpose.

BulkheadError
├── ConfigError              the user's file or flag is wrong: nothing was started
├── DataError                a recorded line cannot be read: it is reported and skipped
│   └── BookGapError         a book's updates do not join up: the book is unusable until re-synced
├── TradingError             the world failed: carries venue and order
│   ├── VenueUnreachable     retry
│   ├── VenueThrottled       wait
│   ├── VenueProtocolError   reconnect
│   ├── VenueDenied          stop
│   └── OrderStateError      a report asks for a transition that the status table does not have
└── KernelError              the runtime's own promises
    ├── MailboxOverflow      a message that must not be dropped found no room
    ├── MailboxClosed        a message was sent to an actor that has left for good
    ├── IntensityExceeded    a supervisor's restart budget is spent: its parent decides
    └── JournalError         the journal cannot be read or written

A refusal (by risk, by a venue) is no exception but a message with a reason.
A bug is an ``assert``; only the supervisor catches it.
"""

from collections.abc import Iterable

import attrs


class BulkheadError(Exception):
    """The root of the tree."""


@attrs.frozen(kw_only=True)
class Problem:
    """One thing wrong in a configuration, in the words shown to the user."""

    file: str
    key: str
    expected: str
    found: str
    nearest: str | None = None

    def __str__(self) -> str:
        text = f"{self.file}: {self.key}: expected {self.expected}, found {self.found}"
        return f"{text}; did you mean {self.nearest!r}?" if self.nearest else text


class ConfigError(BulkheadError):
    """A configuration that cannot be run; holds every problem, not only the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class DataError(BulkheadError):
    """A line of recorded data that cannot be read: file, line number (from 1) and reason."""

    def __init__(self, *, file: str, line: int, reason: str) -> None:
        self.file = file
        self.line = line
        self.reason = reason
        super().__init__(f"{file}:{line}: {reason}")


class BookGapError(DataError):
    """Updates of a book are missing before this line."""


class TradingError(BulkheadError):
    """The world failed: which venue, which order if any."""

    def __init__(self, message: str, *, venue: str, order_id: str | None = None) -> None:
        self.venue = venue
        self.order_id = order_id
        super().__init__(message)


class VenueUnreachable(TradingError):
    """No answer from the venue; a read may be retried, a write is ``UNKNOWN``."""


class VenueThrottled(TradingError):
    """The venue asks to wait."""


class VenueProtocolError(TradingError):
    """The venue said something that its protocol does not allow: reconnect."""


class VenueDenied(TradingError):
    """The venue refuses this account or key: stop."""


class OrderStateError(TradingError):
    """A report asks for a transition that the order status table does not have."""


class KernelError(BulkheadError):
    """A promise of the runtime itself was broken."""


class MailboxOverflow(KernelError):
    """A message that may be neither dropped nor delayed found its mailbox full."""


class MailboxClosed(KernelError):
    """The receiver has left for good."""


class IntensityExceeded(KernelError):
    """A supervisor restarted its children more often than its budget allows."""


class JournalError(KernelError):
    """The journal cannot be read or written."""
