from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.brokers.market.queue_position import Place, Queue, QueueModel
from actors.brokers.market.queue_rows import QueueRows
from actors.brokers.simulated import SimulatedBroker, SimulatedBrokerConfig
from actors.messages.slices import MarketData
from actors.model.order import OrderType
from tests.actors.brokers.desks import (
    ACCEPTED,
    REPLACED,
    Desk,
    buy,
    change,
    maker,
    sell,
    taker,
    told,
)
from tests.actors.brokers.rows import Tape
from tests.builders import context, instrument, instruments, place

RISK_AVERSE = Queue.RISK_AVERSE


def desk_of(queue: Queue = RISK_AVERSE, **options: Any) -> Desk:
    return Desk(SimulatedBrokerConfig(queue=queue, **options))


def test_an_order_at_the_best_quote_fills_when_trades_exceed_what_was_ahead() -> None:
    desk = desk_of()
    desk.show(lambda tape: tape.quote(99, 101, 10, 10))
    desk.place(buy(5, "0.99"))
    assert desk.show(lambda tape: tape.trade(99, 6).trade(99, 4).trade(98, 0)) == []
    assert told(desk.show(lambda tape: tape.trade(99, 2))) == [maker(2, "0.99")]
    assert told(desk.show(lambda tape: tape.trade(99, 9))) == [maker(3, "0.99")]


def test_only_trades_of_the_other_side_shorten_the_queue() -> None:
    desk = desk_of()
    desk.show(lambda tape: tape.quote(99, 101, 2, 2))
    desk.place(buy(5, "0.99", id="b"))
    desk.place(sell(5, "1.01", id="s"))
    assert desk.show(lambda tape: tape.trade(99, 9, aggressor=1).trade(101, 9, aggressor=-1)) == []
    outputs = desk.show(lambda tape: tape.trade(101, 4, aggressor=1).trade(99, 3, aggressor=-1))
    assert [(each.client_order_id, each.last_quantity) for each in outputs] == [("s", 2), ("b", 1)]


@pytest.mark.parametrize("queue", [RISK_AVERSE, Queue.PROBABILISTIC])
def test_a_smaller_displayed_size_caps_the_queue(queue: Queue) -> None:
    desk = desk_of(queue)
    desk.show(lambda tape: tape.quote(99, 101, 10, 10))
    desk.place(buy(5, "0.99"))
    desk.show(lambda tape: tape.quote(99, 101, 3, 10).quote(99, 101, 30, 10))
    outputs = desk.show(lambda tape: tape.trade(99, 3).trade(99, 1))
    assert told(outputs) == [maker(1, "0.99")]


def test_a_quote_behind_the_order_leaves_nobody_ahead() -> None:
    desk = desk_of()
    desk.show(lambda tape: tape.quote(99, 101, 10, 10))
    desk.place(buy(5, "0.99"))
    outputs = desk.show(lambda tape: tape.quote(98, 101, 3, 3).quote(99, 101, 7, 3).trade(99, 1))
    assert told(outputs) == [maker(1, "0.99")]


def test_nobody_is_ahead_inside_the_spread() -> None:
    desk = desk_of()
    desk.show(lambda tape: tape.quote(98, 101, 10, 10))
    desk.place(buy(5, "0.99", id="a"))
    desk.place(buy(5, "0.99", id="b"))
    outputs = desk.show(lambda tape: tape.trade(99, 6))
    assert [(each.client_order_id, each.last_quantity) for each in outputs] == [("a", 5), ("b", 1)]


def test_behind_the_best_quote_nobody_knows_until_it_comes() -> None:
    desk = desk_of()
    desk.show(lambda tape: tape.quote(99, 101, 10, 10))
    desk.place(buy(5, "0.97"))
    assert desk.show(lambda tape: tape.trade(97, 50).quote(97, 101, 4, 9).trade(97, 4)) == []
    assert told(desk.show(lambda tape: tape.trade(97, 50))) == [maker(5, "0.97")]


def test_a_size_that_is_not_known_is_no_place_in_the_queue() -> None:
    desk = desk_of()
    desk.show(lambda tape: tape.quote(99, 101))
    desk.place(buy(5, "0.99"))
    assert desk.show(lambda tape: tape.trade(99, 50)) == []
    assert told(desk.show(lambda tape: tape.trade(98, 2))) == [maker(2, "0.99")]
    assert told(desk.show(lambda tape: tape.trade(98, -1))) == [maker(3, "0.99")]


def test_what_goes_through_the_price_fills() -> None:
    desk = desk_of()
    desk.show(lambda tape: tape.quote(99, 101, 10, 10))
    desk.place(buy(5, "0.99", id="a"))
    desk.place(buy(5, "0.97", id="b"))
    outputs = desk.show(lambda tape: tape.trade(98, 2).quote(95, 99, 9, 1))
    assert [(each.client_order_id, each.last_quantity) for each in outputs] == [("a", 2), ("a", 1)]


def test_a_book_tells_what_is_ahead_at_every_price() -> None:
    desk = desk_of()
    bids = [(99, 5), (97, 6)]
    desk.show(lambda tape: tape.book(bids, [(101, 5)], is_snapshot=True).quote(99, 101, 5, 5))
    desk.place(buy(5, "0.97"))
    desk.show(lambda tape: tape.quote(97, 101, 1, 5))  # the book tells, not the quote
    desk.show(lambda tape: tape.trade(97, 2).book([(97, 3), (98, 4)]).book([(96, 1)]))
    assert desk.show(lambda tape: tape.trade(97, 3)) == []
    desk.show(lambda tape: tape.book([(97, 9)]))
    assert told(desk.show(lambda tape: tape.trade(97, 1))) == [maker(1, "0.97")]


def test_a_snapshot_without_the_price_leaves_nobody_ahead() -> None:
    desk = desk_of()
    book = ([(99, 5), (97, 6)], [(101, 5)])
    desk.show(lambda tape: tape.book(*book, is_snapshot=True).quote(99, 101, 5, 5))
    desk.place(buy(5, "0.97"))
    outputs = desk.show(
        lambda tape: tape.book([(99, 5)], [(101, 5)], is_snapshot=True).trade(97, 2)
    )
    assert told(outputs) == [maker(2, "0.97")]


def test_without_partial_fills_an_order_fills_whole_when_its_turn_comes() -> None:
    desk = desk_of(partial_fills=False)
    desk.show(lambda tape: tape.quote(99, 101, 10, 10))
    desk.place(buy(500, "0.99", id="a", order_type=OrderType.POST_ONLY))
    assert desk.show(lambda tape: tape.trade(99, 10)) == []
    assert told(desk.show(lambda tape: tape.trade(99, 1))) == [maker(500, "0.99")]
    desk.place(buy(500, "0.99", id="b"))
    assert told(desk.show(lambda tape: tape.trade(98, 1))) == [maker(500, "0.99")]


def test_trades_fill_nobody_who_takes() -> None:
    desk = desk_of()
    desk.show(lambda tape: tape.quote(99, 101, 5, 5))
    assert told(desk.place(buy(7))) == [ACCEPTED, taker(5, "1.01")]
    assert desk.show(lambda tape: tape.trade(50, 9).trade(150, 9)) == []
    assert told(desk.show(lambda tape: tape.quote(99, 101, 5, 5))) == [taker(2, "1.01")]


def test_trades_alone_are_prices_and_there_is_no_queue() -> None:
    desk = desk_of()
    desk.show(lambda tape: tape.trade(100))
    desk.place(buy(9, "0.99"))
    assert told(desk.show(lambda tape: tape.trade(99))) == [maker(9, "0.99")]


@pytest.mark.parametrize(
    ("changes", "fills"),
    [({"quantity": 4}, [maker(3, "0.99")]), ({"quantity": 6}, []), ({"limit_price": "0.98"}, [])],
)
def test_a_changed_order_keeps_its_place_only_if_it_shrinks(
    changes: dict[str, Any], fills: list[Any]
) -> None:
    desk = desk_of()
    desk.show(lambda tape: tape.quote(99, 101, 10, 10))
    asked = buy(5, "0.99")
    desk.place(asked)
    desk.show(lambda tape: tape.trade(99, 10))
    typed = {name: type(getattr(asked, name))(value) for name, value in changes.items()}
    assert told(desk.broker.handle(change(asked, **typed), 7)) == [REPLACED]
    assert told(desk.show(lambda tape: tape.trade(99, 3))) == fills


def test_a_place_outlives_a_crash_and_what_was_not_told_has_none() -> None:
    table = instruments(instrument(lot="1"))
    config = SimulatedBrokerConfig(queue=RISK_AVERSE)
    first: Any = SimulatedBroker(context("broker"), table, config)
    first.handle(MarketData(Tape(table).quote(99, 101, 10, 10).build()), 0)
    asked = place(buy(5, "0.99"))
    said = first.handle(asked, 1)
    first.handle(MarketData(Tape(table).trade(99, 8).build()), 2)
    first.handle(place(buy(5, "0.99", id="lost")), 3)
    second: Any = SimulatedBroker(context("broker"), table, config)
    second.inherit(first.market)
    second.recover([("received", asked), *(("sent", report) for report in said)])
    second.handle(place(buy(5, "0.99", id="late")), 4)
    outputs = second.handle(MarketData(Tape(table).trade(99, 4).trade(99, 30).build()), 5)
    assert [(each.client_order_id, each.last_quantity) for each in outputs] == [
        ("run-strategy-1", 2),
        ("run-strategy-1", 3),
        ("late", 5),
    ]


def test_an_order_that_is_over_gives_up_its_place() -> None:
    desk = desk_of()
    desk.show(lambda tape: tape.quote(99, 101, 1, 1))
    for number in range(3):
        desk.place(buy(5, "0.99", id=str(number)))
        desk.show(lambda tape: tape.trade(99, 9))
        desk.show(lambda tape: tape.quote(99, 101, 1, 1))
    desk.place(buy(5, "0.98", id="last"))
    assert list(desk.broker.market.queues._places) == [("last", 0)]


# --- models ------------------------------------------------------------------------------------


def _place(ahead: int | None, shown: int) -> Place:
    return Place(0, 1, 99, False, 0, ahead, shown)


def test_the_probable_place_lies_between_the_careful_and_the_lucky_one() -> None:
    careful, probable = _place(50, 100), _place(50, 100)
    QueueModel().display(careful, 80)
    QueueModel(power=1.0).display(probable, 80)
    assert (careful.ahead, probable.ahead) == (50, 40)
    first, last = _place(10, 100), _place(90, 100)
    for place_ in (first, last):
        QueueModel(power=3.0).display(place_, 80)
    assert (first.ahead, last.ahead) == (10, 71)


def test_what_was_traded_does_not_count_as_cancelled() -> None:
    place_ = _place(50, 100)
    model = QueueModel(power=1.0)
    model.trade(place_, 20)
    model.display(place_, 80)
    assert place_.ahead == 30


@given(
    events=st.lists(st.tuples(st.booleans(), st.integers(0, 60)), max_size=30),
    ahead=st.none() | st.integers(0, 60),
    power=st.sampled_from([None, 0.5, 1.0, 3.0]),
)
def test_a_queue_is_never_negative_never_longer_than_shown_and_never_grows(
    events: list[tuple[bool, int]], ahead: int | None, power: float | None
) -> None:
    place_ = _place(ahead, ahead or 0)
    model = QueueModel(power=power)
    for is_trade, lots in events:
        before = place_.ahead
        if is_trade:
            model.trade(place_, lots)
        else:
            model.display(place_, lots)
            assert place_.ahead is not None
            assert place_.ahead <= lots
        assert place_.ahead is None or place_.ahead >= 0
        assert before is None or (place_.ahead is not None and place_.ahead <= before)


def test_rows_of_other_instruments_prices_and_sides_tell_nothing() -> None:
    table = instruments(instrument(lot="1"), instrument("ETH", lot="1"))
    tape = Tape(table).book([(99, 7)], [(99, 8)], index=1).book([(98, 5)], [(99, 6)])
    tape = tape.trade(99, 3, index=1).trade(100, 4).trade(99, 5, aggressor=1)
    rows = tape.book([(99, 1)]).trade(98, 2).quote(99, 101, 9, 9).build()
    found = QueueRows(rows, 0)
    assert found.events(1, 99, (0, 8), has_book=True) == [(5, False, 1), (6, True, 2)]
    assert found.events(1, 99, (0, 8), has_book=False) == [(6, True, 2), (7, False, 9)]
    assert found.events(1, 99, (6, 6), has_book=True) == []
    assert QueueRows(Tape(table).trade(5).build(), 0).events(-1, 9, (0, 1), has_book=True) == []
