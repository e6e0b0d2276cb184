"""Case 08: real Coinbase books from level2; the ticker channel is the reference."""

import json
from collections import Counter, defaultdict
from decimal import Decimal
from typing import Any

from actors.feeds.files import read_text
from actors.feeds.replay import ReplayFeed, ReplayOptions
from actors.messages.market import BookChange, Trade
from actors.messages.slices import SliceBuilder
from actors.model.instrument import Instruments
from actors.venues.coinbase.market_data import CoinbaseMarketData
from tests.shared import conformance, shared_file

CASE = "08-coinbase-l2-rebuild"
FILE = "data/coinbase-l2-20210417/coinbase_ws.txt.gz"


def message(line: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(line.partition(": ")[2])
    return parsed


def plain_top(
    decoder: CoinbaseMarketData, instruments: Instruments, product: str
) -> tuple[Decimal, ...]:
    index = instruments.index(f"{product}.coinbase")
    book = decoder.bookkeeper.books[index]
    bid, ask = book.best_bid(), book.best_ask()
    assert bid is not None
    assert ask is not None
    return instruments[index].price(bid[0]), instruments[index].price(ask[0])


def test_the_rebuilt_books_equal_the_tickers_of_the_venue() -> None:
    expected = conformance(CASE)["expected"]["products"]
    lines = list(read_text(shared_file(FILE)))
    instruments = Instruments()
    decoder = CoinbaseMarketData(instruments)
    builder = SliceBuilder(instruments)
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    traded = {
        (each["product_id"], each["trade_id"]): (each["price"], each["size"])
        for each in map(message, lines)
        if each["type"] in ("match", "last_match")
    }
    for number, line in enumerate(lines, 1):
        decoder.decode(line, number, builder)
        said = message(line)
        product, kind = said["product_id"], said["type"]
        count = counts[product]
        count[kind] += 1
        if kind == "ticker":
            same = traded.get((product, said["trade_id"])) == (said["price"], said["last_size"])
            count["tickers_with_equal_match"] += same
            if count["ticker"] > 1:
                top = (Decimal(said["best_bid"]), Decimal(said["best_ask"]))
                count["tickers_after_the_first"] += 1
                count["of_these_equal_to_book"] += top == plain_top(decoder, instruments, product)
    assert sorted(counts) == sorted(expected)
    for product, wanted in expected.items():
        final = wanted.pop("final")
        assert {key: counts[product][key] for key in wanted} == wanted
        book = decoder.bookkeeper.books[instruments.index(f"{product}.coinbase")]
        top = (Decimal(final["best_bid"]), Decimal(final["best_ask"]))
        assert plain_top(decoder, instruments, product) == top
        assert (len(book.bids), len(book.asks)) == (final["bid_levels"], final["ask_levels"])


def test_the_feed_replays_every_match_and_every_update() -> None:
    expected = conformance(CASE)["expected"]["products"]
    feed = ReplayFeed(Instruments(), ReplayOptions(path=str(shared_file(FILE))))
    trades: Counter[str] = Counter()
    books: Counter[str] = Counter()
    for rows in feed.slices(0):
        for event in rows.events():
            if isinstance(event, Trade):
                trades[event.instrument.symbol] += 1
            elif isinstance(event, BookChange):
                books[event.instrument.symbol] += 1
    assert trades == +Counter({product: each["match"] for product, each in expected.items()})
    assert books == {product: each["l2update"] + 1 for product, each in expected.items()}
    summary = feed.summary()
    assert (summary["malformed"], summary["files"][0]["format"]) == (0, "coinbase")
    hashes = [each["sha256"] for each in conformance(CASE)["input_files"]]
    assert [each["sha256"] for each in summary["files"]] == hashes
