"""Follows the trend: long while a fast average is above a slow one, short or flat below it."""

from collections import deque
from collections.abc import Callable, Generator, Mapping
from decimal import Decimal
from functools import partial
from inspect import getgeneratorlocals
from math import nan
from operator import attrgetter
from typing import Any, Literal

import attrs
from attrs.validators import ge, gt, in_

from actors.actor import Context
from actors.messages.market import KIND_BITS, KIND_MASK, NO_PRICE, EventKind, Quote
from actors.model.instrument import Instrument, Instruments
from actors.model.money import ZERO
from actors.strategies.strategy import Strategy, StrategyConfig

PriceOf = Callable[[Any], Any]
"""Takes the price from a quote, a trade or a bar."""


class _Sides:
    """Which average is above the other, and whom to tell when that changes.

    Args:
        turn: Is told the new side, +1 or -1.
        is_told_first: Whether it is also told the first side, which is no change.
    """

    __slots__ = ("_turn", "is_above", "is_told", "waits")

    def __init__(self, turn: Callable[[int], None], *, is_told_first: bool) -> None:
        self.is_above: bool | None = None
        """Whether the fast average is above; None as long as neither is."""
        self.waits = 0
        """How many more differences do not count: the averages are not known yet."""
        self._turn = turn
        self.is_told = is_told_first

    def settle(self, difference: float) -> None:
        """Take a difference, fast less slow, that does not agree with ``is_above``; 0 is none."""
        if self.waits:
            self.waits -= 1
        elif difference:
            self.is_above = difference > 0
            if self.is_told:
                self._turn(1 if difference > 0 else -1)
            self.is_told = True


Lengths = tuple[int, int]
"""Of the fast average and of the slow one."""
Follower = Generator[None, Any, None]
"""Is sent each quote, trade or bar of one instrument. What it needs at each is in its local
variables, which Python reaches faster than attributes: a year of minutes is half a million bars."""


Known = Mapping[str, Any]
"""What a follower knew when it was saved: its local variables of these names; empty at first."""


def _follow_ema(lengths: Lengths, price_of: PriceOf, sides: _Sides, known: Known) -> Follower:
    """Follow two exponential averages, seeded by the first price; nan is no price."""
    fast_weight, slow_weight = (2.0 / (length + 1) for length in lengths)
    fast, slow = known.get("fast", nan), known.get("slow", nan)
    if fast != fast:
        while fast != fast:
            fast = slow = price_of((yield))
        sides.waits = lengths[1] - 2
    while True:
        price = price_of((yield))
        if price == price:
            fast += fast_weight * (price - fast)
            slow += slow_weight * (price - slow)
            if (fast > slow) is not sides.is_above:
                sides.settle(fast - slow)


def _follow_sma(lengths: Lengths, price_of: PriceOf, sides: _Sides, known: Known) -> Follower:
    """Follow two simple averages; None is no price.

    Prices are whole ticks. What is kept of the averages is their difference times the product of
    their lengths, which is a whole number too: it does not drift, and equal averages are equal.
    """
    fast, slow = lengths
    weight = slow - fast
    prices = deque(known.get("prices") or [0] * slow, slow)
    push = prices.append
    if not known:
        sides.waits = slow - 1
    difference = known.get("difference", 0)
    while True:
        price = price_of((yield))
        if price is not None:
            difference += weight * price - slow * prices[-fast] + fast * prices[0]
            push(price)
            if (difference > 0) is not sides.is_above:
                sides.settle(difference)


def twice_mid_ticks(quote: Quote) -> int | None:
    """Return twice the mid of a quote, in ticks; None if a side is empty."""
    bid = quote.bid_ticks
    twice_mid = bid + quote.ask_ticks
    return twice_mid if bid and twice_mid < NO_PRICE else None


def _knowledge(follower: Follower, sides: _Sides) -> dict[str, Any]:
    """Return what a follower knows, as plain values; one that has heard no price knows nothing."""
    known = getgeneratorlocals(follower)
    if "prices" in known:
        averages = {"prices": list(known["prices"]), "difference": known["difference"]}
    elif known["fast"] == known["fast"]:
        averages = {"fast": known["fast"], "slow": known["slow"]}
    else:
        return {}
    return averages | {name: getattr(sides, name) for name in _OF_SIDES}


_OF_SIDES = ("is_above", "is_told", "waits")
_FOLLOW = {"ema": _follow_ema, "sma": _follow_sma}
_PRICES: dict[tuple[str, str], PriceOf] = {
    ("ema", "quote"): attrgetter("mid"),
    ("ema", "trade"): attrgetter("price_ticks"),
    ("ema", "bar"): attrgetter("close"),
    ("sma", "quote"): twice_mid_ticks,
    ("sma", "trade"): attrgetter("price_ticks"),
    ("sma", "bar"): attrgetter("close_ticks"),
}
_KINDS = {"quote": EventKind.QUOTE, "trade": EventKind.TRADE, "bar": EventKind.BAR}


class AverageCross(Strategy):
    """Holds ``quantity`` while the fast average is above the slow one.

    Below, it holds as much short, or nothing. It is in the market as soon as both averages are
    known, or with ``wait_for_cross`` at the first crossing after that. A fast average of length 1
    is the price itself: a slow one alone is then crossed by it.

    After a restart it goes on with the averages that were saved; where none were, they warm up
    anew, and until then the position stays as it is. Saved averages of other lengths are not used.
    After a warm-up, the next price that counts puts it on the side that its averages are on; one
    that waits for a cross and holds nothing still waits.
    """

    @attrs.frozen(kw_only=True)
    class Parameters:
        """How it trades.

        Attributes:
            fast: Length of the fast average, in quotes, trades or bars; 1 is the price itself.
            slow: Length of the slow average; above ``fast``.
            average: Exponential (weight ``2 / (length + 1)``) or simple.
            quantity: The position it takes, in units.
            on: What a price is: the mid of a quote with two sides, that of a public trade, or the
                close of a bar.
            allow_short: Whether it goes short below; if not, it goes flat.
            wait_for_cross: Whether it stays out until the averages cross for the first time.
        """

        fast: int = attrs.field(default=10, validator=ge(1))
        slow: int = attrs.field(default=20, validator=ge(2))
        average: Literal["ema", "sma"] = attrs.field(default="ema", validator=in_(("ema", "sma")))
        quantity: Decimal = attrs.field(default=Decimal(1), validator=gt(ZERO))
        on: Literal["quote", "trade", "bar"] = attrs.field(
            default="quote", validator=in_(tuple(_KINDS))
        )
        allow_short: bool = True
        wait_for_cross: bool = False

        @slow.validator
        def _slow_is_slower(self, _attribute: object, value: int) -> None:
            if value <= self.fast:
                raise ValueError(f"slow: expected above fast ({self.fast}), found {value}")

    parameters: Parameters

    def __init__(
        self, context: Context, instruments: Instruments, config: StrategyConfig | None = None
    ) -> None:
        super().__init__(context, instruments, config)
        self._followers: dict[int, tuple[Follower, _Sides]] = {}
        self._saved: dict[str, Known] = {}
        """By instrument, what is to be gone on with once the instrument is heard of."""

    def on_start(self) -> None:
        """Know what to listen to."""
        parameters = self.parameters
        self._kind = _KINDS[parameters.on]
        self._below = -parameters.quantity if parameters.allow_short else ZERO

    def on_warmed(self) -> None:
        """Have the next price tell the side: none of those before has led to a position."""
        waits = self.parameters.wait_for_cross
        for index, (_, sides) in self._followers.items():
            if not waits or self.position(self.instruments[index]):
                sides.is_above = None

    def save(self) -> Any:
        """Return the averages, and which is above the other."""
        known = dict(self._saved)
        for index, (follower, sides) in self._followers.items():
            known[self.instruments[index].id] = _knowledge(follower, sides)
        return {"of": self._kept_of(), "known": known}

    def restore(self, state: Any) -> None:
        """Go on with those averages."""
        if state["of"] == self._kept_of():
            self._saved = dict(state["known"])

    def _kept_of(self) -> list[Any]:
        """Return what averages depend on: those of others say nothing."""
        parameters = self.parameters
        return [parameters.average, parameters.on, parameters.fast, parameters.slow]

    def callback(self, code: int) -> Callable[[Any], None] | None:
        """Have each instrument's prices taken by its own averages, with nothing in between."""
        if code & KIND_MASK != self._kind or not self.trades(code >> KIND_BITS):
            return None
        return self._follower(code >> KIND_BITS).send

    def _follower(self, index: int) -> Follower:
        if index not in self._followers:
            self._followers[index] = self._begun(self.instruments[index])
        return self._followers[index][0]

    def _begun(self, instrument: Instrument) -> tuple[Follower, _Sides]:
        parameters = self.parameters
        known = self._saved.pop(instrument.id, {})
        sides = _Sides(partial(self._turn, instrument), is_told_first=not parameters.wait_for_cross)
        for name in _OF_SIDES if known else ():
            setattr(sides, name, known[name])
        price_of = _PRICES[parameters.average, parameters.on]
        follow = _FOLLOW[parameters.average]
        follower = follow((parameters.fast, parameters.slow), price_of, sides, known)
        next(follower)  # up to where it waits for the first price
        return follower, sides

    def _turn(self, instrument: Instrument, side: int) -> None:
        if side > 0:
            self.target(instrument, self.parameters.quantity, reason="fast above slow")
        elif self.parameters.allow_short or self.position(instrument):
            self.target(instrument, self._below, reason="fast below slow")
