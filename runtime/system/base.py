"""What every run has in common: who is told of what, and what follows when an actor stays down."""

from collections import deque
from collections.abc import Callable
from typing import Any

import attrs
from loguru import logger

from actors.messages.alerts import Alert, Logged
from actors.messages.system import (
    ActorFailed,
    ActorGaveUp,
    ActorRestarted,
    Alarm,
    CancelAllAtVenue,
    CancelStrategy,
    Halt,
    MessageQuarantined,
)
from runtime.kernel.cell import Cell
from runtime.kernel.supervisor import SupervisorReport
from runtime.observe.result import ActorRow, ExitCode
from runtime.system.rebuilding import rebuilt
from runtime.wiring.blueprint import CORES
from runtime.wiring.plant import Plant
from runtime.wiring.routes import Role
from runtime.wiring.supervision import GUARD

SYSTEM = "system"
_ALERTS_KEPT = 1000
_EVENTS_KEPT = 10_000

SupervisionEvent = ActorFailed | ActorRestarted | ActorGaveUp | MessageQuarantined


@attrs.define
class Observed:
    """What a run has told people, with the time it was told."""

    supervision: list[tuple[int, SupervisionEvent]] = attrs.field(factory=list)
    alerts: list[Alert] = attrs.field(factory=list)
    alerts_not_kept: int = 0
    on_line: Callable[[Logged], None] | None = None
    on_supervision: Callable[[int, SupervisionEvent], None] | None = None
    alarms: deque[Alarm] = attrs.field(factory=lambda: deque(maxlen=_ALERTS_KEPT))
    on_alarm: Callable[[Alarm], None] | None = None

    def see(self, message: Any, now_ns: int) -> None:
        """Take notice of a message that no actor receives."""
        if isinstance(message, Alert):
            self._see_alert(message)
        elif isinstance(message, Logged):
            if self.on_line is not None:
                self.on_line(message)
        elif isinstance(message, SupervisionEvent):
            if len(self.supervision) < _EVENTS_KEPT:
                self.supervision.append((now_ns, message))
            if self.on_supervision is not None:
                self.on_supervision(now_ns, message)
        elif isinstance(message, Alarm):
            self._see_alarm(message)

    def _see_alarm(self, alarm: Alarm) -> None:
        """Pass an alarm on; whoever shows it must not stop the one who has raised it."""
        self.alarms.append(alarm)
        log = logger.bind(time_ns=alarm.time_ns, actor=alarm.source)
        if self.on_alarm is None:
            log.critical(alarm.text)
            return
        try:
            self.on_alarm(alarm)
        except Exception:  # noqa: BLE001 - it is logged with the alarm itself
            log.opt(exception=True).critical(f"{alarm.text}; not shown:")

    def _see_alert(self, alert: Alert) -> None:
        if len(self.alerts) < _ALERTS_KEPT:
            self.alerts.append(alert)
        else:
            self.alerts_not_kept += 1


class Running:
    """A run: its plant, and what has become of it so far.

    When it has ended, ``plant`` is still there to be read: its cells hold their last cores.
    """

    def __init__(self) -> None:
        self.observed = Observed()
        self.failure: str | None = None
        self.exit_code = ExitCode.GOOD
        self.started_ns = 0
        self.finished_ns = 0
        self.cores: dict[str, Any] = {}
        self.tree: tuple[ActorRow, ...] = ()
        self._plant: Plant | None = None
        self._companions: list[Callable[[], Any]] = []
        self._preparations: list[Callable[[Plant], None]] = []

    @property
    def plant(self) -> Plant:
        """Return the actors; AssertionError before the run has begun."""
        assert self._plant is not None, "the run has not begun"
        return self._plant

    @property
    def has_begun(self) -> bool:
        """Return whether there is a plant yet."""
        return self._plant is not None

    @property
    def rows_passed(self) -> int:
        """Return how many market rows have passed."""
        raise NotImplementedError

    @property
    def ending(self) -> str | None:
        """Return why it has ended in words of its own; None for the usual ones."""
        return self.failure

    def accompany(self, task: Callable[[], Any]) -> None:
        """Run an async function beside the run; it is cancelled at the end (a progress display)."""
        self._companions.append(task)

    def prepare(self, prepare: Callable[[Plant], None]) -> None:
        """Have the plant shown to a function before anything happens in it."""
        self._preparations.append(prepare)

    def summary_of(self, feed: Any) -> Any:
        """Return a feed's counts."""
        return {} if feed.source is None else feed.source.summary()

    def _send(self, message: Any) -> None:
        plant = self.plant
        plant.post.deliver(SYSTEM, 0, message, plant.clock.now_ns())

    def _keep_cores(self, plant: Plant) -> None:
        """Keep the cores for the result; one that is down is rebuilt from the journal."""
        for name, cell in plant.cells.items():
            if name not in self.cores:
                self.cores[name] = cell.core or self._rebuilt(cell, plant)

    def _rebuilt(self, cell: Cell, plant: Plant) -> Any:
        """Return a core for an actor that is down; one that knows nothing if it must be."""
        try:
            return rebuilt(cell, plant.journal)
        except Exception as error:  # noqa: BLE001 - whatever it is, a result is due
            if cell.name in CORES:
                self._fail(f"{cell.name} cannot be rebuilt: {error!r}")
            return rebuilt(cell, None)

    # --- supervision -----------------------------------------------------------------------------

    def _report(self, event: SupervisorReport) -> None:
        """Record what a supervisor says; act on an actor that stays down."""
        if event.actor.endswith(GUARD):
            return
        self._send(event)
        if isinstance(event, ActorGaveUp):
            self._gave_up(event)

    def _gave_up(self, event: ActorGaveUp) -> None:
        plant = self.plant
        cell = plant.cells.get(event.actor)
        if event.actor in [feed.name for feed in plant.feeds]:
            self._lose_feed(event.actor, f"feed {event.actor} gave up: {event.reason}")
            return
        if cell is None and event.actor not in plant.shells:
            self._fail(f"{event.actor} gave up: {event.reason}")
            return
        if cell is not None:
            cell.mailbox.close()
        if cell is not None and event.actor not in CORES:
            self._send(CancelStrategy(event.actor, event.reason))
            return
        cause = f"{event.actor} gave up: {event.reason}"
        self._fail(cause)
        self._halt(cause, event.actor)
        self._end_early()

    def _lose_feed(self, feed: str, cause: str) -> None:
        """Note that a feed stays down."""
        self._fail(cause)

    def _halt(self, cause: str, actor: str) -> None:
        """Let nothing new leave, and have what is open cancelled, by the venue if need be."""
        self._send(Halt(cause))
        if actor == Role.ORDERS:
            self._send(CancelAllAtVenue(cause))

    def _end_early(self) -> None:
        """Let the run end: somebody whom it needs is gone."""
        raise NotImplementedError

    def _fail(self, cause: str) -> None:
        self.failure = f"{self.failure}; {cause}" if self.failure else cause
        self.exit_code = ExitCode.FAILED
