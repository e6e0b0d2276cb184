"""``bulkhead run | check``: a configuration, run or looked at."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import attrs
from cyclopts import Parameter

from actors.errors import BulkheadError, ConfigError
from runtime.cli.app import RUNS, Flag, Overrides, app, fail
from runtime.observe.result import ExitCode

if TYPE_CHECKING:
    from runtime.config import RunConfig
    from runtime.observe.result import RunResult, Statistics


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class RunOptions:
    """How to run a configuration, and what to show of it."""

    seed: Annotated[int | None, Parameter(help="Seed to use instead of the file's.")] = None
    out: Annotated[Path, Parameter(help="Folder in which the run's own folder is made.")] = RUNS
    overrides: Overrides = ()
    json: Annotated[bool, Flag, Parameter(help="Print stats.json and nothing else.")] = False
    tree: Annotated[bool, Flag, Parameter(help="Print the tree of actors as well.")] = False
    quiet: Annotated[bool, Flag, Parameter(help="Print nothing but errors.")] = False
    live: Annotated[
        bool, Flag, Parameter(help="Trade with real money; the file must say mode: live as well.")
    ] = False
    stress: Annotated[
        bool,
        Flag,
        Parameter(help="Run with a conservative and with a realistic broker; print the gap."),
    ] = False

    def all_overrides(self) -> tuple[str, ...]:
        """Return the overrides; the seed's own flag goes before the rest."""
        return self.overrides if self.seed is None else (*self.overrides, f"seed={self.seed}")


@app.command
def run(config: Path, /, *, options: RunOptions = RunOptions()) -> int:
    """Run a configuration; exit with 0 good, 1 failed, 2 usage, 3 risk halt, 130 interrupted.

    Args:
        config: The YAML file.
        options: What to change and what to show.
    """
    settings = checked(config, options.all_overrides())
    if not (options.quiet or options.json):
        for note in settings.document.notes:
            print(f"bulkhead: note: {note}", file=sys.stderr)
    if settings.mode.is_real_time or options.live:
        from runtime.cli.daemon import run_daemon

        return run_daemon(settings, options)
    if options.stress:
        return _stress(settings, options)
    with _run_folder(settings, settings.name, options) as folder:
        result, figures = _run(settings, folder, options)
        show(result, figures, folder, options)
    if result.exit_code is not ExitCode.GOOD:
        fail(result.reason)
    return result.exit_code


@app.command
def check(config: Path, /, *, overrides: Overrides = ()) -> int:
    """Say whether a configuration could run, and what it would run; list every problem.

    Args:
        config: The YAML file.
        overrides: Changes to the file.
    """
    from runtime.config import describe

    settings = checked(config, overrides)
    print("ok")
    print("\n".join(describe(settings)))
    return ExitCode.GOOD


def checked(config: Path, overrides: Sequence[str]) -> "RunConfig":
    """Return a configuration of which every component can be built."""
    from runtime.config import load_config, load_rest
    from runtime.wiring import check as check_components

    try:
        settings = load_config(config, overrides=overrides, environment=os.environ)
    except ConfigError as error:
        rest = load_rest(config, error.problems, overrides=overrides, environment=os.environ)
        if rest is not None:
            _add_component_problems(error, rest)
        raise
    check_components(settings)
    return settings


def _add_component_problems(error: ConfigError, rest: "RunConfig") -> None:
    """Raise the problems of the components together with those that are known already."""
    from runtime.wiring import check as check_components

    known = {problem.key for problem in error.problems}
    try:
        check_components(rest)
    except ConfigError as more:
        others = [problem for problem in more.problems if problem.key not in known]
        raise ConfigError((*error.problems, *others)) from error


@contextmanager
def _run_folder(settings: "RunConfig", name: str, options: RunOptions) -> Iterator[Path]:
    """Make a run's folder, and log into it."""
    from runtime.kernel.clock import wall_time_ns
    from runtime.research.artefacts import make_run_folder

    folder = make_run_folder(options.out, started_ns=wall_time_ns(), mode=settings.mode, name=name)
    with logged(folder, options):
        yield folder


@contextmanager
def logged(folder: Path, options: RunOptions) -> Iterator[None]:
    """Log into a run's folder; a bug leaves its traceback there and is told in one line."""
    from loguru import logger

    from runtime.kernel.failures import report_failure
    from runtime.observe.logs import LOG_FILE, logging_to

    level = "ERROR" if options.quiet or options.json else "WARNING"
    with logging_to(folder, console=sys.stderr, console_level=level):
        try:
            yield
        except (ConfigError, BrokenPipeError):
            raise
        except (Exception, SystemExit, BaseExceptionGroup) as error:
            # whatever it is, it is logged and told in one line
            if isinstance(error, BaseExceptionGroup) and error.subgroup(KeyboardInterrupt):
                raise
            logger.bind(console=False).opt(exception=True).error("the run has failed")
            failure = report_failure(error)
            what = f"{failure.kind}: {failure.text} ({failure.where})"
            log = folder / LOG_FILE
            words = f"the run has failed: {what}; the traceback is in {log}"
            raise BulkheadError(words) from error


def _run(
    settings: "RunConfig", folder: Path, options: RunOptions
) -> tuple["RunResult", "Statistics"]:
    """Run, and write the artefacts."""
    from rich.console import Console

    from runtime.observe.progress import ProgressSource, show_progress
    from runtime.research.reporting import report
    from runtime.system import run_config

    async def watch(source: ProgressSource) -> None:
        await show_progress(source, Console(stderr=True))

    shows_progress = not (options.quiet or options.json)
    result = run_config(settings, folder, watch=watch if shows_progress else None)
    return result, report(folder, result, settings)


def _stress(settings: "RunConfig", options: RunOptions) -> int:
    """Run with two other brokers, each into a folder of its own, and show both results."""
    import json

    from rich.console import Console

    from runtime.observe.summary import actor_tree
    from runtime.research.stress import stress, stress_table, to_json

    def run_one(preset: str, stressed: "RunConfig") -> "RunResult":
        with _run_folder(stressed, f"{stressed.name}-{preset}", options) as folder:
            result, _ = _run(stressed, folder, options)
        if result.exit_code is ExitCode.INTERRUPTED:
            raise KeyboardInterrupt
        if options.tree:
            Console(stderr=options.json).print(actor_tree(result.actors))
        return result

    found = stress(settings, run_one)
    if options.json:
        print(json.dumps(to_json(found), indent=2))
    elif not options.quiet:
        Console().print(stress_table(found))
    return found.exit_code


def show(result: "RunResult", figures: "Statistics", folder: Path, options: RunOptions) -> None:
    """Print the outcome: figures to standard output unless quiet."""
    from rich.console import Console

    from runtime.observe.summary import actor_tree, summary

    if options.json:
        print((folder / "stats.json").read_text(encoding="utf-8"), end="")
    elif not options.quiet:
        Console().print(summary(result, figures, folder))
    if options.tree:
        Console(stderr=options.json).print(actor_tree(result.actors))
