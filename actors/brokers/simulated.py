"""The simulated broker: orders match against the recorded or generated market."""

import attrs

from actors.actor import Context
from actors.brokers.commission import CommissionModel, NoCommission
from actors.brokers.latency import ConstantLatency, LatencyModel
from actors.brokers.matching import PriceLevel, is_within, walk
from actors.brokers.open_orders import OpenOrder
from actors.brokers.reports import Reporter
from actors.brokers.slippage import NoSlippage, SlippageModel
from actors.brokers.venue import Venue
from actors.brokers.venue_market import VenueMarket
from actors.messages.market import UNKNOWN_LOTS, EventKind
from actors.messages.slices import Slice
from actors.messages.trading import ExecutionReport
from actors.model.instrument import Instruments
from actors.model.order import Liquidity, OrderType, TimeInForce

_TAKER = Liquidity.TAKER
_MAKER = Liquidity.MAKER
_POST_ONLY = OrderType.POST_ONLY
_FOK = TimeInForce.FOK


@attrs.frozen(kw_only=True)
class SimulatedBrokerConfig:
    """How the simulated venue differs from an ideal one.

    Attributes:
        latency: How long messages are on their way.
        commission: What a trade costs.
        slippage: How much worse than shown an order is filled that takes.
        venue: The name in the reports.
        partial_fills: Whether shown sizes limit what trades. If not, every order fills whole at
            the best price.
    """

    latency: LatencyModel = attrs.field(factory=ConstantLatency)
    commission: CommissionModel = attrs.field(factory=NoCommission)
    slippage: SlippageModel = attrs.field(factory=NoSlippage)
    venue: str = "simulated"
    partial_fills: bool = True


class SimulatedBroker(Venue):
    """A venue that matches orders against the market as it was.

    - What takes walks the book, or fills against the best quote, up to the sizes shown; what it
      takes is gone until the instrument's next quote. Without quotes, a bar's close or a trade's
      price has room for everything. The market does not notice our orders beyond that.
    - What rests trades at its limit when a later quote or trade reaches it, up to the size quoted;
      in a bar that reaches it, whole, at the limit, or at the open if that is better.
    - What is left of a market order takes again at each next quote; so does an order that found no
      price or a book with a gap, once.
    """

    def __init__(
        self,
        context: Context,
        instruments: Instruments,
        config: SimulatedBrokerConfig | None = None,
    ) -> None:
        config = config or SimulatedBrokerConfig()
        super().__init__(context, instruments, config.latency, BookMatcher(instruments, config))


class BookMatcher:
    """Walks books and quotes; a resting order waits until they come to it."""

    def __init__(self, instruments: Instruments, config: SimulatedBrokerConfig) -> None:
        self.market = VenueMarket(instruments, keeps_books=config.partial_fills)
        self.reporter = Reporter(config.venue, config.commission)
        self._slippage = config.slippage
        self._partial_fills = config.partial_fills

    def refusal(self, held: OpenOrder) -> str | None:
        """Refuse a post-only order that would trade at once."""
        if held.order.order_type is not _POST_ONLY:
            return None
        levels = self.market.levels(held.index, held.sign)
        would_take = levels is not None and walk(levels, 1, held.sign, held.limit)
        return "post-only, but it would take" if would_take else None

    def take(self, held: OpenOrder, now_ns: int) -> list[ExecutionReport] | None:
        """Walk the levels that are shown; what is left of a limit order rests from now on."""
        order = held.order
        if order.order_type is _POST_ONLY:
            held.takes = False
            return []
        levels = self.market.levels(held.index, held.sign)
        if levels is None:
            return None
        if not self._partial_fills:
            levels = [(ticks, UNKNOWN_LOTS) for ticks, _ in levels]
        parts = walk(levels, held.leaves, held.sign, held.limit)
        if order.time_in_force is _FOK and sum(lots for _, lots in parts) != held.leaves:
            parts = []
        held.takes = held.limit is None
        trades = []
        for part in parts:
            trade = self._trade(held, part, _TAKER, now_ns)
            if self._partial_fills:
                self.market.take(held.index, held.sign, part, trade.trade_id)
            trades.append(trade)
        return trades

    def provide(
        self, held: OpenOrder, rows: Slice, row: int, now_ns: int
    ) -> list[ExecutionReport] | None:
        """Let a resting order trade at its limit, or better in a bar that opens beyond it."""
        limit = held.limit
        assert limit is not None, "a market order does not rest"
        if rows.kind[row] == EventKind.BAR:
            extreme = rows.c[row] if held.sign > 0 else rows.b[row]
            if not is_within(int(extreme), limit, held.sign):
                return None
            better = min if held.sign > 0 else max
            part = (better(limit, int(rows.a[row])), held.leaves)
            return [self._trade(held, part, _MAKER, now_ns)]
        ticks, lots = self.market.best(held.index, held.sign)
        if not is_within(ticks, limit, held.sign):
            return None
        if lots < 0 or not self._partial_fills:
            return [self._trade(held, (limit, held.leaves), _MAKER, now_ns)]
        lots = min(lots, held.leaves)
        if not lots:
            return []
        trade = self._trade(held, (limit, lots), _MAKER, now_ns)
        self.market.take(held.index, held.sign, (ticks, lots), trade.trade_id)
        return [trade]

    def _trade(
        self, held: OpenOrder, part: PriceLevel, liquidity: Liquidity, now_ns: int
    ) -> ExecutionReport:
        order = held.order
        instrument = held.instrument
        ticks, lots = part
        price, quantity = instrument.tick * ticks, instrument.lot * lots
        if liquidity is _TAKER:
            price = self._slippage.slipped(order.side, price, quantity)
            if order.limit_price is not None:
                within = min if held.sign > 0 else max
                price = within(price, order.limit_price)
        held.leaves -= lots
        held.trades += 1
        return self.reporter.trade(order, held.trades, (price, quantity, liquidity), now_ns)
