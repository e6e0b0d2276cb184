"""Halts a ring between any two messages, and watches what gets through to the venue."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import attrs

from actors.actor import Context, Core
from actors.messages.safety import KillSwitchChanged
from actors.messages.system import Alarm, Halt, HaltLifted
from actors.venues.fake.books import FakeLedger
from runtime.config.model import RunConfig
from runtime.kernel.journal import Entry, read_journal
from runtime.system.halting import halt
from runtime.system.system import System
from runtime.wiring.blueprint import Blueprint
from runtime.wiring.components import blueprint
from runtime.wiring.plant import Plant, codec
from runtime.wiring.routes import Role
from tests.ring.rig import config
from tests.ring.traps import Trap, trapped

SECOND = 1_000_000_000
CAUSE = "somebody has pulled the handle"
ACTORS = ("venue", "safety", "broker", "orders", "portfolio", "one")

_TEXT = dedent("""\
    name: halts
    mode: simulate
    seed: 5
    close_out: false
    portfolio: {cash: 100000, equity_interval: 10s}
    feeds:
      - {name: market, type: synthetic, events: 80, interval: 250ms, volatility: 0.001}
    strategies:
      - name: one
        type: tests.ring.traders:Trader
        parameters: {is_stateless: true, every: 2}
        supervision: {intensity: 20}
    kill_switch: {deadline: 5s, alarm_every: 2s}
    broker:
      type: venue
      reconcile_every: 7s
      lacks: [STOP, STOP_LIMIT]
      venue:
        type: fake
        habits: {rejects: 0.05, parts: 0.3, rests: 0.5, late_fills: 0.05}
        faults: {lose_request: 0.03, lose_answer: 0.05, delay_news: 0.2, hide_order: 0.1}
    """)


def scene(*overrides: str) -> RunConfig:
    """Return a small ring with a venue on which nothing can be relied, and a kill switch."""
    return config(_TEXT, *overrides)


class Handle:
    """Halts at the ``at``-th call of all actors, as the system itself does it."""

    def __init__(self, at: int) -> None:
        self.calls = 0
        self.pulled_ns: int | None = None
        self.plant: Plant | None = None
        self._at = at

    @property
    def is_pulled(self) -> bool:
        """Return whether it has halted."""
        return self.pulled_ns is not None

    def call(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """Do the work; halt right before it if the time has come."""
        self.calls += 1
        if self.calls == self._at:
            assert self.plant is not None
            self.pulled_ns = self.plant.clock.now_ns()
            assert halt(self.plant, CAUSE, "test") == []
        return work(*arguments)


class _Counter(Trap):
    """A trap that never springs: it passes calls through a handle."""

    def __init__(self, handle: Handle) -> None:
        super().__init__()
        self._handle = handle

    def call(self, work: Callable[..., Any], *arguments: Any) -> Any:
        return self._handle.call(work, *arguments)


@attrs.define
class Gatekeeper:
    """Stands at the venue: notes what is placed there while it is halted."""

    slipped: list[str] = attrs.field(factory=list)
    is_halted: bool = False

    def guarded(self, plan: Blueprint) -> Blueprint:
        """Return a blueprint whose venue is watched."""
        make_venue = plan.cores[Role.VENUE]

        def make(context: Context) -> Core:
            venue: Any = make_venue(context)
            handle = venue.handle

            def watched(message: Any, now_ns: int) -> list[Any]:
                before = venue._books.came
                if isinstance(message, Halt | HaltLifted):
                    self.is_halted = isinstance(message, Halt)
                outputs: list[Any] = handle(message, now_ns)
                if self.is_halted and venue._books.came > before:
                    self.slipped.append(f"{message} at {now_ns}")
                return outputs

            start = venue.start

            def start_and_watch(now_ns: int) -> list[Any]:
                venue.handle = watched  # from now on: recovery is left alone
                outputs: list[Any] = start(now_ns)
                return outputs

            venue.start = start_and_watch
            core: Core = venue
            return core

        return attrs.evolve(plan, cores={**plan.cores, Role.VENUE: make})


@attrs.frozen
class Halted:
    """A run that was halted."""

    system: System
    handle: Handle
    entries: list[Entry]
    gatekeeper: Gatekeeper

    @property
    def ledger(self) -> FakeLedger:
        """Return the venue's books."""
        books: FakeLedger = self.system.cores["venue"].ledger()
        return books

    def told(self, kind: type) -> list[tuple[int, Any]]:
        """Return what was delivered of a type, with its time."""
        return [
            (each.time_ns, each.message)
            for each in self.entries
            if isinstance(each.message, kind) and each.due_ns is None
        ]

    @property
    def cleared_after_ns(self) -> int | None:
        """Return how long after the halt nothing was open; None if it was never said."""
        assert self.handle.pulled_ns is not None
        for time_ns, told in self.told(KillSwitchChanged):
            if told.note == "nothing is open" and time_ns >= self.handle.pulled_ns:
                return time_ns - self.handle.pulled_ns
        return None

    @property
    def alarms(self) -> list[str]:
        """Return the alarms that say that something is still open."""
        return [told.text for _, told in self.told(Alarm) if told.text.startswith("halted for")]


Prepare = Callable[[Plant], None]


@attrs.frozen(kw_only=True)
class Disturbance:
    """What goes wrong meanwhile: an actor crashes after the halt, the bell breaks."""

    actor: str = ""
    times: int = 1
    call: int = 1
    after: bool = True
    bell_breaks: bool = False


def halted(
    settings: RunConfig,
    folder: Path,
    at: int,
    trouble: Disturbance = Disturbance(),
    prepare: Prepare | None = None,
) -> Halted:
    """Run a ring that is halted at a moment, with trouble; 0 is never."""
    handle, gatekeeper = Handle(at), Gatekeeper()
    plan = gatekeeper.guarded(blueprint(settings))
    for actor in ACTORS:
        plan = trapped(plan, actor, _Counter(handle))
    if trouble.actor:
        trap = Trap(
            trouble.call,
            after=trouble.after,
            times=trouble.times,
            matches=lambda _message: handle.is_pulled,
        )
        plan = trapped(plan, trouble.actor, trap)
    path = folder / f"halted-{at}-{trouble.actor}-{trouble.call}-{trouble.after}.db"
    system = System(plan, journal_path=path, close_out=settings.close_out)
    if trouble.bell_breaks:
        system.observed.on_alarm = _break

    def show(plant: Plant) -> None:
        handle.plant = plant
        if prepare is not None:
            prepare(plant)

    system.prepare(show)
    system.run()
    return Halted(system, handle, list(read_journal(path, codec())), gatekeeper)


def _break(_alarm: Alarm) -> None:
    raise RuntimeError("the bell is broken")
