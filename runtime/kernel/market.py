"""The market of a simulated run: the feeds' slices as one stream of rows in time order."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import attrs

from actors.actor import Rows
from runtime.kernel.clock import VirtualClock
from runtime.kernel.pace import Pace
from runtime.kernel.source import Ended, Failed, SourceCell


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


def _always(_code: int) -> bool:
    return True


@attrs.frozen(kw_only=True)
class Market:
    """Where a simulated run's rows come from.

    ``status_rows`` makes the row with which a feed's death or return is told. ``conflates`` says
    of which codes the latest row stands for those before it, to whoever was down meanwhile.
    """

    feeds: Sequence[SourceCell]
    merger: Merging
    status_rows: Callable[[str, bool, int], Rows]
    pace: Pace
    conflates: Callable[[int], bool] = _always


class Stream:
    """The rows that have come, slice after slice, and how far they have been passed.

    Attributes:
        rows: The slice under way, None before the first.
        times: The times of its rows.
        length: How many rows it has.
        position: The row that the strategies get next.
        reacted: The row at which cores may react next; at most one ahead of ``position``.
        cursor: The row objects from ``position`` on, once somebody has asked for them.
        endings: How many feeds have ended or failed ahead of time: it has not come to that yet.
        before_change: Is called before the rows are exchanged for others.
    """

    def __init__(self, market: Market, clock: VirtualClock) -> None:
        self.rows: Rows | None = None
        self.times: list[int] = []
        self.length = 0
        self.position = 0
        self.reacted = 0
        self.cursor: Any = None
        self.endings = 0
        self.before_change: Callable[[], None] = lambda: None
        self._market = market
        self._merger = market.merger
        self._clock = clock
        self._last_ns = [0] * len(market.feeds)
        for index, feed in enumerate(market.feeds):
            feed.on_start = self._reopener(index)

    async def load(self) -> bool:
        """Get the next slice; return False if no feed has one now."""
        merger = self._merger
        self.before_change()
        while True:
            source = merger.missing()
            if source is None:
                rows = merger.take()
                if rows is not None:
                    self._begin(rows)
                    return True
                source = merger.stalled()
                if source is None:
                    return False
            await self._pull(source)

    def _begin(self, rows: Rows) -> None:
        self.rows = rows
        self.times = rows.times()
        self.length = len(rows)
        self.position = 0
        self.reacted = 0
        self.cursor = None

    async def _pull(self, source: int) -> None:
        feed = self._market.feeds[source]
        item = await feed.next()
        if isinstance(item, Ended | Failed):
            self._merger.finish(source)
            self.endings += 1
            at_ns = self._last_ns[source] + 1
            self._clock.timers.set_first(at_ns, source, self._ender(feed, item))
        else:
            self._last_ns[source] = item.times()[-1]
            self._merger.offer(source, item)

    def _ender(self, feed: SourceCell, outcome: Ended | Failed) -> Callable[[], None]:
        def end() -> None:
            self.endings -= 1
            if isinstance(outcome, Failed):
                self._insert(self._market.status_rows(feed.name, False, self._clock.now_ns()))
            feed.reach_end()

        return end

    def _reopener(self, source: int) -> Callable[[], None]:
        feed = self._market.feeds[source]

        def reopen() -> None:
            if feed.incarnation:
                self._merger.reopen(source)
                self._insert(self._market.status_rows(feed.name, True, self._clock.now_ns()))

        return reopen

    def _insert(self, rows: Rows) -> None:
        """Put rows that are due now before those that have not passed yet.

        A row that cores have reacted to already goes first: it has begun to pass.
        """
        position, cut = self.position, max(self.position, self.reacted)
        if self.rows is not None and cut < self.length:
            self.before_change()
            self._merger.put_back(self.rows.take(slice(cut, None)))
            self._begin(self.rows.take(slice(0, cut)))
            self.position, self.reacted = position, cut
        self._merger.put_back(rows)
