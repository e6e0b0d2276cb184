"""Recorded and made-up market data in real time: the first row is now.

All feeds of a run are moved by one and the same time, so that what was simultaneous stays so. A
second start of the same run goes on with the same market: what has passed meanwhile is left out.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import trio

from actors.actor import Source
from actors.errors import ConfigError, Problem
from actors.messages.slices import Slice

ORIGIN_FILE = "origin"
"""Holds when the first row was, or would have been, in nanoseconds UTC."""

MakeSource = Callable[[int], Source]


class LiveMarket:
    """The feeds of a run in real time, and how far they have come.

    Args:
        makers: What builds each feed's source.
        folder: Where the beginning of the market is remembered, None for nowhere.
    """

    def __init__(self, makers: Mapping[str, MakeSource], folder: Path | None) -> None:
        self.rows_passed = 0
        self._makers = makers
        self._path = None if folder is None else folder / ORIGIN_FILE
        self._shift_ns = 0
        self._skips_before_ns = 0
        self._latest: dict[str, Source] = {}
        self._going_on = set(makers)
        self._have_ended = trio.Event()

    def begin(self, now_ns: int) -> None:
        """Say what the time is, before any source is made.

        Raises:
            ConfigError: If the beginning that was remembered cannot be read.
        """
        first_ns = self._first_ns()
        origin_ns = self._remembered()
        if origin_ns is None:
            origin_ns = now_ns
            if self._path is not None:
                self._path.write_text(f"{origin_ns}\n", encoding="ascii")
        elif now_ns > origin_ns:
            self._skips_before_ns = now_ns
        self._shift_ns = origin_ns - first_ns

    @property
    def shift_ns(self) -> int:
        """Return by how much the rows are moved."""
        return self._shift_ns

    def sources(self) -> dict[str, MakeSource]:
        """Return what builds the sources in real time."""
        return {name: self._maker(name, make) for name, make in self._makers.items()}

    async def ended(self) -> None:
        """Return when every feed has come to its end."""
        await self._have_ended.wait()

    def summary_of(self, feed: str) -> Mapping[str, Any]:
        """Return what a feed's source says of itself; nothing of one that never ran."""
        source = self._latest.get(feed)
        return {} if source is None else source.summary()

    def _first_ns(self) -> int:
        """Return the time of the first row of all, 0 if there is none."""
        firsts = []
        for make in self._makers.values():
            rows = next((rows for rows in make(0).slices(0) if len(rows)), None)
            if rows is not None:
                firsts.append(rows.times()[0])
        return min(firsts, default=0)

    def _remembered(self) -> int | None:
        if self._path is None or not self._path.exists():
            return None
        text = self._path.read_text(encoding="ascii", errors="replace").strip()
        if not text.isdigit():
            problem = Problem(
                file=str(self._path),
                key="(the file)",
                expected="a time in nanoseconds",
                found=repr(text[:40]),
            )
            raise ConfigError([problem])
        return int(text)

    def _maker(self, name: str, make: MakeSource) -> MakeSource:
        def made(incarnation: int) -> Source:
            source = self._latest[name] = make(incarnation)
            return _Moved(name, source, self)

        return made

    def moved(self, name: str, source: Source, resume_ns: int) -> Iterator[Slice]:
        """Yield a source's rows at their new times, those of one time together."""
        from_ns = max(resume_ns, self._skips_before_ns)
        for rows in source.slices(max(0, from_ns - self._shift_ns)):
            for part in _by_time(rows.shifted(self._shift_ns)):
                yield part
                self.rows_passed += len(part)
        self.end(name)

    def end(self, feed: str) -> None:
        """Say that nothing more comes of a feed: it is at its end, or has given up."""
        self._going_on.discard(feed)
        if not self._going_on:
            self._have_ended.set()


class _Moved:
    """One incarnation of a feed's source, in real time."""

    def __init__(self, name: str, source: Source, market: LiveMarket) -> None:
        self._name = name
        self._source = source
        self._market = market

    def slices(self, resume_ns: int) -> Iterator[Slice]:
        """Yield the rows; see :class:`~actors.actor.Source`."""
        return self._market.moved(self._name, self._source, resume_ns)

    def summary(self) -> dict[str, Any]:
        """Return the source's own counts."""
        return self._source.summary()


def _by_time(rows: Slice) -> Iterator[Slice]:
    """Yield the rows of each moment as a slice of their own."""
    bounds = [0, *(np.flatnonzero(np.diff(rows.time_ns)) + 1).tolist(), len(rows)]
    for start, stop in pairwise(bounds):
        if stop > start:
            yield rows.take(slice(start, stop))
