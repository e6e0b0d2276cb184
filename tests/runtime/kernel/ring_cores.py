"""Cores for rings without trade: a venue, strategies, a bell."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import attrs
import msgspec

from actors.actor import Context, Later
from actors.messages.market import EventKind
from actors.messages.slices import MarketData, Slice
from tests.runtime.kernel.fakes import (
    Note,
    Order,
    Script,
    ScriptedCore,
    Tick,
)


@attrs.define(kw_only=True)
class RingScript(Script):
    """What a venue or a strategy does, and what it has seen of the market.

    Attributes:
        codes: The codes of the rows it wants; None for all.
        every: It acts on each row of this turn since its start; 0 for none.
        trigger: What its orders wait for: a bid as high as this, or higher.
        timer_ns: How often it wants to be woken up; 0 for never.
        latency_ns: How long orders and reports are on their way.
        is_vectorised: Whether it works on columns.
    """

    codes: frozenset[int] | None = None
    every: int = 0
    trigger: int = 0
    timer_ns: int = 0
    latency_ns: int = 0
    is_vectorised: bool = False
    seen: list[Any] = attrs.field(factory=list)
    log: list[str] = attrs.field(factory=list)


class FakeVenue(ScriptedCore):
    """Fills every order at the first row whose bid has reached its trigger.

    It hands on what it has seen of the market, and knows its orders from the journal.
    """

    def __init__(self, given: Any, script: RingScript) -> None:
        super().__init__(given, script)
        self.ring_script = script
        self.market = [-1]
        self.open: dict[str, Order] = {}

    def handle(self, message: Any, now_ns: int) -> list[Any]:
        if isinstance(message, MarketData):
            return self._pass_rows(message.rows)
        super().handle(message, now_ns)
        latency_ns = self.ring_script.latency_ns
        if latency_ns and not message.has_arrived:
            arrived = msgspec.structs.replace(message, has_arrived=True)
            return [Later(arrived, now_ns + latency_ns)]
        self.open[message.id] = message
        return [Note(message.owner, f"accepted {message.id}")]

    def recover(self, history: Iterable[tuple[str, Any]]) -> None:
        past = list(history)
        self.ring_script.recovered.append(past)
        for direction, message in past:
            if isinstance(message, Order) and direction == "received":
                if message.has_arrived or not self.ring_script.latency_ns:
                    self.open[message.id] = message
            elif isinstance(message, Note) and message.text.startswith("filled"):
                self.open.pop(message.text.split()[1], None)

    def inherit(self, market: list[int]) -> None:
        self.market = market

    def advance(self, rows: Slice, stop: int) -> None:
        if stop:
            self.ring_script.check(("advance", rows.times()[stop - 1]), self.incarnation)
            self.market[0] = max(self.market[0], rows.times()[stop - 1])

    def look(self, rows: Slice, start: int, stop: int) -> int:
        times = rows.times()
        for row in range(start, stop):
            self.ring_script.check(("look", times[row]), self.incarnation)
        for row in range(start, stop):
            if self._filled(rows, row):
                return row
        return stop

    def react(self, rows: Slice, row: int, now_ns: int) -> list[Any]:
        assert self.market == [now_ns]
        self.ring_script.check(("react", now_ns), self.incarnation)
        reports = [
            Note(order.owner, f"filled {order.id} at {rows.a[row]}")
            for order in self._filled(rows, row)
        ]
        for order in self._filled(rows, row):
            del self.open[order.id]
        self.ring_script.log.append(f"{now_ns}: {len(reports)} filled")
        latency_ns = self.ring_script.latency_ns
        if latency_ns:
            return [Later(report, now_ns + latency_ns) for report in reports]
        return [*reports]

    def _filled(self, rows: Slice, row: int) -> list[Order]:
        is_quote = rows.kind[row] == 0
        return [o for o in self.open.values() if is_quote and rows.a[row] >= o.trigger]

    def _pass_rows(self, rows: Slice) -> list[Any]:
        outputs: list[Any] = []
        for row, now_ns in enumerate(rows.times()):
            self.advance(rows, row + 1)
            if self._filled(rows, row):
                outputs += self.react(rows, row, now_ns)
        return outputs


class FakeStrategy(ScriptedCore):
    """Counts the rows it sees, and places an order now and then."""

    def __init__(self, given: Any, script: RingScript) -> None:
        super().__init__(given, script)
        self.ring_script = script
        self.name = given.actor
        self.outbox: list[Any] = []
        self.count = 0
        self.ids = 0

    def start(self, now_ns: int) -> list[Any]:
        return [*super().start(now_ns), *self._wake_up(now_ns)]

    def _wake_up(self, now_ns: int) -> list[Any]:
        at_ns = now_ns + self.ring_script.timer_ns
        return [Later(Tick(self.name), at_ns, background=True)] if self.ring_script.timer_ns else []

    def callback(self, code: int) -> Any:
        self.ring_script.check(("callback", code), self.incarnation)
        wanted = self.ring_script.codes
        return self.see if wanted is None or code in wanted else None

    def see(self, event: Any) -> None:
        script = self.ring_script
        script.seen.append((event.time_ns, describe(event)))
        script.check(("see", event.time_ns), self.incarnation)
        self.count += 1
        if script.every and self.count % script.every == 0:
            self.outbox.append(self._order())

    def _order(self) -> Order:
        self.ids += 1
        id_ = f"{self.name}-{self.incarnation}-{self.ids}"
        return Order("venue", self.name, id_, self.ring_script.trigger)

    def take_outbox(self, now_ns: int) -> list[Any]:
        self.ring_script.check(("take", now_ns), self.incarnation)
        sent = list(self.outbox)
        self.outbox.clear()
        return sent

    def handle(self, message: Any, now_ns: int) -> list[Any]:
        if isinstance(message, MarketData):
            for event in message.rows.events():
                self.see(event)
            return self.take_outbox(now_ns)
        outputs = super().handle(message, now_ns)
        self.ring_script.log.append(f"{now_ns}: {message}")
        return [*outputs, *(self._wake_up(now_ns) if isinstance(message, Tick) else [])]


class FakeVectorised(FakeStrategy):
    """Does the same with whole columns, whatever the codes."""

    def callback(self, code: int) -> Any:
        raise AssertionError("a vectorised strategy has no callbacks")

    def on_slice(self, rows: Slice, start: int, stop: int) -> int | None:
        for time_ns in rows.times()[start:stop]:
            self.ring_script.check(("look", time_ns), self.incarnation)
        every = self.ring_script.every
        row = start + every - 1 - self.count % every if every else stop
        return row if row < stop else None

    def on_rows(self, rows: Slice, start: int, stop: int) -> None:
        self.ring_script.seen += rows.times()[start:stop]
        for time_ns in rows.times()[start:stop]:
            self.ring_script.check(("rows", time_ns), self.incarnation)
        self.count += stop - start
        every = self.ring_script.every
        if every and self.count % every == 0:
            self.outbox.append(self._order())


def describe(event: Any) -> str:
    """Return a row object in short."""
    bid = getattr(event, "bid_ticks", None)
    return f"{event.instrument.id} {bid}" if bid is not None else str(event.state)


class Bell(ScriptedCore):
    """Reacts to the quotes of some times with a note to itself."""

    times: Sequence[int] = (40,)

    def __init__(self, given: Context, script: Script) -> None:
        super().__init__(given, script)
        self.market = [0]
        self.name = given.actor

    def inherit(self, market: list[int]) -> None:
        self.market = market

    def advance(self, rows: Slice, stop: int) -> None:
        for time_ns in rows.times()[:stop]:
            if time_ns > self.market[0]:
                self.script.check(("advance", time_ns), self.incarnation)
                self.market[0] = time_ns

    def look(self, rows: Slice, start: int, stop: int) -> int:
        found = (
            row
            for row in range(start, stop)
            if rows.times()[row] in self.times and rows.kind[row] == EventKind.QUOTE
        )
        return next(found, stop)

    def react(self, rows: Slice, row: int, now_ns: int) -> list[Any]:
        self.script.check(("react", now_ns), self.incarnation)
        return [Note(self.name, "rings"), *self.script.answer(None, now_ns)]


def bell(script: Script) -> Callable[[Context], Any]:
    return partial(Bell, script=script)
