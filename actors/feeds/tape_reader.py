"""Reads one tape: lines in, slices and counts out."""

from collections.abc import Iterator

import attrs

from actors.errors import DataError
from actors.feeds.decoder import Decoder
from actors.feeds.recordings import LINE_ERRORS, Recording, Tape
from actors.feeds.window import Window
from actors.messages.slices import Slice
from actors.model.instrument import Instruments

CHUNK_ROWS = 4096
"""So many rows are decoded at a time, however they are cut afterwards."""
PROBLEMS_KEPT = 100
"""How many malformed lines are remembered one by one; all are counted."""

_REASON_LENGTH = 300


@attrs.frozen
class LineProblem:
    """A line that could not be read: the file's name, the line's number from 1, and why."""

    file: str
    line: int
    reason: str


class Problems:
    """The first malformed lines, and how many there were."""

    def __init__(self) -> None:
        self.first: list[LineProblem] = []
        self.total = 0

    def add(self, file: str, line: int, error: BaseException) -> None:
        """Note a malformed line."""
        self.total += 1
        if len(self.first) < PROBLEMS_KEPT:
            self.first.append(LineProblem(file, line, _reason(error)[:_REASON_LENGTH]))


def _reason(error: BaseException) -> str:
    if isinstance(error, DataError):
        return error.reason
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 at byte {error.start}"
    text = str(error)
    return text if type(error) is ValueError and text else f"{type(error).__name__}: {text}"


@attrs.define
class FileTally:
    """What reading one file has come to."""

    recording: Recording
    lines: int = 0
    rows: int = 0
    late_rows: int = 0
    malformed: int = 0


@attrs.frozen
class Span:
    """From when on, and until before when, rows are wanted; None for no end."""

    start_ns: int = 0
    stop_ns: int | None = None


class TapeReader:
    """Decodes the files of a tape, once.

    A malformed line is noted and passed over; a damaged file ends where the damage begins.

    Attributes:
        tallies: One per file, in order.
        decoder: Holds the books, and counts of what it saw.
    """

    def __init__(
        self, tape: Tape, instruments: Instruments, span: Span, problems: Problems
    ) -> None:
        self.tallies = [FileTally(recording) for recording in tape.recordings]
        self.decoder: Decoder = tape.decoder(instruments)
        self._problems = problems
        self._window = Window(instruments, self.decoder.bookkeeper, span.start_ns, span.stop_ns)

    def slices(self) -> Iterator[Slice]:
        """Yield the rows. What was decoded before an unexpected error comes before the error.

        Raises:
            OSError: If a file cannot be read (any longer).
        """
        window = self._window
        try:
            for tally in self.tallies:
                yield from self._file(tally)
                if window.is_over:
                    break
            window.open()
        except Exception:
            if len(window):
                yield window.build()
            raise
        if len(window):
            yield window.build()

    def _file(self, tally: FileTally) -> Iterator[Slice]:
        """Yield full slices of one file; the last rows stay with the builder."""
        window, decode = self._window, self.decoder.decode
        built, late_rows = -len(window), window.late_rows
        try:
            for number, raw in tally.recording.lines():
                tally.lines += 1
                try:
                    decode(raw.decode(), number, window)
                except LINE_ERRORS as error:
                    self._note(tally, number, error)
                if len(window) >= CHUNK_ROWS:
                    built += len(window)
                    yield window.build()
                if window.is_over:
                    break
        except DataError as error:
            self._note(tally, error.line, error)
        finally:
            tally.rows = built + len(window)
            tally.late_rows = window.late_rows - late_rows

    def _note(self, tally: FileTally, line: int, error: BaseException) -> None:
        tally.malformed += 1
        self._problems.add(tally.recording.path.name, line, error)
