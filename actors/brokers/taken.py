"""What our own orders have taken of the sizes that the market shows."""

from collections.abc import Set

import msgspec

from actors.brokers.matching import PriceLevel


class Taken(msgspec.Struct, eq=False, gc=False):
    """Lots taken of one instrument's prices since a row of the slice at hand.

    Attributes:
        since: The row.
        trades: ``(trade id, sign, ticks, lots)`` of what took: +1 has bought, -1 sold.
    """

    since: int
    trades: list[tuple[str, int, int, int]] = []
    _lots: dict[tuple[int, int], int] = {}
    _added: int = 0

    def keep(self, trade_ids: Set[str]) -> None:
        """Give back what other trades than these have taken."""
        self.trades = [trade for trade in self.trades if trade[0] in trade_ids]
        self._lots = {}
        self._added = 0

    def rest_of(self, level: PriceLevel, sign: int) -> PriceLevel:
        """Return a level with what is left of it; there is always enough of unlimited ones."""
        ticks, lots = level
        if lots <= 0:
            return level
        if self._added < len(self.trades):
            self._add()
        return ticks, max(lots - self._lots.get((sign, ticks), 0), 0)

    def _add(self) -> None:
        """Add up what has been taken since it was last asked for."""
        for _, sign, ticks, lots in self.trades[self._added :]:
            self._lots[sign, ticks] = self._lots.get((sign, ticks), 0) + lots
        self._added = len(self.trades)
