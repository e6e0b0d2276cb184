"""``bulkhead journal verify | show | export``: what a run has recorded."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import attrs
from cyclopts import App, Parameter

from actors.errors import BulkheadError
from runtime.cli.app import Flag, app, journal_of
from runtime.observe.result import ExitCode

if TYPE_CHECKING:
    from runtime.kernel.journal import Entry

journal = App(name="journal", help="Check, show or export what a run has recorded.")
app.command(journal)


@journal.command
def verify(folder: Path, /) -> int:
    """Check every row of a run's journal; exit with 1 at the first that is not in order.

    Args:
        folder: Folder of a run, or of runs: the newest of them.
    """
    from runtime.kernel.journal import verify as check

    found = check(_journal(folder))
    segments = "1 file" if found.segments == 1 else f"{found.segments} files"
    digest = f"digest {found.digest}" if found.digest else "without checksums (an old version)"
    print(f"ok: {found.rows} rows in {found.commits} commits in {segments}, {digest}")
    return ExitCode.GOOD


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class ShowOptions:
    """Which entries to print, and how: those that fit everything that is given."""

    first: Annotated[int, Parameter(name="--from", help="Lowest sequence.")] = 0
    last: Annotated[int | None, Parameter(name="--to", help="Highest sequence.")] = None
    actor: Annotated[str | None, Parameter(help="Who has sent or received it.")] = None
    type: Annotated[str | None, Parameter(help="Message type.")] = None
    order: Annotated[
        str | None, Parameter(name="--follow-order", help="Id of an order that it is about.")
    ] = None
    json: Annotated[bool, Flag, Parameter(help="Print one JSON object a line.")] = False


@journal.command
def show(folder: Path, /, *, options: ShowOptions = ShowOptions()) -> int:
    """Print entries of a run's journal, one a line.

    Args:
        folder: Folder of a run, or of runs: the newest of them.
        options: What to print.
    """
    import json

    from runtime.research.journal_lines import Choice, chosen, to_dict, to_line

    choice = Choice(
        first=options.first,
        last=options.last,
        actor=options.actor,
        type=options.type,
        order=options.order,
    )
    for entry in chosen(_entries(folder), choice):
        print(json.dumps(to_dict(entry), ensure_ascii=False) if options.json else to_line(entry))
    return ExitCode.GOOD


@journal.command
def export(
    folder: Path,
    /,
    *,
    out: Annotated[Path, Parameter(help="File to write: .jsonl or .parquet.")],
) -> int:
    """Write a run's journal into a file for other programs.

    Args:
        folder: Folder of a run, or of runs: the newest of them.
        out: What to write: its ending says how.
    """
    from runtime.research.journal_lines import write_lines, write_parquet

    writers = {".jsonl": write_lines, ".parquet": write_parquet}
    writer = writers.get(out.suffix)
    if writer is None:
        raise BulkheadError(f"{out}: expected a name that ends with .jsonl or .parquet")
    count = writer(out, _entries(folder))
    print(f"{count} entries in {out}", file=sys.stderr)
    return ExitCode.GOOD


def _journal(folder: Path) -> Path:
    found = journal_of(folder)
    if found is None:
        raise BulkheadError(f"no run with a journal in {folder}")
    return found


def _entries(folder: Path) -> "Iterator[Entry]":
    from runtime.kernel.journal import read_journal
    from runtime.wiring.plant import codec

    return read_journal(_journal(folder), codec())
