"""Scheduled orders: the child orders that work them off, one part after the other.

Strategy and portfolio see the whole order only; the venue sees its parts, ``<order id>/1`` and on.
TWAP and VWAP send a part at the beginning of each slice; parts that rest are left to work, what a
part leaves unfilled goes with the next. At the end of the last slice whatever is neither filled nor
at work is sent once more; what that leaves is cancelled, with the order, when nothing works any
more. An iceberg sends the next part when the one before has filled; a part that ends in another way
ends the order.
"""

from decimal import Decimal
from itertools import accumulate

import msgspec

from actors.actor import Later
from actors.messages.system import TimerFired
from actors.messages.trading import CancelPlacedOrder, PlaceOrder
from actors.model.instrument import Instrument, Instruments
from actors.model.money import ZERO, plain
from actors.model.order import TERMINAL, Order, OrderStatus, ScheduleKind
from actors.orders.asks import Asks
from actors.orders.lifecycle import OrderEvent, next_status
from actors.orders.outputs import Output, result_of, update_of
from actors.orders.records import OrderRecord, ScheduleWork
from actors.orders.registry import Registry, part_id
from actors.orders.schedules import next_part, slice_ns, slices

SLICE = "slice:"
_ICEBERG = ScheduleKind.ICEBERG
_FILLED = OrderStatus.FILLED


class Parts:
    """Works off scheduled orders."""

    def __init__(
        self, actor: str, registry: Registry, asks: Asks, instruments: Instruments
    ) -> None:
        self._actor = actor
        self._registry = registry
        self._asks = asks
        self._instruments = instruments

    def begin(self, record: OrderRecord, now_ns: int) -> list[Output]:
        """Send the first part of an order."""
        work = record.add_extras().work = ScheduleWork()
        self._plan(record, work)
        record.move(OrderStatus.SUBMITTING, now_ns, "")
        if _is_iceberg(record):
            return self._next_of_iceberg(record, work, now_ns)
        return self._slice(record, work, now_ns, now_ns)

    def tick(self, timer: TimerFired, now_ns: int) -> tuple[OrderRecord | None, list[Output]]:
        """Begin the slice of which a timer tells; return the order that it is about."""
        order_id, _, number = timer.name.removeprefix(SLICE).rpartition(":")
        record = self._registry.open.get(order_id)
        work = _work_of(record) if record is not None else None
        if record is None or work is None or work.ending or work.next_slice != int(number):
            return None, []
        return record, self._slice(record, work, timer.at_ns, now_ns)

    def cancel(self, record: OrderRecord, cause: str, now_ns: int) -> list[Output]:
        """Send nothing more and cancel what works; the order is over when that is."""
        work = _work_of(record)
        assert work is not None
        work.ending = cause
        outputs: list[Output] = []
        status = next_status(record.status, OrderEvent.REQUEST_CANCEL)
        if work.open and status is not record.status:
            record.move(status, now_ns, cause)
            outputs.append(update_of(record, cause))
        for part in work.open:
            outputs += _to_venue(self._asks.cancel(self._registry.parts[part], cause, now_ns))
        return outputs + self._end_if_idle(record, work, now_ns)

    def change(self, record: OrderRecord, order: Order, now_ns: int) -> list[Output]:
        """Change what is not sent yet; what works stays as it is."""
        work = _work_of(record)
        assert work is not None
        committed = record.traded_quantity + self._at_work(work)
        if order.quantity < committed or work.ending:
            why = work.ending or f"{plain(committed)} has been sent"
            reason = f"the schedule cannot be changed: {why}"
            return [result_of(record, reason, accepted=False), update_of(record, reason)]
        record.order = order
        self._plan(record, work)
        reason = "changed for the parts to come"
        return [result_of(record, reason, accepted=True), update_of(record, reason)]

    def part_accepted(self, record: OrderRecord, now_ns: int) -> list[Output]:
        """Take notice that a part has come to the venue."""
        status = next_status(record.status, OrderEvent.ACCEPT, has_fills=bool(record.trade_ids))
        if status is record.status:
            return []
        record.is_acknowledged = True
        record.move(status, now_ns, "")
        return [update_of(record, "")]

    def part_in_doubt(self, record: OrderRecord, part: OrderRecord, reason: str) -> list[Output]:
        """Tell that it is not known how a part stands: the whole goes on with the others."""
        name = part.order.client_order_id
        return [update_of(record, f"part {name} is {part.status}: {reason}")]

    def part_refused_cancel(self, record: OrderRecord, reason: str, now_ns: int) -> list[Output]:
        """Take notice that a part works on although it was to be cancelled."""
        event = OrderEvent.CANCEL_REJECT
        status = next_status(record.status, event, has_fills=bool(record.trade_ids))
        if status is record.status:
            return []
        record.move(status, now_ns, reason)
        return [update_of(record, reason)]

    def part_over(
        self, record: OrderRecord, part: OrderRecord, reason: str, now_ns: int
    ) -> list[Output]:
        """Go on after a part has ended."""
        work = _work_of(record)
        assert work is not None
        part_number = part.order.client_order_id
        if part_number in work.open:
            work.open.remove(part_number)
        if record.status in TERMINAL:
            return []
        outputs: list[Output] = []
        if part.status is OrderStatus.REJECTED:
            outputs.append(update_of(record, f"part {part_number} was rejected: {reason}"))
        if _is_iceberg(record) and not work.ending:
            if part.status is _FILLED:
                return self._next_of_iceberg(record, work, now_ns)
            work.ending = f"part {part_number} is {part.status}: {reason}"
        return outputs + self._end_if_idle(record, work, now_ns)

    def _end_if_idle(self, record: OrderRecord, work: ScheduleWork, now_ns: int) -> list[Output]:
        if work.ending is None or work.open:
            return []
        cause = f"{work.ending}{told_shortfall(record)}"
        return self._asks.finish(record, OrderStatus.CANCELLED, cause, now_ns)

    # --- parts -------------------------------------------------------------------------------

    def _plan(self, record: OrderRecord, work: ScheduleWork) -> None:
        order = record.order
        assert order.schedule is not None
        if order.schedule.kind is not _ICEBERG:
            of = self._instrument(order)
            cut = slices(order.schedule, order.quantity, of.lot, of.min_quantity)
            work.targets = tuple(accumulate(cut))

    def _slice(
        self, record: OrderRecord, work: ScheduleWork, at_ns: int, now_ns: int
    ) -> list[Output]:
        """Send what the slice that begins at ``at_ns`` asks for, and set the next one's timer."""
        order = record.order
        schedule = order.schedule
        assert schedule is not None
        number = work.next_slice
        work.next_slice = number + 1
        is_end = number == schedule.slices
        target = order.quantity if is_end else work.targets[number]
        amount = target - record.traded_quantity - self._at_work(work)
        outputs: list[Output] = []
        if amount > ZERO and (is_end or amount >= self._instrument(order).min_quantity):
            outputs += self._send(record, work, amount, now_ns)
        if is_end:
            work.ending = "the schedule is over"
            return outputs + self._end_if_idle(record, work, now_ns)
        next_ns = at_ns + slice_ns(schedule, number + 1) - slice_ns(schedule, number)
        return [*outputs, self._timer(record, work, next_ns)]

    def _timer(self, record: OrderRecord, work: ScheduleWork, at_ns: int) -> Later:
        work.next_ns = at_ns
        name = f"{SLICE}{record.order.client_order_id}:{work.next_slice}"
        return Later(TimerFired(self._actor, name, at_ns), at_ns, background=True)

    def again(self, now_ns: int) -> list[Output]:
        """Return the timers of all slices that are to come, where they were lost.

        A schedule that has missed slices meanwhile goes on from now: it does not make up for them.
        """
        outputs: list[Output] = []
        for record in self._registry.open.values():
            work = _work_of(record)
            if work is not None and work.ending is None and not _is_iceberg(record):
                outputs.append(self._timer(record, work, max(now_ns, work.next_ns)))
        return outputs

    def _next_of_iceberg(
        self, record: OrderRecord, work: ScheduleWork, now_ns: int
    ) -> list[Output]:
        order = record.order
        assert order.schedule is not None
        display = order.schedule.display_quantity
        assert display is not None
        remaining = order.quantity - record.traded_quantity
        amount = next_part(remaining, display, self._instrument(order).min_quantity)
        return self._send(record, work, amount, now_ns)

    def _send(
        self, record: OrderRecord, work: ScheduleWork, quantity: Decimal, now_ns: int
    ) -> list[Output]:
        work.made += 1
        order = msgspec.structs.replace(
            record.order,
            client_order_id=part_id(record.order, work.made),
            quantity=quantity,
            schedule=None,
        )
        history = [(OrderStatus.RECEIVED, now_ns, f"part of {record.order.client_order_id}")]
        part = OrderRecord(order, OrderStatus.RECEIVED, history)
        part.move(OrderStatus.VALIDATED, now_ns, "")
        self._registry.parts[order.client_order_id] = part
        work.open.append(order.client_order_id)
        return self._asks.place(part, now_ns)

    def _at_work(self, work: ScheduleWork) -> Decimal:
        parts = self._registry.parts
        return sum((parts[each].leaves_quantity for each in work.open), ZERO)

    def _instrument(self, order: Order) -> Instrument:
        found = self._instruments.get(order.instrument)
        assert found is not None, order.instrument
        return found


def told_shortfall(record: OrderRecord) -> str:
    """Return an order's shortfall in words, to be put behind others; empty if it has none."""
    shortfall = record.shortfall
    if shortfall is None or not record.filled_quantity:
        return ""
    assert record.order.arrival_price is not None
    return f"; shortfall {plain(shortfall)} against {plain(record.order.arrival_price)}"


def _work_of(record: OrderRecord) -> ScheduleWork | None:
    return None if record.extras is None else record.extras.work


def _is_iceberg(record: OrderRecord) -> bool:
    schedule = record.order.schedule
    return schedule is not None and schedule.kind is _ICEBERG


def _to_venue(outputs: list[Output]) -> list[Output]:
    """Return what of a part's outputs is for the broker: nobody else knows of parts."""
    return [each for each in outputs if isinstance(each, PlaceOrder | CancelPlacedOrder)]
