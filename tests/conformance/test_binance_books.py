"""Case 06: real Binance books from snapshot and deltas; the bookTicker stream is the reference."""

import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

from actors.feeds.files import read_text, sha256
from actors.feeds.replay import ReplayFeed, ReplayOptions
from actors.messages.market import BookChange, Connection, Quote, Trade
from actors.messages.slices import SliceBuilder
from actors.model.book import Book
from actors.model.instrument import Instrument, Instruments
from actors.venues.binance.market_data import BinanceMarketData
from tests.shared import conformance, shared_file

CASE = "06-binance-l2-rebuild"
FOLDER = "data/binance-l2-20240808"
FILES = ["spot_btcusdt_20240808.gz", "usdm_btcusdt_20240808.gz"]

Top = tuple[Decimal, Decimal, Decimal, Decimal]
"""Best bid, its quantity, best ask, its quantity."""


def recorded(name: str) -> Path:
    return shared_file(f"{FOLDER}/{name}")


def book_top(book: Book, of: Instrument) -> Top:
    bid, ask = book.best_bid(), book.best_ask()
    assert bid is not None
    assert ask is not None
    return of.price(bid[0]), of.quantity(bid[1]), of.price(ask[0]), of.quantity(ask[1])


def top(message: dict[str, str], bid_size: str, ask_size: str) -> Top:
    names = ("bid", bid_size, "ask", ask_size) if "bid" in message else ("b", "B", "a", "A")
    bid, bid_quantity, ask, ask_quantity = (Decimal(message[name]) for name in names)
    return bid, bid_quantity, ask, ask_quantity


@attrs.define
class Rebuilt:
    """What decoding a file line by line shows."""

    counts: Counter[str]
    first_id: int = 0
    tops: dict[int, Top] = attrs.field(factory=dict)
    """The book's top by the last id of the depth message just applied."""
    tickers: dict[int, Top] = attrs.field(factory=dict)
    last_ticker: dict[str, Any] = attrs.field(factory=dict)


def rebuilt(path: Path) -> Rebuilt:
    instruments = Instruments()
    decoder = BinanceMarketData(instruments)
    builder = SliceBuilder(instruments)
    result = Rebuilt(decoder.counts)
    for number, line in enumerate(read_text(path), 1):
        applied = decoder.counts["depth_applied"]
        decoder.decode(line, number, builder)
        message = json.loads(line.partition(" ")[2])
        data = message.get("data", message)
        if "@depth" in message.get("stream", ""):
            result.first_id = result.first_id or data["U"]
            if decoder.counts["depth_applied"] > applied:
                result.tops[data["u"]] = book_top(decoder.bookkeeper.books[0], instruments[0])
        elif "@bookTicker" in message.get("stream", ""):
            result.tickers[data["u"]] = top(data, "B", "A")
            result.last_ticker = data
        if len(builder) > 4_000:
            builder.build()
    return result


@pytest.mark.parametrize("name", FILES)
def test_the_rebuilt_book_equals_the_best_quotes_that_the_venue_sent(name: str) -> None:
    expected = conformance(CASE)["expected"][name]
    result = rebuilt(recorded(name))
    kinds = {kind: result.counts[kind] for kind in expected["by_kind"]}
    assert kinds == expected["by_kind"]
    assert sum(kinds.values()) == expected["lines"]
    assert result.counts["gap"] == expected["depth_sequence_gaps"]
    assert result.counts["depth_applied"] == expected["depth_messages_applied"]
    assert result.first_id == expected["first_update_id"]
    assert max(result.tops) == expected["last_update_id"]
    common = result.tops.keys() & result.tickers.keys()
    assert len(common) == expected["points_where_a_bookTicker_has_the_same_update_id"]
    equal = [u for u in common if result.tops[u] == result.tickers[u]]
    assert len(equal) == expected["points_equal"]
    for point in expected["checkpoints"]:
        assert result.tops[point["u"]] == top(point, "bid_qty", "ask_qty")
    last = expected["last_bookTicker"]
    assert [result.last_ticker[key] for key in ("u", "b", "a")] == list(last.values())


def replayed(*names: str) -> tuple[ReplayFeed, Iterator[Any]]:
    paths = tuple(str(recorded(name)) for name in names)
    feed = ReplayFeed(Instruments(), ReplayOptions(paths=paths))
    return feed, (event for rows in feed.slices(0) for event in rows.events())


@pytest.mark.parametrize("name", FILES)
def test_the_feed_replays_each_message_once(name: str) -> None:
    case = conformance(CASE)
    expected = case["expected"][name]
    feed, events = replayed(name)
    kinds: Counter[type] = Counter()
    quantity = notional = Decimal(0)
    quote: Quote | None = None
    for event in events:
        kinds[type(event)] += 1
        if isinstance(event, Trade):
            quantity += event.quantity
            notional += event.quantity * event.price
        elif isinstance(event, Quote):
            quote = event
    assert kinds == {
        Quote: expected["by_kind"]["bookTicker"],
        Trade: expected["trades"]["count"],
        BookChange: expected["depth_messages_applied"] + 1,
    }
    assert quantity == Decimal(expected["trades"]["total_qty"])
    assert abs(notional / quantity - Decimal(expected["trades"]["vwap"])) < Decimal("1e-8")
    assert quote is not None
    last = expected["last_bookTicker"]
    assert (quote.bid, quote.ask) == (Decimal(last["bid"]), Decimal(last["ask"]))
    summary = feed.summary()
    assert (summary["lines"], summary["malformed"]) == (expected["lines"], 0)
    hashes = {Path(each["path"]).name: each["sha256"] for each in case["input_files"]}
    assert summary["files"][0]["sha256"] == hashes[name] == sha256(recorded(name))


def test_the_next_days_file_continues_the_book_without_a_snapshot() -> None:
    expected = conformance(CASE)["expected"]["spot_btcusdt_20240808.gz"]
    days = ("spot_btcusdt_20240808.gz", "spot_btcusdt_20240809.gz")
    feed, events = replayed(*reversed(days))
    changes = [event for event in events if isinstance(event, BookChange | Connection)]
    books = [change for change in changes if isinstance(change, BookChange)]
    assert len(books) == len(changes)
    assert [change.is_snapshot for change in books].count(True) == 1
    ids = [change.update_id for change in books]
    place = ids.index(expected["last_update_id"])
    assert place == expected["depth_messages_applied"]
    assert len(books) - 1 - place == 3_044
    summary = feed.summary()
    assert [each["file"] for each in summary["files"]] == list(days)
    assert summary["counts"][0].get("gap", 0) == 0
    assert summary["instruments"] == ["BTCUSDT.binance"]


def test_the_next_days_book_equals_its_best_quotes_too() -> None:
    instruments = Instruments()
    decoder = BinanceMarketData(instruments)
    builder = SliceBuilder(instruments)
    tickers: dict[int, Top] = {}
    tops: dict[int, Top] = {}
    for name in ("spot_btcusdt_20240808.gz", "spot_btcusdt_20240809.gz"):
        for number, line in enumerate(read_text(recorded(name)), 1):
            decoder.decode(line, number, builder)
            is_depth = "@depth" in line[:60]
            if name.endswith("20240809.gz") and (is_depth or "@bookTicker" in line[:60]):
                data = json.loads(line.partition(" ")[2])["data"]
                if is_depth:
                    tops[data["u"]] = book_top(decoder.bookkeeper.books[0], instruments[0])
                else:
                    tickers[data["u"]] = top(data, "B", "A")
        builder.build()
    common = tops.keys() & tickers.keys()
    assert len(common) > 400
    assert all(tops[u] == tickers[u] for u in common)
