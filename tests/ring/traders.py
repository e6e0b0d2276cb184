"""Strategies that trade at random: every kind of order, cancels and timers."""

from decimal import Decimal
from random import Random  # noqa: TID251 - always seeded
from zlib import crc32

import attrs

from actors.messages.account import PositionChanged
from actors.messages.market import Bar, Connection, Quote, Resolution, Trade
from actors.model.instrument import Instrument
from actors.model.order import TimeInForce
from actors.strategies import Strategy

_KINDS = ("market", "limit", "limit", "post_only", "ioc", "target", "cancel", "cancel")


class Trader(Strategy):
    """Does something at about one event in ``every``: buys, sells, cancels.

    With ``is_stateless`` its chance is drawn from each event alone, so that what it does next does
    not depend on what it remembers; a restart loses nothing then.
    """

    @attrs.frozen(kw_only=True)
    class Parameters:
        every: int = 5
        quantity: Decimal = Decimal(2)
        is_stateless: bool = False
        timer_ns: int = 0
        hears_positions: bool = True

    parameters: Parameters

    def on_start(self) -> None:
        if self.parameters.timer_ns:
            self.set_timer("now", self.parameters.timer_ns)

    def on_timer(self, name: str) -> None:
        dice = self._dice(f"timer {self.now_ns}")
        if self.open_orders() and dice.random() < 0.5:
            self.cancel(self.open_orders()[0].client_order_id, reason="timer")
        else:
            self.buy(self.instruments[0], self.parameters.quantity, reason="timer")
        self.set_timer(name, self.parameters.timer_ns)

    def on_quote(self, quote: Quote) -> None:
        dice = self._dice(f"{quote.time_ns} {quote.instrument.id} {quote.bid_ticks}")
        if dice.randrange(self.parameters.every):
            return
        if quote.bid is not None and quote.ask is not None:
            self._act(dice, quote.instrument, (quote.bid, quote.ask))

    def on_bar(self, bar: Bar) -> None:
        dice = self._dice(f"{bar.time_ns} {bar.instrument.id} {bar.close_ticks}")
        if not dice.randrange(self.parameters.every):
            self._act(dice, bar.instrument, (bar.close_price, bar.close_price))

    def on_trade(self, trade: Trade) -> None:
        dice = self._dice(f"{trade.time_ns} {trade.instrument.id} {trade.price_ticks}")
        if not dice.randrange(self.parameters.every):
            self._act(dice, trade.instrument, (trade.price, trade.price))

    def on_position(self, change: PositionChanged) -> None:
        if not self.parameters.hears_positions:
            return
        dice = self._dice(f"{change.instrument} {change.quantity} {change.cost}")
        if dice.random() < 0.3 and change.quantity:
            self.target(change.instrument, 0, reason="enough")

    def _act(self, dice: Random, instrument: Instrument, prices: tuple[Decimal, Decimal]) -> None:
        kind = dice.choice(_KINDS)
        is_buy = dice.random() < 0.5
        distance = instrument.order_tick * dice.randrange(-1, 3)
        bid, ask = prices
        limit = max(bid - distance, instrument.order_tick) if is_buy else ask + distance
        place = self.buy if is_buy else self.sell
        quantity = self.parameters.quantity * dice.randrange(1, 4)
        if kind == "cancel":
            for each in self.open_orders()[:1]:
                self.cancel(each.client_order_id, reason="changed my mind")
        elif kind == "market":
            place(instrument, quantity)
        elif kind == "target":
            self.target(instrument, quantity if is_buy else -quantity)
        elif kind == "ioc":
            place(instrument, quantity, limit=limit, time_in_force=TimeInForce.IOC)
        else:
            place(instrument, quantity, limit=limit, post_only=kind == "post_only")

    def _dice(self, event: str) -> Random:
        if not self.parameters.is_stateless:
            return self.random
        return Random(crc32(f"{self.name} {event}".encode()))


class Witness(Strategy):
    """Logs what it hears of connections and resolutions; trades nothing."""

    def on_connection(self, connection: Connection) -> None:
        self._tell(connection)

    def on_resolution(self, resolution: Resolution) -> None:
        self._tell(resolution)

    def _tell(self, event: Connection | Resolution) -> None:
        word = event.state.value if isinstance(event, Connection) else "RESOLVED"
        heard.append((self.name, event.time_ns, word))


heard: list[tuple[str, int, str]] = []
"""What the witnesses of this process have heard; a test clears it first."""


class Patient(Strategy):
    """Bids far below the market, twice, as soon as it can, and waits."""

    def on_quote(self, quote: Quote) -> None:
        if len(self.open_orders()) < 2 and quote.bid is not None:
            self.buy(quote.instrument, 1, limit=quote.bid - 10)


class HalfSpread(Strategy):
    """Reports the mean half spread of the YES quotes it has seen, when the run ends."""

    def on_start(self) -> None:
        self._sum = Decimal(0)
        self._count = 0

    def on_quote(self, quote: Quote) -> None:
        assert quote.bid is not None
        assert quote.ask is not None
        self._sum += (quote.ask - quote.bid) / 2
        self._count += 1

    def on_stop(self) -> None:
        half_spreads.append((self._count, self._sum))


half_spreads: list[tuple[int, Decimal]] = []
"""What :class:`HalfSpread` has found in this process: how many, and their sum."""
