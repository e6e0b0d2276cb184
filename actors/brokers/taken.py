"""What our own orders have taken of the sizes that the market shows."""

from collections.abc import Set

from actors.brokers.matching import PriceLevel


class Taken:
    """Lots taken of one instrument's prices since a row of the slice at hand."""

    __slots__ = ("_by_trade", "_lots", "since")

    def __init__(self, since: int) -> None:
        self.since = since
        self._lots: dict[tuple[int, int], int] = {}
        self._by_trade: dict[str, tuple[int, int, int]] = {}

    def add(self, trade_id: str, sign: int, level: PriceLevel) -> None:
        """Note that a trade has bought (``sign`` +1) or sold lots at a price in ticks."""
        ticks, lots = level
        self._lots[sign, ticks] = self._lots.get((sign, ticks), 0) + lots
        self._by_trade[trade_id] = (sign, ticks, lots)

    def keep(self, trade_ids: Set[str]) -> None:
        """Give back what other trades than these have taken."""
        for trade_id in [each for each in self._by_trade if each not in trade_ids]:
            sign, ticks, lots = self._by_trade.pop(trade_id)
            self._lots[sign, ticks] -= lots

    def rest_of(self, level: PriceLevel, sign: int) -> PriceLevel:
        """Return a level with what is left of it; there is always enough of unlimited ones."""
        ticks, lots = level
        return (ticks, max(lots - self._lots.get((sign, ticks), 0), 0)) if lots > 0 else level
