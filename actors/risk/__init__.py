"""What may refuse an order."""
