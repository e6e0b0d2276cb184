"""The smallest example: counts what it hears, and writes some of it to the run's log."""

from collections import Counter, deque
from decimal import Decimal
from typing import ClassVar

import attrs
from attrs.validators import ge

from actors.messages.account import PositionChanged
from actors.messages.alerts import Logged
from actors.messages.market import Bar, BookView, Connection, Quote, Resolution, Trade
from actors.messages.trading import Fill, OrderUpdate, SignalRefused
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


class EventLog(Strategy):
    """Counts every event by kind; logs every n-th, and the counts at the end. It trades nothing.

    Attributes:
        counts: How many events of each kind it has heard.
        lines: The last lines written.
    """

    book_depth: ClassVar[int] = 1

    @attrs.frozen(kw_only=True)
    class Parameters:
        """How much it writes.

        Attributes:
            every: One event in so many is written.
            keep: How many of the last lines stay in memory.
        """

        every: int = attrs.field(default=1000, validator=ge(1))
        keep: int = attrs.field(default=100, validator=ge(0))

    parameters: Parameters

    def on_start(self) -> None:
        """Begin to count."""
        self.counts: Counter[str] = Counter()
        self.lines: deque[str] = deque(maxlen=self.parameters.keep)
        self._until_next = self.parameters.every

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
        counts = ", ".join(f"{kind} {count}" for kind, count in sorted(self.counts.items()))
        self._log(f"heard in all: {counts or 'nothing'}", self.now_ns)

    def _count(self, kind: str, event: Event) -> None:
        self.counts[kind] += 1
        self._until_next -= 1
        if self._until_next == 0:
            self._until_next = self.parameters.every
            time_ns = getattr(event, "time_ns", self.now_ns)
            self._log(f"{kind} {describe(event)}", time_ns)

    def _log(self, text: str, time_ns: int) -> None:
        self.lines.append(text)
        self.outbox.append(Logged(strategy=self.name, text=text, time_ns=time_ns))


def describe(event: Event) -> str:
    """Return an event in a few words, its instrument first."""
    return f"{_name(event)}: {_details(event)}"


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
