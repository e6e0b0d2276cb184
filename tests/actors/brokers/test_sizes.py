from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.brokers.market.sizes import Consumption, Depth, SizeRules, left_of
from actors.brokers.market.walking import FillModel, split
from actors.brokers.simulated import SimulatedBrokerConfig
from actors.model.order import OrderType, TimeInForce
from tests.actors.brokers.desks import (
    ACCEPTED,
    CANCELLED,
    Desk,
    buy,
    maker,
    sell,
    taker,
    told,
)
from tests.actors.brokers.rows import Tape
from tests.builders import place

PERSISTENT = Consumption.PERSISTENT


def desk_of(**options: Any) -> Desk:
    return Desk(SimulatedBrokerConfig(**options))


def show_book(tape: Tape) -> Tape:
    asks = [(101, 5), (102, 5), (105, 50)]
    return tape.book([(99, 5), (97, 5)], asks, is_snapshot=True).quote(99, 101, 5, 5)


# --- consumption -------------------------------------------------------------------------------


def test_a_market_that_does_not_notice_shows_everything_again() -> None:
    desk = desk_of(consumption=Consumption.NONE)
    desk.show(lambda tape: tape.quote(99, 101, 5, 5))
    for name in "ab":
        order = buy(7, id=name, time_in_force=TimeInForce.IOC)
        assert told(desk.place(order)) == [ACCEPTED, taker(5, "1.01"), CANCELLED]


def test_what_was_taken_stays_gone_until_the_best_quote_has_moved_past_it() -> None:
    desk = desk_of(consumption=PERSISTENT)
    desk.show(show_book)
    desk.place(buy(7, id="a"))
    desk.show(show_book)
    assert told(desk.place(buy(4, id="b"))) == [taker(3, "1.02"), taker(1, "1.05")]
    desk.show(lambda tape: tape.book(asks=[(101, 0)]).quote(99, 102, 5, 5))
    desk.show(show_book)
    assert told(desk.place(buy(6, id="c"))) == [taker(5, "1.01"), taker(1, "1.05")]
    assert told(desk.place(sell(6, id="d"))) == [taker(5, "0.99"), taker(1, "0.97")]
    desk.show(lambda tape: tape.quote(99, 0, 5, 0).quote(98, 101, 5, 5).quote(99, 101, 5, 5))
    assert told(desk.place(buy(1, id="e"))) == [taker(1, "1.01")]
    assert told(desk.place(sell(1, id="f"))) == [taker(1, "0.99")]


def test_resting_orders_share_what_a_price_shows_as_long_as_it_lasts() -> None:
    desk = desk_of(consumption=PERSISTENT)
    desk.show(lambda tape: tape.quote(99, 101, 5, 5))
    desk.place(buy(8, "1.00"))
    outputs = desk.show(lambda tape: tape.quote(98, 100, 5, 5).quote(98, 100, 5, 6))
    assert told(outputs) == [maker(5, "1.00"), maker(1, "1.00")]


def test_the_volume_of_a_bar_is_another_ones_in_the_next_bar() -> None:
    desk = desk_of(consumption=PERSISTENT, max_volume_pct=Decimal("0.5"))
    desk.show(lambda tape: tape.bar(100, 100, 100, 100, 10))
    assert told(desk.place(buy(6))) == [ACCEPTED, taker(5, "1.00")]
    assert told(desk.show(lambda tape: tape.bar(100, 100, 100, 100, 10))) == [taker(1, "1.00")]


def test_what_is_gone_comes_back_by_halves() -> None:
    desk = desk_of(consumption=PERSISTENT, consumption_decay_ns=10)
    desk.show(lambda tape: tape.quote(99, 101, 8, 8))

    def take_at(now_ns: int, name: str) -> int:
        asked = buy(99, id=name, time_in_force=TimeInForce.IOC)
        outputs = desk.broker.handle(place(asked), now_ns)
        return sum(int(each.last_quantity) for each in outputs)

    assert take_at(100, "a") == 8
    assert take_at(100, "b") == 0
    assert take_at(110, "c") == 4
    assert take_at(130, "d") == 6
    assert desk.broker.market.best(0, -1) == (99, 8)


@given(lots=st.integers(0, 999), elapsed=st.integers(-5, 500), half_life=st.integers(0, 50))
def test_what_is_gone_never_grows_and_halves_with_each_half_life(
    lots: int, elapsed: int, half_life: int
) -> None:
    left = left_of(lots, elapsed, half_life)
    assert 0 <= left <= lots
    assert left_of(lots, elapsed + 1, half_life) <= left
    if not half_life or elapsed <= 0:
        assert left == lots
    elif elapsed % half_life == 0:
        assert left == lots // 2 ** (elapsed // half_life)


# --- depth and fill models ---------------------------------------------------------------------


def test_only_the_best_level_may_be_taken() -> None:
    desk = desk_of(depth=Depth.BEST, consumption=Consumption.NONE)
    desk.show(show_book)
    asked = buy(9, "1.05", time_in_force=TimeInForce.IOC)
    assert told(desk.place(asked)) == [ACCEPTED, taker(5, "1.01"), CANCELLED]
    assert told(desk.place(buy(9, id="b", time_in_force=TimeInForce.FOK))) == [ACCEPTED, CANCELLED]


def test_split_30_fills_three_tenths_and_then_the_rest_although_nobody_offers_it() -> None:
    desk = desk_of(fill_model=FillModel.SPLIT_30)
    desk.show(show_book)
    assert told(desk.place(buy(5, id="a"))) == [taker(5, "1.01")]
    assert told(desk.place(buy(10, "1.01", id="b"))) == [taker(3, "1.01"), taker(7, "1.01")]
    assert told(desk.place(buy(1, id="c", time_in_force=TimeInForce.FOK))) == [taker(1, "1.01")]
    assert told(desk.place(buy(5, "1.00", id="d"))) == [ACCEPTED]
    assert told(desk.show(lambda tape: tape.quote(90, 100, 5, 4))) == [
        maker(1, "1.00"),
        maker(4, "1.00"),
    ]


def test_split_30_waits_for_an_empty_side() -> None:
    desk = desk_of(fill_model=FillModel.SPLIT_30)
    desk.show(lambda tape: tape.quote(99, 0, 5, 0))
    assert told(desk.place(buy(5))) == [ACCEPTED]


@given(shown=st.integers(-1, 60), lots=st.integers(1, 60))
def test_the_parts_of_a_split_are_the_whole(shown: int, lots: int) -> None:
    parts = split(shown, lots)
    assert sum(parts) == lots
    assert min(parts) > 0
    assert len(parts) == 1 + (0 <= shown < lots and lots > 3)


# --- options -----------------------------------------------------------------------------------


def test_a_share_is_rounded_down_to_the_lot() -> None:
    rules = SizeRules(max_share=Decimal("0.1"))
    assert [rules.share_of(lots) for lots in (-1, 0, 9, 10, 19)] == [-1, 0, 0, 1, 1]
    assert SizeRules().share_of(7) == 7


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"max_volume_pct": Decimal(0)}, "max_volume_pct: expected a number above 0 and at most 1"),
        ({"max_volume_pct": Decimal("1.1")}, "max_volume_pct: expected a number above 0"),
        ({"max_volume_pct": Decimal("NaN")}, "max_volume_pct: expected a number above 0"),
        ({"consumption_decay_ns": -1}, "consumption_decay_ns: expected 0 or more, found -1"),
        ({"queue_power": 0.0}, "queue_power: expected a number above 0 and at most 10, found 0.0"),
        ({"lacks": ("TRAILING",)}, "lacks: expected some of MARKET, LIMIT"),
        ({"emulate": ("REPLACE",)}, "emulate: expected some of STOP, STOP_LIMIT, POST_ONLY, GTD"),
    ],
)
def test_an_option_out_of_its_range_is_named(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        SimulatedBrokerConfig(**options)


def test_a_post_only_order_sees_what_our_own_orders_have_left() -> None:
    desk = desk_of()
    desk.show(lambda tape: tape.quote(99, 101, 5, 5))
    desk.place(buy(5, id="a"))
    assert told(desk.place(buy(1, "1.01", id="b", order_type=OrderType.POST_ONLY))) == [ACCEPTED]
