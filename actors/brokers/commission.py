"""What a venue charges for a trade."""

from decimal import Context, Decimal
from typing import ClassVar, Protocol

import attrs

from actors.model.money import ZERO
from actors.model.order import Liquidity

_multiply = Context(prec=100).multiply
"""Wide enough that a product of price, quantity and rate is never rounded."""


class CommissionModel(Protocol):
    """Charges for one trade; negative is a rebate."""

    @property
    def expected_rate(self) -> Decimal:
        """Return the fraction of the notional to expect: reserved with an order's capital."""
        ...

    def commission(self, price: Decimal, quantity: Decimal, liquidity: Liquidity) -> Decimal:
        """Return the charge for a trade of ``quantity`` at ``price``, unrounded."""
        ...


@attrs.frozen
class NoCommission:
    """Trading is free."""

    expected_rate: ClassVar[Decimal] = ZERO

    def commission(self, price: Decimal, quantity: Decimal, liquidity: Liquidity) -> Decimal:
        """Return 0."""
        return ZERO


@attrs.frozen
class PercentageCommission:
    """A fraction of what is traded: ``price * quantity * rate``; a rate of 0.001 is 0.1 %."""

    rate: Decimal = attrs.field()

    @rate.validator
    def _is_finite(self, _attribute: object, value: Decimal) -> None:
        if not value.is_finite():
            raise ValueError(f"rate: expected a number, found {value}")

    @property
    def expected_rate(self) -> Decimal:
        """Return the rate."""
        return self.rate

    def commission(self, price: Decimal, quantity: Decimal, liquidity: Liquidity) -> Decimal:
        """Return the exact product of price, quantity and rate."""
        return _multiply(_multiply(price, quantity), self.rate)


COMMISSIONS: dict[str, type[CommissionModel]] = {
    "none": NoCommission,
    "percentage": PercentageCommission,
}
"""Commission models by their names in configurations."""
