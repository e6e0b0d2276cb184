"""The commission models that look at one trade only."""

from decimal import Decimal
from typing import ClassVar

import attrs

from actors.brokers.models.checks import a_number, a_share, not_negative
from actors.brokers.models.commission.base import Charged, CommissionModel, multiply, notional
from actors.model.instrument import Instrument
from actors.model.money import ONE, ZERO
from actors.model.order import Liquidity

_MAKER = Liquidity.MAKER


@attrs.frozen(kw_only=True)
class NoCommission(CommissionModel):
    """Trading is free."""

    expected_rate: ClassVar[Decimal] = ZERO

    def commission(
        self,
        price: Decimal,
        quantity: Decimal,
        liquidity: Liquidity,
        instrument: Instrument,
        already: Charged | None = None,
    ) -> Decimal:
        """Return 0."""
        return ZERO


@attrs.frozen
class PercentageCommission(CommissionModel):
    """A fraction of what is traded: ``notional * rate``; a rate of 0.001 is 0.1 %."""

    rate: Decimal = attrs.field(validator=a_number)

    @property
    def expected_rate(self) -> Decimal:
        """Return the rate."""
        return self.rate

    def commission(
        self,
        price: Decimal,
        quantity: Decimal,
        liquidity: Liquidity,
        instrument: Instrument,
        already: Charged | None = None,
    ) -> Decimal:
        """Return the exact product of price, quantity, multiplier and rate."""
        if instrument.multiplier == ONE and price >= ZERO:  # the usual case, without a call
            return multiply(multiply(price, quantity), self.rate)
        return multiply(notional(price, quantity, instrument), self.rate)


@attrs.frozen(kw_only=True)
class FixedCommission(CommissionModel):
    """The same amount for each trade, whatever its size: ``cost_per_trade``.

    An order that fills in three parts pays three times. No fraction of the notional covers that:
    ``expected_rate`` is 0.
    """

    expected_rate: ClassVar[Decimal] = ZERO

    cost_per_trade: Decimal = attrs.field(default=ZERO, validator=not_negative)

    def commission(
        self,
        price: Decimal,
        quantity: Decimal,
        liquidity: Liquidity,
        instrument: Instrument,
        already: Charged | None = None,
    ) -> Decimal:
        """Return ``cost_per_trade``."""
        return self.cost_per_trade


@attrs.frozen(kw_only=True)
class PerUnitCommission(CommissionModel):
    """An amount for each unit bought or sold, as brokers of futures charge: ``amount * quantity``.

    No fraction of the notional covers that: ``expected_rate`` is 0.
    """

    expected_rate: ClassVar[Decimal] = ZERO

    amount: Decimal = attrs.field(validator=not_negative)

    def commission(
        self,
        price: Decimal,
        quantity: Decimal,
        liquidity: Liquidity,
        instrument: Instrument,
        already: Charged | None = None,
    ) -> Decimal:
        """Return the amount for this many units."""
        return multiply(quantity, self.amount)


@attrs.frozen(kw_only=True)
class MakerTakerCommission(CommissionModel):
    """A fraction of what is traded, by who provided and who took; a negative one is a rebate."""

    maker: Decimal = attrs.field(validator=a_number)
    taker: Decimal = attrs.field(validator=a_number)

    @property
    def expected_rate(self) -> Decimal:
        """Return the higher of both rates."""
        return max(self.maker, self.taker)

    def commission(
        self,
        price: Decimal,
        quantity: Decimal,
        liquidity: Liquidity,
        instrument: Instrument,
        already: Charged | None = None,
    ) -> Decimal:
        """Return the notional times the rate of whoever provided or took."""
        rate = self.maker if liquidity is _MAKER else self.taker
        return multiply(notional(price, quantity, instrument), rate)


@attrs.frozen(kw_only=True)
class PolymarketCommission(CommissionModel):
    """Polymarket's fee curve: ``quantity * rate * price * (1 - price)``, paid by who takes.

    The rate is that of the instrument's market (its ``fee_rate``), or ``rate`` where the instrument
    has none. Whoever provides gets ``maker_rebate`` of the fee back, 0 by default. A fraction of
    the notional is ``rate * (1 - price)``, so ``rate`` covers every charge of instruments without a
    rate of their own.

    Source: the venue's documentation of fees (``C * rate * p * (1 - p)``, takers only).

    Attributes:
        rate: From 0 to 1; such as 0.072 for markets on crypto prices.
        maker_rebate: From 0 to 1; 0.2 to 0.25 with the venue's reward programmes.
    """

    rate: Decimal = attrs.field(default=ZERO, validator=a_share)
    maker_rebate: Decimal = attrs.field(default=ZERO, validator=a_share)

    @property
    def expected_rate(self) -> Decimal:
        """Return the rate: what the curve comes to at a price near 0."""
        return self.rate

    def commission(
        self,
        price: Decimal,
        quantity: Decimal,
        liquidity: Liquidity,
        instrument: Instrument,
        already: Charged | None = None,
    ) -> Decimal:
        """Return the fee, or the rebate; 0 at prices outside of 0 to 1."""
        rate = self.rate if instrument.fee_rate is None else instrument.fee_rate
        if not ZERO < price < ONE:
            return ZERO
        fee = multiply(multiply(quantity, rate), multiply(price, ONE - price))
        if liquidity is _MAKER:
            return multiply(fee, self.maker_rebate.copy_negate()) if self.maker_rebate else ZERO
        return fee

    def expected(self, price: Decimal, quantity: Decimal, instrument: Instrument) -> Decimal:
        """Return the fee at this price or at any better one for a buyer or a seller.

        A better price may be nearer to 0.5, where the curve is highest.
        """
        rate = self.rate if instrument.fee_rate is None else instrument.fee_rate
        return multiply(multiply(quantity, rate), Decimal("0.25"))
