"""A venue that answers each request once; what it says can be heard in any order."""

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

    def _place(self, order: Order, refuse: bool) -> None:
        assert order.client_order_id not in self.orders, "an id is used once"
        self.orders[order.client_order_id] = Resting(order, is_open=not refuse)
        kind = ReportKind.REJECTED if refuse else ReportKind.ACCEPTED
        self._say(kind, order.client_order_id)

    def _cancel(self, order_id: str) -> None:
        resting = self.orders.get(order_id)
        if resting is None or not resting.is_open:
            self._say(ReportKind.CANCEL_REJECTED, order_id)
        else:
            resting.is_open = False
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
        if provisional:
            self.unsettled.append((order_id, trade_id))

    def settle(self, number: int, *, failed: bool) -> None:
        order_id, trade_id = self.unsettled.pop(number % len(self.unsettled))
        kind = ReportKind.TRADE_FAILED if failed else ReportKind.TRADE_SETTLED
        self._say(kind, order_id, trade_id=trade_id)

    def expire(self, resting: Resting) -> None:
        resting.is_open = False
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
