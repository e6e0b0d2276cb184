"""Commands for a run in real time: ``halt resume status stop orders positions differences ...``.

They speak to the process through the socket in the run's folder; without a name they find the only
run that listens.
"""

import json as json_format
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import attrs
from cyclopts import Parameter

from runtime.cli.app import RUNS, Flag, app
from runtime.observe.result import ExitCode

if TYPE_CHECKING:
    from rich.table import Table

Run = Annotated[
    str | None,
    Parameter(help="Folder or name of the run; by default the only one that runs."),
]


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class Form:
    """Where runs are, and how an answer is shown."""

    runs: Annotated[Path, Parameter(help="Folder in which the runs' folders are.")] = RUNS
    json: Annotated[bool, Flag, Parameter(help="Print the answer as JSON.")] = False


_FORM = Form()


@app.command
def halt(run: Run = None, /, *, cause: str, form: Form = _FORM) -> int:
    """Let no new order leave, and cancel what is open, until somebody resumes.

    Args:
        run: Which run.
        cause: Why: it must be repeated to resume.
        form: Where runs are, and how to answer.
    """
    answer = _ask(run, form.runs, "halt", cause=cause)
    if form.json:
        return _print(answer)
    print(f"halted: {answer['cause']}")
    if not answer["is_latched"]:
        print("this run has no kill switch: nothing repeats the cancels, nothing resumes it")
    for problem in answer["failed"]:
        print(f"amiss: {problem}")
    return ExitCode.FAILED if answer["failed"] else ExitCode.GOOD


@app.command
def resume(run: Run = None, /, *, acknowledge: str, form: Form = _FORM) -> int:
    """Acknowledge a cause of a halt; when none is left, orders may leave again.

    Args:
        run: Which run.
        acknowledge: The cause, or a beginning of it (8 letters or more) that fits no other.
        form: Where runs are, and how to answer.
    """
    answer = _ask(run, form.runs, "resume", acknowledges=acknowledge)
    return _print(answer) if form.json else _say(answer["note"])


@app.command
def status(run: Run = None, /, *, form: Form = _FORM) -> int:
    """Say how a run is: halted or not, its account, open orders, actors that are down.

    Args:
        run: Which run.
        form: Where runs are, and how to answer.
    """
    answer = _ask(run, form.runs, "status")
    if form.json:
        return _print(answer)
    _show(_status_table(answer))
    return ExitCode.GOOD


@app.command
def stop(run: Run = None, /, *, policy: str | None = None, form: Form = _FORM) -> int:
    """Let a run end in order.

    Args:
        run: Which run.
        policy: What becomes of open orders and positions: keep, cancel or flatten; by default
            what the run's configuration says.
        form: Where runs are, and how to answer.
    """
    answer = _ask(run, form.runs, "stop", policy=policy)
    return _print(answer) if form.json else _say("it is stopping")


@app.command
def orders(run: Run = None, /, *, form: Form = _FORM) -> int:
    """List the open orders of a run.

    Args:
        run: Which run.
        form: Where runs are, and how to answer.
    """
    return _list(run, form, "orders", _ORDERS)


@app.command
def positions(run: Run = None, /, *, form: Form = _FORM) -> int:
    """List the positions that a run holds.

    Args:
        run: Which run.
        form: Where runs are, and how to answer.
    """
    return _list(run, form, "positions", _POSITIONS)


@app.command
def differences(run: Run = None, /, *, form: Form = _FORM) -> int:
    """List on what a run and its venue do not agree.

    Args:
        run: Which run.
        form: Where runs are, and how to answer.
    """
    return _list(run, form, "differences", _DIFFERENCES)


@app.command
def resolve(key: str, /, *, cure: str, cause: str, run: Run = None, form: Form = _FORM) -> int:
    """Decide on an open difference between a run and its venue.

    Args:
        key: Its key, as ``bulkhead differences`` shows it.
        cure: adopt, ignore or book.
        cause: Why, for the record.
        run: Which run.
        form: Where runs are, and how to answer.
    """
    answer = _ask(run, form.runs, "resolve", key=key, cure=cure, cause=cause)
    return _print(answer) if form.json else _say(f"decided: {cure} {key}")


@app.command
def reconcile(run: Run = None, /, *, cause: str = "asked for", form: Form = _FORM) -> int:
    """Compare a run with its venue now.

    Args:
        run: Which run.
        cause: Why, for the record.
        form: Where runs are, and how to answer.
    """
    answer = _ask(run, form.runs, "reconcile", cause=cause)
    return _print(answer) if form.json else _say("it compares")


# --- asking --------------------------------------------------------------------------------------


def _ask(run: str | None, runs: Path, command: str, **arguments: Any) -> Any:
    """Ask a run and return its answer."""
    from runtime.observe.control_socket import ControlClient

    with ControlClient(_folder(run, runs)) as client:
        return client.ask(command, **arguments)


def _folder(run: str | None, runs: Path) -> Path:
    """Return a run's folder, by folder or by name; the only one that listens if none is named."""
    from runtime.observe.control_socket import SOCKET_FILE, ControlFailed, is_spoken_to

    if run is not None:
        by_name = runs / run
        return by_name if by_name.is_dir() else Path(run)
    found = sorted(path.parent for path in runs.glob(f"*/{SOCKET_FILE}"))
    alive = [folder for folder in found if not folder.is_symlink() and is_spoken_to(folder)]
    if len(alive) == 1:
        return alive[0]
    if not alive:
        raise ControlFailed(f"{runs}: nothing runs there; name the folder of a run")
    names = ", ".join(folder.name for folder in alive)
    raise ControlFailed(f"{runs}: {len(alive)} runs listen there: name one of {names}")


# --- showing -------------------------------------------------------------------------------------

_AMOUNT = re.compile(r"-?[0-9]+\.[0-9]+")

_Columns = Mapping[str, str]
_ORDERS: _Columns = {
    "order": "client_order_id",
    "instrument": "instrument",
    "side": "side",
    "quantity": "quantity",
    "filled": "filled_quantity",
    "limit": "limit_price",
    "status": "status",
}
_POSITIONS: _Columns = {
    "strategy": "strategy",
    "instrument": "instrument",
    "quantity": "quantity",
    "cost": "cost",
    "realized": "realized_pnl",
}
_DIFFERENCES: _Columns = {"key": "key", "ours": "ours", "venue's": "theirs", "cure": "cure"}


def _list(run: str | None, form: Form, what: str, columns: _Columns) -> int:
    rows = _ask(run, form.runs, what)
    if form.json:
        return _print(rows)
    if not rows:
        return _say(f"no {what}")
    _show(_table(rows, columns))
    return ExitCode.GOOD


def _table(rows: Sequence[Mapping[str, Any]], columns: _Columns) -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in columns:
        table.add_column(title)
    for row in rows:
        table.add_row(*(_cell(row.get(name)) for name in columns.values()))
    return table


def _status_table(answer: Mapping[str, Any]) -> "Table":
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False)
    for name in ("run", "mode", "pid"):
        if name in answer:
            table.add_row(name, _cell(answer[name]))
    _add_halt(table, answer.get("halt"))
    account = answer.get("account") or {}
    for name, key in (("state", "trading_state"), ("cash", "cash"), ("equity", "equity")):
        table.add_row(name, _cell(account.get(key)))
    if account.get("unreconciled"):
        table.add_row("gate", f"closed until the venue's books agree: {account['unreconciled']}")
    for name in ("open_orders", "positions", "differences"):
        table.add_row(name.replace("_", " "), _cell(answer.get(name)))
    actors = answer.get("actors") or {}
    table.add_row("actors", f"{actors.get('count', '?')}, {actors.get('restarts', '?')} restarts")
    for name, state in actors.get("not_running", {}).items():
        table.add_row("", f"{name}: {state}")
    for name, problem in answer.get("problems", {}).items():
        table.add_row("amiss", f"{name}: {problem}")
    return table


def _add_halt(table: "Table", halted: Mapping[str, Any] | None) -> None:
    if halted is None:
        table.add_row("kill switch", "none, or down")
        return
    table.add_row("kill switch", "HALTED" if halted["is_halted"] else "not tripped")
    for each in halted["causes"]:
        done = ", acknowledged" if each["is_acknowledged"] else ""
        table.add_row("", f"{each['cause']} (by {each['by']}{done})")


def _cell(value: Any) -> str:
    """Return a value as a table shows it: amounts without the zeros behind."""
    if value is None:
        return "-"
    text = str(value)
    return text.rstrip("0").rstrip(".") if _AMOUNT.fullmatch(text) else text


def _show(table: "Table") -> None:
    from rich.console import Console

    console = Console(highlight=False, markup=False)
    console.print(table, soft_wrap=not console.is_terminal)


def _say(text: str) -> int:
    print(text)
    return ExitCode.GOOD


def _print(answer: Any) -> int:
    print(json_format.dumps(answer, indent=2))
    return ExitCode.GOOD
