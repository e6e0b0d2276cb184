"""What a venue's lists say, with defaults; and an archive that is a dictionary."""

from decimal import Decimal
from typing import Any

import msgspec

from actors.actor import Context
from actors.messages.reconciliation import Difference, Reconciled, VenueOrders
from actors.messages.system import Archived
from actors.messages.venue import VenueOrder, VenueTrade
from actors.model.order import OrderStatus, Side
from actors.orders.config import OrderManagerConfig
from actors.orders.manager import OrderManager
from tests.actors.orders.rooms import TABLE, of_kind
from tests.builders import context


class DictArchive:
    """Remembers at once."""

    def __init__(self) -> None:
        self.states: dict[tuple[str, str], str] = {}
        self.writes = 0

    def find(self, kind: str, key: str) -> str | None:
        return self.states.get((kind, key))

    def keep(self, outputs: list[Any]) -> list[Any]:
        """Take what is to be remembered out of a core's outputs."""
        for each in of_kind(outputs, Archived):
            self.states[each.kind, each.key] = each.state
            self.writes += 1
        return [each for each in outputs if not isinstance(each, Archived)]


def remembering(archive: DictArchive, limit: int = 0, **more: Any) -> OrderManager:
    """Return an order manager that keeps only so many orders that are over."""
    told = context("orders")
    with_archive = Context(
        run_id=told.run_id, actor=told.actor, incarnation=0, random=told.random, archive=archive
    )
    return OrderManager(with_archive, TABLE, OrderManagerConfig(max_completed_orders=limit, **more))


def theirs(name: str = "a", **more: Any) -> VenueOrder:
    """Return an order as the venue's list has it: BUY 10 at 100, works."""
    order = VenueOrder(
        client_order_id=name,
        venue_order_id=f"v-{name}",
        instrument="BTC",
        side=Side.BUY,
        quantity=Decimal(10),
        filled_quantity=Decimal(more.pop("filled", 0)),
        status=OrderStatus.WORKING,
        limit_price=Decimal(100),
    )
    return msgspec.structs.replace(order, **more)


def their_trade(quantity: int, name: str = "a", trade: str = "t1", **more: Any) -> VenueTrade:
    """Return a trade as the venue's list has it, at 100."""
    made = VenueTrade(
        venue="venue",
        trade_id=trade,
        client_order_id=name,
        venue_order_id=f"v-{name}",
        instrument="BTC",
        side=Side.BUY,
        quantity=Decimal(quantity),
        price=Decimal(100),
        venue_time_ns=2,
        commission=Decimal("0.5"),
    )
    return msgspec.structs.replace(made, **more)


def lists(
    *entries: VenueOrder | VenueTrade, number: int = 1, asked_ns: int = 50, **more: Any
) -> VenueOrders:
    """Return one round of lists."""
    return VenueOrders(
        round=number,
        venue="venue",
        asked_ns=asked_ns,
        orders=tuple(each for each in entries if isinstance(each, VenueOrder)),
        trades=tuple(each for each in entries if isinstance(each, VenueTrade)),
        **more,
    )


def told(outputs: list[Any]) -> list[tuple[str, str, bool]]:
    """Return of each difference its key, its cure, and whether it is open."""
    return [(d.key, str(d.cure), d.is_open) for d in of_kind(outputs, Difference)]


def left_open(outputs: list[Any]) -> tuple[str, ...]:
    """Return what the last word on the round leaves open."""
    last = outputs[-1]
    assert isinstance(last, Reconciled)
    return last.open
