"""Watches spreads, sizes and pairs of outcomes, and tells when they are out of bounds."""

from collections.abc import Callable
from decimal import ROUND_CEILING, Decimal
from typing import Any

import attrs

from actors.messages.alerts import Alert, AlertKind
from actors.messages.market import Quote
from actors.model.instrument import Instrument, Outcome
from actors.model.money import ZERO, plain
from actors.strategies.indicators import spread_bps
from actors.strategies.strategy import Strategy

_ROUNDING = 1e-9
"""Far below any tick: a sum of prices that is exactly at its bound is within it."""


def _not_negative(_instance: object, attribute: "attrs.Attribute[Any]", value: Any) -> None:
    if value is not None and value < 0:
        raise ValueError(f"{attribute.name}: expected 0 or more, or nothing, found {value}")


class MarketAnalysis(Strategy):
    """Sends an :class:`Alert` when something begins to be unusual, and one when it is over.

    It trades nothing.
    """

    @attrs.frozen(kw_only=True)
    class Parameters:
        """What is unusual; None switches a rule off.

        Attributes:
            crossed: Whether to tell of a bid that is not below the ask.
            max_spread_bps: A wider spread than this, in basis points of the mid.
            min_quantity: Less than this at the best bid or the best ask, in units; a size that
                the data do not tell is enough.
            pair_band: YES and NO together bid or offered further from 1 than this.
        """

        crossed: bool = True
        max_spread_bps: Decimal | None = attrs.field(default=Decimal(200), validator=_not_negative)
        min_quantity: Decimal | None = attrs.field(default=None, validator=_not_negative)
        pair_band: Decimal | None = attrs.field(default=Decimal("0.05"), validator=_not_negative)

    parameters: Parameters

    def on_start(self) -> None:
        """Find nothing unusual yet."""
        parameters = self.parameters
        self._raised: set[tuple[AlertKind, str]] = set()
        self._latest: dict[str, Quote] = {}
        self._min_lots: dict[str, int] = {}
        self._max_spread = float(parameters.max_spread_bps or 0)
        self._band = float(parameters.pair_band or 0) + _ROUNDING
        rules: list[tuple[object, Callable[[Quote], None]]] = [
            (parameters.crossed or None, self._check_crossed),
            (parameters.max_spread_bps, self._check_spread),
            (parameters.min_quantity, self._check_sizes),
            (parameters.pair_band, self._check_pair),
        ]
        self._rules = [rule for bound, rule in rules if bound is not None]

    def on_quote(self, quote: Quote) -> None:
        """Check the quote, and the pair that it belongs to."""
        for rule in self._rules:
            rule(quote)

    def _check_crossed(self, quote: Quote) -> None:
        is_crossed = _has_both(quote) and quote.bid_ticks >= quote.ask_ticks
        if self._has_changed(AlertKind.CROSSED, quote.instrument, is_crossed):
            self._tell(AlertKind.CROSSED, quote, f"bid {_best(quote.bid)}, ask {_best(quote.ask)}")

    def _check_spread(self, quote: Quote) -> None:
        if not _has_both(quote):
            return
        spread = spread_bps(quote.bid_ticks, quote.ask_ticks)
        if self._has_changed(AlertKind.WIDE_SPREAD, quote.instrument, spread > self._max_spread):
            self._tell(AlertKind.WIDE_SPREAD, quote, f"spread {spread:.1f} bps")

    def _check_sizes(self, quote: Quote) -> None:
        least = self._least(quote.instrument)
        is_thin = 0 <= quote.bid_lots < least or 0 <= quote.ask_lots < least
        if self._has_changed(AlertKind.THIN, quote.instrument, is_thin):
            bid, ask = _best(quote.bid_quantity), _best(quote.ask_quantity)
            self._tell(AlertKind.THIN, quote, f"{bid} bid, {ask} offered")

    def _check_pair(self, quote: Quote) -> None:
        instrument = quote.instrument
        if instrument.complement is None:
            return
        self._latest[instrument.id] = quote
        other = self._latest.get(instrument.complement)
        if other is None:
            return
        bids, asks = pair_sums(quote, other)
        is_off = abs(bids - 1) > self._band or abs(asks - 1) > self._band
        yes = instrument if instrument.outcome is Outcome.YES else other.instrument
        if self._has_changed(AlertKind.PAIR_OUT_OF_BAND, yes, is_off):
            text = f"YES and NO together bid {bids:.4f}, offered {asks:.4f}"
            self._tell(AlertKind.PAIR_OUT_OF_BAND, quote, text, about=yes)

    def _has_changed(self, kind: AlertKind, instrument: Instrument, is_unusual: bool) -> bool:
        key = (kind, instrument.id)
        if (key in self._raised) == is_unusual:
            return False
        (self._raised.add if is_unusual else self._raised.remove)(key)
        return True

    def _tell(
        self, kind: AlertKind, quote: Quote, text: str, *, about: Instrument | None = None
    ) -> None:
        instrument = (about or quote.instrument).id
        alert = Alert(
            strategy=self.name,
            instrument=instrument,
            kind=kind,
            is_raised=(kind, instrument) in self._raised,
            text=text,
            time_ns=quote.time_ns,
        )
        self.outbox.append(alert)

    def _least(self, instrument: Instrument) -> int:
        """Return the smallest size that is enough, in lots."""
        least = self._min_lots.get(instrument.id)
        if least is None:
            lots = (self.parameters.min_quantity or ZERO) / instrument.lot
            least = int(lots.to_integral_value(rounding=ROUND_CEILING))
            self._min_lots[instrument.id] = least
        return least


def pair_sums(quote: Quote, other: Quote) -> tuple[float, float]:
    """Return what both outcomes together are bid and offered at; 1 for a side that is empty."""
    tick, other_tick = float(quote.instrument.tick), float(other.instrument.tick)
    bids = asks = 1.0
    if quote.bid_lots and other.bid_lots:
        bids = quote.bid_ticks * tick + other.bid_ticks * other_tick
    if quote.ask_lots and other.ask_lots:
        asks = quote.ask_ticks * tick + other.ask_ticks * other_tick
    return bids, asks


def _has_both(quote: Quote) -> bool:
    return quote.bid_lots != 0 and quote.ask_lots != 0


def _best(value: Decimal | None) -> str:
    return "none" if value is None else plain(value)
