"""Limits on single orders and on how many there are."""

from decimal import Decimal
from typing import ClassVar

import attrs

from actors.messages.trading import Violation
from actors.model.money import plain
from actors.model.order import Order
from actors.risk.policy import RiskRequest
from actors.risk.rules import above_zero, at_least_one, not_negative
from actors.risk.scope import OrdersPer

_STRATEGY, _INSTRUMENT = OrdersPer.STRATEGY, OrdersPer.INSTRUMENT


@attrs.frozen(kw_only=True)
class MaxOrderSize:
    """Bounds the quantity of one order, in units."""

    name: ClassVar[str] = "MaxOrderSize"

    max_size: Decimal = attrs.field(validator=not_negative)

    def check(self, request: RiskRequest) -> Violation | None:
        """Return a violation if the order is for more than ``max_size``."""
        if request.quantity <= self.max_size:
            return None
        return Violation(self.name, plain(self.max_size), plain(request.quantity))


@attrs.frozen(kw_only=True)
class MaxOrderNotional:
    """Bounds the value of one order, in the account's currency.

    Its value is price times quantity times the instrument's multiplier.
    """

    name: ClassVar[str] = "MaxOrderNotional"

    max_notional: Decimal = attrs.field(validator=not_negative)

    def check(self, request: RiskRequest) -> Violation | None:
        """Return a violation if the order is worth more than ``max_notional``."""
        instrument = request.instrument
        notional = request.price * request.quantity * instrument.multiplier
        notional *= request.view.rate(instrument)
        if notional <= self.max_notional:
            return None
        return Violation(self.name, plain(self.max_notional), plain(notional))


@attrs.frozen(kw_only=True)
class MaxOpenOrders:
    """Bounds how many orders are not over at a time: the account's, a strategy's, in an instrument.

    Every order counts, alternatives and orders that wait for their parent too. A change of an order
    is no new one.
    """

    name: ClassVar[str] = "MaxOpenOrders"

    max_orders: int = attrs.field(validator=not_negative)
    per: OrdersPer = OrdersPer.ACCOUNT

    def check(self, request: RiskRequest) -> Violation | None:
        """Return a violation if there would be more than ``max_orders`` with this one."""
        own_id = request.order_id
        count = 1 + sum(
            order.client_order_id != own_id and _counts(order, request, self.per)
            for order in request.view.open_orders()
        )
        if count <= self.max_orders:
            return None
        return Violation(self.name, str(self.max_orders), str(count))


@attrs.frozen(kw_only=True)
class OrderRate:
    """Bounds how many orders are approved within any ``interval``: a throttle.

    With ``max_repeats``, also how often the very same order (strategy, instrument, side, quantity
    and prices) is approved within it: what repeats itself is more often a fault than a wish. A
    change of an order counts as an order. What is refused does not count.
    """

    name: ClassVar[str] = "OrderRate"

    max_orders: int = attrs.field(validator=at_least_one)
    interval_ns: int = attrs.field(validator=above_zero)
    per: OrdersPer = OrdersPer.ACCOUNT
    max_repeats: int | None = attrs.field(default=None, validator=at_least_one)

    @property
    def remembers_ns(self) -> int:
        """Return how far back it asks for approvals."""
        return self.interval_ns

    def check(self, request: RiskRequest) -> Violation | None:
        """Return a violation if this order would be one too many."""
        orders = repeats = 1
        for approved in request.view.approvals(request.now_ns - self.interval_ns):
            order = approved.order
            if _counts(order, request, self.per):
                orders += 1
            if self.max_repeats is not None and _repeats(order, request):
                repeats += 1
        if orders > self.max_orders:
            return Violation(self.name, str(self.max_orders), str(orders))
        if self.max_repeats is not None and repeats > self.max_repeats:
            return Violation(self.name, f"{self.max_repeats} of a kind", str(repeats))
        return None


def _counts(order: Order, request: RiskRequest, per: OrdersPer) -> bool:
    """Return whether an order is in the same scope as the one that is asked for."""
    if per is _STRATEGY:
        return order.strategy == request.strategy
    if per is _INSTRUMENT:
        return order.instrument == request.instrument.id
    return True


def _repeats(order: Order, request: RiskRequest) -> bool:
    """Return whether an approved order was the same as the one that is asked for."""
    wish = request.order
    return (
        order.quantity == request.quantity
        and order.side is request.side
        and order.instrument == wish.instrument
        and order.strategy == wish.strategy
        and order.order_type is wish.order_type
        and order.limit_price == wish.limit_price
        and order.stop_price == wish.stop_price
    )
