"""The sequencer: paces a simulated run, and drains the mailboxes on the cells' behalf.

At each step it knows when the next timer is due and which market row comes next. At one instant:
timers and what they lead to, then the venue's reactions to the row, then the row to the
strategies, then what they send. Whatever is sent travels at that instant, over the ordinary
mailboxes, one message at a time in (time, rank, sequence) order, until none is in flight.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from itertools import islice
from typing import Any, Protocol

import attrs
import trio
from trio.testing import wait_all_tasks_blocked

from actors.actor import Follower, Listener, Reactor, Rows, Vectorised
from runtime.kernel.cell import Cell
from runtime.kernel.clock import VirtualClock
from runtime.kernel.determinism import collect_young
from runtime.kernel.pace import Pace
from runtime.kernel.post import Post, Ready
from runtime.kernel.source import Ended, Failed, SourceCell

_FIRST_HORIZON = 64
_LAST_HORIZON = 65_536
_STEPS_BETWEEN_PAUSES = 1024
_PAUSES_BETWEEN_COLLECTIONS = 16


class Merging(Protocol):
    """Joins the feeds' slices into one stream in time order."""

    def offer(self, source: int, rows: Any) -> None:
        """Take a source's next slice."""
        ...

    def put_back(self, rows: Any) -> None:
        """Take rows that were handed out too early, or that no source sends."""
        ...

    def finish(self, source: int) -> None:
        """Note that a source has no more, for now."""
        ...

    def reopen(self, source: int) -> None:
        """Note that a source speaks again."""
        ...

    def missing(self) -> int | None:
        """Return the source that must speak before anything can be taken."""
        ...

    def stalled(self) -> int | None:
        """Return the source that must speak before anything more can be taken."""
        ...

    def take(self) -> Any | None:
        """Return the rows that nothing can precede."""
        ...


@attrs.frozen(kw_only=True)
class Market:
    """Where a simulated run's rows come from.

    ``status_rows`` makes the row with which a feed's death or return is told.
    """

    feeds: Sequence[SourceCell]
    merger: Merging
    status_rows: Callable[[str, bool, int], Rows]
    pace: Pace


_Callback = Callable[[Any], None]
_Listeners = tuple[tuple[Cell, _Callback, list[Any]], ...]


class _Backlog:
    """What a strategy missed while it was down: the row it failed on, then the latest per code."""

    def __init__(self) -> None:
        self.failed: tuple[int, Any] | None = None
        self.conflated = 0
        self._latest: dict[int, Any] = {}

    def keeper(self, code: int) -> _Callback:
        """Return what keeps the rows of one code."""

        def keep(event: Any) -> None:
            self.conflated += self._latest.pop(code, None) is not None
            self._latest[code] = event

        return keep

    def events(self) -> list[tuple[int, Any]]:
        """Return what is to be made up for, oldest first, with its code."""
        return ([] if self.failed is None else [self.failed]) + list(self._latest.items())


class Sequencer:
    """Runs the cells through the market's rows and the timers."""

    def __init__(
        self,
        clock: VirtualClock,
        post: Post,
        ready: Ready,
        cells: Sequence[Cell],
        market: Market,
    ) -> None:
        self.rows_passed = 0
        self.conflated = 0
        self.is_stopping = False
        self._clock = clock
        self._timers = clock.timers
        self._post = post
        self._ready = ready
        self._cells = cells
        self._market = market
        self._rows: Rows | None = None
        self._times: list[int] = []
        self._length = 0
        self._position = 0
        self._reacted = 0
        self._cursor: Any = None
        self._horizon = _FIRST_HORIZON
        self._table: dict[int, _Listeners] = {}
        self._backlogs: dict[str, _Backlog] = {}
        self._revived: list[Cell] = []
        self._strategies: set[str] = set()
        self._endings = 0
        self._followers: list[tuple[Cell, Follower]] = []
        self._reactors: list[tuple[Cell, Reactor]] = []
        self._vectorised: list[tuple[Cell, Vectorised]] = []
        self._last_ns = [0] * len(market.feeds)
        self._steps = 0
        for index, feed in enumerate(market.feeds):
            feed.on_start = self._reopener(index)

    # --- the run ---------------------------------------------------------------------------------

    async def run(self) -> None:
        """Pass all rows and everything in flight; returns when there is nothing more to come."""
        await self.drain()
        while not self.is_stopping:
            if self._position >= self._length and not await self._load():
                if not self._has_more_to_come():
                    break
                await self._fire()
                continue
            due_ns = self._timers.next_ns()
            if due_ns is not None and due_ns <= self._times[self._position]:
                await self._fire()
            else:
                await self._pass_rows(due_ns)
        await self.finish_in_flight()

    async def finish_in_flight(self) -> None:
        """Let what is under way arrive; strategies' timers and further rows do not."""
        await self.drain()
        while self._post.in_flight_later:
            await self._fire()

    def request_stop(self) -> None:
        """Pass no more rows; what is in flight still arrives."""
        self.is_stopping = True

    async def stop_listeners(self) -> None:
        """Let every strategy say its last words, and see them through."""
        now_ns = self._clock.now_ns()
        for cell in self._cells:
            if isinstance(cell.core, Listener):
                try:
                    outputs = cell.core.stop(now_ns)
                except Exception as error:  # noqa: BLE001 - the supervisor's to judge
                    cell.fail(error, None)
                    continue
                for output in outputs:
                    self._post.deliver(cell.name, 0, output, now_ns)
        await self.finish_in_flight()

    def _has_more_to_come(self) -> bool:
        waits = self._post.in_flight_later or self._clock.sleepers or self._endings
        return bool(waits and self._timers)

    # --- messages and timers ---------------------------------------------------------------------

    async def drain(self) -> None:
        """Deliver until no message is in flight at this instant."""
        ready = self._ready
        now_ns = self._clock.now_ns()
        while ready:
            cell = heappop(ready)[2]
            assert isinstance(cell, Cell)
            failures = cell.failures
            cell.step(now_ns)
            if cell.failures != failures:
                await self._settle()
        self._steps += 1
        if self._steps % _STEPS_BETWEEN_PAUSES == 0:
            if self._steps % (_STEPS_BETWEEN_PAUSES * _PAUSES_BETWEEN_COLLECTIONS) == 0:
                collect_young()
            await trio.lowlevel.checkpoint()

    async def _settle(self) -> None:
        """Let the supervisors do what is to be done now, and make up for missed rows."""
        await wait_all_tasks_blocked()
        while self._revived:
            cell = self._revived.pop(0)
            await self._catch_up(cell)

    async def _fire(self) -> None:
        """Move time to the next timer and let it happen."""
        await self._market.pace.hold_until(self._timers.next_ns() or 0)
        due_ns, what = self._timers.pop()
        self._market_to_followers()
        self._clock.advance(max(due_ns, self._clock.now_ns()))
        if isinstance(what, tuple):
            self._post.deliver_delayed(what, self._clock.now_ns())
        elif isinstance(what, trio.Event):
            what.set()
            await self._settle()
        else:
            what()
            await self._settle()
        await self.drain()

    # --- rows ------------------------------------------------------------------------------------

    async def _pass_rows(self, due_ns: int | None) -> None:
        """Pass rows up to the next interaction: a timer, a reaction, a strategy's act."""
        rows, position = self._rows, self._position
        assert rows is not None
        stop = min(self._length, position + self._horizon)
        if due_ns is not None and self._times[stop - 1] >= due_ns:
            stop = bisect_left(self._times, due_ns, position, stop)
        stop = await self._market.pace.hold_back(self._times, position, stop)
        first = self._look(rows, position, stop)
        if first == position:
            await self._react(rows, position)
            return
        for _, core in self._vectorised:
            acts = core.on_slice(rows, position, first)
            first = first if acts is None else min(first, acts + 1)
        failures = self._failures()
        end, acted = self._play(rows, position, first)
        self.rows_passed += end - position
        self._position = end
        self._clock.advance(self._times[end - 1])
        for cell, core in self._vectorised:
            core.on_rows(rows, position, end)
            if core.outbox:
                acted.append(cell)
        if acted:
            self._horizon = _FIRST_HORIZON
            self._send_acts(rows.record(end - 1) if self._post.is_recording else None, acted)
            await self.drain()
        else:
            self._horizon = min(self._horizon * 2, _LAST_HORIZON)
        if self._failures() != failures:
            await self._settle()
            await self.drain()

    def _look(self, rows: Rows, position: int, stop: int) -> int:
        """Return the first row at which a core would react, or ``stop``."""
        start = max(position, self._reacted)
        for cell, core in self._reactors:
            try:
                stop = core.look(rows, start, stop)
            except Exception as error:  # noqa: BLE001 - the supervisor's to judge
                self._fail_on_row(cell, error, rows, position)
        return stop

    async def _react(self, rows: Rows, row: int) -> None:
        """Let the cores that would react to a row do so; strategies see it afterwards."""
        now_ns = self._times[row]
        self._clock.advance(now_ns)
        cause = 0
        for cell, core in self._reactors:
            if cell.core is None:
                continue
            try:
                core.advance(rows, row + 1)
                if core.look(rows, row, row + 1) > row:
                    continue
                outputs = core.react(rows, row, now_ns)
            except Exception as error:  # noqa: BLE001 - the supervisor's to judge
                self._fail_on_row(cell, error, rows, row)
                await self._settle()
                return
            cause = cause or self._post.record("market", cell.name, rows.record(row))
            for output in outputs:
                self._post.deliver(cell.name, cause, output, now_ns)
        self._reacted = row + 1
        for _, follower in self._followers:
            follower.advance(rows, row + 1)
        self._horizon = _FIRST_HORIZON
        await self.drain()

    def _play(self, rows: Rows, start: int, stop: int) -> tuple[int, list[Cell]]:
        """Call the strategies row by row; stop right after the row at which one acts or fails.

        Returns:
            The row after the last one passed, and the cells that have acted.
        """
        uniform = rows.uniform_code
        listeners = None if uniform is None else self._listeners(uniform)
        if listeners is not None and not listeners:
            self._cursor = None
            return stop, []
        if self._cursor is None:
            self._cursor = rows.cursor(start)
        if listeners is not None and len(listeners) == 1:
            return self._play_to_one(listeners[0], rows, start, stop)
        return self._play_to_many(rows, start, stop)

    def _play_to_one(
        self, listener: tuple[Cell, _Callback, list[Any]], rows: Rows, start: int, stop: int
    ) -> tuple[int, list[Cell]]:
        cell, callback, outbox = listener
        event: Any = None
        try:
            for event in islice(self._cursor.events, stop - start):
                callback(event)
                if outbox:
                    return self._cursor.position, [cell]
        except Exception as error:  # noqa: BLE001 - any bug of a strategy is the supervisor's
            row = self._cursor.position - 1
            self._fail_on_event(cell, error, (rows.codes[row], event), rows.record(row))
            return row + 1, []
        return stop, []

    def _play_to_many(self, rows: Rows, start: int, stop: int) -> tuple[int, list[Cell]]:
        acted: list[Cell] = []
        failed = False
        table = self._table
        row = start
        for event, code in zip(
            islice(self._cursor.events, stop - start), islice(rows.codes, start, stop), strict=True
        ):
            listeners = table.get(code)
            if listeners is None:
                listeners = self._listeners(code)
            for cell, callback, outbox in listeners:
                try:
                    callback(event)
                except Exception as error:  # noqa: BLE001 - any bug of a strategy is the supervisor's
                    self._fail_on_event(cell, error, (code, event), rows.record(row))
                    failed = True
                    continue
                if outbox:
                    acted.append(cell)
            row += 1
            if acted or failed:
                break
        return row, acted

    def _send_acts(self, record: Any, acted: list[Cell]) -> None:
        """Send what the strategies did at a market row, each in its turn."""
        self._market_to_followers()
        now_ns = self._clock.now_ns()
        names = ",".join(cell.name for cell in acted)
        cause = self._post.record("market", names, record)
        for cell in acted:
            core = cell.core
            if core is not None:
                for message in core.take_outbox(now_ns):  # type: ignore[attr-defined]
                    self._post.deliver(cell.name, cause, message, now_ns)

    def _market_to_followers(self) -> None:
        rows = self._rows
        if rows is not None:
            position = max(self._position, self._reacted)
            for _, core in self._followers:
                core.advance(rows, position)

    # --- who listens -----------------------------------------------------------------------------

    def cell_changed(self, cell: Cell) -> None:
        """Take notice that a cell has got or lost its core."""
        self._table = {}
        if isinstance(cell.core, Listener):
            self._strategies.add(cell.name)
        elif cell.name in self._strategies and cell.core is None and not cell.mailbox.is_closed:
            self._backlogs.setdefault(cell.name, _Backlog())
        self._sort_cores()
        if cell.core is not None:
            waiting = cell.mailbox.depth + cell.mailbox.waiting + (cell.retry is not None)
            for turn in range(-waiting, 0):
                heappush(self._ready, (cell.rank, turn, cell))
            if cell.incarnation:
                self._revived.append(cell)

    def _sort_cores(self) -> None:
        self._followers = []
        self._reactors = []
        self._vectorised = []
        for cell in self._cells:
            core = cell.core
            if isinstance(core, Follower):
                self._followers.append((cell, core))
            if isinstance(core, Reactor):
                self._reactors.append((cell, core))
            if isinstance(core, Vectorised):
                self._vectorised.append((cell, core))

    def _listeners(self, code: int) -> _Listeners:
        """Return who hears rows of this code, in order of rank; a strategy that is down, later."""
        found = self._table.get(code)
        if found is None:
            listening = (self._listener(cell, code) for cell in self._cells)
            found = tuple(listener for listener in listening if listener is not None)
            self._table[code] = found
        return found

    def _listener(self, cell: Cell, code: int) -> tuple[Cell, _Callback, list[Any]] | None:
        core = cell.core
        if core is None:
            backlog = self._backlogs.get(cell.name)
            return None if backlog is None else (cell, backlog.keeper(code), [])
        if not isinstance(core, Listener) or isinstance(core, Vectorised):
            return None
        callback = core.callback(code)
        return None if callback is None else (cell, callback, core.outbox)

    def _failures(self) -> int:
        return sum(cell.failures for cell in self._cells)

    def _fail_on_row(self, cell: Cell, error: Exception, rows: Rows, row: int) -> None:
        """End an incarnation whose core could not take a row: it tries again, but not for ever."""
        attempts = cell.attempts_on((rows.times()[row], rows.codes[row]))
        cell.fail(error, None)
        self.cell_changed(cell)
        if attempts >= cell.spec.quarantine_after:
            self._quarantine(cell, error, rows.record(row), attempts)
            self._reacted = row + 1

    def _fail_on_event(
        self, cell: Cell, error: Exception, event: tuple[int, Any], record: Any
    ) -> None:
        """End a strategy's incarnation; keep the event for the next, unless it is poison."""
        attempts = cell.attempts_on((event[1].time_ns, event[0]))
        cell.fail(error, None)
        self.cell_changed(cell)
        if attempts >= cell.spec.quarantine_after:
            self._quarantine(cell, error, record, attempts)
        else:
            self._backlogs[cell.name].failed = event

    def _quarantine(self, cell: Cell, error: Exception, record: Any, attempts: int) -> None:
        sequence = self._post.record("market", cell.name, record)
        cell.quarantined.append(sequence)
        cell.report_quarantine(error, sequence, type(record).__name__, attempts)

    async def _catch_up(self, cell: Cell) -> None:
        """Show a restarted strategy what it missed."""
        self._market_to_followers()
        backlog = self._backlogs.pop(cell.name, None)
        core, rows = cell.core, self._rows
        if backlog is None or rows is None or not isinstance(core, Listener):
            return
        self._table = {}
        self.conflated += backlog.conflated
        for code, event in backlog.events():
            callback = core.callback(code)
            if callback is None:
                continue
            try:
                callback(event)
            except Exception as error:  # noqa: BLE001 - any bug of a strategy is the supervisor's
                self._fail_on_event(cell, error, (code, event), rows.describe(event))
                await wait_all_tasks_blocked()
                return
            if core.outbox:
                self._send_acts(rows.describe(event), [cell])

    # --- slices ----------------------------------------------------------------------------------

    async def _load(self) -> bool:
        """Get the next slice; return False if no feed has one now."""
        merger = self._market.merger
        self._market_to_followers()
        while True:
            source = merger.missing()
            if source is None:
                rows = merger.take()
                if rows is not None:
                    self._begin_slice(rows)
                    return True
                source = merger.stalled()
                if source is None:
                    return False
            await self._pull(source)

    def _begin_slice(self, rows: Rows) -> None:
        self._rows = rows
        self._times = rows.times()
        self._length = len(rows)
        self._position = 0
        self._reacted = 0
        self._cursor = None

    async def _pull(self, source: int) -> None:
        feed = self._market.feeds[source]
        item = await feed.next()
        if isinstance(item, Ended | Failed):
            self._market.merger.finish(source)
            self._endings += 1
            self._timers.set(self._last_ns[source] + 1, self._ender(feed, item))
        else:
            if len(item):
                self._last_ns[source] = item.times()[-1]
            self._market.merger.offer(source, item)

    def _ender(self, feed: SourceCell, outcome: Ended | Failed) -> Callable[[], None]:
        def end() -> None:
            self._endings -= 1
            if isinstance(outcome, Failed):
                self._insert(self._market.status_rows(feed.name, False, self._clock.now_ns()))
            feed.reach_end()

        return end

    def _reopener(self, source: int) -> Callable[[], None]:
        feed = self._market.feeds[source]

        def reopen() -> None:
            if feed.incarnation:
                self._market.merger.reopen(source)
                self._insert(self._market.status_rows(feed.name, True, self._clock.now_ns()))

        return reopen

    def _insert(self, rows: Rows) -> None:
        """Put rows that are due now before those that have not passed yet."""
        merger = self._market.merger
        if self._rows is not None and self._position < self._length:
            self._market_to_followers()
            merger.put_back(self._rows.take(slice(self._position, None)))
            self._begin_slice(self._rows.take(slice(0, self._position)))
            self._position = self._length
        merger.put_back(rows)
