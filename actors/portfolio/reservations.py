"""Orders that work or are in flight: the quantities they may trade and the cash they hold back.

Counted from the moment the portfolio approves an order until it is over, so that two orders at the
same instant cannot spend the same room.
"""

from decimal import Decimal

from actors.model.money import ZERO
from actors.model.order import Order, Side
from actors.portfolio.exact import add, share, subtract
from actors.portfolio.ledger import Key

_BUY = Side.BUY  # on Python 3.11, looking a member up takes longer than comparing it


class Working:
    """What is about to be bought and sold, in units, neither negative."""

    __slots__ = ("buying", "selling")

    def __init__(self) -> None:
        self.buying = ZERO
        self.selling = ZERO


_NONE = Working()


class _Reservation:
    """One order: what is left of it, and the cash held back for that."""

    __slots__ = ("account", "cost", "is_buy", "leaves", "opening", "opening_cost", "strategy")

    def __init__(
        self, order: Order, opening: Decimal, cost: Decimal, working: tuple[Working, Working]
    ) -> None:
        self.is_buy = order.side is _BUY
        self.leaves = order.quantity
        self.opening = opening
        self.opening_cost = self.cost = cost
        self.strategy, self.account = working

    def cost_of(self, leaves: Decimal) -> Decimal:
        """Return the cash to hold back. What closes a position is taken to fill first."""
        if leaves >= self.opening:
            return self.opening_cost
        return share(self.opening_cost, leaves, self.opening)


class Reservations:
    """Every order that is not over, by client order id."""

    def __init__(self) -> None:
        self.reserved = ZERO
        """The cash that all of them hold back."""
        self._orders: dict[str, _Reservation] = {}
        self._strategies: dict[Key, Working] = {}
        self._accounts: dict[str, Working] = {}

    def __contains__(self, client_order_id: object) -> bool:
        return client_order_id in self._orders

    def __len__(self) -> int:
        return len(self._orders)

    def strategy(self, key: Key) -> Working:
        """Return what one strategy has working in one instrument; not to be changed."""
        return self._strategies.get(key, _NONE)

    def account(self, instrument: str) -> Working:
        """Return what the account has working in one instrument; not to be changed."""
        return self._accounts.get(instrument, _NONE)

    def add(self, order: Order, opening: Decimal, cost: Decimal) -> None:
        """Count an order, and hold back the cost of the part that opens a position."""
        key = (order.strategy, order.instrument)
        strategy = self._strategies.get(key)
        if strategy is None:
            strategy = self._strategies[key] = Working()
        account = self._accounts.get(order.instrument)
        if account is None:
            account = self._accounts[order.instrument] = Working()
        held = _Reservation(order, opening, cost, (strategy, account))
        self._orders[order.client_order_id] = held
        if held.is_buy:
            strategy.buying = add(strategy.buying, order.quantity)
            account.buying = add(account.buying, order.quantity)
        else:
            strategy.selling = add(strategy.selling, order.quantity)
            account.selling = add(account.selling, order.quantity)
        if cost:
            self.reserved = add(self.reserved, cost)

    def fill(self, client_order_id: str, quantity: Decimal, *, is_over: bool) -> None:
        """Count a fill of an order; of one that is over already, nothing is left to count."""
        held = self._orders.get(client_order_id)
        if held is None:
            return
        if is_over or quantity >= held.leaves:
            self.release(client_order_id)
            return
        self._reduce(held, quantity)
        if held.cost:
            cost = held.cost_of(held.leaves)
            self.reserved = add(self.reserved, subtract(cost, held.cost))
            held.cost = cost

    def release(self, client_order_id: str) -> None:
        """Forget an order that is over."""
        held = self._orders.pop(client_order_id, None)
        if held is None:
            return
        self._reduce(held, held.leaves)
        if held.cost:
            self.reserved = subtract(self.reserved, held.cost)

    def _reduce(self, held: _Reservation, quantity: Decimal) -> None:
        held.leaves = subtract(held.leaves, quantity)
        if held.is_buy:
            held.strategy.buying = subtract(held.strategy.buying, quantity)
            held.account.buying = subtract(held.account.buying, quantity)
        else:
            held.strategy.selling = subtract(held.strategy.selling, quantity)
            held.account.selling = subtract(held.account.selling, quantity)
