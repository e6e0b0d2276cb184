"""What a venue lacks: refused, or done on our side."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from actors.actor import Later
from actors.brokers.capabilities import EMULATED, WORDS, Capabilities
from actors.brokers.models.latency import ConstantLatency
from actors.brokers.simulated import SimulatedBroker, SimulatedBrokerConfig
from actors.messages.market import ConnectionState
from actors.messages.slices import MarketData
from actors.messages.system import CancelAllAtVenue, TimerFired
from actors.messages.trading import CancelPlacedOrder, OrderArrived, ReportKind
from actors.model.order import Order, OrderType, Side, TimeInForce
from tests.actors.brokers.desks import (
    ACCEPTED,
    CANCEL,
    CANCELLED,
    EXPIRED,
    REPLACED,
    TRIGGERED,
    Desk,
    buy,
    change,
    sell,
    stop,
    taker,
    told,
    until,
)
from tests.actors.brokers.rows import Tape
from tests.builders import BTC, context, instrument, instruments, place

ALL = ("STOP", "STOP_LIMIT", "POST_ONLY", "GTD")
END = TimerFired("broker", "end run-strategy-1", 50)


def desk_of(*emulate: str, lacks: tuple[str, ...] = (), **options: Any) -> Desk:
    desk = Desk(SimulatedBrokerConfig(emulate=emulate, lacks=lacks, **options))
    desk.show(lambda tape: tape.quote(99, 101, 5, 5))
    return desk


def arrive(desk: Desk, outputs: list[Any], now_ns: int = 6) -> list[Any]:
    """Let the one order among some outputs arrive; return what the venue says."""
    [way] = [each for each in outputs if isinstance(each, Later)]
    said: list[Any] = desk.broker.handle(way.message, now_ns)
    return said


def reports(outputs: list[Any]) -> list[Any]:
    return told([each for each in outputs if not isinstance(each, Later)])


# --- stops -------------------------------------------------------------------------------------


def test_a_stop_is_held_here_and_sets_out_when_it_wakes() -> None:
    desk = desk_of("STOP", latency=ConstantLatency(submit_ns=7))
    asked = stop(buy(3), "1.05")
    [accepted] = desk.place(asked)
    assert (accepted.kind, accepted.reason) == (ReportKind.ACCEPTED, "emulated")
    assert desk.broker.open_orders() == []
    triggered, way = desk.show(lambda tape: tape.quote(99, 104).quote(99, 106))
    assert (triggered.kind, triggered.reason) == (ReportKind.TRIGGERED, "emulated")
    assert way.message.order.order_type is OrderType.MARKET
    assert way.message.order.stop_price is None
    assert way.at_ns == triggered.venue_time_ns + 7
    assert told(desk.broker.handle(way.message, way.at_ns)) == [taker(3, "1.06")]


def test_a_stop_limit_becomes_a_limit_order() -> None:
    desk = desk_of("STOP_LIMIT")
    desk.place(stop(sell(3, "0.98"), "0.97"))
    assert told(arrive(desk, desk.place(stop(buy(1, id="native"), "9.00")))) == [ACCEPTED]
    outputs = desk.show(lambda tape: tape.trade(97))
    assert reports(outputs) == [TRIGGERED]
    assert told(arrive(desk, outputs)) == [taker(3, "0.99")]


def test_a_stop_that_is_reached_when_it_comes_sets_out_at_once() -> None:
    desk = desk_of("STOP")
    outputs = desk.place(stop(buy(3), "1.00"))
    assert reports(outputs) == [ACCEPTED, TRIGGERED]
    assert told(arrive(desk, outputs)) == [taker(3, "1.01")]


def test_a_stop_that_is_held_here_can_be_changed_and_cancelled_at_once() -> None:
    desk = desk_of("STOP", latency=ConstantLatency(submit_ns=7, cancel_ns=9, report_ns=3))
    asked = stop(buy(3), "1.50")
    desk.place(asked)
    assert told(desk.broker.handle(change(asked, stop_price=Decimal("1.20")), 6)) == [REPLACED]
    refused = [
        desk.broker.handle(change(asked, **changes), 6)[0].reason
        for changes in (
            {"quantity": Decimal(0)},
            {"quantity": Decimal("0.5")},
            {"side": Side.SELL},
        )
    ]
    assert refused == [
        "expected a quantity above 0",
        "0.5 is not a multiple of 1",
        "only quantity and prices can be changed",
    ]
    assert told(desk.broker.handle(CANCEL, 7)) == [CANCELLED]
    assert desk.show(lambda tape: tape.quote(99, 150)) == []
    desk.place(stop(buy(3, id="b"), "1.60"))
    outputs = desk.broker.handle(change(stop(buy(3, id="b"), "1.40"), quantity=Decimal(2)), 8)
    assert reports(outputs) == [REPLACED, TRIGGERED]
    [way] = outputs[2:]
    assert way.message.order.quantity == 2


def test_what_ends_the_venue_or_the_market_ends_what_is_held_here() -> None:
    desk = Desk(
        SimulatedBrokerConfig(emulate=ALL),
        table=instruments(instrument(lot="1"), instrument("ETH", lot="1")),
    )
    desk.place(stop(buy(3, id="a", instrument="ETH"), "1.50"))
    desk.place(stop(buy(3, id="b"), "1.50"))
    outputs = desk.show(lambda tape: tape.resolution(100, index=1))
    assert [(each.client_order_id, each.kind) for each in outputs] == [("a", ReportKind.EXPIRED)]
    [late] = desk.place(stop(buy(3, id="c", instrument="ETH"), "1.50"))
    assert late.reason == "the market of ETH has resolved"
    assert told(desk.broker.handle(CancelAllAtVenue("enough"), 6)) == [CANCELLED]
    [late] = desk.place(stop(buy(3, id="d"), "1.50"))
    assert late.reason == "closed: enough"


def test_a_gap_wakes_nobody_here_either() -> None:
    desk = desk_of("STOP")
    desk.place(stop(buy(3), "1.05"))
    rows = lambda tape: tape.connection(ConnectionState.GAPPED, 0).quote(99, 120)  # noqa: E731
    assert desk.show(rows) == []


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (stop(buy(instrument="X"), "1.05"), "instrument X is not known"),
        (stop(buy(1), "1.005"), "1.005 is not a multiple of 0.01"),
    ],
)
def test_a_stop_that_nobody_can_read_is_rejected(bad: Order, reason: str) -> None:
    [rejected] = desk_of("STOP").place(bad)
    assert (rejected.kind, rejected.reason) == (ReportKind.REJECTED, reason)


# --- the others --------------------------------------------------------------------------------


def test_a_post_only_order_is_refused_by_what_we_see_and_may_take_after_all() -> None:
    desk = desk_of("POST_ONLY")
    [refused] = desk.place(buy(3, "1.01", id="a", order_type=OrderType.POST_ONLY))
    assert refused.reason == "post-only, but it would take"
    outputs = desk.place(buy(3, "1.00", id="b", order_type=OrderType.POST_ONLY))
    assert outputs[0].message.order.order_type is OrderType.LIMIT
    desk.show(lambda tape: tape.quote(99, 100, 5, 5))
    assert told(arrive(desk, outputs)) == [taker(3, "1.00")]


def test_a_time_that_the_venue_does_not_know_is_kept_here() -> None:
    desk = desk_of("GTD", latency=ConstantLatency(submit_ns=4, cancel_ns=9))
    timer, way = desk.place(until(buy(3, "1.00"), 50))
    assert timer == Later(END, 50, background=True)
    assert way.message.order.time_in_force is TimeInForce.GTC
    assert told(desk.broker.handle(way.message, way.at_ns)) == [ACCEPTED]
    [cancel] = desk.broker.handle(END, 50)
    assert cancel.at_ns == 59
    assert told(desk.broker.handle(cancel.message, 59)) == [EXPIRED]


def test_an_order_that_arrives_after_its_end_does_not_stay() -> None:
    desk = desk_of("GTD", latency=ConstantLatency(submit_ns=100))
    _, way = desk.place(until(buy(3, "1.00"), 50))
    desk.broker.handle(END, 50)
    assert told(desk.broker.handle(way.message, 105)) == [ACCEPTED, EXPIRED]
    [late] = desk.place(until(buy(3, "1.00", id="b"), 5))
    assert late.reason == "expired before it was sent"


def test_a_stop_with_a_time_ends_here_while_it_sleeps() -> None:
    desk = desk_of("STOP")
    accepted, timer = desk.place(until(stop(buy(3), "1.50"), 50))
    assert told([accepted]) == [ACCEPTED]
    assert told(desk.broker.handle(timer.message, 50)) == [EXPIRED]
    assert desk.broker.handle(timer.message, 51) == []


def test_an_order_that_comes_twice_is_heard_once() -> None:
    desk = desk_of("STOP")
    asked = stop(buy(3), "1.50")
    assert told(desk.place(asked)) == [ACCEPTED]
    assert desk.place(asked) == []
    plain = buy(3, "1.00", id="b")
    arrive(desk, desk.place(plain))
    assert desk.place(plain) == []


# --- refused -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lacks", "asked", "reason"),
    [
        ("STOP", stop(buy(), "1.50"), "order type STOP is not supported"),
        ("MARKET", buy(), "order type MARKET is not supported"),
        ("FOK", buy(time_in_force=TimeInForce.FOK), "time in force FOK is not supported"),
        ("GTD", until(buy(1, "1.00"), 50), "time in force GTD is not supported"),
    ],
)
def test_what_a_venue_does_not_know_is_refused(lacks: str, asked: Order, reason: str) -> None:
    [rejected] = desk_of(lacks=(lacks,)).place(asked)
    assert (rejected.kind, rejected.reason) == (ReportKind.REJECTED, reason)


def test_an_emulated_stop_needs_a_venue_that_takes_what_it_becomes() -> None:
    [rejected] = desk_of("STOP", lacks=("MARKET",)).place(stop(buy(), "1.50"))
    assert rejected.reason == "order type MARKET is not supported"


def test_reduce_only_and_changes_may_be_missing_too() -> None:
    lacking = Capabilities.without(("REDUCE_ONLY", "REPLACE"))
    assert (lacking.replace, lacking.reduce_only) == (False, False)
    reducing = msgspec.structs.replace(buy(1), reduce_only=True)
    assert lacking.missing(reducing) == "reduce-only orders are not supported"
    assert (lacking.missing(buy(1)), Capabilities().missing(reducing)) == (None, None)
    desk = desk_of(lacks=("REPLACE",))
    asked = buy(3, "1.00")
    arrive(desk, desk.place(asked))
    [refused] = desk.broker.handle(change(asked, quantity=Decimal(2)), 6)
    assert (refused.kind, refused.reason) == (
        ReportKind.REPLACE_REJECTED,
        "the venue cannot change orders",
    )
    assert told(desk.broker.handle(CANCEL, 7)) == [CANCELLED]


def test_every_word_can_be_missing() -> None:
    nothing = Capabilities.without(WORDS)
    assert (nothing.order_types, nothing.times_in_force) == (frozenset(), frozenset())
    assert set(EMULATED) < set(WORDS)


# --- crashes -----------------------------------------------------------------------------------


def test_what_is_held_here_outlives_a_crash() -> None:
    table = instruments(instrument(lot="1"))
    config = SimulatedBrokerConfig(emulate=ALL)
    first: Any = SimulatedBroker(context("broker"), table, config)
    first.handle(MarketData(Tape(table).quote(99, 101, 5, 5).build()), 0)
    asked = stop(buy(3, id="a"), "1.50")
    messages = [
        place(asked),
        change(asked, stop_price=Decimal("1.20")),
        place(stop(buy(3, id="gone"), "1.50")),
        CancelPlacedOrder(client_order_id="gone", instrument=BTC),
        place(stop(sell(3, id="out"), "1.00")),
        place(until(buy(3, "1.00", id="b"), 50)),
    ]
    history: list[tuple[str, Any]] = []
    for message in messages:
        history.append(("received", message))
        outputs = first.handle(message, 5)
        history += [("sent", each) for each in outputs]
        for each in outputs:
            if isinstance(each, Later) and isinstance(each.message, OrderArrived):
                history.append(("received", each.message))
                history += [("sent", said) for said in first.handle(each.message, 5)]
    second: Any = SimulatedBroker(context("broker"), table, config)
    second.inherit(first.market)
    second.recover(history)
    assert [held.order for held in second.open_orders()] == [
        held.order for held in first.open_orders()
    ]
    assert [held.order.client_order_id for held in first.open_orders()] == ["b"]
    more = MarketData(Tape(table).quote(99, 120).build())
    end = TimerFired("broker", "end b", 50)
    expected = [*first.handle(more, 9), *first.handle(end, 50)]
    assert [*second.handle(more, 9), *second.handle(end, 50)] == expected
    assert reports(expected[:2]) == [TRIGGERED]
    assert second.handle(place(asked), 60) == first.handle(place(asked), 60)
