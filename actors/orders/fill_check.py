"""Every trade is judged by its order before it is booked; what cannot be is set aside."""

from collections.abc import Callable
from decimal import Decimal

import msgspec

from actors.messages.trading import ExecutionReport
from actors.model.instrument import Instruments
from actors.model.order import Order, Side
from actors.orders.memory import Memory
from actors.orders.outputs import Output
from actors.orders.records import OrderRecord
from actors.orders.registry import Registry
from actors.orders.validation.fills import FillValidator

_BUY = Side.BUY  # on Python 3.11 looking a member up costs as much as a call


class FillCheck:
    """Stands before what applies trades.

    An order that the venue was asked to change is judged by the loosest limit that it was ever to
    have, and by the larger of its quantities while the change is under way, or if it ended then:
    trades may overtake the venue's word on a change or on the end, and the reverse.
    """

    def __init__(
        self,
        registry: Registry,
        instruments: Instruments,
        validator: FillValidator,
        apply: Callable[[ExecutionReport, int], list[Output]],
        memory: Memory | None = None,
    ) -> None:
        self._records = registry.records
        self._parts = registry.parts
        self._strangers = registry.strangers
        self._instruments = instruments
        self._validator = validator
        self._apply = apply
        self._memory = memory

    def apply(self, report: ExecutionReport, now_ns: int) -> list[Output]:
        """Judge a trade, then apply it; one that was applied is not judged again.

        Raises:
            FillRejected: If it cannot be; nothing has changed then.
            OrderStateError: If it contradicts what else is known; nothing has changed then.
        """
        order_id = report.client_order_id
        record = self._records.get(order_id) or self._parts.get(order_id)
        if record is None and self._memory is not None:
            if not self._memory.admits(report):
                return []
            record = self._records.get(order_id) or self._parts.get(order_id)
        if record is None and order_id in self._strangers:
            return []  # the venue's list will tell it
        if record is not None and report.trade_id not in (record.trade_ids or ()):
            order = record.order
            traded = record.traded_quantity
            instrument = self._instruments.get(order.instrument)
            if not self._validator.is_plainly_good(report, order, traded, instrument):
                self._validator.check(report, _loosest(record), traded, instrument)
        return self._apply(report, now_ns)


def loosest_limit(order: Order, *limits: Decimal | None) -> Decimal | None:
    """Return the limit that allows most of an order's own and others; None are left out."""
    known = [limit for limit in (order.limit_price, *limits) if limit is not None]
    if not known:
        return None
    return max(known) if order.side is _BUY else min(known)


def _loosest(record: OrderRecord) -> Order:
    """Return an order that allows whatever the venue may take the order for."""
    order = record.order
    changed = record.replacement or record.late_change
    if changed is None and record.loosest_limit is None:
        return order
    changed = changed or order
    return msgspec.structs.replace(
        order,
        limit_price=loosest_limit(order, record.loosest_limit),
        quantity=max(order.quantity, changed.quantity),
    )
