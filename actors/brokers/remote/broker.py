"""The remote broker: turns requests into calls, and what a venue says into reports.

What was answered is reported; what was not, is reported as lost, never guessed. It keeps no
position and decides nothing about orders: who asks is the order manager, who knows is the venue.
"""

from collections.abc import Iterable
from typing import Any

from actors.actor import Context
from actors.brokers.remote.calls import DEADLINE, Calls, InFlight, Purpose
from actors.brokers.remote.config import RemoteBrokerConfig
from actors.brokers.remote.inquiries import Inquiries
from actors.brokers.remote.rounds import Rounds, own_trades
from actors.brokers.remote.tickets import Tickets
from actors.brokers.remote.wording import (
    REFUSALS,
    answer_to_write,
    lost,
    report,
    report_of_trade,
)
from actors.messages.account import CloseOut
from actors.messages.reconciliation import Reconcile, VenueOrders
from actors.messages.slices import MarketData
from actors.messages.system import CancelAllAtVenue, HaltLifted, Resumed, TimerFired
from actors.messages.trading import (
    CancelPlacedOrder,
    ExecutionReport,
    PlaceOrder,
    ReplacePlacedOrder,
    ReportKind,
)
from actors.messages.venue import (
    CallKind,
    Outcome,
    QueryOrder,
    VenueAnswer,
    VenueCall,
    VenueNews,
)
from actors.model.halts import Halts
from actors.model.order import Order

_NOT_SENT = "not sent: "
_REQUESTS = (PlaceOrder, CancelPlacedOrder, ReplacePlacedOrder)
_OF_CHANGES = (ReportKind.REPLACED, ReportKind.REPLACE_REJECTED)


class RemoteBroker:
    """Speaks to one venue through its link.

    Attributes:
        halted: Why no order may leave; None if they may.
    """

    def __init__(self, context: Context, config: RemoteBrokerConfig) -> None:
        self.halted: str | None = None
        self._halts = Halts()
        self._actor = context.actor
        self._config = config
        self._venue = config.traits.name
        self._calls = Calls(context.actor, config.request_timeout_ns)
        self._tickets = Tickets(context.run_id)
        self._rounds = Rounds(context.actor, config, self._calls)
        self._inquiries = Inquiries(config, self._calls, self._tickets, self._rounds)
        self._resumed_from_ns = 0
        self._last_number_before = 0
        """Of the calls that earlier processes have made."""

    @property
    def open_tickets(self) -> int:
        """Return how many orders are remembered because they are not over."""
        return len(self._tickets)

    @property
    def round(self) -> int:
        """Return the number of the latest comparison that has begun; 0 before the first."""
        return self._rounds.number

    # --- core ------------------------------------------------------------------------------------

    def start(self, now_ns: int) -> list[Any]:
        """Return the first question of the first comparison; nothing if there was one before."""
        return [] if self._rounds.has_begun else self._rounds.begin(now_ns)

    def stop(self, now_ns: int) -> list[Any]:
        """Return nothing: what is to be cancelled at the end is the system's to say."""
        return []

    def handle(self, message: Any, now_ns: int) -> list[Any]:
        """Return calls and reports."""
        if isinstance(message, VenueNews):
            return self._take_news(message)
        if isinstance(message, VenueAnswer):
            return self._take_answer(message, now_ns)
        if isinstance(message, TimerFired):
            return self._tick(message.name, now_ns)
        if isinstance(message, _REQUESTS):
            return self._take_request(message, now_ns)
        return self._take_word(message, now_ns)

    def recover(self, history: Iterable[tuple[str, Any]]) -> None:
        """Rebuild by handling once more what was received, at the times at which it was.

        The first question of all was asked at the start: it is found among what was sent.
        """
        now_ns = 0
        for direction, message in history:
            if direction == "at":
                now_ns = message
            elif direction == "received":
                self.handle(message, now_ns)
            elif isinstance(message, VenueCall) and message.number > self._calls.number:
                self.start(now_ns)

    # --- requests --------------------------------------------------------------------------------

    def _take_request(
        self, request: PlaceOrder | CancelPlacedOrder | ReplacePlacedOrder, now_ns: int
    ) -> list[Any]:
        if isinstance(request, PlaceOrder):
            return self._place(request.order, now_ns)
        if isinstance(request, ReplacePlacedOrder):
            return self._replace(request.order, now_ns)
        return self._cancel(request, now_ns)

    def _place(self, order: Order, now_ns: int) -> list[Any]:
        refusal = self._reason_not_to_send(order)
        if refusal is not None:
            return [self._say(order.client_order_id, ReportKind.REJECTED, now_ns, refusal)]
        self._tickets.open(order, now_ns)
        return self._write(CallKind.PLACE, order, now_ns)

    def _reason_not_to_send(self, order: Order) -> str | None:
        if self.halted is not None:
            return f"{_NOT_SENT}halted: {self.halted}"
        missing = self._config.capabilities.missing(order)
        if missing is not None:
            return f"{_NOT_SENT}{missing}"
        # parts and exits were approved with what they belong to, and leave when it is their turn
        has_turn = bool(order.parent) or "/" in order.client_order_id
        if 0 < order.created_ns <= self._resumed_from_ns and not has_turn:
            return f"{_NOT_SENT}approved before the restart"
        return None

    def _replace(self, order: Order, now_ns: int) -> list[Any]:
        order_id = order.client_order_id
        refusal = None
        if self.halted is not None:
            refusal = f"halted: {self.halted}"
        elif not self._config.capabilities.replace:
            refusal = "the venue does not change orders"
        if refusal is not None:
            why = f"{_NOT_SENT}{refusal}"
            return [self._say(order_id, ReportKind.REPLACE_REJECTED, now_ns, why)]
        calls = self._write(CallKind.REPLACE, order, now_ns)
        ticket = self._tickets.get(order_id)
        if ticket is not None:
            ticket.wanted, ticket.wanted_ns, ticket.change = order, now_ns, self._calls.number
        return calls

    def _cancel(self, request: CancelPlacedOrder, now_ns: int) -> list[Any]:
        order_id = request.client_order_id
        if self.halted is None and self._calls.waits_for(CallKind.CANCEL, order_id):
            return []  # one answer does for both
        ticket = self._tickets.get(order_id)
        if ticket is not None:
            ticket.is_unwanted = True
        call = VenueCall(
            number=0,
            kind=CallKind.CANCEL,
            deadline_ns=0,
            client_order_id=order_id,
            instrument=request.instrument,
        )
        return [*self._calls.make(call, Purpose.WRITE, now_ns)]

    def _write(self, kind: CallKind, order: Order, now_ns: int) -> list[Any]:
        call = VenueCall(
            number=0,
            kind=kind,
            deadline_ns=0,
            client_order_id=order.client_order_id,
            instrument=order.instrument,
            order=order,
        )
        return [*self._calls.make(call, Purpose.WRITE, now_ns)]

    # --- answers, news ---------------------------------------------------------------------------

    def _take_answer(self, answer: VenueAnswer, now_ns: int) -> list[Any]:
        flight = self._calls.take(answer.number)
        if answer.kind in REFUSALS:
            return self._answer_to_write(answer, flight, now_ns)
        if flight is None:
            return []  # a question that was given up
        if flight.purpose is Purpose.INQUIRY:
            return self._inquiries.take(answer, flight.call, now_ns)
        return self._noted(self._rounds.take(answer, flight.call, now_ns))

    def _answer_to_write(
        self, answer: VenueAnswer, flight: InFlight | None, now_ns: int
    ) -> list[Any]:
        """Return the reports on a request; an answer that comes too late is news all the same."""
        order_id = answer.client_order_id
        if answer.outcome is Outcome.LOST:
            why = answer.reason or "the answer is lost"
            return [] if flight is None else [lost(flight, self._venue, now_ns, why)]
        if answer.outcome is Outcome.NOT_SENT and answer.number <= self._last_number_before:
            return []  # not by this process: the earlier one may have sent it
        if answer.outcome is not Outcome.ANSWERED:
            return self._refused(answer, now_ns)
        reports = [report_of_trade(trade, order_id) for trade in answer.trades]
        self._note(reports)
        is_old = self._tickets.is_of_old_change(answer)
        if answer.order is None:
            why = "the venue does not know it"
            return [*reports, self._say(order_id, ReportKind.NOT_FOUND, now_ns, why)]
        ticket = self._tickets.get(order_id)
        if ticket is not None:
            ticket.is_shown = True
            if self._tickets.lacks_trades(answer.order, order_id):
                query = QueryOrder(
                    client_order_id=order_id,
                    instrument=answer.order.instrument,
                    sent_ns=ticket.sent_ns,
                )
                early: list[Any] = []
                if answer.kind is CallKind.REPLACE and not is_old:
                    early = self._note([self._answered(answer, ReportKind.REPLACED)])
                return [*reports, *early, *self._inquiries.ask(query, now_ns)]

        def say(kind: ReportKind, reason: str) -> ExecutionReport:
            return report(order_id, kind, (answer.venue, answer.venue_time_ns), reason)

        told = answer_to_write(answer, answer.order, say)
        if is_old:
            told = [each for each in told if each.kind is not ReportKind.REPLACED]
        return [*reports, *self._note(told)]

    def _refused(self, answer: VenueAnswer, now_ns: int) -> list[Any]:
        """Return the report of a request that the venue refuses, or that has not left."""
        order_id = answer.client_order_id
        reason = answer.reason
        if answer.outcome is Outcome.NOT_SENT:
            reason = f"{_NOT_SENT}{reason}"
        if answer.kind is CallKind.PLACE:
            ticket = self._tickets.get(order_id)
            if ticket is None:
                return []  # it is over: its end was told
            if ticket.is_shown or ticket.was_repeated:
                # of two that were sent under one id this one was refused; the other may work
                return [self._say(order_id, ReportKind.NOT_FOUND, now_ns, reason)]
        if self._tickets.is_of_old_change(answer):
            return []
        kind = REFUSALS[answer.kind]
        refused = report(order_id, kind, (answer.venue, answer.venue_time_ns), reason)
        return self._note([refused])

    def _take_news(self, news: VenueNews) -> list[Any]:
        """Return the reports on our orders; the rest waits for the next comparison.

        What has become of a change is told by the answer to it, or found by asking: news do not say
        which change they mean.
        """
        trades = own_trades(news.trades, self._tickets.is_ours)
        reports = [report_of_trade(trade, trade.client_order_id) for trade in trades]
        reports += [
            each
            for each in news.reports
            if each.kind not in _OF_CHANGES and self._tickets.is_ours(each.client_order_id)
        ]
        return self._note(reports)

    def _noted(self, outputs: list[Any]) -> list[Any]:
        """Take notice of the trades that a comparison has brought."""
        for each in outputs:
            if isinstance(each, VenueOrders):
                trades = own_trades(each.trades, self._tickets.is_ours)
                self._note([report_of_trade(trade, trade.client_order_id) for trade in trades])
        return outputs

    def _note(self, reports: list[ExecutionReport]) -> list[Any]:
        for each in reports:
            self._tickets.note(each)
        return [*reports]

    # --- timers, the system's word ---------------------------------------------------------------

    def _tick(self, name: str, now_ns: int) -> list[Any]:
        if not name.startswith(DEADLINE):
            return self._rounds.tick(name, now_ns)
        flight = self._calls.take(int(name.removeprefix(DEADLINE)))
        if flight is None:
            return []
        why = "no answer in time"
        match flight.purpose:
            case Purpose.WRITE:
                return [lost(flight, self._venue, now_ns, why)]
            case Purpose.INQUIRY:
                return self._inquiries.fail(flight.call, why, now_ns)
            case Purpose.ROUND:
                return self._rounds.fail(flight.call, why, now_ns)

    def _take_word(self, message: Any, now_ns: int) -> list[Any]:
        match message:
            case QueryOrder():
                return self._inquiries.ask(message, now_ns)
            case Reconcile():
                return self._rounds.begin(now_ns)
            case Resumed():
                return self._resume(message, now_ns)
            case CancelAllAtVenue():
                self._halts.add(message.cause)
                self._heed()
            case HaltLifted():
                self._halts.lift(message.cause)
                self._heed()
            case MarketData() | CloseOut():
                pass  # a simulated venue's
            case _:
                raise TypeError(f"a remote broker does not take {type(message).__name__}")
        return []

    def _heed(self) -> None:
        self.halted = self._halts.cause
        self._inquiries.may_send = self.halted is None

    def _resume(self, resumed: Resumed, now_ns: int) -> list[Any]:
        """Go on in a new process: nobody will answer what the earlier one has asked.

        A halt that lasts is told again, by the kill switch when it starts; that everything was
        cancelled when the earlier process ended is over with it.
        """
        self._halts.forget()
        self._heed()
        self._resumed_from_ns = resumed.last_ns
        self._last_number_before = self._calls.number
        self._inquiries.forget()
        why = "the process that waited for the answer has ended"
        reports = [
            lost(flight, self._venue, now_ns, why)
            for flight in self._calls.take_all()
            if flight.purpose is Purpose.WRITE
        ]
        return [*reports, *self._rounds.begin(now_ns)]

    def _say(self, order_id: str, kind: ReportKind, now_ns: int, reason: str) -> ExecutionReport:
        return report(order_id, kind, (self._venue, now_ns), reason)

    def _answered(self, answer: VenueAnswer, kind: ReportKind) -> ExecutionReport:
        told = (answer.venue, answer.venue_time_ns)
        return report(answer.client_order_id, kind, told, answer.reason)
