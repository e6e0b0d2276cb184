from actors.brokers.market.queue_position import QueueModel, Queues
from actors.brokers.market.shown import Bar
from actors.brokers.market.venue_market import VenueMarket
from actors.messages.market import ConnectionState
from tests.actors.brokers.rows import Tape
from tests.builders import instrument, instruments


def test_nothing_is_known_before_the_first_row() -> None:
    market = VenueMarket(instruments())
    assert market.levels(0, 1) is None
    assert (market.is_gapped(0), market.is_resolved(0), market.gapped()) == (False, False, [])


def test_only_what_has_passed_is_shown() -> None:
    table = instruments()
    tape = Tape(table).book(asks=[(101, 5)], is_snapshot=True).book(asks=[(100, 2)])
    rows = tape.connection(ConnectionState.GAPPED, 0).resolution(100).build()
    market = VenueMarket(table)
    found = []
    for stop in range(1, 5):
        market.advance(rows, stop)
        levels = market.levels(0, 1)
        found.append((None if levels is None else list(levels), market.is_resolved(0)))
    assert found == [
        ([(101, 5)], False),
        ([(100, 2), (101, 5)], False),
        (None, False),
        (None, True),
    ]


def test_slices_that_are_skipped_are_read_all_the_same() -> None:
    table = instruments(instrument("A"), instrument("B"))
    market = VenueMarket(table)
    market.advance(Tape(table).book(asks=[(101, 5)], is_snapshot=True).build(), 1)
    market.advance(Tape(table).quote(7, 8, 3, 3, index=1).build(), 1)
    market.advance(Tape(table).connection(ConnectionState.GAPPED, 1).build(), 1)
    market.advance(Tape(table).quote(99, 101, 5, 5).build(), 1)
    assert [*(market.levels(0, 1) or ())] == [(101, 5)]
    assert market.levels(1, 1) is None
    assert (market.top(1).ask, market.gapped()) == (8, [1])


def test_a_market_without_books_shows_quotes_only() -> None:
    table = instruments()
    market = VenueMarket(table, keeps_books=False)
    tape = Tape(table).book(asks=[(90, 5)], is_snapshot=True).quote(99, 101, 4, 4)
    market.advance(tape.build(), 2)
    assert [*(market.levels(0, 1) or ())] == [(101, 4)]


def test_a_slice_that_is_cut_while_it_passes_has_passed_once() -> None:
    table = instruments()
    queues = Queues(QueueModel())
    market = VenueMarket(table, queues=queues)
    tape = Tape(table).quote(99, 101, 10, 10).trade(99, 4).trade(99, 1).trade(99, 1)
    rows = tape.build()
    market.advance(rows, 1)
    assert [*(market.levels(0, 1) or ())] == [(101, 10)]
    market.take(0, 1, (101, 3), "t")
    market.join_queue(("o", 0), (0, 1, 99))
    assert market.ahead(("o", 0), rows, 3) == 5
    market.advance(rows, 2)
    begin = rows.take(slice(0, 3))
    market.advance(begin, 2)
    assert [*(market.levels(0, 1) or ())] == [(101, 7)]
    assert market.ahead(("o", 0), begin, 3) == 5
    rest = rows.take(slice(3, 4))
    market.advance(begin, 3)
    market.advance(rest, 1)
    assert [*(market.levels(0, 1) or ())] == [(101, 7)]
    assert market.ahead(("o", 0), rest, 1) == 4
    assert market.ahead(("nobody", 0), rest, 1) is None


def test_a_bar_is_the_price_until_a_quote_comes() -> None:
    table = instruments(instrument("A"), instrument("B"))
    market = VenueMarket(table)
    assert market.bar(0) is None
    tape = Tape(table).bar(100, 110, 90, 105, 7).trade(99).quote(7, 8, index=1)
    rows = tape.connection(ConnectionState.GAPPED, 0).quote(99, 101).build()
    found = []
    for stop in range(1, 6):
        market.advance(rows, stop)
        found.append((market.bar(0), market.bar(1)))
    bar = Bar(100, 110, 90, 105, 7)
    assert found == [(bar, None), (bar, None), (bar, None), (None, None), (None, None)]
