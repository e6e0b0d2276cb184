"""What a venue shows: quotes, books, bars, how much of it is there for us, and who queues before us."""
