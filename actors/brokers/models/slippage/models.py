"""The slippage models. Quantities are in units, volumes and volatilities of the same time."""

from decimal import Decimal
from typing import ClassVar

import attrs

from actors.brokers.models.checks import above_zero, not_negative
from actors.brokers.models.market_state import MarketState
from actors.brokers.models.slippage.base import Slippage, share_of, volatility_of
from actors.model.money import ONE, ZERO
from actors.model.order import Side

_BUY = Side.BUY
_A_LOT = Decimal("0.01")


@attrs.frozen(kw_only=True)
class FixedSlippage(Slippage):
    """The same fraction for every trade: ``price_impact`` (0.001 is 0.1 %)."""

    price_impact: Decimal = attrs.field(default=Decimal("0"), validator=not_negative)

    def fraction(self, side: Side, quantity: Decimal, market: MarketState) -> Decimal:
        """Return ``price_impact``."""
        return self.price_impact


@attrs.frozen(kw_only=True)
class SizeSlippage(Slippage):
    """A fraction that grows with the order: ``percentage * quantity / reference_quantity``.

    Attributes:
        percentage: The fraction at the reference quantity (0.001 is 0.1 %).
        reference_quantity: In units.
    """

    percentage: Decimal = attrs.field(default=Decimal("0.001"), validator=not_negative)
    reference_quantity: Decimal = attrs.field(default=Decimal("1000"), validator=above_zero)

    def fraction(self, side: Side, quantity: Decimal, market: MarketState) -> Decimal:
        """Return the fraction of this quantity."""
        return self.percentage * quantity / self.reference_quantity


@attrs.frozen(kw_only=True)
class DynamicSlippage(Slippage):
    """A base that grows with volatility, and what the share of the volume adds to it.

    ``base_slippage_pct * (1 + volatility_multiplier * volatility) + volume_impact_factor *
    quantity / volume``; a volatility or a volume that nobody knows adds nothing.

    Source: the parameters and their defaults are those of an execution module whose formula is not
    published; this is the plainest one in which each of them does what its name says.
    """

    needs_volatility: ClassVar[bool] = True

    base_slippage_pct: Decimal = attrs.field(default=Decimal("0.001"), validator=not_negative)
    volatility_multiplier: Decimal = attrs.field(default=Decimal("2.0"), validator=not_negative)
    volume_impact_factor: Decimal = attrs.field(default=Decimal("0.1"), validator=not_negative)

    def fraction(self, side: Side, quantity: Decimal, market: MarketState) -> Decimal:
        """Return the fraction at this volatility and share of the volume."""
        calm = self.base_slippage_pct
        nervous = calm * (ONE + self.volatility_multiplier * volatility_of(market, ZERO))
        return nervous + self.volume_impact_factor * share_of(quantity, market.volume)


@attrs.frozen(kw_only=True)
class VolumeSlippage(Slippage):
    """Proportional to the share of the volume: ``price_impact * quantity / volume``.

    Nothing where nobody knows the volume.
    """

    price_impact: Decimal = attrs.field(default=Decimal("0.1"), validator=not_negative)

    def fraction(self, side: Side, quantity: Decimal, market: MarketState) -> Decimal:
        """Return the fraction of this share of the volume."""
        return self.price_impact * share_of(quantity, market.volume)


@attrs.frozen(kw_only=True)
class VolumeShareSlippage(Slippage):
    """Quadratic in the share of the volume: ``price_impact * min(quantity / volume, limit) ** 2``.

    Only the price: what may trade at most is the broker's ``max_volume_pct``.

    Source: ``VolumeShareSlippage`` of the backtester zipline, with its defaults.
    """

    volume_limit: Decimal = attrs.field(default=Decimal("0.025"), validator=above_zero)
    price_impact: Decimal = attrs.field(default=Decimal("0.1"), validator=not_negative)

    def fraction(self, side: Side, quantity: Decimal, market: MarketState) -> Decimal:
        """Return the fraction of this share of the volume."""
        share = min(share_of(quantity, market.volume), self.volume_limit)
        return self.price_impact * share * share


@attrs.frozen(kw_only=True)
class VolumeImpactSlippage(Slippage):
    """Permanent and temporary impact, both proportional to the share of the volume.

    An order of ``liquidity_threshold`` of the volume pays both factors once, one of twice that
    pays them twice. The permanent part stays: whoever buys on pays what the earlier purchases have
    added, net of sales, until it has faded (the broker's ``impact_decay``). It never makes a price
    better than shown, since the recorded market does not know of our trades.

    Attributes:
        permanent_impact_factor: Permanent impact of an order of the threshold's size.
        temporary_impact_factor: Temporary impact of an order of the threshold's size.
        liquidity_threshold: A share of the volume, above 0.

    Source: Almgren and Chriss (2000), "Optimal execution of portfolio transactions", for the two
    linear parts; Huberman and Stanzl (2004), "Price manipulation and quasi-arbitrage", for why the
    permanent one must be linear. Names and defaults are those of an execution module whose formula
    is not published.
    """

    keeps_impact: ClassVar[bool] = True

    permanent_impact_factor: Decimal = attrs.field(
        default=Decimal("0.0001"), validator=not_negative
    )
    temporary_impact_factor: Decimal = attrs.field(
        default=Decimal("0.0002"), validator=not_negative
    )
    liquidity_threshold: Decimal = attrs.field(default=Decimal("0.01"), validator=above_zero)

    def fraction(self, side: Side, quantity: Decimal, market: MarketState) -> Decimal:
        """Return what earlier trades have left, and both parts of this one."""
        left = market.impact if side is _BUY else -market.impact
        both = self.permanent_impact_factor + self.temporary_impact_factor
        return max(left, ZERO) + both * self._size(quantity, market)

    def lasting(self, quantity: Decimal, market: MarketState) -> Decimal:
        """Return the permanent part of a trade, as a fraction of the price."""
        return self.permanent_impact_factor * self._size(quantity, market)

    def _size(self, quantity: Decimal, market: MarketState) -> Decimal:
        return share_of(quantity, market.volume) / self.liquidity_threshold


@attrs.frozen(kw_only=True)
class VolatilityAwareSlippage(Slippage):
    """Grows with volatility: ``base_slippage + volatility * volatility_multiplier``.

    ``default_volatility`` counts where nobody knows the market's. With the defaults that comes to
    5.01 % of each trade, which is told when a configuration asks for it.
    """

    needs_volatility: ClassVar[bool] = True

    base_slippage: Decimal = attrs.field(default=Decimal("0.0001"), validator=not_negative)
    volatility_multiplier: Decimal = attrs.field(default=Decimal("5.0"), validator=not_negative)
    default_volatility: Decimal = attrs.field(default=Decimal("0.01"), validator=not_negative)

    def fraction(self, side: Side, quantity: Decimal, market: MarketState) -> Decimal:
        """Return the fraction at this volatility."""
        return self._at(volatility_of(market, self.default_volatility))

    def _at(self, volatility: Decimal) -> Decimal:
        return self.base_slippage + volatility * self.volatility_multiplier

    def cautions(self) -> list[str]:
        """Return a warning if a trade at the default volatility costs more than 1 %."""
        usual = self._at(self.default_volatility)
        if usual <= _A_LOT:
            return []
        return [
            f"at the default volatility of {self.default_volatility} every trade is filled "
            f"{usual:.2%} worse than shown; a smaller volatility_multiplier makes it less"
        ]


@attrs.frozen(kw_only=True)
class SquareRootSlippage(Slippage):
    """The square-root law: ``coefficient * volatility * sqrt(quantity / volume)``.

    Volatility and volume must be of the same time (a day's with a day's). Nothing where nobody
    knows the volume; ``default_volatility`` counts where nobody knows the volatility.

    Source: Toth et al. (2011), "Anomalous price impact and the critical nature of liquidity".
    """

    needs_volatility: ClassVar[bool] = True

    coefficient: Decimal = attrs.field(default=Decimal("1"), validator=not_negative)
    default_volatility: Decimal = attrs.field(default=Decimal("0.01"), validator=not_negative)

    def fraction(self, side: Side, quantity: Decimal, market: MarketState) -> Decimal:
        """Return the fraction at this volatility and share of the volume."""
        root = share_of(quantity, market.volume).sqrt()
        return self.coefficient * volatility_of(market, self.default_volatility) * root
