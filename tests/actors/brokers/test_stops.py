from decimal import Decimal
from typing import Any

import pytest

from actors.brokers.market.queue_position import Queue
from actors.brokers.matching.bar_fills import FillPolicy
from actors.brokers.models.slippage import FixedSlippage
from actors.brokers.simulated import SimulatedBrokerConfig
from actors.messages.market import ConnectionState
from actors.messages.trading import ReportKind
from actors.model.order import Order, TimeInForce
from tests.actors.brokers.desks import (
    ACCEPTED,
    CANCEL,
    CANCELLED,
    TRIGGERED,
    Desk,
    buy,
    grouped,
    maker,
    sell,
    stop,
    taker,
    told,
)
from tests.builders import instrument, instruments

NEXT_OPEN = FillPolicy.NEXT_OPEN
ADAPTIVE = FillPolicy.ADAPTIVE_PATH


def desk_of(policy: FillPolicy = NEXT_OPEN, **options: Any) -> Desk:
    return Desk(SimulatedBrokerConfig(bars=policy, **options))


# --- quotes and trades -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "sleeps", "wakes", "fill"),
    [
        (stop(buy(2), "1.05"), (103, 104), (104, 105), "1.05"),
        (stop(buy(2), "1.05"), (105, 0), (104, 107), "1.07"),  # nobody offers: no price
        (stop(sell(2), "0.95"), (96, 97), (95, 97), "0.95"),
        (stop(sell(2), "0.95"), (0, 95), (93, 97), "0.93"),
    ],
)
def test_a_stop_wakes_when_the_other_side_of_the_quote_comes_to_it(
    asked: Order, sleeps: tuple[int, int], wakes: tuple[int, int], fill: str
) -> None:
    desk = Desk()
    desk.show(lambda tape: tape.quote(99, 101))
    assert told(desk.place(asked)) == [ACCEPTED]
    bid, ask = sleeps
    assert desk.show(lambda tape: tape.quote(bid, ask, 5 * (bid > 0), 5 * (ask > 0))) == []
    outputs = desk.show(lambda tape: tape.quote(*wakes, 5, 5))
    assert told(outputs) == [TRIGGERED, taker(2, fill)]
    assert desk.broker.open_orders() == []


def test_a_public_trade_wakes_a_stop_and_it_takes_from_the_quote() -> None:
    desk = Desk()
    desk.show(lambda tape: tape.quote(99, 101, 5, 5))
    desk.place(stop(buy(7), "1.05"))
    assert desk.show(lambda tape: tape.trade(104)) == []
    outputs = desk.show(lambda tape: tape.trade(105))
    assert told(outputs) == [TRIGGERED, taker(5, "1.01")]
    assert told(desk.show(lambda tape: tape.trade(90).quote(99, 102, 5, 5))) == [taker(2, "1.02")]


def test_trades_alone_wake_a_stop_too() -> None:
    desk = Desk()
    desk.show(lambda tape: tape.trade(100))
    desk.place(stop(sell(2), "0.95"))
    assert told(desk.show(lambda tape: tape.trade(96).trade(94))) == [TRIGGERED, taker(2, "0.94")]


def test_a_stop_that_the_market_has_reached_already_wakes_at_once() -> None:
    desk = Desk()
    desk.show(lambda tape: tape.quote(99, 101))
    assert told(desk.place(stop(buy(2), "1.00"))) == [ACCEPTED, TRIGGERED, taker(2, "1.01")]


def test_a_stop_without_a_price_sleeps() -> None:
    desk = Desk()
    assert told(desk.place(stop(sell(2), "0.95"))) == [ACCEPTED]
    assert told(desk.show(lambda tape: tape.quote(94, 95))) == [TRIGGERED, taker(2, "0.94")]


def test_a_stop_limit_takes_within_its_limit_and_rests() -> None:
    desk = Desk()
    desk.show(lambda tape: tape.quote(99, 101))
    desk.place(stop(buy(7, "1.06"), "1.05"))
    outputs = desk.show(lambda tape: tape.quote(104, 106, 5, 5))
    assert told(outputs) == [TRIGGERED, taker(5, "1.06")]
    assert desk.show(lambda tape: tape.quote(104, 107, 5, 5)) == []
    assert told(desk.show(lambda tape: tape.quote(104, 105, 5, 5))) == [maker(2, "1.06")]


def test_a_stop_limit_beyond_its_limit_rests_from_then_on() -> None:
    desk = Desk()
    desk.show(lambda tape: tape.quote(99, 101))
    desk.place(stop(sell(7, "0.94"), "0.95"))
    assert told(desk.show(lambda tape: tape.quote(90, 96, 9, 9))) == [TRIGGERED]
    assert told(desk.show(lambda tape: tape.quote(94, 96, 9, 9))) == [maker(7, "0.94")]


@pytest.mark.parametrize("in_force", [TimeInForce.IOC, TimeInForce.FAK, TimeInForce.FOK])
def test_what_must_fill_at_once_sleeps_all_the_same_and_ends_when_it_wakes(
    in_force: TimeInForce,
) -> None:
    desk = Desk()
    desk.show(lambda tape: tape.quote(99, 101, 5, 5))
    assert told(desk.place(stop(buy(7, time_in_force=in_force), "1.05"))) == [ACCEPTED]
    outputs = told(desk.show(lambda tape: tape.quote(104, 105, 5, 5)))
    parts = [] if in_force is TimeInForce.FOK else [taker(5, "1.05")]
    assert outputs == [TRIGGERED, *parts, CANCELLED]


def test_a_sleeping_stop_can_be_cancelled_and_ends_with_its_market() -> None:
    desk = Desk(table=instruments(instrument(lot="1"), instrument("ETH", lot="1")))
    desk.show(lambda tape: tape.quote(99, 101))
    desk.place(stop(buy(2), "1.05"))
    desk.place(stop(buy(2, id="b", instrument="ETH"), "1.05"))
    assert [held.stop for held in desk.broker.open_orders()] == [105, 105]
    assert told(desk.broker.handle(CANCEL, 6)) == [CANCELLED]
    [ended] = desk.show(lambda tape: tape.quote(105, 106).resolution(100, index=1))
    assert (ended.client_order_id, ended.kind) == ("b", ReportKind.EXPIRED)


def test_a_stop_sleeps_while_the_book_has_a_gap() -> None:
    desk = Desk()
    desk.show(lambda tape: tape.quote(99, 101))
    desk.place(stop(buy(2, id="a"), "1.05"))
    desk.place(stop(sell(2, id="b"), "0.50"))
    desk.show(lambda tape: tape.connection(ConnectionState.GAPPED, 0))
    assert told(desk.place(stop(buy(2, id="c"), "1.01"))) == [ACCEPTED]
    assert desk.show(lambda tape: tape.quote(105, 106).trade(107)) == []
    outputs = desk.show(lambda tape: tape.connection(ConnectionState.SYNCED, 0).quote(105, 107))
    assert [each.client_order_id for each in outputs] == ["c", "c", "a", "a"]


def test_stops_of_several_instruments_are_looked_for_at_once() -> None:
    desk = Desk(table=instruments(instrument(lot="1"), instrument("ETH", lot="1")))
    desk.show(lambda tape: tape.quote(99, 101).quote(49, 51, index=1))
    desk.place(stop(buy(1, id="a"), "1.05"))
    desk.place(stop(sell(1, id="b", instrument="ETH"), "0.45"))
    outputs = desk.show(
        lambda tape: (
            tape.quote(99, 101).trade(40).quote(44, 46, index=1).quote(0, 46, 0, 5, index=1)
        ).bar(100, 110, 90, 100)
    )
    assert [(e.client_order_id, e.kind.value) for e in outputs] == [
        ("b", "TRIGGERED"),
        ("b", "TRADE"),
        ("a", "TRIGGERED"),
        ("a", "TRADE"),
    ]


# --- bars --------------------------------------------------------------------------------------

_BAR = (100, 110, 90, 104)


@pytest.mark.parametrize(
    ("policy", "asked", "bar", "fill"),
    [
        (NEXT_OPEN, stop(buy(2), "1.05"), _BAR, "1.05"),
        (NEXT_OPEN, stop(buy(2), "0.98"), _BAR, "1.00"),  # a gap: the worse open
        (NEXT_OPEN, stop(sell(2), "0.95"), _BAR, "0.95"),
        (NEXT_OPEN, stop(sell(2), "1.02"), _BAR, "1.00"),
        (FillPolicy.CLOSE, stop(buy(2), "1.05"), _BAR, "1.05"),
        (FillPolicy.OHLC4, stop(buy(2), "1.05"), _BAR, "1.05"),
        (ADAPTIVE, stop(sell(2), "0.95"), _BAR, "0.95"),
        (FillPolicy.CONSERVATIVE, stop(buy(2), "1.05"), _BAR, "1.10"),
        (FillPolicy.CONSERVATIVE, stop(sell(2), "0.95"), _BAR, "0.90"),
    ],
)
def test_a_bar_wakes_a_stop_and_fills_it_there_or_at_the_worse_open(
    policy: FillPolicy, asked: Order, bar: tuple[int, int, int, int], fill: str
) -> None:
    desk = desk_of(policy)
    price = asked.stop_price
    assert price is not None
    asleep = int(price * 100) - asked.side.sign * 10
    desk.show(lambda tape: tape.bar(asleep, asleep, asleep, asleep))
    assert told(desk.place(asked)) == [ACCEPTED]
    assert desk.show(lambda tape: tape.bar(asleep, asleep, asleep, asleep)) == []
    assert told(desk.show(lambda tape: tape.bar(*bar))) == [TRIGGERED, taker(2, fill)]


def test_between_two_bars_only_close_wakes_a_stop_at_once() -> None:
    outcomes = {}
    for policy in FillPolicy:
        desk = desk_of(policy)
        desk.show(lambda tape: tape.bar(100, 110, 90, 104))
        outcomes[policy] = told(desk.place(stop(buy(2), "1.02")))
    at_once = [ACCEPTED, TRIGGERED, taker(2, "1.04")]
    assert outcomes.pop(FillPolicy.CLOSE) == at_once
    assert set(map(tuple, outcomes.values())) == {(ACCEPTED,)}


@pytest.mark.parametrize(
    ("policy", "asked", "fill"),
    [
        # strictly better than its limit when it wakes: at once
        (NEXT_OPEN, stop(buy(2, "1.08"), "1.05"), taker(2, "1.05")),
        (FillPolicy.CONSERVATIVE, stop(buy(2, "1.08"), "1.05"), taker(2, "1.08")),
        (FillPolicy.CONSERVATIVE, stop(buy(2, "1.15"), "1.05"), taker(2, "1.10")),
        (NEXT_OPEN, stop(sell(2, "0.92"), "0.95"), taker(2, "0.95")),
        # at its limit, or beyond it: no earlier than in the next bar
        (NEXT_OPEN, stop(buy(2, "1.05"), "1.05"), None),
        (NEXT_OPEN, stop(buy(2, "0.95"), "1.05"), None),
        (NEXT_OPEN, stop(buy(2, "0.99"), "0.98"), None),
        # 100, 90, 110, 104 is the way: the limit is passed before the stop
        (ADAPTIVE, stop(buy(2, "0.95"), "1.05"), None),
        (ADAPTIVE, stop(buy(2, "1.05"), "1.08"), maker(2, "1.05")),
        (ADAPTIVE, stop(buy(2, "1.05"), "1.05"), maker(2, "1.05")),
        (ADAPTIVE, stop(sell(2, "1.06"), "0.95"), maker(2, "1.06")),
    ],
)
def test_a_stop_limit_in_a_bar(
    policy: FillPolicy, asked: Order, fill: tuple[str, ...] | None
) -> None:
    desk = desk_of(policy)
    price = asked.stop_price
    assert price is not None
    asleep = int(price * 100) - asked.side.sign * 10
    desk.show(lambda tape: tape.bar(asleep, asleep, asleep, asleep))
    desk.place(asked)
    outputs = told(desk.show(lambda tape: tape.bar(*_BAR)))
    if fill is not None:
        assert outputs == [TRIGGERED, fill]
        return
    assert outputs == [TRIGGERED]
    limit = asked.limit_price
    assert limit is not None
    at = int(limit * 100)
    assert told(desk.show(lambda tape: tape.bar(at + 1, at + 2, at, at))) == [maker(2, str(limit))]


def test_an_immediate_stop_limit_that_a_bar_wakes_beyond_its_limit_is_cancelled() -> None:
    desk = desk_of(ADAPTIVE)
    desk.show(lambda tape: tape.bar(100, 100, 100, 100))
    desk.place(stop(buy(2, "1.05", time_in_force=TimeInForce.IOC), "1.08"))
    assert told(desk.show(lambda tape: tape.bar(*_BAR))) == [TRIGGERED, CANCELLED]


@pytest.mark.parametrize(
    ("policy", "bar", "first"),
    [
        (NEXT_OPEN, (100, 120, 80, 100), "loss"),
        (FillPolicy.CONSERVATIVE, (100, 120, 80, 100), "loss"),
        (ADAPTIVE, (100, 111, 80, 100), "profit"),
        (ADAPTIVE, (100, 120, 89, 100), "loss"),
    ],
)
def test_of_a_stop_loss_and_a_take_profit_only_one_trades_in_a_bar(
    policy: FillPolicy, bar: tuple[int, int, int, int], first: str
) -> None:
    desk = desk_of(policy)
    desk.show(lambda tape: tape.bar(100, 100, 100, 100))
    desk.place(grouped(sell(2, "1.10", id="profit"), "pair"))
    desk.place(grouped(stop(sell(2, id="loss"), "0.90"), "pair"))
    desk.place(grouped(sell(1, "1.10", id="other"), "another"))
    outputs = desk.show(lambda tape: tape.bar(*bar))
    trades = [each.client_order_id for each in outputs if each.kind is ReportKind.TRADE]
    assert sorted(trades) == sorted([first, "other"])
    left = {held.order.client_order_id for held in desk.broker.open_orders()}
    assert left == {"profit", "loss"} - {first}


def test_a_stop_price_off_the_grid_is_rejected() -> None:
    [rejected] = Desk().place(stop(buy(1), "1.005"))
    assert (rejected.kind, rejected.reason) == (
        ReportKind.REJECTED,
        "1.005 is not a multiple of 0.01",
    )


def test_slippage_of_a_woken_stop_stays_within_its_bar_and_limit() -> None:

    slips = FixedSlippage(price_impact=Decimal("0.2"))
    prices = []
    for allow in (False, True):
        desk = desk_of(slippage=slips, allow_outside_bar=allow)
        desk.show(lambda tape: tape.bar(100, 100, 100, 100))
        desk.place(stop(buy(2, id="a"), "1.05"))
        desk.place(stop(buy(2, "1.07", id="b"), "1.05"))
        outputs = desk.show(lambda tape: tape.bar(*_BAR))
        prices += [each.last_price for each in outputs if each.kind is ReportKind.TRADE]
    assert prices == [Decimal(each) for each in ("1.10", "1.07", "1.260", "1.07")]


def test_a_trade_between_two_bars_wakes_a_stop_and_the_next_bar_fills_it() -> None:
    desk = desk_of()
    desk.show(lambda tape: tape.bar(100, 100, 100, 100))
    desk.place(stop(buy(2, id="market"), "1.05"))
    desk.place(stop(buy(2, id="now", time_in_force=TimeInForce.IOC), "1.05"))
    desk.place(stop(buy(2, "1.01", id="limit"), "1.05"))
    outputs = desk.show(lambda tape: tape.trade(105))
    assert [(each.client_order_id, each.reason) for each in outputs] == [
        ("market", "waits for a price"),
        ("now", "waits for a price"),
        ("limit", ""),
    ]
    assert told(desk.show(lambda tape: tape.bar(*_BAR))) == [
        taker(2, "1.00"),
        taker(2, "1.00"),
        maker(2, "1.00"),
    ]


def test_a_trade_wakes_a_stop_where_orders_queue_up_too() -> None:
    desk = Desk(SimulatedBrokerConfig(queue=Queue.RISK_AVERSE))
    desk.show(lambda tape: tape.quote(99, 101, 5, 5))
    desk.place(stop(buy(2, id="a"), "1.05"))
    desk.place(buy(2, "0.99", id="b"))
    outputs = desk.show(lambda tape: tape.trade(99, 5).trade(105, 5))
    assert told(outputs) == [TRIGGERED, taker(2, "1.01")]
