"""The command line: ``bulkhead run | check | why | analyze``.

Results go to standard output, everything for people to standard error. Errors are one line each,
with the cure; tracebacks go to the run's log. Modules that a command needs are imported by it: a
``--help`` should not wait for numpy.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import attrs
from cyclopts import App, CycloptsError, Parameter

from actors.errors import BulkheadError, ConfigError, Problem
from runtime.observe.result import ExitCode

if TYPE_CHECKING:
    from runtime.config import RunConfig
    from runtime.observe.result import RunResult, Statistics

RUNS = Path("runs")
JOURNAL_FILE = "journal.db"

_Flag = Parameter(negative="", show_default=False)
_Overrides = Annotated[
    tuple[str, ...],
    Parameter(
        name="--set",
        negative="",
        show_default=False,
        help="KEY=VALUE goes before the file, such as strategies[0].parameters.fast=5; repeatable.",
    ),
]


def _version() -> str:
    from runtime.research.artefacts import DISTRIBUTION, package_version

    return package_version(DISTRIBUTION)


app = App(
    name="bulkhead",
    help="An actor-based trading runtime: backtests, replays and simulations.",
    help_format="plaintext",
    version=_version,
    result_action="return_value",
    exit_on_error=False,
    print_error=False,
    suppress_keyboard_interrupt=False,
    verbose=False,
)


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class RunOptions:
    """How to run a configuration, and what to show of it."""

    seed: Annotated[int | None, Parameter(help="Seed to use instead of the file's.")] = None
    out: Annotated[Path, Parameter(help="Folder in which the run's own folder is made.")] = RUNS
    overrides: _Overrides = ()
    json: Annotated[bool, _Flag, Parameter(help="Print stats.json and nothing else.")] = False
    tree: Annotated[bool, _Flag, Parameter(help="Print the tree of actors as well.")] = False
    quiet: Annotated[bool, _Flag, Parameter(help="Print nothing but errors.")] = False
    stress: Annotated[
        bool,
        _Flag,
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
    settings = _checked(config, options.all_overrides())
    if not (options.quiet or options.json):
        for note in settings.document.notes:
            print(f"bulkhead: note: {note}", file=sys.stderr)
    if options.stress:
        return _stress(settings, options)
    with _run_folder(settings, settings.name, options) as folder:
        result, figures = _run(settings, folder, options)
        _show(result, figures, folder, options)
    if result.exit_code is not ExitCode.GOOD:
        _fail(result.reason)
    return result.exit_code


@app.command
def check(config: Path, /, *, overrides: _Overrides = ()) -> int:
    """Say whether a configuration could run, and what it would run; list every problem.

    Args:
        config: The YAML file.
        overrides: Changes to the file.
    """
    from runtime.config import describe

    settings = _checked(config, overrides)
    print("ok")
    print("\n".join(describe(settings)))
    return ExitCode.GOOD


@app.command
def why(
    order_id: str,
    /,
    *,
    folder: Annotated[
        Path | None,
        Parameter(name="--run", help="Folder of a run, or of runs. [default: the newest in runs]"),
    ] = None,
) -> int:
    """Explain an order: the market row, the decisions and the messages it went through.

    Args:
        order_id: The order's id, or an ending of it that is unique.
        folder: The run to look into.
    """
    from runtime.kernel.journal import read_journal
    from runtime.research.why import UnknownOrder
    from runtime.research.why import why as explain
    from runtime.wiring.plant import codec

    journal = _journal_of(folder or RUNS)
    if journal is None:
        return _fail(f"no run with a journal in {folder or RUNS}; name one with --run DIR")
    codec_of_run = codec()
    answer = explain(lambda: read_journal(journal, codec_of_run), order_id)
    if isinstance(answer, UnknownOrder):
        nearest = f"; did you mean {' or '.join(answer.nearest)}?" if answer.nearest else ""
        return _fail(f"{journal}: no order {order_id!r}{nearest}")
    print("\n".join(answer.lines()))
    return ExitCode.GOOD


@app.command
def analyze(
    folder: Path,
    /,
    *,
    policies: Annotated[Path, Parameter(help="YAML file with a list of `policies:`.")],
    as_json: Annotated[bool, Parameter(name="--json", negative="", show_default=False)] = False,
) -> int:
    """Say which orders of a finished run some risk policies would have refused, and why.

    Args:
        folder: Folder of a run, or of runs: the newest of them.
        policies: What to put the orders before.
        as_json: Print JSON and nothing else.
    """
    import json

    from rich.console import Console

    from runtime.research.what_if import load_policies, to_json, what_if, what_if_table
    from runtime.wiring.plant import codec

    asked = load_policies(policies)
    journal = _journal_of(folder)
    if journal is None:
        return _fail(f"no run with a journal in {folder}")
    found = what_if(journal.parent, asked, codec())
    if as_json:
        print(json.dumps(to_json(found), indent=2, ensure_ascii=False))
    else:
        Console().print(what_if_table(found))
    return ExitCode.GOOD


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; every error is told in one line."""
    try:
        code = app(arguments)
    except CycloptsError as error:
        return _fail(f"{' '.join(str(error).split())} See bulkhead --help.", ExitCode.USAGE)
    except ConfigError as error:
        for problem in sorted(error.problems, key=_line):
            _fail(str(problem))
        return ExitCode.USAGE
    except BulkheadError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        return _fail("interrupted", ExitCode.INTERRUPTED)
    except BaseExceptionGroup as group:
        if group.subgroup(KeyboardInterrupt) is None:
            raise
        return _fail("interrupted", ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # whoever read our output has gone; there is nobody to tell, not even at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.FAILED
    except OSError as error:
        return _fail(f"{error.filename}: {error.strerror}")
    return code if isinstance(code, int) else ExitCode.GOOD


def _fail(text: str, code: ExitCode = ExitCode.FAILED) -> ExitCode:
    print(f"bulkhead: {' '.join(text.split())}", file=sys.stderr)
    return code


def _line(problem: Problem) -> int:
    """Return the line of a file that a problem is about, 0 for the file as a whole."""
    line = problem.file.rpartition(":")[2]
    return int(line) if line.isdigit() else 0


def _checked(config: Path, overrides: Sequence[str]) -> "RunConfig":
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
    """Make a run's folder, and log into it; a bug leaves its traceback there and is told."""
    from loguru import logger

    from runtime.kernel.clock import wall_time_ns
    from runtime.kernel.failures import report_failure
    from runtime.observe.logs import LOG_FILE, logging_to
    from runtime.research.artefacts import make_run_folder

    folder = make_run_folder(options.out, started_ns=wall_time_ns(), mode=settings.mode, name=name)
    level = "ERROR" if options.quiet or options.json else "WARNING"
    with logging_to(folder, console=sys.stderr, console_level=level):
        try:
            yield folder
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


def _show(result: "RunResult", figures: "Statistics", folder: Path, options: RunOptions) -> None:
    """Print the outcome: figures to standard output unless quiet."""
    from rich.console import Console

    from runtime.observe.summary import actor_tree, summary

    if options.json:
        print((folder / "stats.json").read_text(encoding="utf-8"), end="")
    elif not options.quiet:
        Console().print(summary(result, figures, folder))
    if options.tree:
        Console(stderr=options.json).print(actor_tree(result.actors))


def _journal_of(folder: Path) -> Path | None:
    """Return the journal of a run's folder, or of the newest run in a folder of runs."""
    from runtime.research.artefacts import newest_run

    for candidate in (folder, newest_run(folder)):
        if candidate is not None and (candidate / JOURNAL_FILE).is_file():
            return candidate / JOURNAL_FILE
    return None
