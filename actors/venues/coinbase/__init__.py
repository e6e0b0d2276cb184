"""How Coinbase speaks."""
