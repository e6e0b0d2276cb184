"""How far a run has come: one live line on a terminal, nothing elsewhere."""

from decimal import Decimal
from typing import Protocol

import attrs
import trio
from rich.console import Console
from rich.live import Live
from rich.text import Text

from runtime.observe.times import short_time

_INTERVAL_S = 0.25


@attrs.frozen(kw_only=True)
class Progress:
    """A run at one moment.

    Attributes:
        time_ns: The virtual time reached.
        events: Market rows that have passed.
        orders: Orders received.
        fills: Fills applied.
        equity: The latest mark of the account, None before the first.
        restarts: Fresh cores that took over from failed ones.
    """

    time_ns: int
    events: int = 0
    orders: int = 0
    fills: int = 0
    equity: Decimal | None = None
    restarts: int = 0


class ProgressSource(Protocol):
    """A run that can be asked how far it has come; asking changes nothing."""

    def progress(self) -> Progress:
        """Return where the run is now."""
        ...


async def show_progress(source: ProgressSource, console: Console) -> None:
    """Show a run's progress four times a second until cancelled.

    Returns at once if the console is not a terminal.
    """
    if not console.is_terminal:
        await trio.lowlevel.checkpoint()
        return
    pace = Pace()
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while True:
            progress = source.progress()
            rate = pace.rate(progress.events, trio.current_time())
            live.update(progress_line(progress, rate), refresh=True)
            await trio.sleep(_INTERVAL_S)


class Pace:
    """Events per second between one look and the next."""

    def __init__(self) -> None:
        self._events = 0
        self._at_s: float | None = None

    def rate(self, events: int, now_s: float) -> float:
        """Return the rate since the last call; 0 at the first."""
        passed = 0.0 if self._at_s is None else now_s - self._at_s
        rate = (events - self._events) / passed if passed > 0 else 0.0
        self._events, self._at_s = events, now_s
        return rate


def progress_line(progress: Progress, rate: float) -> Text:
    """Return a run's progress as one line of at most 80 characters (for sane numbers)."""
    words = [
        short_time(progress.time_ns),
        f"{rate:,.0f} rows/s",
        f"{progress.orders:,} orders",
        f"{progress.fills:,} fills",
    ]
    if progress.equity is not None:
        words.append(f"equity {progress.equity:,.2f}")
    if progress.restarts:
        words.append(f"{progress.restarts} restarts")
    return Text("  ".join(words), no_wrap=True, overflow="ellipsis")
