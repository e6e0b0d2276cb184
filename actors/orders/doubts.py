"""Orders of which we do not know how they stand: the venue is asked until it says.

An answer that is lost proves nothing, and neither does "not found": the order keeps what is
reserved for it and is asked for, with growing waits, for as long as it takes. Whenever a deadline
has passed, people are told. What ends the doubt is evidence: a report from the venue.
"""

from decimal import Decimal

import msgspec

from actors.actor import Later
from actors.messages.system import Alarm, TimerFired
from actors.messages.trading import ExecutionReport, ReportKind
from actors.messages.venue import QueryOrder
from actors.model.money import NANOSECONDS
from actors.model.order import TERMINAL, OrderStatus
from actors.orders.config import OrderManagerConfig
from actors.orders.lifecycle import OrderEvent, next_status
from actors.orders.outputs import Output, update_of
from actors.orders.records import OrderRecord
from actors.orders.registry import Registry

DOUBT = "doubt:"
_NOT_SENT = "not sent"
"""Begins the reason of a refusal by our own side."""
_UNKNOWN = OrderStatus.UNKNOWN
_CANCELLING = OrderStatus.CANCELLING
_SHOWS = frozenset({ReportKind.ACCEPTED, ReportKind.REPLACED, ReportKind.TRIGGERED})
"""What shows that an order works. A refusal does not: what is over is neither cancelled nor changed
again, and it may be over by the very request whose answer is lost."""
_IN_DOUBT = (_UNKNOWN, _CANCELLING)
_TRADE = ReportKind.TRADE


class Doubt(msgspec.Struct, eq=False, gc=False):
    """What is open about one order.

    Attributes:
        since_ns: When it began.
        was_shown: Whether the venue had shown the order before: a trade, or a word that was on its
            way, does not tell then what has become of a later request.
        is_change: Whether the answer to a change is lost.
        asked: How many times the venue was asked.
        wait_ns: How long to wait after the next question.
        ask_ns: When the next question is due.
        alarm_ns: When the next alarm is due.
        alarms: How many there were.
        timer_ns: The timer that counts: others are out of date.
    """

    since_ns: int
    was_shown: bool
    is_change: bool
    wait_ns: int
    ask_ns: int
    alarm_ns: int
    asked: int = 0
    alarms: int = 0
    timer_ns: int = 0


class Doubts:
    """Asks for orders until the venue has said how they stand.

    Attributes:
        open: What is in doubt, by order id; parts of scheduled orders by theirs.
    """

    def __init__(self, actor: str, registry: Registry, config: OrderManagerConfig) -> None:
        self.open: dict[str, Doubt] = {}
        self._is_remote = config.remote
        self._actor = actor
        self._registry = registry
        self._after_ns = config.query_after_ns
        self._backoff = Decimal(str(config.query_backoff))
        self._cap_ns = config.query_cap_ns
        self._deadline_ns = config.unknown_deadline_ns

    def lost(self, record: OrderRecord, report: ExecutionReport, now_ns: int) -> list[Output]:
        """Take notice that an answer is lost, or that the venue does not know the order (yet).

        Raises:
            OrderStateError: If the order was never sent.
        """
        why = report.reason or f"the venue's answer: {report.kind}"
        status = next_status(record.status, OrderEvent.LOSE, report.client_order_id, report.venue)
        if status in TERMINAL:
            return []
        record.venue = report.venue
        return self._begin(record, why, now_ns, now_ns + self._after_ns)

    def refused_cancel(self, record: OrderRecord, report: ExecutionReport) -> list[Output]:
        """Ask for an order of which a remote venue refuses the cancel: it may be over.

        Nothing is to be asked where the cancel has not left.
        """
        is_said = self._is_remote and not report.reason.startswith(_NOT_SENT)
        return [query_of(record)] if is_said and record.status not in TERMINAL else []

    def ask_now(self, record: OrderRecord, why: str, now_ns: int) -> list[Output]:
        """Doubt an order and ask for it at once, also where that has begun before."""
        known = self.open.get(record.order.client_order_id)
        if known is None:
            outputs = self._begin(record, why, now_ns, now_ns)
            known = self.open[record.order.client_order_id]
            outputs.pop()  # the timer: there will be another in a moment
        else:
            known.ask_ns = now_ns
            outputs = []
        return outputs + self._go_on(record, known, now_ns)

    def _begin(self, record: OrderRecord, why: str, now_ns: int, ask_ns: int) -> list[Output]:
        """Let an order be in doubt; return the news of it, and the timer if there is none yet."""
        outputs: list[Output] = []
        if record.status is _CANCELLING:
            record.is_cancel_early = True  # whichever answer is lost, it is not to work on
        order_id = record.order.client_order_id
        status = next_status(record.status, OrderEvent.LOSE, order_id)
        if status is not record.status:
            record.move(status, now_ns, why)
            outputs.append(update_of(record, why))
        doubt = self.open.get(order_id)
        if doubt is not None:
            doubt.is_change = doubt.is_change or record.replacement is not None
            return outputs
        doubt = self.open[order_id] = Doubt(
            since_ns=now_ns,
            was_shown=record.is_acknowledged,
            is_change=record.replacement is not None,
            wait_ns=self._after_ns,
            ask_ns=ask_ns,
            alarm_ns=now_ns + self._deadline_ns,
        )
        return [*outputs, self._timer(order_id, doubt)]

    def tick(self, timer: TimerFired, now_ns: int) -> list[Output]:
        """Ask, tell people, or both, as far as due; timers that are out of date do nothing."""
        order_id = timer.name.removeprefix(DOUBT)
        doubt = self.open.get(order_id)
        if doubt is None or timer.at_ns != doubt.timer_ns:
            return []
        record = self._registry.find(order_id)
        if record is None or record.status in TERMINAL:
            del self.open[order_id]
            return []
        return self._go_on(record, doubt, now_ns)

    def _go_on(self, record: OrderRecord, doubt: Doubt, now_ns: int) -> list[Output]:
        outputs: list[Output] = []
        if now_ns >= doubt.ask_ns:
            outputs.append(query_of(record))
            if doubt.asked:
                longer = round(doubt.wait_ns * self._backoff)
                doubt.wait_ns = min(longer, max(self._cap_ns, self._after_ns))
            doubt.asked += 1
            doubt.ask_ns = now_ns + doubt.wait_ns
        if now_ns >= doubt.alarm_ns:
            doubt.alarms += 1
            doubt.alarm_ns = now_ns + self._deadline_ns
            outputs.append(self._alarm(record, doubt, now_ns))
        return [*outputs, self._timer(record.order.client_order_id, doubt)]

    def _alarm(self, record: OrderRecord, doubt: Doubt, now_ns: int) -> Alarm:
        order = record.order
        seconds = (now_ns - doubt.since_ns) / NANOSECONDS
        text = (
            f"order {order.client_order_id} ({order.side} {order.quantity} {order.instrument}) has "
            f"been in doubt for {seconds:.0f} s: the venue was asked {doubt.asked} times"
        )
        if doubt.alarms > 1:
            text = f"STILL UNKNOWN, alarm {doubt.alarms}: {text}; look at the venue"
        return Alarm(source=self._actor, text=text, time_ns=now_ns)

    def _timer(self, order_id: str, doubt: Doubt) -> Later:
        at_ns = doubt.timer_ns = min(doubt.ask_ns, doubt.alarm_ns)
        return Later(TimerFired(self._actor, f"{DOUBT}{order_id}", at_ns), at_ns)

    def heard(self, report: ExecutionReport) -> bool:
        """Return whether what was just applied has ended the doubt about its order."""
        doubt = self.open.get(report.client_order_id)
        if doubt is None:
            return False
        record = self._registry.find(report.client_order_id)
        is_over = record is None or record.status in TERMINAL
        if is_over or (record is not None and self._is_explained(record, doubt, report.kind)):
            del self.open[report.client_order_id]
            return True
        return False

    def _is_explained(self, record: OrderRecord, doubt: Doubt, kind: ReportKind) -> bool:
        if record.status in _IN_DOUBT or (doubt.is_change and record.replacement is not None):
            return False
        if doubt.was_shown:
            return kind in _SHOWS and doubt.asked > 0
        return kind in _SHOWS or kind is _TRADE


def query_of(record: OrderRecord) -> QueryOrder:
    """Return the question how an order stands."""
    order = record.order
    return QueryOrder(
        client_order_id=order.client_order_id,
        instrument=order.instrument,
        sent_ns=record.submitted_ns,
    )
