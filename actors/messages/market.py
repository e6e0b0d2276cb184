"""Market events as callbacks get them: one small frozen object per row.

``*_ticks`` and ``*_lots`` are the exact integers of the columns. ``bid``, ``ask``, ``price`` and
``quantity`` are the same as decimals, to order with; ``mid``, ``open``, ``high``, ``low``,
``close`` and ``volume`` are floats, to compute with.
"""

from decimal import Decimal
from enum import IntEnum, StrEnum

import msgspec

from actors.model.instrument import Instrument

NO_PRICE = 1 << 53
"""Ask ticks of an empty ask side (an empty bid side has 0): no limit can reach it."""
UNKNOWN_LOTS = -1
"""Size of a price whose size the data do not tell; taken as unlimited."""


class EventKind(IntEnum):
    """What a row of a slice is; the low three bits of its code."""

    QUOTE = 0
    TRADE = 1
    BAR = 2
    BOOK = 3
    CONNECTION = 4
    RESOLUTION = 5


KIND_BITS = 3
KIND_MASK = (1 << KIND_BITS) - 1


class ConnectionState(StrEnum):
    """What a feed says about itself, or about the book of one instrument."""

    UP = "UP"
    DOWN = "DOWN"
    GAPPED = "GAPPED"
    SYNCED = "SYNCED"


CONNECTION_STATES = tuple(ConnectionState)


class Quote(msgspec.Struct, frozen=True, gc=False):
    """The best bid and ask of one instrument."""

    time_ns: int
    instrument: Instrument
    bid_ticks: int
    ask_ticks: int
    bid_lots: int
    ask_lots: int
    mid: float
    """Half way between bid and ask; nan where a side is empty."""

    @property
    def bid(self) -> Decimal | None:
        """Return the best bid, or None if nobody bids."""
        return None if self.bid_lots == 0 else self.instrument.price(self.bid_ticks)

    @property
    def ask(self) -> Decimal | None:
        """Return the best ask, or None if nobody offers."""
        return None if self.ask_lots == 0 else self.instrument.price(self.ask_ticks)

    @property
    def bid_quantity(self) -> Decimal | None:
        """Return the size of the best bid, or None if the data do not tell."""
        return None if self.bid_lots < 0 else self.instrument.quantity(self.bid_lots)

    @property
    def ask_quantity(self) -> Decimal | None:
        """Return the size of the best ask, or None if the data do not tell."""
        return None if self.ask_lots < 0 else self.instrument.quantity(self.ask_lots)


class Trade(msgspec.Struct, frozen=True, gc=False):
    """A public print."""

    time_ns: int
    instrument: Instrument
    price_ticks: int
    lots: int
    aggressor: int
    """+1: a buyer took; -1: a seller took; 0: not known."""

    @property
    def price(self) -> Decimal:
        """Return the price as a decimal."""
        return self.instrument.price(self.price_ticks)

    @property
    def quantity(self) -> Decimal:
        """Return the size as a decimal."""
        return self.instrument.quantity(self.lots)


class Bar(msgspec.Struct, frozen=True, gc=False):
    """Open, high, low, close and volume; ``time_ns`` is when the bar closed."""

    time_ns: int
    instrument: Instrument
    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    volume_lots: int
    close: float

    @property
    def open(self) -> float:
        """Return the open as a float."""
        return float(self.instrument.price(self.open_ticks))

    @property
    def high(self) -> float:
        """Return the high as a float."""
        return float(self.instrument.price(self.high_ticks))

    @property
    def low(self) -> float:
        """Return the low as a float."""
        return float(self.instrument.price(self.low_ticks))

    @property
    def volume(self) -> float:
        """Return the volume as a float, in units."""
        return float(self.instrument.quantity(self.volume_lots))

    @property
    def close_price(self) -> Decimal:
        """Return the close as a decimal."""
        return self.instrument.price(self.close_ticks)


class BookChange(msgspec.Struct, frozen=True, gc=False):
    """Levels of one book that were set, or its whole new state."""

    time_ns: int
    instrument: Instrument
    is_snapshot: bool
    levels: tuple[tuple[int, int, int], ...]
    """``(side, ticks, lots)``: side +1 is a bid, -1 an ask; lots are absolute, 0 removes."""
    update_id: int
    """The venue's number of this update, 0 where it has none."""


class BookView(msgspec.Struct, frozen=True, gc=False):
    """The best levels of a book at one moment, best first: ``(ticks, lots)``."""

    time_ns: int
    instrument: Instrument
    bids: tuple[tuple[int, int], ...]
    asks: tuple[tuple[int, int], ...]
    version: int
    """Grows by one with each change of this book."""

    @property
    def bid(self) -> Decimal | None:
        """Return the best bid, or None if nobody bids."""
        return self.instrument.price(self.bids[0][0]) if self.bids else None

    @property
    def ask(self) -> Decimal | None:
        """Return the best ask, or None if nobody offers."""
        return self.instrument.price(self.asks[0][0]) if self.asks else None


class Connection(msgspec.Struct, frozen=True, gc=False):
    """A feed went down or up, or one book lost or found its sequence."""

    time_ns: int
    instrument: Instrument | None
    """None: every instrument of the feed."""
    state: ConnectionState


class Resolution(msgspec.Struct, frozen=True, gc=False):
    """A market has resolved: each unit of the instrument pays ``payoff_ticks`` ticks."""

    time_ns: int
    instrument: Instrument
    payoff_ticks: int

    @property
    def payoff(self) -> Decimal:
        """Return what one unit pays."""
        return self.instrument.price(self.payoff_ticks)


MarketEvent = Quote | Trade | Bar | BookChange | Connection | Resolution
