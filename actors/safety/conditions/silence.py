"""The condition on how long market data may be silent.

A feed, and an instrument, is watched from its first row on. Silence is what trips: a feed that says
of itself that it is DOWN is silent too, unless ``stale_when_down`` is off (its venue closes, and it
says so); then it is watched again from its next row on. An instrument that is resolved is over.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from actors.messages.market import CONNECTION_STATES, ConnectionState, EventKind
from actors.messages.slices import WHOLE_FEED, Slice
from actors.messages.system import Resumed
from actors.model.instrument import Instruments
from actors.safety.conditions.condition import seconds
from actors.safety.config import KillSwitchConfig

_DOWN = CONNECTION_STATES.index(ConnectionState.DOWN)
_CONNECTION, _RESOLUTION = int(EventKind.CONNECTION), int(EventKind.RESOLUTION)


class Seen:
    """When each feed and each instrument was heard last; outlives the core that keeps it."""

    def __init__(self) -> None:
        self.feeds_ns: dict[int, int] = {}
        self.instruments_ns: dict[int, int] = {}
        self.resolved: set[int] = set()
        self._rows: Slice | None = None
        self._taken = 0

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_rows": None, "_taken": 0}

    def take(self, rows: Slice, stop: int, *, watches_down: bool) -> None:
        """Take notice of the rows before ``stop`` that were not taken before."""
        start = self._taken if rows is self._rows else 0
        self._rows, self._taken = rows, stop
        if stop <= start:
            return
        times, kinds = rows.time_ns[start:stop], rows.kind[start:stop]
        _note(self.feeds_ns, rows.source[start:stop], times)
        _note(self.instruments_ns, rows.instrument[start:stop], times)
        if (kinds >= _CONNECTION).any():
            self._take_special(rows, start, kinds, watches_down=watches_down)

    def _take_special(self, rows: Slice, start: int, kinds: Any, *, watches_down: bool) -> None:
        """Take what feeds say of themselves, and resolutions."""
        for offset in np.flatnonzero(kinds >= _CONNECTION).tolist():
            row = start + offset
            instrument = int(rows.instrument[row])
            if kinds[offset] == _RESOLUTION:
                self.resolved.add(instrument)
            elif instrument == WHOLE_FEED and not watches_down and rows.a[row] == _DOWN:
                source = rows.source[start : start + len(kinds)]
                is_last = not (source[offset + 1 :] == source[offset]).any()
                if is_last:
                    self._forget_feed(int(source[offset]))

    def _forget_feed(self, source: int) -> None:
        self.feeds_ns.pop(source, None)
        self.instruments_ns.clear()  # which of them are the feed's is not told: the next row says

    def begin_anew(self, now_ns: int) -> None:
        """Take everything for heard just now."""
        self.feeds_ns = dict.fromkeys(self.feeds_ns, now_ns)
        self.instruments_ns = dict.fromkeys(self.instruments_ns, now_ns)


def _note(latest_ns: dict[int, int], names: Any, times: Any) -> None:
    """Note the time of each name's last row; times grow."""
    if (names[0] == names).all():
        latest_ns[int(names[0])] = int(times[-1])
        return
    found, backwards = np.unique(names[::-1], return_index=True)
    for name, offset in zip(found.tolist(), backwards.tolist(), strict=True):
        latest_ns[name] = int(times[len(times) - 1 - offset])


class StaleData:
    """A feed, or an instrument, has been silent for too long."""

    name: ClassVar[str] = "stale_feed"
    hears: ClassVar[tuple[type, ...]] = (Resumed,)

    def __init__(
        self, config: KillSwitchConfig, instruments: Instruments, feeds: Sequence[str]
    ) -> None:
        self.seen = Seen()
        self._feed_limit_ns = config.stale_feed_ns
        self._instrument_limit_ns = config.stale_instrument_ns
        self._watches_down = config.stale_when_down
        self._instruments = instruments
        self._feeds = tuple(feeds)

    @property
    def limit_ns(self) -> int:
        """Return the shorter of its limits."""
        limits = (self._feed_limit_ns, self._instrument_limit_ns)
        return min(each for each in limits if each is not None)

    def see(self, message: Resumed, now_ns: int) -> str:
        """Count from a restart of the process on."""
        self.begin_anew(now_ns)
        return ""

    def advance(self, rows: Slice, stop: int) -> None:
        """Take notice of the rows before ``stop``."""
        self.seen.take(rows, stop, watches_down=self._watches_down)

    def check(self, now_ns: int) -> str:
        """Return the feed, or else the instrument, that has been silent for longest."""
        return self._silent_feed(now_ns) or self._silent_instrument(now_ns)

    def _silent_feed(self, now_ns: int) -> str:
        limit_ns = self._feed_limit_ns
        heard = {feed: at_ns for feed, at_ns in self.seen.feeds_ns.items() if feed >= 0}
        if limit_ns is None or not heard:
            return ""
        feed = min(heard, key=heard.__getitem__)
        name = self._feeds[feed] if feed < len(self._feeds) else str(feed)
        return _silence("feed", name, limit_ns, now_ns - heard[feed])

    def _silent_instrument(self, now_ns: int) -> str:
        limit_ns, seen = self._instrument_limit_ns, self.seen
        heard = {
            each: at_ns
            for each, at_ns in seen.instruments_ns.items()
            if each != WHOLE_FEED and each not in seen.resolved
        }
        if limit_ns is None or not heard:
            return ""
        index = min(heard, key=heard.__getitem__)
        name = self._instruments[index].id
        return _silence("instrument", name, limit_ns, now_ns - heard[index])

    def begin_anew(self, now_ns: int) -> None:
        """Take everything for heard just now."""
        self.seen.begin_anew(now_ns)


def _silence(what: str, name: str, limit_ns: int, found_ns: int) -> str:
    if found_ns <= limit_ns:
        return ""
    return f"stale {what}: limit {seconds(limit_ns)}, found {name} silent for {seconds(found_ns)}"
