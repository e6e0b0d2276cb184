"""Quotes both sides of a market and lives on the spread."""

from actors.strategies.market_maker.quoting import MakerParameters, Prices, quoted_prices
from actors.strategies.market_maker.strategy import MarketMaker

__all__ = ["MakerParameters", "MarketMaker", "Prices", "quoted_prices"]
