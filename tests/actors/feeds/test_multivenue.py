import json
from decimal import Decimal
from typing import Any

import pytest

from actors.feeds.multivenue import MultiVenueFrames, MultiVenueOptions
from actors.messages.market import BookChange, MarketEvent, Quote, Trade
from actors.messages.slices import SliceBuilder
from actors.model.instrument import Instruments
from actors.venues.polymarket.market_data import MarketDataOptions
from tests.actors.venues.polymarket_venue import YES, market, open_venue

WALL_MS = 1_777_428_643_288
MILLISECOND = 1_000_000
CHAINLINK = "polymarket_rtds_chainlink"


class Reader:
    """A decoder with the builder it writes to."""

    def __init__(self, **options: Any) -> None:
        self.instruments = Instruments()
        self.decoder = MultiVenueFrames(self.instruments, MultiVenueOptions(**options))
        self.builder = SliceBuilder(self.instruments)
        self.lines = 0

    def read(self, source: str, payload: Any) -> list[MarketEvent]:
        """Decode one received frame and return the rows it gives."""
        self.lines += 1
        self.decoder.decode(line(source, payload), self.lines, self.builder)
        return list(self.builder.build().events())


def line(source: str, payload: Any, **changes: Any) -> str:
    frame = {
        "run_id": "test",
        "source": source,
        "recv_wall_ts": WALL_MS,
        "recv_mono_ns": WALL_MS * MILLISECOND + 430_000,
        "ingest_seq": 1_000_000,
        "payload": payload if isinstance(payload, str) else json.dumps(payload),
    }
    return json.dumps({**frame, **changes})


def trade(**changes: Any) -> dict[str, Any]:
    data = {
        "e": "trade",
        "E": WALL_MS - 5,
        "s": "BTCUSDT",
        "t": 6259287329,
        "p": "76584.81000000",
        "q": "0.01074000",
        "T": WALL_MS - 6,
        "m": False,
        "M": True,
    }
    return {"stream": "btcusdt@trade", "data": {**data, **changes}}


def ticker(**changes: Any) -> dict[str, Any]:
    message = {
        "type": "ticker",
        "product_id": "SOL-USD",
        "price": "84.16",
        "best_bid": "84.150",
        "best_bid_size": "363.72960253",
        "best_ask": "84.160",
        "best_ask_size": "26.50254684",
        "side": "buy",
        "time": "2026-04-29T02:10:52.233043Z",
        "last_size": "0.41691019",
    }
    return {**message, **changes}


def reference(**changes: Any) -> dict[str, Any]:
    payload = {
        "symbol": "btc/usd",
        "timestamp": WALL_MS - 288,
        "value": 76966.52921845097,
        "full_accuracy_value": "76966529218450970000000",
    }
    return {
        "topic": "crypto_prices_chainlink",
        "type": "update",
        "payload": {**payload, **changes},
    }


def test_polymarket_frames_come_at_their_receive_time() -> None:
    reader = Reader(polymarket=MarketDataOptions(markets=(market(),)))
    reader.decoder.decode(line("polymarket_clob", open_venue().books()), 1, reader.builder)
    rows = reader.builder.build()
    assert set(rows.times()) == {WALL_MS * MILLISECOND}
    assert sum(isinstance(each, BookChange) for each in rows.events()) == 2
    assert reader.decoder.bookkeeper.books[0].is_synced
    assert reader.instruments[0].id == YES
    assert reader.decoder.polymarket.counts == {"book": 2}


@pytest.mark.parametrize(("is_buyer_maker", "aggressor"), [(True, -1), (False, 1)])
def test_a_binance_trade_is_a_trade(is_buyer_maker: bool, aggressor: int) -> None:
    reader = Reader()
    (row,) = reader.read("binance", trade(m=is_buyer_maker))
    assert isinstance(row, Trade)
    assert (row.instrument.id, row.instrument.tick) == ("BTCUSDT.binance", Decimal("0.01"))
    assert (row.price, row.quantity) == (Decimal("76584.81"), Decimal("0.01074"))
    assert (row.aggressor, row.time_ns) == (aggressor, WALL_MS * MILLISECOND)
    assert reader.decoder.binance.counts == {"trade": 1}


@pytest.mark.parametrize(("side", "aggressor"), [("buy", 1), ("sell", -1)])
def test_a_coinbase_ticker_gives_its_trade_and_then_its_best_quote(
    side: str, aggressor: int
) -> None:
    reader = Reader()
    printed, quote = reader.read("coinbase", ticker(side=side))
    assert isinstance(printed, Trade)
    assert printed.instrument.id == "SOL-USD.coinbase"
    assert (printed.price, printed.quantity) == (Decimal("84.16"), Decimal("0.41691019"))
    assert printed.aggressor == aggressor
    assert isinstance(quote, Quote)
    assert (quote.bid, quote.ask) == (Decimal("84.15"), Decimal("84.16"))
    assert quote.bid_quantity == Decimal("363.72960253")
    assert quote.ask_quantity == Decimal("26.50254684")


def test_a_ticker_keeps_the_venues_time() -> None:
    reader = Reader()
    reader.decoder.decode(line("coinbase", ticker()), 1, reader.builder)
    assert set(reader.builder.build().venue_time_ns.tolist()) == {1_777_428_652_233_043_000}


def test_a_ticker_without_sizes_gives_a_quote_of_unknown_size() -> None:
    reader = Reader()
    _, quote = reader.read("coinbase", ticker(best_bid_size=None, best_ask_size=""))
    assert isinstance(quote, Quote)
    assert (quote.bid_quantity, quote.ask_quantity) == (None, None)
    assert quote.bid == Decimal("84.15")


def test_ticks_of_other_venues_may_be_chosen() -> None:
    reader = Reader(binance_tick=Decimal("0.0001"), coinbase_tick=Decimal("0.001"))
    reader.read("binance", trade(s="DOGEUSDT", p="0.1234"))
    reader.read("coinbase", ticker(price="84.161"))
    assert [each.tick for each in reader.instruments] == [Decimal("0.0001"), Decimal("0.001")]
    with pytest.raises(ValueError, match="coinbase_tick: expected above 0, found 0"):
        MultiVenueOptions(coinbase_tick=Decimal(0))


@pytest.mark.parametrize(
    ("changes", "price"),
    [
        ({}, "76966.52921845"),
        ({"full_accuracy_value": "76966529218455000000000"}, "76966.52921846"),
        ({"full_accuracy_value": None}, "76966.52921845"),
        ({"full_accuracy_value": None, "value": 84.5}, "84.5"),
    ],
)
def test_a_reference_price_is_a_quote_of_unknown_size(changes: dict[str, Any], price: str) -> None:
    (quote,) = Reader().read(CHAINLINK, reference(**changes))
    assert isinstance(quote, Quote)
    assert quote.instrument.id == "BTC-USD.chainlink"
    assert (quote.bid, quote.ask) == (Decimal(price), Decimal(price))
    assert (quote.bid_quantity, quote.ask_quantity) == (None, None)


def test_what_gives_no_rows_is_counted() -> None:
    reader = Reader()
    history = {"topic": "crypto_prices", "type": "subscribe", "payload": {"data": []}}
    assert reader.read(CHAINLINK, history) == []
    assert reader.read(CHAINLINK, "") == []
    assert reader.read(CHAINLINK, reference() | {"topic": "crypto_prices"}) == []
    assert reader.read("coinbase", {"type": "subscriptions", "channels": []}) == []
    assert reader.read("polymarket_clob", "PONG") == []
    assert reader.read("kraken", {"what": "ever"}) == []
    assert reader.decoder.counts == {
        f"{CHAINLINK}/history": 1,
        f"{CHAINLINK}/keep_alive": 1,
        f"{CHAINLINK}/other": 1,
        "coinbase/other": 1,
    }
    assert reader.decoder.frames == {CHAINLINK: 3, "coinbase": 1, "polymarket_clob": 1, "other": 1}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "JSON|truncated"),
        ("{}", "missing required field `source`"),
        (
            '{"source": "binance", "recv_wall_ts": 1, "payload": 5}',
            r"Expected `str`, got `int` - at `\$.payload`",
        ),
        (line("binance", trade(), recv_wall_ts="now"), r"`\$.recv_wall_ts`"),
        (line("binance", trade(), recv_wall_ts=-1), "outside the years"),
        (line("binance", "PONG"), "binance: JSON is malformed"),
        (line("binance", trade(p="76584.811")), r"binance: 76584\.811 is not a multiple of 0\.01"),
        (line("binance", {"stream": "btcusdt@trade", "data": {}}), "binance: .* missing required"),
        (line("coinbase", {}), "coinbase: .* missing required field `type`"),
        (line("coinbase", ticker(price="84.1601")), "coinbase: .* multiple of"),
        (line("coinbase", ticker(time="today")), "coinbase: not a time: 'today'"),
        (line("coinbase", ticker(side="short")), "coinbase: Invalid enum value 'short'"),
        (line(CHAINLINK, reference(full_accuracy_value="-5")), "price of btc/usd: -5 is out of"),
        (line(CHAINLINK, reference(full_accuracy_value="1e22")), "1e22 is out of range"),
        (line(CHAINLINK, reference(full_accuracy_value="9" * 40)), "out of range"),
        (line(CHAINLINK, reference(full_accuracy_value=None, value="Infinity")), "out of range"),
        (line(CHAINLINK, reference(full_accuracy_value=None, value=0)), "0 is out of range"),
        (line("polymarket_clob", {"event_type": "book"}), "polymarket_clob: .* missing required"),
        (line("coinbase", '{"type":"ticker","x":' + "[" * 100_000), "coinbase: nested too deeply"),
    ],
)
def test_a_malformed_line_gives_nothing_but_its_reason(text: str, reason: str) -> None:
    reader = Reader()
    with pytest.raises(ValueError, match=reason):
        reader.decoder.decode(text, 1, reader.builder)
    assert len(reader.builder) == 0
    assert (dict(reader.decoder.frames), dict(reader.decoder.counts)) == ({}, {})
    assert len(reader.read("binance", trade())) == 1
