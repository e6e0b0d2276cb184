"""What a venue shows: quotes, books, bars; how much of it is for us, and who queues before us."""
