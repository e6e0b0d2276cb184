"""Coinbase Exchange market data as rows: level-2 books and matches of many products.

A line is ``<receive time in seconds>: <json>``. ``snapshot`` and ``l2update`` give BOOK rows (and
QUOTE rows when the top changes), ``match`` gives TRADE rows. ``ticker`` says again what book and
matches say, and ``last_match`` is a trade from before the subscription: both are only counted.
"""

from collections import Counter
from decimal import Decimal
from typing import Literal

import attrs
import msgspec

from actors.messages.records import Origin
from actors.messages.slices import SliceBuilder
from actors.model.book import Level
from actors.model.grid import Listing, finest_step, optional_step
from actors.model.instrument import Instrument, InstrumentId, Instruments
from actors.model.timestamps import epoch_ns, iso_ns
from actors.venues.bookkeeper import Bookkeeper

_Levels = list[tuple[str, str]]
_Side = Literal["buy", "sell"]

_FINEST = Decimal("0.00000001")


@attrs.frozen(kw_only=True)
class CoinbaseOptions:
    """What the lines do not tell.

    Attributes:
        tick: The price step; by default that of the decimals in a product's snapshot.
        lot: The quantity step; by default that of the decimals in a product's snapshot.
    """

    tick: Decimal | None = attrs.field(default=None, converter=optional_step)
    lot: Decimal | None = attrs.field(default=None, converter=optional_step)


class _Snapshot(msgspec.Struct, tag_field="type", tag="snapshot"):
    product_id: str
    bids: _Levels
    asks: _Levels


class _Update(msgspec.Struct, tag_field="type", tag="l2update"):
    product_id: str
    changes: list[tuple[_Side, str, str]]
    time: str


class _Match(msgspec.Struct, tag_field="type", tag="match"):
    product_id: str
    side: _Side
    """The maker's side."""
    size: str
    price: str
    time: str


class _LastMatch(msgspec.Struct, tag_field="type", tag="last_match"):
    pass


class _Ticker(msgspec.Struct, tag_field="type", tag="ticker"):
    pass


class _Typed(msgspec.Struct):
    type: str


_Message = _Snapshot | _Update | _Match | _LastMatch | _Ticker

_MESSAGE = msgspec.json.Decoder(_Message)
_TYPED = msgspec.json.Decoder(_Typed)
_KNOWN = frozenset({"snapshot", "l2update", "match", "last_match", "ticker"})


class CoinbaseMarketData:
    """Decodes recorded lines or live frames; its state goes on from file to file.

    ``counts`` holds how many messages of each type were seen, and how many updates came before
    their product's snapshot (``l2update_early``).
    """

    def __init__(self, instruments: Instruments, options: CoinbaseOptions | None = None) -> None:
        self.bookkeeper = Bookkeeper()
        self.counts: Counter[str] = Counter()
        self._instruments = instruments
        self._options = options or CoinbaseOptions()
        self._listings: dict[str, Listing] = {}

    def decode(self, line: str, number: int, builder: SliceBuilder) -> None:
        """Add the rows of a recorded line.

        Raises:
            ValueError: If the line is malformed: nothing of it has been added.
        """
        head, _, text = line.partition(": ")
        self.decode_frame(text, number, builder, epoch_ns(head))

    def decode_frame(self, text: str, number: int, builder: SliceBuilder, time_ns: int) -> None:
        """Add the rows of a frame that was received at ``time_ns``.

        Raises:
            ValueError: If the frame is malformed: nothing of it has been added.
        """
        try:
            message: _Message = _MESSAGE.decode(text)
        except msgspec.ValidationError:
            if _TYPED.decode(text).type in _KNOWN:
                raise
            self.counts["other"] += 1
            return
        match message:
            case _Update():
                self._update(message, Origin(time_ns, iso_ns(message.time), number), builder)
                self.counts["l2update"] += 1
            case _Match():
                self._match(message, Origin(time_ns, iso_ns(message.time), number), builder)
                self.counts["match"] += 1
            case _Snapshot():
                self._snapshot(message, Origin(time_ns, 0, number), builder)
                self.counts["snapshot"] += 1
            case _LastMatch():
                self.counts["last_match"] += 1
            case _Ticker():
                self.counts["ticker"] += 1

    def _snapshot(self, message: _Snapshot, origin: Origin, builder: SliceBuilder) -> None:
        listing = self._listing(message.product_id, message.bids + message.asks)
        prices, quantities = listing.prices, listing.quantities
        levels: list[Level] = [(1, prices[price], quantities[size]) for price, size in message.bids]
        levels += [(-1, prices[price], quantities[size]) for price, size in message.asks]
        self.bookkeeper.snapshot(builder, listing.index, levels, origin)

    def _update(self, message: _Update, origin: Origin, builder: SliceBuilder) -> None:
        listing = self._listings.get(message.product_id)
        if listing is None or listing.index not in self.bookkeeper.books:
            self.counts["l2update_early"] += 1
            return
        prices, quantities = listing.prices, listing.quantities
        levels = [
            (1 if side == "buy" else -1, prices[price], quantities[size])
            for side, price, size in message.changes
        ]
        self.bookkeeper.change(builder, listing.index, levels, origin)

    def _match(self, message: _Match, origin: Origin, builder: SliceBuilder) -> None:
        listing = self._listing(message.product_id, [])
        aggressor = -1 if message.side == "buy" else 1
        values = listing.prices[message.price], listing.quantities[message.size], aggressor
        builder.trade(origin, listing.index, values)

    def _listing(self, product: str, seen: _Levels) -> Listing:
        """Return a product's instrument; the first levels seen say how fine its grid is."""
        listing = self._listings.get(product)
        if listing is None:
            options = self._options
            instrument = Instrument(
                id=InstrumentId(f"{product}.coinbase"),
                venue="coinbase",
                symbol=product,
                tick=options.tick or _step([price for price, _ in seen]),
                lot=options.lot or _step([size for _, size in seen]),
                currency=product.partition("-")[2] or "USD",
            )
            listing = self._listings[product] = Listing.of(self._instruments, instrument)
        return listing


def _step(numbers: list[str]) -> Decimal:
    """Return a step for all that the venue can print: it prints the same decimals every time."""
    return finest_step(numbers) if numbers else _FINEST
