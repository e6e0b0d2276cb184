"""A venue's words on its orders: acknowledgements, trades with derived ids, and ends."""

from decimal import Decimal

from actors.brokers.commission import CommissionModel
from actors.messages.trading import ExecutionReport, ReportKind
from actors.model.order import Liquidity, Order

_TRADE = ReportKind.TRADE  # on Python 3.11 looking a member up costs as much as a call


class Reporter:
    """Writes execution reports in the name of one venue."""

    def __init__(self, venue: str, commission: CommissionModel) -> None:
        self._venue = venue
        self._commission = commission

    def say(
        self, kind: ReportKind, client_order_id: str, now_ns: int, reason: str = ""
    ) -> ExecutionReport:
        """Return a report that is no trade."""
        return ExecutionReport(
            client_order_id=client_order_id,
            kind=kind,
            venue=self._venue,
            venue_time_ns=now_ns,
            reason=reason,
        )

    def trade(
        self, order: Order, number: int, amount: tuple[Decimal, Decimal, Liquidity], now_ns: int
    ) -> ExecutionReport:
        """Return the report of an order's trade.

        Args:
            order: The order that trades.
            number: Which of its trades this is, from 1; makes the trade's id.
            amount: Price, quantity and liquidity.
            now_ns: The time of the matching.
        """
        price, quantity, liquidity = amount
        order_id = order.client_order_id
        return ExecutionReport(
            client_order_id=order_id,
            kind=_TRADE,
            venue=self._venue,
            venue_time_ns=now_ns,
            trade_id=f"{order_id}-{number}",
            last_quantity=quantity,
            last_price=price,
            commission=self._commission.commission(price, quantity, liquidity),
            liquidity=liquidity,
        )
