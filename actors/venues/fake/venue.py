"""The fake venue: the far end and the link to it in one actor.

It keeps books of its own and behaves: orders fare by their ids, not by what else happens, so that a
run in which somebody crashes meets the same venue as the run in which nobody does. What goes wrong
between it and us (:class:`~actors.venues.fake.config.FakeFaults`) never goes wrong in its books.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgspec

from actors.actor import Context, Later
from actors.messages.system import CancelAllAtVenue, Halt, HaltLifted, Resumed, TimerFired
from actors.messages.trading import ExecutionReport, ReportKind
from actors.messages.venue import CallKind, Outcome, VenueAnswer, VenueCall, VenueNews
from actors.model.order import Order, OrderStatus, OrderType, TimeInForce
from actors.venues.fake.books import FakeBooks, FakeLedger, FakeOrder
from actors.venues.fake.chance import Chance
from actors.venues.fake.config import FakeVenueConfig
from actors.venues.fake.fates import Fate, fate_of, first_part, may_rest
from actors.venues.fake.questions import Questions
from actors.venues.fake.troubles import Trouble, Troubles
from actors.venues.link_gate import LinkGate

_KINDS = (OrderType.MARKET, OrderType.LIMIT, OrderType.POST_ONLY)
_FILL = "fill "
_LATE = "late "
_EXPIRE = "expire "


class FakeVenue:
    """Answers calls, tells news, keeps the true books.

    Everything it knows follows from what it was asked, and when: a fresh one that is shown the same
    history is the same venue.
    """

    def __init__(self, context: Context, config: FakeVenueConfig) -> None:
        self._actor = context.actor
        self._config = config
        self._chance = Chance(config.seed or 0)
        self._gate = LinkGate()
        self._books = FakeBooks(config)
        self._questions = Questions(self._books, config, self._chance)
        self._troubles = Troubles(config, self._chance)
        self._external = 0

    def ledger(self) -> FakeLedger:
        """Return the true books as they are now."""
        return self._books.ledger()

    # --- core ------------------------------------------------------------------------------------

    def start(self, now_ns: int) -> list[Any]:
        """Return nothing: a venue waits to be asked."""
        return []

    def stop(self, now_ns: int) -> list[Any]:
        """Return nothing: a venue lives on."""
        return []

    def handle(self, message: Any, now_ns: int) -> list[Any]:
        """Return answers, news and timers."""
        if isinstance(message, VenueCall):
            return self._take_call(message, now_ns)
        if isinstance(message, TimerFired):
            return self._tick(message.name, now_ns)
        if isinstance(message, Halt | HaltLifted | Resumed):
            self._gate.take(message)
            return []
        if isinstance(message, CancelAllAtVenue):
            return [] if self._troubles.is_out(now_ns) else self._cancel_all(now_ns)
        raise TypeError(f"a venue does not take {type(message).__name__}")

    def recover(self, history: Iterable[tuple[str, Any]]) -> None:
        """Rebuild by doing once more what was asked, at the times at which it was."""
        now_ns = 0
        for direction, message in history:
            if direction == "at":
                now_ns = message
            elif direction == "received":
                self.handle(message, now_ns)

    # --- calls -----------------------------------------------------------------------------------

    def _take_call(self, call: VenueCall, now_ns: int) -> list[Any]:
        refusal = self._gate.refusal(call, now_ns)
        if refusal is not None:
            return [self._answer(call, now_ns, Outcome.NOT_SENT, refusal)]
        trouble = self._troubles.of_call(call, now_ns)
        if trouble is Trouble.NEVER_ARRIVES:
            return []
        if trouble is Trouble.REFUSED:
            return [self._send(self._answer(call, now_ns, Outcome.REFUSED, "too many"), now_ns)]
        error = self._answer(call, now_ns, Outcome.LOST, "503 service unavailable")
        if trouble is Trouble.ERROR_AND_NOTHING_DONE:
            return [self._send(error, now_ns)]
        outputs: list[Any] = []
        answer = self._obey(call, now_ns, outputs)
        if trouble is Trouble.SILENCE:
            return outputs
        if trouble is Trouble.ERROR_BUT_DONE:
            answer = error
        if trouble is Trouble.LATE:
            at_ns = max(now_ns, call.deadline_ns) + self._config.faults.late_by_ns
            # nobody waits for answers to old questions; what was done is news all the same
            return [*outputs, Later(answer, at_ns, background=not call.kind.is_write)]
        return [*outputs, self._send(answer, now_ns)]

    def _obey(self, call: VenueCall, now_ns: int, outputs: list[Any]) -> VenueAnswer:
        match call.kind:
            case CallKind.PLACE:
                return self._place(call, now_ns, outputs)
            case CallKind.CANCEL:
                return self._cancel(call, now_ns, outputs)
            case CallKind.REPLACE:
                return self._replace(call, now_ns, outputs)
            case CallKind.CANCEL_ALL:
                outputs += self._cancel_all(now_ns)
                return self._answer(call, now_ns)
            case _:
                return self._questions.answer(call, self._answer(call, now_ns))

    def _answer(
        self,
        call: VenueCall,
        now_ns: int,
        outcome: Outcome = Outcome.ANSWERED,
        reason: str = "",
        held: FakeOrder | None = None,
    ) -> VenueAnswer:
        return VenueAnswer(
            number=call.number,
            kind=call.kind,
            outcome=outcome,
            venue=self._config.name,
            venue_time_ns=now_ns,
            client_order_id=call.client_order_id,
            reason=reason,
            order=None if held is None else held.shown(),
        )

    def _send(self, message: VenueAnswer | VenueNews, at_ns: int) -> Any:
        latency_ns = self._config.habits.latency_ns
        return Later(message, at_ns + latency_ns)

    # --- orders ----------------------------------------------------------------------------------

    def _place(self, call: VenueCall, now_ns: int, outputs: list[Any]) -> VenueAnswer:
        order = call.order
        assert order is not None, "a call to place has an order"
        books = self._books
        books.places_after_halt += self._gate.cause is not None
        known = books.orders.get(order.client_order_id)
        if known is not None:
            return self._placed_again(call, known, now_ns)
        books.note_placed(order)
        fate = fate_of(order, self._config.habits, self._chance)
        reason = self._refusal(order, now_ns)
        if reason is None and fate is Fate.REJECT:
            reason = "not enough funds, it says"
        if reason is not None:
            held = books.add(order, Fate.REJECT, now_ns)
            held.status, held.reason = OrderStatus.REJECTED, reason
            return self._answer(call, now_ns, Outcome.REFUSED, reason)
        shown_ns = self._troubles.shown_ns(order, now_ns)
        held = books.add(order, fate, shown_ns)
        outputs += self._begin(held, now_ns)
        outputs += self._somebody_else(order, now_ns)
        return self._with_trades(self._answer(call, now_ns, held=held), held)

    def _placed_again(self, call: VenueCall, known: FakeOrder, now_ns: int) -> VenueAnswer:
        if not self._config.idempotent:
            self._books.violations.append(f"{known.key} was placed twice")
            return self._answer(call, now_ns, Outcome.REFUSED, "this client id was used before")
        if known.status is OrderStatus.REJECTED:
            return self._answer(call, now_ns, Outcome.REFUSED, known.reason)
        return self._with_trades(self._answer(call, now_ns, held=known), known)

    def _refusal(self, order: Order, now_ns: int) -> str | None:
        if order.order_type not in _KINDS:
            return f"{order.order_type} orders are not known here"
        if self._books.price_for(order) is None:
            return "there is no price"
        burst = self._config.faults.reject_burst
        if burst is not None and burst.is_open(now_ns):
            return "nothing is taken for now"
        return None

    def _with_trades(self, answer: VenueAnswer, held: FakeOrder) -> VenueAnswer:
        """Return an answer that tells the trades, or does not, as venues' answers differ."""
        if self._chance.draw("tells trades", held.key) < 0.5:
            return msgspec.structs.replace(answer, trades=tuple(held.trades))
        return answer

    def _begin(self, held: FakeOrder, now_ns: int) -> list[Any]:
        """Let an order begin to fare as it shall."""
        fate, order = held.fate, held.order
        if fate is Fate.FILL:
            return self._fill(held, held.leaves, now_ns)
        if not may_rest(order):
            outputs = self._fill_part(held, now_ns) if fate is Fate.PARTS else []
            if held.is_open:
                outputs += self._end(held, OrderStatus.CANCELLED, "not enough there", now_ns)
            return outputs
        outputs = []
        if order.time_in_force is TimeInForce.GTD:
            outputs.append(self._timer(_EXPIRE, held, order.expire_time_ns, background=True))
        if fate is Fate.PARTS:
            outputs.append(self._timer(_FILL, held, now_ns + self._delay_ns("first", held)))
        return outputs

    def _delay_ns(self, what: str, held: FakeOrder) -> int:
        most_ns = self._config.habits.fill_after_ns
        return round(most_ns * self._chance.draw(what, held.key))

    def _timer(self, what: str, held: FakeOrder, at_ns: int, *, background: bool = False) -> Later:
        timer = TimerFired(self._actor, f"{what}{held.key}", at_ns)
        return Later(timer, at_ns, background)

    def _tick(self, name: str, now_ns: int) -> list[Any]:
        what, _, key = name.partition(" ")
        held = self._books.orders.get(key)
        if held is None:
            return []  # over, and forgotten since
        if f"{what} " == _LATE:
            return self._fill(held, held.leaves, now_ns) if held.leaves else []
        if not held.is_open:
            return []
        if f"{what} " == _EXPIRE:
            return self._end(held, OrderStatus.EXPIRED, "its time is over", now_ns)
        if held.trades:
            return self._fill(held, held.leaves, now_ns)
        outputs = self._fill_part(held, now_ns)
        if held.leaves:
            outputs.append(self._timer(_FILL, held, now_ns + self._delay_ns("second", held)))
        return outputs

    def _fill_part(self, held: FakeOrder, now_ns: int) -> list[Any]:
        share = 0.1 + 0.8 * self._chance.draw("part", held.key)
        return self._fill(held, first_part(held.leaves, share), now_ns)

    def _fill(self, held: FakeOrder, quantity: Decimal, now_ns: int) -> list[Any]:
        trade = self._books.fill(held, quantity, now_ns)
        return self._tell(VenueNews(trades=(trade,)), trade.trade_id, now_ns)

    def _cancel(self, call: VenueCall, now_ns: int, outputs: list[Any]) -> VenueAnswer:
        held = self._find(call)
        if held is None:
            return self._answer(call, now_ns)
        if held.is_open:
            outputs += self._end(held, OrderStatus.CANCELLED, "", now_ns)
        elif self._chance.draw("refuses", held.key) < 0.5:
            return self._answer(call, now_ns, Outcome.REFUSED, f"it is {held.status}")
        return self._with_trades(self._answer(call, now_ns, held=held), held)

    def _find(self, call: VenueCall) -> FakeOrder | None:
        held = self._books.orders.get(call.client_order_id)
        if held is None or held.status is OrderStatus.REJECTED:
            return None
        return held

    def _replace(self, call: VenueCall, now_ns: int, outputs: list[Any]) -> VenueAnswer:
        order = call.order
        assert order is not None, "a call to replace has an order"
        books = self._books
        books.places_after_halt += self._gate.cause is not None
        books.note_placed(order)
        held = self._find(call)
        if held is None:
            return self._answer(call, now_ns)
        reason = None
        if not held.is_open:
            reason = f"it is {held.status}"
        elif order.quantity <= held.filled:
            reason = f"{held.filled} has traded already"
        elif self._chance.happens(
            self._config.habits.refuses_replace, "replace", held.key, order.quantity
        ):
            reason = "it does not care to"
        if reason is not None:
            return self._answer(call, now_ns, Outcome.REFUSED, reason)
        held.order = msgspec.structs.replace(
            held.order, quantity=order.quantity, limit_price=order.limit_price
        )
        outputs += self._tell(self._report(held, ReportKind.REPLACED, "", now_ns), "", now_ns)
        return self._with_trades(self._answer(call, now_ns, held=held), held)

    def _cancel_all(self, now_ns: int) -> list[Any]:
        outputs: list[Any] = []
        for held in list(self._books.open_orders()):
            outputs += self._end(held, OrderStatus.CANCELLED, "all cancelled", now_ns)
        return outputs

    def _end(self, held: FakeOrder, status: OrderStatus, reason: str, now_ns: int) -> list[Any]:
        held.status = status
        told = self._report(held, ReportKind(status), reason, now_ns)
        outputs = self._tell(told, "", now_ns)
        if held.fate is Fate.LATE_FILL and status is OrderStatus.CANCELLED:
            at_ns = now_ns + self._delay_ns("late", held)
            outputs.append(self._timer(_LATE, held, at_ns))
        return outputs

    def _somebody_else(self, order: Order, now_ns: int) -> list[Any]:
        """Let somebody else trade through the account, now and then."""
        faults, key = self._config.faults, order.client_order_id
        outputs: list[Any] = []
        if self._chance.happens(faults.external_order, "external order", key):
            self._books.add(order, Fate.REST, now_ns, is_ours=False)
        if self._chance.happens(faults.external_trade, "external trade", key):
            held = self._books.add(order, Fate.FILL, now_ns, is_ours=False)
            outputs += self._fill(held, held.leaves, now_ns)
        return outputs

    # --- news ------------------------------------------------------------------------------------

    def _report(self, held: FakeOrder, kind: ReportKind, reason: str, now_ns: int) -> VenueNews:
        if not held.is_ours:
            return VenueNews()
        report = ExecutionReport(
            client_order_id=held.key,
            kind=kind,
            venue=self._config.name,
            venue_time_ns=now_ns,
            reason=reason,
        )
        return VenueNews(reports=(report,))

    def _tell(self, news: VenueNews, key: str, now_ns: int) -> list[Any]:
        """Return news as they arrive, if they do; ``key`` names those without a report."""
        if not (news.reports or news.trades):
            return []
        for report in news.reports:
            key = f"{report.client_order_id} {report.kind}"
        return [self._send(news, at_ns) for at_ns in self._troubles.arrivals(key, now_ns)]
