"""Models of what a venue costs and how it behaves: no orders, no market, pure functions of both."""
