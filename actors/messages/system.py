"""What the runtime itself says; the only messages that the kernel knows."""

import msgspec


class TimerFired(msgspec.Struct, frozen=True, gc=False):
    """A timer that an actor set for itself."""

    actor: str
    name: str
    at_ns: int


class FailureReport(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An exception, unwrapped from its groups, in words."""

    kind: str
    text: str
    where: str
    """``file:function:line`` of the innermost frame."""


class ActorFailed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An actor's core has raised."""

    actor: str
    failure: FailureReport
    message_sequence: int
    """The envelope it was handling, 0 if none."""


class ActorRestarted(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A fresh incarnation runs."""

    actor: str
    incarnation: int
    delay_ns: int
    """How long the back-off held it."""


class ActorGaveUp(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An actor's restart budget is spent: it stays down."""

    actor: str
    reason: str


class MessageQuarantined(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A message that its receiver failed on again and again was set aside."""

    actor: str
    message_sequence: int
    message_type: str
    attempts: int
    failure: FailureReport


class Overtaken(msgspec.Struct, frozen=True, gc=False):
    """An actor has handled a message after others that were sent later: recorded where it did."""

    actor: str
    message_sequence: int


class Halt(msgspec.Struct, frozen=True, gc=False):
    """No new orders from now on; everything that works is cancelled.

    A ``final`` halt is the system's: somebody who is needed is gone for good. It lasts as long as
    its process; in the next one it can be lifted (:class:`HaltLifted`), as another one can at once.
    """

    cause: str
    final: bool = True


class HaltLifted(msgspec.Struct, frozen=True, gc=False):
    """Orders may come again: somebody has acknowledged the cause of the halt."""

    cause: str
    """The cause that was acknowledged."""


class Trip(msgspec.Struct, frozen=True, gc=False):
    """Halt: said to the kill switch, which sees it through; ``by`` is whose wish it is."""

    cause: str
    by: str = "system"


class Resume(msgspec.Struct, frozen=True, gc=False):
    """Lift the halt: ``acknowledges`` must repeat its cause."""

    acknowledges: str


class Resumed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A new process goes on from the journal of an earlier one; sent before anything else.

    ``last_ns`` is the time of the last message that the earlier one has recorded.
    """

    last_ns: int


class Alarm(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something that a person must look at now."""

    source: str
    text: str
    time_ns: int


class Archived(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something that an actor forgets: from here on it is the journal that remembers it.

    ``kind`` and ``key`` are what it is looked up by; the latest one counts. ``state`` is JSON.
    """

    kind: str
    key: str
    state: str


class CancelAll(msgspec.Struct, frozen=True, gc=False):
    """Cancel everything that works; new orders may still come."""

    cause: str


class CancelAllAtVenue(msgspec.Struct, frozen=True, gc=False):
    """Cancel everything that works at the venue: said to the broker when nobody else can."""

    cause: str


class CancelStrategy(msgspec.Struct, frozen=True, gc=False):
    """Cancel whatever one strategy has working, and take no more of it."""

    strategy: str
    cause: str
