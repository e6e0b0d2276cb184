"""Orders that work or are in flight: the quantities they may trade and the cash they hold back.

Counted from the moment the portfolio approves an order until it is over, so that two orders at the
same instant cannot spend the same room. Most orders are counted alone; those with alternatives or
a parent, and those that are being changed, as :mod:`actors.portfolio.claims.alternatives` says.
"""

from collections.abc import Collection, Iterable
from decimal import Decimal

from actors.model.money import ZERO
from actors.model.order import Order, Side
from actors.portfolio.books.exact import add, subtract
from actors.portfolio.books.positions import Key
from actors.portfolio.claims.alternatives import Alternatives, Claim, OwnWorking, Terms, Working

_BUY = Side.BUY  # on Python 3.11, looking a member up takes longer than comparing it
_NONE: dict[str, Claim] = {}


class Reservations:
    """Every order that is not over, by client order id."""

    def __init__(self) -> None:
        self.reserved = ZERO
        """The cash that all of them hold back."""
        self._claims: dict[str, Claim] = {}
        self._strategies: dict[Key, OwnWorking] = {}
        self._accounts: dict[str, Working] = {}
        self._groups: dict[tuple[str, str], Alternatives] = {}
        self._children: dict[str, dict[str, Claim]] = {}
        """Those that wait for a parent which is not over, by parent."""
        self._by_instrument: dict[str, dict[str, Claim]] | None = None
        """Kept from the first time that somebody asks."""

    def __contains__(self, client_order_id: object) -> bool:
        return client_order_id in self._claims

    def __len__(self) -> int:
        return len(self._claims)

    # --- look-ups --------------------------------------------------------------------------------

    def strategy(self, key: Key) -> OwnWorking:
        """Return what one strategy has working in one instrument; not to be changed."""
        own = self._strategies.get(key)
        if own is None:
            own = self._strategies[key] = OwnWorking(self.account(key[1]))
        return own

    def known(self, strategy: str | None, instrument: str) -> Working | None:
        """Return what a strategy, or the account, has working, or None if it never had anything."""
        if strategy is None:
            return self._accounts.get(instrument)
        return self._strategies.get((strategy, instrument))

    def account(self, instrument: str) -> Working:
        """Return what the account has working in one instrument; not to be changed."""
        everyone = self._accounts.get(instrument)
        if everyone is None:
            everyone = self._accounts[instrument] = Working()
        return everyone

    def claim(self, client_order_id: str) -> Claim | None:
        """Return an order that is not over; not to be changed."""
        return self._claims.get(client_order_id)

    def claims(self) -> Iterable[Claim]:
        """Return every order that is not over."""
        return self._claims.values()

    def claims_on(self, instrument: str) -> Collection[Claim]:
        """Return the orders in one instrument that are not over."""
        index = self._by_instrument
        if index is None:
            index = self._by_instrument = {}
            for client_order_id, claim in self._claims.items():
                index.setdefault(claim.order.instrument, {})[client_order_id] = claim
        return index.get(instrument, _NONE).values()

    def group(self, strategy: str, name: str) -> Alternatives | None:
        """Return the alternatives of a group, or None if none of them works."""
        return self._groups.get((strategy, name))

    def counted_with(self, claim: Claim) -> tuple[Decimal, Decimal, Decimal]:
        """Return what an order, its alternatives included, is counted as: buying, selling, cost."""
        if claim.group is None:
            quantity = claim.leaves
            return (quantity, ZERO, claim.cost) if claim.is_buy else (ZERO, quantity, claim.cost)
        group = self._groups[claim.group]
        return (*group.counted(claim.own), group.cost)

    def room_of(self, parent: str, group: tuple[str, str] | None) -> Decimal:
        """Return what a parent will still open that no child of it, but this group's, waits for."""
        claim = self._claims[parent]
        children = self._children.get(parent, _NONE).values()
        others = {child.group for child in children if child.group != group}
        waiting = [self._groups[name].waiting() for name in others if name is not None]
        return max(subtract(claim.leaves, sum(waiting, ZERO)), ZERO)

    # --- changes ---------------------------------------------------------------------------------

    def add(self, order: Order, own: OwnWorking, opening: Decimal, cost: Decimal) -> None:
        """Count an order, and hold back the cost of the part that opens a position.

        ``own`` is :meth:`strategy` of the order.
        """
        quantity = order.quantity
        is_buy = order.side is _BUY
        claim = Claim(own, is_buy, quantity, opening, cost, cost, order)
        self._claims[order.client_order_id] = claim
        if self._by_instrument is not None:
            index = self._by_instrument.setdefault(order.instrument, {})
            index[order.client_order_id] = claim
        if order.group or order.parent:
            self._add_alternative(claim)
            return
        everyone = own.everyone
        if is_buy:
            own.buying = add(own.buying, quantity)
            everyone.buying = add(everyone.buying, quantity)
        else:
            own.selling = add(own.selling, quantity)
            everyone.selling = add(everyone.selling, quantity)
        if cost:
            self.reserved = add(self.reserved, cost)

    def _add_alternative(self, claim: Claim) -> None:
        order = claim.order
        parent = self._claims.get(order.parent) if order.parent else None
        if parent is not None:
            claim.filled_by_parent = parent.filled()
            self._children.setdefault(order.parent, {})[order.client_order_id] = claim
        self._join(claim, group_of(order))

    def _join(self, claim: Claim, name: tuple[str, str]) -> None:
        group = self._groups.get(name)
        if group is None:
            group = self._groups[name] = Alternatives()
        claim.group = name
        group.members[claim.order.client_order_id] = claim
        self._count(group)

    def _count(self, group: Alternatives) -> None:
        more = group.count()
        if more:
            self.reserved = add(self.reserved, more)

    def propose(self, order: Order, opening: Decimal, cost: Decimal) -> None:
        """Count a change: the greater of the old and the new, until :meth:`change` says which."""
        claim = self._claims[order.client_order_id]
        claim.proposals += (Terms(order, opening, cost),)
        if claim.group is None:
            self._uncount(claim)
            self._join(claim, group_of(order))
        else:
            self._count(self._groups[claim.group])

    def change(self, client_order_id: str, order: Order, *, accepted: bool) -> None:
        """Count an order as it stands after a change that was accepted or not."""
        claim = self._claims.get(client_order_id)
        if claim is None:
            return
        if claim.group is None:
            if not accepted:
                return
            self._uncount(claim)
            self._join(claim, group_of(order))
        claim.change(accepted, order)
        if claim.leaves <= ZERO and not claim.proposals:
            self.release(client_order_id)  # it was filled while the change was under way
            return
        assert claim.group is not None
        self._count(self._groups[claim.group])

    def fill(self, client_order_id: str, quantity: Decimal, *, is_over: bool) -> None:
        """Count a fill of an order; of one that is over already, nothing is left to count."""
        if self._children:
            self._parent_filled(client_order_id, quantity, is_over=is_over)
        if is_over:
            self.release(client_order_id)
            return
        claim = self._claims.get(client_order_id)
        if claim is None:
            return
        if claim.group is not None:
            claim.leaves = subtract(claim.leaves, quantity)
            self._count(self._groups[claim.group])
            return
        if quantity >= claim.leaves:
            self.release(client_order_id)
            return
        claim.leaves = subtract(claim.leaves, quantity)
        _reduce(claim, quantity)
        if claim.cost:
            cost = claim.cost_of(claim.leaves)
            self.reserved = add(self.reserved, subtract(cost, claim.cost))
            claim.cost = cost

    def _parent_filled(self, parent: str, quantity: Decimal, *, is_over: bool) -> None:
        """Count for its children what an order has filled; a whole one holds nothing back."""
        children = self._children.get(parent)
        if children is None:
            return
        for child in children.values():
            if child.filled_by_parent is not None:
                filled = add(child.filled_by_parent, quantity)
                child.filled_by_parent = None if is_over else filled
            assert child.group is not None
            self._count(self._groups[child.group])

    def release(self, client_order_id: str) -> None:
        """Forget an order that is over."""
        claim = self._claims.pop(client_order_id, None)
        if claim is None:
            return
        if self._by_instrument is not None:
            del self._by_instrument[claim.order.instrument][client_order_id]
        if self._children:
            self._children.pop(client_order_id, None)
            if claim.order.parent in self._children:
                self._leave_parent(claim)
        if claim.group is None:
            _reduce(claim, claim.leaves)
            if claim.cost:
                self.reserved = subtract(self.reserved, claim.cost)
        else:
            group = self._groups[claim.group]
            del group.members[client_order_id]
            self._count(group)
            if not group.members:
                del self._groups[claim.group]

    def _leave_parent(self, claim: Claim) -> None:
        children = self._children[claim.order.parent]
        children.pop(claim.order.client_order_id, None)
        if not children:
            del self._children[claim.order.parent]

    def _uncount(self, claim: Claim) -> None:
        """Count an order that is counted alone as no order any more."""
        _reduce(claim, claim.leaves)
        if claim.cost:
            self.reserved = subtract(self.reserved, claim.cost)
            claim.cost = ZERO


def group_of(order: Order) -> tuple[str, str]:
    """Return what names the alternatives of an order: its group, or itself alone."""
    return (order.strategy, order.group) if order.group else ("", order.client_order_id)


def _reduce(claim: Claim, quantity: Decimal) -> None:
    """Count a quantity of an order as neither being bought nor being sold any more."""
    own = claim.own
    everyone = own.everyone
    if claim.is_buy:
        own.buying = subtract(own.buying, quantity)
        everyone.buying = subtract(everyone.buying, quantity)
    else:
        own.selling = subtract(own.selling, quantity)
        everyone.selling = subtract(everyone.selling, quantity)
