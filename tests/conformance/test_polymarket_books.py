"""Conformance 01 and 02: books rebuilt from recorded Polymarket messages."""

import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import attrs
import pytest

from actors.feeds.multivenue import MultiVenueFrames
from actors.messages.market import BookChange, Connection
from actors.messages.slices import SliceBuilder
from actors.model.book import Book
from actors.model.instrument import Instrument, Instruments
from actors.venues.polymarket.market_data import MarketDataOptions, PolymarketMarketData
from actors.venues.polymarket.markets import read_markets
from tests.shared import conformance, shared_file

Levels = dict[str, dict[Decimal, Decimal]]
FOLDER = "data/polymarket-multivenue-raw-20260429/natural-0210"


def input_of(case: dict[str, Any]) -> Path:
    """Return a case's input file, whose content must be the one that the case was made with."""
    (named,) = case["input_files"]
    path = shared_file(named["path"])
    assert hashlib.sha256(path.read_bytes()).hexdigest() == named["sha256"]
    return path


def messages(text: str) -> list[dict[str, Any]]:
    """Return the messages of a line, read apart from the code under test."""
    if not text.strip():
        return []
    found = json.loads(text)
    return found if isinstance(found, list) else [found]


def delivered(book: dict[str, Any]) -> Levels:
    """Return the levels of a book message as exact decimals."""
    return {
        side: {Decimal(level["price"]): Decimal(level["size"]) for level in book[side]}
        for side in ("bids", "asks")
    }


def levels(book: Book, of: Instrument) -> Levels:
    """Return the levels of one of our books as exact decimals."""
    return {
        name: {of.price(ticks): of.quantity(lots) for ticks, lots in side.lots.items()}
        for name, side in (("bids", book.bids), ("asks", book.asks))
    }


def mirrored(book: Levels) -> Levels:
    """Return what the book of the other token must be: p on one side is 1 - p on the other."""
    return {
        "bids": {1 - price: size for price, size in book["asks"].items()},
        "asks": {1 - price: size for price, size in book["bids"].items()},
    }


@attrs.define
class Replay:
    """Decodes messages, and follows the rows that they give into books of its own.

    So what is compared with the venue has gone the whole way, from text to rows to books.
    """

    decoder: PolymarketMarketData
    instruments: Instruments
    builder: SliceBuilder
    followed: dict[str, Book] = attrs.field(factory=dict)
    found: Counter[str] = attrs.field(factory=Counter)

    def read(self, text: str, number: int, told: list[dict[str, Any]]) -> None:
        """Decode the rows of a line and compare them with what its messages tell."""
        rows = self.builder.build()
        assert set(rows.line.tolist()) <= {number}
        changes = [each for each in rows.events() if isinstance(each, BookChange)]
        assert not any(isinstance(each, Connection) for each in rows.events()), text
        pending = iter(changes)
        for message in told:
            if "bids" in message:
                self._book(next(pending), message)
            for entry in message.get("price_changes", ()):
                self._entry(next(pending), entry)
        assert next(pending, None) is None

    def _book(self, change: BookChange, message: dict[str, Any]) -> None:
        token = message["asset_id"]
        before = self.followed.get(token)
        if before is not None:
            self.found["later_snapshots"] += 1
            same = levels(before, change.instrument) == delivered(message)
            self.found["later_snapshots_reproduced"] += same
        assert change.is_snapshot
        self._follow(change, token)
        assert levels(self.followed[token], change.instrument) == delivered(message)

    def _entry(self, change: BookChange, entry: dict[str, Any]) -> None:
        token = entry["asset_id"]
        assert not change.is_snapshot
        self._follow(change, token)
        book = self.followed[token]
        bid, ask = book.best_bid(), book.best_ask()
        assert bid is not None
        assert ask is not None
        top = change.instrument.price(bid[0]), change.instrument.price(ask[0])
        self.found["entries"] += 1
        self.found["matching"] += top == (Decimal(entry["best_bid"]), Decimal(entry["best_ask"]))

    def _follow(self, change: BookChange, token: str) -> None:
        assert change.instrument.symbol == token
        book = self.followed.setdefault(token, Book())
        book.apply(change.levels, is_snapshot=change.is_snapshot)

    def own(self, token: str) -> tuple[Book, Instrument]:
        """Return the decoder's own book of a token; it equals the one that was followed."""
        index = self.instruments.index(token)
        book = self.decoder.bookkeeper.books[index]
        assert book.levels() == self.followed[token].levels()
        assert book.is_synced
        return book, self.instruments[index]


@pytest.mark.parametrize("check_hash", [True, False])
def test_01_a_real_pair_of_books_is_rebuilt_from_snapshot_and_changes(check_hash: bool) -> None:
    case = conformance("01-polymarket-book-rebuild")
    expected = case["expected"]
    instruments = Instruments()
    decoder = PolymarketMarketData(instruments, MarketDataOptions(check_hash=check_hash))
    replay = Replay(decoder, instruments, SliceBuilder(instruments))
    complements = 0
    for number, text in enumerate(input_of(case).read_text().splitlines(), 1):
        told = messages(text)
        decoder.decode(text, number, replay.builder)
        replay.read(text, number, told)
        for message in told:
            if message["event_type"] == "price_change":
                one, other = (levels(*replay.own(token)) for token in replay.followed)
                complements += mirrored(one) == other
    assert decoder.counts == expected["messages"]
    assert replay.found == {
        "entries": expected["price_change_entries"],
        "matching": expected["entries_with_matching_best_bid_ask"],
        "later_snapshots": expected["later_snapshots_total"],
        "later_snapshots_reproduced": expected["later_snapshots_reproduced_exactly"],
    }
    assert complements == expected["messages_with_exact_complement"]
    assert decoder.checks["tops_matched"] == expected["entries_with_matching_best_bid_ask"]
    assert decoder.checks["snapshots_reproduced"] == expected["later_snapshots_reproduced_exactly"]
    assert decoder.checks["gaps"] == 0
    final = [final_of(*replay.own(token)) for token in replay.followed]
    wanted = [expected["final"]["token_A"], expected["final"]["token_B"]]
    assert [{key: of[key] for key in want} for of, want in zip(final, wanted, strict=True)] == [
        {key: value if isinstance(value, int) else Decimal(value) for key, value in want.items()}
        for want in wanted
    ]


def final_of(book: Book, of: Instrument) -> dict[str, int | Decimal]:
    """Return what a case says of a book at the end."""
    bid, ask = book.best_bid(), book.best_ask()
    assert bid is not None
    assert ask is not None
    return {
        "best_bid": of.price(bid[0]),
        "best_ask": of.price(ask[0]),
        "bid_levels": len(book.bids),
        "ask_levels": len(book.asks),
        "best_bid_size": of.quantity(bid[1]),
        "best_ask_size": of.quantity(ask[1]),
    }


def test_01_nearly_every_hash_of_the_recording_proves_its_book() -> None:
    path = shared_file("data/polymarket-ws-yesno-20260907/polymarket_ws.jsonl")
    instruments = Instruments()
    decoder, builder = PolymarketMarketData(instruments), SliceBuilder(instruments)
    for number, text in enumerate(path.read_text().splitlines(), 1):
        decoder.decode(text, number, builder)
    checks = decoder.checks
    assert (checks["snapshots_proven"], checks["snapshots_unproven"]) == (6, 0)
    # Two entries share their timestamp, and so their hash, with those of the message after.
    assert (checks["hashes_proven"], checks["hashes_suspect"], checks["hashes_wrong"]) == (
        112,
        2,
        0,
    )


def frames(path: Path) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Yield line numbers, lines and their frames."""
    with gzip.open(path, "rt") as lines:
        for number, line in enumerate(lines, 1):
            yield number, line, json.loads(line)


def pairs_of(told: list[dict[str, Any]]) -> list[list[str]]:
    """Return the tokens of each market of which a frame carries both books."""
    by_market: dict[str, list[str]] = {}
    for message in told:
        if "bids" in message:
            by_market.setdefault(message["market"], []).append(message["asset_id"])
    return [tokens for tokens in by_market.values() if len(tokens) == 2]


def kind_of(message: dict[str, Any]) -> str:
    return str(message.get("event_type", "rest_book"))


def test_02_thirty_minutes_of_four_venues_are_replayed() -> None:
    case = conformance("02-polymarket-multivenue-replay")
    expected = case["expected"]
    instruments = Instruments()
    decoder = MultiVenueFrames(instruments)
    replay = Replay(decoder.polymarket, instruments, SliceBuilder(instruments))
    pairs: Counter[bool] = Counter()
    kinds: Counter[str] = Counter()
    received: list[tuple[int, int]] = []
    rows = 0
    for number, line, frame in frames(input_of(case)):
        decoder.decode(line, number, replay.builder)
        rows += len(replay.builder)
        received.append((frame["recv_wall_ts"], frame["ingest_seq"]))
        if frame["source"] != "polymarket_clob":
            replay.builder.build()
            continue
        told = messages(frame["payload"])
        replay.read(line, number, told)
        kinds.update(kind_of(message) for message in told)
        for tokens in pairs_of(told):
            one, other = (levels(*replay.own(token)) for token in tokens)
            pairs[mirrored(one) == other] += 1
    times = [time_ms for time_ms, _ in received]
    sequences = [sequence for _, sequence in received]
    assert decoder.frames == expected["frames_by_source"]
    assert decoder.polymarket.counts == expected["clob_messages"]
    assert kinds == expected["clob_messages"]
    assert replay.found["entries"] == expected["price_change_entries"]
    assert replay.found["matching"] == expected["entries_with_matching_best_bid_ask"]
    assert decoder.polymarket.checks["tops_matched"] == replay.found["matching"]
    assert decoder.polymarket.checks["gaps"] == 0
    assert pairs.total() == expected["pairs_of_books_in_one_frame"]
    assert pairs[True] == expected["pairs_exactly_complementary"]
    never_decreases = all(a <= b for a, b in pairwise(times))
    assert never_decreases == expected["recv_wall_ts_never_decreases"]
    increases = all(a < b for a, b in pairwise(sequences))
    assert increases == expected["ingest_seq_strictly_increases"]
    assert rows == 2288


def test_02_the_frames_of_the_other_venues_are_told_apart() -> None:
    case = conformance("02-polymarket-multivenue-replay")
    instruments = Instruments()
    decoder, builder = MultiVenueFrames(instruments), SliceBuilder(instruments)
    for number, line, _ in frames(input_of(case)):
        decoder.decode(line, number, builder)
    assert decoder.binance.counts == {"trade": 300}
    assert decoder.counts == {
        "coinbase/other": 30,
        "coinbase/ticker": 270,
        "polymarket_rtds_chainlink/history": 90,
        "polymarket_rtds_chainlink/update": 810,
    }
    others = [each.id for each in instruments if each.venue != "polymarket"]
    assert sorted(others) == sorted(
        [f"{coin}USDT.binance" for coin in ("BTC", "ETH", "SOL")]
        + [
            f"{coin}-USD.{venue}"
            for coin in ("BTC", "ETH", "SOL")
            for venue in ("coinbase", "chainlink")
        ]
    )


def test_02_every_hash_of_the_recording_proves_its_book() -> None:
    case = conformance("02-polymarket-multivenue-replay")
    instruments = Instruments()
    decoder, builder = MultiVenueFrames(instruments), SliceBuilder(instruments)
    for number, line, _ in frames(input_of(case)):
        decoder.decode(line, number, builder)
    checks = decoder.polymarket.checks
    assert (checks["snapshots_proven"], checks["snapshots_unproven"]) == (540, 0)
    assert (checks["hashes_proven"], checks["hashes_suspect"], checks["hashes_wrong"]) == (80, 0, 0)


def test_the_recordings_metadata_make_pairs_of_its_tokens() -> None:
    markets = read_markets(shared_file(f"{FOLDER}/markets.jsonl").read_text().splitlines())
    assert [market.slug for market in markets] == [
        f"{coin}-updown-15m-1777514400" for coin in ("btc", "eth", "sol")
    ]
    assert {(market.tick_size, market.min_order_size) for market in markets} == {
        (Decimal("0.01"), Decimal(5))
    }


def test_frames_that_a_sample_leaves_out_are_noticed_by_the_hash() -> None:
    path = shared_file("venues/samples/polymarket_ws_market_recorded_2026-09.jsonl")
    instruments = Instruments()
    decoder, builder = PolymarketMarketData(instruments), SliceBuilder(instruments)
    for number, text in enumerate(path.read_text().splitlines(), 1):
        decoder.decode(text, number, builder)
    checks = decoder.checks
    assert (checks["snapshots_proven"], checks["snapshots_unproven"]) == (3, 0)
    assert (checks["hashes_proven"], checks["gaps"]) == (1, 2)
