"""Follows the trend: long while a fast average is above a slow one, short or flat below it."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from math import nan
from typing import Any, Literal

import attrs
from attrs.validators import ge, gt, in_

from actors.messages.market import KIND_BITS, KIND_MASK, NO_PRICE, Bar, EventKind, Quote
from actors.model.instrument import Instrument
from actors.model.money import ZERO
from actors.strategies.strategy import Strategy

Turn = Callable[[int], None]
"""Is called with +1 when the fast average has come to be above the slow one, with -1 below."""


class EmaCross:
    """Two exponential averages of one instrument's prices, seeded by the first."""

    __slots__ = ("_fast", "_fast_weight", "_side", "_slow", "_slow_weight", "_turn", "_waits")

    def __init__(self, lengths: tuple[int, int], turn: Turn) -> None:
        self._fast_weight, self._slow_weight = (2.0 / (length + 1) for length in lengths)
        self._fast = self._slow = nan
        self._waits = lengths[1]
        self._side = 0
        self._turn = turn

    def on_quote(self, quote: Quote) -> None:
        """Take the mid of a quote that has two sides."""
        mid = quote.mid
        if mid == mid:
            self.update(mid)

    def on_bar(self, bar: Bar) -> None:
        """Take the close of a bar."""
        self.update(bar.close)

    def update(self, price: float) -> None:
        """Take the next price."""
        if self._waits:
            self._warm_up(price)
        fast = self._fast
        slow = self._slow
        self._fast = fast = fast + self._fast_weight * (price - fast)
        self._slow = slow = slow + self._slow_weight * (price - slow)
        side = 1 if fast > slow else -1 if fast < slow else self._side
        if side != self._side and not self._waits:
            self._side = side
            self._turn(side)

    def _warm_up(self, price: float) -> None:
        if self._fast != self._fast:
            self._fast = self._slow = price
        self._waits -= 1


class SmaCross:
    """Two simple averages of one instrument's prices.

    The sums are of whole ticks, hence exact: they do not drift, and equal averages are equal.
    """

    __slots__ = (
        "_at",
        "_fast",
        "_fast_sum",
        "_is_full",
        "_prices",
        "_side",
        "_slow",
        "_slow_sum",
        "_turn",
    )

    def __init__(self, lengths: tuple[int, int], turn: Turn) -> None:
        self._fast, self._slow = lengths
        self._fast_sum = self._slow_sum = 0
        self._prices = [0] * self._slow
        self._at = 0
        self._is_full = False
        self._side = 0
        self._turn = turn

    def on_quote(self, quote: Quote) -> None:
        """Take twice the mid of a quote that has two sides."""
        bid = quote.bid_ticks
        twice_mid = bid + quote.ask_ticks
        if bid and twice_mid < NO_PRICE:
            self.update(twice_mid)

    def on_bar(self, bar: Bar) -> None:
        """Take the close of a bar."""
        self.update(bar.close_ticks)

    def update(self, price: int) -> None:
        """Take the next price, in ticks or in halves of ticks."""
        prices = self._prices
        at = self._at
        fast_length = self._fast
        slow_length = self._slow
        self._fast_sum = fast = self._fast_sum + price - prices[at - fast_length]
        self._slow_sum = slow = self._slow_sum + price - prices[at]
        prices[at] = price
        at += 1
        if at == slow_length:
            at = 0
            self._is_full = True
        self._at = at
        fast *= slow_length
        slow *= fast_length
        side = 1 if fast > slow else -1 if fast < slow else self._side
        if side != self._side and self._is_full:
            self._side = side
            self._turn(side)


class AverageCross(Strategy):
    """Holds ``quantity`` while the fast average is above the slow one.

    Below, it holds as much short, or nothing. It is in the market as soon as both averages are
    known. After a restart they warm up anew; until then the position stays as it is.
    """

    @attrs.frozen(kw_only=True)
    class Parameters:
        """How it trades.

        Attributes:
            fast: Length of the fast average, in quotes or bars.
            slow: Length of the slow average; above ``fast``.
            average: Exponential (weight ``2 / (length + 1)``) or simple.
            quantity: The position it takes, in units.
            on: What a price is: the mid of a quote with two sides, or the close of a bar.
            allow_short: Whether it goes short below; if not, it goes flat.
        """

        fast: int = attrs.field(default=10, validator=ge(1))
        slow: int = attrs.field(default=20, validator=ge(2))
        average: Literal["ema", "sma"] = attrs.field(default="ema", validator=in_(("ema", "sma")))
        quantity: Decimal = attrs.field(default=Decimal(1), validator=gt(ZERO))
        on: Literal["quote", "bar"] = attrs.field(default="quote", validator=in_(("quote", "bar")))
        allow_short: bool = True

        @slow.validator
        def _slow_is_slower(self, _attribute: object, value: int) -> None:
            if value <= self.fast:
                raise ValueError(f"slow: expected above fast ({self.fast}), found {value}")

    parameters: Parameters

    def on_start(self) -> None:
        """Know no averages yet."""
        parameters = self.parameters
        self._kind = EventKind.QUOTE if parameters.on == "quote" else EventKind.BAR
        self._below = -parameters.quantity if parameters.allow_short else ZERO
        self._crosses: dict[int, EmaCross | SmaCross] = {}

    def callback(self, code: int) -> Callable[[Any], None] | None:
        """Have each instrument's prices taken by its own averages, with nothing in between."""
        if code & KIND_MASK != self._kind or not self.trades(code >> KIND_BITS):
            return None
        cross = self._cross_of(code >> KIND_BITS)
        return cross.on_quote if self._kind is EventKind.QUOTE else cross.on_bar

    def _cross_of(self, index: int) -> EmaCross | SmaCross:
        cross = self._crosses.get(index)
        if cross is None:
            lengths = (self.parameters.fast, self.parameters.slow)
            turn = partial(self._turn, self.instruments[index])
            make = EmaCross if self.parameters.average == "ema" else SmaCross
            cross = self._crosses[index] = make(lengths, turn)
        return cross

    def _turn(self, instrument: Instrument, side: int) -> None:
        if side > 0:
            self.target(instrument, self.parameters.quantity, reason="fast above slow")
        elif self.parameters.allow_short or self.position(instrument):
            self.target(instrument, self._below, reason="fast below slow")
