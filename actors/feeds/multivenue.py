"""Raw frames of several venues in one file, in the order in which they were received.

A line is ``{"source", "recv_wall_ts", "recv_mono_ns", "ingest_seq", "payload"}``: who sent it, when
it came (milliseconds since 1970, and the recorder's own clock) and the venue's text, untouched.
"""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Literal

import attrs
import msgspec

from actors.messages.market import UNKNOWN_LOTS
from actors.messages.records import Origin
from actors.messages.slices import SliceBuilder
from actors.model.grid import PRICE_LIMIT, Listing
from actors.model.instrument import Instrument, InstrumentId, Instruments
from actors.model.timestamps import iso_ns, scaled_ns
from actors.venues.binance.market_data import BinanceMarketData, BinanceOptions
from actors.venues.polymarket.market_data import MarketDataOptions, PolymarketMarketData

CHAINLINK_TICK = Decimal("0.00000001")
"""Reference prices have 18 decimals; they are rounded to the nearest multiple of this."""
_CHAINLINK_UNITS_PER_TICK = 10**10
_CHAINLINK_DIGITS = 40
_CHAINLINK_TOPIC = "crypto_prices_chainlink"
_CENT = Decimal("0.01")
_FINE_LOT = Decimal("0.00000001")


@attrs.frozen(kw_only=True)
class MultiVenueOptions:
    """How the frames are read.

    Attributes:
        polymarket: For the source ``polymarket_clob``.
        binance_tick: The price step of Binance's columns.
        coinbase_tick: The price step of Coinbase's columns.
    """

    polymarket: MarketDataOptions = attrs.field(factory=MarketDataOptions)
    binance_tick: Decimal = attrs.field(default=_CENT)
    coinbase_tick: Decimal = attrs.field(default=_CENT)

    @binance_tick.validator
    @coinbase_tick.validator
    def _tick_is_positive(self, attribute: "attrs.Attribute[Decimal]", value: Decimal) -> None:
        if not value > 0:
            raise ValueError(f"{attribute.name}: expected above 0, found {value}")


class _Line(msgspec.Struct, frozen=True, gc=False):
    source: str
    recv_wall_ts: int
    payload: str


class _Ticker(msgspec.Struct, frozen=True, gc=False):
    type: Literal["ticker"]
    product_id: str
    price: str
    best_bid: str
    best_ask: str
    time: str
    side: Literal["buy", "sell"]
    """The taker's."""
    last_size: str
    best_bid_size: str | None = None
    best_ask_size: str | None = None


class _Typed(msgspec.Struct, frozen=True, gc=False):
    type: str
    topic: str = ""


class _Reference(msgspec.Struct, frozen=True, gc=False):
    symbol: str
    timestamp: int
    value: Decimal
    full_accuracy_value: str | None = None


class _ReferenceUpdate(msgspec.Struct, frozen=True, gc=False):
    payload: _Reference


_LINE = msgspec.json.Decoder(_Line)
_TICKER = msgspec.json.Decoder(_Ticker)
_TYPED = msgspec.json.Decoder(_Typed)
_REFERENCE = msgspec.json.Decoder(_ReferenceUpdate)


class MultiVenueFrames:
    """Decodes the lines; our time is when the recorder received the frame.

    - ``polymarket_clob``: books and trades, see :class:`PolymarketMarketData`.
    - ``binance``: combined streams, see :class:`BinanceMarketData`; ``BTCUSDT.binance``.
    - ``coinbase``: each ``ticker`` gives its trade, then its best quote; ``BTC-USD.coinbase``.
    - ``polymarket_rtds_chainlink``: each ``update`` gives a quote whose bid and ask are the
      reference price, of unknown size; ``BTC-USD.chainlink``. Batches of history are counted.

    Attributes:
        frames: Lines by source; lines of unknown sources count and say nothing.
        counts: Messages as ``<source>/<type>``, except Polymarket's and Binance's.
        polymarket: Polymarket's decoder, with counts of its own.
        binance: Binance's decoder, with counts of its own.
        bookkeeper: The books of all venues.
    """

    def __init__(self, instruments: Instruments, options: MultiVenueOptions | None = None) -> None:
        options = options or MultiVenueOptions()
        self.frames: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self.polymarket = PolymarketMarketData(instruments, options.polymarket)
        self.bookkeeper = self.polymarket.bookkeeper
        self.binance = BinanceMarketData(
            instruments, BinanceOptions(market="spot", tick=options.binance_tick, lot=_FINE_LOT)
        )
        self.binance.bookkeeper = self.bookkeeper
        self._instruments = instruments
        self._options = options
        self._listings: dict[str, Listing] = {}
        self._readers: dict[str, Callable[[str, int, SliceBuilder, int], None]] = {
            "polymarket_clob": self.polymarket.decode_frame,
            "binance": self.binance.decode_frame,
            "coinbase": self._coinbase,
            "polymarket_rtds_chainlink": self._chainlink,
        }

    def decode(self, line: str, number: int, builder: SliceBuilder) -> None:
        """Add the rows of a line.

        Raises:
            ValueError: If the line or its payload is malformed: nothing of it is applied.
        """
        frame = _LINE.decode(line)
        read = self._readers.get(frame.source)
        if read is None:
            self.frames["other"] += 1
            return
        time_ns = scaled_ns(frame.recv_wall_ts)
        try:
            read(frame.payload, number, builder, time_ns)
        except RecursionError as error:
            raise ValueError(f"{frame.source}: nested too deeply") from error
        except ValueError as error:
            raise ValueError(f"{frame.source}: {error}") from error
        self.frames[frame.source] += 1

    def _coinbase(self, text: str, number: int, builder: SliceBuilder, time_ns: int) -> None:
        if _TYPED.decode(text).type != "ticker":
            self.counts["coinbase/other"] += 1
            return
        ticker = _TICKER.decode(text)
        origin = Origin(time_ns, iso_ns(ticker.time), number)
        listing = self._listing(ticker.product_id, "coinbase", self._options.coinbase_tick)
        prices, quantities = listing.prices, listing.quantities
        aggressor = 1 if ticker.side == "buy" else -1
        trade = (prices[ticker.price], quantities[ticker.last_size], aggressor)
        bid_size, ask_size = ticker.best_bid_size, ticker.best_ask_size
        top = (
            prices[ticker.best_bid],
            prices[ticker.best_ask],
            quantities[bid_size] if bid_size else UNKNOWN_LOTS,
            quantities[ask_size] if ask_size else UNKNOWN_LOTS,
        )
        builder.trade(origin, listing.index, trade)
        builder.quote(origin, listing.index, top)
        self.counts["coinbase/ticker"] += 1

    def _chainlink(self, text: str, number: int, builder: SliceBuilder, time_ns: int) -> None:
        if not text.strip():
            self.counts["polymarket_rtds_chainlink/keep_alive"] += 1
            return
        typed = _TYPED.decode(text)
        if typed.type != "update" or typed.topic != _CHAINLINK_TOPIC:
            kind = "history" if typed.type == "subscribe" else "other"
            self.counts[f"polymarket_rtds_chainlink/{kind}"] += 1
            return
        reference = _REFERENCE.decode(text).payload
        ticks = _reference_ticks(reference)
        origin = Origin(time_ns, scaled_ns(reference.timestamp), number)
        product = reference.symbol.upper().replace("/", "-")
        listing = self._listing(product, "chainlink", CHAINLINK_TICK)
        builder.quote(origin, listing.index, (ticks, ticks, UNKNOWN_LOTS, UNKNOWN_LOTS))
        self.counts["polymarket_rtds_chainlink/update"] += 1

    def _listing(self, product: str, venue: str, tick: Decimal) -> Listing:
        name = f"{product}.{venue}"
        listing = self._listings.get(name)
        if listing is None:
            instrument = Instrument(
                id=InstrumentId(name),
                venue=venue,
                symbol=product,
                tick=tick,
                lot=_FINE_LOT,
                currency=product.partition("-")[2] or "USD",
            )
            listing = self._listings[name] = Listing.of(self._instruments, instrument)
        return listing


def _reference_ticks(reference: _Reference) -> int:
    """Return a reference price in ticks, rounded half up; ValueError if it is none."""
    exact = reference.full_accuracy_value
    units = 0
    if exact is None:
        units = int(reference.value * 10**18) if reference.value.is_finite() else 0
    elif exact.isascii() and exact.isdigit() and len(exact) <= _CHAINLINK_DIGITS:
        units = int(exact)
    ticks = (units + _CHAINLINK_UNITS_PER_TICK // 2) // _CHAINLINK_UNITS_PER_TICK
    if not 0 < ticks < PRICE_LIMIT:
        raise ValueError(f"price of {reference.symbol}: {exact or reference.value} is out of range")
    return ticks
