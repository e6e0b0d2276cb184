from collections.abc import Callable
from decimal import Decimal
from typing import Any

import attrs
import pytest

from actors.actor import Core, Later, Listener
from actors.messages.account import EquityMarked
from actors.messages.market import (
    Bar,
    BookView,
    Connection,
    ConnectionState,
    EventKind,
    Quote,
    Resolution,
    Trade,
)
from actors.messages.records import Origin
from actors.messages.slices import WHOLE_FEED, MarketData, SliceBuilder
from actors.messages.system import TimerFired
from actors.messages.trading import CancelOrder, Fill, OrderUpdate, Signal
from actors.model.instrument import Instruments
from actors.model.order import Liquidity, OrderStatus, OrderType, Side, TimeInForce
from actors.strategies import Strategy, StrategyConfig
from actors.strategies.blotter import OpenOrder
from tests.actors.strategies.builders import code, position, quote, refusal, started, update
from tests.builders import context, instrument, instruments

A, B = instrument("A"), instrument("B")


class Idle(Strategy):
    """Does nothing."""


class Diary(Strategy):
    """Writes down what it hears, and what it holds at that moment."""

    book_depth = 2

    def on_start(self) -> None:
        self.heard: list[Any] = ["start"]

    def on_quote(self, quote: Quote) -> None:
        self.heard.append(quote)

    def on_book(self, book: BookView) -> None:
        self.heard.append(book)

    def on_trade(self, trade: Trade) -> None:
        self.heard.append(trade)

    def on_bar(self, bar: Bar) -> None:
        self.heard.append(bar)

    def on_timer(self, name: str) -> None:
        self.heard.append((name, self.now_ns))

    def on_order(self, update: OrderUpdate) -> None:
        self.heard.append((update, len(self.open_orders())))

    def on_fill(self, fill: Fill) -> None:
        self.heard.append(fill)

    def on_position(self, change: Any) -> None:
        self.heard.append((change, self.position(change.instrument)))

    def on_refused(self, refusal: Any) -> None:
        self.heard.append((refusal, len(self.open_orders())))

    def on_connection(self, connection: Connection) -> None:
        self.heard.append(connection)

    def on_resolution(self, resolution: Resolution) -> None:
        self.heard.append(resolution)

    def on_stop(self) -> None:
        self.heard.append("stop")


class BuyEachQuote(Strategy):
    """Buys one at each quote, and at the start and the end."""

    def on_start(self) -> None:
        self.buy("A", 1, reason="start")

    def on_quote(self, quote: Quote) -> None:
        self.buy(quote.instrument, 1, reason=str(quote.time_ns))

    def on_stop(self) -> None:
        self.sell("A", 1, reason="stop")


def sent_by(core: Strategy) -> Any:
    """Return the only message in the outbox."""
    (message,) = core.take_outbox(0)
    return message


# --- wishes --------------------------------------------------------------------------------------


def test_a_strategy_is_a_core_and_a_listener() -> None:
    core: Core = Idle(context(), instruments())
    assert isinstance(core, Listener)


def test_buying_sends_a_market_signal() -> None:
    core = started(Idle, instruments(A))
    order_id = core.buy(A, 5)
    assert order_id == "run-s-1"
    assert sent_by(core) == Signal(
        signal_id="run-s-1", strategy="s", instrument="A", side=Side.BUY, quantity=Decimal(5)
    )


def test_selling_carries_every_term() -> None:
    core = started(Idle, instruments(A))
    core.sell(
        "A",
        "0.5",
        limit=Decimal("1.25"),
        time_in_force=TimeInForce.IOC,
        reason="why",
        priority=3,
    )
    assert sent_by(core) == Signal(
        signal_id="run-s-1",
        strategy="s",
        instrument="A",
        side=Side.SELL,
        quantity=Decimal("0.5"),
        order_type=OrderType.LIMIT,
        limit_price=Decimal("1.25"),
        time_in_force=TimeInForce.IOC,
        reason="why",
        priority=3,
    )


def test_a_post_only_order_needs_a_limit() -> None:
    core = started(Idle, instruments(A))
    core.buy(A, 1, limit=2, post_only=True)
    assert sent_by(core).order_type is OrderType.POST_ONLY
    with pytest.raises(ValueError, match="post_only needs a limit"):
        core.buy(A, 1, post_only=True)


def test_a_target_names_a_position_and_no_side() -> None:
    core = started(Idle, instruments(A))
    core.target(A, "-2.5")
    signal = sent_by(core)
    assert (signal.side, signal.quantity, signal.target) == (None, None, Decimal("-2.5"))


@pytest.mark.parametrize(
    ("number", "error", "words"),
    [
        (0.5, TypeError, "quantity: expected a Decimal.*found the float 0.5"),
        (True, TypeError, "found the bool True"),
        (None, TypeError, "found the NoneType None"),
        ("half", ValueError, "expected a number, found 'half'"),
        ("NaN", ValueError, "expected a finite number"),
        (Decimal("Infinity"), ValueError, "expected a finite number"),
        (0, ValueError, "expected above 0, found 0"),
        (-1, ValueError, "expected above 0, found -1"),
    ],
)
def test_a_quantity_that_is_not_exact_or_not_positive_is_refused(
    number: Any, error: type[Exception], words: str
) -> None:
    core = started(Idle, instruments(A))
    with pytest.raises(error, match=words):
        core.buy(A, number)
    assert core.outbox == []


def test_a_float_limit_is_refused() -> None:
    core = started(Idle, instruments(A))
    limit: Any = 0.52
    with pytest.raises(TypeError, match="limit: expected a Decimal"):
        core.buy(A, 1, limit=limit)


def test_a_misspelt_term_is_refused() -> None:
    core = started(Idle, instruments(A))
    terms: Any = {"limt": 1}
    with pytest.raises(TypeError, match="limt"):
        core.buy(A, 1, **terms)


def test_ids_count_from_one_in_each_incarnation() -> None:
    second_life = started(Idle, instruments(A), incarnation=2)
    assert [second_life.buy(A, 1), second_life.target(A, 0)] == ["run-s.2-1", "run-s.2-2"]


def test_cancelling_names_the_order() -> None:
    core = started(Idle, instruments(A))
    core.cancel("run-s-1", reason="late")
    assert sent_by(core) == CancelOrder(client_order_id="run-s-1", strategy="s", reason="late")


# --- lifecycle -----------------------------------------------------------------------------------


def test_start_and_stop_return_what_their_callbacks_send() -> None:
    core = BuyEachQuote(context("s"), instruments(A))
    (first,) = core.start(5)
    (last,) = core.stop(9)
    assert (first.reason, last.reason, core.now_ns) == ("start", "stop", 9)


def test_without_a_configuration_the_parameters_are_the_defaults() -> None:
    class Sized(Strategy):
        @attrs.frozen(kw_only=True)
        class Parameters:
            size: int = 3

    assert Sized(context(), instruments()).parameters == Sized.Parameters()


def test_parameters_of_another_strategy_are_a_bug() -> None:
    with pytest.raises(AssertionError, match="wrong parameters"):
        Idle(context(), instruments(), StrategyConfig(parameters=3))


def test_fills_are_wanted_only_where_somebody_listens() -> None:
    assert Fill not in Strategy.wants
    assert Fill not in Idle.wants
    assert Fill in Diary.wants
    assert OrderUpdate in Idle.wants


def test_a_message_that_nobody_routes_here_is_a_bug() -> None:
    core = started(Idle, instruments(A))
    stray: Any = EquityMarked(time_ns=1, cash=Decimal(1), equity=Decimal(1))
    with pytest.raises(AssertionError):
        core.handle(stray, 1)


# --- timers --------------------------------------------------------------------------------------


def fired(core: Strategy, later: Any) -> list[Any]:
    """Deliver a timer."""
    return core.handle(later.message, later.at_ns)


def test_a_timer_fires_after_its_delay_and_does_not_keep_the_run_alive() -> None:
    core = started(Diary, instruments(A))
    core.set_timer("wake", 30)
    (later,) = core.take_outbox(100)
    assert later == Later(TimerFired("s", "wake", 130), 130, background=True)
    fired(core, later)
    assert core.heard == ["start", ("wake", 130)]


def test_a_timer_set_again_forgets_its_earlier_time() -> None:
    core = started(Diary, instruments(A))
    core.set_timer("wake", 30)
    (early,) = core.take_outbox(100)
    core.set_timer("wake", 60)
    (late,) = core.take_outbox(110)
    fired(core, early)
    fired(core, late)
    fired(core, late)
    assert core.heard == ["start", ("wake", 170)]


def test_a_timer_of_an_earlier_life_is_ignored() -> None:
    core = started(Diary, instruments(A), incarnation=1)
    assert core.handle(TimerFired("s", "wake", 5), 5) == []
    assert core.heard == ["start"]


def test_a_timer_without_delay_is_refused() -> None:
    core = started(Idle, instruments(A))
    with pytest.raises(ValueError, match="expected above 0 ns, found 0"):
        core.set_timer("wake", 0)


# --- orders and positions ------------------------------------------------------------------------


def test_an_order_is_open_from_the_wish_to_its_terminal_state() -> None:
    core = started(Diary, instruments(A, B))
    core.buy(A, 2)
    wish = sent_by(core)
    asked = OpenOrder(
        client_order_id="run-s-1",
        instrument="A",
        side=Side.BUY,
        quantity=Decimal(2),
        filled_quantity=Decimal(0),
        status=None,
    )
    assert core.open_orders() == (asked,)
    assert (core.has_open_order(A), core.has_open_order("B")) == (True, False)
    working = update(wish, OrderStatus.PARTIALLY_FILLED, filled="1")
    core.handle(working, 1)
    assert core.open_orders()[0].status is OrderStatus.PARTIALLY_FILLED
    assert core.open_orders()[0].filled_quantity == 1
    done = update(wish, OrderStatus.CANCELLED)
    core.handle(done, 2)
    assert core.open_orders() == ()
    assert core.heard == ["start", (working, 1), (done, 0)]


def test_a_refused_wish_is_not_open() -> None:
    core = started(Diary, instruments(A))
    core.buy(A, 2)
    no = refusal(sent_by(core))
    core.handle(no, 1)
    assert core.heard == ["start", (no, 0)]


def test_a_target_is_open_once_the_order_manager_speaks_of_it() -> None:
    core = started(Idle, instruments(A))
    core.target(A, 2)
    wish = sent_by(core)
    assert core.open_orders() == ()
    core.handle(update(wish, OrderStatus.WORKING), 1)
    assert core.has_open_order(A)


def test_the_position_is_known_before_the_callback_hears_of_it() -> None:
    core = started(Diary, instruments(A))
    assert core.position(A) == 0
    change = position("A", "-3")
    core.handle(change, 4)
    assert core.heard == ["start", (change, Decimal(-3))]
    assert (core.position("A"), core.now_ns) == (Decimal(-3), 4)


def test_a_fill_is_told() -> None:
    core = started(Diary, instruments(A))
    fill = Fill(
        client_order_id="run-s-1",
        strategy="s",
        instrument="A",
        venue="venue",
        trade_id="1",
        side=Side.BUY,
        last_quantity=Decimal(1),
        last_price=Decimal(2),
        commission=Decimal(0),
        liquidity=Liquidity.TAKER,
        leaves_quantity=Decimal(0),
        venue_time_ns=1,
    )
    core.handle(fill, 1)
    assert core.heard == ["start", fill]


def test_a_restarted_strategy_knows_its_orders_and_positions_and_calls_nobody() -> None:
    first = started(Idle, instruments(A, B))
    first.buy(A, 1)
    first.buy(A, 2)
    first.buy(B, 3)
    first.target(B, 9)
    done, open_, refused, target = first.take_outbox(0)
    history = [
        *[("sent", each) for each in (done, open_, refused, target)],
        ("received", update(done, OrderStatus.FILLED, filled="1")),
        ("received", refusal(refused)),
        ("received", position("A", "1")),
        ("received", TimerFired("s", "wake", 5)),
        ("received", update(target, OrderStatus.WORKING)),
    ]
    for _, message in history[4:]:
        first.handle(message, 1)
    second = Diary(context("s"), instruments(A, B))
    second.recover(history)
    assert second.open_orders() == first.open_orders()
    assert [order.client_order_id for order in second.open_orders()] == ["run-s-2", "run-s-4"]
    assert second.position(A) == 1
    second.start(2)
    assert second.heard == ["start"]


# --- the market ----------------------------------------------------------------------------------


def test_quotes_trades_and_bars_go_straight_to_the_callback() -> None:
    core = started(Diary, instruments(A))
    found = [
        core.callback(code(kind)) for kind in (EventKind.QUOTE, EventKind.TRADE, EventKind.BAR)
    ]
    assert found == [core.on_quote, core.on_trade, core.on_bar]
    assert core.callback(code(EventKind.RESOLUTION)) == core.on_resolution


def test_what_is_not_overridden_is_not_delivered() -> None:
    core = started(Idle, instruments(A))
    assert [core.callback(code(kind)) for kind in EventKind] == [None] * len(EventKind)


def test_a_strategy_hears_of_its_instruments_only() -> None:
    table = instruments(instrument("BTC.x"), instrument("ETH.x"), instrument("BTC.y"))
    core = started(BuyEachQuote, table, instruments=("BTC*", "nothing"))
    heard = [core.callback(code(EventKind.QUOTE, index)) is not None for index in range(3)]
    assert heard == [True, False, True]
    exact = started(BuyEachQuote, table, instruments=("ETH.x",))
    assert [exact.trades(index) for index in range(3)] == [False, True, False]


def test_what_concerns_a_whole_feed_is_told_whatever_the_instruments() -> None:
    class Watch(Strategy):
        def on_connection(self, connection: Connection) -> None:
            self.seen = connection

    core = started(Watch, instruments(A), instruments=("B",))
    whole = code(EventKind.CONNECTION, WHOLE_FEED)
    assert whole < 0
    assert core.callback(whole) == core.on_connection
    assert core.callback(code(EventKind.CONNECTION)) is None


def book_rows(table: Instruments, *rows: Callable[[SliceBuilder], Any]) -> MarketData:
    """Return rows as a live feed sends them."""
    builder = SliceBuilder(table)
    for row in rows:
        row(builder)
    return MarketData(builder.build())


def snapshot(time_ns: int) -> Callable[[SliceBuilder], Any]:
    levels = [(1, 98, 5), (1, 99, 1), (1, 97, 4), (-1, 101, 2), (-1, 102, 6)]
    return lambda builder: builder.book(Origin(time_ns), 0, levels, is_snapshot=True)


def change(time_ns: int, ticks: int, lots: int) -> Callable[[SliceBuilder], Any]:
    levels = [(1, ticks, lots)]
    return lambda builder: builder.book(Origin(time_ns), 0, levels, is_snapshot=False)


def state(time_ns: int, what: ConnectionState, index: int = 0) -> Callable[[SliceBuilder], Any]:
    return lambda builder: builder.connection(Origin(time_ns), what, index)


def views(core: Diary) -> list[tuple[int, tuple[tuple[int, int], ...], int]]:
    """Return time, bids and version of each book shown."""
    return [(v.time_ns, v.bids, v.version) for v in core.heard if isinstance(v, BookView)]


def test_a_book_is_shown_to_its_depth_after_each_change() -> None:
    table = instruments(A)
    core = started(Diary, table)
    core.handle(book_rows(table, change(1, 90, 1), snapshot(2), change(3, 99, 0)), 9)
    assert views(core) == [(2, ((99, 1), (98, 5)), 1), (3, ((98, 5), (97, 4)), 2)]
    assert core.heard[-1].asks == ((101, 2), (102, 6))


def test_a_book_with_a_gap_is_not_shown_before_its_next_snapshot() -> None:
    table = instruments(A)
    for index in (0, WHOLE_FEED):
        core = started(Diary, table)
        gap = state(2, ConnectionState.GAPPED, index)
        core.handle(book_rows(table, snapshot(1), gap, change(3, 99, 0), snapshot(4)), 9)
        assert [time_ns for time_ns, _, _ in views(core)] == [1, 4]
        assert sum(isinstance(each, Connection) for each in core.heard) == 1


def test_a_gap_before_the_first_snapshot_and_other_states_change_nothing() -> None:
    table = instruments(A)
    core = started(Diary, table)
    early = state(0, ConnectionState.GAPPED)
    core.handle(book_rows(table, early, snapshot(1), state(2, ConnectionState.DOWN)), 9)
    core.handle(book_rows(table, change(3, 99, 0)), 9)
    assert [time_ns for time_ns, _, _ in views(core)] == [1, 3]


def test_a_restarted_strategy_goes_on_with_its_books() -> None:
    table = instruments(A)
    first = started(Diary, table)
    first.handle(book_rows(table, snapshot(1)), 9)
    second = started(Diary, table, incarnation=1)
    second.inherit(first.market)
    second.handle(book_rows(table, change(2, 99, 7)), 9)
    assert views(second) == [(2, ((99, 7), (98, 5)), 2)]


def test_live_rows_are_taken_one_by_one_and_their_outputs_kept_in_order() -> None:
    table = instruments(A, B)
    core = started(BuyEachQuote, table, instruments=("A",))
    core.take_outbox(0)
    builder = SliceBuilder(table)
    builder.quote(Origin(1), 0, (1, 2, 3, 4)).quote(Origin(2), 1, (1, 2, 3, 4))
    builder.quote(Origin(3), 0, (1, 2, 3, 4))
    sent = core.handle(MarketData(builder.build()), 50)
    assert [signal.reason for signal in sent] == ["1", "3"]
    assert core.outbox == []


def test_the_outbox_stays_the_same_list() -> None:
    core = started(BuyEachQuote, instruments(A))
    outbox = core.outbox
    core.take_outbox(0)
    core.on_quote(quote(A, 1, 2))
    assert core.outbox is outbox
    assert len(core.take_outbox(0)) == 1
    assert core.take_outbox(0) == []
