"""A venue's words on its orders: acknowledgements, trades with derived ids, and ends."""

from decimal import Decimal

from actors.brokers.models.commission import Charges, CommissionModel
from actors.brokers.open_orders.open_order import OpenOrder
from actors.messages.trading import ExecutionReport, ReportKind
from actors.model.order import Liquidity

_TRADE = ReportKind.TRADE  # on Python 3.11 looking a member up costs as much as a call
_ENDS = (ReportKind.CANCELLED, ReportKind.EXPIRED)


class Reporter:
    """Writes execution reports in the name of one venue.

    ``charges`` remembers what its commission model needs.
    """

    def __init__(
        self, venue: str, commission: CommissionModel, *, is_provisional: bool = False
    ) -> None:
        self._venue = venue
        self._is_provisional = is_provisional
        self.charges = Charges(commission)

    def say(
        self, kind: ReportKind, client_order_id: str, now_ns: int, reason: str = ""
    ) -> ExecutionReport:
        """Return a report that is no trade."""
        if kind in _ENDS:
            self.charges.forget(client_order_id)
        return ExecutionReport(
            client_order_id=client_order_id,
            kind=kind,
            venue=self._venue,
            venue_time_ns=now_ns,
            reason=reason,
        )

    def trade(
        self, held: OpenOrder, amount: tuple[Decimal, Decimal, Liquidity], now_ns: int
    ) -> ExecutionReport:
        """Return the report of an order's trade.

        Args:
            held: The order that trades; how many trades it has had, this one too, makes the id.
            amount: Price, quantity and liquidity.
            now_ns: The time of the matching.
        """
        price, quantity, liquidity = amount
        order = held.order
        order_id = order.client_order_id
        return ExecutionReport(
            client_order_id=order_id,
            kind=_TRADE,
            venue=self._venue,
            venue_time_ns=now_ns,
            trade_id=f"{order_id}-{held.trades}",
            last_quantity=quantity,
            last_price=price,
            commission=self.charges.charge(order, held.instrument, price, quantity, liquidity),
            liquidity=liquidity,
            provisional=self._is_provisional,
        )
