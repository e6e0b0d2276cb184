"""What each actor decides: synchronous, deterministic, without input or output."""
