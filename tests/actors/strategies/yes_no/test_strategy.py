"""The YES/NO strategy: safety, inventory, oracle, merging, crashes, and whatever comes."""

from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.messages.account import ConversionKind, ConvertTokens, PositionChanged
from actors.messages.alerts import Logged
from actors.messages.market import (
    UNKNOWN_LOTS,
    Bar,
    Connection,
    ConnectionState,
    EventKind,
    Resolution,
    Trade,
)
from actors.messages.system import TimerFired
from actors.messages.trading import CancelOrder, Signal, SignalRefused
from actors.model.instrument import Instrument
from actors.model.order import OrderStatus, Side, TimeInForce
from actors.strategies.yes_no import OracleParameters, YesNo
from tests.actors.strategies.builders import code, quote, refusal, started, update
from tests.actors.strategies.yes_no.traders import (
    BITCOIN,
    NO,
    YES,
    alone,
    core,
    ended,
    fired,
    held,
    offered,
    signals,
)
from tests.builders import SECOND, instrument, instruments

# --- safety, inventory, oracle --------------------------------------------------------------------


def test_a_locked_profit_is_told_once_and_ends_trading() -> None:
    strategy = core()
    held(strategy, YES, "100", "40")
    held(strategy, NO, "100", "40")
    (told,) = offered(strategy, 45, 50)
    assert told == Logged(strategy="s", text="rain: profit locked: 20 is certain", time_ns=1)
    assert offered(strategy, 40, 40) == []


def test_a_stop_sells_the_excess_if_that_is_wanted() -> None:
    strategy = core(stop_exit=True, max_loss=Decimal(10))
    held(strategy, YES, "100", "40")
    told, sale = offered(strategy, 20, 81)
    assert told.text == "rain: stop loss: 40 can be lost, 10 may be"
    assert (sale.side, sale.quantity, sale.limit_price) == (Side.SELL, 50, Decimal("0.19"))
    assert (sale.priority, sale.reason) == (3, "stop loss: sell the excess")


def test_an_inventory_order_may_rest_until_its_time_is_over() -> None:
    strategy = alone(rest=True, order_timeout_ns=SECOND)
    order, timer = offered(strategy, 40, 61)
    assert (order.instrument, order.time_in_force) == (YES.id, TimeInForce.GTC)
    assert order.reason == "bootstrap: YES at 0.4"
    (cancel,) = fired(strategy, timer)
    assert cancel == CancelOrder(
        client_order_id=order.signal_id, strategy="s", reason="rested long enough"
    )
    ended(strategy, order, "0")
    order, timer = offered(strategy, 40, 61, time_ns=2)
    ended(strategy, order, "0")
    assert fired(strategy, timer) == []


ORACLE = OracleParameters(
    instrument="BTC", width=Decimal(100), strike=Decimal(60_000), max_age_ns=5 * SECOND
)


def bitcoin(strategy: YesNo, price: int, *, time_ns: int = 1) -> list[Any]:
    strategy.on_quote(quote(BITCOIN, price * 100, price * 100, time_ns=time_ns))
    return strategy.take_outbox(time_ns)


def test_the_oracle_lets_a_first_side_through_or_not() -> None:
    strategy = alone(oracle=ORACLE)
    assert offered(strategy, 40, 61) == []
    assert bitcoin(strategy, 59_970) == []  # YES is worth 0.35
    (order,) = bitcoin(strategy, 59_980)  # 0.40
    assert (order.instrument, order.limit_price) == (YES.id, Decimal("0.40"))
    assert strategy.dropped == {"bootstrap": 2}
    (summary,) = strategy.stop(9)
    assert summary.text == "not supported by the oracle: bootstrap 2"
    assert alone().stop(9) == []


def test_an_old_price_of_the_oracle_lets_nothing_through() -> None:
    strategy = alone(oracle=ORACLE)
    bitcoin(strategy, 60_050)
    assert offered(strategy, 40, 61, time_ns=2 + 5 * SECOND) == []
    assert len(offered(strategy, 40, 61, time_ns=1 + 5 * SECOND)) == 1


@pytest.mark.parametrize("about", [None, BITCOIN])
def test_an_oracle_whose_feed_was_down_is_not_relied_on(about: Instrument | None) -> None:
    strategy = alone(oracle=ORACLE)
    bitcoin(strategy, 60_050)
    strategy.on_connection(Connection(2, about, ConnectionState.DOWN))
    assert offered(strategy, 40, 61, time_ns=3) == []


def test_without_a_strike_the_oracles_first_price_is_the_reference() -> None:
    strategy = alone(oracle=attrs.evolve(ORACLE, strike=None))
    bitcoin(strategy, 50_000)
    assert offered(strategy, 51, 61) == []
    (order,) = bitcoin(strategy, 50_000, time_ns=2) or offered(strategy, 50, 61, time_ns=2)
    assert order.instrument == YES.id


def test_the_oracle_is_heard_whatever_the_instruments_are_and_nothing_else_of_it() -> None:
    table = instruments(YES, NO, BITCOIN, instrument("ETH"))
    parameters = YesNo.Parameters(oracle=ORACLE)
    strategy = started(YesNo, table, parameters=parameters, instruments=("rain-*",))
    heard = {
        (kind, index)
        for kind in (EventKind.QUOTE, EventKind.TRADE, EventKind.BAR, EventKind.BOOK)
        for index in range(4)
        if strategy.callback(code(kind, index)) is not None
    }
    quotes = {(EventKind.QUOTE, index) for index in (0, 1, 2)}
    assert heard == quotes | {(EventKind.TRADE, 2), (EventKind.BAR, 2)}


def test_prints_of_the_oracle_count_too() -> None:
    for event in (
        Trade(1, BITCOIN, 6_005_000, 1, 0),
        Bar(1, BITCOIN, 1, 1, 1, 6_005_000, 1, 60050.0),
    ):
        strategy = alone(oracle=ORACLE)
        offered(strategy, 40, 61)
        (strategy.on_trade if isinstance(event, Trade) else strategy.on_bar)(event)  # type: ignore[arg-type]
        assert len(strategy.take_outbox(1)) == 1


# --- what it must not look at ---------------------------------------------------------------------


@pytest.mark.parametrize("about", [None, YES])
def test_an_offer_from_before_a_change_of_connection_is_not_used(about: Instrument | None) -> None:
    strategy = core()
    strategy.on_quote(quote(YES, 44, 45))
    strategy.on_connection(Connection(1, about, ConnectionState.DOWN))
    strategy.on_quote(quote(NO, 49, 50))
    assert strategy.take_outbox(1) == []
    strategy.on_quote(quote(YES, 44, 45))
    assert len(signals(strategy.take_outbox(1))) == 2


@pytest.mark.parametrize("healed", [ConnectionState.SYNCED, ConnectionState.UP])
def test_a_book_with_a_gap_is_not_used_until_it_is_in_sync(healed: ConnectionState) -> None:
    strategy = core()
    offered(strategy, 60, 60)
    strategy.on_connection(Connection(1, YES, ConnectionState.GAPPED))
    assert offered(strategy, 45, 50) == []
    strategy.on_connection(Connection(1, YES, healed))
    assert len(signals(offered(strategy, 45, 50))) == 2


def test_an_old_quote_is_not_used() -> None:
    strategy = core(max_quote_age_ns=SECOND)
    strategy.on_quote(quote(YES, 44, 45, time_ns=1))
    strategy.on_quote(quote(NO, 49, 50, time_ns=SECOND + 2))
    assert strategy.take_outbox(1) == []
    strategy.on_quote(quote(YES, 44, 45, time_ns=SECOND + 3))
    assert len(signals(strategy.take_outbox(1))) == 2


@pytest.mark.parametrize("decided", [YES, NO])
def test_a_market_that_has_resolved_is_left_alone(decided: Instrument) -> None:
    strategy = core()
    strategy.on_resolution(Resolution(1, decided, 100))
    assert offered(strategy, 45, 50) == []


def test_an_instrument_without_another_half_is_left_alone() -> None:
    strategy = core()
    strategy.on_quote(quote(BITCOIN, 1, 2))
    strategy.on_resolution(Resolution(1, BITCOIN, 1))
    assert strategy.take_outbox(1) == []


def test_the_rate_of_the_instrument_holds_unless_another_is_given() -> None:
    yes, no = (attrs.evolve(each, fee_rate=Decimal("0.1")) for each in (YES, NO))
    for rate, orders in ((None, 0), (Decimal("0.072"), 2)):
        parameters = YesNo.Parameters(inventory=False, curve_fee_rate=rate)
        strategy = started(YesNo, instruments(yes, no), parameters=parameters)
        strategy.on_quote(quote(yes, 44, 45))
        strategy.on_quote(quote(no, 49, 50))
        assert len(signals(strategy.take_outbox(1))) == orders


def test_a_stop_that_no_longer_holds_is_told_again_when_it_does() -> None:
    strategy = core(max_loss=Decimal(10))
    for cost, lines in (("30", 1), ("5", 0), ("30", 1)):
        held(strategy, YES, "30", cost)
        assert len(offered(strategy, 60, 60)) == lines
        assert signals(offered(strategy, 60, 60)) == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"bootstrap_max_price": Decimal(1)}, "expected a price between 0 and 1, found 1"),
        ({"lock_profit": Decimal(0)}, "lock_profit: expected above 0, or nothing, found 0"),
        ({"max_loss": Decimal(-1)}, "max_loss: expected 0 or more, or nothing, found -1"),
        ({"max_size": Decimal(0)}, "max_size"),
        ({"min_edge": Decimal(-1)}, "min_edge"),
        ({"leg_timeout_ns": 0}, "leg_timeout_ns"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        YesNo.Parameters(**wrong)


# --- merging --------------------------------------------------------------------------------------


def test_complete_pairs_become_cash_once() -> None:
    strategy = core(merge=True, merge_size=Decimal(5))
    held(strategy, YES, "12.5", "5")
    held(strategy, NO, "10", "5")
    (merge,) = offered(strategy, 60, 60)
    assert isinstance(merge, ConvertTokens)
    assert (merge.kind, merge.quantity) == (ConversionKind.MERGE, Decimal(10))
    assert offered(strategy, 45, 50) == []
    held(strategy, YES, "2.5", "1", realized="1")
    assert offered(strategy, 45, 50) == []
    held(strategy, NO, "0")
    assert len(signals(offered(strategy, 45, 50))) == 2


def test_a_refused_merge_is_asked_for_again() -> None:
    strategy = core(merge=True)
    held(strategy, YES, "10", "5")
    held(strategy, NO, "10", "5")
    (merge,) = offered(strategy, 60, 60)
    other = SignalRefused(signal_id="x", strategy="s", instrument=YES.id, violations=())
    strategy.handle(other, 1)
    assert offered(strategy, 60, 60) == []
    told = SignalRefused(signal_id=merge.request_id, strategy="s", instrument="", violations=())
    strategy.handle(told, 1)
    assert isinstance(offered(strategy, 60, 60)[0], ConvertTokens)


def test_too_few_pairs_are_not_merged_nor_while_an_order_is_open() -> None:
    strategy = core(merge=True, merge_size=Decimal(5))
    held(strategy, YES, "4", "2")
    held(strategy, NO, "4", "2")
    assert offered(strategy, 60, 60) == []
    legs = signals(offered(strategy, 45, 50))
    held(strategy, YES, "9", "4")
    held(strategy, NO, "9", "4")
    assert offered(strategy, 60, 60) == []
    for leg in legs:
        ended(strategy, leg, "0")
    assert len(offered(strategy, 60, 60)) == 1


# --- after a crash --------------------------------------------------------------------------------


def test_after_a_crash_it_goes_on_as_the_one_before_would() -> None:
    """A fresh core that recovers does the same further things, ids and leg timers apart."""
    first = core(leg_timeout_ns=SECOND)
    sent = offered(first, 45, 50)
    yes, no = signals(sent)
    history: list[tuple[str, Any]] = [
        *(("sent", message) for message in sent),
        ("received", update(yes, OrderStatus.FILLED, filled="10")),
        (
            "received",
            PositionChanged(
                strategy="s",
                instrument=YES.id,
                quantity=Decimal(10),
                cost=Decimal("4.5"),
                realized_pnl=Decimal(0),
                commission=Decimal(0),
            ),
        ),
        ("received", update(no, OrderStatus.CANCELLED)),
        ("received", refusal(no)),
        ("sent", TimerFired("s", "leg", 1)),
    ]
    for direction, message in history:
        if direction == "received":
            first.handle(message, 1)
    second = core(incarnation=1, leg_timeout_ns=SECOND)
    second.recover(history)
    for strategy in (first, second):
        (again,) = signals(offered(strategy, 46, 55, time_ns=2))
        assert (again.instrument, again.quantity) == (NO.id, Decimal(10))


def test_a_leg_from_before_a_crash_gets_its_time_anew() -> None:
    strategy = core(leg_timeout_ns=SECOND)
    leg = signals(offered(core(), 45, 50))[0]
    strategy.recover([("sent", leg), ("received", update(leg, OrderStatus.FILLED, filled="10"))])
    held(strategy, YES, "10", "4.5")
    assert signals(offered(strategy, 46, 60, time_ns=10 * SECOND)) == []
    (sale,) = signals(offered(strategy, 46, 60, time_ns=11 * SECOND))
    assert sale.side is Side.SELL


# --- whatever comes -------------------------------------------------------------------------------

moves = st.lists(
    st.tuples(
        st.sampled_from(["yes", "no", "gap", "sync", "answer"]),
        st.integers(2, 60),
        st.integers(0, 3000) | st.just(UNKNOWN_LOTS),
    ),
    max_size=60,
)


@given(moves, st.integers(5, 40))
def test_positions_and_orders_stay_in_bounds_and_books_in_sync(
    story: list[tuple[str, int, int]], most: int
) -> None:
    strategy = core(inventory=True, max_position=Decimal(most), lock_profit=None, max_loss=None)
    open_orders: list[Signal] = []
    synced = {YES.id: True, NO.id: True}
    for time_ns, (what, ask, lots) in enumerate(story, 1):
        if what in ("yes", "no"):
            strategy.on_quote(quote(YES if what == "yes" else NO, ask - 1, ask, (lots, lots)))
            sent = signals(strategy.take_outbox(time_ns))
            assert not sent or all(synced.values())
            open_orders += sent
        elif what == "answer" and open_orders:
            order = open_orders.pop(0)
            assert order.quantity is not None
            filled = min(order.quantity, Decimal(max(lots, 0)) / 100)
            ended(strategy, order, str(filled))
        elif what in ("gap", "sync"):
            book = YES if ask % 2 else NO
            state = ConnectionState.GAPPED if what == "gap" else ConnectionState.SYNCED
            strategy.on_connection(Connection(time_ns, book, state))
            synced[book.id] = what == "sync"
        sides = [order.instrument for order in open_orders]
        assert len(sides) == len(set(sides))
        for each in (YES, NO):
            under_way = sum(
                (order.quantity or Decimal(0))
                for order in open_orders
                if order.instrument == each.id and order.side is Side.BUY
            )
            assert 0 <= strategy._memory.quantity(each.id) + under_way <= most
