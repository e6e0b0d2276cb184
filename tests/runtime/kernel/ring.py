"""A ring without trade: feeds, a venue that reacts to rows, strategies that act on them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import cycle
from typing import Any

import attrs
import msgspec
import trio

from actors.actor import Context, Later
from actors.messages.market import ConnectionState
from actors.messages.merging import Merger
from actors.messages.records import Origin
from actors.messages.slices import MarketData, Slice, SliceBuilder, resliced
from actors.model.instrument import Instruments
from runtime.kernel.live import LiveFeed
from runtime.kernel.market import Market
from runtime.kernel.pace import Pace
from runtime.kernel.sequencer import Sequencer
from runtime.kernel.source import SourceCell
from tests.builders import instrument, instruments
from tests.runtime.kernel.fakes import (
    Broken,
    MemoryJournal,
    Note,
    Order,
    Plant,
    Script,
    ScriptedCore,
    Tick,
    live_plant,
    simulated_plant,
)

TABLE: Instruments = instruments(instrument("A"), instrument("B"))


def quotes(*rows: tuple[int, int] | tuple[int, int, int]) -> Slice:
    """Return quotes ``(time_ns, bid)`` or ``(time_ns, bid, instrument)``."""
    builder = SliceBuilder(TABLE)
    for line, (time_ns, bid, *index) in enumerate(rows, 1):
        builder.quote(Origin(time_ns, line=line), index[0] if index else 0, (bid, bid + 1, 5, 5))
    return builder.build()


@attrs.define
class FakeSource:
    """Yields the rows from ``resume_ns`` on; breaks off after ``good`` rows."""

    rows: Slice
    sizes: Sequence[int]
    good: int | None = None

    def slices(self, resume_ns: int) -> Iterator[Slice]:
        rows = self.rows if self.good is None else self.rows.take(slice(0, self.good))
        start = sum(time_ns < resume_ns for time_ns in rows.times())
        yield from resliced([rows.take(slice(start, None))], cycle(self.sizes))
        if self.good is not None:
            raise Broken(f"line {self.good + 1}")

    def summary(self) -> dict[str, Any]:
        return {"rows": len(self.rows)}


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


def status_rows(_feed: str, is_up: bool, now_ns: int) -> Slice:
    """Return the row that tells of a feed's death or return."""
    state = ConnectionState.UP if is_up else ConnectionState.DOWN
    return SliceBuilder(TABLE).connection(Origin(now_ns), state).build().of_source(-1)


@attrs.define(kw_only=True)
class Ring:
    """A simulated run; ``strategies`` in order of rank."""

    venue: RingScript = attrs.field(factory=RingScript)
    strategies: dict[str, RingScript] = attrs.field(factory=dict)
    feeds: Mapping[str, Sequence[FakeSource]] = attrs.field(factory=dict)
    """By name, the source of each incarnation; the last one serves all others."""
    more: Mapping[str, Callable[[Context], Any]] = attrs.field(factory=dict)
    """More cores, by name; their rank is behind the strategies."""
    capacity: int = 1024
    pace: Pace = attrs.field(factory=Pace)
    market: Mapping[str, Any] = attrs.field(factory=dict)
    """What else to say of the market."""
    backoff: Mapping[str, Any] = attrs.field(factory=dict)
    intensity: int = 1_000
    quarantine_after: int = 3
    plant: Plant = attrs.field(init=False)
    sequencer: Sequencer = attrs.field(init=False)
    children: list[Any] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.plant = simulated_plant(MemoryJournal())
        self._add_cells(needs_history=True)
        cells = [SourceCell(name, self._maker(name), self.plant.clock) for name in self.feeds]  # type: ignore[arg-type]
        market = Market(
            feeds=cells,
            merger=Merger(len(cells)),
            status_rows=status_rows,
            pace=self.pace,
            **self.market,
        )
        ready = self.plant.ready
        assert ready is not None
        self.sequencer = Sequencer(
            self.plant.clock,  # type: ignore[arg-type]
            self.plant.post,
            ready,
            list(self.plant.cells.values()),
            market,
        )
        self.plant.on_change.append(self.sequencer.cell_changed)
        self.children = cells

    def _add_cells(self, **of_venue: Any) -> None:
        options: dict[str, Any] = {
            "quarantine_after": self.quarantine_after,
            "capacity": self.capacity,
        }
        self.plant.add("venue", partial(FakeVenue, script=self.venue), **options, **of_venue)
        for name, own in self.strategies.items():
            kind = FakeVectorised if own.is_vectorised else FakeStrategy
            self.plant.add(name, partial(kind, script=own), **options)
        for name, make_core in self.more.items():
            self.plant.add(name, make_core, **options)

    def _maker(self, name: str) -> Any:
        sources = self.feeds[name]
        return lambda incarnation: sources[min(incarnation, len(sources) - 1)]

    async def run(self) -> None:
        """Run to the end of the data, and let the strategies say their last words."""
        supervisor = self.plant.guards(self.children, self.intensity, **self.backoff)
        async with trio.open_nursery() as nursery:
            await self.sequencer.bring_up(nursery, supervisor)
            await self.sequencer.run()
            await self.sequencer.stop_listeners()
            supervisor.request_stop()

    @property
    def journal(self) -> MemoryJournal:
        """Return what was recorded."""
        journal = self.plant.journal
        assert isinstance(journal, MemoryJournal)
        return journal

    def outcome(self) -> dict[str, Any]:
        """Return everything that must not depend on how the market is cut into slices."""
        scripts = {"venue": self.venue, **self.strategies}
        return {
            "journal": list(self.journal.entries()),
            "observed": self.plant.observed,
            "seen": {name: script.seen for name, script in scripts.items()},
            "handled": {name: (script.handled, script.times) for name, script in scripts.items()},
            "recovered": {name: script.recovered for name, script in scripts.items()},
            "log": {name: script.log for name, script in scripts.items()},
            "counts": (self.sequencer.rows_passed, self.sequencer.conflated),
            "ended_ns": self.plant.clock.now_ns(),
        }


@attrs.define(kw_only=True)
class LiveRing(Ring):
    """The same ring, run live: needs a running trio."""

    def __attrs_post_init__(self) -> None:
        first_ns = min(sources[0].rows.times()[0] for sources in self.feeds.values())
        self.plant = live_plant(MemoryJournal(), first_ns)
        self._add_cells()
        post = self.plant.post
        everyone = list(self.plant.cells.values())
        post.routes = {**post.routes, MarketData: lambda _message: everyone}
        post.unrecorded = frozenset({MarketData})
        self.children = [
            self.plant.timers,
            *(
                LiveFeed(name, self._maker(name), MarketData, post, self.plant.clock)
                for name in self.feeds
            ),
        ]

    async def run_until(self, end_ns: int) -> None:
        """Run until a time, and then until nothing is in flight."""
        supervisor = self.plant.guards(self.children, self.intensity, **self.backoff)
        async with trio.open_nursery() as nursery:
            await nursery.start(lambda **status: supervisor.run(**status))
            await self.plant.clock.sleep_until_ns(end_ns)
            await self.plant.quiescence.wait()
            supervisor.request_stop()


def run(ring: Ring) -> dict[str, Any]:
    """Run a ring in a trio of its own; return its outcome."""
    trio.run(ring.run)
    return ring.outcome()
