"""The simulated broker: market and limit orders, ends, latency."""

from decimal import Decimal

import attrs
import pytest

from actors.actor import Core, Later, Reactor
from actors.brokers.models.commission import PercentageCommission
from actors.brokers.models.latency import ConstantLatency
from actors.brokers.models.market_state import MarketState
from actors.brokers.models.slippage import Slippage
from actors.brokers.simulated import SimulatedBrokerConfig
from actors.messages.system import CancelAllAtVenue
from actors.messages.trading import (
    CancelArrived,
    ExecutionReport,
    OrderArrived,
    ReportKind,
)
from actors.model.order import Liquidity, Order, OrderType, Side, TimeInForce
from tests.actors.brokers.desks import (
    ACCEPTED,
    CANCEL,
    CANCELLED,
    ID,
    Desk,
    buy,
    maker,
    sell,
    taker,
    told,
)
from tests.actors.brokers.rows import Tape
from tests.builders import BTC, SECOND, START_NS, instrument, instruments, order


def test_it_is_a_core_and_a_reactor_that_starts_and_stops_in_silence() -> None:
    broker = Desk().broker
    core: Core = broker
    assert isinstance(broker, Reactor)
    assert (core.start(0), core.stop(1)) == ([], [])


# --- market orders -----------------------------------------------------------------------------


def test_a_market_order_takes_the_other_side_of_the_quote() -> None:
    desk = Desk()
    desk.show(lambda tape: tape.quote(99, 101))
    assert told(desk.place(buy(id="a"))) == [taker(1, "1.01")]
    assert told(desk.place(sell(id="b"))) == [taker(1, "0.99")]


def test_a_trade_is_reported_with_a_derived_id_the_commission_and_the_time() -> None:
    desk = Desk(SimulatedBrokerConfig(venue="lab", commission=PercentageCommission(Decimal("0.1"))))
    desk.show(lambda tape: tape.quote(99, 101))
    [trade] = desk.place(buy(20))
    assert trade == ExecutionReport(
        client_order_id=ID,
        kind=ReportKind.TRADE,
        venue="lab",
        venue_time_ns=5,
        trade_id=f"{ID}-1",
        last_quantity=Decimal(20),
        last_price=Decimal("1.01"),
        commission=Decimal("2.020"),
        liquidity=Liquidity.TAKER,
    )


def test_what_is_left_of_a_market_order_takes_from_the_next_quotes() -> None:
    desk = Desk()
    desk.show(lambda tape: tape.quote(99, 101, 5, 5))
    assert told(desk.place(buy(12))) == [ACCEPTED, taker(5, "1.01")]
    outputs = desk.show(lambda tape: tape.quote(99, 102, 5, 5).quote(99, 103, 5, 5))
    assert told(outputs) == [taker(5, "1.02"), taker(2, "1.03")]
    assert [each.trade_id for each in outputs] == [f"{ID}-2", f"{ID}-3"]
    assert [each.venue_time_ns for each in outputs] == [START_NS, START_NS + SECOND]
    assert desk.broker.open_orders() == []


def test_sizes_do_not_matter_without_partial_fills() -> None:
    desk = Desk(SimulatedBrokerConfig(partial_fills=False))
    desk.show(lambda tape: tape.quote(99, 101, 5, 5))
    assert told(desk.place(buy(12, id="a"))) == [taker(12, "1.01")]
    desk.place(buy(12, "1.00", id="b"))
    assert told(desk.show(lambda tape: tape.quote(98, 99, 1, 1))) == [maker(12, "1.00")]


def test_orders_of_one_moment_share_the_size_that_is_shown() -> None:
    desk = Desk()
    desk.show(lambda tape: tape.quote(99, 101, 5, 5))
    assert told(desk.place(buy(3, id="a"))) == [taker(3, "1.01")]
    assert told(desk.place(buy(3, id="b"))) == [ACCEPTED, taker(2, "1.01")]
    assert told(desk.place(buy(3, id="c"))) == [ACCEPTED]
    assert told(desk.place(sell(3, id="d"))) == [taker(3, "0.99")]


def test_the_next_quote_shows_its_size_anew() -> None:
    desk = Desk()
    desk.show(lambda tape: tape.quote(99, 101, 5, 5))
    desk.place(buy(5, id="a"))
    desk.show(lambda tape: tape.quote(99, 101, 5, 5))
    assert told(desk.place(buy(5, id="b"))) == [taker(5, "1.01")]


def test_a_market_order_waits_for_an_empty_side() -> None:
    desk = Desk()
    desk.show(lambda tape: tape.quote(99, 0, 5, 0))
    assert told(desk.place(buy())) == [ACCEPTED]
    assert desk.show(lambda tape: tape.quote(98, 0, 5, 0)) == []
    assert told(desk.show(lambda tape: tape.quote(98, 103, 5, 5))) == [taker(1, "1.03")]


def test_a_market_order_waits_for_the_first_price() -> None:
    desk = Desk(table=instruments(instrument(lot="1"), instrument("ETH", lot="1")))
    [accepted] = desk.place(buy())
    assert accepted.reason == "waits for a price"
    assert desk.show(lambda tape: tape.quote(1, 2, index=1)) == []
    assert told(desk.show(lambda tape: tape.quote(99, 101))) == [taker(1, "1.01")]


def test_bars_fill_market_orders_at_the_last_close() -> None:
    desk = Desk()
    desk.show(lambda tape: tape.bar(100, 110, 90, 105))
    assert told(desk.place(buy(1000))) == [taker(1000, "1.05")]


def test_a_market_order_takes_the_close_of_the_first_bar() -> None:
    desk = Desk()
    desk.place(sell())
    assert told(desk.show(lambda tape: tape.bar(100, 110, 90, 105))) == [taker(1, "1.05")]


def test_trades_are_the_price_where_nothing_better_is_known() -> None:
    desk = Desk()
    desk.show(lambda tape: tape.trade(100))
    assert told(desk.place(buy(1000, id="a"))) == [taker(1000, "1.00")]
    desk.show(lambda tape: tape.quote(98, 99).trade(120))
    assert told(desk.place(buy(id="b"))) == [taker(1, "0.99")]


# --- limit orders ------------------------------------------------------------------------------


def test_a_limit_order_takes_within_its_limit_and_rests() -> None:
    desk = Desk()
    desk.show(lambda tape: tape.quote(99, 101, 5, 5))
    assert told(desk.place(buy(7, "1.02"))) == [ACCEPTED, taker(5, "1.01")]
    [held] = desk.broker.open_orders()
    assert (held.leaves, held.takes) == (2, False)


@pytest.mark.parametrize(
    ("resting", "misses", "hits", "price"),
    [
        (buy(1, "1.00"), (99, 101), (98, 100), "1.00"),
        (buy(1, "1.00"), (99, 101), (90, 91), "1.00"),
        (sell(1, "1.00"), (99, 101), (100, 102), "1.00"),
        (sell(1, "1.00"), (99, 101), (110, 111), "1.00"),
    ],
)
def test_a_resting_order_trades_at_its_limit_when_the_quote_comes_to_it(
    resting: Order, misses: tuple[int, int], hits: tuple[int, int], price: str
) -> None:
    desk = Desk()
    desk.show(lambda tape: tape.quote(*misses))
    assert told(desk.place(resting)) == [ACCEPTED]
    assert desk.show(lambda tape: tape.quote(*misses)) == []
    assert told(desk.show(lambda tape: tape.quote(*hits))) == [maker(1, price)]


def test_a_buy_limit_does_not_fill_above_its_price() -> None:
    desk = Desk()
    desk.show(lambda tape: tape.quote(52, 53))
    desk.place(buy(1, "0.52"))
    assert desk.show(lambda tape: tape.quote(52, 53).bar(60, 70, 53, 60).trade(50)) == []


def test_a_resting_order_trades_up_to_the_size_quoted_each_time() -> None:
    desk = Desk()
    desk.show(lambda tape: tape.quote(99, 101, 5, 5))
    desk.place(buy(7, "1.00"))
    outputs = desk.show(lambda tape: tape.quote(98, 100, 5, 3).quote(98, 100, 5, 3))
    assert told(outputs) == [maker(3, "1.00"), maker(3, "1.00")]
    [held] = desk.broker.open_orders()
    assert held.leaves == 1


def test_the_best_price_trades_first_then_the_oldest() -> None:
    desk = Desk()
    desk.show(lambda tape: tape.quote(90, 110, 5, 5))
    for name, limit in (("a", "1.00"), ("b", "1.01"), ("c", "1.00"), ("d", "0.95")):
        desk.place(buy(2, limit, id=name))
    outputs = desk.show(lambda tape: tape.quote(90, 100, 5, 5))
    assert [(each.client_order_id, each.last_quantity) for each in outputs] == [
        ("b", 2),
        ("a", 2),
        ("c", 1),
    ]
    assert [held.order.client_order_id for held in desk.broker.open_orders()] == ["c", "d"]


def test_a_size_that_is_used_up_leaves_nothing_for_the_next_order() -> None:
    desk = Desk()
    desk.show(lambda tape: tape.quote(90, 110, 5, 5))
    desk.place(buy(5, "1.00", id="a"))
    desk.place(buy(2, "1.00", id="b"))
    outputs = desk.show(lambda tape: tape.quote(90, 100, 5, 5))
    assert [each.client_order_id for each in outputs] == ["a"]


def test_a_bar_trades_only_the_orders_that_it_reaches() -> None:
    desk = Desk()
    desk.show(lambda tape: tape.bar(110, 110, 110, 110))
    desk.place(buy(1, "1.00", id="a"))
    desk.place(buy(1, "0.95", id="b"))
    outputs = desk.show(lambda tape: tape.bar(105, 106, 98, 104))
    assert [each.client_order_id for each in outputs] == ["a"]


def test_bids_are_listed_and_matched_before_asks() -> None:
    desk = Desk()
    desk.show(lambda tape: tape.bar(100, 100, 100, 100))
    desk.place(sell(1, "1.05", id="s"))
    desk.place(buy(1, "0.95", id="b"))
    outputs = desk.show(lambda tape: tape.bar(100, 110, 90, 100))
    assert [each.client_order_id for each in outputs] == ["b", "s"]


@pytest.mark.parametrize(
    ("resting", "bar", "price"),
    [
        (buy(9, "1.00"), (105, 106, 100, 104), "1.00"),
        (buy(9, "1.00"), (97, 106, 95, 104), "0.97"),
        (sell(9, "1.20"), (115, 120, 113, 114), "1.20"),
        (sell(9, "1.20"), (125, 126, 113, 114), "1.25"),
    ],
)
def test_a_bar_fills_a_resting_order_at_the_better_of_open_and_limit(
    resting: Order, bar: tuple[int, int, int, int], price: str
) -> None:
    desk = Desk()
    desk.show(lambda tape: tape.bar(110, 110, 110, 110))
    desk.place(resting)
    assert desk.show(lambda tape: tape.bar(110, 119, 101, 110)) == []
    assert told(desk.show(lambda tape: tape.bar(*bar))) == [maker(9, price)]


def test_a_trade_reaches_a_resting_order_where_there_are_no_quotes() -> None:
    desk = Desk()
    desk.show(lambda tape: tape.trade(100))
    desk.place(buy(9, "0.99"))
    assert told(desk.show(lambda tape: tape.trade(100).trade(99))) == [maker(9, "0.99")]


def test_a_limit_order_without_a_price_takes_at_the_first_one() -> None:
    desk = Desk()
    assert told(desk.place(buy(7, "1.05"))) == [ACCEPTED]
    assert told(desk.show(lambda tape: tape.quote(99, 101, 5, 5))) == [taker(5, "1.01")]
    assert told(desk.show(lambda tape: tape.quote(99, 105, 5, 5))) == [maker(2, "1.05")]


def test_a_limit_order_without_a_price_rests_where_the_first_one_is_out_of_reach() -> None:
    desk = Desk()
    desk.place(buy(1, "1.00"))
    [rests] = desk.show(lambda tape: tape.quote(99, 101, 5, 5))
    assert (rests.kind, rests.reason) == (ReportKind.ACCEPTED, "rests")
    assert told(desk.show(lambda tape: tape.quote(90, 91))) == [maker(1, "1.00")]


def test_a_post_only_order_that_would_take_is_rejected() -> None:
    desk = Desk()
    desk.show(lambda tape: tape.quote(99, 101))
    [rejected] = desk.place(buy(1, "1.01", order_type=OrderType.POST_ONLY))
    assert (rejected.kind, rejected.reason) == (
        ReportKind.REJECTED,
        "post-only, but it would take",
    )


def test_a_post_only_order_rests_and_provides() -> None:
    desk = Desk()
    desk.show(lambda tape: tape.quote(99, 101))
    assert told(desk.place(sell(1, "1.00", order_type=OrderType.POST_ONLY))) == [ACCEPTED]
    assert told(desk.show(lambda tape: tape.quote(104, 105))) == [maker(1, "1.00")]


def test_a_post_only_order_without_a_price_provides_at_the_first_one() -> None:
    desk = Desk()
    assert told(desk.place(buy(1, "1.00", order_type=OrderType.POST_ONLY))) == [ACCEPTED]
    assert told(desk.show(lambda tape: tape.quote(90, 91))) == [maker(1, "1.00")]


@pytest.mark.parametrize("quantity", [3, 5, 8])
def test_immediate_or_cancel_takes_what_there_is(quantity: int) -> None:
    desk = Desk()
    desk.show(lambda tape: tape.quote(99, 101, 5, 5))
    outputs = desk.place(buy(quantity, "1.01", time_in_force=TimeInForce.IOC))
    trade = taker(min(quantity, 5), "1.01")
    assert told(outputs) == ([trade] if quantity <= 5 else [ACCEPTED, trade, CANCELLED])
    assert desk.broker.open_orders() == []


@pytest.mark.parametrize("quantity", [5, 6])
def test_fill_or_kill_takes_everything_or_nothing(quantity: int) -> None:
    desk = Desk()
    desk.show(lambda tape: tape.quote(99, 101, 5, 5))
    outputs = told(desk.place(buy(quantity, time_in_force=TimeInForce.FOK)))
    assert outputs == ([taker(5, "1.01")] if quantity == 5 else [ACCEPTED, CANCELLED])


@pytest.mark.parametrize("in_force", [TimeInForce.IOC, TimeInForce.FOK])
def test_what_must_fill_at_once_does_not_wait_for_a_price(in_force: TimeInForce) -> None:
    [accepted, cancelled] = Desk().place(buy(time_in_force=in_force))
    assert (accepted.kind, accepted.reason) == (ReportKind.ACCEPTED, "")
    assert (cancelled.kind, cancelled.reason) == (
        ReportKind.CANCELLED,
        f"{in_force}: not enough at its price",
    )


@attrs.frozen
class _Slips(Slippage):
    """Slips by half of the price, against the order."""

    def fraction(self, side: Side, quantity: Decimal, market: MarketState) -> Decimal:
        return Decimal("0.5")


def test_orders_that_take_slip_within_their_limit() -> None:
    desk = Desk(SimulatedBrokerConfig(slippage=_Slips()))
    desk.show(lambda tape: tape.quote(100, 100))
    prices = [
        desk.place(each)[0].last_price
        for each in (
            buy(id="a"),
            sell(id="b"),
            buy(1, "1.20", id="c"),
            sell(1, "0.80", id="d"),
            buy(1, "9.00", id="e"),
        )
    ]
    assert prices == [Decimal(each) for each in ("1.5", "0.5", "1.2", "0.8", "1.5")]


# --- ends --------------------------------------------------------------------------------------


def test_a_cancel_takes_an_open_order_away() -> None:
    desk = Desk()
    desk.show(lambda tape: tape.quote(99, 101))
    desk.place(buy(1, "1.00"))
    assert told(desk.broker.handle(CANCEL, 6)) == [CANCELLED]
    assert desk.show(lambda tape: tape.quote(90, 91)) == []


def test_a_cancel_of_an_order_that_is_not_open_is_refused() -> None:
    desk = Desk()
    desk.show(lambda tape: tape.quote(99, 101))
    desk.place(buy())
    [refused] = desk.broker.handle(CANCEL, 6)
    assert refused.kind is ReportKind.CANCEL_REJECTED
    assert refused.reason == "the order is not open"


def test_an_order_that_comes_twice_is_heard_once() -> None:
    desk = Desk()
    desk.show(lambda tape: tape.quote(99, 101))
    assert told(desk.place(buy())) == [taker(1, "1.01")]
    assert desk.place(buy()) == []


def test_a_resolution_ends_the_orders_of_its_instrument_and_refuses_new_ones() -> None:
    desk = Desk(table=instruments(instrument(lot="1"), instrument("ETH", lot="1")))
    desk.show(lambda tape: tape.quote(99, 101).quote(99, 101, index=1))
    desk.place(buy(1, "1.00", id="a"))
    desk.place(buy(1, "1.00", id="b", instrument="ETH"))
    outputs = desk.show(lambda tape: tape.resolution(100, index=1).quote(80, 90, index=1))
    assert [(each.client_order_id, each.kind, each.reason) for each in outputs] == [
        ("b", ReportKind.EXPIRED, "market resolved")
    ]
    [refused] = desk.place(buy(id="c", instrument="ETH"))
    assert (refused.kind, refused.reason) == (
        ReportKind.REJECTED,
        "the market of ETH has resolved",
    )
    assert desk.show(lambda tape: tape.resolution(0, index=1)) == []


def test_closing_the_venue_cancels_everything_and_refuses_what_is_on_its_way() -> None:
    desk = Desk()
    desk.show(lambda tape: tape.quote(99, 101))
    desk.place(buy(1, "1.00", id="a"))
    desk.place(sell(1, "1.05", id="b"))
    outputs = desk.broker.handle(CancelAllAtVenue("orders gave up"), 6)
    assert [(each.client_order_id, each.kind, each.reason) for each in outputs] == [
        ("a", ReportKind.CANCELLED, "orders gave up"),
        ("b", ReportKind.CANCELLED, "orders gave up"),
    ]
    [refused] = desk.broker.handle(OrderArrived(order=buy(id="c")), 7)
    assert (refused.kind, refused.reason) == (ReportKind.REJECTED, "closed: orders gave up")


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (buy(instrument="X"), "instrument X is not known"),
        (order(quantity="0.5"), "0.5 is not a multiple of 1"),
        (buy(1, "1.005"), "1.005 is not a multiple of 0.01"),
        (order(quantity="0.5", limit="1.005"), "0.5 is not a multiple of 1"),
        (order(quantity="0"), "quantity: expected above 0, found 0"),
        (order(quantity="-1"), "quantity: expected above 0, found -1"),
        (order(quantity="NaN"), "NaN is not a multiple of 1"),
        (order(quantity="sNaN"), "Cannot hash a signaling NaN value"),
        (order(quantity="Infinity"), "Infinity is not a number of steps of 1"),
    ],
)
def test_an_order_that_the_venue_cannot_read_is_rejected(bad: Order, reason: str) -> None:
    [rejected] = Desk().place(bad)
    assert (rejected.kind, rejected.reason) == (ReportKind.REJECTED, reason)


def test_a_number_may_be_written_in_several_ways() -> None:
    desk = Desk()
    desk.show(lambda tape: tape.quote(99, 101))
    for name, quantity in (("a", "20"), ("b", "20.00"), ("c", "2E1")):
        [trade] = desk.place(order(quantity=quantity, id=name))
        assert (trade.last_quantity, str(trade.last_quantity)) == (Decimal(20), "20")


# --- latency -----------------------------------------------------------------------------------


def test_orders_cancels_and_reports_are_on_their_way() -> None:
    desk = Desk(
        SimulatedBrokerConfig(latency=ConstantLatency(submit_ns=10, cancel_ns=20, report_ns=3))
    )
    desk.show(lambda tape: tape.quote(99, 101))
    asked = buy(1, "1.00")
    assert desk.place(asked) == [Later(OrderArrived(order=asked), 15)]
    [accepted] = desk.broker.handle(OrderArrived(order=asked), 15)
    assert (accepted.at_ns, told([accepted.message])) == (18, [ACCEPTED])
    assert desk.broker.handle(CANCEL, 30) == [
        Later(CancelArrived(client_order_id=ID, instrument=BTC), 50)
    ]
    arrival = CancelArrived(client_order_id=ID, instrument=BTC)
    [cancelled] = desk.broker.handle(arrival, 50)
    assert (cancelled.at_ns, cancelled.message.venue_time_ns) == (53, 50)
    assert told([cancelled.message]) == [CANCELLED]


def test_an_order_meets_the_market_as_it_is_when_it_arrives() -> None:
    desk = Desk(SimulatedBrokerConfig(latency=ConstantLatency(submit_ns=10)))
    desk.show(lambda tape: tape.quote(99, 101))
    desk.place(buy())
    desk.show(lambda tape: tape.quote(99, 120))
    outputs = desk.broker.handle(OrderArrived(order=buy()), 15)
    assert told(outputs) == [taker(1, "1.20")]


def test_reactions_to_the_market_are_reported_late_too() -> None:
    desk = Desk(SimulatedBrokerConfig(latency=ConstantLatency(report_ns=7)))
    desk.show(lambda tape: tape.quote(99, 101))
    desk.place(buy(1, "1.00"))
    [trade] = desk.show(lambda tape: tape.quote(90, 91))
    assert (trade.at_ns, trade.message.venue_time_ns) == (START_NS + 7, START_NS)


def test_an_instrument_may_appear_after_the_orders_of_another() -> None:
    desk = Desk()
    desk.show(lambda tape: tape.quote(99, 101))
    desk.place(buy(1, "1.00", id="a"))
    desk.table.add(instrument("ETH", lot="1"))
    assert desk.show(lambda tape: tape.quote(1, 2, index=1).quote(98, 101)) == []
    assert told(desk.place(buy(id="b", instrument="ETH"))) == [taker(1, "0.02")]


def test_looking_ahead_changes_nothing() -> None:
    desk = Desk()
    desk.show(lambda tape: tape.quote(99, 101))
    desk.place(buy(1, "1.00"))
    rows = Tape(desk.table).quote(99, 101).quote(90, 91).quote(80, 81).build()
    assert [desk.broker.look(rows, 0, stop) for stop in (3, 1, 2, 3)] == [1, 1, 1, 1]
    assert desk.broker.look(rows, 2, 3) == 2
    assert [held.leaves for held in desk.broker.open_orders()] == [1]
