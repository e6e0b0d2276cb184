"""What every commission model is, and the exact arithmetic of charges."""

from abc import ABC, abstractmethod
from decimal import Context, Decimal

import attrs
import msgspec

from actors.brokers.models.checks import above_zero_if_given
from actors.model.instrument import Instrument
from actors.model.money import ONE, ZERO
from actors.model.order import Liquidity

_WIDE = Context(prec=100)
multiply, add, subtract = _WIDE.multiply, _WIDE.add, _WIDE.subtract
"""Wide enough that what is made of prices, quantities and rates is never rounded."""


class Charged(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What came before a trade.

    Attributes:
        commission: What the order was charged so far.
        quantity: What of the order has traded so far, in units.
        due: What these trades came to, before the order's minimum and maximum, and unrounded.
        volume: The notional of all earlier trades of the account at this venue.
    """

    commission: Decimal = ZERO
    quantity: Decimal = ZERO
    due: Decimal = ZERO
    volume: Decimal = ZERO


NOTHING_CHARGED = Charged()


@attrs.frozen(kw_only=True)
class CommissionModel(ABC):
    """Charges for trades; negative is a rebate.

    Attributes:
        round_to: The step to which each charge is rounded, half to even, such as 0.01; None
            leaves charges exact.
    """

    round_to: Decimal | None = attrs.field(default=None, validator=above_zero_if_given)

    @property
    @abstractmethod
    def expected_rate(self) -> Decimal:
        """Return a fraction of the notional that no charge exceeds: reserved with the capital.

        What is charged per trade, per unit or as a minimum is no fraction of the notional and is
        left out; :meth:`expected` counts it.
        """

    @property
    def needs_history(self) -> bool:
        """Return whether the model must be told what was charged before."""
        return False

    @abstractmethod
    def commission(
        self,
        price: Decimal,
        quantity: Decimal,
        liquidity: Liquidity,
        instrument: Instrument,
        already: Charged | None = None,
    ) -> Decimal:
        """Return the charge for a trade, unrounded: :class:`Charges` rounds it.

        Args:
            price: Above 0; a negative one (of a spread) has the notional of its amount.
            quantity: In units.
            liquidity: Whether the trade took or provided.
            instrument: Of what.
            already: What came before; None for nothing. Only asked for by some models.
        """

    def expected(self, price: Decimal, quantity: Decimal, instrument: Instrument) -> Decimal:
        """Return what an order is charged at most if one trade fills it whole; 0 or more."""
        taken = self.commission(price, quantity, Liquidity.TAKER, instrument)
        made = self.commission(price, quantity, Liquidity.MAKER, instrument)
        return max(taken, made, ZERO)


def notional(price: Decimal, quantity: Decimal, instrument: Instrument) -> Decimal:
    """Return what a trade is worth, 0 or more: price times quantity times the multiplier."""
    value = multiply(price, quantity)
    if instrument.multiplier != ONE:
        value = multiply(value, instrument.multiplier)
    return value.copy_abs()
