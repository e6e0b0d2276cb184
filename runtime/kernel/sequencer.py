"""The sequencer: paces a simulated run, and drains the mailboxes on the cells' behalf.

At each step it knows when the next timer is due and which market row comes next. At one instant:
timers and what they lead to, then the venue's reactions to the row, then the row to the
strategies, then what they send. Whatever is sent travels at that instant, over the ordinary
mailboxes, one message at a time in (time, rank, sequence) order, until none is in flight.
"""

from bisect import bisect_left
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from heapq import heappop, heappush
from itertools import islice
from typing import Any

import trio
from trio.testing import wait_all_tasks_blocked

from actors.actor import Listener, Rows
from runtime.kernel.aftermath import Aftermath
from runtime.kernel.audience import Audience, CodedEvent, Hearing, callback_of
from runtime.kernel.clock import VirtualClock
from runtime.kernel.determinism import collect_young
from runtime.kernel.incarnation import Child
from runtime.kernel.lookahead import Horizon, Turns, first_act, first_failure, reaction
from runtime.kernel.market import Market, Stream
from runtime.kernel.post import Post, Ready
from runtime.kernel.simulated_cell import SimulatedCell

_WORK_BETWEEN_PAUSES = 1024
_MESSAGES_OF_WORK = 16
_ROWS_OF_WORK = 64
_PAUSES_BETWEEN_COLLECTIONS = 16


class Sequencer:
    """Runs the cells through the market's rows and the timers."""

    def __init__(
        self,
        clock: VirtualClock,
        post: Post,
        ready: Ready,
        cells: Sequence[SimulatedCell],
        market: Market,
    ) -> None:
        self.rows_passed = 0
        self.conflated = 0
        self.is_stopping = False
        self.breathe: Callable[[], Awaitable[None]] = trio.lowlevel.checkpoint
        """Awaited now and then, at times of no meaning: lets other tasks run."""
        self.between: Callable[[], None] | None = None
        """Called now and then, between messages, at the same ones in every run."""
        self._clock = clock
        self._timers = clock.timers
        self._post = post
        self._ready = ready
        self._cells = cells
        self._pace = market.pace
        self._stream = Stream(market, clock)
        self._stream.before_change = self._market_to_followers
        self._audience = Audience(cells, market.conflates)
        self._horizon = Horizon()
        self._turns = Turns()
        self._revived: list[SimulatedCell] = []
        self._failed: list[SimulatedCell] = []
        """Whose cores have failed, before the supervisors are told."""
        self._work = 0
        self._pauses = 0
        self._aftermath = Aftermath(cells)

    # --- the run ---------------------------------------------------------------------------------

    async def bring_up(self, nursery: trio.Nursery, tree: Child) -> None:
        """Start a tree of supervisors in a nursery; return when all of it has started.

        Time has not begun yet, so here a back-off takes none.
        """

        async def start() -> None:
            await nursery.start(tree.run)
            is_up.set()

        is_up = trio.Event()
        nursery.start_soon(start)
        await wait_all_tasks_blocked()
        while not is_up.is_set() and self._clock.sleepers:
            self._clock.wake_next()
            await wait_all_tasks_blocked()
        await is_up.wait()

    async def run(self) -> None:
        """Pass all rows and everything in flight; returns when there is nothing more to come."""
        stream = self._stream
        await self.drain()
        while not self.is_stopping:
            if stream.position >= stream.length:
                if await stream.load():
                    self._aftermath.end()
                    continue
                if not self._has_more_to_come():
                    break
                self._aftermath.begin(self._clock.now_ns())
                await self._fire()
                continue
            due_ns = self._timers.next_ns()
            if due_ns is not None and due_ns <= stream.times[stream.position]:
                await self._fire()
            else:
                await self._pass_rows(due_ns)
        self._aftermath.begin(self._clock.now_ns())
        await self.finish_in_flight()

    async def finish_in_flight(self) -> None:
        """Let what is under way arrive; strategies' timers and further rows do not."""
        await self.drain()
        while self._post.in_flight_later:
            await self._fire()

    def request_stop(self) -> None:
        """Pass no more rows; what is in flight still arrives."""
        self.is_stopping = True
        self._pace.release()

    async def stop_listeners(self) -> None:
        """Let every strategy say its last words, and see them through."""
        now_ns = self._clock.now_ns()
        for cell in self._cells:
            if isinstance(cell.core, Listener):
                try:
                    outputs = await cell.last_words(now_ns)
                except Exception as error:  # noqa: BLE001 - the supervisor's to judge
                    cell.fail(error, None)
                    continue
                cell.send(outputs, 0, now_ns)
        await self.finish_in_flight()

    def _has_more_to_come(self) -> bool:
        waits = self._post.in_flight_later or self._clock.sleepers or self._stream.endings
        return bool(waits and self._timers)

    # --- messages and timers ---------------------------------------------------------------------

    async def drain(self) -> None:
        """Deliver until no message is in flight at this instant, and no failure is unheard."""
        ready = self._ready
        now_ns = self._clock.now_ns()
        messages = 0
        while ready or self._failed:
            if self._failed:
                await self._settle()
                continue
            heappop(ready)[2].step(now_ns)
            messages += 1
            if messages % _WORK_BETWEEN_PAUSES == 0:
                await trio.lowlevel.checkpoint()  # they may go on for ever at one instant
        self._work += 1 + messages // _MESSAGES_OF_WORK
        if self._work >= _WORK_BETWEEN_PAUSES:
            await self._pause()

    async def _pause(self) -> None:
        """Let other tasks run, now and then; collect garbage, more seldom."""
        self._work = 0
        self._pauses += 1
        if self._pauses % _PAUSES_BETWEEN_COLLECTIONS == 0:
            collect_young()
        if self.between is not None:
            self.between()
        await self.breathe()

    async def _settle(self) -> None:
        """Let the supervisors do what is to be done now, and make up for missed rows.

        They are told of one failure at a time, so that trio's schedule does not show.
        """
        if self._failed:
            self._failed.pop(0).let_end()
        await wait_all_tasks_blocked()
        while self._revived:
            self._catch_up(self._revived.pop(0))

    async def _fire(self) -> None:
        """Move time to the next timer and let it happen."""
        await self._pace.hold_until(self._timers.next_ns() or 0)
        due_ns, what = self._timers.pop()
        if self._aftermath.spares(due_ns, what):
            return
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
        stream = self._stream
        rows, position = stream.rows, stream.position
        assert rows is not None
        stop = min(stream.length, position + self._horizon.rows)
        if due_ns is not None and stream.times[stop - 1] >= due_ns:
            stop = bisect_left(stream.times, due_ns, position, stop)
        if self._pace.is_held:
            stop = await self._pace.hold_back(stream.times, position, stop)
        first = self._first_reaction(rows, stop)
        if first == position:
            if not self._failed:
                self._react(rows, position)
            await self.drain()
            return
        if self._audience.vectorised:
            first = self._first_vectorised_act(rows, first)
            if self._failed:
                await self.drain()
                return
        end, acted = self._play(rows, position, first)
        self.rows_passed += end - position
        stream.position = end
        self._clock.advance(stream.times[end - 1])
        if self._audience.vectorised:
            acted += self._play_vectorised(rows, position, end)
        self._work += (end - position) // _ROWS_OF_WORK
        if acted:
            self._horizon.narrow(self.rows_passed)
            self._send_acts(rows.record(end - 1) if self._post.is_recording else None, acted)
            await self.drain()
        else:
            self._horizon.widen()
            if self._failed or self._work >= _WORK_BETWEEN_PAUSES:
                await self.drain()

    def _first_reaction(self, rows: Rows, stop: int) -> int:
        """Return the first row at which a core would react, or ``stop``.

        If a core fails on the next row, that row is returned and ``_failed`` says so.
        """
        stream = self._stream
        start = max(stream.position, stream.reacted)
        for cell, core in self._audience.reactors:
            own_start = self._turns.start(cell.name, rows, start)
            if own_start < stop:
                try:
                    stop = core.look(rows, own_start, stop)
                except Exception:  # noqa: BLE001 - asked again, row by row
                    stop, _ = self._ask(cell, partial(core.look, rows), own_start, stop)
        return stop

    def _first_vectorised_act(self, rows: Rows, stop: int) -> int:
        """Return the row after the first one at which a vectorised strategy acts, or ``stop``."""
        for cell, core in self._audience.vectorised:
            start = self._turns.start(cell.name, rows, self._stream.position)
            if start < stop:
                row, is_act = self._ask(cell, partial(first_act, core, rows), start, stop)
                stop = row + 1 if is_act else row
        return stop

    def _ask(
        self, cell: SimulatedCell, look: Callable[[int, int], int], start: int, stop: int
    ) -> tuple[int, bool]:
        """Return what a core answers to a look ahead at rows ``[start, stop)``; False if none.

        If it fails, the rows before the one it fails on are passed first: the result is the same
        however far it was asked to look. If that is the next row, its cell fails.
        """
        try:
            row = look(start, stop)
        except Exception as error:  # noqa: BLE001 - any bug of a core is the supervisor's to judge
            row, failure = first_failure(look, start, stop, error)
            if failure is not None:
                if row == self._stream.position:
                    self._fail_on_row(cell, failure, row)
                return row, False
        return row, row < stop

    def _react(self, rows: Rows, row: int) -> None:
        """Let the cores that would react to a row do so; strategies see it afterwards.

        Those that fail are asked again when they are back; the others have had their turn.
        """
        stream = self._stream
        now_ns = stream.times[row]
        self._clock.advance(now_ns)
        reactions: list[tuple[SimulatedCell, list[Any]]] = []
        for cell, core in self._audience.reactors:
            if self._turns.start(cell.name, rows, row) > row:
                continue
            try:
                outputs = reaction(core, rows, row, now_ns)
            except Exception as error:  # noqa: BLE001 - the supervisor's to judge
                self._fail_on_row(cell, error, row)
                continue
            if outputs is not None:
                self._turns.had(cell.name, rows, row)
                reactions.append((cell, outputs))
        if reactions:
            names = ",".join(cell.name for cell, _ in reactions)
            cause = self._post.record("market", names, rows.record(row))
            for cell, outputs in reactions:
                cell.send(outputs, cause, now_ns)
        if not self._failed:
            stream.reacted = row + 1
            self._market_to_followers()
        self._horizon.narrow(self.rows_passed)

    def _play(self, rows: Rows, start: int, stop: int) -> tuple[int, list[SimulatedCell]]:
        """Call the strategies row by row; stop right after the row at which one acts or fails.

        Returns:
            The row after the last one passed, and the cells that have acted.
        """
        stream = self._stream
        uniform = rows.uniform_code
        hearing = None if uniform is None else self._audience.hearing(uniform)
        if hearing is not None and not hearing:
            stream.cursor = None
            return stop, []
        if stream.cursor is None:
            stream.cursor = rows.cursor(start)
        if hearing is not None and len(hearing) == 1:
            return self._play_to_one(hearing[0], rows, start, stop)
        return self._play_to_many(rows, start, stop)

    def _play_to_one(
        self, hearing: Hearing, rows: Rows, start: int, stop: int
    ) -> tuple[int, list[SimulatedCell]]:
        cell, callback, outbox = hearing
        cursor = self._stream.cursor
        event: Any = None
        try:
            for event in islice(cursor.events, stop - start):
                callback(event)
                if outbox:
                    return cursor.position, [cell]
        except Exception as error:  # noqa: BLE001 - any bug of a strategy is the supervisor's
            row = cursor.position - 1
            self._fail_on_event(cell, error, (rows.codes[row], event), rows.record(row))
            return row + 1, []
        return stop, []

    def _play_to_many(self, rows: Rows, start: int, stop: int) -> tuple[int, list[SimulatedCell]]:
        acted: list[SimulatedCell] = []
        audience = self._audience
        table = audience.table
        codes = rows.codes
        row = start
        for event in islice(self._stream.cursor.events, stop - start):
            code = codes[row]
            for cell, callback, outbox in table.get(code) or audience.hearing(code):
                try:
                    callback(event)
                except Exception as error:  # noqa: BLE001 - any bug of a strategy is the supervisor's
                    self._fail_on_event(cell, error, (code, event), rows.record(row))
                    continue
                if outbox:
                    acted.append(cell)
            row += 1
            if acted or self._failed:
                break
        return row, acted

    def _play_vectorised(self, rows: Rows, start: int, stop: int) -> list[SimulatedCell]:
        """Give vectorised strategies the rows that have passed; return the cells that acted."""
        acted: list[SimulatedCell] = []
        for cell, core in self._audience.vectorised:
            own_start = self._turns.start(cell.name, rows, start)
            try:
                if own_start < stop:
                    core.on_rows(rows, own_start, stop)
            except Exception as error:  # noqa: BLE001 - any bug of a strategy is the supervisor's
                cell.fail(error, None)
                continue
            if core.outbox:
                acted.append(cell)
        return acted

    def _send_acts(self, record: Any, acted: list[SimulatedCell]) -> None:
        """Send what the strategies did at a market row, each in its turn."""
        self._market_to_followers()
        now_ns = self._clock.now_ns()
        names = acted[0].name
        if len(acted) > 1:
            acted.sort(key=_rank)
            names = ",".join([cell.name for cell in acted])
        cause = self._post.record("market", names, record)
        for cell in acted:
            core: Any = cell.core
            if core is not None:
                try:
                    outputs = core.take_outbox(now_ns)
                except Exception as error:  # noqa: BLE001 - the supervisor's to judge
                    cell.fail(error, None)
                    continue
                cell.send(outputs, cause, now_ns)

    def _market_to_followers(self) -> None:
        stream = self._stream
        rows = stream.rows
        if rows is not None:
            position = max(stream.position, stream.reacted)
            for cell, core in self._audience.followers:
                try:
                    core.advance(rows, position)
                except Exception as error:  # noqa: BLE001 - the supervisor's to judge
                    cell.fail(error, None)

    # --- failures --------------------------------------------------------------------------------

    def cell_changed(self, cell: SimulatedCell) -> None:
        """Take notice that a cell has got or lost its core."""
        self._audience.cell_changed(cell)
        if cell.core is None:
            if cell.awaits_end:
                self._failed.append(cell)
            return
        waiting = cell.mailbox.depth + cell.mailbox.waiting + (cell.retry is not None)
        for turn in range(-waiting, 0):
            heappush(self._ready, (cell.rank, turn, cell))
        if cell.incarnation:
            self._revived.append(cell)

    def _fail_on_row(self, cell: SimulatedCell, error: Exception, row: int) -> None:
        """End an incarnation whose core could not take a row: it tries again, but not for ever."""
        rows = self._stream.rows
        assert rows is not None
        self._clock.advance(self._stream.times[row])
        attempts = cell.quarantine.attempts_on((self._stream.times[row], rows.codes[row]))
        cell.fail(error, None)
        if attempts >= cell.spec.quarantine_after:
            self._quarantine(cell, error, rows.record(row), attempts)
            self._turns.had(cell.name, rows, row)

    def _fail_on_event(
        self, cell: SimulatedCell, error: Exception, event: CodedEvent, record: Any
    ) -> None:
        """End a strategy's incarnation; keep the event for the next, unless it is poison."""
        code, row = event
        self._clock.advance(max(row.time_ns, self._clock.now_ns()))
        attempts = cell.quarantine.attempts_on((row.time_ns, code))
        cell.fail(error, None)
        if attempts >= cell.spec.quarantine_after:
            self._quarantine(cell, error, record, attempts)
        else:
            self._audience.backlog(cell).failed = event

    def _quarantine(
        self, cell: SimulatedCell, error: Exception, record: Any, attempts: int
    ) -> None:
        sequence = self._post.record("market", cell.name, record)
        cell.quarantine.set_aside(sequence, type(record).__name__, attempts, error)

    def _catch_up(self, cell: SimulatedCell) -> None:
        """Show a restarted strategy what it missed; if it fails again, it misses the rest again."""
        self._market_to_followers()
        backlog = self._audience.take_backlog(cell)
        core, rows = cell.core, self._stream.rows
        if backlog is None or rows is None or not isinstance(core, Listener):
            return
        self.conflated += sum(
            count
            for code, count in backlog.conflated.items()
            if callback_of(core, code) is not None
        )
        events = iter(backlog.events())
        for code, event in events:
            callback = callback_of(core, code)
            if callback is None:
                continue
            try:
                callback(event)
            except Exception as error:  # noqa: BLE001 - any bug of a strategy is the supervisor's
                self._fail_on_event(cell, error, (code, event), rows.describe(event))
            if core.outbox and cell.core is core:
                self._send_acts(rows.describe(event), [cell])
            if cell.core is not core:
                self._audience.backlog(cell).keep(events)
                return


def _rank(cell: SimulatedCell) -> int:
    return cell.rank
