"""A ring without trade: feeds, a venue that reacts to rows, strategies that act on them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import cycle
from typing import Any

import attrs
import pytest
import trio

from actors.actor import Context
from actors.messages.market import ConnectionState
from actors.messages.merging import Merger
from actors.messages.records import Origin
from actors.messages.slices import MarketData, Slice, SliceBuilder, resliced
from actors.model.instrument import Instruments
from runtime.kernel.journal import Entry
from runtime.kernel.live import LiveFeed
from runtime.kernel.market import Market
from runtime.kernel.pace import Pace
from runtime.kernel.sequencer import Sequencer
from runtime.kernel.source import SourceCell
from tests.builders import instrument, instruments
from tests.runtime.kernel.fakes import (
    Broken,
    MemoryJournal,
    Plant,
    live_plant,
    simulated_plant,
)
from tests.runtime.kernel.ring_cores import FakeStrategy, FakeVectorised, FakeVenue, RingScript

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


A, B = 0, 8
"""The codes of quotes of the two instruments."""
SIZES = pytest.mark.parametrize("size", [1, 3, 4096])


def feed(rows: Slice, size: int = 4096, *good: int) -> list[FakeSource]:
    """Return a feed whose first incarnations break off after so many rows."""
    return [*(FakeSource(rows, [size], each) for each in good), FakeSource(rows, [size])]


def rising(count: int, *, first_ns: int = 10, step_ns: int = 10, instrument: int = 0) -> Slice:
    """Return quotes whose bid is their number, from 1."""
    times = range(first_ns, first_ns + count * step_ns, step_ns)
    return quotes(*((time_ns, bid, instrument) for bid, time_ns in enumerate(times, 1)))


def ring(rows: Slice, size: int = 4096, **options: Any) -> Ring:
    """Return a ring with one feed."""
    return Ring(feeds={"feed": feed(rows, size)}, **options)


def times(of: RingScript) -> list[int]:
    """Return the times of the rows that a strategy was shown."""
    return [time_ns for time_ns, _ in of.seen]


def journal(of: Ring, kind: type | None = None) -> list[Entry]:
    """Return what was recorded, or the messages of one type."""
    entries = list(of.journal.entries())
    return [entry for entry in entries if kind is None or isinstance(entry.message, kind)]


def down_for(delay_ns: int) -> dict[str, Any]:
    """Return a back-off of the same time for each restart."""
    return {"base_ns": delay_ns, "factor": 1.0, "jitter": 0.0}
