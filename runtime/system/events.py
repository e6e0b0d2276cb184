"""What happens in a run, as a stream for whoever is interested in it.

A stream is read beside the run, in the same event loop. In simulated time the run waits for its
readers now and then, so nothing is lost and little is kept; a stream that is closed is waited for
no more. In real time nobody is waited for: what finds a stream far behind is left out, and counted.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Self

import msgspec
import trio

from actors.messages.account import (
    CloseOut,
    EquityMarked,
    MarkEquity,
    PositionChanged,
    SetTradingState,
    TradingStateChanged,
)
from actors.messages.alerts import Alert, Logged
from actors.messages.reconciliation import Difference, Reconciled
from actors.messages.records import MarketRow
from actors.messages.safety import KillSwitchChanged
from actors.messages.slices import MarketData
from actors.messages.system import (
    ActorFailed,
    ActorGaveUp,
    ActorRestarted,
    Alarm,
    CancelAll,
    CancelAllAtVenue,
    CancelStrategy,
    Halt,
    HaltLifted,
    MessageQuarantined,
    Resume,
    Trip,
)
from actors.messages.trading import Fill, FillSettled, OrderUpdate, ReplaceResult, SignalRefused
from runtime.kernel.envelope import Envelope

_BACKLOG = 1024
"""How many events a stream may be behind before the run waits for its reader, or drops some."""


class EventKind(StrEnum):
    """What an event is about."""

    MARKET = "market"
    """Quotes, trades, bars, changes of books, connections, resolutions."""
    USER = "user"
    """Own orders, fills, positions, refusals."""
    SYSTEM = "system"
    """Supervision, trading states, halts, alerts, lines for the log."""
    METRICS = "metrics"
    """Samples of the account's value."""
    RING = "ring"
    """What actors ask of each other: wishes, approvals, requests, reports."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that has happened, with its place in the run.

    ``sequence`` and ``cause`` are those of the journal's envelope; market events, which are in
    the journal only where somebody acted on them, have 0. ``data`` is the message, or the row as
    strategies' callbacks get it.
    """

    sequence: int
    kind: EventKind
    time_ns: int
    sender: str
    cause: int
    data: Any


_SPOKEN: Mapping[EventKind, tuple[type, ...]] = {
    EventKind.USER: (OrderUpdate, Fill, FillSettled, ReplaceResult, PositionChanged, SignalRefused),
    EventKind.SYSTEM: (
        ActorFailed,
        ActorRestarted,
        ActorGaveUp,
        MessageQuarantined,
        Trip,
        Halt,
        Resume,
        HaltLifted,
        KillSwitchChanged,
        Alarm,
        Difference,
        Reconciled,
        CancelAll,
        CancelAllAtVenue,
        CancelStrategy,
        CloseOut,
        SetTradingState,
        TradingStateChanged,
        Alert,
        Logged,
    ),
    EventKind.METRICS: (EquityMarked,),
}
_KINDS = {each: kind for kind, types in _SPOKEN.items() for each in types}
_UNTOLD = (MarketRow, MarketData, MarkEquity)


def event_of(envelope: Envelope) -> Event | None:
    """Return a message that was delivered as an event; None for what is not told."""
    message = envelope.message
    if isinstance(message, _UNTOLD):
        return None
    return Event(
        sequence=envelope.sequence,
        kind=_KINDS.get(type(message), EventKind.RING),
        time_ns=envelope.time_ns,
        sender=envelope.sender,
        cause=envelope.cause,
        data=message,
    )


class EventStream:
    """Events of some kinds, in their order; ``async for`` ends when the run has ended.

    Attributes:
        kinds: What it is about.
        missed: How many events were left out because the reader was far behind; in real time only.
    """

    def __init__(self, kinds: frozenset[EventKind], *, is_awaited: bool = True) -> None:
        self.kinds = kinds
        self.missed = 0
        self._is_awaited = is_awaited
        self._waiting: deque[Event] = deque()
        self._is_closed = False
        self._changed = trio.Event()
        self._taken = trio.Event()

    @property
    def is_behind(self) -> bool:
        """Return whether the run has to wait for the reader."""
        return len(self._waiting) > _BACKLOG and not self._is_closed

    def publish(self, event: Event) -> None:
        """Take an event in; one for which nobody may wait is left out if there are too many."""
        if not self._is_awaited and self.is_behind:
            self.missed += 1
        elif not self._is_closed:
            self._waiting.append(event)
            self._changed.set()

    def finish(self) -> None:
        """Say that no more events follow; those at hand can still be read."""
        self._is_closed = True
        self._changed.set()
        self._taken.set()

    def close(self) -> None:
        """Read no more."""
        self._waiting.clear()
        self.finish()

    async def wait_for_reader(self) -> None:
        """Return when the reader is not behind any more."""
        while self.is_behind:
            self._taken = trio.Event()
            await self._taken.wait()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while not self._waiting:
            if self._is_closed:
                raise StopAsyncIteration
            self._changed = trio.Event()
            await self._changed.wait()
        event = self._waiting.popleft()
        if not self.is_behind:
            self._taken.set()
        return event


class Events:
    """Shows everything that is delivered to the streams that want it.

    ``waits`` is whether the run waits for its readers.
    """

    def __init__(self, *, waits: bool = True) -> None:
        self._waits = waits
        self._streams: list[EventStream] = []

    def subscribe(self, kinds: Iterable[EventKind]) -> EventStream:
        """Return a new stream of events of these kinds, from now on."""
        stream = EventStream(frozenset(kinds), is_awaited=self._waits)
        self._streams.append(stream)
        return stream

    def wants(self, kind: EventKind) -> bool:
        """Return whether any stream is about a kind."""
        return any(kind in stream.kinds for stream in self._streams)

    def take(self, envelope: Envelope) -> None:
        """Show a message that was delivered."""
        event = event_of(envelope)
        if event is not None:
            self._publish(event)

    def take_row(self, row: Any) -> None:
        """Show a market row, as callbacks get it."""
        event = Event(
            sequence=0,
            kind=EventKind.MARKET,
            time_ns=row.time_ns,
            sender="market",
            cause=0,
            data=row,
        )
        self._publish(event)

    def _publish(self, event: Event) -> None:
        for stream in self._streams:
            if event.kind in stream.kinds:
                stream.publish(event)

    async def breathe(self) -> None:
        """Let other tasks run; wait for the readers that are behind."""
        await trio.lowlevel.checkpoint()
        for stream in self._streams:
            await stream.wait_for_reader()

    def finish(self) -> None:
        """End every stream after what it has."""
        for stream in self._streams:
            stream.finish()

    def close(self) -> None:
        """Have no reader waited for any more."""
        for stream in self._streams:
            stream.close()
