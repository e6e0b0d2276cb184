"""Finds walls that were never meant: large offers that vanish before anybody could take them."""

from actors.messages.market import Quote, Trade


class _Wall:
    __slots__ = ("lots", "since_ns", "ticks")

    def __init__(self, ticks: int, lots: int, since_ns: int) -> None:
        self.ticks = ticks
        self.lots = lots
        self.since_ns = since_ns


class WallWatch:
    """Watches the best bid and ask of one instrument.

    A wall is a best level of at least ``least_lots``. It was a phantom if within ``time_ns`` of its
    appearance the level is gone, or has lost more than half of its size, and no public trade was
    made at its price. A better price in front of a wall hides it: it is watched no longer.
    """

    __slots__ = ("_least_lots", "_time_ns", "_walls")

    def __init__(self, least_lots: int, time_ns: int) -> None:
        self._least_lots = least_lots
        self._time_ns = time_ns
        self._walls: dict[int, _Wall] = {}

    def on_trade(self, trade: Trade) -> None:
        """Take a public trade: a wall at its price was real."""
        for side, wall in list(self._walls.items()):
            if wall.ticks == trade.price_ticks:
                del self._walls[side]

    def on_quote(self, quote: Quote) -> str:
        """Take a quote; return what vanished, in words, or nothing."""
        told = ""
        for side, ticks, lots in (
            (1, quote.bid_ticks, quote.bid_lots),
            (-1, quote.ask_ticks, quote.ask_lots),
        ):
            wall = self._walls.get(side)
            if wall is not None:
                nearer = side * (ticks - wall.ticks) if lots else 0
                is_gone = lots == 0 or nearer < 0 or 2 * lots < wall.lots
                if nearer > 0 or is_gone:
                    del self._walls[side]
                if is_gone and nearer <= 0 and quote.time_ns - wall.since_ns <= self._time_ns:
                    told = _in_words(quote, side, wall)
            if lots >= self._least_lots and side not in self._walls:
                self._walls[side] = _Wall(ticks, lots, quote.time_ns)
        return told


def _in_words(quote: Quote, side: int, wall: _Wall) -> str:
    instrument = quote.instrument
    size, price = instrument.quantity(wall.lots), instrument.price(wall.ticks)
    return f"{size.normalize():f} {'bid' if side > 0 else 'offered'} at {price} vanished untouched"
