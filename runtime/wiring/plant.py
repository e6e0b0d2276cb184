"""The plant: every actor of one run, wired and supervised, ready to be started."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs
from loguru import logger

from actors.errors import JournalError
from actors.messages.market import KIND_MASK, ConnectionState, EventKind
from actors.messages.merging import Merger
from actors.messages.records import Origin
from actors.messages.slices import MarketData, Slice, SliceBuilder
from actors.model.instrument import Instruments
from runtime.kernel.cell import Cell
from runtime.kernel.cell_spec import CellServices
from runtime.kernel.clock import Clock, LiveClock, VirtualClock
from runtime.kernel.codec import Codec
from runtime.kernel.incarnation import Child
from runtime.kernel.journal import InlineJournal, Journal, LiveJournal
from runtime.kernel.journal_watch import WatchedJournal
from runtime.kernel.keeper import Keeper
from runtime.kernel.live import LiveFeed, LiveTimers, Quiescence
from runtime.kernel.live_cell import LiveCell
from runtime.kernel.market import Market
from runtime.kernel.pace import Pace
from runtime.kernel.post import Post, Ready
from runtime.kernel.resume import Resumption, resume
from runtime.kernel.sequencer import Sequencer
from runtime.kernel.simulated_cell import SimulatedCell
from runtime.kernel.source import SourceCell
from runtime.kernel.supervisor import Supervisor
from runtime.kernel.watchdog import Handling
from runtime.observe.times import iso_time
from runtime.wiring.blueprint import CORES, Blueprint
from runtime.wiring.cells import make_cells
from runtime.wiring.routes import journaled_types
from runtime.wiring.supervision import Report, Supervision


@attrs.define
class Plant:
    """Every actor of one run."""

    clock: Clock
    post: Post
    journal: Journal | None
    cells: Mapping[str, Cell]
    feeds: list[SourceCell] | list[LiveFeed]
    root: Supervisor
    instruments: Instruments
    sequencer: Sequencer | None = None
    quiescence: Quiescence | None = None
    shells: dict[str, Child] = attrs.field(factory=dict)
    handling: Handling | None = None
    """Live, what the cells are at: for a watchdog."""
    keeper: Keeper | None = None
    resumption: Resumption | None = None
    """What was taken over from an earlier process; None where there was none."""

    @property
    def strategies(self) -> list[Cell]:
        """Return the strategies' cells, in order of rank."""
        return [cell for name, cell in self.cells.items() if name not in CORES]


def codec() -> Codec:
    """Return the codec of every message that a journal may hold."""
    return Codec(journaled_types())


def build_simulated(
    blueprint: Blueprint,
    journal_path: Path | None,
    report: Report,
    *,
    snapshot_every: int | None = None,
) -> Plant:
    """Return a plant in virtual time: a sequencer paces it and drains its mailboxes.

    ``snapshot_every`` is after how many messages the cores are kept in the journal; never if not
    given. The journal must not be absent then.
    """
    journal = None
    if journal_path is not None:
        journal = InlineJournal(journal_path, codec(), _meta(blueprint))
    clock = VirtualClock()
    ready: Ready = []
    post = Post(clock, clock.timers, journal, ready)
    changes = _Changes()
    services = CellServices(
        post=post,
        clock=clock,
        journal=journal,
        became_idle=_nothing,
        changed=changes.cell_changed,
        archive=journal,
        log=_log,
    )
    cells = make_cells(SimulatedCell, blueprint, services)
    feeds = [SourceCell(name, make, clock) for name, make in blueprint.sources.items()]
    market = Market(
        feeds=feeds,
        merger=Merger(len(feeds)),
        status_rows=_status_rows(blueprint.instruments),
        pace=Pace(blueprint.speed, LiveClock() if blueprint.speed else None),
        conflates=_conflates,
    )
    sequencer = Sequencer(clock, post, ready, list(cells.values()), market)
    changes.listener = sequencer.cell_changed
    keeper = None
    if snapshot_every is not None and journal is not None:
        keeper = Keeper(list(cells.values()), journal, post, every=snapshot_every)
        sequencer.between = keeper.keep_if_due
    supervision = Supervision(blueprint, clock, report, has_start_timeouts=False)
    return Plant(
        clock,
        post,
        journal,
        cells,
        feeds,
        supervision.tree(feeds, cells, []),
        blueprint.instruments,
        sequencer=sequencer,
        keeper=keeper,
    )


def build_live(
    blueprint: Blueprint,
    journal_path: Path | None,
    report: Report,
    *,
    epoch_ns: int | None = None,
    journal_failed: Callable[[JournalError], None] | None = None,
) -> Plant:
    """Return a plant in wall time: each cell drains its own mailbox, in bursts.

    ``epoch_ns`` is what the clock shows when it starts; the machine's time if not given.
    ``journal_failed`` is told when nothing can be recorded any more; without it, that ends the run.
    A journal that exists is gone on with: the cores are what they were, and what was under way goes
    on its way.

    Raises:
        JournalError: If the journal is another run's, or damaged.
    """
    journal = None
    if journal_path is not None:
        journal = LiveJournal(journal_path, codec(), _meta(blueprint))
    clock = _live_clock(epoch_ns, journal)
    timers = LiveTimers(clock)
    post = timers.post = Post(clock, timers, journal, None)
    post.unrecorded = frozenset({MarketData})
    quiescence = Quiescence(post)
    services = _live_services(post, clock, journal, quiescence)
    cells = make_cells(LiveCell, blueprint, services)
    quiescence.watch(list(cells.values()))
    feeds = _live_feeds(blueprint, post, clock)
    helpers: list[Child] = [timers]
    keeper, resumption = None, None
    if journal is not None:
        if journal.is_resumed:
            resumption = resume(journal, codec(), post, cells, clock.now_ns())
        keeper = Keeper(list(cells.values()), journal, post, every=blueprint.snapshot_every)
        writer = journal if journal_failed is None else WatchedJournal(journal, journal_failed)
        helpers = [writer, timers, keeper]
    supervision = Supervision(blueprint, clock, report, has_start_timeouts=True)
    shells = {name: make(post, clock) for name, make in blueprint.shells.items()}
    helpers += supervision.links(shells)
    return Plant(
        clock,
        post,
        journal,
        cells,
        feeds,
        supervision.tree(feeds, cells, helpers),
        blueprint.instruments,
        quiescence=quiescence,
        shells=shells,
        keeper=keeper,
        resumption=resumption,
        handling=services.handling,
    )


def _live_services(
    post: Post, clock: Clock, journal: LiveJournal | None, quiescence: Quiescence
) -> CellServices:
    return CellServices(
        post=post,
        clock=clock,
        journal=journal,
        became_idle=quiescence.check,
        changed=_nothing,
        archive=journal,
        log=_log,
        handling=Handling(),
    )


def _live_feeds(blueprint: Blueprint, post: Post, clock: Clock) -> list[LiveFeed]:
    return [
        LiveFeed(name, make, _labelled(number), post, clock)
        for number, (name, make) in enumerate(blueprint.sources.items())
    ]


def _live_clock(epoch_ns: int | None, journal: LiveJournal | None) -> LiveClock:
    """Return a clock that shows later times than that of the journal's last row."""
    clock = LiveClock(epoch_ns)
    if journal is not None and clock.now_ns() <= journal.last_time_ns:
        shown, last = iso_time(clock.now_ns()), iso_time(journal.last_time_ns)
        logger.warning(
            f"the machine's clock says {shown}, the journal's last message was sent at {last}: "
            "time goes on from there, and stays ahead of the machine's"
        )
        clock = LiveClock(journal.last_time_ns + 1)
    return clock


def _conflates(code: int) -> bool:
    """Return whether the latest row says it all: of a quote, a trade, a bar, but no book change."""
    return code & KIND_MASK <= EventKind.BAR


def _log(actor: str, text: str) -> None:
    logger.bind(actor=actor).warning(text)


def _nothing(*_arguments: Any) -> None:
    """Take no notice."""


class _Changes:
    """Passes on which cells have changed, to a listener that is built after the cells."""

    listener: Callable[[SimulatedCell], None] = staticmethod(_nothing)

    def cell_changed(self, cell: SimulatedCell) -> None:
        self.listener(cell)


def _meta(blueprint: Blueprint) -> dict[str, str]:
    return {"run_id": blueprint.run_id, "seed": str(blueprint.seed)}


def _labelled(source: int) -> Callable[[Slice], MarketData]:
    """Return what wraps a feed's rows for its receivers, telling them which feed it is."""
    return lambda rows: MarketData(rows.of_source(source))


def _status_rows(instruments: Instruments) -> Callable[[str, bool, int], Slice]:
    def status_rows(_feed: str, is_up: bool, now_ns: int) -> Slice:
        state = ConnectionState.UP if is_up else ConnectionState.DOWN
        rows = SliceBuilder(instruments).connection(Origin(now_ns), state).build()
        return rows.of_source(-1)

    return status_rows
