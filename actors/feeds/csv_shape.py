"""What must be known of a CSV file before its first row is read: grids, names, order, interval."""

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal

import attrs

from actors.feeds.csv_columns import Columns, TableKind, read_header
from actors.model.grid import decimals, step_of
from actors.model.timestamps import timestamp_ns

NOTHING = frozenset({"", "nan", "null", "none", "na", "n/a"})
"""Texts, in lower case, of a value that is not there."""

_PRICE_PLACES = 9
_LOT_PLACES = 6
_VOLUME_PLACES = 8
_DIGITS = 18
_STEPS = 10_000
"""How many different distances are counted at most."""
_DAY_NS = 86_400 * 1_000_000_000


@attrs.frozen(kw_only=True)
class Shape:
    """What one or more files of one kind have in common.

    Attributes:
        kind: What the rows are.
        names: The instruments' names, in order of first sight; the file's own, if it tells none.
        price_places: Decimals of the most precise price.
        size_places: Decimals of the most precise size.
        size_digits: Digits before the point of the largest size.
        is_newest_first: Whether the rows run from the latest to the earliest.
        steps_ns: How often each distance between the times of two rows occurs, of bars.
        is_daily: Whether the times are dates only.
    """

    kind: TableKind
    names: tuple[str, ...]
    price_places: int = 0
    size_places: int = 0
    size_digits: int = 0
    is_newest_first: bool = False
    steps_ns: Counter[int] = attrs.field(factory=Counter)
    is_daily: bool = False

    @property
    def has_noise(self) -> bool:
        """Return whether prices have more decimals than any venue uses: binary floats, printed."""
        return self.price_places > _PRICE_PLACES

    @property
    def tick(self) -> Decimal:
        """Return the step of which all prices are multiples, but for noise."""
        return step_of(min(self.price_places, _PRICE_PLACES))

    @property
    def lot(self) -> Decimal:
        """Return a step of which all sizes are multiples.

        It is 0.000001 or finer, so that it does not limit orders, except where sizes are so large
        that columns could not hold them. Volumes of bars may lie between its multiples.
        """
        room = _DIGITS - self.size_digits
        if self.kind is TableKind.BARS:
            places = min(max(self.size_places, _LOT_PLACES), _VOLUME_PLACES, room)
        else:
            places = max(self.size_places, min(_LOT_PLACES, room))
        return step_of(max(places, 0))

    @property
    def interval_ns(self) -> int | None:
        """Return the commonest distance between two rows (the longest, if there are several)."""
        if self.steps_ns:
            return max(self.steps_ns, key=lambda step: (self.steps_ns[step], step))
        return _DAY_NS if self.is_daily else None


def joined(shapes: Sequence[Shape]) -> Shape:
    """Return the shape of several files of one kind together."""
    return Shape(
        kind=shapes[0].kind,
        names=tuple(dict.fromkeys(name for shape in shapes for name in shape.names)),
        price_places=max(shape.price_places for shape in shapes),
        size_places=max(shape.size_places for shape in shapes),
        size_digits=max(shape.size_digits for shape in shapes),
        is_newest_first=False,
        steps_ns=sum((shape.steps_ns for shape in shapes), Counter()),
        is_daily=all(shape.is_daily for shape in shapes),
    )


def read_shape(kind: TableKind, lines: Iterable[str], name: str) -> Shape:
    """Return a file's shape; malformed rows are left out of account.

    Args:
        kind: What its rows are.
        lines: Its lines, the header first.
        name: What the instrument is called, if there is no column that tells.

    Raises:
        ValueError: If the file is empty or its header lacks a column.
    """
    filled = (line for line in lines if line.strip())
    header = next(filled, None)
    if header is None:
        raise ValueError("the file is empty")
    survey = _Survey(kind, read_header(header, kind), name)
    for line in filled:
        survey.add(line)
    return survey.shape()


class _Survey:
    """Collects what a shape says, row by row."""

    def __init__(self, kind: TableKind, columns: Columns, name: str) -> None:
        self._kind = kind
        self._name = name
        self._columns = columns
        self._sizes = [column for column in columns.sizes if column is not None]
        self._last_ns: dict[str, int] = {}
        self._price_places = 0
        self._size_places = 0
        self._size_digits = 0
        self._rising = 0
        self._falling = 0
        self._steps_ns: Counter[int] = Counter()
        self._is_daily = True

    def add(self, line: str) -> None:
        """Take a row into account, if it is well-formed."""
        columns = self._columns
        try:
            fields = columns.split(line)
            time_ns = timestamp_ns(fields[columns.time])
            prices = [_places(fields[column]) for column in columns.prices]
            sizes = [fields[column] for column in self._sizes]
            size_places = [_places(size) for size in sizes]
        except ValueError:
            return
        self._price_places = max(self._price_places, *prices)
        self._size_places = max(self._size_places, *size_places, 0)
        digits = (len(size.partition(".")[0]) for size in sizes)
        self._size_digits = max(self._size_digits, *digits, 0)
        name = self._name if columns.instrument is None else fields[columns.instrument]
        self._time(name, time_ns)

    def _time(self, name: str, time_ns: int) -> None:
        step = time_ns - self._last_ns.get(name, time_ns)
        self._last_ns[name] = time_ns
        self._rising += step > 0
        self._falling += step < 0
        self._is_daily = self._is_daily and time_ns % _DAY_NS == 0
        if self._kind is TableKind.BARS and step and len(self._steps_ns) < _STEPS:
            self._steps_ns[abs(step)] += 1

    def shape(self) -> Shape:
        """Return what was found."""
        return Shape(
            kind=self._kind,
            names=tuple(self._last_ns),
            price_places=self._price_places,
            size_places=self._size_places,
            size_digits=self._size_digits,
            is_newest_first=self._falling > self._rising,
            steps_ns=self._steps_ns,
            is_daily=self._is_daily and bool(self._last_ns),
        )


def _places(text: str) -> int:
    return 0 if text.lower() in NOTHING else decimals(text, trimmed=True)
