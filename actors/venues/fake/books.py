"""What a fake venue knows: every order, every trade, and what the account holds.

It is the world, not one of our actors: it forgets nothing.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal

import attrs

from actors.messages.venue import VenueOrder, VenueTrade
from actors.model.money import ZERO
from actors.model.order import TERMINAL, Liquidity, Order, OrderStatus
from actors.venues.fake.config import FakeVenueConfig
from actors.venues.fake.fates import Fate

_FILLED = OrderStatus.FILLED
_PARTLY = OrderStatus.PARTIALLY_FILLED


@attrs.define(kw_only=True)
class FakeOrder:
    """An order at the venue.

    Attributes:
        key: Its name in the books: the client's id, or the venue's where there is none.
        order: As it stands.
        venue_order_id: The venue's name for it.
        is_ours: Whether it has come from us, with a client id.
        fate: What is to become of it.
        shown_ns: From when on it is shown to those who ask.
        status: Where it is.
        reason: Why it was refused.
        trades: What it has traded.
    """

    key: str
    order: Order
    venue_order_id: str
    is_ours: bool
    fate: Fate
    shown_ns: int = 0
    status: OrderStatus = OrderStatus.WORKING
    reason: str = ""
    trades: list[VenueTrade] = attrs.field(factory=list)

    @property
    def filled(self) -> Decimal:
        """Return what has traded, in units."""
        return sum((trade.quantity for trade in self.trades), ZERO)

    @property
    def leaves(self) -> Decimal:
        """Return what has not traded."""
        return self.order.quantity - self.filled

    @property
    def is_open(self) -> bool:
        """Return whether it is not over."""
        return self.status not in TERMINAL

    def shown(self) -> VenueOrder:
        """Return it as the venue tells of it."""
        order = self.order
        return VenueOrder(
            client_order_id=order.client_order_id if self.is_ours else "",
            venue_order_id=self.venue_order_id,
            instrument=order.instrument,
            side=order.side,
            quantity=order.quantity,
            filled_quantity=self.filled,
            status=self.status,
            limit_price=order.limit_price,
        )


@attrs.frozen(kw_only=True)
class FakeLedger:
    """The books at one moment, to be compared with ours.

    ``violations`` is what should never have come; ``places_after_halt`` counts orders that came
    although our own side had been halted.
    """

    positions: Mapping[str, Decimal]
    balances: Mapping[str, Decimal]
    orders: tuple[VenueOrder, ...]
    trades: tuple[VenueTrade, ...]
    placed: tuple[Order, ...]
    """Every order and every change that came, as it came."""
    violations: tuple[str, ...]
    places_after_halt: int


class FakeBooks:
    """Keeps orders, trades and holdings of one account."""

    def __init__(self, config: FakeVenueConfig) -> None:
        self.orders: dict[str, FakeOrder] = {}
        self.trades: list[VenueTrade] = []
        self.placed: list[Order] = []
        self.violations: list[str] = []
        self.places_after_halt = 0
        self._config = config
        self.positions: dict[str, Decimal] = {}
        self.balances: dict[str, Decimal] = dict(config.balances)
        self._last_prices: dict[str, Decimal] = {}

    def open_orders(self) -> Iterator[FakeOrder]:
        """Yield the orders that are not over."""
        return (each for each in self.orders.values() if each.is_open)

    def price_for(self, order: Order) -> Decimal | None:
        """Return what an order trades at: its limit, what it met, or the last price."""
        for price in (order.limit_price, order.arrival_price):
            if price is not None:
                return price
        return self._last_prices.get(order.instrument)

    def add(self, order: Order, fate: Fate, shown_ns: int, *, is_ours: bool = True) -> FakeOrder:
        """Take an order into the books."""
        venue_order_id = f"V{len(self.orders) + 1}"
        key = order.client_order_id if is_ours else venue_order_id
        held = FakeOrder(
            key=key,
            order=order,
            venue_order_id=venue_order_id,
            is_ours=is_ours,
            fate=fate,
            shown_ns=shown_ns,
        )
        self.orders[key] = held
        return held

    def fill(self, held: FakeOrder, quantity: Decimal, now_ns: int) -> VenueTrade:
        """Let an order trade, also one that is over."""
        order = held.order
        price = self.price_for(order)
        assert price is not None, "an order without a price is not taken"
        notional = quantity * price
        commission = notional * self._config.fee_rate
        is_maker = held.fate is not Fate.FILL
        trade = VenueTrade(
            venue=self._config.name,
            trade_id=f"T{len(self.trades) + 1}",
            client_order_id=order.client_order_id if held.is_ours else "",
            venue_order_id=held.venue_order_id,
            instrument=order.instrument,
            side=order.side,
            quantity=quantity,
            price=price,
            venue_time_ns=now_ns,
            commission=commission,
            liquidity=Liquidity.MAKER if is_maker else Liquidity.TAKER,
        )
        self.trades.append(trade)
        held.trades.append(trade)
        self._last_prices[order.instrument] = price
        held_before = self.positions.get(order.instrument, ZERO)
        self.positions[order.instrument] = held_before + order.side.sign * quantity
        currency = self._config.currency
        paid = order.side.sign * notional + commission
        self.balances[currency] = self.balances.get(currency, ZERO) - paid
        if held.leaves == 0:
            held.status = _FILLED
        elif held.is_open:
            held.status = _PARTLY
        return trade

    def ledger(self) -> FakeLedger:
        """Return everything as it is now."""
        return FakeLedger(
            positions={key: value for key, value in self.positions.items() if value},
            balances=dict(self.balances),
            orders=tuple(each.shown() for each in self.orders.values()),
            trades=tuple(self.trades),
            placed=tuple(self.placed),
            violations=tuple(self.violations),
            places_after_halt=self.places_after_halt,
        )
