"""Orders that work or are in flight: the quantities they may trade and the cash they hold back.

Counted from the moment the portfolio approves an order until it is over, so that two orders at the
same instant cannot spend the same room.
"""

from decimal import Decimal

import msgspec

from actors.model.money import ZERO
from actors.model.order import Order, Side
from actors.portfolio.exact import add, share, subtract
from actors.portfolio.ledger import Key

_BUY = Side.BUY  # on Python 3.11, looking a member up takes longer than comparing it


class Working:
    """What the account is about to buy and sell of one instrument, in units, neither negative."""

    __slots__ = ("buying", "selling")

    def __init__(self) -> None:
        self.buying = ZERO
        self.selling = ZERO


class OwnWorking(Working):
    """The same for one strategy, whose orders count for the account too."""

    __slots__ = ("everyone",)

    def __init__(self, everyone: Working) -> None:
        super().__init__()
        self.everyone = everyone


class _Reservation(msgspec.Struct, gc=False):
    """One order: what is left of it, and the cash held back for that."""

    own: OwnWorking
    is_buy: bool
    leaves: Decimal
    opening: Decimal
    opening_cost: Decimal
    cost: Decimal

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
        self._strategies: dict[Key, OwnWorking] = {}
        self._accounts: dict[str, Working] = {}

    def __contains__(self, client_order_id: object) -> bool:
        return client_order_id in self._orders

    def __len__(self) -> int:
        return len(self._orders)

    def strategy(self, key: Key) -> OwnWorking:
        """Return what one strategy has working in one instrument; not to be changed."""
        own = self._strategies.get(key)
        if own is None:
            own = self._strategies[key] = OwnWorking(self.account(key[1]))
        return own

    def account(self, instrument: str) -> Working:
        """Return what the account has working in one instrument; not to be changed."""
        everyone = self._accounts.get(instrument)
        if everyone is None:
            everyone = self._accounts[instrument] = Working()
        return everyone

    def add(self, order: Order, own: OwnWorking, opening: Decimal, cost: Decimal) -> None:
        """Count an order, and hold back the cost of the part that opens a position.

        ``own`` is :meth:`strategy` of the order.
        """
        quantity = order.quantity
        is_buy = order.side is _BUY
        held = _Reservation(own, is_buy, quantity, opening, cost, cost)
        self._orders[order.client_order_id] = held
        everyone = own.everyone
        if is_buy:
            own.buying = add(own.buying, quantity)
            everyone.buying = add(everyone.buying, quantity)
        else:
            own.selling = add(own.selling, quantity)
            everyone.selling = add(everyone.selling, quantity)
        if cost:
            self.reserved = add(self.reserved, cost)

    def fill(self, client_order_id: str, quantity: Decimal, *, is_over: bool) -> None:
        """Count a fill of an order; of one that is over already, nothing is left to count."""
        if is_over:
            self.release(client_order_id)
            return
        held = self._orders.get(client_order_id)
        if held is None:
            return
        if quantity >= held.leaves:
            self.release(client_order_id)
            return
        held.leaves = subtract(held.leaves, quantity)
        _reduce(held, quantity)
        if held.cost:
            cost = held.cost_of(held.leaves)
            self.reserved = add(self.reserved, subtract(cost, held.cost))
            held.cost = cost

    def release(self, client_order_id: str) -> None:
        """Forget an order that is over."""
        held = self._orders.pop(client_order_id, None)
        if held is None:
            return
        _reduce(held, held.leaves)
        if held.cost:
            self.reserved = subtract(self.reserved, held.cost)


def _reduce(held: _Reservation, quantity: Decimal) -> None:
    """Count a quantity of an order as neither being bought nor being sold any more."""
    own = held.own
    everyone = own.everyone
    if held.is_buy:
        own.buying = subtract(own.buying, quantity)
        everyone.buying = subtract(everyone.buying, quantity)
    else:
        own.selling = subtract(own.selling, quantity)
        everyone.selling = subtract(everyone.selling, quantity)
