"""A broker and its market in a few words: rows are shown to it, orders are placed with it."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from actors.brokers.simulated import SimulatedBroker, SimulatedBrokerConfig
from actors.messages.slices import MarketData
from actors.messages.trading import CancelPlacedOrder, ReplacePlacedOrder, ReportKind
from actors.model.instrument import Instruments
from actors.model.order import Order, OrderType, Side, TimeInForce
from tests.actors.brokers.rows import Tape
from tests.builders import BTC, context, instrument, instruments, order, place

ID = "run-strategy-1"
CANCEL = CancelPlacedOrder(client_order_id=ID, instrument=BTC)
Show = Callable[[Tape], Tape]


class Desk:
    """A broker and its market: rows are shown to it, orders are placed with it."""

    def __init__(
        self, config: SimulatedBrokerConfig | None = None, table: Instruments | None = None
    ) -> None:
        self.table = table or instruments(instrument(lot="1"))
        self.broker: Any = SimulatedBroker(context("broker"), self.table, config)

    def show(self, rows: Show) -> list[Any]:
        """Pass rows; return what the venue says of them."""
        outputs: list[Any] = self.broker.handle(MarketData(rows(Tape(self.table)).build()), 0)
        return outputs

    def place(self, of: Order) -> list[Any]:
        outputs: list[Any] = self.broker.handle(place(of), 5)
        return outputs


def told(outputs: list[Any]) -> list[tuple[str, ...]]:
    """Return reports in words: kind, and of trades quantity, price and liquidity."""
    return [
        (each.kind, f"{each.last_quantity} at {each.last_price}", each.liquidity)
        if each.kind is ReportKind.TRADE
        else (each.kind,)
        for each in outputs
    ]


def buy(quantity: int = 1, limit: str | None = None, **changes: Any) -> Order:
    return order(Side.BUY, str(quantity), limit, **changes)


def sell(quantity: int = 1, limit: str | None = None, **changes: Any) -> Order:
    return order(Side.SELL, str(quantity), limit, **changes)


ACCEPTED = ("ACCEPTED",)
CANCELLED = ("CANCELLED",)


def taker(quantity: int, price: str) -> tuple[str, ...]:
    return ("TRADE", f"{quantity} at {price}", "TAKER")


def maker(quantity: int, price: str) -> tuple[str, ...]:
    return ("TRADE", f"{quantity} at {price}", "MAKER")


TRIGGERED = ("TRIGGERED",)
REPLACED = ("REPLACED",)
EXPIRED = ("EXPIRED",)


def stop(of: Order, price: str) -> Order:
    """Return a market or limit order as a stop order."""
    is_market = of.order_type is OrderType.MARKET
    kind = OrderType.STOP if is_market else OrderType.STOP_LIMIT
    return msgspec.structs.replace(of, order_type=kind, stop_price=Decimal(price))


def until(of: Order, expire_ns: int) -> Order:
    """Return an order that ends at a time."""
    in_force = TimeInForce.GTD
    return msgspec.structs.replace(of, time_in_force=in_force, expire_time_ns=expire_ns)


def grouped(of: Order, group: str) -> Order:
    """Return an order as one of a group."""
    return msgspec.structs.replace(of, group=group)


def change(of: Order, **changes: Any) -> ReplacePlacedOrder:
    """Return the request to change an order."""
    return ReplacePlacedOrder(order=msgspec.structs.replace(of, **changes))
