"""A configuration is run once, into a folder."""

import os
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path

import attrs
from loguru import logger

from actors.actor import Context
from actors.messages.alerts import Logged
from actors.messages.system import ActorFailed, ActorGaveUp, MessageQuarantined
from actors.portfolio.portfolio import Portfolio
from actors.strategies import Strategy
from runtime.config.model import JournalKind, RunConfig
from runtime.kernel.clock import wall_time_ns
from runtime.observe.progress import ProgressSource
from runtime.observe.result import FeedRow, RunResult
from runtime.system.control import ControlPlace, serve_control
from runtime.system.live import LiveSettings, LiveSystem
from runtime.system.notify import ServiceManager
from runtime.system.outcome import ProgressOf, WallTimes, outcome
from runtime.system.system import SupervisionEvent, System
from runtime.wiring.blueprint import Blueprint
from runtime.wiring.components import blueprint, with_strategies
from runtime.wiring.routes import Role

JOURNAL_FILE = "journal.db"
_PROBLEMS_SHOWN = 10

Watch = Callable[[ProgressSource], Awaitable[None]]


def run_config(config: RunConfig, folder: Path | None, *, watch: Watch | None = None) -> RunResult:
    """Run a configuration to its end and return the result.

    Args:
        config: What to run.
        folder: Where the journal goes; None (as ``journal: none``) for no journal.
        watch: An async function that shows progress beside the run, until it is cancelled.

    Raises:
        ConfigError: If a component's options are wrong; nothing was started then.
    """
    session = Session(config, folder)
    if watch is not None:
        session.show(watch)
    return session.run()


class Session:
    """One run of a configuration, prepared; arguments and errors as :func:`run_config`'s.

    ``add`` are further strategies, by name, which hear the market and nothing else.
    """

    def __init__(
        self,
        config: RunConfig,
        folder: Path | None,
        add: Mapping[str, Callable[[Context], Strategy]] | None = None,
    ) -> None:
        self._config = config
        journal_path = None
        if folder is not None and config.journal is JournalKind.SQLITE:
            journal_path = folder / JOURNAL_FILE
        parts = blueprint(config)
        if add:
            parts = with_strategies(parts, add, config.supervision)
        self.system = _system(config, parts, folder, journal_path)
        self.system.observed.on_line = _log_line
        self.system.observed.on_supervision = _log_supervision

    @property
    def is_hurried(self) -> bool:
        """Return whether somebody wants it to be over now, without a report."""
        return isinstance(self.system, LiveSystem) and self.system.is_hurried

    def show(self, watch: Watch) -> None:
        """Have an async function show the progress, until it is cancelled."""
        shown = ProgressOf(self.system)

        async def companion() -> None:
            await watch(shown)

        self.system.accompany(companion)

    def run(self) -> RunResult:
        """Run to the end, in an event loop of its own."""
        started_ns = self._begin()
        self.system.run()
        return self._end(started_ns)

    async def run_here(self) -> RunResult:
        """Run to the end in the event loop that runs already."""
        started_ns = self._begin()
        await self.system.main()
        return self._end(started_ns)

    def _begin(self) -> int:
        config = self._config
        what = f"{config.name} begins: mode {config.mode}, seed {config.seed}"
        logger.bind(console=False).info(what)
        return wall_time_ns()

    def _end(self, started_ns: int) -> RunResult:
        wall = WallTimes(started_ns=started_ns, finished_ns=wall_time_ns())
        result = outcome(self._config, self.system, wall)
        for feed in result.feeds:
            _log_problems(feed)
        if not result.events:
            logger.warning("no market data came: look at the feeds' paths, times and assets")
        if result.final_equity is None:
            self._tell_unrated()
        log = logger.bind(console=False, time_ns=result.finished_ns)
        log.info(f"the run has ended: {result.reason}")
        return result

    def _tell_unrated(self) -> None:
        """Warn that the account cannot be valued, and say what to set."""
        portfolio: Portfolio = self.system.cores[Role.PORTFOLIO]
        unrated = portfolio.unrated_currencies()
        own = self._config.portfolio.currency
        rates = ", ".join(f"{currency}: <{own} for one {currency}>" for currency in unrated)
        logger.warning(
            f"the account has no value in {own}: {', '.join(unrated)} without a rate; "
            f"set portfolio.fx: {{{rates}}}, a number or the id of an instrument that has prices"
        )


def _system(
    config: RunConfig, parts: Blueprint, folder: Path | None, journal_path: Path | None
) -> System | LiveSystem:
    if not config.mode.is_real_time:
        return System(parts, journal_path=journal_path, close_out=config.close_out)
    settings = LiveSettings(
        stop=config.stop,
        crash=config.crash,
        duration_ns=config.daemon.duration_ns,
        blocked_after_ns=config.daemon.blocked_after_ns,
        feed_loss=config.daemon.feed_loss,
        manager=ServiceManager.of(os.environ),
    )
    parts = attrs.evolve(parts, snapshot_every=config.daemon.snapshot_every)
    system = LiveSystem(parts, folder=folder, journal_path=journal_path, settings=settings)
    if folder is not None:
        place = ControlPlace(folder=folder, port=config.daemon.control_port)
        about = {"run": config.name, "mode": str(config.mode), "pid": os.getpid()}
        system.accompany(partial(serve_control, system, place, about))
    return system


def _log_problems(feed: FeedRow) -> None:
    """Log the first malformed lines of a feed, and how many there were."""
    problems = feed.summary.get("problems", ())
    log = logger.bind(actor=feed.name)
    for problem in problems[:_PROBLEMS_SHOWN]:
        log.warning(f"{problem['file']}:{problem['line']}: {problem['reason']}")
    more = int(feed.summary.get("malformed", 0)) - _PROBLEMS_SHOWN
    if more > 0:
        log.warning(f"and {more} more malformed lines")


def _log_line(line: Logged) -> None:
    log = logger.bind(time_ns=line.time_ns, actor=line.strategy, console=line.is_shown)
    log.log("WARNING" if line.is_shown else "INFO", line.text)


def _log_supervision(time_ns: int, event: SupervisionEvent) -> None:
    log = logger.bind(time_ns=time_ns, actor=event.actor)
    match event:
        case ActorFailed():
            log.warning(f"failed: {event.failure.kind}: {event.failure.text}")
        case ActorGaveUp():
            log.error(f"gave up: {event.reason}")
        case MessageQuarantined():
            log.error(f"set a {event.message_type} aside after {event.attempts} attempts")
        case _:
            log.warning(f"runs again (restart {event.incarnation})")
