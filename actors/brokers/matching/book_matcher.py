"""Matches orders against recorded books, quotes, public trades and bars."""

from collections.abc import Iterable
from decimal import Decimal

from actors.brokers.market.queue_position import Queue, QueueModel, Queues
from actors.brokers.market.shown import Bar, ShownRow
from actors.brokers.market.venue_market import VenueMarket
from actors.brokers.market.walking import FillModel, PriceLevel, is_within, split, walk
from actors.brokers.matching.bar_fills import (
    QUARTERS,
    FillPolicy,
    limit_price,
    market_price,
    moment,
    stop_price,
    worse,
)
from actors.brokers.matching.matcher import Matcher, Reports
from actors.brokers.matching.reports import Reporter
from actors.brokers.models.market_state import NO_MARKET, MarketState
from actors.brokers.models.recent_returns import RecentReturns
from actors.brokers.open_orders.open_order import OpenOrder
from actors.brokers.simulated_config import SimulatedBrokerConfig
from actors.messages.market import UNKNOWN_LOTS
from actors.messages.trading import ExecutionReport
from actors.model.instrument import Instruments
from actors.model.money import ONE
from actors.model.order import Liquidity, OrderType, TimeInForce

_TAKER = Liquidity.TAKER
_MAKER = Liquidity.MAKER
_POST_ONLY = OrderType.POST_ONLY
_FOK = TimeInForce.FOK
_CLOSE = FillPolicy.CLOSE
_ADAPTIVE = FillPolicy.ADAPTIVE_PATH


class BookMatcher(Matcher):
    """Walks books and quotes; a resting order waits until they come to it, or a bar does."""

    def __init__(self, instruments: Instruments, config: SimulatedBrokerConfig) -> None:
        queues = None
        if config.queue is not Queue.NONE:
            is_probable = config.queue is Queue.PROBABILISTIC
            queues = Queues(QueueModel(power=config.queue_power if is_probable else None))
        market = VenueMarket(
            instruments,
            keeps_books=config.partial_fills or queues is not None,
            sizes=config.sizes,
            queues=queues,
            impact_decay_ns=config.impact_decay_ns,
        )
        is_provisional = config.settlement is not None
        reporter = Reporter(config.venue, config.commission, is_provisional=is_provisional)
        super().__init__(market, reporter)
        self._regimes = config.regimes
        self._slippage = config.slippage
        self._needs_market = config.slippage.needs_market
        self._keeps_impact = config.slippage.keeps_impact
        if config.slippage.needs_volatility:
            market.returns = RecentReturns(config.volatility_window)
        self._partial_fills = config.partial_fills
        self._splits = config.fill_model is FillModel.SPLIT_30
        self._configured_policy = config.bars
        self.go_on()
        self._allow_outside_bar = config.allow_outside_bar
        self._shared_row: tuple[object, int] | None = None
        self._shared = 0
        """How much of the public trade at that row orders of ours have had."""

    # --- orders that take ----------------------------------------------------------------------

    def refusal(self, held: OpenOrder) -> str | None:
        """Refuse a post-only order that would trade at once."""
        if held.order.order_type is not _POST_ONLY:
            return None
        market, limit = self.market, held.limit
        if limit is not None and market.is_beyond(held.index, held.sign, limit):
            return None
        levels = market.levels(held.index, held.sign)
        would_take = levels is not None and walk(levels, 1, held.sign, held.limit)
        return "post-only, but it would take" if would_take else None

    def take(self, held: OpenOrder, now_ns: int) -> Reports | None:
        """Walk the levels that are shown; what is left of a limit order rests from now on.

        Between two bars there is nothing to take: the order meets the next one, or trades at the
        last close if the policy is ``close``.
        """
        order = held.order
        if order.order_type is _POST_ONLY:
            held.takes = False
            return []
        bar = self.market.bar(held.index)
        if bar is not None:
            if self._policy is _CLOSE:
                return self.take_bar(held, bar, now_ns)
            held.takes = held.limit is None or not held.may_rest
            return None if held.takes else []
        levels = self.market.levels(held.index, held.sign)
        if levels is None:
            return None
        parts = self._parts(held, levels)
        if order.time_in_force is _FOK and sum([lots for _, lots in parts]) != held.leaves:
            parts = []
        held.takes = held.limit is None
        trades = []
        for part in parts:
            trade = self._trade(held, part, _TAKER, now_ns)
            if self._partial_fills:
                self.market.take(held.index, held.sign, part, trade.trade_id)
            trades.append(trade)
        return trades

    def _parts(self, held: OpenOrder, levels: Iterable[PriceLevel]) -> list[PriceLevel]:
        """Return what an order takes of the levels shown: ``(ticks, lots)`` of each trade."""
        if self._splits:
            best = next(iter(levels), None)
            if best is None or not is_within(best[0], held.limit, held.sign):
                return []
            return [(best[0], lots) for lots in split(best[1], held.leaves)]
        if not self._partial_fills:
            levels = [(ticks, UNKNOWN_LOTS) for ticks, _ in levels]
        return walk(levels, held.leaves, held.sign, held.limit)

    def end(self) -> None:
        """Let what still comes meet the last bar: there is no next one."""
        self._policy = _CLOSE
        self.is_ordered = False

    def go_on(self) -> None:
        """Let bars fill as configured once more."""
        self._policy = self._configured_policy
        self.is_ordered = self._policy is _ADAPTIVE

    def defers(self, held: OpenOrder) -> bool:
        """Return True between two bars: the next one is the order's moment."""
        return self._policy is not _CLOSE and self.market.bar(held.index) is not None

    def price_for_stops(self, held: OpenOrder) -> int | None:
        """Return the best price on the other side; between two bars only under ``close``."""
        if self.market.is_gapped(held.index):
            return None
        if self._policy is not _CLOSE and self.market.bar(held.index) is not None:
            return None
        top = self.market.top(held.index)
        ticks, lots = (top.ask, top.ask_lots) if held.sign > 0 else (top.bid, top.bid_lots)
        return ticks if lots else None

    # --- orders that rest ----------------------------------------------------------------------

    def is_reached(self, held: OpenOrder, shown: ShownRow) -> bool:
        """Return whether a row comes to a resting order's limit."""
        limit, sign = held.limit, held.sign
        assert limit is not None, "a market order does not rest"
        if shown.bar is not None:
            return limit_price(shown.bar, limit, sign) is not None
        if shown.is_price:
            return is_within(self.market.best(held.index, sign)[0], limit, sign)
        return self.market.queues is not None and is_within(shown.price, limit, sign)

    def provide(self, held: OpenOrder, shown: ShownRow, now_ns: int) -> Reports:
        """Let a resting order trade at its limit, or better in a bar that opens beyond it."""
        limit = held.limit
        assert limit is not None, "a market order does not rest"
        if shown.bar is not None:
            price = limit_price(shown.bar, limit, held.sign)
            assert price is not None, "only asked where the bar reaches it"
            return self._trade_bar(held, shown.bar, QUARTERS * price, _MAKER, now_ns)
        if not shown.is_price:
            return self._provide_queued(held, shown, limit, now_ns)
        ticks, lots = self.market.best(held.index, held.sign)
        if lots < 0 or not self._partial_fills:
            return [self._trade(held, (limit, held.leaves), _MAKER, now_ns)]
        if self._splits:
            parts = split(lots, held.leaves)
            return [self._trade(held, (limit, part), _MAKER, now_ns) for part in parts]
        lots = min(lots, held.leaves)
        if not lots:
            return []
        trade = self._trade(held, (limit, lots), _MAKER, now_ns)
        self.market.take(held.index, held.sign, (ticks, lots), trade.trade_id)
        return [trade]

    def _provide_queued(self, held: OpenOrder, shown: ShownRow, limit: int, now_ns: int) -> Reports:
        """Trade what a public trade leaves of itself when it has gone through the queue ahead."""
        row = shown.rows, shown.row
        if row != self._shared_row:
            self._shared_row, self._shared = row, 0
        lots = self._queue_lots(held, shown)
        if self._partial_fills:
            lots = min(lots - self._shared, held.leaves)
        if lots <= 0:
            return []
        self._shared += lots
        return [self._trade(held, (limit, lots), _MAKER, now_ns)]

    def is_filled(self, held: OpenOrder, shown: ShownRow) -> bool:
        """Return whether a public trade gets to a resting order in its queue."""
        return self._queue_lots(held, shown) > 0

    def _queue_lots(self, held: OpenOrder, shown: ShownRow) -> int:
        """Return how many lots of a public trade get to a resting order.

        Of a trade at its limit, what exceeds the queue ahead; of one through its limit, everything.
        """
        limit = held.limit
        price, lots, aggressor = shown.trade
        if limit is None or aggressor * held.sign > 0 or not is_within(price, limit, held.sign):
            return 0
        if price != limit:
            return held.leaves if lots < 0 or not self._partial_fills else lots
        ahead = self.market.ahead((held.order.client_order_id, held.turn), shown.rows, shown.row)
        if ahead is None or lots <= ahead:
            return 0
        return lots - ahead if self._partial_fills else held.leaves

    # --- bars ----------------------------------------------------------------------------------

    def take_bar(self, held: OpenOrder, bar: Bar, now_ns: int) -> Reports:
        """Trade at the market price of a bar, within the limit; a limit order may rest in it."""
        if held.limit is not None and held.may_rest and self._policy is not _CLOSE:
            held.takes = False
            price = limit_price(bar, held.limit, held.sign)
            if price is None:
                return []
            return self._trade_bar(held, bar, QUARTERS * price, _MAKER, now_ns)
        held.takes = held.limit is None
        quarters = market_price(bar, self._policy, held.sign)
        if held.limit is not None and not is_within(quarters, QUARTERS * held.limit, held.sign):
            return []
        return self._trade_bar(held, bar, quarters, _TAKER, now_ns)

    def take_woken(self, held: OpenOrder, bar: Bar, stop: int, now_ns: int) -> Reports | None:
        """Trade at the stop, or at the open beyond it; see the table of the bar policies."""
        quarters = stop_price(bar, self._policy, stop, held.sign)
        limit = held.limit
        held.takes = limit is None
        if limit is not None:
            within = QUARTERS * limit
            woken_at = worse(stop, bar.open, held.sign)
            if woken_at == limit or not is_within(woken_at, limit, held.sign):
                if not self._comes_back(held, bar, stop, limit):
                    return []
                return self._trade_bar(held, bar, within, _MAKER, now_ns)
            quarters = quarters if is_within(quarters, within, held.sign) else within
        return self._trade_bar(held, bar, quarters, _TAKER, now_ns)

    def _comes_back(self, held: OpenOrder, bar: Bar, stop: int, limit: int) -> bool:
        """Return whether the way through a bar gets to a limit after it has passed a stop."""
        if self._policy is not _ADAPTIVE or not held.may_rest:
            return False
        woken = moment(bar, stop, held.sign)
        return woken is not None and moment(bar, limit, -held.sign, woken) is not None

    def in_order(self, bar: Bar, orders: list[OpenOrder]) -> list[OpenOrder]:
        """Return orders in the order in which the way through a bar meets them."""

        def when(held: OpenOrder) -> tuple[int, int]:
            if held.stop is not None:
                found = moment(bar, held.stop, held.sign)
            elif held.takes or held.limit is None:
                found = (0, 0)
            else:
                found = moment(bar, held.limit, -held.sign)
            assert found is not None, "only asked of orders that the bar reaches"
            return found

        return sorted(orders, key=when)

    def _trade_bar(
        self, held: OpenOrder, bar: Bar, quarters: int, liquidity: Liquidity, now_ns: int
    ) -> Reports:
        """Trade at a price in quarters of a tick, as much as the bar's volume allows."""
        room = self.market.room(held.index, bar)
        lots = held.leaves if room < 0 or room > held.leaves else room
        if not lots or (held.order.time_in_force is _FOK and lots != held.leaves):
            return []
        price = held.instrument.tick * quarters / QUARTERS
        trade = self._report(held, (price, lots, liquidity), now_ns, bar)
        self.market.take_volume(held.index, lots, trade.trade_id)
        return [trade]

    # --- trades --------------------------------------------------------------------------------

    def _trade(
        self, held: OpenOrder, part: PriceLevel, liquidity: Liquidity, now_ns: int
    ) -> ExecutionReport:
        ticks, lots = part
        return self._report(held, (held.instrument.tick * ticks, lots, liquidity), now_ns, None)

    def _report(
        self,
        held: OpenOrder,
        amount: tuple[Decimal, int, Liquidity],
        now_ns: int,
        bar: Bar | None,
    ) -> ExecutionReport:
        """Return the report of a trade; the price of one that takes slips, within its limits."""
        price, lots, liquidity = amount
        quantity = held.instrument.lot * lots
        state = NO_MARKET
        if liquidity is _TAKER:
            if self._needs_market:
                state = self._state(held, now_ns, bar)
            price = self._slipped(held, price, quantity, state, bar)
        held.leaves -= lots
        held.trades += 1
        trade = self.reporter.trade(held, (price, quantity, liquidity), now_ns)
        if self._keeps_impact and liquidity is _TAKER:
            fraction = held.sign * self._slippage.lasting(quantity, state)
            self.market.impact.add(held.index, trade.trade_id, now_ns, fraction)
        return trade

    def _slipped(
        self,
        held: OpenOrder,
        price: Decimal,
        quantity: Decimal,
        state: MarketState,
        bar: Bar | None,
    ) -> Decimal:
        order = held.order
        if self._regimes is not None:
            price = self._widened(held, price)
        price = self._slippage.slipped(order.side, price, quantity, state)
        if bar is not None and not self._allow_outside_bar:
            tick = held.instrument.tick
            price = min(max(price, tick * bar.low), tick * bar.high)
        if order.limit_price is not None:
            within = min if held.sign > 0 else max
            price = within(price, order.limit_price)
        return price

    def _widened(self, held: OpenOrder, price: Decimal) -> Decimal:
        """Return a price with half of what a wide spread adds to the shown one; as it is in bars.

        It stays above 0 if it was, and no outcome token costs more than it can pay.
        """
        assert self._regimes is not None, "only asked where there are regimes"
        top = self.market.top(held.index)
        factor = self._regimes.state_at(self.market.now_ns).spread_factor
        if factor == ONE or not (top.bid_lots and top.ask_lots):
            return price
        instrument = held.instrument
        half = instrument.tick * max(top.ask - top.bid, 0) * (factor - ONE) / 2
        if held.sign < 0:
            return max(price - half, min(price, instrument.tick))
        return max(min(price + half, ONE), price) if instrument.outcome else price + half

    def _state(self, held: OpenOrder, now_ns: int, bar: Bar | None) -> MarketState:
        """Return what slippage models may know of the market."""
        index, instrument = held.index, held.instrument
        impact = self.market.impact.at(index, now_ns)
        volatility = self.market.volatility(index)
        if bar is not None:
            return MarketState(
                volume=None if bar.volume < 0 else instrument.lot * bar.volume,
                high=instrument.tick * bar.high,
                low=instrument.tick * bar.low,
                now_ns=now_ns,
                volatility=volatility,
                impact=impact,
                instrument=instrument,
            )
        top = self.market.top(index)
        lots = top.ask_lots if held.sign > 0 else top.bid_lots
        has_both = bool(top.bid_lots and top.ask_lots)
        return MarketState(
            volume=None if lots < 0 else instrument.lot * lots,
            spread=instrument.tick * (top.ask - top.bid) if has_both else None,
            now_ns=now_ns,
            volatility=volatility,
            impact=impact,
            instrument=instrument,
        )
