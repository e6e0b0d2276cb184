"""A venue that exists only here: its order desk, and the way there and back."""

from collections.abc import Iterable
from typing import Any, assert_never

from actors.actor import Context, Later
from actors.brokers.desk import Desk
from actors.brokers.market.venue_market import VenueMarket
from actors.brokers.matching.matcher import Matcher
from actors.brokers.open_orders.open_orders import OpenOrder
from actors.brokers.our_side import OurSide
from actors.brokers.recovery import Past, held_orders
from actors.brokers.venue_terms import EVERYTHING, VenueTerms
from actors.messages.account import CloseOut
from actors.messages.slices import MarketData, Slice
from actors.messages.system import CancelAllAtVenue, HaltLifted, Resumed, TimerFired
from actors.messages.trading import (
    CancelArrived,
    CancelPlacedOrder,
    ExecutionReport,
    OrderArrived,
    PlaceOrder,
    ReplaceArrived,
    ReplacePlacedOrder,
    ReportKind,
)
from actors.model.halts import Halts
from actors.model.instrument import Instruments
from actors.model.order import Order, TimeInForce
from actors.model.recent import RecentIds

BrokerInput = (
    PlaceOrder
    | OrderArrived
    | ReplacePlacedOrder
    | ReplaceArrived
    | CancelPlacedOrder
    | CancelArrived
    | CancelAllAtVenue
    | CloseOut
    | HaltLifted
    | Resumed
    | TimerFired
    | MarketData
)
BrokerOutput = ExecutionReport | Later

_GTD = TimeInForce.GTD
_OUT = "the venue is out of reach"
_EXPIRE = "expire "
"""Begins the name of the timer that ends an order at the venue; the rest is the order's id."""


class Venue:
    """The broker of a simulated venue, which is the venue itself.

    An order that comes twice is not heard again; an order that finds no price waits for one, unless
    it is IOC, FAK or FOK. A GTD order ends at its time by a timer. A resolution ends all orders of
    its instrument, and refuses new ones; ``CancelAllAtVenue`` does so for every instrument, without
    latency, until the halt is lifted. DOWN and UP of a feed say nothing of the venue: orders go on
    matching the last known prices.
    """

    def __init__(
        self,
        context: Context,
        instruments: Instruments,
        matcher: Matcher,
        terms: VenueTerms,
    ) -> None:
        self._actor = context.actor
        self._random = context.random
        self._latency = terms.latency
        self._regimes = terms.regimes
        self._settlement = terms.settlement
        self._instruments = instruments
        self._desk = Desk(instruments, matcher, terms.regimes)
        self._arrived = RecentIds()
        self._closures = Halts()
        self._told: set[str] | None = None
        """Of the trades that its own market knew before it inherited another, all were told."""
        self._our_side: OurSide | None = None
        if terms.capabilities != EVERYTHING:
            self._our_side = OurSide(self._actor, instruments, self._desk, terms)
        self.market = matcher.market
        """What the venue shows; the next incarnation inherits it."""

    def open_orders(self) -> list[OpenOrder]:
        """Return what the venue holds, by instrument and side, in the order of trading."""
        return self._desk.open_orders()

    # --- core --------------------------------------------------------------------------------

    def start(self, now_ns: int) -> list[BrokerOutput]:
        """Return nothing: orders come from outside."""
        return []

    def stop(self, now_ns: int) -> list[BrokerOutput]:
        """Return nothing: the venue goes on without us."""
        return []

    def handle(self, message: BrokerInput, now_ns: int) -> list[BrokerOutput]:
        """Return the venue's reports, or what is on its way to or from it."""
        if isinstance(message, PlaceOrder):  # every order: outside of ``match``, which is slower
            return self._send_in(message.order, now_ns)
        if isinstance(message, CancelPlacedOrder | CancelArrived):
            return self._cancel(message, now_ns)
        match message:
            case OrderArrived():
                return self._arrive(message.order, now_ns)
            case ReplacePlacedOrder() | ReplaceArrived():
                return self._replace(message, now_ns)
            case CancelAllAtVenue():
                return self._close(message.cause, now_ns)
            case TimerFired():
                return self._expire(message.name, now_ns)
            case MarketData():
                return self._pass_rows(message.rows)
            case CloseOut() | HaltLifted() | Resumed():
                return self._take_word(message)
            case _:
                assert_never(message)

    def _take_word(self, word: CloseOut | HaltLifted | Resumed) -> list[BrokerOutput]:
        """Take notice of where the run is; a new process sets the timers of the one before."""
        if isinstance(word, CloseOut):
            self._desk.matcher.end()
            return []
        if isinstance(word, HaltLifted):
            self._closures.lift(word.cause)
            self._desk.closed = self._closures.cause
            return []
        self._closures.forget()  # what lasts, the kill switch tells again
        self._desk.closed = None
        self._desk.matcher.go_on()
        ending = [held.order for held in self._desk.open_orders()]
        own = [
            self._timer(each.client_order_id, each.expire_time_ns)
            for each in ending
            if each.time_in_force is _GTD
        ]
        return [*own, *([] if self._our_side is None else self._our_side.timers())]

    def _close(self, cause: str, now_ns: int) -> list[BrokerOutput]:
        """End every order, here and there, and take no more."""
        here = [] if self._our_side is None else self._our_side.close(cause, now_ns)
        there = self._desk.close(cause, now_ns)
        self._closures.add(cause)
        self._desk.closed = self._closures.cause
        return [*here, *self._send(there, now_ns)]

    def inherit(self, market: VenueMarket) -> None:
        """Take over the market as the incarnation before knew it: a crash is not the venue's."""
        self._told = self.market.trade_ids() if self._told is None else self._told
        self.market = self._desk.matcher.market = market

    def recover(self, history: Iterable[tuple[str, Any]]) -> None:
        """Rebuild the open orders from what was received and sent since what is known."""
        told = self.market.trade_ids() if self._told is None else self._told
        past = held_orders(history, self._past())
        self.market.keep_trades(told | past.trade_ids)
        self._told = None
        self._desk.forget()
        for held in past.held:
            self._desk.restore(held)
        self._desk.keep_queues()
        self._desk.closed = past.closed
        if past.has_ended:
            self._desk.matcher.end()
        if self._our_side is not None:
            self._our_side.restore(past.held_here)
        charges = self._desk.matcher.reporter.charges
        charges.restore(
            (order, self._instruments[self._instruments.index(order.instrument)], said)
            for order, said in past.trades
        )

    def _past(self) -> Past:
        """Return what is open, for :func:`held_orders` to go on from."""
        side, held, closures = self._our_side, self._desk.held(), self._closures
        if side is None:
            return Past(held=held, arrived=self._arrived, closures=closures)
        return Past(
            held=held,
            held_here=side.held(),
            sent=side.sent,
            arrived=self._arrived,
            closures=closures,
        )

    # --- the way there and back --------------------------------------------------------------

    def _send_in(self, order: Order, now_ns: int) -> list[BrokerOutput]:
        """Send an order on its way to the venue."""
        if self._our_side is not None:
            return self._prepare(self._our_side, order, now_ns)
        delay = self._latency.submit_delay(now_ns, self._random)
        if delay:
            return [Later(OrderArrived(order=order), now_ns + delay)]
        return self._arrive(order, now_ns)

    def _prepare(self, side: OurSide, order: Order, now_ns: int) -> list[BrokerOutput]:
        """Do on our side what the venue cannot do, and send the rest."""
        reports, order_out, timers = side.place(order, now_ns)
        outputs: list[BrokerOutput] = [*reports, *timers]
        if order_out is not None:
            outputs.append(self._on_its_way(order_out, now_ns))
        return outputs

    def _on_its_way(self, order: Order, now_ns: int) -> Later:
        delay = self._latency.submit_delay(now_ns, self._random)
        return Later(OrderArrived(order=order), now_ns + delay)

    def _arrive(self, order: Order, now_ns: int) -> list[BrokerOutput]:
        """Hand an order to the desk; one that comes twice is not heard again."""
        order_id = order.client_order_id
        if not self._arrived.add(order_id):
            return []
        reason = None if self._regimes is None else self._turned_away(order_id, now_ns)
        if reason is not None:
            return self._refuse(ReportKind.REJECTED, order_id, now_ns, reason)
        reports = self._desk.place(order, now_ns)
        if not order.expire_time_ns:
            return self._send(reports, now_ns)
        if order.time_in_force is not _GTD and order.expire_time_ns <= now_ns:
            reports += self._desk.expire(order_id, now_ns)  # our cancel has missed it on its way
        outputs = self._send(reports, now_ns)
        if order.time_in_force is _GTD and self._desk.get(order_id) is not None:
            outputs.append(self._timer(order_id, order.expire_time_ns))
        return outputs

    def _cancel(
        self, message: CancelPlacedOrder | CancelArrived, now_ns: int
    ) -> list[BrokerOutput]:
        order_id = message.client_order_id
        if isinstance(message, CancelPlacedOrder):
            if self._our_side is not None:
                report = self._our_side.cancel(order_id, now_ns)
                if report is not None:
                    return [report]
            delay = self._latency.cancel_delay(now_ns, self._random)
            if delay:
                arrival = CancelArrived(client_order_id=order_id, instrument=message.instrument)
                return [Later(arrival, now_ns + delay)]
        if self._regimes is not None and self._is_out(now_ns):
            return self._refuse(ReportKind.CANCEL_REJECTED, order_id, now_ns, _OUT)
        return self._send([self._desk.cancel(order_id, now_ns)], now_ns)

    def _replace(
        self, message: ReplacePlacedOrder | ReplaceArrived, now_ns: int
    ) -> list[BrokerOutput]:
        """Change an order; the change is on its way as long as a cancel."""
        order = message.order
        if isinstance(message, ReplacePlacedOrder):
            if self._our_side is not None:
                answer = self._our_side.replace(order, now_ns)
                if not isinstance(answer, Order):
                    reports, woken = answer
                    out = [] if woken is None else [self._on_its_way(woken, now_ns)]
                    return [*reports, *out]
                order = answer
            delay = self._latency.cancel_delay(now_ns, self._random)
            if delay:
                return [Later(ReplaceArrived(order=order), now_ns + delay)]
        if self._regimes is not None and self._is_out(now_ns):
            order_id = order.client_order_id
            return self._refuse(ReportKind.REPLACE_REJECTED, order_id, now_ns, _OUT)
        return self._send(self._desk.replace(order, now_ns), now_ns)

    def _expire(self, name: str, now_ns: int) -> list[BrokerOutput]:
        """End an order whose time is over."""
        if name.startswith(_EXPIRE):
            return self._send(self._desk.expire(name.removeprefix(_EXPIRE), now_ns), now_ns)
        if self._our_side is None:
            return []
        order_id, reports = self._our_side.expire(name, now_ns)
        if order_id is None:
            return [*reports]
        delay = self._latency.cancel_delay(now_ns, self._random)
        return [self._timer(order_id, now_ns + delay)]

    def _is_out(self, now_ns: int) -> bool:
        """Return whether the venue is out of reach; note whether it is halted."""
        assert self._regimes is not None, "only asked where there are regimes"
        condition = self._regimes.state_at(now_ns)
        self._desk.is_halted = condition.halted
        return condition.outage

    def _turned_away(self, order_id: str, now_ns: int) -> str | None:
        """Return why an order is not heard at this moment, or None."""
        assert self._regimes is not None, "only asked where there are regimes"
        if self._is_out(now_ns):
            return _OUT
        return "rejected by chance" if self._regimes.rejects(order_id, now_ns) else None

    def _refuse(
        self, kind: ReportKind, order_id: str, now_ns: int, reason: str
    ) -> list[BrokerOutput]:
        report = self._desk.matcher.reporter.say(kind, order_id, now_ns, reason)
        return self._send([report], now_ns)

    def _timer(self, order_id: str, at_ns: int) -> Later:
        """Return the timer that ends an order at the venue; no run waits for it."""
        fired = TimerFired(self._actor, f"{_EXPIRE}{order_id}", at_ns)
        return Later(fired, at_ns, background=True)

    def _send(self, reports: list[ExecutionReport], now_ns: int) -> list[BrokerOutput]:
        if not reports:
            return []
        delay = self._latency.report_delay(now_ns, self._random)
        outputs: list[BrokerOutput] = [*reports]
        if delay:
            outputs = [Later(report, now_ns + delay) for report in reports]
        if self._settlement is not None:
            outputs += self._settlement.plan(reports, now_ns + delay)
        return outputs

    # --- market rows -------------------------------------------------------------------------

    def advance(self, rows: Slice, stop: int) -> None:
        """Take notice of the rows before ``stop``."""
        self.market.advance(rows, stop)

    def look(self, rows: Slice, start: int, stop: int) -> int:
        """Return the first row in ``[start, stop)`` that may move an open order, or ``stop``."""
        stop = self._desk.look(rows, start, stop)
        if self._our_side is not None:
            stop = self._our_side.look(rows, start, stop)
        return stop

    def react(self, rows: Slice, row: int, now_ns: int) -> list[BrokerOutput]:
        """Match the open orders of a row's instrument against it."""
        outputs = self._send(self._desk.react(rows, row, now_ns), now_ns)
        if self._our_side is not None:
            reports, woken = self._our_side.react(rows, row, now_ns)
            outputs += reports
            outputs += [self._on_its_way(order, now_ns) for order in woken]
        return outputs

    def _pass_rows(self, rows: Slice) -> list[BrokerOutput]:
        """Take rows as they arrive, each at its own time."""
        outputs: list[BrokerOutput] = []
        start, stop = 0, len(rows)
        times = rows.times()
        while start < stop:
            row = self.look(rows, start, stop)
            if row == stop:
                break
            self.advance(rows, row + 1)
            outputs += self.react(rows, row, times[row])
            start = row + 1
        self.advance(rows, stop)
        return outputs
