"""Buys YES and NO together where both cost less than the 1 that one of them will pay."""

from decimal import Decimal
from math import inf
from typing import ClassVar

import attrs
from attrs.validators import ge, gt

from actors.messages.market import Connection, Quote, Resolution
from actors.model.instrument import Instrument, Outcome
from actors.model.money import ONE, ZERO, plain, round_down
from actors.model.order import TimeInForce
from actors.strategies.fees import fee_per_unit
from actors.strategies.strategy import Strategy


class Leg:
    """One outcome of a market, and what it was last offered at.

    ``ask`` is that price as a float, for a first glance; infinite when nobody offers, or when the
    offer must not be used.
    """

    __slots__ = ("ask", "instrument", "is_decided", "other", "quote")

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.is_decided = False
        self.ask = inf
        self.quote: Quote | None = None
        self.other: Leg | None = None

    def forget(self) -> None:
        """Use the offer no more: it was taken, or may be out of date."""
        self.ask = inf
        self.quote = None

    def join(self, other: "Leg") -> None:
        """Make two legs a pair, unless the market has resolved."""
        if not (self.is_decided or other.is_decided):
            self.other, other.other = other, self

    def decide(self) -> None:
        """Part the pair: the market has resolved."""
        self.is_decided = True
        self.forget()
        if self.other is not None:
            self.other.other = None
            self.other = None


class OutcomeArbitrage(Strategy):
    """Buys both outcomes at their asks when that, with fees, costs less than ``1 - min_edge``.

    Both orders are immediate-or-cancel limits at the asks, for the same quantity. An offer is used
    once: before the next pair of orders, both sides must have been quoted again. While an order in
    one of the two instruments is open, the pair waits, whatever that order's end will be.

    If only one leg fills, its position is kept: the strategy does not hedge it.
    """

    learns: ClassVar[bool] = False

    @attrs.frozen(kw_only=True)
    class Parameters:
        """When and how much it buys.

        Attributes:
            min_edge: What a pair must earn more than, in currency.
            max_size: The largest quantity of one pair of orders, in units.
            max_position: The largest position in either outcome, in units.
            fee_rate: See :func:`fee_per_unit`.
            curve_fee_rate: See :func:`fee_per_unit`.
        """

        min_edge: Decimal = attrs.field(default=Decimal("0.005"), validator=ge(ZERO))
        max_size: Decimal = attrs.field(default=Decimal(100), validator=gt(ZERO))
        max_position: Decimal = attrs.field(default=Decimal(1000), validator=gt(ZERO))
        fee_rate: Decimal = attrs.field(default=ZERO, validator=ge(ZERO))
        curve_fee_rate: Decimal = attrs.field(default=ZERO, validator=ge(ZERO))

    parameters: Parameters

    def on_start(self) -> None:
        """Know no offers yet."""
        self._legs: dict[str, Leg] = {}
        # A little above the limit: the floats only sort out what is clearly too dear.
        self._too_dear = float(ONE - self.parameters.min_edge) + 1e-9

    def on_quote(self, quote: Quote) -> None:
        """Buy the pair, if it is cheap enough now."""
        leg = self._leg(quote.instrument)
        leg.quote = quote
        leg.ask = quote.ask_ticks * float(quote.instrument.tick) if quote.ask_lots else inf
        other = leg.other
        if other is not None and leg.ask + other.ask < self._too_dear:
            self._consider(leg, other)

    def on_connection(self, connection: Connection) -> None:
        """Use no offer from before a change of the connection."""
        instrument = connection.instrument
        for leg in self._legs.values():
            if instrument is None or leg.instrument.id == instrument.id:
                leg.forget()

    def on_resolution(self, resolution: Resolution) -> None:
        """Buy no outcome that has been decided."""
        self._leg(resolution.instrument).decide()

    def _leg(self, instrument: Instrument) -> Leg:
        """Return the leg of an instrument; a new one is joined with its other half, if known."""
        leg = self._legs.get(instrument.id)
        if leg is None:
            leg = self._legs[instrument.id] = Leg(instrument)
            other = self._legs.get(instrument.complement or "")
            if other is not None and instrument.outcome is not None:
                leg.join(other)
        return leg

    def _consider(self, leg: Leg, other: Leg) -> None:
        yes, no = (leg, other) if leg.instrument.outcome is Outcome.YES else (other, leg)
        assert yes.quote is not None
        assert no.quote is not None
        edge = self._edge(yes.quote, no.quote)
        if edge <= self.parameters.min_edge:
            return
        size = self._size(yes.quote, no.quote)
        if size == 0 or any(self.has_open_order(each.instrument) for each in (yes, no)):
            return
        reason = f"YES and NO together: edge {plain(edge)} a pair"
        for each in (yes, no):
            assert each.quote is not None
            limit = each.quote.ask
            ioc = TimeInForce.IOC
            self.buy(each.instrument, size, limit=limit, time_in_force=ioc, reason=reason)
            each.forget()

    def _edge(self, yes: Quote, no: Quote) -> Decimal:
        """Return what a pair bought at the asks will earn, per unit, fees paid."""
        edge = ONE
        for quote in (yes, no):
            assert quote.ask is not None
            fees = self.parameters.fee_rate, self.parameters.curve_fee_rate
            edge -= quote.ask + fee_per_unit(quote.ask, *fees)
        return edge

    def _size(self, yes: Quote, no: Quote) -> Decimal:
        """Return how much of both to buy; 0 if it is too little for an order."""
        size = self.parameters.max_size
        for quote in (yes, no):
            instrument = quote.instrument
            size = min(size, self.parameters.max_position - self.position(instrument))
            if quote.ask_quantity is not None:
                size = min(size, quote.ask_quantity)
        for quote in (yes, no):
            size = round_down(size, quote.instrument.lot)
        smallest = max(yes.instrument.min_quantity, no.instrument.min_quantity)
        return size if size > 0 and size >= smallest else ZERO
