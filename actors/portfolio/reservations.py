"""Orders that work or are in flight: the quantities they may trade and the cash they hold back.

Counted from the moment the portfolio approves an order until it is over, so that two orders at the
same instant cannot spend the same room.
"""

from decimal import Decimal

from actors.model.money import ZERO
from actors.model.order import Order, Side
from actors.portfolio.exact import add, share, subtract
from actors.portfolio.ledger import Key


class Working:
    """What is about to be bought and sold, in units, neither negative."""

    __slots__ = ("buying", "selling")

    def __init__(self) -> None:
        self.buying = ZERO
        self.selling = ZERO

    def change(self, is_buy: bool, quantity: Decimal) -> None:
        """Add a signed quantity to one side."""
        if is_buy:
            self.buying = add(self.buying, quantity)
        else:
            self.selling = add(self.selling, quantity)


_NONE = Working()


class _Reservation:
    """One order: what is left of it, and the cash held back for that."""

    __slots__ = ("account", "is_buy", "leaves", "opening", "opening_cost", "strategy")

    def __init__(
        self, order: Order, opening: Decimal, cost: Decimal, working: tuple[Working, Working]
    ) -> None:
        self.is_buy = order.side is Side.BUY
        self.leaves = order.quantity
        self.opening = opening
        self.opening_cost = cost
        self.strategy, self.account = working

    def cost(self) -> Decimal:
        """Return the cash held back. What closes a position is taken to fill first."""
        if self.leaves >= self.opening:
            return self.opening_cost
        return share(self.opening_cost, self.leaves, self.opening)


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
        strategy.change(held.is_buy, order.quantity)
        account.change(held.is_buy, order.quantity)
        if cost:
            self.reserved = add(self.reserved, cost)

    def fill(self, client_order_id: str, quantity: Decimal, *, is_over: bool) -> None:
        """Count a fill of an order; of one that is over already, nothing is left to count."""
        held = self._orders.get(client_order_id)
        if held is None:
            return
        leaves = subtract(held.leaves, quantity)
        if is_over or leaves <= 0:
            del self._orders[client_order_id]
            leaves = ZERO
        self._shrink(held, leaves)

    def release(self, client_order_id: str) -> None:
        """Forget an order that is over."""
        held = self._orders.pop(client_order_id, None)
        if held is not None:
            self._shrink(held, ZERO)

    def _shrink(self, held: _Reservation, leaves: Decimal) -> None:
        gone = subtract(leaves, held.leaves)
        held.strategy.change(held.is_buy, gone)
        held.account.change(held.is_buy, gone)
        if held.opening_cost:
            before = held.cost()
            held.leaves = leaves
            self.reserved = add(self.reserved, subtract(held.cost(), before))
        else:
            held.leaves = leaves
