"""A venue that is out of the ordinary, and one whose trades are provisional at first."""

from decimal import Decimal
from typing import Any

import pytest

from actors.actor import Later
from actors.brokers.models.latency import ConstantLatency
from actors.brokers.models.regimes import RegimeKind, Regimes, ScheduledRegime
from actors.brokers.models.settlement import Settlement
from actors.brokers.simulated import SimulatedBrokerConfig
from actors.messages.trading import ReportKind
from actors.model.instrument import Outcome
from actors.model.order import OrderType, TimeInForce
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
    maker,
    sell,
    stop,
    taker,
    told,
)
from tests.builders import SECOND, START_NS, instrument, instruments, place

OUT = "the venue is out of reach"
BEGIN, END = START_NS + SECOND, START_NS + 3 * SECOND
"""The second and the third row of a tape are within."""


def desk_in(kind: RegimeKind, table: Any = None, **options: Any) -> Desk:
    regime = ScheduledRegime(kind=kind, from_ns=BEGIN, to_ns=END, **options)
    return Desk(SimulatedBrokerConfig(regimes=Regimes(schedule=(regime,))), table)


def say(desk: Desk, message: Any, now_ns: int = BEGIN) -> list[Any]:
    said: list[Any] = desk.broker.handle(message, now_ns)
    return said


def test_nothing_trades_in_a_halt_and_what_takes_waits_for_its_end() -> None:
    desk = desk_in(RegimeKind.HALT)
    desk.place(buy(3, "1.00", id="rests"))
    desk.place(stop(buy(3, id="sleeps"), "0.99"))
    outputs = desk.show(
        lambda tape: tape.quote(90, 0, 9, 0).quote(90, 95, 9, 9).quote(90, 99, 9, 9)
    )
    assert [each.kind for each in outputs] == [ReportKind.ACCEPTED]  # it rests: nobody offers
    [waits] = say(desk, place(buy(3, id="waits")))
    assert (waits.kind, waits.reason) == (ReportKind.ACCEPTED, "waits for a price")
    fills = say(desk, place(buy(3, id="now", time_in_force=TimeInForce.IOC)))
    assert told(fills) == [ACCEPTED, CANCELLED]
    post_only = buy(3, "0.90", id="maker", order_type=OrderType.POST_ONLY)
    assert told(say(desk, place(post_only))) == [ACCEPTED]
    assert told(say(desk, place(stop(buy(3, id="late"), "0.95")))) == [ACCEPTED]
    changes = change(buy(3, "1.00", id="rests"), limit_price=Decimal("1.05"))
    assert told(say(desk, changes)) == [REPLACED]
    outputs = desk.show(
        lambda tape: tape.quote(90, 120, 9, 9).trade(50).quote(90, 95, 9, 9).quote(90, 99, 20, 20)
    )
    assert {each.venue_time_ns for each in outputs} == {START_NS, END}
    trades = {each.client_order_id for each in outputs if each.trade_id}
    assert trades == {"waits", "rests", "sleeps", "late"}


def test_a_halt_is_looked_over_at_once_and_its_end_is_found() -> None:
    desk = desk_in(RegimeKind.HALT)
    desk.show(lambda tape: tape.quote(99, 101))
    desk.place(buy(3, "1.00"))
    outputs = desk.show(
        lambda tape: tape.quote(99, 101).quote(90, 95).quote(90, 95).quote(99, 101).quote(90, 98)
    )
    assert [(each.venue_time_ns, told([each])) for each in outputs] == [
        (END + SECOND, [maker(3, "1.00")])
    ]


def test_a_resolution_in_a_halt_ends_the_orders() -> None:
    desk = desk_in(RegimeKind.HALT)
    desk.place(buy(3, "1.00"))
    assert told(desk.show(lambda tape: tape.trade(200).resolution(100))) == [ACCEPTED, EXPIRED]


def test_an_outage_turns_everything_away_when_it_arrives() -> None:
    desk = desk_in(RegimeKind.OUTAGE)
    asked = buy(3, "1.00")
    desk.place(asked)
    reports = [
        say(desk, place(buy(3, id="b")))[0],
        say(desk, CANCEL)[0],
        say(desk, change(asked, quantity=Decimal(2)))[0],
    ]
    assert [(each.kind, each.reason) for each in reports] == [
        (ReportKind.REJECTED, OUT),
        (ReportKind.CANCEL_REJECTED, OUT),
        (ReportKind.REPLACE_REJECTED, OUT),
    ]
    assert told(say(desk, CANCEL, END)) == [CANCELLED]


def test_a_burst_rejects_some_orders() -> None:
    desk = desk_in(RegimeKind.REJECT_BURST, probability=0.5)
    desk.show(lambda tape: tape.quote(99, 101))
    kinds = [say(desk, place(buy(1, id=str(number))))[0].kind for number in range(40)]
    assert 5 < kinds.count(ReportKind.REJECTED) < 35
    assert set(kinds) == {ReportKind.REJECTED, ReportKind.TRADE}
    assert say(desk, place(buy(1, id="after")), END)[0].kind is ReportKind.TRADE


@pytest.mark.parametrize(
    ("asked", "price"),
    [
        (buy(1), "1.03"),
        (sell(1), "0.97"),
        (buy(1, "1.02"), "1.02"),
        (sell(1, "0.50"), "0.97"),
    ],
)
def test_what_takes_pays_half_of_a_wider_spread_within_its_limit(asked: Any, price: str) -> None:
    desk = desk_in(RegimeKind.WIDE_SPREAD, factor=Decimal(3))
    desk.show(lambda tape: tape.quote(99, 101))
    [trade] = say(desk, place(asked))
    assert trade.last_price == Decimal(price)
    desk.show(lambda tape: tape.bar(100, 100, 100, 100))
    assert say(desk, place(buy(1, id="bar")))[0].last_price == 1


def test_a_wide_spread_leaves_a_price_between_nothing_and_what_a_token_pays() -> None:
    token = instrument(lot="1", outcome=Outcome.YES)
    desk = desk_in(RegimeKind.WIDE_SPREAD, instruments(token), factor=Decimal(9))
    desk.show(lambda tape: tape.quote(10, 60))
    assert [say(desk, place(each))[0].last_price for each in (buy(1, id="b"), sell(1))] == [
        Decimal(1),
        Decimal("0.01"),
    ]
    desk.show(lambda tape: tape.quote(10, 0, 5, 0))
    assert say(desk, place(sell(1, id="c")))[0].last_price == Decimal("0.10")


def test_provisional_trades_are_settled_or_fail_after_a_while() -> None:
    settlement = Settlement(delay_ns=100, failure_rate=0.5)
    latency = ConstantLatency(report_ns=3)
    desk = Desk(SimulatedBrokerConfig(settlement=settlement, latency=latency))
    desk.show(lambda tape: tape.quote(99, 101))
    ends = set()
    for number in range(20):
        trade, end = desk.place(buy(1, id=str(number)))
        assert trade.message.provisional
        assert isinstance(end, Later)
        assert end.at_ns == trade.at_ns + 100
        assert end.message.trade_id == trade.message.trade_id
        ends.add(end.message.kind)
    assert ends == {ReportKind.TRADE_SETTLED, ReportKind.TRADE_FAILED}
    [accepted] = desk.place(buy(1, "0.50", id="rests"))
    assert told([accepted.message]) == [ACCEPTED]


def test_a_trade_that_is_final_says_so() -> None:
    desk = Desk()
    desk.show(lambda tape: tape.quote(99, 101))
    [trade] = desk.place(buy(1))
    assert (told([trade]), trade.provisional) == ([taker(1, "1.01")], False)
    assert told(desk.place(stop(buy(1, id="s"), "1.01"))) == [
        ACCEPTED,
        TRIGGERED,
        taker(1, "1.01"),
    ]
