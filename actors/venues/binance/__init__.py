"""How Binance speaks."""
