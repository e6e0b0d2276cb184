"""``bulkhead why | analyze``: questions to a finished run."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from runtime.cli.app import RUNS, app, fail, journal_of
from runtime.observe.result import ExitCode


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

    journal = journal_of(folder or RUNS)
    if journal is None:
        return fail(f"no run with a journal in {folder or RUNS}; name one with --run DIR")
    codec_of_run = codec()
    answer = explain(lambda: read_journal(journal, codec_of_run), order_id)
    if isinstance(answer, UnknownOrder):
        nearest = f"; did you mean {' or '.join(answer.nearest)}?" if answer.nearest else ""
        return fail(f"{journal}: no order {order_id!r}{nearest}")
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
    journal = journal_of(folder)
    if journal is None:
        return fail(f"no run with a journal in {folder}")
    found = what_if(journal.parent, asked, codec())
    if as_json:
        print(json.dumps(to_json(found), indent=2, ensure_ascii=False))
    else:
        Console().print(what_if_table(found))
    return ExitCode.GOOD
