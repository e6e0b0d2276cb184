"""Frames of Coinbase as rows, and what happens to frames that are not as they should be."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.messages.market import BookChange, MarketEvent, Quote, Trade
from actors.messages.slices import SliceBuilder
from actors.model.instrument import Instruments
from actors.venues.coinbase.market_data import CoinbaseMarketData, CoinbaseOptions

TIME = "2021-04-17T16:43:37.078325Z"
TIME_NS = 1_618_677_817_078_325_000


class Desk:
    """A decoder with the builder that it writes to."""

    def __init__(self, options: CoinbaseOptions | None = None) -> None:
        self.table = Instruments()
        self.decoder = CoinbaseMarketData(self.table, options)
        self.builder = SliceBuilder(self.table)

    def line(self, text: str) -> list[MarketEvent]:
        self.decoder.decode(text, 3, self.builder)
        return list(self.builder.build().events())

    def send(self, **message: Any) -> list[MarketEvent]:
        return self.line(f"1618677817.1293912: {msgspec.json.encode(message).decode()}")


def snapshot(desk: Desk, product: str = "SKL-USD") -> list[MarketEvent]:
    return desk.send(
        type="snapshot",
        product_id=product,
        bids=[["0.7885", "10.5"], ["0.7884", "1.0"]],
        asks=[["0.7910", "450.0"]],
    )


def update(desk: Desk, *changes: list[str], product: str = "SKL-USD") -> list[MarketEvent]:
    return desk.send(type="l2update", product_id=product, changes=changes, time=TIME)


def test_a_snapshot_says_how_fine_the_products_grid_is() -> None:
    desk = Desk()
    book, quote = snapshot(desk)
    assert isinstance(book, BookChange)
    assert book.is_snapshot
    assert isinstance(quote, Quote)
    assert (quote.bid, quote.bid_quantity) == (Decimal("0.7885"), Decimal("10.5"))
    (product,) = desk.table
    assert (product.id, product.venue, product.currency) == ("SKL-USD.coinbase", "coinbase", "USD")
    assert (product.tick, product.order_tick, product.lot) == (
        Decimal("0.0001"),
        Decimal("0.0001"),
        Decimal("0.1"),
    )


def test_options_come_before_what_the_snapshot_shows() -> None:
    desk = Desk(CoinbaseOptions(tick=Decimal("0.00001"), lot=Decimal("0.01")))
    snapshot(desk)
    assert (desk.table[0].tick, desk.table[0].lot) == (Decimal("0.00001"), Decimal("0.01"))


def test_an_update_sets_levels_and_a_zero_removes_them() -> None:
    desk = Desk()
    snapshot(desk)
    events = update(desk, ["buy", "0.7885", "0.0"], ["sell", "0.7905", "2.5"])
    book, quote = events
    assert isinstance(book, BookChange)
    assert not book.is_snapshot
    assert isinstance(quote, Quote)
    assert (quote.bid, quote.ask) == (Decimal("0.7884"), Decimal("0.7905"))
    assert desk.decoder.counts == {"snapshot": 1, "l2update": 1}


def test_rows_carry_the_exact_receive_time_and_the_venues() -> None:
    desk = Desk()
    snapshot(desk)
    text = msgspec.json.encode(
        {"type": "l2update", "product_id": "SKL-USD", "changes": [], "time": TIME}
    )
    desk.decoder.decode(f"1618677817.1293912: {text.decode()}", 9, desk.builder)
    rows = desk.builder.build()
    assert rows.time_ns.tolist() == [1_618_677_817_129_391_200]
    assert rows.venue_time_ns.tolist() == [TIME_NS]
    assert rows.line.tolist() == [9]


def test_a_match_names_the_makers_side_and_the_row_the_takers() -> None:
    desk = Desk()
    fields = {"type": "match", "product_id": "SKL-USD", "size": "70", "price": "0.79", "time": TIME}
    events = desk.send(**fields, side="sell") + desk.send(**fields, side="buy")
    assert [
        (each.aggressor, each.price, each.quantity) for each in events if isinstance(each, Trade)
    ] == [
        (1, Decimal("0.79"), Decimal(70)),
        (-1, Decimal("0.79"), Decimal(70)),
    ]
    assert (desk.table[0].tick, desk.table[0].lot) == (Decimal("1e-8"), Decimal("1e-8"))


def test_updates_before_their_snapshot_are_counted_and_ignored() -> None:
    desk = Desk()
    assert update(desk, ["buy", "0.7", "1.0"]) == []
    desk.send(type="match", product_id="SKL-USD", size="70", price="0.79", time=TIME, side="buy")
    assert update(desk, ["buy", "0.7", "1.0"]) == []
    assert desk.decoder.counts["l2update_early"] == 2
    assert len(snapshot(desk)) == 2
    assert len(update(desk, ["buy", "0.7", "1.0"])) == 1


def test_a_new_snapshot_replaces_the_book() -> None:
    desk = Desk()
    snapshot(desk)
    update(desk, ["buy", "0.7890", "5.0"])
    snapshot(desk)
    assert desk.decoder.bookkeeper.books[0].best_bid() == (7885, 105)


def test_products_have_books_of_their_own() -> None:
    desk = Desk()
    snapshot(desk)
    snapshot(desk, "YFI-BTC")
    update(desk, ["sell", "0.7910", "0.0"], product="YFI-BTC")
    assert desk.decoder.bookkeeper.books[0].best_ask() == (7910, 4500)
    assert desk.decoder.bookkeeper.books[1].best_ask() is None


def test_other_messages_are_counted_only() -> None:
    desk = Desk()
    assert desk.send(type="ticker", price="1") == []
    assert desk.send(type="last_match", price="1") == []
    assert desk.send(type="heartbeat", sequence=90) == []
    assert desk.send(type="subscriptions", channels=[]) == []
    assert desk.decoder.counts == {"ticker": 1, "last_match": 1, "other": 2}


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (
            {"type": "l2update", "product_id": "SKL-USD", "time": TIME},
            "missing required field `changes`",
        ),
        (
            {
                "type": "l2update",
                "product_id": "SKL-USD",
                "time": TIME,
                "changes": [["hold", "1", "1"]],
            },
            "hold",
        ),
        (
            {"type": "l2update", "product_id": "SKL-USD", "time": "noon", "changes": []},
            "not a time: 'noon'",
        ),
        (
            {
                "type": "l2update",
                "product_id": "SKL-USD",
                "time": TIME,
                "changes": [["buy", "0.79999", "1"]],
            },
            "0.79999 is not a multiple",
        ),
        (
            {
                "type": "l2update",
                "product_id": "SKL-USD",
                "time": TIME,
                "changes": [["buy", "0.7", "x"]],
            },
            "not a number",
        ),
        (
            {"type": "match", "product_id": "SKL-USD", "time": TIME, "side": "buy", "price": "1"},
            "`size`",
        ),
        ({"type": "snapshot", "product_id": "SKL-USD", "bids": [], "asks": 5}, "Expected `array`"),
        ({"product_id": "SKL-USD"}, "missing required field `type`"),
        ({"type": 5}, "Expected `str`"),
    ],
)
def test_a_malformed_message_is_refused_and_changes_nothing(
    message: dict[str, Any], reason: str
) -> None:
    desk = Desk()
    snapshot(desk)
    before = desk.decoder.bookkeeper.books[0].levels()
    with pytest.raises(ValueError, match=reason):
        desk.send(**message)
    assert len(desk.builder) == 0
    assert desk.decoder.bookkeeper.books[0].levels() == before
    assert desk.decoder.counts == {"snapshot": 1}


@pytest.mark.parametrize(
    "line", ["", "x: {}", "1618677817.1 {}", "1618677817.1: {", "1618677817.1: 5", "-1: {}"]
)
def test_a_line_without_time_or_json_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"not a time|JSON|Input data|Expected"):
        Desk().line(line)


@given(st.integers(0, 200), st.text(max_size=5), st.sampled_from(["l2update", "match", "snapshot"]))
def test_garbage_is_refused_with_a_value_error_or_read(place: int, junk: str, kind: str) -> None:
    desk = Desk()
    snapshot(desk)
    message = {
        "type": kind,
        "product_id": "SKL-USD",
        "changes": [["buy", "0.7", "1.0"]],
        "time": TIME,
        "side": "buy",
        "price": "0.7",
        "size": "1.0",
        "bids": [["0.7", "1.0"]],
        "asks": [],
    }
    text = f"1618677817.1: {msgspec.json.encode(message).decode()}"
    place %= len(text)
    try:
        desk.line(text[:place] + junk + text[place + len(junk) :])
    except ValueError:
        assert len(desk.builder) == 0
    assert desk.decoder.counts["snapshot"] >= 1
