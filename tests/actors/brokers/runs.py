"""Runs a broker through rows and messages, as the runtime would, and keeps what it says."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import heapify, heappop, heappush
from typing import Any

from actors.actor import Later
from actors.brokers.venue import Venue
from actors.messages.slices import Slice
from actors.messages.system import TimerFired
from actors.messages.trading import (
    CancelArrived,
    ExecutionReport,
    OrderArrived,
    ReplaceArrived,
)

Said = list[tuple[int, Any]]
Timer = tuple[int, int, Any]
_OWN = OrderArrived | CancelArrived | ReplaceArrived | TimerFired
"""What a broker sends to itself, through time."""
Build = Callable[[], Venue]


class VenueRun:
    """One broker, its timers and its journal.

    ``crashes`` says for each thing that the broker does whether it fails at it the first time: what
    it said is lost with it, a fresh broker recovers from the journal and does it again.
    """

    def __init__(
        self,
        build: Build,
        script: Iterable[tuple[int, Any]],
        crashes: Iterator[bool] | None = None,
    ) -> None:
        self.said: Said = []
        self._build = build
        self._broker = build()
        self._timers: list[Timer] = [(at, n, message) for n, (at, message) in enumerate(script)]
        self._count = len(self._timers)
        self._crashes = crashes
        self._history: list[tuple[str, Any]] = []
        heapify(self._timers)

    def pass_rows(self, rows: Slice, horizons: Iterator[int]) -> None:
        """Offer a slice, looking ahead as far as ``horizons`` says each time."""
        times = rows.times()
        position = 0
        while position < len(rows):
            if self._timers and self._timers[0][0] <= times[position]:
                self._broker.advance(rows, position)
                self._fire()
                continue
            stop = min(position + next(horizons), len(rows))
            while self._timers and times[stop - 1] >= self._timers[0][0]:
                stop -= 1
            first = self._broker.look(rows, position, stop)
            assert position <= first <= stop
            position = first
            if first < stop:
                self._react(rows, first, times[first])
                position += 1
        self._broker.advance(rows, len(rows))

    def finish(self) -> Said:
        """Let what is on its way arrive; return everything that was said, with its time."""
        while self._timers:
            self._fire()
        return sorted(self.said, key=lambda each: each[0])

    def _fire(self) -> None:
        at_ns, _, message = heappop(self._timers)
        outputs = self._broker.handle(message, at_ns)
        if self._crashes is not None and next(self._crashes):
            self._restart()
            outputs = self._broker.handle(message, at_ns)
        self._history.append(("received", message))
        self._send(outputs, at_ns)

    def _react(self, rows: Slice, row: int, now_ns: int) -> None:
        self._broker.advance(rows, row + 1)
        if self._broker.look(rows, row, row + 1) > row:
            return
        outputs = self._broker.react(rows, row, now_ns)
        if self._crashes is not None and next(self._crashes):
            self._restart()
            assert self._broker.look(rows, row, row + 1) == row
            outputs = self._broker.react(rows, row, now_ns)
        self._send(outputs, now_ns)

    def _restart(self) -> None:
        market = self._broker.market
        self._broker = self._build()
        self._broker.inherit(market)
        self._broker.recover(self._history)

    def _send(self, outputs: Sequence[Any], now_ns: int) -> None:
        for output in outputs:
            self._history.append(("sent", output))
            at_ns, message = (
                (output.at_ns, output.message) if isinstance(output, Later) else (now_ns, output)
            )
            if isinstance(message, _OWN):
                self._count += 1
                heappush(self._timers, (at_ns, self._count, message))
            else:
                assert isinstance(message, ExecutionReport)
                self.said.append((at_ns, message))


def said(
    build: Build,
    slices: Iterable[Slice],
    script: Iterable[tuple[int, Any]],
    *,
    horizons: Iterator[int],
    crashes: Iterator[bool] | None = None,
) -> Said:
    """Return all that a broker says in a run."""
    run = VenueRun(build, script, crashes)
    for rows in slices:
        run.pass_rows(rows, horizons)
    return run.finish()
