"""A venue that answers each request once; what it says can be heard in any order.

Its answers may be lost on the way, and requests may come late: then it can be asked how an order
stands, as a broker does.
"""

from decimal import Decimal

import attrs
import msgspec

from actors.messages.trading import (
    CancelPlacedOrder,
    ExecutionReport,
    PlaceOrder,
    ReplacePlacedOrder,
    ReportKind,
)
from actors.messages.venue import QueryOrder
from actors.model.order import Order

Request = PlaceOrder | CancelPlacedOrder | ReplacePlacedOrder
_ANSWERS = {ReportKind.REPLACED, ReportKind.REPLACE_REJECTED}
_ENDS = {ReportKind.CANCELLED, ReportKind.EXPIRED, ReportKind.REJECTED}


@attrs.define
class Resting:
    """An order as the venue has it."""

    order: Order
    filled: Decimal = Decimal(0)
    is_open: bool = True

    @property
    def leaves(self) -> Decimal:
        return self.order.quantity - self.filled if self.is_open else Decimal(0)


class Venue:
    """Requests in, reports out; both wait until a test lets them go on."""

    def __init__(self) -> None:
        self.orders: dict[str, Resting] = {}
        self.requests: list[Request] = []
        self.reports: list[ExecutionReport] = []
        self.queries: list[QueryOrder] = []
        self.late: list[Request] = []
        self.lost_changes: dict[str, Order] = {}
        self.ends: dict[str, ReportKind] = {}
        self.trades_of: dict[str, list[ExecutionReport]] = {}
        self.unsettled: list[tuple[str, str]] = []
        self.trades = 0
        self.time_ns = 0

    def take(self, number: int, *, refuse: bool = False) -> None:
        """Answer one of the requests that wait."""
        request = self.requests.pop(number % len(self.requests))
        match request:
            case PlaceOrder():
                self._place(request.order, refuse)
            case CancelPlacedOrder():
                self._cancel(request.client_order_id)
            case ReplacePlacedOrder():
                self._replace(request.order)

    def lose(self, number: int, fate: str) -> None:
        """Let one of the requests arrive without an answer, come late, or never come."""
        request = self.requests.pop(number % len(self.requests))
        if isinstance(request, CancelPlacedOrder):
            order_id = request.client_order_id
        else:
            order_id = request.order.client_order_id
        if fate == "arrives":
            before = len(self.reports)
            self.requests.append(request)
            self.take(-1)
            del self.reports[before:]
        elif fate == "late" and not isinstance(request, ReplacePlacedOrder):
            self.late.append(request)
        if isinstance(request, ReplacePlacedOrder):
            self.lost_changes[order_id] = request.order
        self._say(ReportKind.LOST, order_id)

    def arrive(self, number: int) -> None:
        """Take one of the requests that come late; the answer to it is not waited for any more."""
        before = len(self.reports)
        self.requests.append(self.late.pop(number % len(self.late)))
        self.take(-1)
        del self.reports[before:]

    def answer(self, number: int) -> None:
        """Say how an order stands: its trades again, then what has become of it."""
        order_id = self.queries.pop(number % len(self.queries)).client_order_id
        resting = self.orders.get(order_id)
        if resting is None:
            is_coming = any(
                isinstance(each, PlaceOrder) and each.order.client_order_id == order_id
                for each in (*self.late, *self.requests)
            )
            self._say(ReportKind.NOT_FOUND if is_coming else ReportKind.GONE, order_id)
            return
        change = self.lost_changes.pop(order_id, None)
        if change is not None:
            was_made = change.quantity == resting.order.quantity
            was_made &= change.limit_price == resting.order.limit_price
            self._say(ReportKind.REPLACED if was_made else ReportKind.REPLACE_REJECTED, order_id)
        self.reports += self.trades_of.get(order_id, ())
        if resting.is_open:
            self._say(ReportKind.ACCEPTED, order_id)
        elif order_id in self.ends:
            self._say(self.ends[order_id], order_id)

    def _place(self, order: Order, refuse: bool) -> None:
        assert order.client_order_id not in self.orders, "an id is used once"
        self.orders[order.client_order_id] = Resting(order, is_open=not refuse)
        kind = ReportKind.REJECTED if refuse else ReportKind.ACCEPTED
        if refuse:
            self.ends[order.client_order_id] = kind
        self._say(kind, order.client_order_id)

    def _cancel(self, order_id: str) -> None:
        resting = self.orders.get(order_id)
        if resting is None:
            self._say(ReportKind.NOT_FOUND, order_id)
        elif not resting.is_open:
            self._say(ReportKind.CANCEL_REJECTED, order_id)
        else:
            resting.is_open = False
            self.ends[order_id] = ReportKind.CANCELLED
            self._say(ReportKind.CANCELLED, order_id)

    def _replace(self, order: Order) -> None:
        resting = self.orders[order.client_order_id]
        if not resting.is_open or order.quantity <= resting.filled:
            self._say(ReportKind.REPLACE_REJECTED, order.client_order_id)
        else:
            resting.order = order
            self._say(ReportKind.REPLACED, order.client_order_id)

    def open(self) -> list[Resting]:
        return [each for each in self.orders.values() if each.is_open]

    def fill(self, resting: Resting, quantity: Decimal, *, provisional: bool = False) -> None:
        order_id = resting.order.client_order_id
        self.trades += 1
        trade_id = f"t{self.trades}"
        resting.filled += quantity
        resting.is_open = resting.filled < resting.order.quantity
        self._say(
            ReportKind.TRADE,
            order_id,
            trade_id=trade_id,
            last_quantity=quantity,
            last_price=resting.order.limit_price or Decimal(100),
            commission=Decimal("0.1"),
            provisional=provisional,
        )
        self.trades_of.setdefault(order_id, []).append(self.reports[-1])
        if provisional:
            self.unsettled.append((order_id, trade_id))

    def settle(self, number: int, *, failed: bool) -> None:
        order_id, trade_id = self.unsettled.pop(number % len(self.unsettled))
        kind = ReportKind.TRADE_FAILED if failed else ReportKind.TRADE_SETTLED
        self._say(kind, order_id, trade_id=trade_id)

    def expire(self, resting: Resting) -> None:
        resting.is_open = False
        self.ends[resting.order.client_order_id] = ReportKind.EXPIRED
        self._say(ReportKind.EXPIRED, resting.order.client_order_id)

    def trigger(self, resting: Resting) -> None:
        self._say(ReportKind.TRIGGERED, resting.order.client_order_id)

    def _say(self, kind: ReportKind, order_id: str, **more: object) -> None:
        self.time_ns += 1
        report = ExecutionReport(
            client_order_id=order_id, kind=kind, venue="venue", venue_time_ns=self.time_ns
        )
        self.reports.append(msgspec.structs.replace(report, **more))

    def next_report(self, number: int) -> ExecutionReport:
        """Return one of the reports under way, and forget it.

        They may overtake each other, but the end of an order does not overtake the answer to a
        change of it, or the reverse: nobody could tell then how large it was.
        """
        free = [
            index
            for index, report in enumerate(self.reports)
            if not any(_keep_order(other, report) for other in self.reports[:index])
        ]
        return self.reports.pop(free[number % len(free)])


def _keep_order(first: ExecutionReport, second: ExecutionReport) -> bool:
    if first.client_order_id != second.client_order_id:
        return False
    kinds = {first.kind, second.kind}
    return kinds <= _ANSWERS or not (kinds.isdisjoint(_ANSWERS) or kinds.isdisjoint(_ENDS))
