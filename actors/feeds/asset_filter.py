"""Which instruments' rows a feed hands on."""

from fnmatch import fnmatchcase

import numpy as np
from numpy.typing import NDArray

from actors.messages.slices import Slice
from actors.model.instrument import Instruments


class AssetFilter:
    """Keeps the rows of wanted instruments, and those that speak for the whole feed."""

    def __init__(self, instruments: Instruments, patterns: tuple[str, ...] | None) -> None:
        self._instruments = instruments
        self._patterns = patterns
        self._is_wanted: NDArray[np.bool_] = np.empty(0, dtype=np.bool_)

    def wanted(self, rows: Slice) -> Slice:
        """Return the rows that are wanted."""
        if self._patterns is None or not len(rows):
            return rows
        self._judge_new()
        keep = (rows.instrument < 0) | self._is_wanted[rows.instrument]
        return rows if keep.all() else rows.take(np.flatnonzero(keep))

    def unmatched(self) -> list[str]:
        """Return the patterns that no instrument of the run matches: perhaps misspelt."""
        return [
            pattern
            for pattern in self._patterns or ()
            if not any(_matches(each.id, pattern) for each in self._instruments)
        ]

    def _judge_new(self) -> None:
        count = len(self._is_wanted)
        if count < len(self._instruments):
            new = [
                self._wants(self._instruments[i].id) for i in range(count, len(self._instruments))
            ]
            self._is_wanted = np.concatenate([self._is_wanted, np.array(new, dtype=np.bool_)])

    def _wants(self, instrument: str) -> bool:
        return any(_matches(instrument, pattern) for pattern in self._patterns or ())


def _matches(instrument: str, pattern: str) -> bool:
    return instrument == pattern or fnmatchcase(instrument, pattern)
