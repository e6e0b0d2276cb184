"""Frames of Binance as rows, and what happens to frames that are not as they should be."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.messages.market import (
    BookChange,
    Connection,
    ConnectionState,
    MarketEvent,
    Quote,
    Trade,
)
from actors.messages.slices import SliceBuilder
from actors.model.instrument import Instruments
from actors.venues.binance.market_data import BinanceMarketData, BinanceOptions
from tests.builders import instrument, instruments

MS = 1_000_000
LEVELS = [["100.10000000", "1.00000000"], ["100.05000000", "2.00000000"]]


class Desk:
    """A decoder with the builder that it writes to; each frame comes a nanosecond later."""

    def __init__(
        self, options: BinanceOptions | None = None, table: Instruments | None = None
    ) -> None:
        self.table = Instruments() if table is None else table
        self.decoder = BinanceMarketData(self.table, options)
        self.builder = SliceBuilder(self.table)
        self.number = 0

    def line(self, text: str) -> list[MarketEvent]:
        self.number += 1
        self.decoder.decode(text, self.number, self.builder)
        return list(self.builder.build().events())

    def send(self, message: dict[str, Any]) -> list[MarketEvent]:
        return self.line(f"{self.number + 1} {msgspec.json.encode(message).decode()}")

    @property
    def counts(self) -> dict[str, int]:
        return dict(self.decoder.counts)


def snapshot(last_id: int = 10, **more: Any) -> dict[str, Any]:
    asks = [["100.20000000", "3.00000000"], ["100.25000000", "4.00000000"]]
    return {"lastUpdateId": last_id, "bids": LEVELS, "asks": asks, **more}


def depth(first: int, last: int, bids: Any = (), asks: Any = (), **more: Any) -> dict[str, Any]:
    data = {"e": "depthUpdate", "E": 5, "s": "ABCUSDT", "U": first, "u": last, "b": bids, "a": asks}
    return {"stream": "abcusdt@depth@100ms", "data": {**data, **more}}


def ticker(
    u: int, bid: str = "100.10000000", ask: str = "100.20000000", **more: Any
) -> dict[str, Any]:
    sizes = {"B": "1.00000000", "A": "3.00000000"}
    return {
        "stream": "abcusdt@bookTicker",
        "data": {"u": u, "s": "ABCUSDT", "b": bid, "a": ask, **sizes, **more},
    }


def trade(price: str = "100.10000000", quantity: str = "0.50000000", **more: Any) -> dict[str, Any]:
    data = {
        "e": "trade",
        "E": 6,
        "s": "ABCUSDT",
        "t": 1,
        "p": price,
        "q": quantity,
        "T": 5,
        "m": True,
    }
    return {"stream": "abcusdt@trade", "data": {**data, **more}}


def synced(options: BinanceOptions | None = None) -> Desk:
    desk = Desk(options or BinanceOptions(symbol="ABCUSDT"))
    events = desk.send(snapshot())
    assert [type(each) for each in events] == [BookChange, Quote]
    return desk


def tops(events: list[MarketEvent]) -> list[tuple[Decimal | None, Decimal | None]]:
    return [(each.bid, each.ask) for each in events if isinstance(each, Quote)]


def test_a_snapshot_and_its_updates_give_book_rows_and_quotes() -> None:
    desk = synced()
    events = desk.send(depth(11, 12, [["100.10000000", "0.00000000"]]))
    book, quote = events
    assert isinstance(book, BookChange)
    assert (book.is_snapshot, book.update_id, len(book.levels)) == (False, 12, 1)
    assert tops([quote]) == [(Decimal("100.05"), Decimal("100.20"))]
    assert desk.counts == {"snapshot": 1, "depth": 1, "depth_applied": 1}


def test_rows_carry_receive_time_venue_time_and_line() -> None:
    desk = Desk()
    desk.decoder.decode(
        f"1723161253937085768 {msgspec.json.encode(trade(T=1723161255342)).decode()}",
        7,
        desk.builder,
    )
    rows = desk.builder.build()
    assert rows.time_ns.tolist() == [1_723_161_253_937_085_768]
    assert rows.venue_time_ns.tolist() == [1_723_161_255_342 * MS]
    assert rows.line.tolist() == [7]


def test_times_may_be_in_microseconds() -> None:
    desk = Desk()
    text = msgspec.json.encode(trade(T=1723161255342123)).decode()
    desk.decoder.decode_frame(text, 1, desk.builder, 5)
    assert desk.builder.build().venue_time_ns.tolist() == [1_723_161_255_342_123_000]


def test_the_side_that_took_is_the_makers_other_side() -> None:
    desk = Desk()
    events = desk.send(trade(m=True)) + desk.send(trade(m=False))
    assert [
        (each.aggressor, each.price, each.quantity) for each in events if isinstance(each, Trade)
    ] == [
        (-1, Decimal("100.1"), Decimal("0.5")),
        (1, Decimal("100.1"), Decimal("0.5")),
    ]


def test_quotes_come_from_the_book_until_the_first_book_ticker_then_from_there_only() -> None:
    desk = synced()
    assert len(tops(desk.send(depth(11, 11, [["100.11000000", "1.00000000"]])))) == 1
    assert tops(desk.send(ticker(12, bid="100.15000000"))) == [
        (Decimal("100.15"), Decimal("100.20"))
    ]
    assert tops(desk.send(depth(12, 12, [["100.12000000", "1.00000000"]]))) == []
    assert len(tops(desk.send(ticker(12, bid="100.15000000")))) == 1


def test_a_book_ticker_that_was_overtaken_is_left_out() -> None:
    desk = Desk()
    assert len(desk.send(ticker(12))) == 1
    assert desk.send(ticker(11)) == []
    assert desk.counts == {"bookTicker": 2, "bookTicker_stale": 1}


def test_a_gap_is_told_and_the_book_unused_until_the_next_snapshot() -> None:
    desk = synced()
    (gap,) = desk.send(depth(12, 13, LEVELS))
    assert isinstance(gap, Connection)
    assert gap.state is ConnectionState.GAPPED
    assert gap.instrument is not None
    assert desk.send(depth(14, 14, LEVELS)) == []
    assert desk.counts["gap"] == 1
    events = desk.send(snapshot(13))
    assert [type(each) for each in events] == [BookChange, Quote, Connection, BookChange]
    assert [each.state for each in events if isinstance(each, Connection)] == [
        ConnectionState.SYNCED
    ]
    assert [each.update_id for each in events if isinstance(each, BookChange)] == [13, 14]


def test_waiting_updates_come_at_the_time_of_the_snapshot_from_their_own_lines() -> None:
    desk = Desk(BinanceOptions(symbol="ABCUSDT"))
    desk.send(depth(11, 11, LEVELS))
    desk.send(depth(12, 12, LEVELS))
    desk.decoder.decode(f"99 {msgspec.json.encode(snapshot()).decode()}", 3, desk.builder)
    rows = desk.builder.build()
    books = rows.book_rows(0, len(rows))
    assert rows.time_ns[books].tolist() == [99, 99, 99]
    assert rows.line[books].tolist() == [3, 1, 2]


def test_a_snapshot_in_the_middle_of_a_synced_stream_is_used_only_if_it_is_newer() -> None:
    desk = synced()
    desk.send(depth(11, 20, LEVELS))
    assert desk.send(snapshot(15)) == []
    assert desk.counts["snapshot_unused"] == 1
    (book,) = (each for each in desk.send(snapshot(25)) if isinstance(each, BookChange))
    assert book.is_snapshot


def test_futures_follow_the_previous_id_and_have_an_instrument_of_their_own() -> None:
    desk = Desk(BinanceOptions(symbol="ABCUSDT"))
    prices = [
        ["61800.20", "2.507"],
        ["61800.00", "1.000"],
        ["61790.10", "0.500"],
        ["61780.50", "0.500"],
    ]
    desk.send({"lastUpdateId": 10, "E": 7, "T": 7, "bids": prices, "asks": [["61800.30", "1.000"]]})
    assert len(desk.send(depth(50, 60, prices, T=8, pu=9))) == 1
    assert len(desk.send(depth(70, 80, prices, T=9, pu=60))) == 1
    assert [type(each) for each in desk.send(depth(90, 95, prices, T=9, pu=81))] == [Connection]
    (futures,) = desk.table
    assert (futures.id, futures.venue) == ("ABCUSDT.binance-usdm", "binance-usdm")
    assert (futures.tick, futures.order_tick, futures.lot) == (
        Decimal("0.01"),
        Decimal("0.1"),
        Decimal("0.001"),
    )


def test_the_market_is_told_by_the_first_message_of_any_stream() -> None:
    for first, expected in (
        (ticker(1), "ABCUSDT.binance"),
        (ticker(1, T=5, E=5), "ABCUSDT.binance-usdm"),
        (trade(), "ABCUSDT.binance"),
        (trade(X="MARKET"), "ABCUSDT.binance-usdm"),
        (depth(1, 1, LEVELS), "ABCUSDT.binance"),
        (depth(1, 1, LEVELS, pu=0), "ABCUSDT.binance-usdm"),
    ):
        desk = Desk()
        desk.send(first)
        assert [each.id for each in desk.table] == [expected]


def test_spot_columns_hold_every_price_that_the_venue_can_print() -> None:
    desk = synced()
    (spot,) = desk.table
    assert (spot.id, spot.symbol, spot.currency) == ("ABCUSDT.binance", "ABCUSDT", "USDT")
    assert (spot.tick, spot.order_tick, spot.lot) == (
        Decimal("1e-8"),
        Decimal("0.01"),
        Decimal("1e-8"),
    )


def test_few_prices_do_not_tell_the_price_step_of_orders() -> None:
    desk = Desk()
    desk.send(ticker(1))
    assert desk.table[0].order_tick == desk.table[0].tick == Decimal("1e-8")


def test_options_and_known_instruments_come_before_what_is_seen() -> None:
    options = BinanceOptions(
        market="usdm", tick=Decimal("0.01"), order_tick=Decimal("0.05"), lot=Decimal("0.1")
    )
    desk = Desk(options)
    desk.send(trade())
    (named,) = desk.table
    assert (named.id, named.tick, named.order_tick, named.lot) == (
        "ABCUSDT.binance-usdm",
        Decimal("0.01"),
        Decimal("0.05"),
        Decimal("0.1"),
    )
    known = Desk(table=instruments(instrument("ABCUSDT.binance", tick="0.05", lot="0.5")))
    rows = known.send(trade())
    assert [(each.price_ticks, each.lots) for each in rows if isinstance(each, Trade)] == [
        (2002, 1)
    ]


def test_the_currency_is_the_quote_asset() -> None:
    for symbol, currency in (("ETHBTC", "BTC"), ("BTCUSDT_240927", "USDT"), ("ABCXYZ", "USD")):
        desk = Desk()
        desk.send(trade(s=symbol))
        assert desk.table[0].currency == currency


def test_an_empty_depth_message_as_the_first_leaves_the_finest_grid() -> None:
    desk = Desk()
    desk.send(depth(1, 1))
    assert (desk.table[0].tick, desk.table[0].lot) == (Decimal("1e-8"), Decimal("1e-8"))


def test_messages_of_other_streams_are_counted_only() -> None:
    desk = Desk()
    for message in ({"stream": "abcusdt@kline_1m", "data": {}}, {"result": None, "id": 1}):
        assert desk.send(message) == []
    assert desk.counts == {"other": 2}
    assert desk.send(trade(quantity="0.00000000", X="NA")) == []
    assert desk.counts["trade_empty"] == 1


def test_a_snapshot_needs_to_know_its_symbol() -> None:
    desk = Desk()
    with pytest.raises(ValueError, match=r"option `symbol` must say .* \(seen: none yet\)"):
        desk.send(snapshot())
    desk.send(trade())
    assert len(desk.send(snapshot())) == 2
    desk.send(trade(s="XYZUSDT"))
    with pytest.raises(ValueError, match="seen: ABCUSDT, XYZUSDT"):
        desk.send(snapshot(20))


def without(message: dict[str, Any], key: str) -> dict[str, Any]:
    data = {name: value for name, value in message["data"].items() if name != key}
    return {**message, "data": data}


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (without(depth(11, 11), "u"), "missing required field `u`"),
        (without(trade(), "m"), "missing required field `m`"),
        (without(ticker(1), "A"), "missing required field `A`"),
        (depth(11, 11, [["1.0"]]), "length 2"),
        (depth(11, 11, [["x", "1.0"]]), "not a number from 0: 'x'"),
        (depth(11, 11, [["-1.0", "1.0"]]), "not a number from 0"),
        (depth(11, 11, [["100.123456789", "1.0"]]), "not a multiple of"),
        (depth(11, 11, [["99999999999.0", "1.0"]]), "too large"),
        (depth(11, 11, [["100.0", "99999999999999.0"]]), "too large"),
        (depth(11, -1), "Expected `int` >= 0"),
        (depth(11, 1 << 63), "Expected `int`"),
        (depth(11, 11, E=99_999_999_999_999), "outside the years"),
        (trade(price="nan"), "not a number"),
        ({"stream": "abcusdt@trade"}, "malformed|truncated"),
        ({"stream": 5}, "Expected `str`"),
        ({"lastUpdateId": 5}, "missing required field `bids`"),
    ],
)
def test_a_malformed_message_is_refused_and_changes_nothing(
    message: dict[str, Any], reason: str
) -> None:
    desk = synced()
    before = (desk.counts, desk.decoder.bookkeeper.books[0].levels())
    with pytest.raises(ValueError, match=reason):
        desk.send(message)
    assert len(desk.builder) == 0
    assert (desk.counts, desk.decoder.bookkeeper.books[0].levels()) == before
    assert len(desk.send(depth(11, 11, LEVELS))) == 1


@pytest.mark.parametrize(
    "line",
    [
        "",
        "x {}",
        "12.5 {}",
        "-1 {}",
        "9999999999999999999 {}",
        "12345678901234567890 {}",
        "5",
        "5 {",
        "5 []",
    ],
)
def test_a_line_without_time_or_json_is_refused(line: str) -> None:
    desk = Desk()
    with pytest.raises(ValueError, match=r"receive time|JSON|Input data|Expected"):
        desk.line(line)


mutations = st.lists(
    st.tuples(st.integers(0, 400), st.sampled_from(list('0123456789.-"[]{},:eE x\x00\ud800'))),
    min_size=1,
    max_size=4,
)


@given(st.sampled_from([snapshot(20), depth(11, 12, LEVELS), ticker(5), trade()]), mutations)
def test_garbage_is_refused_with_a_value_error_or_read(
    message: dict[str, Any], mutations: list[tuple[int, str]]
) -> None:
    desk = synced()
    text = f"5 {msgspec.json.encode(message).decode()}"
    for place, character in mutations:
        place %= len(text)
        text = text[:place] + character + text[place + 1 :]
    try:
        desk.line(text)
    except ValueError:
        assert len(desk.builder) == 0
    assert desk.decoder.bookkeeper.books[0].best_bid() is not None or desk.counts["depth"]
