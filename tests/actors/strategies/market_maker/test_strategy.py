from decimal import Decimal
from typing import Any

import pytest

from actors.actor import Later
from actors.messages.market import Connection, ConnectionState, Resolution
from actors.messages.trading import CancelOrder, ModifyOrder, OrderUpdate, Signal, SignalRefused
from actors.model.instrument import Instrument
from actors.model.order import OrderStatus, OrderType, Side
from actors.strategies.market_maker import MarketMaker
from tests.actors.strategies.builders import position, quote, refusal, started
from tests.builders import SECOND, instrument, instruments

BTC = instrument("BTC")
WORKING, FILLED = OrderStatus.WORKING, OrderStatus.FILLED


def maker(incarnation: int = 0, **given: Any) -> MarketMaker:
    """Return a maker of 10 a side, 1.00 wide around 100, that does not watch the time."""
    defaults = {"spread_bps": Decimal(100), "skew_bps": Decimal(50), "max_quote_age_ns": None}
    return started(
        MarketMaker,
        instruments(BTC),
        parameters=MarketMaker.Parameters(**{**defaults, **given}),
        incarnation=incarnation,
    )


def shown(core: MarketMaker, mid: int = 10_000, *, time_ns: int = 1) -> list[Any]:
    """Quote a market 0.02 wide around a mid in ticks; return what is sent."""
    core.on_quote(quote(BTC, mid - 1, mid + 1, time_ns=time_ns))
    return core.take_outbox(time_ns)


def told(
    core: MarketMaker,
    order: Signal,
    status: OrderStatus,
    filled: str = "0",
    *,
    quantity: str | None = None,
    reason: str = "",
) -> list[Any]:
    """Have the order manager speak."""
    assert order.side is not None
    update = OrderUpdate(
        client_order_id=order.signal_id,
        strategy="s",
        instrument=order.instrument,
        side=order.side,
        status=status,
        quantity=Decimal(quantity) if quantity else order.quantity or Decimal(0),
        filled_quantity=Decimal(filled),
        reason=reason,
    )
    return core.handle(update, core.now_ns)


def quoting(core: MarketMaker) -> tuple[Signal, Signal]:
    """Have both quotes rest in the market."""
    bid, ask = shown(core)
    for order in (bid, ask):
        told(core, order, WORKING)
    return bid, ask


def test_it_quotes_both_sides_post_only() -> None:
    bid, ask = shown(maker())
    assert (bid.side, bid.limit_price, bid.quantity) == (Side.BUY, Decimal("99.5"), Decimal(10))
    assert (ask.side, ask.limit_price, ask.quantity) == (Side.SELL, Decimal("100.5"), Decimal(10))
    assert {bid.order_type, ask.order_type} == {OrderType.POST_ONLY}


def test_it_stays_until_the_price_has_moved_far_enough() -> None:
    core = maker(refresh_ticks=3)
    bid, ask = quoting(core)
    assert shown(core, 10_002) == []
    lower, higher = shown(core, 10_003)
    assert isinstance(lower, ModifyOrder)
    assert (lower.client_order_id, lower.limit_price) == (bid.signal_id, Decimal("99.52"))
    assert (higher.client_order_id, higher.limit_price) == (ask.signal_id, Decimal("100.54"))
    assert lower.quantity == Decimal(10)


def test_after_a_while_it_follows_any_move() -> None:
    core = maker(refresh_ticks=100, refresh_ns=SECOND)
    quoting(core)
    assert shown(core, 10_050, time_ns=SECOND) == []
    assert len(shown(core, 10_050, time_ns=SECOND + 1)) == 2
    assert shown(core, 10_050, time_ns=SECOND + 2) == []


def test_a_change_waits_for_the_answer_to_the_one_before() -> None:
    core = maker()
    bid, ask = shown(core)
    assert shown(core, 10_100) == []
    for order in (bid, ask):
        told(core, order, WORKING)
    assert len(shown(core, 10_100)) == 2
    told(core, bid, OrderStatus.REPLACING)
    assert shown(core, 10_200) == []
    told(core, bid, WORKING)
    (lower,) = shown(core, 10_200)
    assert lower.client_order_id == bid.signal_id


def test_without_replace_it_cancels_and_quotes_anew() -> None:
    core = maker(replace=False)
    bid, ask = quoting(core)
    cancels = shown(core, 10_100)
    assert [each.client_order_id for each in cancels] == [bid.signal_id, ask.signal_id]
    assert {each.reason for each in cancels} == {"moved"}
    assert shown(core, 10_100) == []
    for order in (bid, ask):
        told(core, order, OrderStatus.CANCELLED)
    assert [each.side for each in shown(core, 10_100)] == [Side.BUY, Side.SELL]


def test_a_fill_makes_it_lean_and_its_quote_full_again() -> None:
    core = maker(max_position=Decimal(20))
    bid, ask = quoting(core)
    told(core, bid, OrderStatus.PARTIALLY_FILLED, "4")
    core.handle(position("BTC", "4"), 1)
    lower, higher = shown(core)
    assert (lower.client_order_id, lower.quantity) == (bid.signal_id, Decimal(14))
    assert (lower.limit_price, higher.limit_price) == (Decimal("99.4"), Decimal("100.4"))
    assert (higher.client_order_id, higher.quantity) == (ask.signal_id, Decimal(10))


def test_a_quote_that_was_filled_is_made_anew() -> None:
    core = maker()
    bid, _ = quoting(core)
    told(core, bid, FILLED, "10")
    core.handle(position("BTC", "10"), 1)
    sent = shown(core)
    assert [type(each) for each in sent] == [Signal, ModifyOrder]
    assert (sent[0].side, sent[0].quantity) == (Side.BUY, Decimal(10))


@pytest.mark.parametrize("position_first", [True, False])
def test_the_position_stays_in_bounds_whoever_speaks_first(position_first: bool) -> None:
    core = maker(max_position=Decimal(12))
    bid, ask = quoting(core)
    if position_first:
        core.handle(position("BTC", "10"), 1)
        assert [each.quantity for each in shown(core)] == [Decimal(2), Decimal(10)]
        told(core, bid, FILLED, "10")
    else:
        told(core, bid, FILLED, "10")
        first, *_ = shown(core)
        assert (first.side, first.quantity) == (Side.BUY, Decimal(2))
    told(core, ask, WORKING)
    core.handle(position("BTC", "10"), 1)
    assert all(each.quantity in (2, 10) for each in shown(core, 10_100))


def test_there_is_no_bid_at_the_largest_position() -> None:
    core = maker(max_position=Decimal(10))
    bid, ask = quoting(core)
    core.handle(position("BTC", "10"), 1)
    sent = shown(core)
    assert [type(each) for each in sent] == [CancelOrder, ModifyOrder]
    assert (sent[0].client_order_id, sent[0].reason) == (bid.signal_id, "no room")
    assert sent[1].client_order_id == ask.signal_id


@pytest.mark.parametrize("about", [None, BTC])
@pytest.mark.parametrize("state", [ConnectionState.DOWN, ConnectionState.GAPPED])
def test_it_leaves_a_market_that_cannot_be_seen(
    about: Instrument | None, state: ConnectionState
) -> None:
    core = maker()
    bid, ask = quoting(core)
    core.on_connection(Connection(2, about, state))
    cancels = core.take_outbox(2)
    assert [each.client_order_id for each in cancels] == [bid.signal_id, ask.signal_id]
    for order in (bid, ask):
        told(core, order, OrderStatus.CANCELLED)
    assert len(shown(core)) == (2 if state is ConnectionState.DOWN else 0)
    core.on_connection(Connection(3, about, ConnectionState.SYNCED))
    core.take_outbox(3)
    assert len(shown(core, 10_010)) == (2 if state is ConnectionState.GAPPED else 0)


def test_another_books_gap_does_not_matter() -> None:
    core = maker()
    quoting(core)
    core.on_connection(Connection(2, instrument("ETH"), ConnectionState.GAPPED))
    assert core.take_outbox(2) == []


@pytest.mark.parametrize(
    ("bid", "ask", "sizes"), [(10_002, 10_002, (5, 5)), (10_000, 10_002, (0, 5))]
)
def test_it_leaves_a_market_that_is_crossed_or_empty(
    bid: int, ask: int, sizes: tuple[int, int]
) -> None:
    core = maker()
    orders = quoting(core)
    core.on_quote(quote(BTC, bid, ask, sizes))
    cancels = core.take_outbox(1)
    assert [each.client_order_id for each in cancels] == [each.signal_id for each in orders]
    assert {each.reason for each in cancels} == {"nothing to quote around"}


def test_it_leaves_a_market_that_has_resolved_for_good() -> None:
    core = maker()
    orders = quoting(core)
    core.on_resolution(Resolution(2, BTC, 100))
    assert len(core.take_outbox(2)) == 2
    for order in orders:
        told(core, order, OrderStatus.CANCELLED)
    core.on_connection(Connection(3, None, ConnectionState.UP))
    assert shown(core) == []


def test_it_leaves_a_market_that_falls_silent() -> None:
    core = maker(max_quote_age_ns=SECOND)
    timer, bid, ask = shown(core, time_ns=100)
    assert (type(timer), timer.at_ns) == (Later, 100 + SECOND)
    for order in (bid, ask):
        told(core, order, WORKING)
    assert shown(core, time_ns=400) == []
    (again,) = core.handle(timer.message, timer.at_ns)
    assert again.at_ns == 400 + SECOND
    cancels = core.handle(again.message, again.at_ns)
    assert [each.reason for each in cancels] == ["no quotes", "no quotes"]
    for order in (bid, ask):
        told(core, order, OrderStatus.CANCELLED)
    assert [type(each) for each in shown(core, time_ns=3 * SECOND)] == [Later, Signal, Signal]


def test_of_several_markets_only_the_silent_one_is_left() -> None:
    other = instrument("ETH")
    parameters = MarketMaker.Parameters(max_quote_age_ns=SECOND)
    core = started(MarketMaker, instruments(BTC, other), parameters=parameters)
    timer = next(each for each in shown(core, time_ns=100) if isinstance(each, Later))
    core.on_quote(quote(other, 9_999, 10_001, time_ns=700))
    core.take_outbox(700)
    *cancels, again = core.handle(timer.message, timer.at_ns)
    assert len(cancels) == 2
    assert again.at_ns == 700 + SECOND
    assert len(core.handle(again.message, again.at_ns)) == 2


def test_after_a_refusal_it_waits_a_little() -> None:
    core = maker(retry_ns=SECOND)
    bid, ask = shown(core)
    core.handle(refusal(bid), 10)
    told(core, ask, WORKING)
    assert shown(core, time_ns=SECOND) == []
    (again,) = shown(core, time_ns=SECOND + 10)
    assert again.side is Side.BUY


def test_a_refused_change_leaves_the_quote_where_it_was() -> None:
    core = maker(retry_ns=SECOND)
    bid, ask = quoting(core)
    shown(core, 10_100)
    refused = SignalRefused(signal_id=bid.signal_id, strategy="s", instrument="BTC", violations=())
    core.handle(refused, 10)
    told(core, ask, WORKING)
    (again, *_) = shown(core, 10_100, time_ns=2 * SECOND)
    assert isinstance(again, ModifyOrder)
    assert again.client_order_id == bid.signal_id
    other = SignalRefused(signal_id="x", strategy="s", instrument="ETH", violations=())
    core.handle(other, 10)


def test_a_change_that_the_venue_refuses_is_tried_again_later() -> None:
    core = maker(retry_ns=SECOND)
    bid, ask = quoting(core)
    shown(core, 10_100)
    told(core, ask, WORKING)
    told(core, bid, WORKING, reason="too late to change")
    assert shown(core, 10_100) == []
    (again,) = shown(core, 10_100, time_ns=3 * SECOND)
    assert again.client_order_id == bid.signal_id


def test_it_leaves_all_markets_when_it_is_stopped() -> None:
    core = maker()
    quoting(core)
    assert [each.reason for each in core.stop(9)] == ["stopped", "stopped"]


def test_after_a_crash_it_cancels_what_it_finds_and_begins_anew() -> None:
    first = maker()
    bid, ask = quoting(first)
    filled = OrderUpdate(
        client_order_id=ask.signal_id,
        strategy="s",
        instrument="BTC",
        side=Side.SELL,
        status=OrderStatus.PARTIALLY_FILLED,
        quantity=Decimal(10),
        filled_quantity=Decimal(3),
    )
    core = maker(incarnation=1)
    core.recover(
        [
            ("sent", bid),
            ("sent", ask),
            ("received", filled),
            ("received", position("BTC", "-3")),
        ]
    )
    cancels = core.start(0)
    assert {each.client_order_id for each in cancels} == {bid.signal_id, ask.signal_id}
    assert shown(core) == []
    told(core, bid, OrderStatus.CANCELLED)
    assert shown(core) == []
    told(core, ask, OrderStatus.CANCELLED, "3")
    new_bid, new_ask = shown(core)
    assert core.position(BTC) == -3
    assert (new_bid.quantity, new_ask.quantity) == (Decimal(10), Decimal(10))
    assert new_bid.limit_price > Decimal("99.5")


def test_a_market_that_was_left_is_watched_no_longer() -> None:
    other = instrument("ETH")
    parameters = MarketMaker.Parameters(max_quote_age_ns=SECOND)
    core = started(MarketMaker, instruments(BTC, other), parameters=parameters)
    timer = next(each for each in shown(core, time_ns=100) if isinstance(each, Later))
    core.on_quote(quote(other, 9_999, 10_001, time_ns=50))
    core.take_outbox(100)
    core.on_connection(Connection(200, BTC, ConnectionState.DOWN))
    core.take_outbox(200)
    assert [each.reason for each in core.handle(timer.message, timer.at_ns)] == ["no quotes"] * 2


def test_no_bid_is_made_where_none_is_possible() -> None:
    core = maker(max_position=Decimal(10))
    core.handle(position("BTC", "10"), 1)
    (ask,) = shown(core)
    assert ask.side is Side.SELL
    told(core, ask, WORKING)
    core.handle(position("BTC", "10"), 2)
    assert shown(core) == []


def test_it_remembers_only_so_many_orders() -> None:
    core = maker(max_position=Decimal(10**6))
    for _ in range(1100):
        bid, *_ = shown(core)
        told(core, bid, FILLED, "10")
        core.handle(position("BTC", "0"), 1)
    assert len(core._exposure._filled) <= 1001


def test_a_market_that_it_does_not_quote_may_be_spoken_of() -> None:
    core = maker()
    core.handle(position("ETH", "1"), 1)
    stray = Signal(signal_id="old", strategy="s", instrument="ETH", side=Side.BUY)
    assert told(core, stray, OrderStatus.CANCELLED) == []
