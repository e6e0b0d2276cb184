"""Goes with a move: long after a rise, short or flat after a fall, else as it is."""

from collections import deque
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from operator import attrgetter
from typing import Any, Literal

import attrs
from attrs.validators import ge, gt, in_

from actors.actor import Context
from actors.messages.market import KIND_BITS, KIND_MASK, EventKind
from actors.model.instrument import Instrument, Instruments
from actors.model.money import ZERO
from actors.strategies.average_cross import twice_mid_ticks
from actors.strategies.strategy import Strategy, StrategyConfig

_KINDS = {"quote": EventKind.QUOTE, "bar": EventKind.BAR}
_PRICES: dict[str, Callable[[Any], int | None]] = {
    "quote": twice_mid_ticks,
    "bar": attrgetter("close_ticks"),
}
_FULL_BPS = 10_000


class Momentum(Strategy):
    """Holds ``quantity`` once the price is ``threshold_bps`` above that of ``lookback`` before.

    As far below, it holds as much short, or nothing. In between it keeps what it holds. After a
    restart it goes on with the prices that were saved or that it was warmed with, or waits for
    ``lookback`` prices again.
    """

    @attrs.frozen(kw_only=True)
    class Parameters:
        """How it trades.

        Attributes:
            lookback: How many quotes or bars ago the price is that it compares with.
            threshold_bps: The smallest move that counts, in basis points of that price.
            quantity: The position it takes, in units.
            on: What a price is: the mid of a quote with two sides, or the close of a bar.
            allow_short: Whether it goes short after a fall; if not, it goes flat.
        """

        lookback: int = attrs.field(default=60, validator=ge(1))
        threshold_bps: Decimal = attrs.field(default=Decimal(20), validator=ge(ZERO))
        quantity: Decimal = attrs.field(default=Decimal(1), validator=gt(ZERO))
        on: Literal["quote", "bar"] = attrs.field(default="quote", validator=in_(("quote", "bar")))
        allow_short: bool = False

    parameters: Parameters

    def __init__(
        self, context: Context, instruments: Instruments, config: StrategyConfig | None = None
    ) -> None:
        super().__init__(context, instruments, config)
        self._prices: dict[str, deque[int]] = {}
        self._sides: dict[str, int] = {}

    def on_start(self) -> None:
        """Know what to listen to."""
        self._kind = _KINDS[self.parameters.on]
        self._price_of = _PRICES[self.parameters.on]
        self._threshold_bps = float(self.parameters.threshold_bps)

    def save(self) -> Any:
        """Return the last prices, and on which side it is."""
        prices = {name: list(each) for name, each in self._prices.items()}
        return {"prices": prices, "sides": dict(self._sides)}

    def restore(self, state: Any) -> None:
        """Go on with those prices, as many as ``lookback`` asks for now."""
        lookback = self.parameters.lookback
        self._prices = {name: deque(each, lookback) for name, each in state["prices"].items()}
        self._sides = dict(state["sides"])

    def callback(self, code: int) -> Callable[[Any], None] | None:
        """Hear the prices that are meant, of the instruments that are meant."""
        if code & KIND_MASK != self._kind or not self.trades(code >> KIND_BITS):
            return None
        return partial(self._on_price, self.instruments[code >> KIND_BITS])

    def _on_price(self, instrument: Instrument, event: Any) -> None:
        price = self._price_of(event)
        if price is None:
            return
        prices = self._prices.get(instrument.id)
        if prices is None:
            prices = self._prices[instrument.id] = deque(maxlen=self.parameters.lookback)
        if len(prices) == self.parameters.lookback:
            self._compare(instrument, price, prices[0])
        prices.append(price)

    def _compare(self, instrument: Instrument, price: int, before: int) -> None:
        if abs(price - before) * _FULL_BPS <= self._threshold_bps * before:
            return
        if self.is_warming:
            return
        side = 1 if price > before else -1
        if self._sides.get(instrument.id) == side:
            return
        self._sides[instrument.id] = side
        if side > 0:
            self.target(instrument, self.parameters.quantity, reason="rising")
        elif self.parameters.allow_short or self.position(instrument):
            below = -self.parameters.quantity if self.parameters.allow_short else ZERO
            self.target(instrument, below, reason="falling")
