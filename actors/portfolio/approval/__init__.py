"""Whether a wish becomes an order: gate, size, price, policies, reservation."""
