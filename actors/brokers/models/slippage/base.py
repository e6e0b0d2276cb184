"""What every slippage model is: a fraction of the price, never to the advantage of the order."""

from abc import ABC, abstractmethod
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import ClassVar, Protocol

import attrs

from actors.brokers.models.checks import Attribute
from actors.brokers.models.market_state import MarketState
from actors.model.money import ONE, ZERO
from actors.model.order import Side

_BUY = Side.BUY
_EXACT = Context(prec=100)
_STEP = Decimal("1E-12")
_MOST = Decimal("0.99")


class SlippageModel(Protocol):
    """Moves the price of a trade that takes; the broker keeps it within the order's limit."""

    @property
    def needs_market(self) -> bool:
        """Return whether the model looks at the market; if not, it may be given an empty one."""
        ...

    @property
    def needs_volatility(self) -> bool:
        """Return whether the market's volatility must be told."""
        ...

    @property
    def keeps_impact(self) -> bool:
        """Return whether the model's trades move the price for good: :meth:`lasting`, then."""
        ...

    def lasting(self, quantity: Decimal, market: MarketState) -> Decimal:
        """Return by what fraction of the price a trade moves the market for good; 0 or more."""
        ...

    def slipped(
        self, side: Side, price: Decimal, quantity: Decimal, market: MarketState
    ) -> Decimal:
        """Return the price at which ``quantity`` really trades where ``price`` was shown."""
        ...


@attrs.frozen
class NoSlippage:
    """Trades happen at the price that is shown."""

    needs_market: ClassVar[bool] = False
    needs_volatility: ClassVar[bool] = False
    keeps_impact: ClassVar[bool] = False

    def slipped(
        self, side: Side, price: Decimal, quantity: Decimal, market: MarketState
    ) -> Decimal:
        """Return the price as it is."""
        return price

    def lasting(self, quantity: Decimal, market: MarketState) -> Decimal:
        """Return 0."""
        return ZERO


def _leaves_a_price(_owner: object, attribute: Attribute, value: Decimal) -> None:
    if not (value.is_finite() and 0 <= value <= _MOST):
        expected = f"a number from 0 to {_MOST}"
        raise ValueError(f"{attribute.name}: expected {expected}, found {value}")


@attrs.frozen(kw_only=True)
class Slippage(ABC):
    """A buyer pays ``price * (1 + fraction)``, a seller gets ``price * (1 - fraction)``.

    The result is exact: the fraction is rounded up to twelve digits after the point, and the price
    is not rounded to the instrument's tick unless ``round_to_tick`` asks for it. It is above 0 if
    the shown price is; a buyer of an outcome token pays at most 1, or the instrument's
    ``max_price``, where the market says what is traded.

    Attributes:
        round_to_tick: Whether prices are rounded to the tick, away from the shown price.
        max_slippage: The largest fraction; from 0 to 0.99.
    """

    needs_market: ClassVar[bool] = True
    needs_volatility: ClassVar[bool] = False
    keeps_impact: ClassVar[bool] = False

    round_to_tick: bool = False
    max_slippage: Decimal = attrs.field(default=_MOST, validator=_leaves_a_price)

    @abstractmethod
    def fraction(self, side: Side, quantity: Decimal, market: MarketState) -> Decimal:
        """Return the slippage as a fraction of the price, 0 or more."""

    def lasting(self, quantity: Decimal, market: MarketState) -> Decimal:
        """Return by what fraction of the price a trade moves the market for good: here 0.

        Asked only of models that say ``keeps_impact``.
        """
        return ZERO

    def cautions(self) -> list[str]:
        """Return what whoever chose these options should know, in sentences."""
        return []

    def slipped(
        self, side: Side, price: Decimal, quantity: Decimal, market: MarketState
    ) -> Decimal:
        """Return the price at which ``quantity`` really trades where ``price`` was shown.

        Args:
            side: BUY pays more, SELL gets less; never better than shown.
            price: What was shown; 0 or less (spreads may have such prices) stays as it is.
            quantity: In units.
            market: The market at that moment.
        """
        if price <= 0:
            return price
        fraction = min(self.fraction(side, quantity, market), self.max_slippage)
        rounded = fraction.quantize(_STEP, ROUND_CEILING, _EXACT)
        if rounded != fraction:
            fraction = rounded
        is_buy = side is _BUY
        moved = _EXACT.multiply(price, ONE + fraction if is_buy else ONE - fraction)
        if market.instrument is None:
            return moved
        if self.round_to_tick:
            moved = _outward(moved, market.instrument.tick, is_buy=is_buy)
        if is_buy:
            highest = market.instrument.max_price
            if highest is None and market.instrument.outcome is not None:
                highest = ONE
            return moved if highest is None else max(price, min(moved, highest))
        return min(price, max(moved, market.instrument.tick)) if self.round_to_tick else moved


def _outward(price: Decimal, tick: Decimal, *, is_buy: bool) -> Decimal:
    """Return the next price on the grid, away from the market for whoever trades."""
    steps = _EXACT.divide(price, tick)
    whole = steps.to_integral_value(ROUND_CEILING if is_buy else ROUND_FLOOR)
    return _EXACT.multiply(whole, tick)


def share_of(quantity: Decimal, volume: Decimal | None) -> Decimal:
    """Return a quantity as a fraction of the market's volume; 0 if there is no volume."""
    if volume is None or volume <= 0:
        return ZERO
    return quantity / volume


def volatility_of(market: MarketState, default: Decimal) -> Decimal:
    """Return the market's volatility as its float reads; ``default`` if nobody knows it."""
    if market.volatility is None or not market.volatility >= 0:
        return default
    return Decimal(repr(market.volatility))
