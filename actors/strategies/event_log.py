"""The smallest example: counts what it hears, and writes some of it to the run's log."""

import json
from collections import Counter, deque
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, ClassVar, Literal, get_args

import attrs
import msgspec
from attrs.validators import ge, in_

from actors.messages.account import PositionChanged
from actors.messages.alerts import Logged
from actors.messages.market import (
    KIND_MASK,
    Bar,
    BookView,
    Connection,
    EventKind,
    Quote,
    Resolution,
    Trade,
)
from actors.messages.trading import Fill, OrderUpdate, SignalRefused
from actors.model.instrument import Instrument
from actors.model.money import plain
from actors.strategies.strategy import Strategy

Event = (
    Quote
    | Trade
    | Bar
    | BookView
    | Connection
    | Resolution
    | OrderUpdate
    | Fill
    | PositionChanged
    | SignalRefused
)


EventName = Literal[
    "quote",
    "trade",
    "bar",
    "book",
    "connection",
    "resolution",
    "order",
    "fill",
    "position",
    "refusal",
]
_KINDS: Mapping[EventKind, EventName] = {
    EventKind.QUOTE: "quote",
    EventKind.TRADE: "trade",
    EventKind.BAR: "bar",
    EventKind.BOOK: "book",
    EventKind.CONNECTION: "connection",
    EventKind.RESOLUTION: "resolution",
}


class EventLog(Strategy):
    """Counts every event by kind; logs every n-th, and the counts at the end. It trades nothing.

    Attributes:
        counts: How many events of each kind it has heard.
        lines: The last lines written.
    """

    book_depth: ClassVar[int] = 1
    learns: ClassVar[bool] = False

    @attrs.frozen(kw_only=True)
    class Parameters:
        """What it writes, and how much of it.

        Attributes:
            every: One event in so many is written.
            kinds: What it hears; nothing else is even delivered, or counted.
            samples: Kinds that are counted apart, and of which one in so many is written.
            format: ``text`` is for people, ``json`` for machines: all fields of the event.
            console: Whether people see the lines as well; they are always in the run's log.
            totals: Whether the counts are written at the end.
            keep: How many of the last lines stay in memory.
        """

        every: int = attrs.field(default=1000, validator=ge(1))
        kinds: tuple[EventName, ...] = get_args(EventName)
        samples: Mapping[EventName, int] = attrs.field(factory=dict)
        format: Literal["text", "json"] = attrs.field(
            default="text", validator=in_(("text", "json"))
        )
        console: bool = False
        totals: bool = True
        keep: int = attrs.field(default=100, validator=ge(0))

        @samples.validator
        def _samples_are_whole(self, _attribute: object, value: Mapping[EventName, int]) -> None:
            for kind, every in value.items():
                if kind not in get_args(EventName) or every < 1:
                    raise ValueError(
                        f"samples: expected kinds of events and numbers above 0, "
                        f"found {kind}: {every}"
                    )

    parameters: Parameters

    def on_start(self) -> None:
        """Begin to count."""
        self.counts: Counter[str] = Counter()
        self.lines: deque[str] = deque(maxlen=self.parameters.keep)
        self._wanted = frozenset(self.parameters.kinds)
        self._until_next = self.parameters.every
        self._until_sample = dict(self.parameters.samples)

    def callback(self, code: int) -> Callable[[Any], None] | None:
        """Hear of the market only what is wanted."""
        if _KINDS[EventKind(code & KIND_MASK)] not in self.parameters.kinds:
            return None
        return super().callback(code)

    def on_quote(self, quote: Quote) -> None:
        """Count a quote."""
        self._count("quote", quote)

    def on_trade(self, trade: Trade) -> None:
        """Count a public trade."""
        self._count("trade", trade)

    def on_bar(self, bar: Bar) -> None:
        """Count a bar."""
        self._count("bar", bar)

    def on_book(self, book: BookView) -> None:
        """Count a change of a book."""
        self._count("book", book)

    def on_connection(self, connection: Connection) -> None:
        """Count a change of a connection."""
        self._count("connection", connection)

    def on_resolution(self, resolution: Resolution) -> None:
        """Count a resolution."""
        self._count("resolution", resolution)

    def on_order(self, update: OrderUpdate) -> None:
        """Count a step of an own order."""
        self._count("order", update)

    def on_fill(self, fill: Fill) -> None:
        """Count an own execution."""
        self._count("fill", fill)

    def on_position(self, change: PositionChanged) -> None:
        """Count a change of an own position."""
        self._count("position", change)

    def on_refused(self, refusal: SignalRefused) -> None:
        """Count a refusal."""
        self._count("refusal", refusal)

    def on_stop(self) -> None:
        """Log the counts."""
        if self.parameters.totals:
            counts = ", ".join(f"{kind} {count}" for kind, count in sorted(self.counts.items()))
            self._log(f"heard in all: {counts or 'nothing'}", self.now_ns)

    def _count(self, kind: EventName, event: Event) -> None:
        if kind not in self._wanted:
            return
        self.counts[kind] += 1
        if self._is_written(kind):
            time_ns = getattr(event, "time_ns", self.now_ns)
            is_json = self.parameters.format == "json"
            text = as_json(kind, event) if is_json else f"{kind} {describe(event)}"
            self._log(text, time_ns)

    def _is_written(self, kind: EventName) -> bool:
        samples = self._until_sample
        if kind in samples:
            samples[kind] -= 1
            if samples[kind]:
                return False
            samples[kind] = self.parameters.samples[kind]
            return True
        self._until_next -= 1
        if self._until_next:
            return False
        self._until_next = self.parameters.every
        return True

    def _log(self, text: str, time_ns: int) -> None:
        self.lines.append(text)
        shown = self.parameters.console
        self.outbox.append(Logged(strategy=self.name, text=text, time_ns=time_ns, is_shown=shown))


def describe(event: Event) -> str:
    """Return an event in a few words, its instrument first."""
    return f"{_name(event)}: {_details(event)}"


def as_json(kind: EventName, event: Event) -> str:
    """Return an event as one line of JSON: its kind and all its fields.

    Decimals are texts; an instrument is its id; what is not known (nan) is null.
    """
    values = {name: getattr(event, name) for name in event.__struct_fields__}
    fields = {name: None if value != value else value for name, value in values.items()}
    return json.dumps({"kind": kind, **fields}, default=_plain, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, Instrument):
        return value.id
    return msgspec.to_builtins(value)


def _details(event: Event) -> str:
    match event:
        case Quote() | BookView():
            return f"{_shown(event.bid)} / {_shown(event.ask)}"
        case Trade():
            return f"{_shown(event.quantity)} at {_shown(event.price)}"
        case Bar():
            return f"close {_shown(event.close_price)}"
        case Connection():
            return event.state
        case Resolution():
            return f"pays {_shown(event.payoff)}"
        case OrderUpdate():
            return f"{event.client_order_id} {event.status} {event.reason}".rstrip()
        case Fill():
            return f"{event.side} {_shown(event.last_quantity)} at {_shown(event.last_price)}"
        case PositionChanged():
            return _shown(event.quantity)
        case SignalRefused():
            return ", ".join(violation.policy for violation in event.violations)


def _name(event: Event) -> str:
    instrument = event.instrument
    if instrument is None:
        return "every instrument"
    return instrument if isinstance(instrument, str) else instrument.id


def _shown(value: Decimal | None) -> str:
    return "none" if value is None else plain(value)
