"""Evicted orders are remembered by an archive: nothing is booked twice, and nothing is lost."""

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.errors import OrderStateError
from actors.messages.reconciliation import Part, Reconciled
from actors.messages.system import Archived, TimerFired
from actors.messages.trading import (
    CancelPlacedOrder,
    ExecutionReport,
    Fill,
    FillSettled,
    PlaceOrder,
    ReportKind,
)
from actors.model.order import OrderStatus, Schedule, ScheduleKind, Side
from actors.orders.config import ExternalOrders, ExternalTrades, OrderManagerConfig
from actors.orders.manager import OrderManager
from tests.actors.orders.lists import (
    DictArchive,
    lists,
    remembering,
    their_trade,
    theirs,
    told,
)
from tests.actors.orders.rooms import (
    asked,
    changed,
    manager,
    of_kind,
    record_of,
    said,
    traded,
    updates,
)

ICEBERG = Schedule(kind=ScheduleKind.ICEBERG, display_quantity=Decimal(3))
CANCELLED, SETTLED, FAILED = (
    ReportKind.CANCELLED,
    ReportKind.TRADE_SETTLED,
    ReportKind.TRADE_FAILED,
)


class Room:
    """An order manager, and what has become of its outputs."""

    def __init__(self, limit: int = 0, **more: Any) -> None:
        self.archive = DictArchive()
        self.limit = limit
        self.more = more
        self.core = self.fresh()
        self.history: list[tuple[str, Any]] = []
        self.fills: Counter[str] = Counter()
        self.now_ns = 100

    def fresh(self) -> OrderManager:
        return remembering(self.archive, self.limit, **self.more)

    def send(self, *messages: Any) -> list[Any]:
        """Handle messages; return what the last has led to."""
        outputs: list[Any] = []
        for message in messages:
            self.now_ns += 1
            outputs = self.archive.keep(self.core.handle(message, self.now_ns))
            self.history += [("at", self.now_ns), ("received", message)]
            for fill in of_kind(outputs, Fill):
                self.fills[fill.trade_id] += 1
        return outputs

    def crash(self) -> None:
        """Build the core again from what it has heard; the archive has gone on meanwhile."""
        self.core = self.fresh()
        self.core.recover(self.history)


class TestEvictedOrders:
    def test_an_order_that_is_over_goes_to_the_archive(self) -> None:
        core = remembering(DictArchive())
        core.handle(asked(), 1)
        [archived] = of_kind(core.handle(said(CANCELLED), 2), Archived)
        assert (archived.kind, archived.key) == ("order", "a")
        assert core.order("a") is None
        assert core._registry.forgotten == {}, "the archive has it"

    def test_a_late_fill_is_booked_exactly_once_whatever_its_age(self) -> None:
        room = Room()
        room.send(asked(), said(CANCELLED))
        for number in range(50):
            name = f"o{number}"
            room.send(asked(name=name), traded(10, name, f"t-{name}"))
        outputs = room.send(traded(4, trade="late"))
        [fill] = of_kind(outputs, Fill)
        assert (fill.client_order_id, fill.leaves_quantity) == ("a", 0)
        assert updates(outputs) == [("a", OrderStatus.CANCELLED)]
        writes = room.archive.writes
        assert room.send(traded(4, trade="late")) == []
        assert room.archive.writes == writes, "what says nothing new is not written again"
        assert updates(room.send(traded(6, trade="last")))[-1] == ("a", OrderStatus.FILLED)
        assert room.core.orders() is not None
        assert list(room.core.orders()) == []

    @pytest.mark.parametrize(
        "kind", [CANCELLED, ReportKind.ACCEPTED, ReportKind.LOST, ReportKind.GONE]
    )
    def test_late_news_say_nothing(self, kind: ReportKind) -> None:
        room = Room()
        room.send(asked(), traded(10))
        assert room.send(said(kind)) == []

    def test_an_id_is_not_used_again(self) -> None:
        room = Room()
        room.send(asked(), traded(10))
        assert room.send(asked()) == []
        assert room.send(changed(asked(), quantity=20))[0].reason == "the order is not known"

    def test_a_trade_that_cannot_be_is_refused_still(self) -> None:
        room = Room()
        room.send(asked(), traded(10))
        with pytest.raises(OrderStateError, match="no more than is left"):
            room.send(traded(1, trade="t2"))
        with pytest.raises(OrderStateError, match="never placed"):
            room.send(traded(1, "nobody"))
        with pytest.raises(OrderStateError, match="never placed"):
            room.send(said(CANCELLED, "nobody"))

    def test_the_newest_are_kept_as_far_as_there_is_room(self) -> None:
        room = Room(limit=2)
        for name in "abc":
            room.send(asked(name=name), traded(10, name, f"t-{name}"))
        assert list(room.core.completed_orders) == ["b", "c"]
        assert room.core.cleanup_old_orders() == 0
        assert room.core.evicted_orders == 1
        assert room.send(traded(10, "a", "t-a")) == []


class TestSettlements:
    @pytest.mark.parametrize("kind", [SETTLED, FAILED])
    def test_a_late_provisional_trade_is_settled_once(self, kind: ReportKind) -> None:
        room = Room()
        room.send(asked(), said(CANCELLED), traded(4, provisional=True))
        assert room.core.order("a") is not None, "until it is settled"
        assert of_kind(room.send(said(kind, trade_id="t1")), FillSettled)
        room.send(asked(name="b"), traded(10, "b", "t2"))
        assert room.core.order("a") is None
        assert room.send(said(kind, trade_id="t1")) == []
        with pytest.raises(OrderStateError, match="the opposite is known"):
            room.send(said(SETTLED if kind is FAILED else FAILED, trade_id="t1"))

    def test_a_word_that_comes_before_its_trade_is_remembered(self) -> None:
        room = Room()
        room.send(asked(), said(CANCELLED), said(FAILED, trade_id="t1"))
        writes = room.archive.writes
        assert room.send(said(FAILED, trade_id="t1")) == []
        assert room.archive.writes == writes
        outputs = room.send(traded(4, provisional=True))
        assert [each.failed for each in of_kind(outputs, FillSettled)] == [True]

    def test_a_trade_that_was_final_needs_no_word(self) -> None:
        room = Room()
        room.send(asked(), traded(10))
        writes = room.archive.writes
        assert room.send(said(SETTLED, trade_id="t1")) == []
        assert room.archive.writes == writes


class TestSchedules:
    def test_a_whole_comes_back_with_its_parts(self) -> None:
        room = Room()
        room.send(asked(6, schedule=ICEBERG), traded(3, "a/1"), said(CANCELLED, "a/2"))
        assert room.core.get_order("a/1") is None
        assert room.send(traded(3, "a/1")) == []
        assert room.send(said(CANCELLED, "a/2")) == []
        assert of_kind(room.send(traded(1, "a/2", "t2")), Fill)
        assert room.send(traded(1, "a/2", "t2")) == []
        assert room.core._registry.parts == {}

    def test_one_that_is_being_worked_off_is_not_looked_up(self) -> None:
        room = Room()
        room.send(asked(6, schedule=ICEBERG))
        outputs = room.send(traded(3, "a/1"))
        assert [each.order.client_order_id for each in of_kind(outputs, PlaceOrder)] == ["a/2"]
        with pytest.raises(OrderStateError, match="never placed"):
            room.send(said(CANCELLED, "a/7"))


class TestLists:
    def test_trades_of_evicted_orders_are_ours(self) -> None:
        room = Room()
        room.send(asked(), said(CANCELLED), asked(name="b"), traded(10, "b", "t2"))
        outputs = room.send(lists(their_trade(4), their_trade(10, "b", "t2")))
        assert told(outputs) == [("TRADE_MISSED:t1", "BOOK", False)]
        assert told(room.send(lists(their_trade(4), number=2))) == []

    def test_trades_of_an_evicted_part_are_ours(self) -> None:
        room = Room()
        room.send(asked(6, schedule=ICEBERG), traded(3, "a/1"), said(CANCELLED, "a/2"))
        assert told(room.send(lists(their_trade(3, "a/1")))) == []
        outputs = room.send(lists(their_trade(1, "a/2", "t2"), number=2))
        assert told(outputs) == [("TRADE_MISSED:t2", "BOOK", False)]

    def test_a_whole_is_kept_while_a_part_works(self) -> None:
        room = Room()
        twap = Schedule(kind=ScheduleKind.TWAP, duration_ns=90, slices=3)
        room.send(asked(9, schedule=twap), said(CANCELLED, "a/1"))
        room.send(TimerFired("orders", "slice:a:1", 31))
        room.send(traded(6, "a/2", "t2"), said(CANCELLED, "a/1"))
        room.send(TimerFired("orders", "slice:a:2", 61), traded(3, "a/1", "late"))
        assert record_of(room.core).status is OrderStatus.FILLED
        assert room.core.get_status("a/3") is OrderStatus.SUBMITTING
        room.send(said(ReportKind.REJECTED, "a/3"), asked(name="b"), traded(10, "b", "t9"))
        assert list(room.core.orders()) == []

    def test_two_trades_of_an_order_that_ends_with_the_first_are_both_decided(self) -> None:
        room = Room()
        room.send(asked())
        outputs = room.send(lists(their_trade(10), their_trade(10)))
        assert len(of_kind(outputs, Fill)) == 1

    def test_an_evicted_order_that_works_at_the_venue_is_cancelled(self) -> None:
        room = Room()
        room.send(asked(), said(ReportKind.GONE))
        assert of_kind(room.send(lists(theirs(), asked_ns=500)), CancelPlacedOrder)

    def test_adopted_trades_are_remembered(self) -> None:
        room = Room(external_trades=ExternalTrades.ADOPT)
        for _ in range(2):
            room.send(lists(their_trade(1, "x")), lists(their_trade(2, "x", "t2"), number=2))
        assert room.fills == {"t1": 1, "t2": 1}


class TestCrashes:
    """The archive knows more than a history that is being replayed."""

    def test_orders_are_received_again_although_they_are_archived(self) -> None:
        room = Room(limit=1)
        exit_ = asked(name="x", side=Side.SELL, parent="a")
        room.send(asked(), exit_, traded(10), traded(10, "x", "t2"))
        assert list(room.core.completed_orders) == ["x"]
        room.crash()
        assert list(room.core.completed_orders) == ["x"]
        assert record_of(room.core, "x").status is OrderStatus.FILLED
        assert room.send(asked()) == []
        room.crash()
        assert room.core.open_orders() == [], "a copy of a request is one in the replay too"

    def test_external_orders_are_adopted_again(self) -> None:
        room = Room(external_orders=ExternalOrders.ADOPT)
        room.send(lists(theirs("x")), traded(10, "x"))
        room.crash()
        assert room.send(lists(number=2)) == [Reconciled(part=Part.ORDERS, round=2)]

    def test_an_entry_that_was_evicted_can_have_exits(self) -> None:
        room = Room()
        room.send(asked(), traded(10))
        exit_ = asked(name="x", side=Side.SELL, parent="a")
        assert of_kind(room.send(exit_), PlaceOrder)
        room.crash()
        assert record_of(room.core, "x").status is OrderStatus.SUBMITTING
        room.send(traded(10, "x", "t2"))
        assert list(room.core.orders()) == []

    def test_an_order_that_ends_at_once_is_found_again(self) -> None:
        room = Room()
        room.now_ns = 100
        for message in (asked(), traded(10), traded(10)):
            room.send(message)
            room.now_ns = 100
        room.crash()
        assert room.send(traded(10)) == []

    def test_a_history_without_times_is_replayed_too(self) -> None:
        room = Room()
        room.send(asked(), traded(10))
        again = room.fresh()
        again.recover([each for each in room.history if each[0] != "at"])
        assert again.handle(traded(10), 9) == []


def test_a_core_without_an_archive_remembers_ids() -> None:
    core = manager(asked(), traded(10), config=OrderManagerConfig(max_completed_orders=0))
    assert list(core._registry.forgotten) == ["a"]


NAMES = ("a", "b", "c", "s/1")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["trade", "end", "lose", "query", "list", "crash"]), st.integers(0, 99)
    ),
    max_size=40,
)


class Ledger:
    """What the venue has done, and all that it may say of it."""

    def __init__(self, trades: list[tuple[int, int]]) -> None:
        self.reports: list[ExecutionReport] = []
        left = dict.fromkeys(NAMES, 9)
        for number, (which, quantity) in enumerate(trades):
            name = NAMES[which % len(NAMES)]
            amount = min(quantity, left[name])
            if amount:
                left[name] -= amount
                self.reports.append(traded(amount, name, f"t{number}"))
        self.ends = {name: said(CANCELLED, name) for name in NAMES if left[name]}

    def listed(self, first: int) -> Any:
        """Return the venue's list of its trades from one on."""
        return lists(
            *(
                their_trade(int(each.last_quantity), each.client_order_id, each.trade_id)
                for each in self.reports[first:]
            )
        )


@settings(max_examples=150, deadline=None)
@given(
    trades=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 5)), min_size=1, max_size=20),
    steps=STEPS,
    limit=st.integers(0, 2),
)
def test_fills_are_booked_exactly_once_however_they_are_told(
    trades: list[tuple[int, int]], steps: list[tuple[str, int]], limit: int
) -> None:
    """Reports are doubled, delayed, turned round and lost; lists overlap; the core crashes."""
    room, ledger = Room(limit), Ledger(trades)
    room.send(asked(9), asked(9, name="b"), asked(9, name="c"))
    room.send(
        asked(9, name="s", schedule=Schedule(kind=ScheduleKind.TWAP, duration_ns=10**9, slices=1))
    )
    for action, which in steps:
        report = ledger.reports[which % len(ledger.reports)]
        name = report.client_order_id
        match action:
            case "trade":
                room.send(report)
            case "end" if name in ledger.ends:
                room.send(ledger.ends[name])
            case "lose":
                room.send(said(ReportKind.LOST, name))
            case "query":
                of_order = [each for each in ledger.reports if each.client_order_id == name]
                room.send(*of_order, ledger.ends.get(name) or of_order[0])
            case "list":
                room.send(ledger.listed(which % len(ledger.reports)))
            case "crash":
                room.crash()
            case _:
                pass
        assert set(room.fills.values()) <= {1}
        assert len(room.core.completed_orders) <= limit
    room.send(ledger.listed(0), *reversed(ledger.reports), *ledger.ends.values())
    room.crash()
    assert room.send(ledger.listed(0))[:-1] == []
    assert room.fills == Counter(each.trade_id for each in ledger.reports)
    assert len(room.core._registry.records) <= limit + 1
