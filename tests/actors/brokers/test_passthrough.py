from decimal import Decimal
from typing import Any

import pytest

from actors.brokers.desk import Desk as OrderDesk
from actors.brokers.market.shown import Bar, shown_row
from actors.brokers.passthrough import (
    PassthroughBroker,
    PassthroughBrokerConfig,
    PassthroughMatcher,
)
from actors.messages.market import ConnectionState
from actors.messages.slices import MarketData
from actors.messages.trading import CancelPlacedOrder, ReportKind
from actors.model.order import OrderType, Side, TimeInForce
from tests.actors.brokers.desks import ACCEPTED, TRIGGERED, stop, taker, told
from tests.actors.brokers.rows import Tape
from tests.builders import BTC, context, instrument, instruments, order, place, quote_rows


class Desk:
    def __init__(self, config: PassthroughBrokerConfig | None = None) -> None:
        self.table = instruments()
        self.broker: Any = PassthroughBroker(context("broker"), self.table, config)

    def show(self, tape: Tape) -> list[Any]:
        outputs: list[Any] = self.broker.handle(MarketData(tape.build()), 0)
        return outputs

    @property
    def tape(self) -> Tape:
        return Tape(self.table)


def prices(outputs: list[Any]) -> list[Decimal]:
    return [each.last_price for each in outputs if each.kind is ReportKind.TRADE]


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("kind", [OrderType.LIMIT, OrderType.POST_ONLY])
def test_a_limit_order_fills_at_once_at_its_limit(side: Side, kind: OrderType) -> None:
    desk = Desk(PassthroughBrokerConfig(venue="paper"))
    [trade] = desk.broker.handle(place(order(side, "7", "3.5", order_type=kind)), 5)
    assert trade.kind is ReportKind.TRADE
    assert (trade.last_price, trade.last_quantity) == (Decimal("3.5"), Decimal(7))
    assert (trade.commission, trade.venue, trade.venue_time_ns) == (Decimal(0), "paper", 5)
    assert trade.trade_id == "run-strategy-1-1"


def test_a_market_order_fills_whole_at_the_last_price() -> None:
    desk = Desk()
    found = []
    for number, tape in enumerate(
        (desk.tape.trade(100), desk.tape.bar(1, 9, 1, 105), desk.tape.quote(98, 101, 1, 1))
    ):
        desk.show(tape)
        outputs = desk.broker.handle(place(order(quantity="50", id=f"o-{number}")), 5)
        found += [(price, outputs[0].last_quantity) for price in prices(outputs)]
    assert found == [(Decimal(each), Decimal(50)) for each in ("1.00", "1.05", "0.995")]


@pytest.mark.parametrize("side", Side)
def test_a_market_order_waits_for_both_sides_of_a_quote(side: Side) -> None:
    desk = Desk()
    [accepted] = desk.broker.handle(place(order(side)), 5)
    assert accepted.reason == "waits for a price"
    assert desk.show(desk.tape.quote(98, 0, 5, 0).quote(0, 99, 0, 5)) == []
    assert prices(desk.show(desk.tape.quote(98, 100).quote(1, 2))) == [Decimal("0.99")]


def test_nothing_is_filled_at_a_price_of_0() -> None:
    desk = Desk()
    desk.show(desk.tape.trade(0))
    assert prices(desk.broker.handle(place(), 5)) == []
    assert prices(desk.show(desk.tape.trade(0).trade(3))) == [Decimal("0.03")]
    [rejected] = desk.broker.handle(place(order(limit="0", id="b")), 6)
    assert rejected.kind is ReportKind.REJECTED
    assert rejected.reason == "expected a limit price above 0, found 0"


def test_a_gap_is_waited_for() -> None:
    desk = Desk()
    desk.show(desk.tape.quote(98, 100).connection(ConnectionState.GAPPED, 0))
    assert prices(desk.broker.handle(place(), 5)) == []
    synced = desk.tape.quote(1, 2).connection(ConnectionState.SYNCED, 0).quote(98, 100)
    assert prices(desk.show(synced)) == [Decimal("0.99")]


def test_an_order_that_waits_can_be_cancelled() -> None:
    desk = Desk()
    desk.broker.handle(place(), 5)
    cancel = CancelPlacedOrder(client_order_id="run-strategy-1", instrument=BTC)
    assert [each.kind for each in desk.broker.handle(cancel, 6)] == [ReportKind.CANCELLED]
    assert desk.show(desk.tape.quote(98, 100)) == []


def test_what_must_fill_at_once_does_not_wait() -> None:
    outputs = Desk().broker.handle(place(order(time_in_force=TimeInForce.IOC)), 5)
    assert [each.kind for each in outputs] == [ReportKind.ACCEPTED, ReportKind.CANCELLED]


def test_a_resolution_ends_what_waits() -> None:
    desk = Desk()
    desk.broker.handle(place(), 5)
    assert [each.kind for each in desk.show(desk.tape.resolution(1))] == [ReportKind.EXPIRED]


def test_a_stop_sleeps_until_its_time_has_come() -> None:
    table = instruments(instrument(lot="1"))
    broker: Any = PassthroughBroker(context("broker"), table)
    asked = stop(order(quantity="1"), "1.05")
    broker.handle(MarketData(quote_rows([(99, 101)], table=table)), 0)
    assert told(broker.handle(place(asked), 1)) == [ACCEPTED]
    outputs = broker.handle(MarketData(quote_rows([(102, 104), (104, 106)], table=table)), 2)
    assert told(outputs) == [TRIGGERED, taker(1, "1.05")]
    late = stop(order(quantity="1", id="late"), "1.05")
    assert told(broker.handle(place(late), 3)) == [ACCEPTED, TRIGGERED, taker(1, "1.05")]
    tape = Tape(table).bar(100, 110, 100, 108)
    sleeper = stop(order(quantity="1", id="bar"), "1.09")
    broker.handle(place(sleeper), 4)
    assert told(broker.handle(MarketData(tape.build()), 5)) == [TRIGGERED, taker(1, "1.08")]


def test_no_order_rests() -> None:
    table = instruments()
    matcher = PassthroughMatcher(table, PassthroughBrokerConfig())
    desk = OrderDesk(table, matcher)
    held = desk.read(order(limit="1"))
    shown = shown_row(quote_rows([(99, 101)], table=table), 0, is_price=True)
    assert not matcher.is_reached(held, shown)
    assert matcher.provide(held, shown, 1) == []
    assert not matcher.is_filled(held, shown)
    assert matcher.in_order(Bar(1, 1, 1, 1, 1), [held]) == [held]
