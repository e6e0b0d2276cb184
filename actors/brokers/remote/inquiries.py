"""How one order stands: asks for it, and for trades where it does not explain itself.

```
ORDER ─ found, all its trades told ─▶ how it stands
  │ ├── found, trades missing ──────▶ TRADES ─▶ how it stands, or not known yet
  │ └── not found, though it would be shown by now ▶ TRADES ─▶ gone, unless they explain it
  └──── not found ▶ not known yet (sent once more where that is safe)
```
"""

from typing import Any

import attrs

from actors.brokers.remote.calls import Calls, Pages, Purpose
from actors.brokers.remote.config import RemoteBrokerConfig
from actors.brokers.remote.rounds import Rounds
from actors.brokers.remote.tickets import Tickets
from actors.brokers.remote.wording import as_it_stands, report, report_of_trade
from actors.messages.trading import ExecutionReport, ReportKind
from actors.messages.venue import (
    CallKind,
    Outcome,
    QueryOrder,
    VenueAnswer,
    VenueCall,
    VenueOrder,
)


@attrs.define(kw_only=True)
class _Inquiry:
    """One order that is asked for, since when, and what the venue has shown of it.

    ``is_partial`` once the venue has left out some of the trades it was asked for.
    """

    query: QueryOrder
    asked_ns: int
    shown: VenueOrder | None = None
    reason: str = ""
    is_partial: bool = False
    pages: Pages = attrs.field(factory=Pages)


class Inquiries:
    """Asks how orders stand; one inquiry at a time for each."""

    def __init__(
        self, config: RemoteBrokerConfig, calls: Calls, tickets: Tickets, rounds: Rounds
    ) -> None:
        self.may_send = True
        """Whether an order may be sent once more."""
        self._config = config
        self._calls = calls
        self._tickets = tickets
        self._rounds = rounds
        self._inquiries: dict[str, _Inquiry] = {}

    def ask(self, query: QueryOrder, now_ns: int) -> list[Any]:
        """Begin an inquiry, unless one about this order is under way."""
        order_id = query.client_order_id
        if order_id in self._inquiries:
            return []
        self._inquiries[order_id] = _Inquiry(query=query, asked_ns=now_ns)
        return self._call(query, CallKind.ORDER, "", now_ns)

    def forget(self) -> None:
        """Give up all inquiries: whoever wants to know asks again."""
        self._inquiries.clear()

    def take(self, answer: VenueAnswer, call: VenueCall, now_ns: int) -> list[Any]:
        """Return what an answer leads to."""
        inquiry = self._inquiries.get(call.client_order_id)
        if inquiry is None:
            return []
        if answer.outcome is not Outcome.ANSWERED:
            return self.fail(call, answer.reason or str(answer.outcome), now_ns)
        if answer.kind is CallKind.ORDER:
            return self._take_order(answer, inquiry, now_ns)
        return self._take_trades(answer, call, inquiry, now_ns)

    def fail(self, call: VenueCall, why: str, now_ns: int) -> list[Any]:
        """Return the word that an inquiry has come to nothing."""
        inquiry = self._inquiries.pop(call.client_order_id, None)
        if inquiry is None:
            return []
        return [self._not_known(call.client_order_id, now_ns, f"{call.kind}: {why}")]

    # --- answers ---------------------------------------------------------------------------------

    def _take_order(self, answer: VenueAnswer, inquiry: _Inquiry, now_ns: int) -> list[Any]:
        query = inquiry.query
        order_id = query.client_order_id
        inquiry.shown, inquiry.reason = answer.order, answer.reason
        outputs = self._tell_trades(answer, order_id)
        if answer.order is None:
            if self._would_be_shown(inquiry):
                return outputs + self._ask_for_trades(query, now_ns)
            del self._inquiries[order_id]
            return outputs + self._not_found(answer, order_id, now_ns)
        if self._tickets.lacks_trades(answer.order, order_id):
            return outputs + self._ask_for_trades(query, now_ns)
        del self._inquiries[order_id]
        return outputs + self._tell_how_it_stands(inquiry, now_ns)

    def _take_trades(
        self, answer: VenueAnswer, call: VenueCall, inquiry: _Inquiry, now_ns: int
    ) -> list[Any]:
        query = inquiry.query
        order_id = query.client_order_id
        outputs = self._tell_trades(answer, order_id)
        inquiry.is_partial = inquiry.is_partial or answer.is_truncated
        if answer.has_more and inquiry.pages.lead_back(call, answer):
            alarm = self._calls.no_end(call, now_ns)
            return [*outputs, *self.fail(call, "its pages have no end", now_ns), alarm]
        if answer.has_more:
            return outputs + self._call(query, CallKind.TRADES, answer.cursor, now_ns)
        del self._inquiries[order_id]
        shown = inquiry.shown
        if shown is not None and not self._tickets.lacks_trades(shown, order_id):
            return outputs + self._tell_how_it_stands(inquiry, now_ns)
        if shown is not None:
            why = "it has traded, but its trades are not told yet"
            return [*outputs, self._not_known(order_id, now_ns, why)]
        if inquiry.is_partial:
            why = "the venue does not tell all its trades"
            outputs.append(self._not_known(order_id, now_ns, why))
            return outputs + self._send_again(order_id, now_ns)
        return outputs + self._gone(order_id, now_ns)

    def _tell_trades(self, answer: VenueAnswer, order_id: str) -> list[ExecutionReport]:
        own = [trade for trade in answer.trades if trade.client_order_id == order_id]
        return self._told([report_of_trade(trade, order_id) for trade in own])

    def _tell_how_it_stands(self, inquiry: _Inquiry, now_ns: int) -> list[ExecutionReport]:
        shown = inquiry.shown
        assert shown is not None, "what is not shown does not stand"
        order_id = inquiry.query.client_order_id
        ticket = self._tickets.get(order_id)
        is_settled = False
        if ticket is not None and not self._calls.waits_for(CallKind.REPLACE, order_id):
            is_settled = inquiry.asked_ns - ticket.wanted_ns >= self._config.settled_ns

        def say(kind: ReportKind, reason: str) -> ExecutionReport:
            return report(order_id, kind, (self._config.traits.name, now_ns), reason)

        return self._told(as_it_stands(shown, inquiry.reason, ticket, say, is_settled=is_settled))

    # --- orders that are not shown ---------------------------------------------------------------

    def _would_be_shown(self, inquiry: _Inquiry) -> bool:
        hidden_ns = self._config.traits.hides_at_most_ns
        if hidden_ns is None:
            return False
        ticket = self._tickets.get(inquiry.query.client_order_id)
        sent_ns = inquiry.query.sent_ns
        if ticket is not None:
            sent_ns = max(sent_ns, ticket.sent_ns)
        return inquiry.asked_ns - sent_ns >= hidden_ns

    def _ask_for_trades(self, query: QueryOrder, now_ns: int) -> list[Any]:
        """Ask for all trades that may be the order's and were not told in a comparison."""
        cursor = self._rounds.cursor_for(query.sent_ns)
        return self._call(query, CallKind.TRADES, cursor, now_ns)

    def _not_found(self, answer: VenueAnswer, order_id: str, now_ns: int) -> list[Any]:
        why = answer.reason or "the venue does not know it now"
        return [self._not_known(order_id, now_ns, why), *self._send_again(order_id, now_ns)]

    def _send_again(self, order_id: str, now_ns: int) -> list[Any]:
        """Send an order once more under its id, where the venue makes one of two."""
        ticket = self._tickets.get(order_id)
        if ticket is None or not (self.may_send and self._config.traits.idempotent_submit):
            return []
        if ticket.is_shown or ticket.is_unwanted or self._calls.waits_for(CallKind.PLACE, order_id):
            return []
        order = ticket.order
        if order.expire_time_ns and now_ns >= order.expire_time_ns:
            return []
        ticket.was_repeated = True
        ticket.sent_ns = now_ns
        call = VenueCall(
            number=0,
            kind=CallKind.PLACE,
            deadline_ns=0,
            client_order_id=order_id,
            instrument=order.instrument,
            order=order,
        )
        return [*self._calls.make(call, Purpose.WRITE, now_ns)]

    def _gone(self, order_id: str, now_ns: int) -> list[ExecutionReport]:
        """Return that an order is over, unless a call that is on its way may still tell more."""
        ticket = self._tickets.get(order_id)
        if ticket is not None and self._calls.waits_for(CallKind.PLACE, order_id):
            return [self._not_known(order_id, now_ns, "it is being sent")]
        why = "the venue does not know it, nor trades of it"
        told = (self._config.traits.name, now_ns)
        return self._told([report(order_id, ReportKind.GONE, told, why)])

    def _not_known(self, order_id: str, now_ns: int, why: str) -> ExecutionReport:
        told = (self._config.traits.name, now_ns)
        return report(order_id, ReportKind.NOT_FOUND, told, why)

    def _told(self, reports: list[ExecutionReport]) -> list[ExecutionReport]:
        for each in reports:
            self._tickets.note(each)
        return reports

    def _call(self, query: QueryOrder, kind: CallKind, cursor: str, now_ns: int) -> list[Any]:
        call = VenueCall(
            number=0,
            kind=kind,
            deadline_ns=0,
            client_order_id=query.client_order_id,
            instrument=query.instrument,
            cursor=cursor,
        )
        return [*self._calls.make(call, Purpose.INQUIRY, now_ns)]
