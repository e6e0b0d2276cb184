"""Our side of the way to a venue that cannot do everything.

What the venue lacks is refused here, or done here if it is emulated:

- STOP and STOP_LIMIT sleep here. What wakes them is what we see of the market; then they set out
  for the venue as MARKET or LIMIT, with the latency of the way.
- POST_ONLY goes out as LIMIT, unless it would take at what we see when it is sent: it is refused
  then. On arrival it may take after all.
- GTD goes out as GTC; we cancel it when its time is over, with the latency of a cancel.
"""

from collections.abc import Iterable

import msgspec

from actors.actor import Later
from actors.brokers.desk import Desk
from actors.brokers.market.shown import shown_row
from actors.brokers.open_orders.open_orders import OpenOrder, OpenOrders
from actors.brokers.open_orders.stops import wakes
from actors.brokers.open_orders.watch import Watch
from actors.brokers.recovery import HELD_HERE, changed, released
from actors.brokers.venue_terms import VenueTerms
from actors.messages.market import EventKind
from actors.messages.slices import Slice
from actors.messages.system import TimerFired
from actors.messages.trading import ExecutionReport, ReportKind
from actors.model.instrument import Instruments
from actors.model.order import Order, OrderType, TimeInForce
from actors.model.recent import RecentIds

Reports = list[ExecutionReport]

_STOPS = (OrderType.STOP, OrderType.STOP_LIMIT)
_POST_ONLY = OrderType.POST_ONLY
_GTD = TimeInForce.GTD
_END = "end "
"""Begins the name of the timer at which we end an order ourselves; the rest is its id."""


class OurSide:
    """Refuses what a venue lacks, or does it in its place."""

    def __init__(
        self,
        actor: str,
        instruments: Instruments,
        desk: Desk,
        terms: VenueTerms,
    ) -> None:
        self._actor = actor
        self._desk = desk
        self._capabilities, self._emulated = terms.capabilities, terms.emulated
        self._orders = OpenOrders()
        self._watch = Watch(instruments, self._orders)
        self.sent = RecentIds()
        """The orders that have left here, or were answered here: they are heard no more."""

    def restore(self, held: Iterable[Order]) -> None:
        """Hold the orders again that were held before a restart."""
        for known in self._orders.all():
            self._orders.remove(known)
        for order in held:
            self._orders.add(self._desk.read(order))

    def held(self) -> list[Order]:
        """Return the orders that are held here, in the order of their coming."""
        return [held.order for held in sorted(self._orders.all(), key=lambda held: held.number)]

    # --- orders ------------------------------------------------------------------------------

    def place(self, order: Order, now_ns: int) -> tuple[Reports, Order | None, list[Later]]:
        """Return what is said of a new order, what of it goes to the venue, and timers."""
        order_id = order.client_order_id
        if not self.sent.add(order_id):
            return [], None, []
        timers: list[Later] = []
        in_emulated = order.time_in_force is _GTD and _GTD in self._emulated
        if order.time_in_force is _GTD and (in_emulated or self._holds(order)):
            timers = [self._timer(order)]
        try:
            if in_emulated and order.expire_time_ns <= now_ns:
                refusal: str | None = "expired before it was sent"
            else:
                refusal = self._refusal(order)
        except KeyError:
            refusal = f"instrument {order.instrument} is not known"
        except (ValueError, TypeError) as error:
            refusal = str(error)
        if refusal is not None:
            return [self._say(ReportKind.REJECTED, order, now_ns, refusal)], None, []
        if self._holds(order):
            reports, woken = self._hold(order, now_ns)
            return reports, woken, timers
        return [], self._plain(order), timers

    def _holds(self, order: Order) -> bool:
        return order.order_type in _STOPS and order.order_type in self._emulated

    def _refusal(self, order: Order) -> str | None:
        """Return why an order is not sent, or None.

        Raises:
            KeyError: If its instrument is not known.
            ValueError: Or TypeError: if it is not on the grid.
        """
        held = self._desk.read(order)
        if self._holds(order):
            if self._desk.closed is not None:
                return f"closed: {self._desk.closed}"
            if self._desk.matcher.market.is_resolved(held.index):
                return f"the market of {order.instrument} has resolved"
            order = released(order)
        if order.order_type is _POST_ONLY and _POST_ONLY in self._emulated:
            refusal = self._desk.matcher.refusal(held)
            if refusal is not None:
                return refusal
        return self._capabilities.missing(self._plain(order))

    def _plain(self, order: Order) -> Order:
        """Return an order as the venue gets it; it remembers when it is to end."""
        if order.time_in_force is _GTD and _GTD in self._emulated:
            order = msgspec.structs.replace(order, time_in_force=TimeInForce.GTC)
        if order.order_type is _POST_ONLY and _POST_ONLY in self._emulated:
            order = msgspec.structs.replace(order, order_type=OrderType.LIMIT)
        return order

    def _hold(self, order: Order, now_ns: int) -> tuple[Reports, Order | None]:
        """Hold a stop order, unless what we see has reached its stop already."""
        accepted = self._say(ReportKind.ACCEPTED, order, now_ns, HELD_HERE)
        held = self._desk.read(order)
        self._orders.add(held)
        triggered, woken = self._release_reached(held, now_ns)
        return [accepted, *triggered], woken

    def _release_reached(self, held: OpenOrder, now_ns: int) -> tuple[Reports, Order | None]:
        price = self._desk.matcher.price_for_stops(held)
        if price is None or not wakes(held, price):
            return [], None
        triggered, woken = self._release(held, now_ns)
        return [triggered], woken

    def _release(self, held: OpenOrder, now_ns: int) -> tuple[ExecutionReport, Order]:
        """Return the report of an order that has woken, and what goes to the venue."""
        report = self._end(held, ReportKind.TRIGGERED, now_ns, HELD_HERE)
        return report, self._plain(released(held.order))

    def cancel(self, client_order_id: str, now_ns: int) -> ExecutionReport | None:
        """Cancel an order that is held here; None if it is not."""
        held = self._orders.get(client_order_id)
        return None if held is None else self._end(held, ReportKind.CANCELLED, now_ns, "")

    def replace(self, order: Order, now_ns: int) -> Order | tuple[Reports, Order | None]:
        """Change an order that is held here.

        Returns:
            What is said of it, and what goes to the venue because it wakes now; the change as it is
            to be sent if the order is at the venue.
        """
        old = self._orders.get(order.client_order_id)
        if old is None:
            if self._capabilities.replace:
                return order
            reason = "the venue cannot change orders"
            return [self._say(ReportKind.REPLACE_REJECTED, order, now_ns, reason)], None
        reason = ""
        if (order.instrument, order.side) != (old.order.instrument, old.order.side):
            reason = "only quantity and prices can be changed"
        held = old
        try:
            held = self._desk.read(changed(old.order, order))
            reason = reason or ("" if held.leaves > 0 else "expected a quantity above 0")
        except (ValueError, TypeError) as error:
            reason = str(error)
        if reason:
            return [self._say(ReportKind.REPLACE_REJECTED, order, now_ns, reason)], None
        self._orders.remove(old)
        self._orders.add(held)
        triggered, woken = self._release_reached(held, now_ns)
        return [self._say(ReportKind.REPLACED, order, now_ns, ""), *triggered], woken

    def expire(self, timer: str, now_ns: int) -> tuple[str | None, Reports]:
        """Return the order that has to be cancelled at the venue, or the end of one held here."""
        order_id = timer.removeprefix(_END)
        held = self._orders.get(order_id)
        if held is not None:
            return None, [self._end(held, ReportKind.EXPIRED, now_ns, "its time is over")]
        return (order_id if _GTD in self._emulated else None), []

    def timers(self) -> list[Later]:
        """Return the timers of what ends by our clock: here, and at a venue that knows no GTD."""
        ending = [held.order for held in self._orders.all()]
        if _GTD in self._emulated:
            ending += [held.order for held in self._desk.open_orders()]
        return [self._timer(each) for each in ending if each.expire_time_ns]

    def _timer(self, order: Order) -> Later:
        at_ns = order.expire_time_ns
        fired = TimerFired(self._actor, f"{_END}{order.client_order_id}", at_ns)
        return Later(fired, at_ns, background=True)

    def close(self, cause: str, now_ns: int) -> Reports:
        """Cancel everything that is held here."""
        held = self._orders.all()
        return [self._end(each, ReportKind.CANCELLED, now_ns, cause) for each in held]

    def _end(self, held: OpenOrder, kind: ReportKind, now_ns: int, reason: str) -> ExecutionReport:
        self._orders.remove(held)
        return self._say(kind, held.order, now_ns, reason)

    def _say(self, kind: ReportKind, order: Order, now_ns: int, reason: str) -> ExecutionReport:
        return self._desk.matcher.reporter.say(kind, order.client_order_id, now_ns, reason)

    # --- market rows -------------------------------------------------------------------------

    def look(self, rows: Slice, start: int, stop: int) -> int:
        """Return the first row in ``[start, stop)`` that may wake or end an order, or ``stop``."""
        if not len(self._orders):
            return stop
        return self._watch.first(self._desk.matcher.market, rows, start, stop)

    def react(self, rows: Slice, row: int, now_ns: int) -> tuple[Reports, list[Order]]:
        """Return what is said of the orders that a row moves, and what goes to the venue."""
        kind, index = rows.kind.item(row), rows.instrument.item(row)
        if kind == EventKind.RESOLUTION:
            ended = self._orders.of(index)
            reason = "market resolved"
            return [self._end(each, ReportKind.EXPIRED, now_ns, reason) for each in ended], []
        if kind >= EventKind.BOOK or self._desk.matcher.market.is_gapped(index):
            return [], []
        woken = self._orders.stops.woken(shown_row(rows, row, is_price=True))
        released_now = [self._release(held, now_ns) for held in woken]
        return [report for report, _ in released_now], [order for _, order in released_now]
