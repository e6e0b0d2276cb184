"""Where market rows come from."""
