"""What can be traded: tick, lot, and how YES and NO belong together."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Any, NewType

import attrs

from actors.model.money import Price, Quantity, to_steps

InstrumentId = NewType("InstrumentId", str)
"""Ours, unique in a run: ``BTCUSDT.binance``, ``<slug>-YES``, a token id."""


class Outcome(StrEnum):
    """Which side of a two-outcome market a token pays for."""

    YES = "YES"
    NO = "NO"


def _not_negative(
    _instrument: object, attribute: "attrs.Attribute[Any]", value: Decimal | None
) -> None:
    if value is not None and not value >= 0:
        raise ValueError(f"{attribute.name}: expected 0 or more, found {value}")


def _above_zero(
    _instrument: object, attribute: "attrs.Attribute[Any]", value: Decimal | None
) -> None:
    if value is not None and not value > 0:
        raise ValueError(f"{attribute.name}: expected above 0, found {value}")


def _some_text(_instrument: object, attribute: "attrs.Attribute[Any]", value: str) -> None:
    if not value:
        raise ValueError(f"{attribute.name}: expected a name, found {value!r}")


@attrs.frozen(kw_only=True)
class Instrument:
    """One tradable thing at one venue.

    Attributes:
        id: Our name for it.
        venue: The venue's name, in lower case.
        symbol: The venue's name for it.
        tick: The price step of columns and books; every price is a whole number of ticks.
        lot: The quantity step of columns and books.
        order_tick: The price step that orders must keep, a multiple of ``tick``.
        min_quantity: The smallest order, in units.
        currency: What prices are in.
        can_short: Whether a position may go below zero (outcome tokens cannot).
        outcome: YES or NO for an outcome token, else None.
        complement: The other outcome's id, if there is one.
        market: The id of the two-outcome market (a condition id), if there is one.
        event: The id of the set of markets of which exactly one can pay (a negative-risk group).
        multiplier: What one unit is worth per unit of price: 10 for a future on 10 barrels.
        margin: Cash held per unit of a future, which is not paid for but marked to market; None
            for what is bought and paid for.
        fee_rate: The venue's rate for this instrument, where it has one: of the market's fee curve
            for outcome tokens.
        max_quantity: The largest order, in units; None for no bound.
        min_price: The lowest limit of an order; None for no bound.
        max_price: The highest limit of an order; None for no bound.
    """

    id: InstrumentId
    venue: str
    symbol: str
    tick: Decimal = attrs.field(default=Decimal("0.01"))
    lot: Decimal = attrs.field(default=Decimal("0.000001"))
    order_tick: Decimal = attrs.field()
    min_quantity: Decimal = attrs.field(default=Decimal(0), validator=_not_negative)
    currency: str = attrs.field(default="USD", validator=_some_text)
    can_short: bool = True
    outcome: Outcome | None = None
    complement: InstrumentId | None = None
    market: str | None = None
    event: str | None = None
    multiplier: Decimal = attrs.field(default=Decimal(1))
    margin: Decimal | None = attrs.field(default=None, validator=_not_negative)
    fee_rate: Decimal | None = attrs.field(default=None, validator=_not_negative)
    max_quantity: Decimal | None = attrs.field(default=None, validator=_above_zero)
    min_price: Decimal | None = attrs.field(default=None, validator=_not_negative)
    max_price: Decimal | None = attrs.field(default=None, validator=_above_zero)

    @order_tick.default
    def _order_tick_is_tick(self) -> Decimal:
        return self.tick

    @tick.validator
    def _tick_is_positive(self, _attribute: object, value: Decimal) -> None:
        if value <= 0:
            raise ValueError(f"tick of {self.id}: expected above 0, found {value}")

    @lot.validator
    def _lot_is_positive(self, _attribute: object, value: Decimal) -> None:
        if value <= 0:
            raise ValueError(f"lot of {self.id}: expected above 0, found {value}")

    @multiplier.validator
    def _multiplier_is_positive(self, _attribute: object, value: Decimal) -> None:
        if value <= 0:
            raise ValueError(f"multiplier of {self.id}: expected above 0, found {value}")

    @order_tick.validator
    def _order_tick_is_of_ticks(self, _attribute: object, value: Decimal) -> None:
        if value <= 0 or value % self.tick:
            expected = f"a multiple of the tick {self.tick}, above 0"
            raise ValueError(f"order_tick: expected {expected}, found {value}")

    @max_quantity.validator
    def _quantities_are_in_order(self, _attribute: object, value: Decimal | None) -> None:
        if value is not None and value < self.min_quantity:
            expected = f"min_quantity ({self.min_quantity}) or more"
            raise ValueError(f"max_quantity: expected {expected}, found {value}")

    @max_price.validator
    def _prices_are_in_order(self, _attribute: object, value: Decimal | None) -> None:
        if value is not None and self.min_price is not None and value < self.min_price:
            expected = f"min_price ({self.min_price}) or more"
            raise ValueError(f"max_price: expected {expected}, found {value}")

    def price(self, ticks: int) -> Price:
        """Return a number of ticks as a price."""
        return Price(self.tick * ticks)

    def ticks(self, price: Decimal) -> int:
        """Return a price in ticks; ValueError if it is off the grid."""
        return to_steps(price, self.tick)

    def quantity(self, lots: int) -> Quantity:
        """Return a number of lots as a quantity."""
        return Quantity(self.lot * lots)

    def lots(self, quantity: Decimal) -> int:
        """Return a quantity in lots; ValueError if it is off the grid."""
        return to_steps(quantity, self.lot)


class Instruments:
    """The run's table of instruments: columns name them by index, messages by id."""

    def __init__(self) -> None:
        self._by_index: list[Instrument] = []
        self._index: dict[str, int] = {}

    def add(self, instrument: Instrument) -> int:
        """Return the instrument's index; the first definition of an id stays."""
        index = self._index.get(instrument.id)
        if index is None:
            index = self._index[instrument.id] = len(self._by_index)
            self._by_index.append(instrument)
        return index

    def index(self, instrument_id: str) -> int:
        """Return the index of an id; KeyError if no feed or configuration has named it."""
        return self._index[instrument_id]

    def get(self, instrument_id: str) -> Instrument | None:
        """Return the instrument, or None if it is not known (yet)."""
        index = self._index.get(instrument_id)
        return None if index is None else self._by_index[index]

    def remember(self) -> list[Instrument]:
        """Return all instruments, by index."""
        return [*self._by_index]

    def recall(self, known: Sequence[Instrument]) -> list[Instrument] | None:
        """Take instruments in as they were known; None if they differ from those there are."""
        for index, instrument in enumerate(known):
            if self.add(instrument) != index or self._by_index[index] != instrument:
                return None
        return self._by_index[: len(known)]

    def __getitem__(self, index: int) -> Instrument:
        return self._by_index[index]

    def __contains__(self, instrument_id: object) -> bool:
        return instrument_id in self._index

    def __len__(self) -> int:
        return len(self._by_index)

    def __iter__(self) -> Iterator[Instrument]:
        return iter(self._by_index)
