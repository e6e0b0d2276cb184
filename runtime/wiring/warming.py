"""The rows that a strategy is warmed with: recorded ones, from before it begins."""

from collections.abc import Callable, Iterator, Mapping

import attrs
import numpy as np

from actors.actor import Source
from actors.feeds.replay import ReplayOptions
from actors.messages.slices import Slice
from actors.model.instrument import Instruments
from runtime.config.model import FeedConfig, RunConfig, WarmUpConfig
from runtime.config.problems import Problems
from runtime.wiring.sources import Recipe, SourceOptions, source_options, try_out

_BATCH_ROWS = 4096
"""Rows of a slice; changes nothing else."""


@attrs.define
class Shift:
    """By how much the rows of a run's feeds are moved: in real time, their first row is now."""

    by_ns: int = 0


_UNMOVED = Shift()


@attrs.frozen(kw_only=True)
class RecordedPast:
    """What a strategy is warmed with: the last rows of a source, up to when it begins.

    The source is read twice: for its latest row before that time, and for the rows to be shown.

    Attributes:
        make: Builds the source for a table of instruments.
        table: The run's.
        last_ns: How long before the latest row the first one may be.
        adds_instruments: Whether the table takes in what only the source knows. If not, rows of
            such instruments are left out: in real time, reading may go on beside the event loop.
        shift: How the source's rows are moved.
    """

    make: Callable[[Instruments], Source]
    table: Instruments
    last_ns: int
    adds_instruments: bool
    shift: Shift = _UNMOVED

    def __call__(self, now_ns: int) -> Iterator[Slice]:
        """Yield the rows strictly before ``now_ns``, oldest first.

        Raises:
            ConfigError: If what was there when the run was set up is not there any more.
            OSError: If a file cannot be read.
        """
        by_ns = self.shift.by_ns
        table = self.table if self.adds_instruments else _copy(self.table)
        source = self.make(table)
        latest_ns = None
        for rows in _before(source.slices(0), now_ns - by_ns):
            latest_ns = rows.times()[-1]
        if latest_ns is None:
            return
        for rows in _before(source.slices(max(0, latest_ns - self.last_ns)), latest_ns + 1):
            known = rows if table is self.table else self._known(rows)
            yield known.shifted(by_ns) if by_ns else known

    def _known(self, rows: Slice) -> Slice:
        """Return the rows of instruments that the run knows, as rows of its own table."""
        known = rows.take(np.flatnonzero(rows.instrument < len(self.table)))
        known.instruments = self.table
        return known


def _copy(table: Instruments) -> Instruments:
    """Return a table with the same instruments under the same numbers."""
    copy = Instruments()
    copy.recall(table.remember())
    return copy


def _before(slices: Iterator[Slice], time_ns: int) -> Iterator[Slice]:
    """Yield the rows before a time; what comes later is not read."""
    for rows in slices:
        stop = int(np.searchsorted(rows.time_ns, time_ns))
        if stop:
            yield rows.take(slice(0, stop))
        if stop < len(rows):
            return


class PastReader:
    """Builds what the strategies of one configuration are warmed with.

    Args:
        config: The run's configuration.
        table: The run's instruments.
        problems: Where problems are noted.
        shift: How the rows of its feeds are moved.
    """

    def __init__(
        self, config: RunConfig, table: Instruments, problems: Problems, shift: Shift
    ) -> None:
        self._config = config
        self._table = table
        self._problems = problems
        self._shift = shift
        self._feeds: Mapping[str, tuple[int, FeedConfig]] = {
            feed.name: (number, feed) for number, feed in enumerate(config.feeds)
        }

    def past(self, warm_up: WarmUpConfig, strategy: str, key: str) -> RecordedPast | None:
        """Return what a strategy is warmed with; None after noting what is wrong.

        Args:
            warm_up: What its configuration says.
            strategy: Its name.
            key: Where that stands.
        """
        if warm_up.feed is not None:
            return self._of_feed(warm_up.feed, warm_up.last_ns, key)
        assert warm_up.type is not None
        options = source_options(warm_up.type, warm_up.options, key, self._problems, _BATCH_ROWS)
        if options is None:
            return None
        past = self._recorded(options, f"{strategy} warm_up", warm_up.last_ns, _UNMOVED)
        try_out(lambda: past.make(self._table), key, self._problems)
        return past

    def _of_feed(self, name: str, last_ns: int, key: str) -> RecordedPast | None:
        """Return the past of one of the run's feeds, that from before its beginning too."""
        found = self._problems.choose(self._feeds, name, f"{key}.feed")
        if found is None:
            return None
        number, feed = found
        where = f"feeds[{number}]"
        options = source_options(feed.type, feed.options, where, self._problems, _BATCH_ROWS)
        if options is None:
            return None
        if isinstance(options, ReplayOptions):
            options = attrs.evolve(options, from_ns=None)
        return self._recorded(options, name, last_ns, self._shift)

    def _recorded(
        self, options: SourceOptions, name: str, last_ns: int, shift: Shift
    ) -> RecordedPast:
        return RecordedPast(
            make=Recipe(options=options, seed=self._config.seed, name=name).made,
            table=self._table,
            last_ns=last_ns,
            adds_instruments=not self._config.mode.is_real_time,
            shift=shift,
        )
