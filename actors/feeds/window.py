"""A builder that keeps the rows of a stretch of time, and counts those that came late."""

from actors.messages.market import EventKind
from actors.messages.records import Origin
from actors.messages.slices import SliceBuilder
from actors.model.instrument import Instruments
from actors.venues.bookkeeper import Bookkeeper

_Values = tuple[int, int, int, int, int]


class Window(SliceBuilder):
    """Keeps rows from ``start_ns`` on and before ``stop_ns``.

    The first row that is kept comes after the state of every book at ``start_ns``, as the rows
    before it have left it. ``start_ns`` 0 keeps everything from the beginning.

    Attributes:
        is_over: Whether a row at or after ``stop_ns`` has come.
        late_rows: How many rows bore an earlier time than the row before them.
    """

    def __init__(
        self,
        instruments: Instruments,
        bookkeeper: Bookkeeper,
        start_ns: int = 0,
        stop_ns: int | None = None,
    ) -> None:
        super().__init__(instruments)
        self.is_over = False
        self.late_rows = 0
        self._bookkeeper = bookkeeper
        self._start_ns = start_ns
        self._stop_ns = stop_ns
        self._is_open = start_ns <= 0

    def open(self) -> None:
        """Write the state of the books, if no row has been kept yet."""
        if not self._is_open:
            self._is_open = True
            self._bookkeeper.resume(self, self._start_ns)

    def _add(self, kind: EventKind, origin: Origin, instrument: int, values: _Values) -> "Window":
        time_ns = origin.time_ns
        if time_ns < self._last_ns:
            self.late_rows += 1
            time_ns = self._last_ns
        if not self._is_open:
            if time_ns < self._start_ns:
                self._last_ns = time_ns
                self._levels.clear()
                return self
            self.open()
        if self._stop_ns is not None and time_ns >= self._stop_ns:
            self._last_ns = time_ns
            self.is_over = True
            if kind is EventKind.BOOK:
                del self._levels[values[0] : values[1]]
            return self
        return super()._add(kind, origin, instrument, values)
