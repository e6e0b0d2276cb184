"""Market rows as the journal keeps them: the raw columns, and what these mean."""

from decimal import Decimal

import msgspec

from actors.messages.market import (
    CONNECTION_STATES,
    Bar,
    BookChange,
    Connection,
    EventKind,
    MarketEvent,
    Quote,
    Resolution,
    Trade,
)
from actors.model.instrument import Instrument
from actors.model.money import plain

Columns = tuple[int, ...]
"""The columns ``a`` to ``e`` of a row; see :class:`~actors.messages.slices.Slice`."""

_NAMES = [kind.name for kind in EventKind]


class Origin(msgspec.Struct, frozen=True, gc=False):
    """When and where a row comes from: our clock, the venue's, and the line of the file."""

    time_ns: int
    venue_time_ns: int = 0
    line: int = 0
    update_id: int = 0
    """The venue's number of a book update."""


class MarketRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One market row in the journal: written only for rows that led to something.

    Prices and sizes are whole numbers of ``tick`` and ``lot``, as in the columns.
    """

    kind: str
    instrument: str
    time_ns: int
    venue_time_ns: int
    line: int
    """Line of the recorded file, or number of the generated row; from 1."""
    tick: Decimal
    lot: Decimal
    columns: Columns

    @property
    def values(self) -> dict[str, str]:
        """Return what the columns mean, in words and decimals; an empty side is an empty text."""
        columns = self.columns
        match EventKind[self.kind]:
            case EventKind.QUOTE:
                bid, ask, bid_lots, ask_lots = columns[:4]
                return {
                    "bid": self._price(bid) if bid_lots else "",
                    "ask": self._price(ask) if ask_lots else "",
                    "bid_quantity": self._quantity(bid_lots),
                    "ask_quantity": self._quantity(ask_lots),
                }
            case EventKind.TRADE:
                return {"price": self._price(columns[0]), "quantity": self._quantity(columns[1])}
            case EventKind.BAR:
                names = ("open", "high", "low", "close")
                prices = zip(names, map(self._price, columns[:4]), strict=True)
                return {**dict(prices), "volume": self._quantity(columns[4])}
            case EventKind.BOOK:
                what = "snapshot" if columns[2] else "change"
                return {what: f"{columns[1] - columns[0]} levels", "update_id": str(columns[3])}
            case EventKind.CONNECTION:
                return {"state": CONNECTION_STATES[columns[0]]}
            case EventKind.RESOLUTION:
                return {"payoff": self._price(columns[0])}

    def _price(self, ticks: int) -> str:
        return plain(self.tick * ticks)

    def _quantity(self, lots: int) -> str:
        return "" if lots < 0 else plain(self.lot * lots)


_NOTHING = Decimal(1)


def market_row(
    kind: int, instrument: Instrument | None, columns: Columns, origin: Origin
) -> MarketRow:
    """Return a row for the journal; no instrument means the whole feed."""
    return MarketRow(
        kind=_NAMES[kind],
        instrument="" if instrument is None else instrument.id,
        time_ns=origin.time_ns,
        venue_time_ns=origin.venue_time_ns,
        line=origin.line,
        tick=_NOTHING if instrument is None else instrument.tick,
        lot=_NOTHING if instrument is None else instrument.lot,
        columns=columns,
    )


def columns_of(event: MarketEvent) -> tuple[EventKind, Columns]:
    """Return a row object's kind and its columns, as far as it tells."""
    match event:
        case Quote():
            columns: Columns = (event.bid_ticks, event.ask_ticks, event.bid_lots, event.ask_lots, 0)
            return EventKind.QUOTE, columns
        case Trade():
            return EventKind.TRADE, (event.price_ticks, event.lots, event.aggressor, 0, 0)
        case Bar():
            prices = (event.open_ticks, event.high_ticks, event.low_ticks, event.close_ticks)
            return EventKind.BAR, (*prices, event.volume_lots)
        case BookChange():
            is_snapshot = int(event.is_snapshot)
            return EventKind.BOOK, (0, len(event.levels), is_snapshot, event.update_id, 0)
        case Connection():
            return EventKind.CONNECTION, (CONNECTION_STATES.index(event.state), 0, 0, 0, 0)
        case Resolution():
            return EventKind.RESOLUTION, (event.payoff_ticks, 0, 0, 0, 0)
