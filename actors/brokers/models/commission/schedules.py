"""The commission models that look at what came before: tiers, and bounds of an order's charge."""

from abc import abstractmethod
from bisect import bisect_right
from decimal import Decimal
from itertools import pairwise
from typing import ClassVar, Literal

import attrs

from actors.brokers.models.checks import not_negative, not_negative_if_given
from actors.brokers.models.commission.base import (
    NOTHING_CHARGED,
    Charged,
    CommissionModel,
    add,
    multiply,
    notional,
    subtract,
)
from actors.model.instrument import Instrument
from actors.model.money import ZERO
from actors.model.order import Liquidity

Tier = tuple[Decimal, Decimal]

DEFAULT_TIERS: tuple[Tier, ...] = (
    (Decimal(0), Decimal("0.003")),
    (Decimal(1000), Decimal("0.002")),
    (Decimal(10_000), Decimal("0.001")),
)


@attrs.frozen(kw_only=True)
class BoundedCommission(CommissionModel):
    """An order is charged what its trades come to, but at least a minimum and at most a maximum.

    The bounds hold for the order, not for each of its trades: the first trade pays the minimum,
    further ones pay nothing until the minimum is used up. An order that does not trade pays
    nothing.
    """

    minimum_commission: Decimal = attrs.field(default=ZERO, validator=not_negative)
    maximum_commission: Decimal | None = attrs.field(default=None, validator=not_negative_if_given)

    def __attrs_post_init__(self) -> None:
        least, most = self.minimum_commission, self.maximum_commission
        if most is not None and most < least:
            raise ValueError(f"maximum_commission: expected {least} or more, found {most}")

    @property
    def needs_history(self) -> bool:
        """Return whether there are bounds of an order's charge."""
        return bool(self.minimum_commission) or self.maximum_commission is not None

    @abstractmethod
    def due(
        self, price: Decimal, quantity: Decimal, instrument: Instrument, already: Charged
    ) -> Decimal:
        """Return what a trade comes to by itself, 0 or more."""

    def commission(
        self,
        price: Decimal,
        quantity: Decimal,
        liquidity: Liquidity,
        instrument: Instrument,
        already: Charged | None = None,
    ) -> Decimal:
        """Return by how much a trade raises what its order is charged."""
        before = already or NOTHING_CHARGED
        due = self.due(price, quantity, instrument, before)
        if not self.needs_history:
            return due
        total = max(add(before.due, due), self.minimum_commission)
        if self.maximum_commission is not None:
            total = min(total, self.maximum_commission)
        return subtract(total, before.commission)


def _is_rising(_owner: object, _attribute: object, tiers: tuple[Tier, ...]) -> None:
    if not tiers:
        raise ValueError("tiers: expected at least one, found none")
    for lower, _ in tiers:
        if not lower.is_finite():
            raise ValueError(f"tiers: expected amounts, found {lower}")
    if tiers[0][0] != 0:
        raise ValueError(f"tiers: expected the first one to begin at 0, found {tiers[0][0]}")
    for (lower, _), (upper, _) in pairwise(tiers):
        if upper <= lower:
            raise ValueError(f"tiers: expected rising amounts, found {upper} after {lower}")
    for _, rate in tiers:
        if not rate.is_finite() or rate < 0:
            raise ValueError(f"tiers: expected rates of 0 or more, found {rate}")


@attrs.frozen(kw_only=True)
class TieredCommission(BoundedCommission):
    """A fraction of what is traded that depends on how much is traded.

    With the defaults a trade of less than 1,000 pays 0.3 % of its value, one from 1,000 on 0.2 %,
    one from 10,000 on 0.1 %: of the whole value, so that 1,000 costs 2 and 999 costs 2.997.

    Attributes:
        tiers: ``(from which amount, rate)``, the first from 0, rising.
        basis: What is compared with the tiers: ``trade``, the value of the single trade, or
            ``cumulative``, all that the account has traded at the venue before, in this run.
        marginal: Whether each rate counts only for the part of the value within its tier, as with
            income tax; with basis ``cumulative`` the trade may lie across the edge of a tier.
        minimum_commission: Of an order that trades; 1 if not given.
        maximum_commission: Of an order; None for none.
    """

    tiers: tuple[Tier, ...] = attrs.field(default=DEFAULT_TIERS, validator=_is_rising)
    basis: Literal["trade", "cumulative"] = "trade"
    marginal: bool = False
    minimum_commission: Decimal = attrs.field(default=Decimal("1.0"), validator=not_negative)

    @property
    def expected_rate(self) -> Decimal:
        """Return the highest rate; the minimum is not in it."""
        return max(rate for _, rate in self.tiers)

    @property
    def needs_history(self) -> bool:
        """Return whether there are bounds, or volumes to add up."""
        return self.basis == "cumulative" or super().needs_history

    def due(
        self, price: Decimal, quantity: Decimal, instrument: Instrument, already: Charged
    ) -> Decimal:
        """Return the value times the rate, or the rates, of its tier."""
        value = notional(price, quantity, instrument)
        start = already.volume if self.basis == "cumulative" else ZERO
        if self.marginal:
            return subtract(self._up_to(add(start, value)), self._up_to(start))
        level = start if self.basis == "cumulative" else value
        return multiply(value, self._rate(level))

    def _rate(self, amount: Decimal) -> Decimal:
        return self.tiers[bisect_right(self.tiers, amount, key=lambda tier: tier[0]) - 1][1]

    def _up_to(self, amount: Decimal) -> Decimal:
        """Return what the first ``amount`` of the account's volume costs, tier by tier."""
        total = ZERO
        ends = [lower for lower, _ in self.tiers[1:]] + [amount]
        for (lower, rate), end in zip(self.tiers, ends, strict=True):
            if amount <= lower:
                break
            total = add(total, multiply(subtract(min(end, amount), lower), rate))
        return total

    def expected(self, price: Decimal, quantity: Decimal, instrument: Instrument) -> Decimal:
        """Return the value times the highest rate, or the minimum if that is more."""
        value = multiply(notional(price, quantity, instrument), self.expected_rate)
        return max(value, self.minimum_commission)


@attrs.frozen(kw_only=True)
class PerShareCommission(BoundedCommission):
    """An amount for each share, within an order's minimum and maximum.

    No fraction of the notional covers that: ``expected_rate`` is 0.
    """

    expected_rate: ClassVar[Decimal] = ZERO

    rate_per_share: Decimal = attrs.field(default=Decimal("0.005"), validator=not_negative)
    minimum_commission: Decimal = attrs.field(default=Decimal("1.0"), validator=not_negative)
    maximum_commission: Decimal | None = attrs.field(
        default=Decimal("10.0"), validator=not_negative_if_given
    )

    def due(
        self, price: Decimal, quantity: Decimal, instrument: Instrument, already: Charged
    ) -> Decimal:
        """Return the amount for this many shares."""
        return multiply(quantity, self.rate_per_share)
