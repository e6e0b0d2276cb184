"""Actors without trade: small messages, cores that follow a script, a plant to run them in."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from heapq import heappop
from pathlib import Path
from random import Random  # noqa: TID251 - seeded below
from typing import Any

import attrs
import msgspec
import trio
from trio.testing import wait_all_tasks_blocked

from actors.actor import Context
from actors.messages.records import MarketRow
from actors.messages.system import (
    ActorFailed,
    ActorGaveUp,
    ActorRestarted,
    MessageQuarantined,
    Overtaken,
)
from runtime.kernel.cell_spec import CellServices, CellSpec
from runtime.kernel.clock import Clock, LiveClock, VirtualClock
from runtime.kernel.codec import Codec
from runtime.kernel.envelope import Envelope
from runtime.kernel.incarnation import Child
from runtime.kernel.journal import Entry, InlineJournal, Journal
from runtime.kernel.live import LiveTimers, Quiescence
from runtime.kernel.live_cell import LiveCell
from runtime.kernel.mailbox import WAIT, Mailbox, Overflow, Rule
from runtime.kernel.post import Post, Ready, Receiver
from runtime.kernel.restarts import Backoff, ChildPolicy, Restart, SupervisorPolicy
from runtime.kernel.simulated_cell import SimulatedCell
from runtime.kernel.supervisor import ChildSpec, Supervisor, SupervisorReport, SupervisorServices

SECOND = 1_000_000_000


class Note(msgspec.Struct, frozen=True, gc=False):
    """A message that must neither wait nor be lost; ``to`` names its receivers."""

    to: str
    text: str = ""


class Ask(msgspec.Struct, frozen=True, gc=False):
    """A message whose sender waits for room."""

    to: str
    number: int = 0


class Reading(msgspec.Struct, frozen=True, gc=False):
    """A message of which only the latest of its key matters."""

    to: str
    key: str
    value: int


class Order(msgspec.Struct, frozen=True, gc=False):
    """A strategy's request to a venue, and later, when it ``has_arrived``, to itself."""

    to: str
    owner: str
    id: str
    trigger: int
    has_arrived: bool = False


class Tick(msgspec.Struct, frozen=True, gc=False):
    """A timer that an actor has set for itself."""

    to: str


MESSAGES: tuple[type[msgspec.Struct], ...] = (Note, Ask, Reading, Order, Tick)
REPORTS = (ActorFailed, ActorRestarted, ActorGaveUp, MessageQuarantined, Overtaken)
RULES: Mapping[type, Rule] = {
    Ask: WAIT,
    Order: WAIT,
    Reading: Rule(overflow=Overflow.KEEP_LATEST, key=lambda reading: reading.key),
}


class Broken(Exception):
    """What a scripted core raises."""


def envelope(message: Any, sequence: int = 1, *, time_ns: int = 0) -> Envelope:
    """Return a message on its way."""
    return Envelope(sequence, time_ns, "sender", 0, message)


def codec(*more: type[msgspec.Struct]) -> Codec:
    """Return the codec of every message of these tests."""
    return Codec([*MESSAGES, *REPORTS, MarketRow, *more])


def nothing(_message: Any, _now_ns: int) -> list[Any]:
    """Answer nothing."""
    return []


@attrs.define(kw_only=True)
class Script:
    """What an actor does, and what it has done: it outlives the incarnations.

    Attributes:
        answer: What a message leads to.
        fails: By message (or ``("try", number)``), how many incarnations fail on it.
        first: What each incarnation begins with.
        last: What it ends with.
    """

    answer: Callable[[Any, int], list[Any]] = nothing
    fails: dict[Any, int] = attrs.field(factory=dict)
    first: list[Any] = attrs.field(factory=list)
    last: list[Any] = attrs.field(factory=list)
    started: list[int] = attrs.field(factory=list)
    tried: list[Any] = attrs.field(factory=list)
    handled: list[Any] = attrs.field(factory=list)
    times: list[int] = attrs.field(factory=list)
    recovered: list[list[tuple[str, Any]]] = attrs.field(factory=list)

    def check(self, what: Any, incarnation: int) -> None:
        """Raise if this incarnation is to fail on something."""
        if incarnation < self.fails.get(what, 0):
            raise Broken(f"cannot take {what}")


class ScriptedCore:
    """One incarnation of a scripted actor."""

    def __init__(self, context: Context, script: Script) -> None:
        self.incarnation = context.incarnation
        self.script = script

    def start(self, now_ns: int) -> list[Any]:
        self.script.started.append(now_ns)
        self.script.check(("start", self.incarnation), self.incarnation)
        return list(self.script.first)

    def handle(self, message: Any, now_ns: int) -> list[Any]:
        script = self.script
        script.tried.append(message)
        script.check(message, self.incarnation)
        script.check(("try", len(script.tried)), self.incarnation)
        script.handled.append(message)
        script.times.append(now_ns)
        return script.answer(message, now_ns)

    def recover(self, history: Iterable[tuple[str, Any]]) -> None:
        told = [each for each in history if each[0] != "at"]
        self.script.recovered.append(told)

    def stop(self, now_ns: int) -> list[Any]:
        self.script.check("stop", self.incarnation)
        return list(self.script.last)


def context(name: str, incarnation: int) -> Context:
    """Return what a core is told."""
    return Context(
        run_id="run", actor=name, incarnation=incarnation, random=Random(f"{name}{incarnation}")
    )


@attrs.define(kw_only=True)
class Plant:
    """Cells that are wired by the names in ``to``; whatever goes to nobody is observed."""

    clock: Clock
    post: Post
    ready: Ready | None
    timers: Any
    quiescence: Quiescence
    journal: Journal | None
    cells: dict[str, Any] = attrs.field(factory=dict)
    observed: list[Any] = attrs.field(factory=list)
    on_change: list[Callable[[Any], None]] = attrs.field(factory=list)

    def add(
        self,
        name: str,
        make_core: Callable[[Context], Any] | Script,
        *,
        rules: Mapping[type, Rule] = RULES,
        capacity: int = 1024,
        reserve: int = 1024,
        **spec: Any,
    ) -> Any:
        """Add a cell; its rank is its turn."""
        if isinstance(make_core, Script):
            script = make_core
            make_core = lambda given: ScriptedCore(given, script)  # noqa: E731 - a default
        services = CellServices(
            post=self.post,
            clock=self.clock,
            journal=self.journal,
            became_idle=self.quiescence.check,
            changed=self._changed,
        )
        kind = LiveCell if self.ready is None else SimulatedCell
        cell = kind(
            CellSpec(
                name=name,
                rank=len(self.cells),
                make_core=make_core,
                context=lambda incarnation: context(name, incarnation),
                **spec,
            ),
            Mailbox(name, capacity=capacity, reserve=reserve, rules=rules),
            services,
        )
        self.cells[name] = cell
        self.quiescence.watch(list(self.cells.values()))
        return cell

    def _changed(self, cell: Any) -> None:
        for tell in self.on_change:
            tell(cell)

    async def drain(self) -> None:
        """Step cells in turn until no message is in flight, and let the supervisors work."""
        await wait_all_tasks_blocked()
        while self.ready:
            cell = heappop(self.ready)[2]
            assert isinstance(cell, SimulatedCell)
            cell.step(self.clock.now_ns())
            if cell.awaits_end:
                cell.let_end()
            await wait_all_tasks_blocked()

    def route(self, message: Any) -> list[Receiver]:
        """Return the cells that a message names."""
        names = getattr(message, "to", "").split("+")
        return [self.cells[name] for name in names if name in self.cells]

    def deliver(self, *messages: Any, sender: str = "test") -> None:
        """Send messages from outside, now."""
        for message in messages:
            blocked = self.post.deliver(sender, 0, message, self.clock.now_ns())
            assert not blocked

    def supervisor(
        self,
        names: Iterable[str] | None = None,
        *,
        intensity: int = 100,
        children: Iterable[Child] = (),
        **backoff: Any,
    ) -> Supervisor:
        """Return a supervisor of the children given (transient) and of the cells, or some."""
        cells = [self.cells[name] for name in (self.cells if names is None else names)]
        members = [(child, Restart.TRANSIENT) for child in children]
        members += [(cell, Restart.PERMANENT) for cell in cells]
        specs = [_spec(child, restart, Backoff(**backoff)) for child, restart in members]
        policy = SupervisorPolicy(intensity=intensity)
        return Supervisor("root", policy, specs, self._supervision())

    def guards(self, children: Iterable[Child], intensity: int, **backoff: Any) -> Supervisor:
        """Return a supervisor whose children each have a guard of their own, as in a real run."""
        members = [(child, Restart.TRANSIENT) for child in children]
        members += [(cell, Restart.PERMANENT) for cell in self.cells.values()]
        policy = SupervisorPolicy(intensity=intensity)
        services = self._supervision()
        specs = []
        for child, restart in members:
            inner = _spec(child, restart, Backoff(**backoff))
            guard = Supervisor(f"{child.name}-guard", policy, [inner], services)
            specs.append(_spec(guard, Restart.TEMPORARY, Backoff()))
        return Supervisor("root", SupervisorPolicy(), specs, services)

    def _supervision(self) -> SupervisorServices:
        return SupervisorServices(clock=self.clock, random=Random(1), report=self._report)

    def _report(self, event: SupervisorReport) -> None:
        if not event.actor.endswith("-guard"):
            self.deliver(event, sender="system")

    def reports(self, kind: type) -> list[Any]:
        """Return what was observed of one type."""
        return [message for message in self.observed if isinstance(message, kind)]


def _spec(child: Child, restart: Restart, backoff: Backoff) -> ChildSpec:
    policy = ChildPolicy(name=child.name, restart=restart, backoff=backoff)
    return ChildSpec(child=child, policy=policy)


def _plant(clock: Clock, timers: Any, ready: Ready | None, journal: Journal | None) -> Plant:
    post = Post(clock, timers, journal, ready)
    plant = Plant(
        clock=clock,
        post=post,
        ready=ready,
        timers=timers,
        quiescence=Quiescence(post),
        journal=journal,
    )
    post.observe = lambda message, _now_ns: plant.observed.append(message)
    post.routes = _Routes(plant)
    return plant


class _Routes(dict[type, Callable[[Any], list[Receiver]]]):
    """Routes the messages of these tests by their ``to``; knows no others."""

    def __init__(self, plant: Plant) -> None:
        kinds: list[type] = [*MESSAGES, *REPORTS]
        super().__init__((kind, plant.route) for kind in kinds)


def simulated_plant(journal: Journal | None = None, start_ns: int = 0) -> Plant:
    """Return a plant in virtual time, whose cells are stepped."""
    clock = VirtualClock(start_ns)
    return _plant(clock, clock.timers, [], journal)


def live_plant(journal: Journal | None = None, epoch_ns: int = 0) -> Plant:
    """Return a plant whose cells drain their own mailboxes; needs a running trio."""
    clock = LiveClock(epoch_ns)
    timers = LiveTimers(clock)
    plant = _plant(clock, timers, None, journal)
    timers.post = plant.post
    return plant


class MemoryJournal:
    """A journal in memory: what is appended has been encoded and decoded."""

    def __init__(self) -> None:
        self._codec = codec()
        self._entries: list[Entry] = []

    def append(self, envelope: Envelope, receivers: str, due_ns: int | None = None) -> None:
        kind = type(envelope.message).__name__
        entry = Entry(
            sequence=envelope.sequence,
            time_ns=envelope.time_ns,
            sender=envelope.sender,
            receivers=tuple(receivers.split(",")),
            cause=envelope.cause,
            due_ns=due_ns,
            type=kind,
            message=self._codec.decode(kind, self._codec.encode(envelope.message)),
        )
        assert not self._entries or self._entries[-1].sequence < entry.sequence
        self._entries.append(entry)

    async def durable(self, sequence: int) -> None:
        await trio.lowlevel.checkpoint()

    def entries(self, actor: str | None = None, *, after: int = 0) -> Iterator[Entry]:
        return iter(tuple(each for each in self._entries if each.sequence > after))

    def close(self) -> None:
        self._entries.clear()


def inline_journal(folder: Path, *more: type[msgspec.Struct]) -> InlineJournal:
    """Return a journal in a new file."""
    return InlineJournal(folder / "journal.sqlite", codec(*more), {"run_id": "run"})


def said(entries: Iterable[Entry]) -> list[tuple[str, str, Any]]:
    """Return who said what to whom, market rows left out."""
    return [
        (entry.sender, entry.receiver, entry.message)
        for entry in entries
        if not isinstance(entry.message, MarketRow)
    ]
