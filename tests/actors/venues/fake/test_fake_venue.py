"""The fake venue behaves: right books, orders that fare by their ids, faults outside of it."""

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from actors.actor import Later
from actors.messages.system import (
    CancelAll,
    CancelAllAtVenue,
    Halt,
    HaltLifted,
    Resumed,
    TimerFired,
)
from actors.messages.trading import ReportKind
from actors.messages.venue import CallKind, Outcome, VenueAnswer, VenueCall, VenueNews
from actors.model.order import Order, OrderStatus, OrderType, Side, TimeInForce
from actors.venues.fake.config import FakeFaults, FakeHabits, FakeVenueConfig, Window
from actors.venues.fake.venue import FakeVenue
from tests.builders import context

SECOND = 1_000_000_000
FAR_NS = 10**18


class World:
    """A fake venue with a clock and what it has said, in the order of arrival."""

    def __init__(self, habits: dict[str, Any] | None = None, **options: Any) -> None:
        shares = {"rejects": 0.0, "parts": 0.0, "rests": 0.0, "late_fills": 0.0, "latency_ns": 0}
        self.config = FakeVenueConfig(
            seed=1,
            balances={"USD": Decimal(1000)},
            habits=FakeHabits(**{**shares, **(habits or {})}),
            **options,
        )
        self.venue = FakeVenue(context(actor="venue"), self.config)
        self.now_ns = 0
        self.said: list[Any] = []
        self.history: list[tuple[str, Any]] = []
        self._later: list[Later] = []
        self._number = 0

    def tell(self, message: Any) -> list[Any]:
        """Tell it something, and return what it says at once or by then."""
        before = len(self.said)
        self.history += [("at", self.now_ns), ("received", message)]
        for output in self.venue.handle(message, self.now_ns):
            if isinstance(output, Later):
                self._later.append(output)
            else:
                self.said.append(output)
        self.wait(0)
        return self.said[before:]

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        end_ns = self.now_ns + round(seconds * SECOND)
        while due := [each for each in self._later if each.at_ns <= end_ns]:
            first = min(due, key=lambda each: each.at_ns)
            self._later.remove(first)
            self.now_ns = max(self.now_ns, first.at_ns)
            if isinstance(first.message, TimerFired):
                self.tell(first.message)
            else:
                self.said.append(first.message)
        self.now_ns = end_ns

    def call(self, kind: CallKind, **fields: Any) -> VenueAnswer | None:
        """Make a call; return its answer, None if there is none yet."""
        self._number += 1
        deadline_ns = self.now_ns + 5 * SECOND
        call = VenueCall(number=self._number, kind=kind, deadline_ns=deadline_ns, **fields)
        answers = [e for e in self.tell(call) if isinstance(e, VenueAnswer)]
        return answers[0] if answers else None

    def place(self, **fields: Any) -> VenueAnswer:
        answer = self.call(CallKind.PLACE, **about(order(**fields)))
        assert answer is not None
        return answer

    def news(self) -> list[Any]:
        """Return all news so far: kinds of reports, and ids of trades."""
        told = [each for each in self.said if isinstance(each, VenueNews)]
        kinds = [report.kind for each in told for report in each.reports]
        return kinds + [trade.trade_id for each in told for trade in each.trades]


def order(order_id: str = "a-1", quantity: str = "4", **fields: Any) -> Order:
    given: dict[str, Any] = {
        "order_type": OrderType.LIMIT,
        "limit_price": Decimal(10),
        "side": Side.BUY,
        **fields,
    }
    return Order(
        client_order_id=order_id,
        strategy="one",
        instrument="AAA",
        quantity=Decimal(quantity),
        **given,
    )


def about(of: Order) -> dict[str, Any]:
    return {"client_order_id": of.client_order_id, "instrument": of.instrument, "order": of}


def test_what_fills_is_in_the_books() -> None:
    world = World(fee_rate=Decimal("0.01"))
    answer = world.place()
    assert answer.order is not None
    assert (answer.order.status, answer.order.filled_quantity) == (OrderStatus.FILLED, Decimal(4))
    ledger = world.venue.ledger()
    assert ledger.positions == {"AAA": 4}
    assert ledger.balances == {"USD": Decimal("959.60")}
    assert [trade.trade_id for trade in ledger.trades] == ["T1"] == world.news()
    assert ledger.violations == ()
    world.place(order_id="a-2", side=Side.SELL)
    assert world.venue.ledger().positions == {}
    assert world.venue.start(0) == world.venue.stop(0) == []


def test_an_order_in_parts_is_filled_by_and_by() -> None:
    world = World({"parts": 1.0})
    assert world.place().order.status is OrderStatus.WORKING  # type: ignore[union-attr]
    world.wait(10)
    (held,) = world.venue.ledger().orders
    assert (held.status, held.filled_quantity) == (OrderStatus.FILLED, Decimal(4))
    assert len(world.venue.ledger().trades) == 2


def test_an_order_that_rests_is_cancelled_and_may_have_traded_before() -> None:
    world = World({"rests": 1.0})
    world.place()
    answer = world.call(CallKind.CANCEL, client_order_id="a-1")
    assert answer is not None
    assert answer.order is not None
    assert answer.order.status is OrderStatus.CANCELLED
    world.wait(60)
    assert world.venue.ledger().trades == ()
    late = World({"late_fills": 1.0})
    late.place()
    late.call(CallKind.CANCEL, client_order_id="a-1")
    late.wait(60)
    assert late.venue.ledger().positions == {"AAA": 4}
    assert late.news() == [ReportKind.CANCELLED, "T1"]


def test_what_may_not_rest_is_cancelled() -> None:
    world = World({"rests": 1.0})
    answer = world.place(time_in_force=TimeInForce.IOC)
    assert answer.order is not None
    assert answer.order.status is OrderStatus.CANCELLED
    part = World({"parts": 1.0}).place(time_in_force=TimeInForce.IOC).order
    assert part is not None
    assert part.status is OrderStatus.CANCELLED
    assert 0 < part.filled_quantity < 4
    whole = World({"parts": 1.0}).place(time_in_force=TimeInForce.FOK).order
    assert whole is not None
    assert whole.status is OrderStatus.FILLED


def test_an_order_with_a_last_moment_expires() -> None:
    world = World({"rests": 1.0})
    world.place(time_in_force=TimeInForce.GTD, expire_time_ns=SECOND)
    world.wait(2)
    assert world.news() == [ReportKind.EXPIRED]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"order_type": OrderType.STOP}, "STOP orders are not known here"),
        ({"order_type": OrderType.MARKET, "limit_price": None}, "there is no price"),
    ],
)
def test_what_it_cannot_do_is_refused_and_remembered(fields: dict[str, Any], reason: str) -> None:
    world = World()
    answer = world.place(**fields)
    assert (answer.outcome, answer.reason) == (Outcome.REFUSED, reason)
    shown = world.call(CallKind.ORDER, client_order_id="a-1")
    assert shown is not None
    assert shown.order is not None
    assert shown.order.status is OrderStatus.REJECTED
    cancel = world.call(CallKind.CANCEL, client_order_id="a-1")
    assert cancel is not None
    assert cancel.order is None


def test_a_market_order_trades_at_what_it_met_or_at_the_last_price() -> None:
    world = World()
    market = {"order_type": OrderType.MARKET, "limit_price": None}
    world.place(**market, arrival_price=Decimal(12))
    world.place(order_id="a-2", **market)
    assert [trade.price for trade in world.venue.ledger().trades] == [12, 12]


@pytest.mark.parametrize("idempotent", [True, False])
def test_the_same_id_twice_is_one_order_or_a_violation(idempotent: bool) -> None:
    world = World(idempotent=idempotent)
    world.place()
    answer = world.place()
    assert answer.outcome is (Outcome.ANSWERED if idempotent else Outcome.REFUSED)
    ledger = world.venue.ledger()
    assert len(ledger.trades) == 1
    assert ledger.violations == (() if idempotent else ("a-1 was placed twice",))


def test_what_was_rejected_is_rejected_again() -> None:
    world = World({"rejects": 1.0}, idempotent=True)
    assert world.place().outcome is world.place().outcome is Outcome.REFUSED


def test_an_order_is_changed_or_not() -> None:
    world = World({"rests": 1.0, "refuses_replace": 0.0})
    world.place()
    changed = world.call(CallKind.REPLACE, **about(order(quantity="6", limit_price=Decimal(9))))
    assert changed is not None
    assert changed.order is not None
    assert changed.order.quantity == 6
    assert changed.order.limit_price == 9
    assert world.news() == [ReportKind.REPLACED]
    none = world.call(CallKind.REPLACE, **about(order("a-9")))
    assert none is not None
    assert none.order is None
    world.call(CallKind.CANCEL_ALL)
    over = world.call(CallKind.REPLACE, **about(order(quantity="7")))
    assert over is not None
    assert (over.outcome, over.reason) == (Outcome.REFUSED, "it is CANCELLED")


def test_a_change_below_what_has_traded_or_that_it_dislikes_is_refused() -> None:
    world = World({"parts": 1.0, "refuses_replace": 1.0})
    world.place()
    stubborn = world.call(CallKind.REPLACE, **about(order(quantity="6")))
    assert stubborn is not None
    assert stubborn.reason == "it does not care to"
    while not world.venue.ledger().trades:
        world.wait(0.05)
    low = world.call(CallKind.REPLACE, **about(order(quantity="1")))
    assert low is not None
    assert low.outcome is Outcome.REFUSED


def test_a_cancel_of_what_is_over_says_so_in_one_way_or_another() -> None:
    world = World()
    outcomes = Counter[Outcome]()
    for number in range(20):
        world.place(order_id=f"a-{number}")
        answer = world.call(CallKind.CANCEL, client_order_id=f"a-{number}")
        assert answer is not None
        outcomes[answer.outcome] += 1
    assert set(outcomes) == {Outcome.ANSWERED, Outcome.REFUSED}


def test_questions_are_answered_from_the_books() -> None:
    world = World({"rests": 1.0}, page_size=2)
    world.place()
    orders = world.call(CallKind.OPEN_ORDERS)
    assert orders is not None
    assert [each.client_order_id for each in orders.orders] == ["a-1"]
    world = World(page_size=2)
    for number in range(3):
        world.place(order_id=f"a-{number}")
    page = world.call(CallKind.TRADES)
    assert page is not None
    assert (len(page.trades), page.cursor, page.has_more) == (2, "2", True)
    rest = world.call(CallKind.TRADES, cursor=page.cursor)
    assert rest is not None
    assert (len(rest.trades), rest.cursor, rest.has_more) == (1, "3", False)
    account = world.call(CallKind.ACCOUNT)
    assert account is not None
    assert account.positions == {"AAA": 12}
    assert account.balances == {"USD": 880}
    assert account.venue_time_ns == world.now_ns


# --- halts -----------------------------------------------------------------------------------


def test_in_a_halt_nothing_new_gets_through_and_all_is_cancelled() -> None:
    world = World({"rests": 1.0})
    world.place()
    world.tell(Halt("fire", final=False))
    answer = world.place(order_id="a-2")
    assert (answer.outcome, answer.reason) == (Outcome.NOT_SENT, "halted: fire")
    world.tell(CancelAllAtVenue("fire"))
    assert world.news() == [ReportKind.CANCELLED]
    assert world.venue.ledger().places_after_halt == 0
    world.tell(HaltLifted("fire"))
    assert world.place(order_id="a-3").outcome is Outcome.ANSWERED
    world.tell(Halt("for good"))
    world.tell(HaltLifted("for good"))
    assert world.place(order_id="a-4").outcome is Outcome.NOT_SENT


def test_a_link_opens_when_every_cause_is_lifted() -> None:
    world = World()
    world.tell(Halt("one", final=False))
    world.tell(Halt("two", final=False))
    world.tell(HaltLifted("one"))
    assert world.place(order_id="a-1").reason == "halted: two"
    world.tell(HaltLifted("two"))
    assert world.place(order_id="a-2").outcome is Outcome.ANSWERED


def test_a_final_halt_is_lifted_by_its_cause_in_the_next_process() -> None:
    world = World()
    world.tell(Halt("for good"))
    world.tell(Resumed(last_ns=0))
    world.tell(HaltLifted("another"))
    assert world.place(order_id="a-1").outcome is Outcome.NOT_SENT
    world.tell(HaltLifted("for good"))
    assert world.place(order_id="a-2").outcome is Outcome.ANSWERED


def test_what_nobody_waits_for_is_not_sent() -> None:
    world = World()
    call = VenueCall(number=1, kind=CallKind.ACCOUNT, deadline_ns=0)
    (answer,) = world.tell(call)
    assert answer.outcome is Outcome.NOT_SENT


def test_it_takes_nothing_else() -> None:
    with pytest.raises(TypeError, match="does not take CancelAll"):
        World().venue.handle(CancelAll("x"), 0)


def test_what_an_earlier_process_has_made_is_not_done() -> None:
    world = World()
    world.tell(Resumed(last_ns=5))
    old = VenueCall(number=1, kind=CallKind.ACCOUNT, deadline_ns=99, made_ns=5)
    (answer,) = world.tell(old)
    assert answer.outcome is Outcome.NOT_SENT


# --- faults ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("faults", "trades", "outcome"),
    [
        ({"lose_request": 1.0}, 0, None),
        ({"lose_answer": 1.0}, 1, None),
        ({"late_answer": 1.0}, 1, None),
        ({"throttle": 1.0}, 0, Outcome.REFUSED),
        ({"outage": Window(every_ns=SECOND, lasts_ns=SECOND)}, 0, None),
    ],
)
def test_a_call_may_get_lost_on_its_way(
    faults: dict[str, Any], trades: int, outcome: Outcome | None
) -> None:
    world = World(faults=FakeFaults(**faults))
    answer = world.call(CallKind.PLACE, **about(order()))
    assert (None if answer is None else answer.outcome) is outcome
    assert len(world.venue.ledger().trades) == trades
    world.wait(60)
    came = [each for each in world.said if isinstance(each, VenueAnswer)]
    assert len(came) == (1 if outcome or "late_answer" in faults else 0)


def test_an_error_may_mean_that_it_was_done_or_not() -> None:
    world = World(faults=FakeFaults(server_error=0.999), idempotent=True)
    done = Counter[int]()
    for number in range(30):
        answer = world.call(CallKind.PLACE, **about(order(f"a-{number}")))
        if answer is not None and answer.outcome is Outcome.LOST:
            done[len(world.venue.ledger().trades)] += 1
    assert 1 < len(done) < 30


def test_news_may_come_twice_late_or_not_at_all() -> None:
    twice = World(faults=FakeFaults(duplicate_news=1.0, delay_news=1.0))
    twice.place()
    assert twice.news() == []
    twice.wait(3)
    assert twice.news() == ["T1", "T1"]
    silent = World(faults=FakeFaults(drop_news=1.0))
    silent.place()
    silent.wait(60)
    assert silent.news() == []


def test_an_order_may_be_hidden_for_a_time() -> None:
    world = World({"rests": 1.0}, faults=FakeFaults(hide_order=1.0, hide_for_ns=SECOND))
    world.place()
    for waits, is_shown in ((0, False), (2, True)):
        world.wait(waits)
        one = world.call(CallKind.ORDER, client_order_id="a-1")
        every = world.call(CallKind.OPEN_ORDERS)
        assert one is not None
        assert every is not None
        assert (one.order is not None) is bool(every.orders) is is_shown
    assert world.config.traits.hides_at_most_ns == 2 * SECOND


def test_holdings_may_be_stale_and_history_cut() -> None:
    world = World(faults=FakeFaults(stale_account=1.0, truncate_history=1.0))
    world.call(CallKind.ACCOUNT)
    world.place()
    world.place(order_id="a-2")
    account = world.call(CallKind.ACCOUNT)
    assert account is not None
    assert account.positions == {}
    trades = world.call(CallKind.TRADES)
    assert trades is not None
    assert ([each.trade_id for each in trades.trades], trades.is_truncated) == (["T2"], True)


def test_somebody_else_may_trade_through_the_account() -> None:
    world = World({"rests": 1.0}, faults=FakeFaults(external_order=1.0, external_trade=1.0))
    world.place()
    ledger = world.venue.ledger()
    assert [(each.client_order_id, each.status) for each in ledger.orders] == [
        ("a-1", OrderStatus.WORKING),
        ("", OrderStatus.WORKING),
        ("", OrderStatus.FILLED),
    ]
    assert ledger.trades[0].client_order_id == ""
    answer = world.call(CallKind.CANCEL, client_order_id="V2")
    assert answer is not None
    assert answer.order is not None
    assert answer.order.status is OrderStatus.CANCELLED


def test_in_a_burst_every_new_order_is_rejected() -> None:
    window = Window(every_ns=10 * SECOND, lasts_ns=SECOND)
    world = World(faults=FakeFaults(reject_burst=window))
    assert world.place().reason == "nothing is taken for now"
    world.wait(2)
    assert world.place(order_id="a-2").outcome is Outcome.ANSWERED


def test_during_an_outage_a_cancel_of_all_does_not_arrive() -> None:
    window = Window(every_ns=10 * SECOND, lasts_ns=SECOND)
    world = World({"rests": 1.0}, faults=FakeFaults(outage=window))
    world.wait(2)
    world.place()
    world.wait(8)
    assert world.tell(CancelAllAtVenue("fire")) == []
    world.wait(2)
    assert world.tell(CancelAllAtVenue("fire")) != []


# --- a life ----------------------------------------------------------------------------------


def test_a_fresh_venue_that_is_shown_the_same_history_is_the_same() -> None:
    habits = {"parts": 0.4, "rests": 0.2, "late_fills": 0.1, "rejects": 0.1}
    faults = FakeFaults(lose_answer=0.2, drop_news=0.2, external_trade=0.1)
    world = World(habits, faults=faults)
    for number in range(60):
        side = Side.BUY if number % 3 else Side.SELL
        kind = OrderType.POST_ONLY if number % 5 == 0 else OrderType.LIMIT
        placed = order(f"a-{number}", side=side, order_type=kind)
        world.call(CallKind.PLACE, **about(placed))
        world.wait(0.3)
        if number % 4 == 0:
            world.call(CallKind.CANCEL, client_order_id=f"a-{number - 1}")
    world.wait(60)
    fresh = FakeVenue(context(actor="venue"), world.config)
    fresh.recover(iter([*world.history, ("sent", None)]))
    assert fresh.ledger() == world.venue.ledger()
    assert {each.status for each in fresh.ledger().orders} >= {
        OrderStatus.FILLED,
        OrderStatus.CANCELLED,
        OrderStatus.REJECTED,
    }


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: FakeHabits(rejects=1.5), "rejects: expected a number from 0 to 1"),
        (lambda: FakeHabits(rejects=0.9, parts=0.9), "shares of 1 together"),
        (lambda: FakeHabits(latency_ns=-1), "latency: expected 0 or more"),
        (lambda: FakeVenueConfig(page_size=0), "page_size: expected 1 or more"),
        (lambda: FakeVenueConfig(remembers=0), "remembers: expected 1 or more"),
        (lambda: Window(every_ns=1, lasts_ns=2), "lasts: expected above 0"),
    ],
)
def test_what_makes_no_sense_is_refused(make: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()
