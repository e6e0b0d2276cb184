"""A configuration is run once, into a folder."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from loguru import logger

from actors.messages.alerts import Logged
from actors.messages.system import ActorFailed, ActorGaveUp, MessageQuarantined
from runtime.config.model import JournalKind, RunConfig
from runtime.kernel.clock import wall_time_ns
from runtime.observe.progress import ProgressSource
from runtime.observe.result import FeedRow, RunResult
from runtime.system.outcome import ProgressOf, WallTimes, outcome
from runtime.system.system import SupervisionEvent, System
from runtime.wiring.components import blueprint

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
    journal_path = None
    if folder is not None and config.journal is JournalKind.SQLITE:
        journal_path = folder / JOURNAL_FILE
    system = System(blueprint(config), journal_path=journal_path, close_out=config.close_out)
    system.observed.on_line = _log_line
    system.observed.on_supervision = _log_supervision
    if watch is not None:
        shown = ProgressOf(system)

        async def companion() -> None:
            await watch(shown)

        system.accompany(companion)
    started_ns = wall_time_ns()
    log = logger.bind(console=False)
    log.info(f"{config.name} begins: mode {config.mode}, seed {config.seed}")
    system.run()
    wall = WallTimes(started_ns=started_ns, finished_ns=wall_time_ns())
    result = outcome(config, system, wall)
    for feed in result.feeds:
        _log_problems(feed)
    log.bind(time_ns=result.finished_ns).info(f"the run has ended: {result.reason}")
    return result


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
    logger.bind(time_ns=line.time_ns, actor=line.strategy, console=False).info(line.text)


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
