"""Positions by lots: what was bought first is sold first, each lot at its own cost."""

from collections import deque
from decimal import Decimal

from actors.model.money import ZERO
from actors.portfolio.books.exact import add, multiply, multiply_add, subtract
from actors.portfolio.books.positions import Position, TermedPosition

Lot = tuple[Decimal, Decimal]
"""Quantity (never negative: the position has the sign) and what one unit cost."""


class FifoPosition(TermedPosition):
    """A position whose closing fills take the oldest lots; nothing is ever divided."""

    __slots__ = ("lots",)

    def clear(self) -> None:
        """Forget every fill; the purse is not told."""
        super().clear()
        self.lots: deque[Lot] = deque()

    def resume(self, other: Position) -> None:
        """Go on from where another position of the same kind is; the purse is not told."""
        super().resume(other)
        assert isinstance(other, FifoPosition), "another kind of position"
        self.lots = other.lots.copy()

    def move(self, signed: Decimal, price: Decimal) -> None:
        """Buy a quantity, or sell it where it is negative: opens, closes, or both in turn."""
        held = self.quantity
        self.quantity = add(held, signed)
        is_long = held > ZERO
        quantity = signed.copy_abs()
        if held and (signed > ZERO) is not is_long:
            quantity = self._close(quantity, price, is_long=is_long)
        if quantity:
            self.lots.append((quantity, price))
            self.cost = multiply_add(price, quantity, self.cost)

    def _close(self, quantity: Decimal, price: Decimal, *, is_long: bool) -> Decimal:
        """Take lots, the oldest first; return what is left to open."""
        while quantity and self.lots:
            held, paid = self.lots[0]
            taken = min(held, quantity)
            if taken == held:
                self.lots.popleft()
            else:
                self.lots[0] = (subtract(held, taken), paid)
            quantity = subtract(quantity, taken)
            self.cost = subtract(self.cost, multiply(paid, taken))
            gained = subtract(price, paid) if is_long else subtract(paid, price)
            self.realized_pnl = multiply_add(gained, taken, self.realized_pnl)
        return quantity
