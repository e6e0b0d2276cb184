from decimal import Decimal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from actors.errors import OrderStateError
from actors.messages.trading import CancelOrder, ReportKind
from actors.model.order import TERMINAL, OrderStatus
from actors.orders.lifecycle import (
    ALIASES,
    TRANSITIONS,
    OrderEvent,
    as_markdown,
    next_status,
    status_named,
)
from actors.orders.manager import OrderManager
from tests.builders import context, instruments, order, report, submit, trade_report

FILLS = (OrderEvent.PARTIAL_FILL, OrderEvent.FILL)
ALIVE = [status for status in OrderStatus if status not in TERMINAL]
SENT = [status for status in ALIVE if status not in (OrderStatus.RECEIVED, OrderStatus.VALIDATED)]


@pytest.mark.parametrize("event", OrderEvent)
@pytest.mark.parametrize("status", OrderStatus)
def test_each_pair_is_in_the_table_or_an_error(status: OrderStatus, event: OrderEvent) -> None:
    after = TRANSITIONS[status].get(event)
    if after is None:
        with pytest.raises(OrderStateError, match=f"{event} cannot happen to order o-1") as caught:
            next_status(status, event, order_id="o-1", venue="v")
        assert (caught.value.order_id, caught.value.venue) == ("o-1", "v")
    else:
        assert next_status(status, event) is after


def test_every_status_is_reached_from_received() -> None:
    reached = {OrderStatus.RECEIVED}
    while True:
        further = {after for status in reached for after in TRANSITIONS[status].values()} | reached
        if further == reached:
            break
        reached = further
    assert reached == set(OrderStatus)


def test_only_a_complete_late_fill_leads_out_of_a_terminal_status() -> None:
    ways_out = {
        (status, event, after)
        for status in TERMINAL
        for event, after in TRANSITIONS[status].items()
        if after is not status
    }
    assert ways_out == {
        (status, OrderEvent.FILL, OrderStatus.FILLED)
        for status in (OrderStatus.CANCELLED, OrderStatus.REJECTED, OrderStatus.EXPIRED)
    }


@pytest.mark.parametrize("status", [s for s in OrderStatus if s in SENT or s in TERMINAL])
def test_fills_are_taken_wherever_an_order_may_be(status: OrderStatus) -> None:
    takes_fills = status not in (OrderStatus.DENIED, OrderStatus.FILLED)
    assert all((event in TRANSITIONS[status]) is takes_fills for event in FILLS)


@pytest.mark.parametrize("status", SENT)
def test_an_order_that_was_sent_can_end_in_every_way(status: OrderStatus) -> None:
    ends = {TRANSITIONS[status].get(event) for event in OrderEvent}
    assert ends >= {OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.EXPIRED}


@pytest.mark.parametrize("status", SENT)
def test_a_cancel_can_be_asked_for_as_soon_as_an_order_was_sent(status: OrderStatus) -> None:
    expected = OrderStatus.UNKNOWN if status is OrderStatus.UNKNOWN else OrderStatus.CANCELLING
    assert next_status(status, OrderEvent.REQUEST_CANCEL) is expected


def test_the_table_can_be_read() -> None:
    lines = as_markdown().splitlines()
    assert len(lines) == 2 + len(OrderEvent)
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert table[0] == ["event", *OrderStatus]
    assert {len(row) for row in table} == {1 + len(OrderStatus)}
    lose = dict(zip(table[0], next(row for row in table if row[0] == "LOSE"), strict=True))
    assert (lose["RECEIVED"], lose["SUBMITTING"], lose["WORKING"]) == ("-", "UNKNOWN", "")


@pytest.mark.parametrize(
    "status", [OrderStatus.SUBMITTING, OrderStatus.CANCELLING, OrderStatus.REPLACING]
)
def test_a_lost_answer_leaves_an_order_unknown(status: OrderStatus) -> None:
    assert next_status(status, OrderEvent.LOSE) is OrderStatus.UNKNOWN


def test_a_refused_cancel_returns_an_order_to_what_it_was() -> None:
    cancelling = OrderStatus.CANCELLING
    refused = OrderEvent.CANCEL_REJECT
    assert next_status(cancelling, refused) is OrderStatus.WORKING
    assert next_status(cancelling, refused, has_fills=True) is OrderStatus.PARTIALLY_FILLED


@pytest.mark.parametrize("status", SENT)
def test_news_of_a_stop_price_or_of_a_refused_change_end_nothing(status: OrderStatus) -> None:
    for event in (OrderEvent.TRIGGER, OrderEvent.REPLACE_REJECT):
        after = TRANSITIONS[status].get(event)
        assert after is None or after not in TERMINAL


def test_a_refused_change_returns_an_order_to_what_it_was() -> None:
    replacing = OrderStatus.REPLACING
    refused = OrderEvent.REPLACE_REJECT
    assert next_status(replacing, refused) is OrderStatus.WORKING
    assert next_status(replacing, refused, has_fills=True) is OrderStatus.PARTIALLY_FILLED
    assert next_status(OrderStatus.CANCELLING, refused) is OrderStatus.CANCELLING


def test_a_held_order_may_end_without_having_been_sent() -> None:
    held = OrderStatus.VALIDATED
    assert next_status(held, OrderEvent.CANCEL) is OrderStatus.CANCELLED
    assert next_status(held, OrderEvent.EXPIRE) is OrderStatus.EXPIRED


@pytest.mark.parametrize("vocabulary", ALIASES)
def test_each_alias_of_another_system_is_read(vocabulary: str) -> None:
    read = {word: status_named(word.lower(), vocabulary) for word in ALIASES[vocabulary]}
    assert read == ALIASES[vocabulary]


def test_pending_depends_on_who_says_it() -> None:
    assert status_named("PENDING") is OrderStatus.RECEIVED
    assert status_named("Pending", "ag-exec") is OrderStatus.RECEIVED
    assert status_named("PENDING", "yes-no") is OrderStatus.WORKING


@pytest.mark.parametrize("status", OrderStatus)
def test_our_own_names_are_read_in_any_spelling(status: OrderStatus) -> None:
    spellings = (status, status.lower(), status.replace("_", " ").title())
    assert [status_named(word) for word in spellings] == [status] * 3


def test_words_of_others_are_read_without_naming_the_system() -> None:
    words = ("PARTIAL", "Routed", "PartiallyFilled", "canceled")
    assert [status_named(word) for word in words] == [
        OrderStatus.PARTIALLY_FILLED,
        OrderStatus.WORKING,
        OrderStatus.PARTIALLY_FILLED,
        OrderStatus.CANCELLED,
    ]


def test_unknown_words_and_vocabularies_are_named() -> None:
    with pytest.raises(ValueError, match="found 'LOST'"):
        status_named("LOST")
    with pytest.raises(ValueError, match="expected a vocabulary of ag-exec"):
        status_named("PENDING", "nobody")


class OneOrder(RuleBasedStateMachine):
    """The order manager under whatever a venue may say, in any order, any number of times."""

    def __init__(self) -> None:
        super().__init__()
        self.manager = OrderManager(context(), instruments())
        self.manager.handle(submit(order(quantity="10")), 0)
        self.trades = 0
        self.filled = Decimal(0)
        self.told: list[Decimal] = []

    @property
    def status(self) -> OrderStatus:
        record = self.manager.order("run-strategy-1")
        assert record is not None
        return record.status

    @rule(kind=st.sampled_from([kind for kind in ReportKind if kind is not ReportKind.TRADE]))
    def say(self, kind: ReportKind) -> None:
        before = self.status
        try:
            self.manager.handle(report(kind), 1)
        except OrderStateError:
            assert self.status is before

    @rule(quantity=st.integers(1, 12), repeats=st.booleans())
    def trade(self, quantity: int, repeats: bool) -> None:
        self.trades += 1
        fits = self.filled + quantity <= 10
        message = trade_report(str(quantity), trade_id=f"t-{self.trades}")
        try:
            outputs = self.manager.handle(message, 1)
        except OrderStateError:
            assert not fits
            return
        assert fits
        self.filled += quantity
        assert len(outputs) >= 2
        if repeats:
            assert self.manager.handle(message, 2) == []

    @rule()
    @precondition(lambda self: self.status not in TERMINAL)
    def cancel(self) -> None:
        before = self.status
        request = CancelOrder(client_order_id="run-strategy-1", strategy="strategy")
        outputs = self.manager.handle(request, 1)
        record = self.manager.order("run-strategy-1")
        assert record is not None
        if before is OrderStatus.UNKNOWN:
            assert self.status is before
            assert record.is_cancel_early, "done when the venue shows that it works"
        else:
            assert bool(outputs) is (before is not OrderStatus.CANCELLING)
            assert self.status is OrderStatus.CANCELLING

    @invariant()
    def what_is_unknown_is_asked_for(self) -> None:
        asked = "run-strategy-1" in self.manager._doubts.open
        assert asked or self.status is not OrderStatus.UNKNOWN
        assert not (asked and self.status in TERMINAL)

    @invariant()
    def the_filled_quantity_grows_up_to_the_ordered(self) -> None:
        record = self.manager.order("run-strategy-1")
        assert record is not None
        assert record.filled_quantity == self.filled <= record.order.quantity
        self.told.append(record.filled_quantity)
        assert self.told == sorted(self.told)

    @invariant()
    def filled_means_that_nothing_is_left(self) -> None:
        assert (self.status is OrderStatus.FILLED) is (self.filled == 10)


TestOneOrder = OneOrder.TestCase
TestOneOrder.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
