"""What is saved and restored is as if nothing had happened."""

from decimal import Decimal
from math import isnan
from random import Random  # noqa: TID251 - seeded below
from typing import Any

import msgspec
import pytest

from actors.actor import Context, Later
from actors.messages.market import Connection, ConnectionState, Quote
from actors.messages.records import Origin
from actors.messages.slices import Slice, SliceBuilder
from actors.messages.trading import (
    CancelOrder,
    ModifyOrder,
    OrderUpdate,
    Signal,
    SignalBatch,
    SignalRefused,
    Violation,
)
from actors.model.instrument import Instruments
from actors.model.order import OrderStatus, Side
from actors.strategies import Strategy, StrategyConfig
from actors.strategies.average_cross import AverageCross
from actors.strategies.market_maker import MarketMaker
from actors.strategies.momentum import Momentum
from actors.strategies.saving import plain_quote, quote_of
from actors.strategies.yes_no import YesNo
from actors.strategies.yes_no.parameters import OracleParameters
from tests.actors.strategies.builders import outcome_pair, play, position, quote, update
from tests.actors.strategies.worlds import World, reborn
from tests.builders import SECOND, START_NS, instrument, instruments

A, B = instrument("A"), instrument("B")
BTC = instrument("BTC")
YES, NO = outcome_pair()
TABLE = instruments(A, B)


def built(kind: type[Strategy], parameters: Any, table: Instruments, incarnation: int = 0) -> Any:
    """Return a strategy that has not started."""
    context = Context(run_id="run", actor="s", incarnation=incarnation, random=Random(7))
    return kind(context, table, StrategyConfig(parameters=parameters))


def walk(count: int, seed: int) -> list[int]:
    """Return the ticks of a price that wanders about."""
    chance, price, prices = Random(seed), 1000, []
    for _ in range(count):
        price += chance.randint(-9, 9)
        prices.append(price)
    return prices


def rows(prices: list[int], kind: str) -> Slice:
    """Return rows of both instruments; some quotes are empty on one side."""
    builder = SliceBuilder(TABLE)
    for number, price in enumerate(prices):
        origin, index = Origin(START_NS + number), number % 2
        if kind == "quote":
            size = 0 if number % 7 == 3 else 5
            builder.quote(origin, index, (price - 1, price + 1, size, 5))
        elif kind == "trade":
            builder.trade(origin, index, (price, 1, 0))
        else:
            builder.bar(origin, index, (price, price, price, price, 1))
    return builder.build()


def _given(fast: int, average: str, on: str, waits: bool) -> dict[str, Any]:
    return {"fast": fast, "average": average, "on": on, "wait_for_cross": waits}


PARAMETERS = [
    *(
        AverageCross.Parameters(slow=5, **given)
        for given in (
            _given(2, "ema", "quote", False),
            _given(2, "sma", "quote", True),
            _given(1, "sma", "trade", False),
            _given(3, "ema", "bar", True),
        )
    ),
    Momentum.Parameters(lookback=3, threshold_bps=Decimal(50), allow_short=True),
    Momentum.Parameters(lookback=1, threshold_bps=Decimal(20), on="bar"),
]


@pytest.mark.parametrize("parameters", PARAMETERS, ids=str)
def test_followers_of_prices_go_on_from_any_row(parameters: Any) -> None:
    kind = AverageCross if isinstance(parameters, AverageCross.Parameters) else Momentum
    data = rows(walk(40, seed=5), parameters.on)
    whole = built(kind, parameters, TABLE)
    assert whole.start(0) == []
    expected = play(whole, [data])
    assert len(expected) > 3
    for cut in range(len(data) + 1):
        first = built(kind, parameters, TABLE)
        first.start(0)
        before = play(first, [data.take(slice(0, cut))])
        second, sent = reborn(first, built(kind, parameters, TABLE))
        third, _ = reborn(second, built(kind, parameters, TABLE))  # before it has heard of any
        assert sent == []
        assert before + play(third, [data.take(slice(cut, None))]) == expected


def test_averages_of_other_lengths_are_not_gone_on_with() -> None:
    data = rows(walk(20, seed=1), "quote")
    one = built(AverageCross, AverageCross.Parameters(fast=2, slow=5), TABLE)
    one.start(0)
    play(one, [data])
    other = AverageCross.Parameters(fast=2, slow=6)
    restored, _ = reborn(one, built(AverageCross, other, TABLE))
    anew = built(AverageCross, other, TABLE)
    anew.start(0)
    targets = [[m.target for _, m in play(each, [data])] for each in (restored, anew)]
    assert targets[0] == targets[1]


# --- strategies that talk with the ring --------------------------------------------------------


def maker() -> MarketMaker:
    parameters = MarketMaker.Parameters(
        spread_bps=Decimal(20), refresh_ticks=2, refresh_ns=5 * SECOND, max_quote_age_ns=None
    )
    core: MarketMaker = built(MarketMaker, parameters, instruments(BTC))
    return core


def maker_quotes(seed: int) -> list[Quote]:
    return [
        quote(BTC, 9_000 + price - 1, 9_000 + price + 1, time_ns=number * SECOND)
        for number, price in enumerate(walk(30, seed), 1)
    ]


def pairs(**given: Any) -> YesNo:
    defaults = {"max_size": Decimal(10), "merge_size": Decimal(2)}
    oracle = OracleParameters(
        instrument="BTC", rule="momentum", window_ns=5 * SECOND, width=Decimal(1)
    )
    parameters = YesNo.Parameters(**{**defaults, "oracle": oracle, **given})
    core: YesNo = built(YesNo, parameters, instruments(YES, NO, BTC))
    return core


def pair_quotes(seed: int) -> list[Quote]:
    chance, found = Random(seed), []
    for number in range(1, 60):
        of = (YES, NO, BTC)[number % 3]
        ask = 10_000 + chance.randint(-50, 50) if of is BTC else chance.randint(42, 52)
        found.append(quote(of, ask - 1, ask, (5000, 5000), time_ns=number * SECOND))
    return found


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("make", "data"), [(maker, maker_quotes), (pairs, pair_quotes)])
def test_who_trades_goes_on_from_any_quote(make: Any, data: Any, seed: int) -> None:
    quotes = data(seed)
    whole = World(make, seed)
    whole.show(quotes)
    assert len(whole.sent) > 4
    for cut in range(len(quotes) + 1):
        world = World(make, seed)
        world.show(quotes[:cut])
        world.be_reborn(quotes[cut - 1].time_ns if cut else 0)
        world.show(quotes[cut:])
        assert world.sent == whole.sent


def test_a_maker_cancels_what_it_does_not_know_of_and_watches_the_time() -> None:
    parameters = MarketMaker.Parameters(max_quote_age_ns=10 * SECOND)
    core: MarketMaker = built(MarketMaker, parameters, instruments(BTC))
    core.start(0)
    core.on_quote(quote(BTC, 9_999, 10_001, time_ns=SECOND))
    _, bid, ask = core.take_outbox(SECOND)
    stray = msgspec.structs.replace(bid, signal_id="run-s.9-1")
    fresh: MarketMaker = built(MarketMaker, parameters, instruments(BTC))
    fresh.reinstate(core.snapshot() or {})
    fresh.recover([("sent", stray)])
    cancel, watch = fresh.start(2 * SECOND)
    assert cancel == CancelOrder(client_order_id="run-s.9-1", strategy="s", reason="begins anew")
    assert isinstance(watch, Later)
    assert watch.at_ns == 11 * SECOND
    assert {order.client_order_id for order in fresh.open_orders()} == {
        bid.signal_id,
        ask.signal_id,
        "run-s.9-1",
    }


def test_a_maker_makes_up_for_what_has_become_of_its_quotes() -> None:
    core = maker()
    core.start(0)
    core.on_quote(quote(BTC, 9_999, 10_001))
    bid, ask = core.take_outbox(1)
    fresh = maker()
    fresh.reinstate(core.snapshot() or {})
    change = ModifyOrder(client_order_id=bid.signal_id, strategy="s", quantity=Decimal(4))
    fresh.recover(
        [
            ("received", update(bid, OrderStatus.WORKING)),
            ("sent", change),
            ("received", update(bid, OrderStatus.WORKING)),
            ("received", update(ask, OrderStatus.CANCELLED, side=Side.SELL)),
        ]
    )
    assert fresh.start(5) == []
    fresh.on_quote(quote(BTC, 9_999, 10_001, time_ns=6))
    moved, placed = fresh.take_outbox(6)
    assert (moved.client_order_id, moved.limit_price) == (bid.signal_id, bid.limit_price)
    assert isinstance(placed, Signal)
    assert (placed.side, placed.signal_id) == (Side.SELL, "run-s-3")


def test_a_quote_of_an_instrument_that_is_not_known_yet_is_not_restored() -> None:
    one_sided = quote(BTC, 1, 2, (0, 5))
    table = instruments(BTC)
    assert plain_quote(None) is None
    assert quote_of(plain_quote(one_sided), "ETH", table) is None
    again = quote_of(plain_quote(one_sided), "BTC", table)
    assert again is not None
    assert isnan(again.mid)
    assert (again.ask_ticks, again.bid_lots) == (2, 0)


def test_pairs_of_instruments_that_are_not_known_yet_begin_anew() -> None:
    core = pairs()
    core.start(0)
    for of in (YES, NO, BTC):
        core.on_quote(quote(of, 49, 51))
    empty: YesNo = built(YesNo, pairs().parameters, instruments())
    fresh, _ = reborn(core, empty)
    assert isinstance(fresh, YesNo)
    assert fresh.snapshot() != core.snapshot()
    assert list(fresh._markets.pairs()) == []


def test_pairs_set_the_timers_again_that_were_under_way() -> None:
    core = pairs(oracle=None, rest=True, leg_timeout_ns=9 * SECOND, order_timeout_ns=SECOND)
    core.start(0)
    core.on_quote(quote(YES, 39, 40, (5000, 5000), time_ns=SECOND))
    core.on_quote(quote(NO, 39, 40, (5000, 5000), time_ns=SECOND))
    core.take_outbox(SECOND)
    fresh = pairs(oracle=None, rest=True, leg_timeout_ns=9 * SECOND, order_timeout_ns=SECOND)
    fresh, sent = reborn(core, fresh, now_ns=3 * SECOND)  # type: ignore[assignment]
    names = {each.message.name: each.at_ns for each in sent}
    orders = [order.client_order_id for order in fresh.open_orders()]
    assert len(orders) == 2
    assert names == {
        "leg rain-YES": 10 * SECOND,
        **{f"order {order_id}": 4 * SECOND for order_id in orders},
    }


# --- what the base keeps ------------------------------------------------------------------------


class Counter(Strategy):
    """Counts quotes; its state is not touched by ``on_start``."""

    count = 0

    def on_start(self) -> None:
        self.began_with = (self.is_restored, self.count, self.position("BTC"))

    def on_quote(self, _quote: Quote) -> None:
        self.count += 1

    def save(self) -> Any:
        return self.count

    def restore(self, state: Any) -> None:
        self.count = state


class Silent(Counter):
    """Says nothing of its state."""

    def save(self) -> Any:
        return None


def test_positions_open_orders_and_ids_are_kept_beside_the_own_state() -> None:
    core: Counter = built(Counter, None, instruments(BTC))
    core.start(0)
    core.on_quote(quote(BTC, 1, 2))
    first = core.buy(BTC, 3, limit="0.5")
    second = core.sell(BTC, 2)
    with core.batch():
        third = core.buy(BTC, 1)
    core.modify(third, quantity=2)
    _, sell, batch, _ = core.take_outbox(1)
    core.handle(update(sell, OrderStatus.WORKING, side=Side.SELL), 2)
    core.handle(position("BTC", "7"), 3)
    fresh, _ = reborn(core, built(Counter, None, instruments(BTC)))
    assert isinstance(fresh, Counter)
    assert fresh.began_with == (True, 1, Decimal(7))
    assert fresh.open_orders() == core.open_orders()
    assert [order.client_order_id for order in fresh.open_orders()] == [first, second, third]
    no = SignalRefused(
        signal_id=third, strategy="s", instrument="BTC", violations=(Violation("X", "0", "1"),)
    )
    for each in (core, fresh):  # the first is of the change, the second of the wish
        each.handle(no, 4)
        assert each.has_open_order("BTC")
    assert fresh.open_orders() == core.open_orders()
    assert isinstance(batch, SignalBatch)
    assert fresh.buy(BTC, 1) == core.buy(BTC, 1) == "run-s-4"


def test_what_came_after_the_snapshot_is_made_up_for() -> None:
    core: Counter = built(Counter, None, instruments(BTC))
    core.start(0)
    snapshot = core.snapshot()
    assert snapshot is not None
    core.buy(BTC, 3)
    core.split(YES, 1)
    sent = core.take_outbox(1)
    fresh: Counter = built(Counter, None, instruments(BTC))
    fresh.reinstate(snapshot)
    filled = update(sent[0], OrderStatus.FILLED, filled="3")
    fresh.recover([*(("sent", each) for each in sent), ("received", filled)])
    fresh.start(5)
    assert fresh.open_orders() == ()
    assert fresh.buy(BTC, 1) == "run-s-3"


def test_ids_of_other_incarnations_do_not_count() -> None:
    core: Counter = built(Counter, None, instruments(BTC))
    core.start(0)
    core.buy(BTC, 3)
    later: Counter = built(Counter, None, instruments(BTC), incarnation=2)
    later.recover([("sent", each) for each in core.take_outbox(1)])
    later.start(5)
    assert later.buy(BTC, 1) == "run-s.2-1"


class Recovering(Silent):
    """Finds in its history what only it knows."""

    def recover(self, history: Any) -> None:
        super().recover(history)


def test_a_strategy_that_does_not_tell_its_state_begins_anew_with_its_orders() -> None:
    core: Silent = built(Silent, None, instruments(BTC))
    core.start(0)
    assert core.began_with == (False, 0, Decimal(0))
    core.on_quote(quote(BTC, 1, 2))
    core.buy(BTC, 3, limit="0.5")
    core.take_outbox(1)
    core.handle(position("BTC", "7"), 2)
    fresh, _ = reborn(core, built(Silent, None, instruments(BTC)))
    assert isinstance(fresh, Silent)
    assert fresh.began_with == (False, 0, Decimal(7))
    assert fresh.open_orders() == core.open_orders() != ()
    assert fresh.buy(BTC, 1) == core.buy(BTC, 1)
    Strategy.restore(core, None)


def test_a_strategy_that_recovers_in_a_way_of_its_own_is_given_its_whole_history() -> None:
    core: Recovering = built(Recovering, None, instruments(BTC))
    assert Strategy.save(core) is None
    assert core.snapshot() is None


def test_a_snapshot_of_another_shape_is_refused() -> None:
    core: Counter = built(Counter, None, instruments(BTC))
    broken = {"asked": [], "open": [{"nonsense": 1}], "changes": {}, "positions": {}}
    with pytest.raises(msgspec.ValidationError):
        core.reinstate({"wishes": 1, "blotter": broken, "own": 3})
    states: tuple[Any, ...] = ({"markets": 1}, {})
    for state in states:
        with pytest.raises(msgspec.ValidationError):
            maker().restore(state)


def test_a_market_that_is_left_stays_left() -> None:
    core = maker()
    core.start(0)
    core.on_quote(quote(BTC, 9_999, 10_001))
    core.on_connection(Connection(2, None, ConnectionState.GAPPED))
    core.take_outbox(2)
    fresh, _ = reborn(core, maker())
    assert isinstance(fresh, MarketMaker)
    fresh.on_quote(quote(BTC, 9_999, 10_001, time_ns=3))
    assert fresh.take_outbox(3) == []


def test_updates_of_orders_of_others_change_no_quote() -> None:
    core = maker()
    core.start(0)
    core.on_quote(quote(BTC, 9_999, 10_001))
    bid, _ = core.take_outbox(1)
    fresh = maker()
    fresh.reinstate(core.snapshot() or {})
    other = OrderUpdate(
        client_order_id="other",
        strategy="s",
        instrument="BTC",
        side=Side.BUY,
        status=OrderStatus.CANCELLED,
        quantity=Decimal(1),
        filled_quantity=Decimal(0),
    )
    cancel = CancelOrder(client_order_id=bid.signal_id, strategy="s")
    fresh.recover([("received", other), ("sent", cancel), ("received", position("BTC", "0"))])
    fresh.start(1)
    fresh.on_quote(quote(BTC, 9_899, 9_901, time_ns=2))
    sent = fresh.take_outbox(2)
    assert sent == []  # the bid waits for its cancel, the ask is not known at the venue
