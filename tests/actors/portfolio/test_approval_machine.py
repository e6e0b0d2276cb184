"""Approval and reservations under every kind of order and every order of events."""

from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from actors.messages.account import MarkEquity, SetTradingState, TradingState
from actors.messages.trading import ReplaceOrder, SignalBatch, SubmitOrder
from actors.model.order import Order, OrderStatus, Side
from actors.risk.limits import CashLimit, NoShort, PositionLimit
from actors.risk.loss import Action, DailyLoss
from actors.risk.market import SelfTrade
from actors.risk.orders import MaxOpenOrders, OrderRate
from tests.actors.portfolio.builders import COIN, YES
from tests.actors.portfolio.wishes import Desk, answer, ended, modify, state, wish, working

sides = st.sampled_from(Side)
lots = st.integers(1, 120).map(lambda n: str(Decimal(n) / 10))
prices = st.one_of(st.none(), st.integers(1, 99).map(lambda n: f"0.{n:02}"))
instruments = st.sampled_from((COIN, YES))
groups = st.sampled_from(("", "", "g", "h"))


class Approvals(RuleBasedStateMachine):
    """A venue that does anything that a venue may do, and a strategy that wishes for anything."""

    @initialize(
        policies=st.sampled_from(
            (
                (),
                (PositionLimit(max_size=Decimal(30)), CashLimit(), NoShort()),
                (
                    OrderRate(max_orders=12, interval_ns=20, max_repeats=2),
                    MaxOpenOrders(max_orders=8),
                    SelfTrade(),
                    DailyLoss(max_loss=Decimal(9), action=Action.REDUCE),
                ),
            )
        )
    )
    def begin(self, policies: tuple[Any, ...]) -> None:
        self.desk = Desk(*policies, cash=Decimal(60), fee_rate=Decimal("0.003"))
        self.desk.quote("0.50", "0.55", YES)
        self.now_ns = 0
        self.count = 0
        self.open: dict[str, Order] = {}
        """What the venue has, as it is there."""
        self.left: dict[str, Decimal] = {}
        self.asked: list[Order] = []
        """Changes that the venue has not answered yet."""

    def send(self, *messages: Any) -> None:
        """Hand messages to the portfolio; put what it approves before the venue."""
        self.now_ns += 1
        for told in self.desk.take(*messages, now_ns=self.now_ns):
            if isinstance(told, SubmitOrder):
                assert told.reserved >= 0
                self.open[told.order.client_order_id] = told.order
                self.left[told.order.client_order_id] = told.order.quantity
            elif isinstance(told, ReplaceOrder):
                self.asked.append(told.order)

    @rule(
        side=sides,
        quantity=lots,
        limit=prices,
        stop=prices,
        group=groups,
        parent=st.one_of(st.none(), st.integers(1, 12)),
        reduce_only=st.booleans(),
        instrument=instruments,
    )
    def wish(self, side: Side, quantity: str, **others: Any) -> None:
        self.count += 1
        self.send(wish(self.count, side, quantity, **others))

    @rule(quantities=st.lists(lots, min_size=1, max_size=3), side=sides, group=groups)
    def batch(self, quantities: list[str], side: Side, group: str) -> None:
        first, self.count = self.count + 1, self.count + len(quantities)
        signals = tuple(
            wish(first + n, side, quantity, group=group) for n, quantity in enumerate(quantities)
        )
        before = (self.desk.core.reserved, working(self.desk.core))
        known = set(self.open)
        self.send(SignalBatch(strategy="cross", signals=signals, all_or_none=True))
        if len(self.open) - len(known) != len(signals):
            assert set(self.open) == known
            assert (self.desk.core.reserved, working(self.desk.core)) == before

    @precondition(lambda self: self.open)
    @rule(data=st.data(), quantity=st.one_of(st.none(), lots), limit=prices)
    def modify(self, data: st.DataObject, quantity: str | None, limit: str | None) -> None:
        number = int(self.pick(data).rpartition("-")[2])
        self.send(modify(number, quantity, limit=limit))

    @precondition(lambda self: self.asked)
    @rule(accepted=st.booleans())
    def answer(self, accepted: bool) -> None:
        order = self.asked.pop(0)
        name = order.client_order_id
        standing = self.open.get(name)
        if standing is None:
            return
        filled = standing.quantity - self.left[name]
        if accepted and order.quantity > filled:
            self.open[name] = standing = order
            self.left[name] = order.quantity - filled
        else:
            accepted = False
        self.send(answer(standing, accepted=accepted))

    @precondition(lambda self: self.open)
    @rule(data=st.data(), part=st.integers(1, 10))
    def fill(self, data: st.DataObject, part: int) -> None:
        name = self.pick(data)
        order, left = self.open[name], self.left[name]
        quantity = max(Decimal("0.1"), (left * part / 10).quantize(Decimal("0.1")))
        if quantity >= left:
            self.desk.fill(replace(order, quantity=left))
            del self.open[name], self.left[name]
        else:
            self.left[name] = left - quantity
            self.desk.fill(order, str(quantity), leaves=str(left - quantity))

    @precondition(lambda self: self.open)
    @rule(data=st.data(), status=st.sampled_from((OrderStatus.CANCELLED, OrderStatus.REJECTED)))
    def end(self, data: st.DataObject, status: OrderStatus) -> None:
        name = self.pick(data)
        del self.left[name]
        self.send(ended(self.open.pop(name), status))

    @rule(bid=st.integers(1, 98))
    def quote(self, bid: int) -> None:
        self.desk.quote(f"0.{bid:02}", f"0.{bid + 1:02}")

    @rule()
    def mark(self) -> None:
        self.send(MarkEquity())

    @rule(to=st.sampled_from((TradingState.ACTIVE, TradingState.REDUCING)))
    def set_state(self, to: TradingState) -> None:
        cause = self.desk.core.trading_state_cause
        self.send(SetTradingState(state=to, cause="a word", acknowledges=cause))

    def pick(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from(sorted(self.open)))

    @invariant()
    def nothing_is_counted_below_zero_or_for_orders_that_are_over(self) -> None:
        core = self.desk.core
        reservations = core._account.reservations
        assert {claim.order.client_order_id for claim in reservations.claims()} == set(self.open)
        assert core.reserved >= 0
        for name in (COIN, YES):
            buying, selling = working(core, name)
            most = {side: Decimal(0) for side in Side}
            for claim in reservations.claims_on(name):
                assert claim.filled() == claim.order.quantity - claim.leaves
                most[claim.order.side] += claim.counted()
                # an order is never counted for less than the venue may fill of it, but while it
                # waits for its parent
                if claim.filled_by_parent is None:
                    assert claim.counted() >= self.left[claim.order.client_order_id]
            assert 0 <= buying <= most[Side.BUY]
            assert 0 <= selling <= most[Side.SELL]

    @invariant()
    def a_restart_changes_nothing(self) -> None:
        if self.now_ns % 5 == 0:
            assert state(self.desk.restarted()) == state(self.desk.core)

    def teardown(self) -> None:
        """End everything: nothing may stay reserved, nothing counted as working."""
        if not hasattr(self, "desk"):
            return
        for name in sorted(self.open):
            self.send(ended(name))
        core = self.desk.core
        assert core.reserved == 0
        assert [working(core, name) for name in (COIN, YES)] == [(0, 0), (0, 0)]
        assert len(core._account.reservations) == 0
        assert state(self.desk.restarted()) == state(core)
        assert core._account.reservations._groups == {}
        assert core._account.reservations._children == {}


TestApprovals = Approvals.TestCase
TestApprovals.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),  # a story takes too long to shrink
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
