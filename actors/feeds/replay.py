"""The feed of recorded files: what was received is received again, in the same order."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from actors.feeds.asset_filter import AssetFilter
from actors.feeds.files import sha256
from actors.feeds.formats import AUTO
from actors.feeds.recordings import find_tapes
from actors.feeds.tape_reader import CHUNK_ROWS, Problems, Span, TapeReader
from actors.messages.merging import Merger
from actors.messages.slices import Slice
from actors.model.instrument import Instruments


def _above_zero(_options: object, field: "attrs.Attribute[int]", value: int) -> None:
    if value <= 0:
        raise ValueError(f"{field.name}: expected a number above 0, found {value}")


@attrs.frozen(kw_only=True)
class ReplayOptions:
    """What is replayed.

    Attributes:
        path: A file, a folder or a glob; one more of ``paths``.
        paths: Files, folders (such as one day's) and globs.
        format: The format of the files; ``auto`` recognises each by its first lines.
        assets: Instrument ids, or patterns with ``*`` and ``?``, whose rows are wanted; None for
            all. Books are kept for the others too.
        batch_rows: How many rows a slice has at most; changes speed, never results.
        options: The format's own options; with several formats, those of one may stand under its
            name.
        from_ns: Begin here, with the state of the books as snapshots; None for the beginning.
        to_ns: End before here; None for the end.
    """

    path: str | None = None
    paths: tuple[str, ...] = ()
    format: str = AUTO
    assets: tuple[str, ...] | None = None
    batch_rows: int = attrs.field(default=CHUNK_ROWS, validator=_above_zero)
    options: Mapping[str, Any] = attrs.field(factory=dict)
    from_ns: int | None = None
    to_ns: int | None = None


class ReplayFeed:
    """Recorded files as a source of rows.

    Tapes (files that continue each other) are merged by time; at equal times the one named first
    comes first.

    Raises:
        ConfigError: If there is no file, a format is unknown or unclear, or an option is wrong.
    """

    def __init__(self, instruments: Instruments, options: ReplayOptions) -> None:
        first = () if options.path is None else (options.path,)
        self._instruments = instruments
        self._options = options
        self._found = find_tapes((*first, *options.paths), options.format, options.options)
        self._filter = AssetFilter(instruments, options.assets)
        self._problems = Problems()
        self._readers: list[TapeReader] = []
        self._hashes: dict[Path, str] = {}
        self._seen: dict[int, None] = {}

    def slices(self, resume_ns: int) -> Iterator[Slice]:
        """Return the rows from ``resume_ns`` on, in time order; each call reads anew.

        Where rows are left out at the beginning, the state of every book comes first, as
        snapshots at that time. What was decoded before an unexpected error comes before the error.
        """
        options = self._options
        start_ns = max(resume_ns, options.from_ns or 0)
        span = Span(start_ns, options.to_ns)
        self._problems = Problems()
        self._seen = {}
        self._readers = [
            TapeReader(tape, self._instruments, span, self._problems) for tape in self._found.tapes
        ]
        return self._delivered(merged([reader.slices() for reader in self._readers]))

    def _delivered(self, slices: Iterator[Slice]) -> Iterator[Slice]:
        batch_rows = self._options.batch_rows
        for rows in slices:
            wanted = self._filter.wanted(rows)
            self._seen.update(dict.fromkeys(np.unique(wanted.instrument).tolist()))
            if 0 < len(wanted) <= batch_rows:
                yield wanted
                continue
            for start in range(0, len(wanted), batch_rows):
                yield wanted.take(slice(start, start + batch_rows))

    def summary(self) -> dict[str, Any]:
        """Return what was read since :meth:`slices` was called last, in plain values."""
        tallies = [tally for reader in self._readers for tally in reader.tallies]
        seen = sorted(index for index in self._seen if index >= 0)
        return {
            "files": [
                {
                    "file": tally.recording.path.name,
                    "format": tally.recording.format.name,
                    "sha256": self._sha256(tally.recording.path),
                    "lines": tally.lines,
                    "rows": tally.rows,
                    "late_rows": tally.late_rows,
                    "malformed": tally.malformed,
                }
                for tally in tallies
            ],
            "lines": sum(tally.lines for tally in tallies),
            "rows": sum(tally.rows for tally in tallies),
            "malformed": self._problems.total,
            "gaps": sum(reader.decoder.bookkeeper.gaps for reader in self._readers),
            "problems": [attrs.asdict(problem) for problem in self._problems.first],
            "counts": [dict(reader.decoder.counts) for reader in self._readers],
            "instruments": [self._instruments[index].id for index in seen],
            "unmatched_assets": self._filter.unmatched(),
            "skipped": list(self._found.skipped),
        }

    def _sha256(self, path: Path) -> str:
        if path not in self._hashes:
            self._hashes[path] = sha256(path)
        return self._hashes[path]


def merged(sources: Sequence[Iterator[Slice]]) -> Iterator[Slice]:
    """Yield the rows of several sources in one order: by time, then by source.

    If a source raises, everything up to its last row comes before the error.
    """
    if len(sources) == 1:
        yield from sources[0]
        return
    merger = Merger(len(sources))
    last_ns = [-1] * len(sources)
    while True:
        ready = merger.take()
        if ready is not None:
            yield ready
            continue
        source = merger.missing()
        source = merger.stalled() if source is None else source
        if source is None:
            return
        try:
            rows = next(sources[source], None)
        except Exception:
            merger.finish(source)
            yield from _up_to(merger, last_ns[source])
            raise
        if rows is None:
            merger.finish(source)
        elif len(rows):
            last_ns[source] = int(rows.time_ns[-1])
            merger.offer(source, rows)


def _up_to(merger: Merger, last_ns: int) -> Iterator[Slice]:
    """Yield what a merger holds up to a time; what comes later will be read again."""
    while (rows := merger.take()) is not None:
        cut = int(np.searchsorted(rows.time_ns, last_ns, side="right"))
        if cut:
            yield rows.take(slice(0, cut))
        if cut < len(rows):
            return
