"""Limits that weigh an order against the market and against the account's own orders in it."""

from decimal import Decimal
from typing import ClassVar

import attrs

from actors.messages.trading import Violation
from actors.model.money import plain
from actors.model.order import Order, OrderType, Side, TimeInForce
from actors.risk.policy import RiskRequest
from actors.risk.rules import above_zero, not_negative
from actors.risk.view import WorkingOrder

_BUY = Side.BUY  # on Python 3.11, looking a member up takes longer than comparing it
_STOPS = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})
_NEVER_REST = frozenset({TimeInForce.IOC, TimeInForce.FOK, TimeInForce.FAK})


@attrs.frozen(kw_only=True)
class PriceCollar:
    """Keeps the price of an order near the mark, above and below: a guard against slips.

    A limit is weighed against the mark, a stop-limit's limit against its own stop price, a market
    order's price is what it would meet. A stop order has no price of its own to weigh.
    """

    name: ClassVar[str] = "PriceCollar"

    max_deviation: Decimal = attrs.field(validator=not_negative)
    """As a fraction of the mark: 0.05 is 5 %."""

    def check(self, request: RiskRequest) -> Violation | None:
        """Return a violation if the price is too far off, or if there is no mark to weigh it by."""
        order = request.order
        if order.order_type is OrderType.STOP:
            return None
        mark = order.stop_price
        if mark is None:
            mark = request.view.mark(request.instrument.id)
        if mark is None:
            return Violation(self.name, "a mark to weigh the price by", "none")
        room = self.max_deviation * mark
        if -room <= request.price - mark <= room:
            return None
        limit = f"{plain(mark - room)} to {plain(mark + room)}"
        return Violation(self.name, limit, plain(request.price))


@attrs.frozen(kw_only=True)
class StaleData:
    """Refuses orders in an instrument whose price is older than ``max_age``, or was never seen."""

    name: ClassVar[str] = "StaleData"

    max_age_ns: int = attrs.field(validator=above_zero)

    def check(self, request: RiskRequest) -> Violation | None:
        """Return a violation if the price is too old."""
        seen_ns = request.view.price_time_ns(request.instrument.id)
        if seen_ns is None:
            return Violation(self.name, _seconds(self.max_age_ns), "no price yet")
        age_ns = request.now_ns - seen_ns
        if age_ns <= self.max_age_ns:
            return None
        return Violation(self.name, _seconds(self.max_age_ns), _seconds(age_ns))


def _seconds(duration_ns: int) -> str:
    return f"{plain(Decimal(duration_ns).scaleb(-9))} s"


@attrs.frozen(kw_only=True)
class SelfTrade:
    """Refuses an order that would trade with an order of the account, of whatever strategy.

    Counts what may rest in the book: limits that are not IOC, FOK or FAK. Stop orders are in no
    book before they wake up, and neither is what waits for this order, or this order for it.
    """

    name: ClassVar[str] = "SelfTrade"

    def check(self, request: RiskRequest) -> Violation | None:
        """Return a violation that names the first order it would meet."""
        if request.order.order_type in _STOPS:
            return None
        for working in request.view.orders(request.instrument.id):
            order = working.order
            if order.side is not request.side and _meets(working, request):
                limit = order.limit_price
                found = f"{order.client_order_id} at {'' if limit is None else plain(limit)}"
                return Violation(self.name, "no order against one's own", found)
        return None


def _meets(working: WorkingOrder, request: RiskRequest) -> bool:
    """Return whether an order of the other side rests at a price that the asked one reaches."""
    order = working.order
    limit = order.limit_price
    if limit is None or order.order_type in _STOPS or order.time_in_force in _NEVER_REST:
        return False
    if _belong_together(order, request):
        return False
    return limit <= request.price if request.side is _BUY else limit >= request.price


def _belong_together(order: Order, request: RiskRequest) -> bool:
    """Return whether two orders never work at the same time."""
    wish = request.order
    if order.strategy != wish.strategy:
        return False
    if wish.group and wish.group == order.group:
        return True
    return wish.parent == order.client_order_id or order.parent == request.order_id
