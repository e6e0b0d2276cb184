"""What every command shares: the application, its flags, errors in one line, and where runs are."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from runtime.observe.result import ExitCode

RUNS = Path("runs")
JOURNAL_FILE = "journal.db"

Flag = Parameter(negative="", show_default=False)
Overrides = Annotated[
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
    help="An actor-based trading runtime: backtests, replays, simulations, paper and live trading.",
    help_format="plaintext",
    version=_version,
    result_action="return_value",
    exit_on_error=False,
    print_error=False,
    suppress_keyboard_interrupt=False,
    verbose=False,
)


def fail(text: str, code: ExitCode = ExitCode.FAILED) -> ExitCode:
    """Tell what is wrong, in one line on standard error; return the exit code."""
    print(f"bulkhead: {' '.join(text.split())}", file=sys.stderr)
    return code


def journal_of(folder: Path) -> Path | None:
    """Return the journal of a run's folder, or of the newest run in a folder of runs."""
    from runtime.research.artefacts import newest_run

    for candidate in (folder, newest_run(folder)):
        if candidate is not None and (candidate / JOURNAL_FILE).is_file():
            return candidate / JOURNAL_FILE
    return None
