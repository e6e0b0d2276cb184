"""The live line of a run."""

import io
from decimal import Decimal

import trio
import trio.testing
from rich.console import Console

from runtime.observe.progress import Pace, Progress, progress_line, show_progress
from tests.builders import SECOND, START_NS


class Run:
    """A run that has passed a thousand events more each time it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def progress(self) -> Progress:
        self.asked += 1
        return Progress(
            time_ns=START_NS + self.asked * SECOND,
            events=self.asked * 1000,
            orders=3,
            fills=2,
            equity=Decimal("10012.3"),
            restarts=1,
        )


def _console(*, is_terminal: bool) -> Console:
    return Console(file=io.StringIO(), force_terminal=is_terminal, width=100, color_system=None)


def _text(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


async def test_nothing_is_shown_where_there_is_no_terminal() -> None:
    run, console = Run(), _console(is_terminal=False)
    await show_progress(run, console)

    assert run.asked == 0
    assert _text(console) == ""


async def test_a_terminal_shows_the_run_four_times_a_second(
    autojump_clock: trio.testing.MockClock,
) -> None:
    run, console = Run(), _console(is_terminal=True)
    with trio.move_on_after(1.1):
        await show_progress(run, console)

    assert run.asked == 5
    assert "11-14 22:13:22  4,000 rows/s  3 orders  2 fills" in _text(console)
    assert "equity 10,012.30  1 restarts" in _text(console)


def test_a_line_leaves_out_what_there_is_not_and_fits_a_terminal() -> None:
    bare = progress_line(Progress(time_ns=START_NS + 5), 0.0).plain
    full = progress_line(
        Progress(
            time_ns=START_NS,
            orders=12_345,
            fills=9_999,
            equity=Decimal("1234567.891"),
        ),
        250_000.4,
    ).plain

    assert bare == "11-14 22:13:20  0 rows/s  0 orders  0 fills"
    assert len(full) <= 80


def test_the_first_look_has_no_rate() -> None:
    pace = Pace()

    assert pace.rate(500, 10.0) == 0.0
    assert pace.rate(700, 10.5) == 400.0
    assert pace.rate(800, 10.5) == 0.0
