"""The order manager under whatever an honest venue may say, in whatever order it is heard."""

from collections import Counter
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from actors.actor import Later
from actors.messages.system import Alarm, CancelAll
from actors.messages.trading import (
    CancelOrder,
    CancelOrders,
    CancelPlacedOrder,
    Fill,
    FillSettled,
    OrderUpdate,
    PlaceOrder,
    ReplaceOrder,
    ReplacePlacedOrder,
    ReplaceResult,
    ReportKind,
    SubmitOrder,
)
from actors.messages.venue import QueryOrder
from actors.model.order import (
    TERMINAL,
    OrderStatus,
    Schedule,
    ScheduleKind,
    Side,
)
from actors.orders.config import OrderManagerConfig
from actors.orders.manager import OrderManager
from actors.orders.records import OrderRecord
from tests.actors.orders.venue import Venue
from tests.builders import context, instrument, instruments, order

TABLE = instruments(instrument(lot="1", tick="1"))
REPEATABLE = {ReportKind.TRADE, ReportKind.ACCEPTED, ReportKind.CANCELLED, ReportKind.EXPIRED}
SCHEDULES = (
    Schedule(kind=ScheduleKind.TWAP, duration_ns=300, slices=3),
    Schedule(
        kind=ScheduleKind.VWAP,
        duration_ns=200,
        slices=3,
        profile=(Decimal(1), Decimal(0), Decimal("2.5")),
    ),
    Schedule(kind=ScheduleKind.ICEBERG, display_quantity=Decimal(3)),
)
MOST = 5
quantities = st.integers(1, 10)
choices = st.integers(0, 1000)


class Manager(RuleBasedStateMachine):
    """Submits, changes and cancels orders of every kind at a venue; crashes now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.config = OrderManagerConfig(max_completed_orders=None)
        self.core = self.fresh()
        self.venue = Venue()
        self.history: list[tuple[str, Any]] = []
        self.timers: list[Later] = []
        self.now_ns = 1
        self.count = 0
        self.fills: Counter[str] = Counter()
        self.filled: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()

    def fresh(self) -> OrderManager:
        return OrderManager(context("orders"), TABLE, self.config)

    def send(self, message: Any) -> None:
        """Hand a message to the core, and take notice of what it says."""
        outputs = self.core.handle(message, self.now_ns)
        self.history += [("at", self.now_ns), ("received", message)]
        for output in outputs:
            self.history.append(("sent", output))
            match output:
                case PlaceOrder() | CancelPlacedOrder() | ReplacePlacedOrder():
                    self.venue.requests.append(output)
                case QueryOrder():
                    self.venue.queries.append(output)
                case Later():
                    self.timers.append(output)
                case Fill():
                    self.fills[output.trade_id] += 1
                    self.filled[output.client_order_id] += int(output.last_quantity)
                case FillSettled() if output.failed:
                    self.filled[output.client_order_id] -= int(self.amount_of(output.trade_id))
                case ReplaceResult():
                    self.answered[output.client_order_id] += 1
                case _:
                    assert isinstance(output, OrderUpdate | FillSettled | Alarm)

    def amount_of(self, trade_id: str) -> Decimal:
        return next(
            message.last_quantity
            for way, message in self.history
            if way == "sent" and isinstance(message, Fill) and message.trade_id == trade_id
        )

    def submit(self, quantity: int, limit: int | None, **more: Any) -> str:
        self.count += 1
        name = f"o{self.count}"
        side = more.pop("side", Side.BUY)
        made = order(side, str(quantity), None if limit is None else str(limit), id=name)
        made = msgspec.structs.replace(made, created_ns=self.now_ns, **more)
        self.send(SubmitOrder(order=made, approved_by=(), reserved=Decimal(0)))
        return name

    # --- what strategies do ----------------------------------------------------------------------

    @precondition(lambda self: self.count < MOST)
    @rule(quantity=quantities, limit=st.sampled_from([None, 100]))
    def one_order(self, quantity: int, limit: int | None) -> None:
        self.submit(quantity, limit)

    @precondition(lambda self: self.count < MOST)
    @rule(first=quantities, second=quantities)
    def two_alternatives(self, first: int, second: int) -> None:
        group = f"g{self.count}"
        self.submit(first, 99, group=group)
        self.submit(second, 98, group=group)

    @precondition(lambda self: self.count < MOST)
    @rule(quantity=quantities, exits=quantities)
    def a_bracket(self, quantity: int, exits: int) -> None:
        entry = self.submit(quantity, 100)
        more = {"side": Side.SELL, "group": f"{entry}-exits", "parent": entry}
        self.submit(exits, 110, **more)
        self.submit(exits, 90, **more)

    @precondition(lambda self: self.count < MOST)
    @rule(quantity=quantities, schedule=st.sampled_from(SCHEDULES))
    def a_schedule(self, quantity: int, schedule: Schedule) -> None:
        self.submit(quantity, 100, schedule=schedule)

    @precondition(lambda self: self.count)
    @rule(which=choices)
    def cancel(self, which: int) -> None:
        name = f"o{which % self.count + 1}"
        self.send(CancelOrder(client_order_id=name, strategy="strategy"))

    @precondition(lambda self: self.count)
    @rule(which=choices, quantity=st.integers(1, 15), limit=st.integers(90, 110))
    def change(self, which: int, quantity: int, limit: int) -> None:
        record = self.core.order(f"o{which % self.count + 1}")
        assert record is not None
        changed = msgspec.structs.replace(
            record.order,
            quantity=Decimal(quantity),
            limit_price=None if record.order.limit_price is None else Decimal(limit),
        )
        self.asked[record.order.client_order_id] += 1
        self.send(ReplaceOrder(order=changed, approved_by=(), reserved=Decimal(0)))

    @rule(side=st.sampled_from([None, Side.SELL]))
    def cancel_some(self, side: Side | None) -> None:
        self.send(CancelOrders(strategy="strategy", side=side))

    # --- what the venue does ---------------------------------------------------------------------

    @precondition(lambda self: self.venue.requests)
    @rule(which=choices, refuse=st.sampled_from([False, False, False, True]))
    def take_a_request(self, which: int, refuse: bool) -> None:
        self.venue.take(which, refuse=refuse)

    @precondition(lambda self: self.venue.requests)
    @rule(which=choices, fate=st.sampled_from(["arrives", "late", "never"]))
    def lose_an_answer(self, which: int, fate: str) -> None:
        self.venue.lose(which, fate)

    @precondition(lambda self: self.venue.late)
    @rule(which=choices)
    def a_request_comes_late(self, which: int) -> None:
        self.venue.arrive(which)

    @precondition(lambda self: self.venue.queries)
    @rule(which=choices)
    def answer_a_query(self, which: int) -> None:
        self.venue.answer(which)

    @precondition(lambda self: self.venue.open())
    @rule(which=choices, quantity=quantities, provisional=st.booleans())
    def trade(self, which: int, quantity: int, provisional: bool) -> None:
        resting = self.venue.open()[which % len(self.venue.open())]
        amount = min(Decimal(quantity), resting.leaves)
        self.venue.fill(resting, amount, provisional=provisional)

    @precondition(lambda self: self.venue.open())
    @rule(which=choices, expires=st.booleans())
    def expire_or_trigger(self, which: int, expires: bool) -> None:
        resting = self.venue.open()[which % len(self.venue.open())]
        (self.venue.expire if expires else self.venue.trigger)(resting)

    @precondition(lambda self: self.venue.unsettled)
    @rule(which=choices, failed=st.booleans())
    def settle(self, which: int, failed: bool) -> None:
        self.venue.settle(which, failed=failed)

    @precondition(lambda self: self.venue.reports)
    @rule(which=choices, twice=st.booleans())
    def hear(self, which: int, twice: bool) -> None:
        report = self.venue.next_report(which)
        self.send(report)
        if twice and report.kind in REPEATABLE:
            self.send(report)

    @precondition(lambda self: self.venue.reports)
    @rule()
    def hear_everything(self) -> None:
        while self.venue.reports:
            self.hear(which=0, twice=False)

    # --- time, and crashes -----------------------------------------------------------------------

    @precondition(lambda self: self.timers)
    @rule()
    def wait(self, kind: str = "") -> None:
        self.timers.sort(key=lambda later: later.at_ns)
        which = [n for n, each in enumerate(self.timers) if each.message.name.startswith(kind)]
        later = self.timers.pop(which[0])
        self.now_ns = max(self.now_ns, later.at_ns)
        self.send(later.message)

    @rule()
    def crash(self) -> None:
        before = known(self.core)
        self.core = self.fresh()
        self.core.recover(self.history)
        assert known(self.core) == before

    # --- what must hold --------------------------------------------------------------------------

    @invariant()
    def quantities_agree(self) -> None:
        for record in self.core.orders():
            name = record.order.client_order_id
            assert record.filled_quantity == self.filled[name], name
            assert record.traded_quantity >= 0, name
            larger = record.replacement or record.order
            assert record.traded_quantity <= max(larger.quantity, record.order.quantity), name
            assert record.leaves_quantity == 0 or record.status not in TERMINAL
        assert set(self.fills.values()) <= {1}

    @invariant()
    def open_orders_are_those_that_are_not_over(self) -> None:
        alive = [each for each in self.core.orders() if each.status not in TERMINAL]
        assert self.core.open_orders() == alive

    def teardown(self) -> None:
        self.come_to_rest()
        self.a_full_fill_ends_its_alternatives()
        self.send(CancelAll("the end"))
        self.come_to_rest()
        for _ in range(2):
            while self.venue.unsettled:
                self.venue.settle(0, failed=False)
            self.come_to_rest()
        for record in self.core.orders():
            name = record.order.client_order_id
            assert record.status in TERMINAL, (name, record.status)
            assert (record.replacement, record.waiting) == (None, None)
            assert record.traded_quantity == self.traded_at_venue(name), name
            assert (record.status is OrderStatus.FILLED) is (
                record.traded_quantity == record.order.quantity
            ), name
            is_plain = not (record.order.group or record.order.parent or record.order.schedule)
            assert self.answered[name] >= self.asked[name]
            raced = any(cause == "fills came first" for _, _, cause in record.history)
            assert self.answered[name] == self.asked[name] or raced or not is_plain
            assert record.refused_changes == 0
            assert record.extras is None or not record.extras.provisional
        self.crash()

    def come_to_rest(self) -> None:
        """Let the venue answer everything; nothing trades any more."""
        for _ in range(1000):
            if self.venue.requests:
                self.venue.take(0)
            elif self.venue.late:
                self.venue.arrive(0)
            elif self.venue.queries:
                self.venue.answer(0)
            elif self.venue.reports:
                self.send(self.venue.next_report(0))
            elif self.core._doubts.open:
                self.wait("doubt:")
            else:
                return
        raise AssertionError("it never comes to rest")

    def a_full_fill_ends_its_alternatives(self) -> None:
        groups = [record for record in self.core.orders() if record.order.group]
        done = {r.order.group for r in groups if r.status is OrderStatus.FILLED}
        for record in groups:
            assert record.status in TERMINAL or record.order.group not in done

    def traded_at_venue(self, name: str) -> Decimal:
        resting = self.venue.orders.values()
        return sum(
            (
                each.filled
                for each in resting
                if each.order.client_order_id.partition("/")[0] == name
            ),
            Decimal(0),
        )


def known(core: OrderManager) -> list[Any]:
    """Return everything that a core knows."""

    def plain(record: OrderRecord) -> dict[str, Any]:
        values = {field: getattr(record, field) for field in record.__struct_fields__}
        values["extras"] = record.extras and msgspec.to_builtins(record.extras)
        return values

    doubts = {name: msgspec.to_builtins(doubt) for name, doubt in core._doubts.open.items()}
    return [doubts, *map(plain, core.orders())]


TestManager = Manager.TestCase
TestManager.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)

STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["take", "trade", "hear", "hear", "change", "wait", "end", "cancel", "lose", "ask"]
        ),
        choices,
        quantities,
    ),
    min_size=25,
    max_size=60,
)


@pytest.mark.parametrize("kind", ["one_order", "two_alternatives", "a_bracket", *range(3)])
@settings(max_examples=40)
@given(steps=STEPS, quantity=st.integers(3, 10))
def test_one_kind_of_order_races_with_its_venue(
    kind: str | int, steps: list[tuple[str, int, int]], quantity: int
) -> None:
    market = Manager()
    if isinstance(kind, int):
        market.a_schedule(quantity=quantity, schedule=SCHEDULES[kind])
    elif kind == "one_order":
        market.one_order(quantity=quantity, limit=100)
    elif kind == "a_bracket":
        market.a_bracket(quantity=quantity, exits=quantity)
    else:
        market.two_alternatives(first=quantity, second=quantity - 1)
    for action, which, amount in steps:
        race(market, action, which, amount)
        market.quantities_agree()
    market.teardown()


def race(market: Manager, action: str, which: int, amount: int) -> None:
    venue = market.venue
    match action:
        case "take" if venue.requests:
            market.take_a_request(which=which, refuse=which % 20 == 0)
        case "lose" if venue.requests and which % 2:
            market.lose_an_answer(which=which, fate=("arrives", "late", "never")[which % 3])
        case "ask" if venue.late or venue.queries:
            (market.a_request_comes_late if venue.late else market.answer_a_query)(which=which)
        case "trade" if venue.open():
            market.trade(which=which, quantity=amount, provisional=which % 5 == 0)
        case "hear" if venue.reports:
            market.hear(which=which, twice=which % 7 == 0)
        case "change":
            market.change(which=which, quantity=amount * 2, limit=100)
        case "wait" if market.timers:
            market.wait()
        case "end" if venue.open() and which % 3 == 0:
            market.expire_or_trigger(which=which, expires=which % 2 == 0)
        case "cancel" if which % 3 == 0:
            market.cancel(which=which)
        case _:
            pass
