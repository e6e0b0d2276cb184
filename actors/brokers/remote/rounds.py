"""Comparing with the venue, in rounds: open orders, trades since the last round, holdings.

Open orders are asked for first: one that has traded meanwhile is explained by its trades.
"""

from collections.abc import Callable, Iterable
from typing import Any

from actors.actor import Later
from actors.brokers.remote.calls import Calls, Pages, Purpose
from actors.brokers.remote.config import RemoteBrokerConfig
from actors.messages.reconciliation import VenueHoldings, VenueOrders
from actors.messages.system import Alarm, TimerFired
from actors.messages.venue import (
    CallKind,
    Outcome,
    VenueAnswer,
    VenueCall,
    VenueOrder,
    VenueTrade,
)

ROUND = "round "
"""Begins the name of the timer of the next round; the number of the last one follows."""
RETRY = "retry "
"""Begins the name of the timer of a further attempt; round and number of the attempt follow."""


class Rounds:
    """Asks all there is to be compared, again and again.

    A question that is not answered is asked again, later each time; when too many were in vain, the
    round is given up, an alarm is raised, and the next round comes at its time. A simulated run
    waits for the end of a round that somebody has asked for, not for those of the timetable.
    """

    def __init__(self, actor: str, config: RemoteBrokerConfig, calls: Calls) -> None:
        self.cursor = ""
        """Up to where the trades are known: those of complete rounds."""
        self.truncated_ns = -1
        """When the venue last left out trades: what was sent before may have had some of them."""
        self._gap: str | None = None
        """Where the first question began that was answered without some trades; None if none."""
        self._actor = actor
        self._config = config
        self._calls = calls
        self._number = 0
        self._is_under_way = False
        self._is_awaited = True
        self._attempts = 0
        self._asked: VenueCall | None = None
        self._asked_number = 0
        self._asked_ns = 0
        self._pages = Pages()
        self._orders: list[VenueOrder] = []
        self._trades: list[VenueTrade] = []
        self._is_truncated = False

    def cursor_for(self, sent_ns: int) -> str:
        """Return from where on to ask for the trades of an order: all before are known."""
        has_gap = self._gap is not None and sent_ns <= self.truncated_ns
        return self._gap or "" if has_gap else self.cursor

    @property
    def number(self) -> int:
        """Return the number of the latest round that has begun; 0 before the first."""
        return self._number

    @property
    def has_begun(self) -> bool:
        """Return whether there was ever a round."""
        return self._number > 0

    def begin(self, now_ns: int, *, is_awaited: bool = True) -> list[Any]:
        """Begin a round; one that is under way is given up: it has asked too early."""
        self._calls.take(self._asked_number)
        self._number += 1
        self._is_under_way = True
        self._is_awaited = is_awaited
        self._asked_ns = now_ns
        self._orders, self._trades = [], []
        self._is_truncated = False
        return self._question(CallKind.OPEN_ORDERS, "", now_ns)

    def tick(self, name: str, now_ns: int) -> list[Any]:
        """Take a timer: the next round, or the next attempt; nothing if it is an old one."""
        if name.startswith(ROUND):
            is_due = not self._is_under_way and name == f"{ROUND}{self._number}"
            return self.begin(now_ns, is_awaited=False) if is_due else []
        if not self._is_under_way or name != self._retry_name():
            return []
        assert self._asked is not None, "what is tried again was tried"
        return self._send(self._asked, now_ns)

    def take(self, answer: VenueAnswer, call: VenueCall, now_ns: int) -> list[Any]:
        """Return what an answer leads to: the next question, what is to be compared."""
        if answer.outcome is not Outcome.ANSWERED:
            return self.fail(call, answer.reason or str(answer.outcome), now_ns)
        if answer.kind is CallKind.OPEN_ORDERS:
            return self._take_orders(answer, call, now_ns)
        if answer.kind is CallKind.TRADES:
            return self._take_trades(answer, call, now_ns)
        holdings = VenueHoldings(
            round=self._number,
            venue=answer.venue,
            asked_ns=self._asked_ns,
            positions=answer.positions,
            balances=answer.balances,
        )
        return [holdings, *self._end(now_ns)]

    def _take_orders(self, answer: VenueAnswer, call: VenueCall, now_ns: int) -> list[Any]:
        """Take a page of the open orders; a list that lacks some is none: they are not missing."""
        if answer.is_truncated:
            return self.fail(call, "the venue does not tell all open orders", now_ns)
        self._orders += answer.orders
        if answer.has_more:
            return self._next_page(answer, call, now_ns)
        return self._question(CallKind.TRADES, self.cursor, now_ns)

    def _next_page(self, answer: VenueAnswer, call: VenueCall, now_ns: int) -> list[Any]:
        """Ask for the page after an answer; where the pages have no end, give up the round."""
        if self._pages.lead_back(call, answer):
            return [self._calls.no_end(call, now_ns), *self._end(now_ns)]
        self._attempts = 0
        return self._ask(call.kind, answer.cursor, now_ns)

    def _take_trades(self, answer: VenueAnswer, call: VenueCall, now_ns: int) -> list[Any]:
        self._trades += answer.trades
        if answer.is_truncated:
            if self._gap is None:
                self._gap = call.cursor
            self._is_truncated = True
            self.truncated_ns = now_ns
        if answer.has_more:
            return self._next_page(answer, call, now_ns)
        self.cursor = answer.cursor
        told = VenueOrders(
            round=self._number,
            venue=answer.venue,
            asked_ns=self._asked_ns,
            orders=tuple(self._orders),
            trades=tuple(self._trades),
            is_truncated=self._is_truncated,
        )
        self._trades = []
        return [told, *self._question(CallKind.ACCOUNT, "", now_ns)]

    def fail(self, call: VenueCall, why: str, now_ns: int) -> list[Any]:
        """Return what follows a question that was not answered."""
        self._attempts += 1
        if self._attempts < self._config.read_attempts:
            wait_ns = self._config.read_backoff_ns << (self._attempts - 1)
            timer = TimerFired(self._actor, self._retry_name(), now_ns + wait_ns)
            return [Later(timer, now_ns + wait_ns, not self._is_awaited)]
        text = f"{call.kind} was asked {self._attempts} times and not answered: {why}"
        return [Alarm(source=self._actor, text=text, time_ns=now_ns), *self._end(now_ns)]

    def _end(self, now_ns: int) -> list[Any]:
        self._is_under_way = False
        self._orders, self._trades = [], []
        at_ns = now_ns + self._config.reconcile_every_ns
        timer = TimerFired(self._actor, f"{ROUND}{self._number}", at_ns)
        return [Later(timer, at_ns, background=True)]

    def _retry_name(self) -> str:
        return f"{RETRY}{self._number} {self._attempts}"

    def _question(self, kind: CallKind, cursor: str, now_ns: int) -> list[Any]:
        self._attempts = 0
        self._pages = Pages()
        return self._ask(kind, cursor, now_ns)

    def _ask(self, kind: CallKind, cursor: str, now_ns: int) -> list[Any]:
        return self._send(VenueCall(number=0, kind=kind, deadline_ns=0, cursor=cursor), now_ns)

    def _send(self, call: VenueCall, now_ns: int) -> list[Any]:
        self._asked = call
        in_background = not self._is_awaited
        asked = self._calls.make(call, Purpose.ROUND, now_ns, background=in_background)
        self._asked_number = self._calls.number
        return [*asked]


def own_trades(trades: Iterable[VenueTrade], is_ours: Callable[[str], bool]) -> list[VenueTrade]:
    """Return the trades of our orders."""
    return [trade for trade in trades if is_ours(trade.client_order_id)]
