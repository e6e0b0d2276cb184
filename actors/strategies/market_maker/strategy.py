"""The market maker: keeps a bid and an ask in the market, and out of it when it cannot see."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, ClassVar

import attrs
import msgspec

from actors.actor import Context
from actors.messages.account import PositionChanged
from actors.messages.market import Connection, ConnectionState, Quote, Resolution
from actors.messages.trading import OrderUpdate, SignalRefused
from actors.model.instrument import Instrument, Instruments
from actors.model.order import Side
from actors.strategies.market_maker.book import Exposure, QuotedMarket, Resting
from actors.strategies.market_maker.quoting import (
    MakerParameters,
    quoted_prices,
    quoted_sizes,
    twice_fair_ticks,
)
from actors.strategies.market_maker.saving import Saved, made_up_for, restored, saved_markets
from actors.strategies.strategy import Strategy, StrategyConfig

_BUY, _SELL = Side.BUY, Side.SELL
_WATCH = "watch"


class MarketMaker(Strategy):
    """Quotes both sides around the fair price of each of its instruments, post-only.

    The quotes follow when the fair price has moved by ``refresh_ticks``, or any move after
    ``refresh``; they lean against the position it holds, which stays within ``max_position`` with
    whatever fills next. It takes its quotes out when its data stop, when a book loses its sequence
    or is crossed or empty on one side, and when the market resolves; after a refusal (because
    trading is halted, say) it waits for ``retry``. After a restart it cancels what it finds open
    and begins anew; where its state was saved, it goes on with the quotes it knows of.
    """

    learns: ClassVar[bool] = False

    @attrs.frozen(kw_only=True)
    class Parameters(MakerParameters):
        """See there."""

    parameters: Parameters

    def __init__(
        self, context: Context, instruments: Instruments, config: StrategyConfig | None = None
    ) -> None:
        super().__init__(context, instruments, config)
        self._exposure = Exposure()
        self._markets: dict[str, QuotedMarket] = {}
        self._paused_until_ns = 0
        self._old: dict[str, str] = {}

    def recover(self, history: Iterable[tuple[str, Any]]) -> None:
        """Rebuild positions and open orders."""
        history = list(history)
        super().recover(history)
        for _, message in history:
            if isinstance(message, OrderUpdate):
                self._exposure.updated(message)
            elif isinstance(message, PositionChanged):
                self._exposure.position_changed(message.instrument, message.quantity)
        if self.is_restored:
            made_up_for(self._markets, history)
        else:
            self._exposure.settle()

    def save(self) -> Any:
        """Return its quotes, and what it knows of its positions."""
        saved = Saved(
            markets=saved_markets(self._markets),
            exposure=self._exposure.known(),
            paused_until_ns=self._paused_until_ns,
            old=self._old,
        )
        return msgspec.to_builtins(saved)

    def restore(self, state: Any) -> None:
        """Go on with those."""
        saved, self._markets = restored(state, self._exposure, self.instruments)
        self._paused_until_ns = saved.paused_until_ns
        self._old = dict(saved.old)

    def on_start(self) -> None:
        """Cancel what an earlier incarnation has left in the market, but for what it knows of."""
        refresh = 2 * self.parameters.refresh_ticks
        self._still = range(1 - refresh, refresh)
        self._refresh_ns = self.parameters.refresh_ns
        known = {own.order_id for market in self._markets.values() for own in market.own.values()}
        open_ids = {order.client_order_id: order.instrument for order in self.open_orders()}
        self._old = {order: name for order, name in self._old.items() if order in open_ids}
        for order_id, instrument in open_ids.items():
            if order_id not in known and order_id not in self._old:
                self._old[order_id] = instrument
                self.cancel(order_id, reason="begins anew")
        if self.is_restored and self.parameters.max_quote_age_ns is not None:
            self.on_timer(_WATCH)

    # --- what it hears ---------------------------------------------------------------------------

    def on_quote(self, quote: Quote) -> None:
        """Follow the market, if it has moved far enough."""
        market = self._market(quote.instrument)
        if not market.is_synced:
            return
        if market.latest is None:
            self._watch()
        market.latest = quote
        if quote.bid_ticks >= quote.ask_ticks or not (quote.bid_lots and quote.ask_lots):
            self._take_out(market, "nothing to quote around")
            return
        quoted = market.quoted_twice
        if quoted is not None:
            moved = twice_fair_ticks(quote, self.parameters) - quoted
            if moved in self._still and quote.time_ns - market.asked_ns < self._refresh_ns:
                return
        self._follow(market, quote, quote.time_ns)

    def on_connection(self, connection: Connection) -> None:
        """Leave the market while it cannot be seen."""
        about, state = connection.instrument, connection.state
        for instrument, market in self._markets.items():
            if about is None or about.id == instrument:
                market.latest = None
                if state is ConnectionState.GAPPED:
                    market.is_synced = False
                elif state is not ConnectionState.DOWN:
                    market.is_synced = not market.is_over
                self._take_out(market, f"connection {state}")

    def on_resolution(self, resolution: Resolution) -> None:
        """Leave a market that has been decided."""
        market = self._market(resolution.instrument)
        market.is_over, market.is_synced, market.latest = True, False, None
        self._take_out(market, "resolved")

    def on_order(self, update: OrderUpdate) -> None:
        """Take notice of the progress of a quote."""
        self._exposure.updated(update)
        market = self._markets.get(update.instrument)
        side = None if market is None else market.side_of(update.client_order_id)
        if update.status.is_terminal:
            self._old.pop(update.client_order_id, None)
        if market is None or side is None:
            return
        own = market.own[side]
        own.updated(update)
        if own.price is None:
            market.quoted_twice = None
            self._pause()
        if update.status.is_terminal:
            del market.own[side]
            market.quoted_twice = None

    def on_position(self, change: PositionChanged) -> None:
        """Lean against the new position at the next quote."""
        self._exposure.position_changed(change.instrument, change.quantity)
        market = self._markets.get(change.instrument)
        if market is not None:
            market.quoted_twice = None

    def on_refused(self, refusal: SignalRefused) -> None:
        """Wait a little; a change that was refused leaves the quote as it was."""
        self._pause()
        market = self._markets.get(refusal.instrument)
        side = None if market is None else market.side_of(refusal.signal_id)
        if market is None or side is None:
            return
        market.quoted_twice = None
        if market.own[side].is_known:
            market.own[side].price = None
            market.own[side].is_settled = True
        else:
            del market.own[side]

    def on_timer(self, name: str) -> None:
        """Leave the markets that have fallen silent."""
        max_age_ns = self.parameters.max_quote_age_ns
        assert max_age_ns is not None
        oldest_ns: int | None = None
        for market in self._markets.values():
            if market.latest is None:
                continue
            if self.now_ns - market.latest.time_ns >= max_age_ns:
                market.latest = None
                self._take_out(market, "no quotes")
            elif oldest_ns is None or market.latest.time_ns < oldest_ns:
                oldest_ns = market.latest.time_ns
        if oldest_ns is not None:
            self.set_timer(_WATCH, oldest_ns + max_age_ns - self.now_ns)

    def on_stop(self) -> None:
        """Leave all markets."""
        for market in self._markets.values():
            self._take_out(market, "stopped")

    # --- what it does ----------------------------------------------------------------------------

    def _pause(self) -> None:
        self._paused_until_ns = self.now_ns + self.parameters.retry_ns

    def _market(self, instrument: Instrument) -> QuotedMarket:
        market = self._markets.get(instrument.id)
        if market is None:
            market = self._markets[instrument.id] = QuotedMarket()
        return market

    def _watch(self) -> None:
        """See to it that a market that falls silent is noticed."""
        max_age_ns = self.parameters.max_quote_age_ns
        if max_age_ns is not None and _WATCH not in self._timers:
            self.set_timer(_WATCH, max_age_ns)

    def _follow(self, market: QuotedMarket, quote: Quote, now_ns: int) -> None:
        """Have both quotes at their new prices and sizes."""
        instrument = quote.instrument
        if now_ns < self._paused_until_ns or instrument.id in self._old.values():
            return
        held = self._exposure.held(instrument.id)
        prices = quoted_prices(quote, self.position(instrument), self.parameters)
        sizes = quoted_sizes(instrument, held, self.parameters)
        is_done = self._place(market, instrument, _BUY, (prices.bid, sizes[0]))
        is_done &= self._place(market, instrument, _SELL, (prices.ask, sizes[1]))
        market.asked_ns = now_ns
        market.quoted_twice = twice_fair_ticks(quote, self.parameters) if is_done else None

    def _place(
        self,
        market: QuotedMarket,
        instrument: Instrument,
        side: Side,
        wanted: tuple[Decimal | None, Decimal],
    ) -> bool:
        """Have one quote as it is wanted; False if that must wait for the order manager."""
        price, size = wanted
        own = market.own.get(side)
        if own is None:
            if price is not None and size:
                verb = self.buy if side is _BUY else self.sell
                order_id = verb(instrument, size, limit=price, post_only=True, reason="quote")
                market.own[side] = Resting(order_id, price, size)
            return True
        if not own.is_settled:
            return False
        if price is None or not size:
            self._cancel(own, "no room")
        elif price != own.price or own.filled + size != own.quantity:
            self._change(own, price, own.filled + size)
        return True

    def _change(self, own: Resting, price: Decimal, quantity: Decimal) -> None:
        if not self.parameters.replace:
            self._cancel(own, "moved")
            return
        self.modify(own.order_id, limit=price, quantity=quantity, reason="moved")
        own.price, own.quantity, own.is_settled = price, quantity, False

    def _cancel(self, own: Resting, reason: str) -> None:
        self.cancel(own.order_id, reason=reason)
        own.is_settled = False

    def _take_out(self, market: QuotedMarket, reason: str) -> None:
        market.quoted_twice = None
        for own in market.own.values():
            self._cancel(own, reason)
