"""The strategies of the backtests in the conformance cases, as their definitions have them."""

from collections.abc import Mapping
from decimal import Decimal
from math import floor
from typing import Any

import attrs

from actors.messages.account import PositionChanged
from actors.messages.market import Bar, Quote
from actors.messages.trading import Fill, OrderUpdate
from actors.model.bars import MidBarBuilder
from actors.model.instrument import Instrument
from actors.model.money import ZERO
from actors.model.order import OrderStatus, Side, TimeInForce
from actors.strategies import Strategy
from actors.strategies.indicators import Ema, Sma

_UNFILLED = (OrderStatus.CANCELLED, OrderStatus.EXPIRED, OrderStatus.REJECTED, OrderStatus.DENIED)


class AllIn(Strategy):
    """SMA cross, always in the market with everything it has; sized at the price it executes at.

    Decides at a bar's close and executes at the next open, which the feed tells as a quote; or at
    the close itself. The last trade is closed at the last open, or at the last close but one.
    """

    @attrs.frozen(kw_only=True)
    class Parameters:
        fast: int = 10
        slow: int = 30
        cash: Decimal = Decimal(10_000)
        leverage: Decimal = Decimal(1)
        commission: Decimal = ZERO
        at_close: bool = False
        last: int = 0
        """When the last execution may be: an open's time, or a close's."""

    parameters: Parameters

    def on_start(self) -> None:
        parameters = self.parameters
        self._cash = parameters.cash
        self._fast, self._slow = Sma(parameters.fast), Sma(parameters.slow)
        self._was = 0.0
        self._wanted = 0
        self._held = ZERO

    def on_fill(self, fill: Fill) -> None:
        signed = fill.last_quantity * (1 if fill.side is Side.BUY else -1)
        self._held += signed
        self._cash -= signed * fill.last_price + fill.commission

    def on_quote(self, quote: Quote) -> None:
        assert quote.ask is not None
        self._execute(quote.instrument, quote.ask, quote.time_ns)

    def on_bar(self, bar: Bar) -> None:
        fast, slow = self._fast.update(bar.close), self._slow.update(bar.close)
        difference = fast - slow
        if difference == difference:
            if (self._was < 0 < difference) or (difference < 0 < self._was):
                self._wanted = 1 if difference > 0 else -1
            self._was = difference
        if self.parameters.at_close:
            self._execute(bar.instrument, bar.instrument.price(bar.close_ticks), bar.time_ns)

    def _execute(self, instrument: Instrument, price: Decimal, time_ns: int) -> None:
        if time_ns > self.parameters.last:
            return
        if time_ns == self.parameters.last:
            self._wanted = 0
            self._trade(instrument, -self._held)
        elif self._wanted:
            held, rate = self._held, self.parameters.commission
            equity = self._cash + held * price - abs(held) * price * rate
            size = floor(equity * self.parameters.leverage / (price * (1 + rate)))
            self._trade(instrument, -held)
            self._trade(instrument, Decimal(max(size, 1) * self._wanted))
            self._wanted = 0

    def _trade(self, instrument: Instrument, signed: Decimal) -> None:
        if signed > 0:
            self.buy(instrument, signed)
        elif signed < 0:
            self.sell(instrument, -signed)


class HandPlaced(Strategy):
    """Places what the case says after the bars of three days."""

    def on_bar(self, bar: Bar) -> None:
        stock = bar.instrument
        match bar.time_ns // 86_400_000_000_000:
            case 13_440:  # 2006-10-19
                self.buy(stock, 100, stop=484, limit=466)
            case 13_816:  # 2007-10-30
                self.sell(stock, self.position(stock))
            case 14_194:  # 2008-11-11
                self.sell(stock, 200, stop=stock.price(bar.low_ticks), limit="324.90")
            case _:
                pass


class OneUnit(Strategy):
    """Long one unit while the close is above its average, flat below; one order at a time."""

    @attrs.frozen(kw_only=True)
    class Parameters:
        period: int = 15

    parameters: Parameters

    def on_start(self) -> None:
        self._average = Sma(self.parameters.period)
        self._sign = 0
        self._bars = 0

    def on_bar(self, bar: Bar) -> None:
        average = self._average.update(bar.close)
        if average != average:
            return
        self._bars += 1
        difference = bar.close - average
        sign = (difference > 0) - (difference < 0)
        crossed = sign if sign and self._sign and sign != self._sign else 0
        self._sign = sign or self._sign
        if self._bars < 2 or self.has_open_order(bar.instrument):
            return
        held = self.position(bar.instrument)
        if crossed > 0 and not held:
            self.buy(bar.instrument, 1)
        elif crossed < 0 and held:
            self.sell(bar.instrument, held)


class EmaFlips(Strategy):
    """Long while the fast average is not below the slow one, else short: closes, then opens.

    Bars of no range move the averages only.
    """

    @attrs.frozen(kw_only=True)
    class Parameters:
        quantity: Decimal
        fast: int = 10
        slow: int = 20

    parameters: Parameters

    def on_start(self) -> None:
        self._fast, self._slow = Ema(self.parameters.fast), Ema(self.parameters.slow)
        self._bars = 0

    def on_bar(self, bar: Bar) -> None:
        moves = bar.high_ticks != bar.low_ticks
        self.take(bar.instrument, bar.close, moves=moves)

    def take(self, instrument: Instrument, close: float, *, moves: bool) -> None:
        """Take a bar's close."""
        self._bars += 1
        fast, slow = self._fast.update(close), self._slow.update(close)
        if self._bars < self.parameters.slow or not moves:
            return
        held, quantity = self.position(instrument), self.parameters.quantity
        if fast >= slow and held <= 0:
            if held:
                self.buy(instrument, quantity)
            self.buy(instrument, quantity)
        elif fast < slow and held >= 0:
            if held:
                self.sell(instrument, quantity)
            self.sell(instrument, quantity)


class DayOrders(Strategy):
    """SMA cross with orders that live for one bar: at the market, or at the middle of the bar.

    An entry that comes to nothing is forgotten; an exit that does is sent again, at the market.
    """

    @attrs.frozen(kw_only=True)
    class Parameters:
        fast: int = 10
        slow: int = 25
        quantity: Decimal = Decimal(10)
        limits: bool = False

    parameters: Parameters

    def on_start(self) -> None:
        self._averages = Sma(self.parameters.fast), Sma(self.parameters.slow)
        self._sign = 0
        self._exits: set[str] = set()
        self._held = ZERO

    def on_position(self, change: PositionChanged) -> None:
        self._held = change.quantity

    def on_order(self, update: OrderUpdate) -> None:
        if update.status in _UNFILLED and update.client_order_id in self._exits:
            self._exit(update.instrument, None)

    def on_bar(self, bar: Bar) -> None:
        for order in self.open_orders():
            self.cancel(order.client_order_id, reason="the day is over")
        fast, slow = (average.update(bar.close) for average in self._averages)
        if slow != slow:
            return
        sign = (fast > slow) - (fast < slow)
        if sign and self._sign and sign != self._sign:
            limit = self._middle(bar) if self.parameters.limits else None
            if self._held * sign < 0:
                self._exit(bar.instrument.id, limit)
            trade = self.buy if sign > 0 else self.sell
            trade(bar.instrument, self.parameters.quantity, limit=limit)
        self._sign = sign or self._sign

    def _exit(self, instrument: str, limit: Decimal | None) -> None:
        trade = self.buy if self._held < 0 else self.sell
        self._exits.add(trade(instrument, abs(self._held), limit=limit))

    def _middle(self, bar: Bar) -> Decimal:
        middle = round(bar.low + (bar.high - bar.low) / 2, 2)
        return Decimal(f"{middle:.2f}")


class MidEmaFlips(EmaFlips):
    """The same on five-minute bars of the mid, built of quotes; a bar for each interval."""

    INTERVAL_NS = 5 * 60 * 1_000_000_000

    def on_start(self) -> None:
        super().on_start()
        self._mids = MidBarBuilder(self.INTERVAL_NS)
        self._instrument: Instrument | None = None
        self._first_ns = 0
        self.bars = 0

    def on_quote(self, quote: Quote) -> None:
        if self._instrument is None:
            self._instrument = quote.instrument
            self._wait(quote.time_ns)
        self._mids.add(quote.time_ns, quote.bid_ticks, quote.ask_ticks)

    def on_timer(self, name: str) -> None:
        end_ns = self.now_ns - 1  # the quotes at a bar's very end are part of it
        self._finish_bars(end_ns)
        self._wait(end_ns)

    def on_stop(self) -> None:
        self._finish_bars(self.now_ns)

    def _finish_bars(self, end_ns: int) -> None:
        assert self._instrument is not None
        for bar in self._mids.advance(end_ns):
            self.bars += 1
            close = bar.close_ticks / 2 * float(self._instrument.tick)
            self.take(self._instrument, close, moves=bar.high_ticks != bar.low_ticks)

    def _wait(self, now_ns: int) -> None:
        end_ns = (now_ns // self.INTERVAL_NS + 1) * self.INTERVAL_NS
        self.set_timer("bar", end_ns + 1 - self.now_ns)


class Listed(Strategy):
    """Places a list of orders, each when the row of its time has been applied."""

    @attrs.frozen(kw_only=True)
    class Parameters:
        orders: tuple[Mapping[str, Any], ...] = ()

    parameters: Parameters

    def on_start(self) -> None:
        self._left = dict(enumerate(self.parameters.orders))
        self._has_begun = False

    def on_quote(self, quote: Quote) -> None:
        if not self._has_begun:
            self._has_begun = True
            for number, order in self._left.items():
                self.set_timer(str(number), order["at_ns"] + 1 - quote.time_ns)

    def on_timer(self, name: str) -> None:
        self._place(int(name))

    def on_stop(self) -> None:
        for number in list(self._left):  # whose frame is the last one
            self._place(number)

    def _place(self, number: int) -> None:
        order = self._left.pop(number)
        ioc = TimeInForce.IOC
        limit = str(order["limit"])
        self.buy(order["token"], str(order["quantity"]), limit=limit, time_in_force=ioc)
