"""Which columns a CSV file has, and what they mean."""

import csv
from collections.abc import Sequence
from enum import Enum

import attrs

_Spellings = tuple[str, ...]

_TIME = ("local_timestamp", "t_unix", "timestamp", "datetime", "time", "date", "ts", "")
_VENUE_TIME = ("timestamp",)
_INSTRUMENT = ("market", "instrument", "symbol")
_BID = ("bid", "bid_price", "best_bid")
_ASK = ("ask", "ask_price", "best_ask")
_BID_SIZE = ("bid_size", "bid_amount", "bid_qty", "bid_quantity", "bid_volume", "best_bid_size")
_ASK_SIZE = ("ask_size", "ask_amount", "ask_qty", "ask_quantity", "ask_volume", "best_ask_size")
_PRICE = ("price",)
_SIZE = ("amount", "size", "quantity", "qty")
_SIDE = ("side", "type", "aggressor")
_DELIMITERS = ",;\t"


class TableKind(Enum):
    """What the rows of a table are; the value is the name of the format."""

    QUOTES = "quotes_csv"
    BARS = "bars_csv"
    TRADES = "trades_csv"


_PRICES: dict[TableKind, tuple[_Spellings, ...]] = {
    TableKind.QUOTES: (_BID, _ASK),
    TableKind.BARS: (("open",), ("high",), ("low",), ("close",)),
    TableKind.TRADES: (_PRICE,),
}
_SIZES: dict[TableKind, tuple[_Spellings, ...]] = {
    TableKind.QUOTES: (_BID_SIZE, _ASK_SIZE),
    TableKind.BARS: (("volume",),),
    TableKind.TRADES: (_SIZE,),
}


@attrs.frozen(kw_only=True)
class Columns:
    """Where a table's columns are, counted from 0; None where a table does not have one.

    Attributes:
        delimiter: What stands between two fields.
        width: How many fields a row has.
        time: Our time, or the only one.
        venue_time: The venue's time, where the table has both.
        instrument: The instrument's name.
        prices: Bid and ask; open, high, low and close; or the price.
        sizes: Bid and ask size; volume; or the size.
        side: Who took, of a trade.
        maker_bought: Whether the buyer was the maker, of a trade.
    """

    delimiter: str
    width: int
    time: int
    venue_time: int | None
    instrument: int | None
    prices: tuple[int, ...]
    sizes: tuple[int | None, ...]
    side: int | None
    maker_bought: int | None

    def split(self, line: str) -> list[str]:
        """Return a row's fields without the blanks around them.

        Raises:
            ValueError: If there are fewer or more than the header has.
        """
        fields = _quoted(line, self.delimiter) if '"' in line else line.split(self.delimiter)
        if len(fields) != self.width:
            raise ValueError(f"expected {self.width} fields, found {len(fields)}")
        return [field.strip() for field in fields]


def _quoted(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True))
    except csv.Error as error:
        raise ValueError(str(error)) from error


def read_header(line: str, kind: TableKind) -> Columns:
    """Return the columns that a header names; it may begin with ``#``.

    Raises:
        ValueError: If a column that the kind needs is missing.
    """
    line = line.lstrip("#")
    delimiter = next((each for each in _DELIMITERS if each in line), ",")
    names = [name.strip().strip('"').strip().lower() for name in line.split(delimiter)]
    is_trades = kind is TableKind.TRADES
    if is_trades and "is_snapshot" in names:
        raise ValueError("these are changes of a book, not trades")
    time = _column(names, (*_TIME, "id") if is_trades else _TIME)
    venue_time = _find(names, _VENUE_TIME)
    sizes = tuple(_find(names, spellings) for spellings in _SIZES[kind])
    if is_trades:
        sizes = (_column(names, _SIZE),)
    return Columns(
        delimiter=delimiter,
        width=len(names),
        time=time,
        venue_time=None if venue_time == time else venue_time,
        instrument=_find(names, _INSTRUMENT),
        prices=tuple(_column(names, spellings) for spellings in _PRICES[kind]),
        sizes=sizes,
        side=_find(names, _SIDE) if is_trades else None,
        maker_bought=_find(names, ("is_buyer_maker",)) if is_trades else None,
    )


def table_kind(header: str) -> TableKind | None:
    """Return which kind of table a header belongs to, or None."""
    for kind in (TableKind.BARS, TableKind.QUOTES, TableKind.TRADES):
        try:
            read_header(header, kind)
        except ValueError:
            continue
        return kind
    return None


def _column(names: Sequence[str], spellings: _Spellings) -> int:
    found = _find(names, spellings)
    if found is None:
        wanted = " or ".join(spelling or "an unnamed one" for spelling in spellings)
        raise ValueError(f"no column {wanted} (found: {', '.join(names)[:200]})")
    return found


def _find(names: Sequence[str], spellings: _Spellings) -> int | None:
    return next((names.index(spelling) for spelling in spellings if spelling in names), None)
