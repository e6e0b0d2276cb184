"""A venue under every order of events: what must hold of each report, whatever came before."""

from decimal import Decimal
from typing import Any

import attrs
import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from actors.actor import Later
from actors.brokers.market.queue_position import Queue
from actors.brokers.market.sizes import Consumption, Depth
from actors.brokers.matching.bar_fills import FillPolicy
from actors.brokers.simulated import SimulatedBroker, SimulatedBrokerConfig
from actors.messages.slices import MarketData
from actors.messages.system import TimerFired
from actors.messages.trading import (
    CancelPlacedOrder,
    ExecutionReport,
    PlaceOrder,
    ReplacePlacedOrder,
    ReportKind,
)
from actors.model.order import Liquidity, Order, OrderType, Side, TimeInForce
from tests.actors.brokers.rows import Tape
from tests.builders import BTC, context, instrument, instruments

_TICK = Decimal("0.01")
_LIMITED = (OrderType.LIMIT, OrderType.POST_ONLY, OrderType.STOP_LIMIT)
_STOPS = (OrderType.STOP, OrderType.STOP_LIMIT)
_ENDS = (ReportKind.REJECTED, ReportKind.CANCELLED, ReportKind.EXPIRED)
_ticks = st.integers(90, 110)
_sizes = st.integers(0, 9)


@attrs.define
class _Known:
    """An order as its reports tell of it."""

    order: Order
    filled: Decimal = Decimal(0)
    is_open: bool = False
    is_over: bool = False


class MatchingMachine(RuleBasedStateMachine):
    """Orders, changes, cancels, ends and rows in any order; crashes in between."""

    config: SimulatedBrokerConfig
    known: dict[str, _Known]

    @initialize(
        bars=st.sampled_from(FillPolicy),
        queue=st.sampled_from(Queue),
        consumption=st.sampled_from([Consumption.UNTIL_QUOTE, Consumption.PERSISTENT]),
        depth=st.sampled_from(Depth),
        share=st.sampled_from([None, Decimal("0.5")]),
    )
    def begin(self, **options: Any) -> None:
        share = options.pop("share")
        self.config = SimulatedBrokerConfig(max_volume_pct=share, **options)
        self.table = instruments(instrument(lot="1"))
        self.broker: Any = SimulatedBroker(context("broker"), self.table, self.config)
        self.history: list[tuple[str, Any]] = []
        self.timers: list[Later] = []
        self.known = {}
        self.now_ns = 0
        self.shown: dict[tuple[Side, Decimal], Decimal] = {}
        """What the last quote shows, and nobody has taken yet."""
        self.is_quoted = False

    # --- what happens --------------------------------------------------------------------------

    @rule(
        kind=st.sampled_from(OrderType),
        side=st.sampled_from(Side),
        in_force=st.sampled_from(TimeInForce),
        lots=st.integers(1, 12),
        prices=st.tuples(_ticks, _ticks),
        lasts=st.integers(1, 5),
    )
    def place(
        self,
        kind: OrderType,
        side: Side,
        in_force: TimeInForce,
        lots: int,
        prices: tuple[int, int],
        lasts: int,
    ) -> None:
        limit, stop = prices
        order = Order(
            client_order_id=f"o-{len(self.known)}",
            strategy="strategy",
            instrument=BTC,
            side=side,
            quantity=Decimal(lots),
            order_type=kind,
            limit_price=_TICK * limit if kind in _LIMITED else None,
            stop_price=_TICK * stop if kind in _STOPS else None,
            time_in_force=in_force,
            expire_time_ns=self.now_ns + lasts if in_force is TimeInForce.GTD else 0,
        )
        self.known[order.client_order_id] = _Known(order)
        self._handle(PlaceOrder(order=order))
        life = self.known[order.client_order_id]
        assert life.is_open or life.filled == order.quantity
        if in_force is TimeInForce.FOK:
            assert life.filled in (0, order.quantity)

    @rule(number=st.integers(0, 20), lots=st.integers(1, 12), ticks=_ticks)
    def change(self, number: int, lots: int, ticks: int) -> None:
        known = self.known.get(f"o-{number}")
        if known is not None:
            changes: dict[str, Any] = {"quantity": Decimal(lots)}
            if known.order.limit_price is not None:
                changes["limit_price"] = _TICK * ticks
            order = msgspec.structs.replace(known.order, **changes)
            self._handle(ReplacePlacedOrder(order=order))

    @rule(number=st.integers(0, 20))
    def cancel(self, number: int) -> None:
        order_id = f"o-{number}"
        if order_id in self.known:
            self._handle(CancelPlacedOrder(client_order_id=order_id, instrument=BTC))
            assert self.known[order_id].is_over or self._is_done(order_id)

    @rule(bid=_ticks, spread=st.integers(1, 4), sizes=st.tuples(_sizes, _sizes))
    def quote(self, bid: int, spread: int, sizes: tuple[int, int]) -> None:
        bid_lots, ask_lots = sizes
        self.is_quoted = True
        self.shown = {
            (Side.SELL, _TICK * bid): Decimal(bid_lots),
            (Side.BUY, _TICK * (bid + spread)): Decimal(ask_lots),
        }
        self._show(lambda tape: tape.quote(bid, bid + spread, bid_lots, ask_lots))

    @rule(ticks=_ticks, lots=st.integers(1, 9), aggressor=st.integers(-1, 1))
    def trade(self, ticks: int, lots: int, aggressor: int) -> None:
        said = self._show(lambda tape: tape.trade(ticks, lots, aggressor=aggressor))
        made = [each for each in said if each.liquidity is Liquidity.MAKER and each.last_quantity]
        if self.is_quoted:
            assert sum(each.last_quantity for each in made) <= lots

    @rule(prices=st.lists(_ticks, min_size=4, max_size=4), volume=st.integers(0, 20))
    def bar(self, prices: list[int], volume: int) -> None:
        low, open_, close, high = sorted(prices)
        self.is_quoted = False
        said = self._show(lambda tape: tape.bar(open_, high, low, close, volume))
        traded = [each for each in said if each.kind is ReportKind.TRADE]
        assert all(_TICK * low <= each.last_price <= _TICK * high for each in traded)
        if self.config.max_volume_pct is not None:
            assert sum(each.last_quantity for each in traded) <= volume // 2

    @rule()
    def pass_time(self) -> None:
        self.now_ns += 1
        due = [each for each in self.timers if each.at_ns <= self.now_ns]
        self.timers = [each for each in self.timers if each.at_ns > self.now_ns]
        for each in due:
            self._handle(each.message)
            assert isinstance(each.message, TimerFired)
            assert self._is_done(each.message.name.removeprefix("expire "))

    @rule()
    def crash(self) -> None:
        before = [_state(held) for held in self.broker.open_orders()]
        fresh: Any = SimulatedBroker(context("broker"), self.table, self.config)
        fresh.inherit(self.broker.market)
        fresh.recover(self.history)
        self.broker = fresh
        assert [_state(held) for held in fresh.open_orders()] == before

    # --- what must hold ------------------------------------------------------------------------

    @invariant()
    def holds_what_is_open(self) -> None:
        if not hasattr(self, "broker"):
            return
        held = {each.order.client_order_id: each for each in self.broker.open_orders()}
        for order_id, known in self.known.items():
            assert (order_id in held) == (not self._is_done(order_id))
            if order_id in held:
                assert held[order_id].leaves == known.order.quantity - known.filled > 0
        queues = self.broker.market.queues
        if queues is not None:
            places = queues._places.values()
            assert all(each.ahead is None or each.ahead >= 0 for each in places)

    def _is_done(self, order_id: str) -> bool:
        known = self.known[order_id]
        return known.is_over or known.filled == known.order.quantity

    def _handle(self, message: Any) -> None:
        self.history.append(("received", message))
        outputs = self.broker.handle(message, self.now_ns)
        self.history += [("sent", each) for each in outputs]
        for each in outputs:
            if isinstance(each, Later):
                self.timers.append(each)
            else:
                self._hear(each, message)

    def _show(self, rows: Any) -> list[ExecutionReport]:
        said = self.broker.handle(MarketData(rows(Tape(self.table)).build()), self.now_ns)
        self.history += [("sent", each) for each in said]
        for each in said:
            self._hear(each, None)
        return list(said)

    def _hear(self, report: ExecutionReport, cause: Any) -> None:
        known = self.known[report.client_order_id]
        kind = report.kind
        if kind in (ReportKind.CANCEL_REJECTED, ReportKind.REPLACE_REJECTED):
            return
        assert not self._is_done(report.client_order_id)
        if kind is ReportKind.TRADE:
            self._check_trade(known, report)
        elif kind is ReportKind.REPLACED:
            known.order = cause.order
        known.is_open |= kind in (ReportKind.ACCEPTED, ReportKind.REJECTED)
        known.is_over |= kind in _ENDS

    def _check_trade(self, known: _Known, report: ExecutionReport) -> None:
        order = known.order
        assert report.last_quantity > 0
        known.filled += report.last_quantity
        assert known.filled <= order.quantity
        if order.limit_price is not None:
            assert (report.last_price - order.limit_price) * order.side.sign <= 0
        if order.order_type is OrderType.POST_ONLY:
            assert report.liquidity is Liquidity.MAKER
        if report.liquidity is Liquidity.TAKER and self.is_quoted:
            key = order.side, report.last_price
            self.shown[key] -= report.last_quantity
            assert self.shown[key] >= 0


def _state(held: Any) -> tuple[Any, ...]:
    return (held.order, held.leaves, held.limit, held.stop, held.takes, held.turn, held.trades)


TestMatching = MatchingMachine.TestCase
TestMatching.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
