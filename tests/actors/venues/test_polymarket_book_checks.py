from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.messages.market import BookChange, ConnectionState
from actors.model.book import Book
from tests.actors.venues.polymarket_reader import (
    Reader,
    levels,
    states,
    tick_size_change,
    told_levels,
)
from tests.actors.venues.polymarket_venue import (
    NO,
    YES,
    PolymarketVenue,
    market,
    open_venue,
)

GAPPED, SYNCED = ConnectionState.GAPPED, ConnectionState.SYNCED


# Gaps


def test_a_best_price_that_differs_from_the_told_one_is_a_gap_until_the_next_book() -> None:
    venue, reader = open_venue(), Reader(check_hash=False)
    reader.read(venue.books())
    venue.change("BUY", "0.49", "0")  # is lost
    events = reader.read(venue.change("SELL", "0.53", "1"))
    assert states(events) == [GAPPED, GAPPED]
    assert not reader.book().is_synced
    assert reader.read(venue.change("SELL", "0.53", "2")) == []
    assert reader.decoder.checks["gaps"] == 2
    assert states(reader.read(venue.books())) == [SYNCED, SYNCED]
    assert reader.has_books_of(venue)


def test_a_lost_change_at_the_top_is_a_gap_at_once() -> None:
    venue, reader = open_venue(), Reader()
    reader.read(venue.books())
    venue.change("BUY", "0.49", "0")  # is lost
    assert states(reader.read(venue.change("SELL", "0.53", "1"))) == [GAPPED, GAPPED]


def test_a_lost_change_below_the_top_is_noticed_by_the_second_hash_that_differs() -> None:
    venue, reader = open_venue(), Reader()
    reader.read(venue.books())
    venue.change("BUY", "0.47", "1")  # is lost
    venue.tick()
    assert states(reader.read(venue.change("SELL", "0.53", "1"))) == []
    venue.tick()
    assert states(reader.read(venue.change("SELL", "0.53", "2"))) == [GAPPED, GAPPED]
    assert reader.decoder.checks["hashes_suspect"] == 2
    assert reader.decoder.checks["hashes_wrong"] == 2


def test_without_hashes_a_lost_change_below_the_top_is_not_noticed() -> None:
    venue, reader = open_venue(), Reader(check_hash=False)
    reader.read(venue.books())
    venue.change("BUY", "0.47", "1")  # is lost
    for size in ("1", "2", "3"):
        venue.tick()
        reader.read(venue.change("SELL", "0.53", size))
    assert reader.decoder.checks["gaps"] == 0
    assert not reader.has_books_of(venue)


def test_a_hash_that_proves_the_book_ends_its_gap() -> None:
    venue, reader = open_venue(), Reader()
    reader.read(venue.books())
    venue.change("BUY", "0.49", "0")  # is lost
    reader.read(venue.change("SELL", "0.53", "1"))
    assert not reader.book().is_synced
    events = reader.read(venue.change("BUY", "0.49", "3"))  # overwrites what was lost
    assert states(events) == [SYNCED, SYNCED]
    assert [each.is_snapshot for each in events if isinstance(each, BookChange)] == [True, True]
    assert reader.has_books_of(venue)
    assert reader.decoder.checks["healed"] == 2


def test_a_gapped_book_stays_gapped_while_its_hash_differs() -> None:
    venue, reader = open_venue(), Reader()
    reader.read(venue.books())
    venue.change("BUY", "0.49", "0")  # is lost
    for size in ("1", "2", "3"):
        venue.tick()
        reader.read(venue.change("SELL", "0.53", size))
    assert not reader.book().is_synced
    assert reader.decoder.checks["gaps"] == 2


def test_changes_of_one_timestamp_are_hashed_together_and_do_not_accuse_each_other() -> None:
    venue, reader = open_venue(), Reader()
    reader.read(venue.books())
    venue.set("BUY", "0.47", "1")
    venue.set("SELL", "0.53", "2")
    first = venue.told("BUY", "0.47", "1")  # with the hash after both
    second = venue.told("SELL", "0.53", "2")
    events = reader.read(first, second)
    assert states(events) == []
    assert reader.decoder.checks["hashes_suspect"] == 2
    assert reader.decoder.checks["hashes_proven"] == 2
    assert reader.has_books_of(venue)


def test_a_changed_top_told_early_within_one_timestamp_heals_at_once() -> None:
    venue, reader = open_venue(), Reader()
    reader.read(venue.books())
    venue.set("BUY", "0.49", "0")
    venue.set("BUY", "0.48", "0")
    events = reader.read(venue.told("BUY", "0.49", "0"), venue.told("BUY", "0.48", "0"))
    assert states(events) == [GAPPED, GAPPED, SYNCED, SYNCED]
    assert reader.has_books_of(venue)


def test_several_changes_of_a_token_in_one_message_are_judged_by_the_last() -> None:
    venue, reader = open_venue(), Reader()
    reader.read(venue.books())
    venue.set("BUY", "0.49", "0")
    venue.set("BUY", "0.48", "0")
    message = venue.told("BUY", "0.49", "0")
    message["price_changes"] += venue.told("BUY", "0.48", "0")["price_changes"]
    assert states(reader.read(message)) == []
    assert reader.decoder.checks["hashes_proven"] == 2
    assert reader.decoder.checks["tops_matched"] == 2
    assert reader.has_books_of(venue)


def test_a_trade_moves_the_hashed_price_before_it_is_told() -> None:
    venue, reader = open_venue(last_trade_price="0.500"), Reader()
    reader.read(venue.books())
    venue.last_trade_price = "0.510"
    told = venue.change("SELL", "0.51", "100")
    reader.read(told, venue.book(resent=True), venue.book(NO, resent=True))
    reader.read(venue.trade("0.51", "10"))
    venue.tick()
    reader.read(venue.change("SELL", "0.51", "90"))
    assert reader.decoder.checks["hashes_proven"] == 4
    assert reader.decoder.checks["snapshots_proven"] == 4
    assert reader.decoder.checks["snapshots_reproduced"] == 2
    assert reader.decoder.checks["gaps"] == 0


def test_a_trade_at_a_price_that_no_message_names_accuses_nobody() -> None:
    venue, reader = open_venue(last_trade_price="0.500"), Reader()
    reader.read(venue.books())
    venue.last_trade_price = "0.333"
    reader.read(venue.change("BUY", "0.47", "1"))
    reader.read(venue.book(resent=True))
    venue.last_trade_price = "0.777"
    reader.read(venue.book(NO, resent=True))
    assert reader.decoder.checks["hashes_proven"] == 2
    assert reader.decoder.checks["snapshots_proven"] == 4


@pytest.mark.parametrize("neg_risk", [True, False])
@pytest.mark.parametrize("tick_size", ["0.01", "0.001"])
def test_terms_that_no_message_tells_are_found_by_the_hash(neg_risk: bool, tick_size: str) -> None:
    venue, reader = open_venue(neg_risk=neg_risk, tick_size=tick_size), Reader()
    reader.read(venue.book(resent=True), venue.book(NO, resent=True))
    reader.read(venue.change("BUY", "0.47", "1"))
    assert reader.decoder.checks["hashes_proven"] == 2


def test_a_venue_that_spells_changes_otherwise_than_it_hashes_them_is_understood() -> None:
    venue, reader = open_venue(), Reader()
    venue.is_verbose = True
    reader.read(venue.books())
    for price in ("0.40", "0.50", "0.45"):
        venue.tick()
        reader.read(venue.change("BUY", price, "1"))
    assert reader.decoder.checks["hashes_proven"] == 6
    assert reader.decoder.checks["hashes_suspect"] == 0


def test_terms_from_metadata_make_unusual_hashes_checkable() -> None:
    venue = open_venue(min_order_size="15", tick_size="0.0025", neg_risk=True)
    known = market(min_order_size=Decimal(15), tick_size=Decimal("0.0025"), neg_risk=True)
    informed, uninformed = Reader(markets=(known,)), Reader()
    for reader in (informed, uninformed):
        reader.read(venue.book(resent=True))
    assert informed.decoder.checks == {"snapshots_proven": 1}
    assert uninformed.decoder.checks == {"snapshots_unproven": 1}


def test_hashes_that_cannot_be_reproduced_accuse_nobody() -> None:
    venue, reader = open_venue(min_order_size="7"), Reader()
    reader.read(venue.books())
    for size in ("1", "2", "3"):
        venue.tick()
        assert states(reader.read(venue.change("BUY", "0.47", size))) == []
    assert reader.decoder.checks["snapshots_unproven"] == 2
    assert reader.decoder.checks["hashes_suspect"] == 0
    assert reader.has_books_of(venue)


def test_an_unreadable_hash_after_readable_ones_ends_the_checking() -> None:
    venue, reader = open_venue(), Reader()
    reader.read(venue.books())
    reader.read(venue.book() | {"hash": "0" * 40})
    venue.tick()
    change = venue.change("BUY", "0.47", "1")
    change["price_changes"][0]["hash"] = "0" * 40
    reader.read(change)
    assert reader.decoder.checks["snapshots_unproven"] == 1
    assert reader.decoder.checks["hashes_proven"] == 1


def test_a_later_book_that_differs_is_counted() -> None:
    venue, reader = open_venue(), Reader()
    reader.read(venue.books())
    venue.change("BUY", "0.47", "1")  # is lost
    reader.read(venue.books())
    assert reader.decoder.checks["snapshots_different"] == 2
    assert reader.has_books_of(venue)


def test_a_tick_size_change_drops_the_book_until_it_is_told_or_proven() -> None:
    venue, reader = open_venue(), Reader()
    reader.read(venue.books())
    assert states(reader.read(tick_size_change("0.001"))) == [GAPPED]
    venue.tick_size = "0.001"
    events = reader.read(venue.change("BUY", "0.485", "5"))
    assert states(events)[0] is SYNCED
    assert levels(reader, YES) == told_levels(venue.book())
    assert levels(reader, YES)[1, Decimal("0.485")] == 5


def test_a_tick_size_change_without_a_book_changes_nothing() -> None:
    reader = Reader()
    assert reader.read(tick_size_change("0.001")) == []
    reader.read(open_venue().trade("0.5", "1"))
    assert reader.read(tick_size_change("0.001")) == []
    assert reader.decoder.bookkeeper.books == {}


def test_a_tick_size_change_needs_no_hashes() -> None:
    venue, reader = open_venue(), Reader(check_hash=False)
    reader.read(venue.books())
    assert states(reader.read(tick_size_change("0.001"))) == [GAPPED]
    assert states(reader.read(venue.book())) == [SYNCED]
    unproven = Reader()
    unproven.read(venue.book() | {"hash": ""}, tick_size_change("0.001"))
    assert unproven.decoder.checks == {"snapshots_unproven": 1}


# Properties

moves = st.lists(
    st.tuples(
        st.sampled_from(["BUY", "SELL"]),
        st.integers(1, 49),
        st.sampled_from(["0", "1", "2.5", "700.000001"]),
        st.integers(0, 2),
        st.sampled_from(["told", "told", "told", "lost", "book", "trade"]),
    ),
    max_size=30,
)
Move = tuple[str, int, str, int, str]


def moved(venue: PolymarketVenue, move: Move) -> dict[str, Any]:
    side, cents, size, wait_ms, _ = move
    venue.tick(wait_ms)
    price = f"0.{cents if side == 'BUY' else 100 - cents:02d}"
    levels = venue.bids if side == "BUY" else venue.asks
    if size == "0" and Decimal(price) not in levels:
        size = "1"
    return venue.change(side, price, size)


@settings(deadline=None)
@given(moves=moves, check_hash=st.booleans())
def test_books_are_the_venues_whenever_nothing_is_lost(moves: list[Move], check_hash: bool) -> None:
    venue, reader = open_venue(), Reader(check_hash=check_hash)
    reader.read(venue.books())
    for move in moves:
        reader.read(moved(venue, move))
        if move[4] == "book":
            reader.read(venue.books())
        elif move[4] == "trade":
            reader.read(venue.trade(f"0.{move[1]:02d}", "1"))
        assert reader.has_books_of(venue)
    checks = reader.decoder.checks
    assert (checks["gaps"], checks["tops_mismatched"], checks["snapshots_different"]) == (0, 0, 0)
    assert (checks["hashes_suspect"], checks["snapshots_unproven"]) == (0, 0)
    assert checks["hashes_proven"] == (2 * len(moves) if check_hash else 0)


@settings(deadline=None)
@given(moves)
def test_a_book_from_which_something_was_lost_is_never_trusted_for_long(moves: list[Move]) -> None:
    venue, reader = open_venue(), Reader()
    reader.read(venue.books())
    unnoticed = 0
    for number, move in enumerate(moves):
        message = moved(venue, move)
        venue.tick()  # no two messages of one timestamp here
        if move[4] == "lost":
            continue
        reader.read(message)
        if reader.has_books_of(venue):
            unnoticed = 0
            assert reader.book(YES).is_synced, number
            assert reader.book(NO).is_synced, number
        elif reader.book(YES).is_synced or reader.book(NO).is_synced:
            unnoticed += 1
            assert unnoticed < 2, number


@settings(deadline=None)
@given(moves)
def test_whoever_follows_the_rows_has_the_decoders_books(moves: list[Move]) -> None:
    venue, reader = open_venue(), Reader(markets=(market(),))
    followers = {YES: Book(), NO: Book()}
    lost = {number for number, move in enumerate(moves, 1) if move[4] == "lost"}
    lines = [venue.books(), *(moved(venue, move) for move in moves)]
    for number, line in enumerate(lines):
        for each in reader.read(line) if number not in lost else ():
            if isinstance(each, BookChange):
                followers[each.instrument.id].apply(each.levels, is_snapshot=each.is_snapshot)
        for token in (YES, NO):
            if reader.book(token).is_synced:
                assert followers[token].levels() == reader.book(token).levels()
