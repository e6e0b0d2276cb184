"""How Polymarket speaks: market frames, book hashes, market metadata."""
