"""What the models of a simulated venue may know of the market when an order trades."""

from decimal import Decimal

import msgspec

from actors.model.instrument import Instrument
from actors.model.money import ZERO


class MarketState(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The market around one trade; what is not known is None.

    Attributes:
        volume: What the market has room for, in units: the volume of the bar at hand, else the
            size that is quoted on the side that the order takes from.
        volatility: Standard deviation of the returns of the last quotes or bars, from one to the
            next, as a fraction (0.02 is 2 %).
        spread: Best ask less best bid.
        high: The highest price of the bar at hand.
        low: The lowest price of the bar at hand.
        now_ns: The time of the trade.
        impact: By what fraction our own earlier trades have moved the price for good: above 0 is
            up. Only kept where the slippage model asks for it
            (see :mod:`actors.brokers.models.impact`).
        instrument: What is traded.
    """

    volume: Decimal | None = None
    volatility: float | None = None
    spread: Decimal | None = None
    high: Decimal | None = None
    low: Decimal | None = None
    now_ns: int = 0
    impact: Decimal = ZERO
    instrument: Instrument | None = None


NO_MARKET = MarketState()
"""For models that ask for nothing."""
