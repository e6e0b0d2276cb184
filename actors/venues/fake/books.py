"""What a fake venue knows: orders, trades, and what the account holds.

It is the world, not one of our actors. What it holds is exact for ever; of orders that are over and
of trades it forgets the oldest (:attr:`~actors.venues.fake.config.FakeVenueConfig.remembers`).
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice

import attrs

from actors.messages.venue import VenueOrder, VenueTrade
from actors.model.money import ZERO
from actors.model.order import TERMINAL, Liquidity, Order, OrderStatus
from actors.venues.fake.config import FakeVenueConfig
from actors.venues.fake.fates import Fate

_FILLED = OrderStatus.FILLED
_PARTLY = OrderStatus.PARTIALLY_FILLED
_CANCELLED = OrderStatus.CANCELLED


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

    @property
    def is_settled(self) -> bool:
        """Return whether nothing will become of it any more."""
        awaits_trade = self.fate is Fate.LATE_FILL and self.status is _CANCELLED and self.leaves
        return not (self.is_open or awaits_trade)

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
    although our own side had been halted. Positions and balances count the ``forgotten_trades``,
    of which ``trades`` tells no more, as it tells nothing of ``forgotten_orders``.
    """

    positions: Mapping[str, Decimal]
    balances: Mapping[str, Decimal]
    orders: tuple[VenueOrder, ...]
    trades: tuple[VenueTrade, ...]
    placed: tuple[Order, ...]
    """Every order and every change that came, as it came."""
    violations: tuple[str, ...]
    places_after_halt: int
    forgotten_orders: int = 0
    forgotten_trades: int = 0


class FakeBooks:
    """Keeps orders, trades and holdings of one account."""

    def __init__(self, config: FakeVenueConfig) -> None:
        self.orders: dict[str, FakeOrder] = {}
        self.trades: list[VenueTrade] = []
        self.placed: list[Order] = []
        self.came = 0
        """How many orders and changes have come."""
        self.violations: list[str] = []
        self.places_after_halt = 0
        self.forgotten_orders = 0
        self.forgotten_trades = 0
        self._config = config
        self._most = config.remembers
        self._slack = self._most // 4 + 1
        self._trim_at = self._most + self._slack
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
        if len(self.orders) >= self._trim_at:
            self._forget_orders()
        venue_order_id = f"V{self.forgotten_orders + len(self.orders) + 1}"
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
            trade_id=f"T{self.trades_told + 1}",
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
        if len(self.trades) >= self._most + self._slack:
            self.forgotten_trades += self._slack
            del self.trades[: self._slack]
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

    def note_placed(self, order: Order) -> None:
        """Remember an order, or a change of one, as it came."""
        self.came += 1
        self.placed.append(order)
        if len(self.placed) >= self._most + self._slack:
            del self.placed[: self._slack]

    def _forget_orders(self) -> None:
        """Forget the oldest that are settled; the others stay, however many they are."""
        too_many = len(self.orders) - self._most
        settled = (key for key, held in self.orders.items() if held.is_settled)
        for key in list(islice(settled, too_many)):
            del self.orders[key]
            self.forgotten_orders += 1
        self._trim_at = max(self._most, len(self.orders)) + self._slack

    @property
    def trades_told(self) -> int:
        """Return how many trades there have been."""
        return self.forgotten_trades + len(self.trades)

    def trades_from(self, number: int) -> tuple[int, Sequence[VenueTrade]]:
        """Return a page of trades from a number on, or the first that it can tell; its number."""
        first = max(number - self.forgotten_trades, 0)
        page = self.trades[first : first + self._config.page_size]
        return self.forgotten_trades + first, page

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
            forgotten_orders=self.forgotten_orders,
            forgotten_trades=self.forgotten_trades,
        )
