"""How one order trades against what the venue shows."""

from collections.abc import Iterable

from actors.brokers.matching import PriceLevel, is_within, walk
from actors.brokers.open_orders import OpenOrder
from actors.brokers.reports import Reporter
from actors.brokers.slippage import SlippageModel
from actors.brokers.venue_market import VenueMarket
from actors.messages.market import UNKNOWN_LOTS, EventKind
from actors.messages.slices import Slice
from actors.messages.trading import ExecutionReport
from actors.model.instrument import Instruments
from actors.model.order import Liquidity, TimeInForce

Reports = list[ExecutionReport]


class Matcher:
    """Trades orders; what it trades is taken from the market and added to the reports.

    Args:
        instruments: The run's instruments.
        market: What the venue shows.
        reporter: Writes the trades.
        slippage: Moves the prices of orders that take.
        partial_fills: Whether shown sizes limit what trades.
    """

    def __init__(
        self,
        instruments: Instruments,
        market: VenueMarket,
        reporter: Reporter,
        slippage: SlippageModel,
        *,
        partial_fills: bool,
    ) -> None:
        self.market = market
        self._instruments = instruments
        self._reporter = reporter
        self._slippage = slippage
        self._partial_fills = partial_fills

    def levels(self, held: OpenOrder) -> Iterable[PriceLevel] | None:
        """Return what an order could take, best price first; None if nothing is known."""
        levels = self.market.levels(held.index, held.sign)
        if levels is None or self._partial_fills:
            return levels
        return [(ticks, UNKNOWN_LOTS) for ticks, _ in levels]

    def would_take(self, held: OpenOrder) -> bool:
        """Return whether an order would trade at once."""
        levels = self.levels(held)
        return levels is not None and bool(walk(levels, 1, held.sign, held.limit))

    def take(
        self, held: OpenOrder, levels: Iterable[PriceLevel], now_ns: int, reports: Reports
    ) -> None:
        """Let an order take what it can get; what is left of a limit order rests from now on."""
        parts = walk(levels, held.leaves, held.sign, held.limit)
        if held.order.time_in_force is TimeInForce.FOK:
            parts = parts if sum(lots for _, lots in parts) == held.leaves else []
        for part in parts:
            if self._partial_fills:
                self.market.take(held.index, held.sign, part)
            self._trade(held, part, Liquidity.TAKER, now_ns, reports)
        if held.limit is not None:
            held.takes = False

    def provide(
        self, held: OpenOrder, rows: Slice, row: int, now_ns: int, reports: Reports
    ) -> bool:
        """Let a resting order trade at a row that the market has just shown.

        Returns:
            Whether the row reaches the order's limit.
        """
        limit = held.limit
        assert limit is not None, "a market order does not rest"
        if rows.kind[row] == EventKind.BAR:
            extreme = rows.c[row] if held.sign > 0 else rows.b[row]
            if not is_within(int(extreme), limit, held.sign):
                return False
            best = min if held.sign > 0 else max
            part = (best(limit, int(rows.a[row])), held.leaves)
            self._trade(held, part, Liquidity.MAKER, now_ns, reports)
            return True
        ticks, lots = self.market.best(held.index, held.sign)
        if not is_within(ticks, limit, held.sign):
            return False
        if lots < 0 or not self._partial_fills:
            lots = held.leaves
        elif lots:
            lots = min(lots, held.leaves)
            self.market.take(held.index, held.sign, (ticks, lots))
        if lots:
            self._trade(held, (limit, lots), Liquidity.MAKER, now_ns, reports)
        return True

    def _trade(
        self,
        held: OpenOrder,
        part: PriceLevel,
        liquidity: Liquidity,
        now_ns: int,
        reports: Reports,
    ) -> None:
        order = held.order
        instrument = self._instruments[held.index]
        ticks, lots = part
        price, quantity = instrument.tick * ticks, instrument.lot * lots
        if liquidity is Liquidity.TAKER:
            price = self._slippage.slipped(order.side, price, quantity)
            if order.limit_price is not None:
                better = min if held.sign > 0 else max
                price = better(price, order.limit_price)
        held.leaves -= lots
        held.trades += 1
        trade = self._reporter.trade(order, held.trades, (price, quantity, liquidity), now_ns)
        reports.append(trade)
