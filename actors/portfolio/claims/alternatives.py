"""One order's claim on the account, and claims of which only the greatest counts.

A claim is what an order may still trade and the cash it holds back. Alternatives (orders of one
group, the old and the new form of an order that is being changed) are counted as the greatest of
them, on each side; an order that waits for its parent counts for what the parent has filled.
"""

from decimal import Decimal

import msgspec

from actors.model.money import ZERO
from actors.model.order import Order
from actors.portfolio.books.exact import add, share, subtract


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

    def move(self, buying: Decimal, selling: Decimal) -> None:
        """Count more, or less, of what is being bought and sold."""
        everyone = self.everyone
        if buying:
            self.buying = add(self.buying, buying)
            everyone.buying = add(everyone.buying, buying)
        if selling:
            self.selling = add(self.selling, selling)
            everyone.selling = add(everyone.selling, selling)


class Terms(msgspec.Struct, gc=False):
    """One form of an order that is being changed; ``cost`` is that of the ``opening`` part."""

    order: Order
    opening: Decimal
    cost: Decimal

    def fits(self, order: Order) -> bool:
        """Return whether this is the form that an order has."""
        mine = self.order
        return (
            mine.quantity == order.quantity
            and mine.limit_price == order.limit_price
            and mine.stop_price == order.stop_price
        )


class Claim(msgspec.Struct, gc=False):
    """One order: what is left of it, and the cash held back for that.

    Attributes:
        own: What its strategy has working in its instrument.
        is_buy: Which way it trades.
        leaves: What may still fill of it as it stands; below 0 once a greater form has filled more.
        opening: The part of the whole that opens a position; what closes is taken to fill first.
        opening_cost: What that part costs.
        cost: What is held back now.
        order: The order as it stands.
        group: Names the alternatives it is counted with; None if it is counted alone.
        filled_by_parent: What of its parent has filled, while the parent works; else None.
        proposals: The forms that it may have soon, the oldest first.
    """

    own: OwnWorking
    is_buy: bool
    leaves: Decimal
    opening: Decimal
    opening_cost: Decimal
    cost: Decimal
    order: Order
    group: tuple[str, str] | None = None
    filled_by_parent: Decimal | None = None
    proposals: tuple[Terms, ...] = ()

    def filled(self) -> Decimal:
        """Return what of the order has filled."""
        return subtract(self.order.quantity, self.leaves)

    def cost_of(self, leaves: Decimal) -> Decimal:
        """Return the cash to hold back for the order as it stands."""
        return _part(self.opening, self.opening_cost, leaves)

    def counted(self) -> Decimal:
        """Return the quantity that it may trade now, in its greatest form."""
        filled = self.filled()
        most = self.leaves
        for terms in self.proposals:
            most = max(most, subtract(terms.order.quantity, filled))
        if self.filled_by_parent is not None:
            most = min(most, subtract(self.filled_by_parent, filled))
        return max(most, ZERO)

    def greatest_cost(self) -> Decimal:
        """Return the cash to hold back for its most expensive form."""
        filled = self.filled()
        most = self.cost_of(self.leaves)
        for terms in self.proposals:
            leaves = subtract(terms.order.quantity, filled)
            most = max(most, _part(terms.opening, terms.cost, leaves))
        return most

    def change(self, accepted: bool, order: Order) -> None:
        """Take the venue's word on the oldest change, or on the one that it names."""
        if not accepted:
            self.proposals = self.proposals[1:]
            return
        leaves = subtract(order.quantity, self.filled())
        for number, terms in enumerate(self.proposals):
            if terms.fits(order):
                self.opening, self.opening_cost = terms.opening, terms.cost
                self.proposals = self.proposals[number + 1 :]
                break
        else:  # somebody else changed it: an alternative has filled a part
            opening = max(min(self.opening, leaves), ZERO)
            self.opening_cost = _part(self.opening, self.opening_cost, opening)
            self.opening = opening
        self.order = order
        self.leaves = leaves


def _part(opening: Decimal, cost: Decimal, leaves: Decimal) -> Decimal:
    """Return the cost of what is left. What closes a position is taken to fill first."""
    if leaves >= opening:
        return cost
    return share(cost, leaves, opening) if leaves > ZERO else ZERO


class Alternatives:
    """Claims of one group, counted as the greatest of them."""

    __slots__ = ("_counted", "cost", "members")

    def __init__(self) -> None:
        self.members: dict[str, Claim] = {}
        self.cost = ZERO
        """What the group holds back."""
        self._counted: dict[OwnWorking, tuple[Decimal, Decimal]] = {}

    def counted(self, own: OwnWorking) -> tuple[Decimal, Decimal]:
        """Return what the group is counted as buying and selling."""
        return self._counted.get(own, (ZERO, ZERO))

    def waiting(self) -> Decimal:
        """Return what its members may trade when their parents have filled."""
        left = (subtract(each.leaves, each.counted()) for each in self.members.values())
        return max(left, default=ZERO)

    def count(self) -> Decimal:
        """Count the group as its members are now; return how much more cash it holds back."""
        counted: dict[OwnWorking, tuple[Decimal, Decimal]] = {}
        cost = ZERO
        for each in self.members.values():
            buying, selling = counted.get(each.own, (ZERO, ZERO))
            quantity = each.counted()
            if each.is_buy:
                buying = max(buying, quantity)
            else:
                selling = max(selling, quantity)
            counted[each.own] = (buying, selling)
            cost = max(cost, each.greatest_cost())
        for own in {**self._counted, **counted}:
            old_buying, old_selling = self._counted.get(own, (ZERO, ZERO))
            buying, selling = counted.get(own, (ZERO, ZERO))
            own.move(subtract(buying, old_buying), subtract(selling, old_selling))
        more = subtract(cost, self.cost)
        self.cost = cost
        self._counted = counted
        return more
