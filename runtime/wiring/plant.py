"""The plant: every actor of one run, wired and supervised, ready to be started."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random  # noqa: TID251 - the type only; generators come from the run's seed
from typing import Any

import attrs
from loguru import logger

from actors.actor import Archive, Context, Core, Source
from actors.errors import JournalError
from actors.messages.market import KIND_MASK, ConnectionState, EventKind
from actors.messages.merging import Merger
from actors.messages.records import Origin
from actors.messages.slices import MarketData, Slice, SliceBuilder
from actors.messages.system import CancelAllAtVenue, Halt, Resumed, Trip
from actors.model.instrument import Instruments
from runtime.config.model import SupervisionConfig
from runtime.kernel.cell import Cell, CellServices, CellSpec
from runtime.kernel.clock import Clock, LiveClock, VirtualClock
from runtime.kernel.codec import Codec
from runtime.kernel.determinism import seeded_random
from runtime.kernel.incarnation import Child
from runtime.kernel.journal import InlineJournal, Journal, LiveJournal
from runtime.kernel.journal_watch import WatchedJournal
from runtime.kernel.keeper import SNAPSHOT_EVERY, Keeper
from runtime.kernel.live import LiveFeed, LiveTimers, Quiescence
from runtime.kernel.mailbox import CRASH, Mailbox, Rule
from runtime.kernel.market import Market
from runtime.kernel.pace import Pace
from runtime.kernel.placement.away import Away
from runtime.kernel.post import Post, Ready
from runtime.kernel.restarts import Backoff, ChildPolicy, Restart, SupervisorPolicy
from runtime.kernel.resume import Resumption, resume
from runtime.kernel.sequencer import Sequencer
from runtime.kernel.snapshots import Snapshotter
from runtime.kernel.source import SourceCell
from runtime.kernel.supervisor import (
    ChildSpec,
    Supervisor,
    SupervisorReport,
    SupervisorServices,
)
from runtime.kernel.watchdog import Handling
from runtime.wiring.routes import RULES, SHOWN, Role, compile_routes, journaled_types

GUARD = "-guard"
"""Ends the name of the supervisor that guards one actor, so that its failures stay its own."""


MakeShell = Callable[[Post, Clock], Child]


@attrs.frozen(kw_only=True)
class Blueprint:
    """The parts of a run, before they are wired.

    ``away`` says how strategies are called in real time that do not run in the event loop.

    ``cores`` and ``strategies`` build a fresh core each time; ``sources`` a fresh source for an
    incarnation. ``supervision`` has one entry for each actor and feed. ``shells`` are what talks to
    the world outside, in real time only. ``snapshot_every`` is after how many messages the cores
    are kept in a journal of real time.
    """

    run_id: str
    seed: int
    instruments: Instruments
    cores: Mapping[Role, Callable[[Context], Core]]
    strategies: Mapping[str, Callable[[Context], Core]]
    wants: Mapping[str, frozenset[type]]
    sources: Mapping[str, Callable[[int], Source]]
    supervision: Mapping[str, SupervisionConfig]
    speed: float = 0.0
    snapshot_every: int = SNAPSHOT_EVERY
    away: Mapping[str, Away] = attrs.field(factory=dict)
    shells: Mapping[str, MakeShell] = attrs.field(factory=dict)


@attrs.define
class Plant:
    """Every actor of one run."""

    clock: Clock
    post: Post
    journal: Journal | None
    cells: dict[str, Cell]
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


CORES = (Role.VENUE, Role.SAFETY, Role.BROKER, Role.ORDERS, Role.PORTFOLIO)
"""The cores in order of rank: at one instant the venue comes first, then reports, then the rest.

Not every run has the first two.
"""

_RESERVE = 1024
_SAFETY_RESERVE = 65_536
"""How many reports wait for an actor that is down before who sends them crashes.

The kill switch hears of nearly everything: that it is being restarted must not hurt the others.
"""

Report = Callable[[SupervisorReport], None]


def codec() -> Codec:
    """Return the codec of every message that a journal may hold."""
    return Codec(journaled_types())


FIRST: frozenset[type] = frozenset({Halt, Trip, Resumed, CancelAllAtVenue})
"""Live, what overtakes everything that waits in a mailbox."""

LIVE_RULES: Mapping[type, Rule] = {
    **RULES,
    **{kind: attrs.evolve(RULES.get(kind, CRASH), overtakes=True) for kind in FIRST},
}


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
        is_simulated=True,
        became_idle=_nothing,
        changed=changes.cell_changed,
        archive=None if snapshot_every is None else journal,
        log=_log,
    )
    cells = _cells(blueprint, services)
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
    root = _tree(blueprint, feeds, cells, _supervision(blueprint, clock, report), [])
    return Plant(
        clock,
        post,
        journal,
        cells,
        feeds,
        root,
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
    cells = _cells(blueprint, services)
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
    supervision = _supervision(blueprint, clock, report)
    shells = {name: make(post, clock) for name, make in blueprint.shells.items()}
    helpers += _links(blueprint, shells, supervision)
    root = _tree(blueprint, feeds, cells, supervision, helpers)
    return Plant(
        clock,
        post,
        journal,
        cells,
        feeds,
        root,
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
        is_simulated=False,
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
    """Return a clock that shows no time before that of the journal's last row."""
    clock = LiveClock(epoch_ns)
    if journal is not None and clock.now_ns() < journal.last_time_ns:
        clock = LiveClock(journal.last_time_ns)
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

    listener: Callable[[Cell], None] = staticmethod(_nothing)

    def cell_changed(self, cell: Cell) -> None:
        self.listener(cell)


def _meta(blueprint: Blueprint) -> dict[str, str]:
    return {"run_id": blueprint.run_id, "seed": str(blueprint.seed)}


def _cells(blueprint: Blueprint, services: CellServices) -> dict[str, Cell]:
    makers: dict[str, Callable[[Context], Core]] = {
        role: blueprint.cores[role] for role in CORES if role in blueprint.cores
    }
    makers |= blueprint.strategies
    snapshotter = Snapshotter({"instruments": blueprint.instruments})
    archive = services.archive
    cells: dict[str, Cell] = {}
    for rank, (name, make_core) in enumerate(makers.items()):
        is_core = name in CORES
        spec = CellSpec(
            name=str(name),
            rank=rank,
            make_core=make_core,
            context=_contexts(blueprint, str(name), archive),
            needs_history=is_core,
            quarantine_after=blueprint.supervision[name].quarantine_after,
            away=None if services.is_simulated else blueprint.away.get(name),
            waits_for_journal=is_core and name != Role.SAFETY,
            snapshotter=snapshotter,
        )
        cells[str(name)] = Cell(spec, _mailbox(str(name), services), services)
    services.post.routes = compile_routes(cells, blueprint.wants)
    if Role.SAFETY in cells:
        services.post.shown = SHOWN
    return cells


def _mailbox(name: str, services: CellServices) -> Mailbox:
    reserve = _SAFETY_RESERVE if name == Role.SAFETY else _RESERVE
    if services.is_simulated:
        return Mailbox(name, reserve=reserve, rules=RULES, is_awaited=False)
    return Mailbox(name, reserve=reserve, rules=LIVE_RULES)


def _labelled(source: int) -> Callable[[Slice], MarketData]:
    """Return what wraps a feed's rows for its receivers, telling them which feed it is."""
    return lambda rows: MarketData(rows.of_source(source))


def _contexts(blueprint: Blueprint, name: str, archive: Archive | None) -> Callable[[int], Context]:
    def context(incarnation: int) -> Context:
        return Context(
            run_id=blueprint.run_id,
            actor=name,
            incarnation=incarnation,
            random=seeded_random(blueprint.seed, name, incarnation),
            archive=archive,
        )

    return context


def _status_rows(instruments: Instruments) -> Callable[[str, bool, int], Slice]:
    def status_rows(_feed: str, is_up: bool, now_ns: int) -> Slice:
        state = ConnectionState.UP if is_up else ConnectionState.DOWN
        rows = SliceBuilder(instruments).connection(Origin(now_ns), state).build()
        return rows.of_source(-1)

    return status_rows


# --- supervision ---------------------------------------------------------------------------------


def _supervision(blueprint: Blueprint, clock: Clock, report: Report) -> SupervisorServices:
    random: Random = seeded_random(blueprint.seed, "supervision")
    return SupervisorServices(clock=clock, random=random, report=report)


def _tree(
    blueprint: Blueprint,
    feeds: Sequence[Child],
    cells: Mapping[str, Cell],
    services: SupervisorServices,
    helpers: Sequence[Child],
) -> Supervisor:
    """Return the root: helpers, feeds, cores, strategies, started in this order.

    Each actor has a guard of its own. A guard whose budget is spent stays down, alone; the system
    is told and decides: a strategy's orders are cancelled, a core's end stops the run.
    """

    def guard(child: Child, restart: Restart) -> ChildSpec:
        return _guard(child, restart, blueprint.supervision[child.name], services)

    cores = [guard(cells[role], Restart.PERMANENT) for role in CORES if role in cells]
    strategies = [guard(cells[name], Restart.PERMANENT) for name in blueprint.strategies]
    groups = {
        "feeds": [guard(feed, Restart.TRANSIENT) for feed in feeds],
        "cores": cores,
        "strategies": strategies,
    }
    children = [ChildSpec(child=child, policy=ChildPolicy(name=child.name)) for child in helpers]
    for name, members in groups.items():
        group = Supervisor(name, SupervisorPolicy(), members, services)
        children.append(ChildSpec(child=group, policy=ChildPolicy(name=name)))
    return Supervisor("root", SupervisorPolicy(intensity=0), children, services)


def _links(
    blueprint: Blueprint, shells: Mapping[str, Child], services: SupervisorServices
) -> list[Child]:
    """Return the supervisor of what talks to the world outside; none where nothing does."""
    if not shells:
        return []
    config = SupervisionConfig()
    members = [
        _guard(shell, Restart.PERMANENT, blueprint.supervision.get(name, config), services)
        for name, shell in shells.items()
    ]
    return [Supervisor("links", SupervisorPolicy(), members, services)]


def _guard(
    child: Child, restart: Restart, config: SupervisionConfig, services: SupervisorServices
) -> ChildSpec:
    backoff = Backoff(**attrs.asdict(config.backoff))
    policy = ChildPolicy(name=child.name, restart=restart, backoff=backoff)
    budget = SupervisorPolicy(intensity=config.intensity, period_ns=config.period_ns)
    name = child.name + GUARD
    guard = Supervisor(name, budget, [ChildSpec(child=child, policy=policy)], services)
    return ChildSpec(child=guard, policy=ChildPolicy(name=name, restart=Restart.TEMPORARY))
