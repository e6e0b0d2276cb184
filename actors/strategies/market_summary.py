"""Spread and liquidity of one instrument, in numbers."""

from actors.messages.market import Quote
from actors.strategies.indicators import spread_bps


class MarketSummary:
    """Means over the quotes that have two sides; sizes that the data do not tell are left out."""

    __slots__ = ("_ask_lots", "_bid_lots", "_quotes", "_sized", "_spread_bps", "_two_sided")

    def __init__(self) -> None:
        self._quotes = self._two_sided = self._sized = 0
        self._bid_lots = self._ask_lots = 0
        self._spread_bps = 0.0

    def take(self, quote: Quote) -> None:
        """Take a quote."""
        self._quotes += 1
        if quote.bid_lots == 0 or quote.ask_lots == 0:
            return
        self._two_sided += 1
        self._spread_bps += spread_bps(quote.bid_ticks, quote.ask_ticks)
        if quote.bid_lots > 0 and quote.ask_lots > 0:
            self._sized += 1
            self._bid_lots += quote.bid_lots
            self._ask_lots += quote.ask_lots

    def text(self, lot: float) -> str:
        """Return the means in words; ``lot`` is the instrument's, in units."""
        parts = ["1 quote" if self._quotes == 1 else f"{self._quotes} quotes"]
        if self._two_sided:
            parts.append(f"spread {self._spread_bps / self._two_sided:.1f} bps")
        if self._sized:
            bid, ask = (each * lot / self._sized for each in (self._bid_lots, self._ask_lots))
            parts.append(f"{bid:.2f} bid and {ask:.2f} offered on average")
        if self._two_sided < self._quotes:
            parts.append(f"{self._quotes - self._two_sided} with one side only")
        return ", ".join(parts)
