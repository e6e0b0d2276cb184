"""Every exception that Bulkhead raises on purpose.

BulkheadError
├── ExecutionError              the engine: its configuration and its life
│   ├── ConfigError             the user's file or flag is wrong: nothing was started
│   └── KernelError             the runtime's own promises
│       ├── MailboxOverflow     a message that must not be dropped found no room
│       ├── MailboxClosed       a message was sent to an actor that has left for good
│       ├── IntensityExceeded   a supervisor's restart budget is spent: its parent decides
│       └── JournalError        the journal cannot be read or written
├── DataSourceError             what data come from is not there, or breaks off
│   └── StreamError             what it says cannot be read
│       └── DataError           a recorded line: it is reported and skipped
│           └── BookGapError    a book's updates do not join up: unusable until re-synced
├── StrategyError               a strategy cannot begin, or gives up
│   └── StrategyNotFound        no strategy has this name (also a ValueError)
└── TradingError                orders and venues: carries venue and order, and when to retry
    ├── ValidationError         the order is wrong by itself                       NEVER
    ├── RiskRejected            policies refuse it                                 NEVER
    ├── RateLimitExceeded       too many requests: it has not left                 SAFE
    │   └── VenueThrottled      the venue asks to wait                             SAFE
    ├── VenueError              the venue refuses, or fails                        AFTER_RECONCILE
    │   └── VenueProtocolError  it said what its protocol does not allow           AFTER_RECONCILE
    ├── OrderNotFound           nobody has placed this order                       NEVER
    ├── NetworkError            no answer: a write may have arrived                AFTER_RECONCILE
    │   └── VenueUnreachable    the venue does not answer                          AFTER_RECONCILE
    ├── AuthenticationError     the account or key is refused: stop                NEVER
    │   └── VenueDenied         the same, by the venue                             NEVER
    └── InvalidOrderState       the order is not where this could happen to it     AFTER_RECONCILE
        └── OrderStateError     a report contradicts what is known of its order    AFTER_RECONCILE
            ├── FillRejected    a trade that cannot be: it is set aside            AFTER_RECONCILE
            └── OrderNeverPlaced  a report on no order of ours: also OrderNotFound AFTER_RECONCILE

Who raises them. The runtime: ConfigError, KernelError and those below it. The feeds' readers:
DataError, BookGapError. Finding a strategy: StrategyNotFound. The order manager: OrderStateError
and those below it. A rate limiter that is asked for a token at once: RateLimitExceeded. A validator
whose result is asked to raise: ValidationError. ``actors.messages.refusals`` turns refusals into
ValidationError, RiskRejected, VenueError and InvalidOrderState, for callers who would rather have
an exception. VenueThrottled, VenueProtocolError, VenueUnreachable and VenueDenied are what the
shell of a venue raises; its callers catch the class above. DataSourceError and StreamError are for
catching what is below them, and for sources that users write.

Inside of a run a refusal (by risk, by a venue) is no exception but a message with a reason.
A bug is an ``assert``; only the supervisor catches it.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, ClassVar

import attrs


class BulkheadError(Exception):
    """The root of the tree; every error below it keeps its fields when it is pickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (type(self), self.args, self.__dict__)


def _rebuilt(
    kind: type[BulkheadError], arguments: tuple[Any, ...], fields: dict[str, Any]
) -> BulkheadError:
    """Return an error as it was before pickling; its constructor takes other arguments."""
    error = kind.__new__(kind, *arguments)
    error.args = arguments
    error.__dict__.update(fields)
    return error


class ExecutionError(BulkheadError):
    """The engine cannot start, go on or stop as it should."""


class DataSourceError(BulkheadError):
    """What data come from is not there, or breaks off."""


class StreamError(DataSourceError):
    """What a source says cannot be read."""


class StrategyError(BulkheadError):
    """A strategy cannot begin; also for strategies that give up on purpose."""


class StrategyNotFound(StrategyError, ValueError):
    """No strategy has this name; says what there is, and what is nearest."""


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


class ConfigError(ExecutionError):
    """A configuration that cannot be run; holds every problem, not only the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class DataError(StreamError):
    """A line of recorded data that cannot be read: file, line number (from 1) and reason."""

    def __init__(self, *, file: str, line: int, reason: str) -> None:
        self.file = file
        self.line = line
        self.reason = reason
        super().__init__(f"{file}:{line}: {reason}")


class BookGapError(DataError):
    """Updates of a book are missing before this line."""


class Retry(StrEnum):
    """Whether what failed may be tried again."""

    NEVER = "NEVER"
    """It would fail again."""
    SAFE = "SAFE"
    """Nothing has happened yet: wait, then try again."""
    AFTER_RECONCILE = "AFTER_RECONCILE"
    """It may have happened: ask the venue first."""


class TradingError(BulkheadError):
    """Something about an order or a venue.

    Attributes:
        message: What has happened.
        venue: Where; empty if no venue was asked.
        order_id: Our id of the order, if it is about one.
        retry: Whether to try again; the same for all errors of a class.
    """

    retry: ClassVar[Retry] = Retry.AFTER_RECONCILE

    def __init__(self, message: str, *, venue: str = "", order_id: str | None = None) -> None:
        self.message = message
        self.venue = venue
        self.order_id = order_id
        super().__init__(message)


class ValidationError(TradingError):
    """The order is wrong by itself; ``msg`` is everything that is wrong with it."""

    retry = Retry.NEVER

    def __init__(self, msg: str, *, order_id: str | None = None) -> None:
        self.msg = msg
        super().__init__(msg, order_id=order_id)


class RiskRejected(TradingError):
    """Risk policies refuse an order; ``policies`` names every one that does."""

    retry = Retry.NEVER

    def __init__(
        self, policies: Iterable[str], message: str = "", *, order_id: str | None = None
    ) -> None:
        self.policies = tuple(policies)
        super().__init__(message or f"refused by {', '.join(self.policies)}", order_id=order_id)


class RateLimitExceeded(TradingError):
    """More requests than ``venue`` takes; this one has not left."""

    retry = Retry.SAFE

    def __init__(self, venue: str, message: str, *, order_id: str | None = None) -> None:
        super().__init__(message, venue=venue, order_id=order_id)


class VenueThrottled(RateLimitExceeded):
    """The venue asks to wait."""


class VenueError(TradingError):
    """The venue refuses, or fails; ``code`` is its own, empty where it gives none."""

    def __init__(
        self, venue: str, message: str, code: str = "", *, order_id: str | None = None
    ) -> None:
        self.code = code
        super().__init__(message, venue=venue, order_id=order_id)


class VenueProtocolError(VenueError):
    """The venue said something that its protocol does not allow: reconnect."""


class OrderNotFound(TradingError):
    """No order of this id was placed."""

    retry = Retry.NEVER


class NetworkError(TradingError):
    """No answer came: a read may be repeated, a write is ``UNKNOWN`` until the venue tells."""

    def __init__(self, msg: str, *, venue: str = "", order_id: str | None = None) -> None:
        self.msg = msg
        super().__init__(msg, venue=venue, order_id=order_id)


class VenueUnreachable(NetworkError):
    """The venue does not answer."""


class AuthenticationError(TradingError):
    """The account or the key is refused: stop."""

    retry = Retry.NEVER


class VenueDenied(AuthenticationError):
    """The venue refuses this account or key: stop."""


class InvalidOrderState(TradingError):
    """The order is not in a state in which this could happen to it."""


class OrderStateError(InvalidOrderState):
    """A report contradicts what is known of its order."""


class FillRejected(OrderStateError):
    """A trade that cannot be, by the order it names; ``codes`` say why (see the validators)."""

    def __init__(
        self, message: str, *, codes: Iterable[str], venue: str, order_id: str | None = None
    ) -> None:
        self.codes = tuple(codes)
        super().__init__(message, venue=venue, order_id=order_id)


class OrderNeverPlaced(OrderStateError, OrderNotFound):
    """A report names an order that is none of ours."""

    retry = Retry.AFTER_RECONCILE


class KernelError(ExecutionError):
    """A promise of the runtime itself was broken."""


class MailboxOverflow(KernelError):
    """A message that may be neither dropped nor delayed found its mailbox full."""


class MailboxClosed(KernelError):
    """The receiver has left for good."""


class IntensityExceeded(KernelError):
    """A supervisor restarted its children more often than its budget allows."""


class JournalError(KernelError):
    """The journal cannot be read or written."""
