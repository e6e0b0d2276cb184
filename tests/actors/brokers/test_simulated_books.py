"""The simulated broker on level-2 books: what orders take, level by level."""

import pytest

from actors.messages.market import ConnectionState
from tests.actors.brokers.desks import (
    ACCEPTED,
    Desk,
    buy,
    sell,
    taker,
    told,
)
from tests.actors.brokers.rows import Tape
from tests.builders import instrument, instruments

# --- books -------------------------------------------------------------------------------------


def show_book(tape: Tape) -> Tape:
    asks = [(101, 5), (102, 5), (105, 50)]
    return tape.book([(99, 5), (97, 5)], asks, is_snapshot=True).quote(99, 101, 5, 5)


def test_an_order_walks_the_book_level_by_level() -> None:
    desk = Desk()
    desk.show(show_book)
    assert told(desk.place(buy(12, id="a"))) == [
        taker(5, "1.01"),
        taker(5, "1.02"),
        taker(2, "1.05"),
    ]
    assert told(desk.place(sell(12, "0.97", id="b"))) == [
        ACCEPTED,  # two are left
        taker(5, "0.99"),
        taker(5, "0.97"),
    ]


def test_levels_that_were_taken_are_gone_until_the_next_quote() -> None:
    desk = Desk()
    desk.show(show_book)
    desk.place(buy(7, id="a"))
    assert told(desk.place(buy(4, id="b"))) == [taker(3, "1.02"), taker(1, "1.05")]
    desk.show(lambda tape: tape.book(asks=[(102, 6)]).quote(99, 101, 5, 6))
    assert told(desk.place(buy(12, id="c"))) == [
        taker(5, "1.01"),
        taker(6, "1.02"),
        taker(1, "1.05"),
    ]


def test_changes_before_the_first_snapshot_make_no_book() -> None:
    desk = Desk()
    desk.show(lambda tape: tape.book(asks=[(90, 5)]).quote(99, 101, 5, 5))
    assert told(desk.place(buy(3))) == [taker(3, "1.01")]


@pytest.mark.parametrize("scope", [0, -1])
def test_an_order_waits_while_the_book_has_a_gap(scope: int) -> None:
    desk = Desk()
    desk.show(show_book)
    desk.show(lambda tape: tape.connection(ConnectionState.GAPPED, scope))
    assert told(desk.place(buy(6, "1.05"))) == [ACCEPTED]
    assert desk.show(lambda tape: tape.quote(99, 101, 5, 5).trade(99)) == []
    outputs = desk.show(lambda tape: show_book(tape).connection(ConnectionState.SYNCED, scope))
    assert told(outputs) == [taker(5, "1.01"), taker(1, "1.02")]


def test_a_snapshot_ends_a_gap_by_itself() -> None:
    desk = Desk()
    desk.show(lambda tape: show_book(tape).connection(ConnectionState.GAPPED, 0))
    desk.show(lambda tape: tape.book(asks=[(103, 5)], is_snapshot=True))
    assert told(desk.place(buy(6))) == [ACCEPTED, taker(5, "1.03")]


def test_quotes_are_good_again_after_synced() -> None:
    desk = Desk()
    desk.show(lambda tape: tape.quote(99, 101).connection(ConnectionState.GAPPED, 0))
    desk.place(buy(1, "1.00"))
    outputs = desk.show(
        lambda tape: tape.quote(90, 91).connection(ConnectionState.SYNCED, 0).quote(90, 92)
    )
    assert told(outputs) == [taker(1, "0.92")]


def test_a_gap_of_one_book_does_not_stop_the_others() -> None:
    desk = Desk(table=instruments(instrument(lot="1"), instrument("ETH", lot="1")))
    desk.show(lambda tape: tape.quote(99, 101).quote(199, 201, index=1))
    desk.place(buy(1, "1.00", id="a"))
    desk.place(buy(1, "2.00", id="b", instrument="ETH"))
    outputs = desk.show(
        lambda tape: (
            tape.connection(ConnectionState.GAPPED, 1)
            .quote(90, 91, index=1)
            .quote(90, 92)
            .connection(ConnectionState.SYNCED, 1)
            .quote(190, 191, index=1)
        )
    )
    assert [each.client_order_id for each in outputs] == ["a", "b"]


@pytest.mark.parametrize("state", [ConnectionState.DOWN, ConnectionState.UP])
def test_a_feed_that_comes_and_goes_is_not_the_venue(state: ConnectionState) -> None:
    desk = Desk()
    desk.show(lambda tape: tape.quote(99, 101))
    desk.place(buy(1, "1.00", id="a"))
    desk.show(lambda tape: tape.connection(state))
    assert told(desk.place(buy(id="b"))) == [taker(1, "1.01")]
