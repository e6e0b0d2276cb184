"""CSV files with a header as rows: best quotes, bars, and trades.

Columns stand in any order and under several names (``actors.feeds.csv_columns``). Times are ISO
8601 (UTC unless they name a zone) or numbers since 1970. Prices and sizes are read exactly.
"""

from collections import Counter

from actors.feeds.csv_columns import Columns, TableKind, read_header
from actors.feeds.csv_instruments import CsvOptions, listings
from actors.feeds.csv_shape import NOTHING, Shape
from actors.messages.market import UNKNOWN_LOTS
from actors.messages.records import Origin
from actors.messages.slices import SliceBuilder
from actors.model.grid import Grid, Listing
from actors.model.instrument import Instruments
from actors.model.timestamps import TIME_LIMIT_NS, timestamp_ns
from actors.venues.bookkeeper import Bookkeeper

_BUYERS = frozenset({"buy", "bid", "buyer", "b", "1", "+1"})
_SELLERS = frozenset({"sell", "ask", "seller", "s", "-1"})
_NOT_TOLD = frozenset({"unknown", "0"}) | NOTHING


class CsvTable:
    """Decodes the rows of one kind of table; each file begins with its header, as line 1.

    Raises:
        ValueError: If the length of bars is neither in the options nor told by the data.
    """

    def __init__(
        self, instruments: Instruments, shape: Shape, options: CsvOptions | None = None
    ) -> None:
        self.bookkeeper = Bookkeeper()
        self.counts: Counter[str] = Counter()
        self._kind = shape.kind
        self._columns: Columns | None = None
        options = options or CsvOptions()
        self._bar_ns = _bar_ns(shape, options) if shape.kind is TableKind.BARS else 0
        self._tells_opens = options.opens
        self._name = shape.names[0] if shape.names else ""
        self._listings = listings(instruments, shape, options)

    def decode(self, line: str, number: int, builder: SliceBuilder) -> None:
        """Add a row; line 1 is a header, empty lines are passed over.

        Raises:
            ValueError: If the line is malformed: nothing of it has been added.
        """
        if number == 1:
            self._columns = None
        if not line.strip():
            return
        columns = self._columns
        if columns is None:
            self._columns = read_header(line, self._kind)
            return
        fields = columns.split(line)
        told_ns = timestamp_ns(fields[columns.time])
        time_ns = told_ns + self._bar_ns
        if time_ns >= TIME_LIMIT_NS:
            raise ValueError(f"the bar ends too late: {fields[columns.time]!r}")
        venue_ns = 0 if columns.venue_time is None else timestamp_ns(fields[columns.venue_time])
        origin = Origin(time_ns, venue_ns, number)
        name = self._name if columns.instrument is None else fields[columns.instrument]
        listing = self._listings.get(name)
        if listing is None:
            raise ValueError(f"unknown instrument {name!r}")
        if self._tells_opens and self._kind is TableKind.BARS:
            self._open(
                _bar(columns, fields, listing)[0], listing, Origin(told_ns, 0, number), builder
            )
        self._row(columns, fields, listing, origin, builder)
        self.counts[self._kind.name.lower()] += 1

    def _open(self, ticks: int, listing: Listing, origin: Origin, builder: SliceBuilder) -> None:
        """Tell what a bar opens at, when it does."""
        sides = (ticks, ticks, UNKNOWN_LOTS, UNKNOWN_LOTS)
        self.bookkeeper.quote(builder, listing.index, sides, origin)

    def _row(
        self,
        columns: Columns,
        fields: list[str],
        listing: Listing,
        origin: Origin,
        builder: SliceBuilder,
    ) -> None:
        match self._kind:
            case TableKind.QUOTES:
                self.bookkeeper.quote(
                    builder, listing.index, _top(columns, fields, listing), origin
                )
            case TableKind.BARS:
                builder.bar(origin, listing.index, _bar(columns, fields, listing))
            case TableKind.TRADES:
                builder.trade(origin, listing.index, _print(columns, fields, listing))


def _top(columns: Columns, fields: list[str], listing: Listing) -> tuple[int, int, int, int]:
    """Return bid and ask in ticks, then in lots; a side without price, or with 0, is empty."""
    bid, bid_lots = _side(columns, fields, listing, 0)
    ask, ask_lots = _side(columns, fields, listing, 1)
    return bid, ask, bid_lots, ask_lots


def _side(columns: Columns, fields: list[str], listing: Listing, side: int) -> tuple[int, int]:
    ticks = _value(fields, columns.prices[side], listing.prices, missing=0)
    lots = _value(fields, columns.sizes[side], listing.quantities, missing=UNKNOWN_LOTS)
    return (ticks, lots) if ticks and lots else (0, 0)


def _bar(columns: Columns, fields: list[str], listing: Listing) -> tuple[int, int, int, int, int]:
    prices = listing.prices
    first, high, low, last = (prices[fields[column]] for column in columns.prices)
    if low > high:
        raise ValueError("the low is above the high")
    volume = _value(fields, columns.sizes[0], listing.quantities, missing=UNKNOWN_LOTS)
    return first, high, low, last, volume


def _print(columns: Columns, fields: list[str], listing: Listing) -> tuple[int, int, int]:
    assert columns.sizes[0] is not None
    price = listing.prices[fields[columns.prices[0]]]
    lots = listing.quantities[fields[columns.sizes[0]]]
    if not price or not lots:
        raise ValueError("a trade needs a price and a size above 0")
    return price, lots, _aggressor(columns, fields)


def _aggressor(columns: Columns, fields: list[str]) -> int:
    if columns.maker_bought is not None:
        text = fields[columns.maker_bought].lower()
        if text not in ("true", "false"):
            raise ValueError(f"expected true or false, found {text!r}")
        return -1 if text == "true" else 1
    text = "" if columns.side is None else fields[columns.side].lower()
    if text in _BUYERS:
        return 1
    if text in _SELLERS:
        return -1
    if text in _NOT_TOLD:
        return 0
    raise ValueError(f"expected the side that took, found {text!r}")


def _value(fields: list[str], column: int | None, grid: Grid, *, missing: int) -> int:
    if column is None or fields[column].lower() in NOTHING:
        return missing
    return grid[fields[column]]


def _bar_ns(shape: Shape, options: CsvOptions) -> int:
    """Return what makes the time of a bar's close of the time in the table."""
    if options.bar_time == "close":
        return 0
    interval_ns = options.interval_ns or shape.interval_ns
    if interval_ns is None:
        raise ValueError("the option `interval` must say how long a bar lasts")
    return interval_ns
