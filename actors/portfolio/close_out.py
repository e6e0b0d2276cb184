"""The orders that close the account's positions when the run's market data have ended."""

from actors.model.order import Order, OrderType, Side
from actors.portfolio.books.positions import Position

CLOSE_OUT = ("CloseOut",)
"""Who approves them, in place of the policies: they open nothing."""


def closing_order(position: Position, client_order_id: str) -> Order:
    """Return the market order that closes a position, whole."""
    return Order(
        client_order_id=client_order_id,
        strategy=position.strategy,
        instrument=position.instrument,
        side=Side.SELL if position.quantity > 0 else Side.BUY,
        quantity=position.quantity.copy_abs(),
        order_type=OrderType.MARKET,
        reason="close out",
    )
