"""Binance market streams as rows: depth, best quotes and trades of spot and USD-M futures.

A line is ``<receive ns> <json>``. The JSON is a combined-stream frame (``stream``, ``data``), or a
REST depth snapshot (``lastUpdateId``) where it arrived. Depth gives BOOK rows and ``trade`` gives
TRADE rows. QUOTE rows come from ``bookTicker`` as soon as a symbol has it, for it is several times
faster than depth; the book's own top, which is older, is not written any more then.
"""

from collections import Counter
from decimal import Decimal
from typing import Literal

import attrs

from actors.messages.records import Origin
from actors.messages.slices import SliceBuilder
from actors.model.book import Level
from actors.model.grid import Listing, finest_step, optional_step
from actors.model.instrument import Instrument, InstrumentId, Instruments
from actors.model.timestamps import scaled_ns
from actors.venues.binance import streams
from actors.venues.binance.depth_sync import DepthSync, DepthUpdate, Verdict
from actors.venues.bookkeeper import Bookkeeper

_FINEST = Decimal("0.00000001")
_ENOUGH_PRICES = 4
"""So many prices show the venue's price step: the last digit of each is 0 once in 10,000."""
_QUOTE_ASSETS = ("USDT", "USDC", "FDUSD", "TUSD", "BUSD", "USD", "EUR", "TRY", "BTC", "ETH", "BNB")


@attrs.frozen(kw_only=True)
class BinanceOptions:
    """What the lines do not tell.

    Attributes:
        market: ``spot`` or ``usdm``; told from the first message if not given.
        symbol: The symbol of snapshots, which do not name it; the only one seen if not given.
        tick: The column grid of prices; by default all the decimals that the venue prints.
        order_tick: The price step of orders; by default the finest seen in the first message.
        lot: The column grid of quantities; by default all the decimals that the venue prints.
    """

    market: Literal["spot", "usdm"] | None = attrs.field(
        default=None, validator=attrs.validators.in_((None, "spot", "usdm"))
    )
    symbol: str | None = None
    tick: Decimal | None = attrs.field(default=None, converter=optional_step)
    order_tick: Decimal | None = attrs.field(default=None, converter=optional_step)
    lot: Decimal | None = attrs.field(default=None, converter=optional_step)


class _Symbol:
    """What is known of one symbol."""

    __slots__ = ("listing", "sync", "ticker_id")

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.sync = DepthSync()
        self.ticker_id = 0

    def levels(self, bids: streams.Levels, asks: streams.Levels) -> list[Level]:
        """Return the venue's levels in ticks and lots."""
        prices, quantities = self.listing.prices, self.listing.quantities
        levels = [(1, prices[price], quantities[size]) for price, size in bids]
        levels += [(-1, prices[price], quantities[size]) for price, size in asks]
        return levels


class BinanceMarketData:
    """Decodes recorded lines or live frames; its state goes on from file to file.

    ``counts`` holds how many messages of each stream were seen (``depth``, ``bookTicker``,
    ``trade``, ``snapshot`` ...) and what became of depth: ``depth_applied``, ``depth_dropped``,
    ``gap``, ``snapshot_unused``.
    """

    def __init__(self, instruments: Instruments, options: BinanceOptions | None = None) -> None:
        self.bookkeeper = Bookkeeper()
        self.counts: Counter[str] = Counter()
        self._instruments = instruments
        self._options = options or BinanceOptions()
        self._symbols: dict[str, _Symbol] = {}

    def decode(self, line: str, number: int, builder: SliceBuilder) -> None:
        """Add the rows of a recorded line.

        Raises:
            ValueError: If the line is malformed: nothing of it has been added.
        """
        head, _, text = line.partition(" ")
        self.decode_frame(text, number, builder, streams.receive_ns(head))

    def decode_frame(self, text: str, number: int, builder: SliceBuilder, time_ns: int) -> None:
        """Add the rows of a frame, or of a snapshot, that was received at ``time_ns``.

        Raises:
            ValueError: If the text is malformed: nothing of it has been added.
        """
        frame = streams.FRAME.decode(text)
        stream = frame.stream.partition("@")[2].partition("@")[0]
        match stream:
            case "depth":
                self._depth(streams.DEPTH.decode(frame.data), Origin(time_ns, 0, number), builder)
            case "bookTicker":
                self._ticker(streams.TICKER.decode(frame.data), Origin(time_ns, 0, number), builder)
            case "trade":
                self._trade(streams.TRADE.decode(frame.data), Origin(time_ns, 0, number), builder)
            case "" if frame.last_update_id is not None:
                stream = "snapshot"
                self._snapshot(streams.SNAPSHOT.decode(text), Origin(time_ns, 0, number), builder)
            case _:
                stream = "other"
        self.counts[stream] += 1

    def _depth(self, event: streams.Depth, at: Origin, builder: SliceBuilder) -> None:
        symbol = self._symbols.get(event.s)
        if symbol is None:
            symbol = self._first(event.s, event.b + event.a, is_futures=event.pu is not None)
        previous_id = event.U - 1 if event.pu is None else event.pu
        origin = Origin(at.time_ns, scaled_ns(event.T or event.E), at.line, event.u)
        levels = symbol.levels(event.b, event.a)
        self._offer(symbol, DepthUpdate(previous_id, event.u, levels, origin), origin, builder)

    def _offer(
        self, symbol: _Symbol, update: DepthUpdate, origin: Origin, builder: SliceBuilder
    ) -> None:
        index = symbol.listing.index
        verdict = symbol.sync.offer(update)
        if verdict is Verdict.APPLY:
            self.bookkeeper.change(builder, index, update.levels, origin)
            self.counts["depth_applied"] += 1
        elif verdict is Verdict.DROP:
            self.counts["depth_dropped"] += 1
        elif verdict is Verdict.GAP:
            self.bookkeeper.gap(builder, index, origin)
            self.counts["gap"] += 1

    def _snapshot(self, event: streams.Snapshot, at: Origin, builder: SliceBuilder) -> None:
        name = self._snapshot_symbol()
        symbol = self._symbols.get(name)
        if symbol is None:
            symbol = self._first(name, event.bids + event.asks, is_futures=event.T > 0)
        venue_ns = scaled_ns(event.T)
        levels = symbol.levels(event.bids, event.asks)
        waiting = symbol.sync.snapshot(event.lastUpdateId)
        if waiting is None:
            self.counts["snapshot_unused"] += 1
            return
        origin = Origin(at.time_ns, venue_ns, at.line, event.lastUpdateId)
        self.bookkeeper.snapshot(builder, symbol.listing.index, levels, origin)
        for update in waiting:
            was = update.origin
            now = Origin(at.time_ns, was.venue_time_ns, was.line, was.update_id)
            self._offer(symbol, update, now, builder)

    def _snapshot_symbol(self) -> str:
        if self._options.symbol is not None:
            return self._options.symbol
        if len(self._symbols) != 1:
            seen = ", ".join(self._symbols) or "none yet"
            raise ValueError(f"the option `symbol` must say whose snapshot this is (seen: {seen})")
        return next(iter(self._symbols))

    def _ticker(self, event: streams.Ticker, at: Origin, builder: SliceBuilder) -> None:
        symbol = self._symbols.get(event.s)
        if symbol is None:
            pairs = [(event.b, event.B), (event.a, event.A)]
            symbol = self._first(event.s, pairs, is_futures=event.T > 0)
        listing = symbol.listing
        prices, quantities = listing.prices, listing.quantities
        top = prices[event.b], prices[event.a], quantities[event.B], quantities[event.A]
        origin = Origin(at.time_ns, scaled_ns(event.T), at.line, event.u)
        if event.u < symbol.ticker_id:
            self.counts["bookTicker_stale"] += 1
            return
        symbol.ticker_id = event.u
        self.bookkeeper.quote(builder, listing.index, top, origin)

    def _trade(self, event: streams.Trade, at: Origin, builder: SliceBuilder) -> None:
        symbol = self._symbols.get(event.s)
        if symbol is None:
            symbol = self._first(event.s, [(event.p, event.q)], is_futures=event.X is not None)
        listing = symbol.listing
        price, lots = listing.prices[event.p], listing.quantities[event.q]
        origin = Origin(at.time_ns, scaled_ns(event.T), at.line)
        if lots == 0:  # futures print these when a position is moved, not traded
            self.counts["trade_empty"] += 1
            return
        builder.trade(origin, listing.index, (price, lots, -1 if event.m else 1))

    def _first(self, name: str, seen: streams.Levels, *, is_futures: bool) -> _Symbol:
        """Return a new symbol, as the first message about it shows it."""
        instrument = self._instrument(name, seen, "usdm" if is_futures else "spot")
        symbol = self._symbols[name] = _Symbol(Listing.of(self._instruments, instrument))
        return symbol

    def _instrument(self, name: str, seen: streams.Levels, market: str) -> Instrument:
        options = self._options
        prices = [price for price, _ in seen]
        tick = options.tick or _printed_step(prices)
        shown = finest_step(prices, trimmed=True) if len(prices) >= _ENOUGH_PRICES else tick
        venue = "binance" if (options.market or market) == "spot" else "binance-usdm"
        pair = name.partition("_")[0]  # futures with a date: BTCUSDT_240927
        return Instrument(
            id=InstrumentId(f"{name}.{venue}"),
            venue=venue,
            symbol=name,
            tick=tick,
            order_tick=options.order_tick or max(tick, shown),
            lot=options.lot or _printed_step([quantity for _, quantity in seen]),
            currency=next((asset for asset in _QUOTE_ASSETS if pair.endswith(asset)), "USD"),
        )


def _printed_step(numbers: list[str]) -> Decimal:
    """Return a step for all that the venue can print: it prints the same decimals every time."""
    return finest_step(numbers) if numbers else _FINEST
