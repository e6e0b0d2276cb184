"""Positions by average cost: what one strategy holds of one instrument, and what it cost.

A position books its own cash, into the purse of its instrument's currency. Which class a position
is of is chosen once, when it is made; the plain one, for what is bought and paid for by the piece,
is the fastest.

For every class, and whatever is rounded on the way, ``cash flow = realized - commission`` less the
signed cost of what is held, which only what is paid for has (a future costs nothing to open).
"""

from decimal import Decimal

import attrs

from actors.messages.account import PositionChanged
from actors.model.money import ONE, ZERO
from actors.portfolio.books.exact import add, multiply, multiply_add, round_to, share, subtract

Key = tuple[str, str]
"""Strategy and instrument id."""


class Purse:
    """The cash of one currency.

    Attributes:
        cash: The balance; may be negative where money is borrowed.
        short_cost: What the open shorts that were paid for were sold for, all together.
    """

    __slots__ = ("cash", "currency", "short_cost")

    def __init__(self, currency: str, cash: Decimal = ZERO) -> None:
        self.currency = currency
        self.cash = cash
        self.short_cost = ZERO


class Total:
    """What the account holds of one instrument: the sum over its strategies, signed."""

    __slots__ = ("quantity",)

    def __init__(self) -> None:
        self.quantity = ZERO


class Position:
    """What one strategy holds of one instrument; units as in :class:`PositionChanged`.

    ``shorts`` is where a short's cost is counted as long as it is open: the purse.
    """

    __slots__ = (
        "commission",
        "cost",
        "key",
        "purse",
        "quantity",
        "realized_pnl",
        "shorts",
        "total",
    )

    margin: Decimal | None = None
    """Cash held per unit; None for what is paid for."""
    multiplier: Decimal = ONE

    def __init__(self, key: Key, total: Total, purse: Purse) -> None:
        self.key = key
        self.total = total
        self.purse = self.shorts = purse
        self.clear()

    def clear(self) -> None:
        """Forget every fill; the purse is not told."""
        self.quantity = ZERO
        self.cost = ZERO
        self.realized_pnl = ZERO
        self.commission = ZERO

    def resume(self, other: "Position") -> None:
        """Go on from where another position of the same kind is; the purse is not told."""
        self.quantity = other.quantity
        self.cost = other.cost
        self.realized_pnl = other.realized_pnl
        self.commission = other.commission

    @property
    def strategy(self) -> str:
        """Return whose it is."""
        return self.key[0]

    @property
    def instrument(self) -> str:
        """Return what it is of."""
        return self.key[1]

    @property
    def signed_cost(self) -> Decimal:
        """Return the cost, negative for a short."""
        return self.cost if self.quantity > ZERO else self.cost.copy_negate()

    # --- booking ---------------------------------------------------------------------------------

    def book(self, signed: Decimal, price: Decimal, commission: Decimal) -> None:
        """Buy a quantity, or sell it where it is negative, and pay for it."""
        purse = self.purse
        purse.cash = multiply_add(price, signed.copy_negate(), purse.cash)
        if commission:
            purse.cash = subtract(purse.cash, commission)
            self.commission = add(self.commission, commission)
        self.move(signed, price)

    def move(self, signed: Decimal, price: Decimal) -> None:
        """Buy a quantity, or sell it where it is negative: opens, closes, or both in turn.

        Moves no cash. ``price`` is what one unit is worth: with the multiplier.
        """
        held = self.quantity
        self.quantity = left = add(held, signed)
        is_long = held > ZERO
        if not held:
            self.cost = multiply(price, signed.copy_abs())
            return
        if (signed > ZERO) is is_long:
            self.cost = multiply_add(price, signed.copy_abs(), self.cost)
            return
        if left and (left > ZERO) is is_long:
            closed = signed.copy_negate()
            removed = share(self.cost, signed.copy_abs(), held.copy_abs())
            self.cost = subtract(self.cost, removed)
        else:
            closed, removed = held, self.cost
            self.cost = multiply(price, left.copy_abs()) if left else ZERO
        pnl = multiply_add(price, closed, self.realized_pnl)
        self.realized_pnl = subtract(pnl, removed) if is_long else add(pnl, removed)

    # --- looking ---------------------------------------------------------------------------------

    def flow(self) -> Decimal:
        """Return what it has brought to its purse since the start, commissions paid."""
        return subtract(subtract(self.realized_pnl, self.signed_cost), self.commission)

    def worth(self, mark: Decimal | None) -> Decimal:
        """Return what it adds to the purse's cash in the account's value.

        Args:
            mark: The price of one unit; None values the position at its cost.
        """
        return self.signed_cost if mark is None else multiply(self.quantity, mark)

    def unrealized_pnl(self, mark: Decimal | None) -> Decimal:
        """Return what closing it at a mark would realize; 0 if there is no mark."""
        return subtract(self.worth(mark), self.signed_cost)

    def notional(self, mark: Decimal) -> Decimal:
        """Return the value that it controls, never negative."""
        return multiply(multiply(self.quantity.copy_abs(), mark), self.multiplier)

    def changed(self) -> PositionChanged:
        """Return the position as it is now."""
        strategy, instrument = self.key
        return PositionChanged(
            strategy=strategy,
            instrument=instrument,
            quantity=self.quantity,
            cost=self.cost,
            realized_pnl=self.realized_pnl,
            commission=self.commission,
        )


@attrs.frozen
class Terms:
    """What makes an instrument's positions other than plain.

    Attributes:
        multiplier: What one unit is worth per unit of price.
        margin: Cash held per unit of a future; None for what is paid for.
        money_step: What commissions and realized profits are rounded to; None for exact.
    """

    multiplier: Decimal = ONE
    margin: Decimal | None = None
    money_step: Decimal | None = None

    @property
    def are_plain(self) -> bool:
        """Return whether a plain position does."""
        return self.multiplier == ONE and self.margin is None and self.money_step is None


class TermedPosition(Position):
    """A position with terms: a multiplier, a margin in place of a price, or whole cents.

    With a margin nothing is paid at opening: what closing realizes is all that moves the cash.
    With a ``money_step``, commissions and realized profits are rounded to it, half-even, when they
    are booked.
    """

    __slots__ = ("margin", "money_step", "multiplier")

    def __init__(self, key: Key, total: Total, purse: Purse, terms: Terms) -> None:
        self.multiplier = terms.multiplier
        self.margin = terms.margin
        self.money_step = terms.money_step
        super().__init__(key, total, purse)
        if self.margin is not None:
            self.shorts = Purse(purse.currency)  # nothing was sold: there are no proceeds to hold

    def book(self, signed: Decimal, price: Decimal, commission: Decimal) -> None:
        """Buy a quantity, or sell it where it is negative; settle what that comes to."""
        cost, realized, step = self.signed_cost, self.realized_pnl, self.money_step
        self.move(signed, multiply(price, self.multiplier))
        gain = subtract(self.realized_pnl, realized)
        if step is not None:
            gain = round_to(gain, step)
            commission = round_to(commission, step)
            self.realized_pnl = add(realized, gain)
        self.commission = add(self.commission, commission)
        flow = subtract(gain, commission)
        if self.margin is None:
            flow = subtract(flow, subtract(self.signed_cost, cost))
        self.purse.cash = add(self.purse.cash, flow)

    def flow(self) -> Decimal:
        """Return what it has brought to its purse since the start, commissions paid."""
        if self.margin is None:
            return super().flow()
        return subtract(self.realized_pnl, self.commission)

    def worth(self, mark: Decimal | None) -> Decimal:
        """Return what it adds to the purse's cash: of a future, what is not realized yet."""
        cost = self.signed_cost
        value = cost
        if mark is not None:
            value = multiply(multiply(self.quantity, mark), self.multiplier)
        return value if self.margin is None else subtract(value, cost)

    def unrealized_pnl(self, mark: Decimal | None) -> Decimal:
        """Return what closing it at a mark would realize; 0 if there is no mark."""
        worth = self.worth(mark)
        return worth if self.margin is not None else subtract(worth, self.signed_cost)
