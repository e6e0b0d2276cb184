import json
from decimal import Decimal
from typing import Any

import pytest

from actors.messages.market import BookChange, Quote, Resolution, Trade
from actors.model.instrument import Outcome
from actors.venues.polymarket.market_data import MESSAGE_TYPES_LIMIT, MarketDataOptions
from actors.venues.polymarket.markets import slug_names
from tests.actors.venues.polymarket_reader import (
    MILLISECOND,
    Reader,
    levels,
    tick_size_change,
    told_levels,
)
from tests.actors.venues.polymarket_venue import (
    CONDITION,
    NO,
    START_MS,
    YES,
    PolymarketVenue,
    market,
    open_venue,
)

# Rows


def test_the_first_array_of_books_makes_both_tokens_books() -> None:
    venue, reader = open_venue(), Reader()
    events = reader.read(venue.books())
    assert [type(each) for each in events] == [BookChange, Quote, BookChange, Quote]
    assert reader.has_books_of(venue)
    quote = events[3]
    assert isinstance(quote, Quote)
    assert (quote.bid, quote.ask) == (Decimal("0.49"), Decimal("0.51"))
    assert quote.bid_quantity == Decimal(110)
    assert reader.decoder.counts == {"book": 2}


def test_a_change_sets_its_level_on_both_tokens_books() -> None:
    venue, reader = open_venue(), Reader()
    reader.read(venue.books())
    events = reader.read(venue.change("BUY", "0.50", "7.25"))
    assert [type(each) for each in events] == [BookChange, Quote, BookChange, Quote]
    assert reader.has_books_of(venue)
    reader.read(venue.change("BUY", "0.50", "0"), venue.change("SELL", "0.52", "1"))
    assert reader.has_books_of(venue)
    assert reader.decoder.checks["tops_matched"] == 6
    assert reader.decoder.checks["gaps"] == 0


def test_changes_before_the_first_book_are_counted_and_left_out() -> None:
    venue, reader = open_venue(), Reader()
    assert reader.read(venue.change("BUY", "0.48", "1")) == []
    assert len(reader.instruments) == 0
    assert reader.decoder.checks == {"changes": 2, "changes_without_book": 2}


@pytest.mark.parametrize("text", ["", "  ", "PONG", "PING", "[]", "\n"])
def test_a_keep_alive_says_nothing(text: str) -> None:
    reader = Reader()
    assert reader.read(text) == []
    assert reader.decoder.counts == {}


def test_a_book_without_event_type_is_a_rest_answer() -> None:
    venue, reader = open_venue(), Reader()
    reader.read(venue.book(rest=True))
    assert reader.decoder.counts == {"rest_book": 1}
    (instrument,) = reader.instruments
    assert instrument.min_quantity == 5
    assert levels(reader, YES) == told_levels(venue.book())


def test_an_array_may_mix_books_of_both_kinds_with_strangers() -> None:
    venue, reader = open_venue(), Reader()
    reader.read([venue.book(rest=True), {"event_type": "heartbeat", "price": 5}, venue.book(NO)])
    assert reader.decoder.counts == {"rest_book": 1, "heartbeat": 1, "book": 1}
    assert reader.has_books_of(venue)


@pytest.mark.parametrize(
    "old",
    [
        {"changes": [{"price": "0.48", "side": "BUY", "size": "9"}]},
        {"price": "0.48", "side": "BUY", "size": "9"},
    ],
)
def test_the_flat_shapes_of_old_recordings_are_read(old: dict[str, Any]) -> None:
    venue, reader = open_venue(), Reader()
    reader.read(venue.books())
    base = {"event_type": "price_change", "asset_id": YES, "market": CONDITION, "hash": "old"}
    events = reader.read({**base, **old, "timestamp": str(START_MS)})
    assert [type(each) for each in events] == [BookChange]
    assert levels(reader, YES)[1, Decimal("0.48")] == 9
    assert reader.book().is_synced


@pytest.mark.parametrize(("side", "aggressor"), [("BUY", 1), ("SELL", -1), (None, 0)])
def test_a_last_trade_price_is_a_trade(side: str | None, aggressor: int) -> None:
    reader = Reader()
    message = open_venue().trade("0.63", "7.555554") | {"side": side}
    (trade,) = reader.read(message)
    assert isinstance(trade, Trade)
    assert (trade.price, trade.quantity) == (Decimal("0.63"), Decimal("7.555554"))
    assert trade.aggressor == aggressor


def test_rows_carry_the_venues_time_and_the_line() -> None:
    venue, reader = open_venue(), Reader()
    reader.decoder.decode(json.dumps(venue.book()), 41, reader.builder)
    rows = reader.builder.build()
    assert set(rows.times()) == {START_MS * MILLISECOND}
    assert set(rows.venue_time_ns.tolist()) == {START_MS * MILLISECOND}
    assert set(rows.line.tolist()) == {41}


def test_a_frame_whose_receive_time_is_known_carries_both_times() -> None:
    venue, reader = open_venue(), Reader()
    received_ns = START_MS * MILLISECOND + 123
    reader.decoder.decode_frame(json.dumps(venue.book()), 1, reader.builder, received_ns)
    rows = reader.builder.build()
    assert set(rows.times()) == {received_ns}
    assert set(rows.venue_time_ns.tolist()) == {START_MS * MILLISECOND}


def test_an_empty_side_is_told_as_no_price() -> None:
    venue, reader = PolymarketVenue(), Reader()
    venue.set("BUY", "0.40", "5")
    reader.read(venue.books())
    reader.read(venue.change("BUY", "0.40", "0"))
    assert reader.decoder.checks["tops_matched"] == 2
    assert reader.book().levels() == []


# Instruments


def test_metadata_tell_yes_from_no() -> None:
    known = market(tick_size=Decimal("0.001"), min_order_size=Decimal(15))
    reader = Reader(markets=(known,))
    reader.read(open_venue().book(NO))
    yes, no = reader.instruments
    assert (yes.id, yes.outcome, yes.complement) == (YES, Outcome.YES, NO)
    assert (no.id, no.outcome, no.complement) == (NO, Outcome.NO, YES)
    for token in (yes, no):
        assert (token.venue, token.currency, token.market) == ("polymarket", "USDC", CONDITION)
        assert (token.tick, token.lot) == (Decimal("0.0001"), Decimal("0.000001"))
        assert (token.order_tick, token.min_quantity) == (Decimal("0.001"), Decimal(15))
        assert not token.can_short


def test_tokens_may_have_readable_names() -> None:
    reader = Reader(markets=(market(),), names=slug_names([market()]))
    reader.read(open_venue().books())
    assert [token.id for token in reader.instruments] == ["btc-up-YES", "btc-up-NO"]
    assert [token.symbol for token in reader.instruments] == [YES, NO]
    assert reader.instruments[0].complement == "btc-up-NO"


def test_one_name_cannot_stand_for_two_tokens() -> None:
    with pytest.raises(ValueError, match="'same' names more than one token"):
        MarketDataOptions(names={YES: "same", NO: "same"})


def test_without_metadata_a_token_stands_alone() -> None:
    reader = Reader()
    reader.read(open_venue(tick_size="0.001").book())
    (token,) = reader.instruments
    assert (token.outcome, token.complement, token.market) == (None, None, CONDITION)
    assert token.order_tick == Decimal("0.001")


def test_a_token_first_seen_in_a_trade_has_the_usual_tick() -> None:
    reader = Reader()
    reader.read(open_venue().trade("0.5", "1"))
    (token,) = reader.instruments
    assert (token.order_tick, token.min_quantity) == (Decimal("0.01"), Decimal(0))


def listed(**changes: Any) -> dict[str, Any]:
    message = {
        "event_type": "new_market",
        "market": CONDITION,
        "slug": "new",
        "assets_ids": [YES, NO],
        "outcomes": ["Up", "Down"],
        "order_price_min_tick_size": "0.001",
        "timestamp": str(START_MS),
    }
    return {**message, **changes}


def test_a_market_that_the_feed_announces_is_known_when_its_books_come() -> None:
    reader = Reader()
    assert reader.read(listed()) == []
    assert len(reader.instruments) == 0
    reader.read(open_venue(tick_size="0.001").book(NO))
    assert [token.outcome for token in reader.instruments] == [Outcome.YES, Outcome.NO]
    assert reader.instruments[0].order_tick == Decimal("0.001")


def test_an_announced_market_without_two_outcomes_or_tick_is_no_fault() -> None:
    reader = Reader()
    many = listed(assets_ids=["1", "2", "3"], outcomes=["A", "B", "C"])
    reader.read(many, listed(order_price_min_tick_size=None))
    reader.read(open_venue().book())
    assert reader.decoder.counts["new_market"] == 2
    assert reader.instruments[0].order_tick == Decimal("0.01")


def test_a_configured_market_wins_over_an_announced_one() -> None:
    reader = Reader(markets=(market(yes_token=NO, no_token=YES),))
    reader.read(listed(), open_venue().book())
    assert [token.id for token in reader.instruments] == [NO, YES]


def resolved(winner: str = YES, tokens: tuple[str, str] = (YES, NO)) -> dict[str, Any]:
    return {
        "event_type": "market_resolved",
        "market": CONDITION,
        "assets_ids": list(tokens),
        "winning_asset_id": winner,
        "winning_outcome": "Up",
        "timestamp": str(START_MS + 5),
    }


def test_a_resolved_market_tells_what_each_token_pays() -> None:
    reader = Reader()
    reader.read(open_venue().books())
    events = reader.read(resolved(winner=NO))
    assert all(isinstance(each, Resolution) for each in events)
    paid = [(each.instrument.id, each.payoff) for each in events if isinstance(each, Resolution)]
    assert paid == [(YES, Decimal(0)), (NO, Decimal(1))]


def test_a_configured_market_resolves_though_its_books_were_never_seen() -> None:
    reader = Reader(markets=(market(),))
    assert len(reader.read(resolved())) == 2
    assert [token.outcome for token in reader.instruments] == [Outcome.YES, Outcome.NO]


def test_the_resolution_of_a_strangers_market_is_only_counted() -> None:
    reader = Reader()
    assert reader.read(resolved("8", ("8", "9"))) == []
    assert len(reader.instruments) == 0
    assert reader.decoder.counts == {"market_resolved": 1}


# Strangers and malformed lines


def test_messages_of_unknown_types_are_counted_and_nothing_else() -> None:
    reader = Reader()
    best = {"event_type": "best_bid_ask", "asset_id": YES, "best_bid": 0.5}
    assert reader.read(best, best, [{"event_type": "order"}]) == []
    assert reader.decoder.counts == {"best_bid_ask": 2, "order": 1}


def test_only_so_many_unknown_types_are_counted_by_name() -> None:
    reader = Reader()
    reader.read([{"event_type": f"type-{n}"} for n in range(MESSAGE_TYPES_LIMIT + 10)])
    reader.read({"event_type": "type-0"})
    assert len(reader.decoder.counts) == MESSAGE_TYPES_LIMIT + 1
    assert reader.decoder.counts["other"] == 10
    assert reader.decoder.counts["type-0"] == 2


def without(message: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in message.items() if name != key}


def with_change(**values: Any) -> dict[str, Any]:
    message = open_venue().told("BUY", "0.48", "1")
    message["price_changes"][1] |= values
    return message


BOOK, CHANGE = open_venue().book(), open_venue().told("BUY", "0.48", "1")
FLAT = {"event_type": "price_change", "market": "m", "timestamp": "1", "asset_id": YES}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not a JSON text"),
        ("nonsense", "JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("5", "Expected `object"),
        ([5], "message 1 of the array: Expected `object"),
        ({"no": "type"}, "missing required field `market`"),
        ({"event_type": 5}, "Expected `str"),
        (without(BOOK, "asset_id"), "missing required field `asset_id`"),
        (without(BOOK, "bids"), "missing required field `bids`"),
        (BOOK | {"bids": {}}, r"Expected `array`, got `object` - at `\$.bids`"),
        (BOOK | {"bids": [{"price": 0.5, "size": "1"}]}, r"got `float` - at `\$.bids\[0\].price`"),
        (BOOK | {"asks": [{"price": "0.5"}]}, "missing required field `size`"),
        (BOOK | {"asks": [{"price": "0.50005", "size": "1"}]}, r"'0\.50005'.* multiple of 0\.0001"),
        (BOOK | {"asks": [{"price": "1.01", "size": "1"}]}, r"price '1\.01'"),
        (BOOK | {"asks": [{"price": "-0.5", "size": "1"}]}, r"price '-0\.5'"),
        (BOOK | {"asks": [{"price": "NaN", "size": "1"}]}, "price 'NaN'"),
        (BOOK | {"asks": [{"price": "0.5", "size": "x"}]}, "size 'x'"),
        (BOOK | {"asks": [{"price": "0.5", "size": "-1"}]}, "size '-1'"),
        (BOOK | {"asks": [{"price": "0.5", "size": "0.0000001"}]}, r"multiple of 0\.000001"),
        (BOOK | {"asks": [{"price": "0.5", "size": "1e30"}]}, "size '1e30'"),
        (BOOK | {"timestamp": "soon"}, "timestamp 'soon'"),
        (BOOK | {"timestamp": "9" * 13}, "expected milliseconds since 1970"),
        (BOOK | {"timestamp": "9" * 30}, "expected milliseconds since 1970"),
        (BOOK | {"timestamp": 5}, "Expected `str"),
        (BOOK | {"tick_size": "0"}, "tick size '0': expected above 0"),
        (BOOK | {"tick_size": "0.00001"}, "multiple of"),
        (open_venue().book(rest=True) | {"min_order_size": "few"}, "size 'few'"),
        (open_venue().book(rest=True) | {"neg_risk": "no"}, "Expected `bool"),
        (with_change(price="0.123456"), r"change 2 of price_change: price '0\.123456'"),
        (with_change(size=None), r"`\$.price_changes\[1\].size`"),
        (with_change(side="HOLD"), "Invalid enum value 'HOLD'"),
        (with_change(best_bid="high"), "price 'high'"),
        (CHANGE | {"timestamp": ""}, "timestamp ''"),
        (FLAT, "expected price_changes, changes, or price, size and side"),
        (without(FLAT, "asset_id"), "expected price_changes, or asset_id"),
        (open_venue().trade("0.5", "1") | {"price": ""}, "price ''"),
        (without(open_venue().trade("0.5", "1"), "size"), "missing required field `size`"),
        (tick_size_change("2"), "price '2'"),
        (resolved("8"), "winning_asset_id '8' is not in assets_ids"),
        (listed(assets_ids=[YES, YES]), "both outcomes have the token 111"),
        (listed(order_price_min_tick_size=True), "order_price_min_tick_size"),
        ([BOOK, BOOK | {"timestamp": "x"}], "timestamp 'x'"),
        ([BOOK, open_venue().book(rest=True), without(BOOK, "market")], "message 3 of the array"),
    ],
)
def test_a_malformed_line_is_refused_as_a_whole(line: Any, reason: str) -> None:
    reader = Reader()
    with pytest.raises(ValueError, match=reason):
        reader.read(line)
    assert len(reader.builder) == 0
    assert len(reader.instruments) == 0
    assert (dict(reader.decoder.counts), dict(reader.decoder.checks)) == ({}, {})
    venue = open_venue()
    reader.read(venue.books())
    assert reader.has_books_of(venue)
