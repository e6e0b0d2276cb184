"""Joins several sources' slices into one stream in time order. Sans-IO."""

import numpy as np

from actors.messages.slices import Slice


class Merger:
    """Joins several sources' slices into one stream ordered by time, then by source.

    The caller asks :meth:`missing` which source must speak next, offers its slices, and takes what
    can no longer be preceded by anything. How the sources cut their slices makes no difference.
    """

    def __init__(self, sources: int) -> None:
        self._held: list[list[Slice]] = [[] for _ in range(sources)]
        self._open = [True] * sources
        self._returned: list[Slice] = []

    def offer(self, source: int, rows: Slice) -> None:
        """Take a source's next slice."""
        if len(rows):
            self._held[source].append(rows.of_source(source))

    def put_back(self, rows: Slice) -> None:
        """Take rows that were handed out too early, or that no source sends."""
        if len(rows):
            self._returned.append(rows)

    def finish(self, source: int) -> None:
        """Note that a source has no more (for now)."""
        self._open[source] = False

    def reopen(self, source: int) -> None:
        """Note that a source speaks again."""
        self._open[source] = True

    def missing(self) -> int | None:
        """Return the source that must speak before anything more can be taken, or None."""
        for source, held in enumerate(self._held):
            if self._open[source] and not held:
                return source
        return None

    def stalled(self) -> int | None:
        """Return the open source whose last row holds the others back, or None."""
        ends = self._ends()
        return min(ends)[1] if ends else None

    def take(self) -> Slice | None:
        """Return the rows that nothing can precede, or None if a source must speak first.

        After None, offer the next slice of the source that :meth:`missing`, else :meth:`stalled`
        names; if neither does, all is over.
        """
        if self.missing() is not None:
            return None
        if len(self._held) == 1 and not self._returned:
            return self._held[0].pop(0) if self._held[0] else None
        ends = self._ends()
        frontier_ns = min(ends)[0] if ends else None
        parts: list[Slice] = []
        self._returned = _cut(self._returned, frontier_ns, parts)
        for source, held in enumerate(self._held):
            self._held[source] = _cut(held, frontier_ns, parts)
        return Slice.joined(parts) if parts else None

    def _ends(self) -> list[tuple[int, int]]:
        """Return the time of the last row of each open source, with the source."""
        return [
            (int(held[-1].time_ns[-1]), source)
            for source, held in enumerate(self._held)
            if held and self._open[source]
        ]


def _cut(held: list[Slice], frontier_ns: int | None, parts: list[Slice]) -> list[Slice]:
    """Move the rows before the frontier into ``parts``; return what is left."""
    kept: list[Slice] = []
    for rows in held:
        cut = len(rows)
        if frontier_ns is not None:
            cut = int(np.searchsorted(rows.time_ns, frontier_ns, side="left"))
        if cut:
            parts.append(rows.take(slice(0, cut)))
        if cut < len(rows):
            kept.append(rows.take(slice(cut, None)))
    return kept
