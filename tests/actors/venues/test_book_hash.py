import json
from typing import Any

import msgspec
import pytest

from actors.venues.polymarket.book_check import trade_price_text
from actors.venues.polymarket.book_hash import book_hash
from actors.venues.polymarket.frames import RestBookFrame
from tests.actors.venues.polymarket_venue import open_venue
from tests.shared import shared_file


def rest_book(**changes: Any) -> RestBookFrame:
    book = {**open_venue(last_trade_price="0.500").book(rest=True), **changes}
    return msgspec.convert(book, RestBookFrame)


def test_the_vectors_of_the_official_client_hold() -> None:
    vectors = json.loads(shared_file("venues/vectors/polymarket_book_hash.json").read_text())
    cases = vectors["cases"]
    found = [book_hash(msgspec.convert(case["book"], RestBookFrame)) for case in cases]
    assert found == [case["hash"] for case in cases]
    assert len(cases) == 7


def test_the_recorded_rest_answers_of_the_samples_folder_are_read() -> None:
    text = shared_file("data/polymarket-protocol-samples/http_responses-book.json").read_text()
    book = msgspec.json.decode(text, type=RestBookFrame)
    with pytest.raises(ValueError, match="expected min_order_size, tick_size, neg_risk"):
        book_hash(book)


def test_a_hash_covers_every_field_of_a_book() -> None:
    book = rest_book()
    changed: list[dict[str, Any]] = [
        {"market": "0xother"},
        {"asset_id": "9"},
        {"timestamp": "1"},
        {"bids": []},
        {"asks": [{"price": "0.51", "size": "1"}]},
        {"min_order_size": "15"},
        {"tick_size": "0.001"},
        {"neg_risk": True},
        {"last_trade_price": ""},
    ]
    hashes = {book_hash(rest_book(**change)) for change in changed}
    assert book_hash(book) == book.hash
    assert len(hashes | {book.hash}) == len(changed) + 1


def test_the_order_and_the_spelling_of_levels_count() -> None:
    levels = [{"price": "0.4", "size": "1"}, {"price": "0.5", "size": "2"}]
    respelled = [{"price": "0.40", "size": "1"}, {"price": "0.5", "size": "2"}]
    hashes = {book_hash(rest_book(bids=bids)) for bids in (levels, levels[::-1], respelled)}
    assert len(hashes) == 3


@pytest.mark.parametrize("missing", ["min_order_size", "tick_size", "neg_risk", "last_trade_price"])
def test_a_book_that_does_not_tell_everything_has_no_hash(missing: str) -> None:
    with pytest.raises(ValueError, match="book of 111: expected"):
        book_hash(rest_book(**{missing: None}))


def test_names_that_need_escaping_are_escaped() -> None:
    book = open_venue().book(rest=True) | {"market": 'say "x"'}
    from_json = msgspec.json.decode(json.dumps(book), type=RestBookFrame)
    assert len(book_hash(from_json)) == 40


@pytest.mark.parametrize(
    ("ticks", "text"),
    [(6200, "0.620"), (20, "0.002"), (0, "0.000"), (10_000, "1.000"), (25, "0.0025")],
)
def test_trade_prices_are_spelled_as_they_are_hashed(ticks: int, text: str) -> None:
    assert trade_price_text(ticks) == text
