"""A venue that is right is never blamed; what is wrong is found within three rounds."""

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.messages.reconciliation import Difference, VenueHoldings
from actors.model.order import Order, Side
from actors.portfolio.config import HoldingsRule
from tests.actors.portfolio.builders import COIN
from tests.actors.portfolio.rounds import differences, orders_agree, reconciling
from tests.actors.portfolio.wishes import ended, state, wish

PRICE = Decimal("0.50")


class Venue:
    """Fills and cancels when it likes; its reports come later, in any order.

    What it has done by the time that one round is heard is known before the next one is.
    """

    def __init__(self, **options: Any) -> None:
        self.desk = reconciling(**options)
        self.number = 0
        self.round = 0
        self.coins, self.cash = Decimal(0), Decimal(1000)
        self.working: dict[str, tuple[Order, Decimal]] = {}
        """What works at the venue, and what is left of it."""
        self.reports: list[tuple[Any, ...]] = []
        """What we have not heard of yet: the arguments of a fill, or an order that has ended."""
        self.due = 0
        """How many of them must come before the next round does."""
        self.told: list[Difference] = []
        self.shown: VenueHoldings | None = None

    def act(self, kind: str, pick: int, lots: int) -> None:
        """Let something happen, if there is something for it to happen to."""
        if kind == "order":
            self.number += 1
            side = tuple(Side)[pick % 2]
            order = self.desk.take(wish(self.number, side, str(lots), limit=str(PRICE)))[0]
            if hasattr(order, "order"):
                self.working[order.order.client_order_id] = (order.order, order.order.quantity)
        elif kind == "report" and self.reports:
            self.hear(pick % len(self.reports))
        elif kind in ("fill", "cancel") and self.working:
            self.work(kind, sorted(self.working)[pick % len(self.working)], Decimal(lots))

    def work(self, kind: str, order_id: str, quantity: Decimal) -> None:
        order, left = self.working.pop(order_id)
        if kind == "cancel":
            self.reports.append((order_id,))
            return
        quantity = min(quantity, left)
        if left > quantity:
            self.working[order_id] = (order, left - quantity)
        self.coins += order.side.sign * quantity
        self.cash -= order.side.sign * quantity * PRICE
        self.reports.append((order, str(quantity), str(left - quantity)))

    def hear(self, position: int) -> None:
        report = self.reports.pop(position)
        self.due -= position < self.due
        if len(report) == 1:
            self.desk.take(ended(report[0]))
        else:
            order, quantity, left = report
            self.desk.fill(order, quantity, price=str(PRICE), leaves=left)

    def show(self) -> None:
        """Say what it holds; that is heard later."""
        self.round += 1
        self.shown = VenueHoldings(
            round=self.round,
            venue="venue",
            asked_ns=self.round,
            positions={COIN: self.coins},
            balances={"USD": self.cash},
        )

    def compare(self) -> list[Any]:
        while self.due:
            self.hear(0)
        assert self.shown is not None
        told = self.desk.take(orders_agree(self.round), self.shown, now_ns=self.round)
        self.told += [each for each in told if isinstance(each, Difference)]
        self.due = len(self.reports)
        return told

    def round_of(self, before: list[Any], after: list[Any]) -> list[Any]:
        """Go through a round: what happens before the venue says what it holds, and after."""
        for each in before:
            self.act(*each)
        self.show()
        for each in after:
            self.act(*each)
        return self.compare()


acts = st.lists(
    st.tuples(
        st.sampled_from(("order", "order", "fill", "fill", "cancel", "report", "report")),
        st.integers(0, 5),
        st.integers(1, 4),
    ),
    max_size=8,
)
busy = st.lists(st.tuples(acts, acts), min_size=3, max_size=12)
wrong = st.sampled_from([(3, 0), (-2, 0), (0, 7), (0, -5), (4, -2), (-1, 11)])


@given(busy)
@settings(deadline=None, max_examples=200)
def test_a_venue_that_is_right_is_never_blamed(rounds: list[Any]) -> None:
    venue = Venue()
    for each in rounds:
        venue.round_of(*each)
    assert venue.told == []
    assert venue.desk.core.is_reconciled


@given(busy, wrong, busy)
@settings(deadline=None, max_examples=80)
def test_what_is_wrong_is_found_in_three_quiet_rounds_and_gone_when_it_is_right_again(
    rounds: list[Any], amounts: tuple[int, int], later: list[Any]
) -> None:
    venue = Venue()
    for each in rounds:
        venue.round_of(*each)
    coins, cash = amounts
    venue.coins += coins
    venue.cash += cash
    while venue.reports:
        venue.hear(0)
    for _ in range(3):
        venue.round_of([], [])
    expected = [("POSITION:COIN", True)] * bool(coins) + [("BALANCE:USD", True)] * bool(cash)
    assert differences(venue.told) == expected
    assert not venue.desk.core.is_reconciled
    again = venue.desk.restarted()
    assert not again.is_reconciled
    venue.coins -= coins
    venue.cash -= cash
    venue.told.clear()
    venue.round_of([], [])
    assert {each.key for each in venue.told} == {key for key, _ in expected}
    assert not any(each.is_open for each in venue.told)
    venue.told.clear()
    for each in later:
        venue.round_of(*each)
    assert venue.told == []


@given(busy, wrong)
@settings(deadline=None, max_examples=80)
def test_what_is_wrong_by_more_than_what_works_is_found_in_three_busy_rounds(
    rounds: list[Any], amounts: tuple[int, int]
) -> None:
    venue = Venue()
    venue.coins += 1000 * amounts[0]
    venue.cash += 1000 * amounts[1]
    for each in rounds[:3]:
        venue.round_of(*each)
    found = {each.key for each in venue.told if each.is_open}
    assert ("POSITION:COIN" in found) is bool(amounts[0])
    assert ("BALANCE:USD" in found) is bool(amounts[1])


@given(busy, wrong, busy)
@settings(deadline=None, max_examples=80)
def test_a_rebuilt_portfolio_compares_on_as_the_last_one(
    rounds: list[Any], amounts: tuple[int, int], later: list[Any]
) -> None:
    venue = Venue(holdings=HoldingsRule.ADOPT)
    for each in rounds[: len(rounds) // 2]:
        venue.round_of(*each)
    venue.coins += amounts[0]
    venue.cash += amounts[1]
    for each in rounds[len(rounds) // 2 :]:
        venue.round_of(*each)
    again = venue.desk.restarted()
    assert state(again) == state(venue.desk.core)
    for before, after in later:
        mark = len(venue.desk.history)
        venue.round_of(before, after)
        fed = [message for way, message in venue.desk.history[mark:] if way == "received"]
        expected = [message for way, message in venue.desk.history[mark:] if way == "sent"]
        answers = [each for message in fed for each in again.handle(message, venue.round)]
        assert _untimed(answers) == _untimed(expected)
    assert state(again) == state(venue.desk.core)


def _untimed(told: list[Any]) -> list[str]:
    """Return messages without their times: the fake venue's fills come at time 0."""
    names = {"created_ns", "time_ns", "venue_time_ns"}
    return [
        str(
            {f: getattr(each, f) for f in each.__struct_fields__ if f not in names and f != "order"}
        )
        for each in told
    ]


@given(busy, wrong)
@settings(deadline=None, max_examples=80)
def test_what_was_adopted_agrees_with_the_venue(
    rounds: list[Any], amounts: tuple[int, int]
) -> None:
    venue = Venue(holdings=HoldingsRule.ADOPT)
    for each in rounds:
        venue.round_of(*each)
    venue.coins += amounts[0]
    venue.cash += amounts[1]
    while venue.reports:
        venue.hear(0)
    for _ in range(3):
        venue.round_of([], [])
    core = venue.desk.core
    assert (core.get_position(COIN), core.cash) == (venue.coins, venue.cash)
    assert not any(each.is_open for each in venue.told)
    assert core.is_reconciled
    assert len(venue.round_of([], [])) == 1
