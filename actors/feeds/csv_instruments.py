"""What a CSV file does not tell, and the instruments that its rows are about."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Literal

import attrs

from actors.feeds.csv_columns import TableKind
from actors.feeds.csv_shape import Shape
from actors.model.grid import Listing, optional_step
from actors.model.instrument import Instrument, InstrumentId, Instruments, Outcome
from actors.model.timestamps import duration_ns

_NO_SUFFIX = "-no"
_OUTCOME_TICK = Decimal("0.0001")
_OUTCOME_ORDER_TICK = Decimal("0.01")


def one_of(*choices: Any) -> Callable[[Any, Any, Any], None]:
    """Return a validator that accepts these values only."""

    def check(_owner: object, _field: object, value: Any) -> None:
        if not any(value is choice or value == choice for choice in choices):
            raise ValueError(f"expected {' or '.join(map(str, choices))}, found {value!r}")

    return check


def _interval(value: int | str | None) -> int | None:
    return None if value is None else duration_ns(value)


@attrs.frozen(kw_only=True)
class CsvOptions:
    """What a table does not tell.

    Attributes:
        instrument: The instrument's id, of a table without such a column; by default the file's
            name up to the first dot.
        venue: The venue's name, in lower case.
        currency: What prices are in; by default USD, or USDC for outcome tokens.
        tick: The price step of columns; by default that of the decimals in the data.
        order_tick: The price step of orders; by default the tick, or 0.01 for outcome tokens.
        lot: The quantity step of columns; by default that of the decimals in the data, at most
            0.000001.
        outcome_pairs: Whether ``<market>-no`` is the NO token of ``<market>``; by default where
            both names occur.
        bar_time: Whether a bar's time is when it opened or when it closed. A bar is only told
            when it has closed: ``open``, the default, never tells it too early.
        interval_ns: How long a bar lasts (a number, or a text such as ``1m``); by default the
            commonest distance between two bars.
        opens: Whether each bar's open is told as well, when the bar begins: as a quote of one price
            on both sides, of unknown size, which an order can meet at the open. Needs times that
            are those of the open.
    """

    instrument: str | None = None
    venue: str = "recorded"
    currency: str | None = None
    tick: Decimal | None = attrs.field(default=None, converter=optional_step)
    order_tick: Decimal | None = attrs.field(default=None, converter=optional_step)
    lot: Decimal | None = attrs.field(default=None, converter=optional_step)
    outcome_pairs: bool | None = attrs.field(default=None, validator=one_of(True, False, None))
    bar_time: Literal["open", "close"] = attrs.field(
        default="open", validator=one_of("open", "close")
    )
    interval_ns: int | None = attrs.field(default=None, converter=_interval)
    opens: bool = attrs.field(default=False, validator=one_of(True, False))

    @opens.validator
    def _opens_are_timed(self, _attribute: object, value: bool) -> None:
        if value and self.bar_time == "close":
            raise ValueError("opens: expected bar_time: open beside it, found close")


def listings(instruments: Instruments, shape: Shape, options: CsvOptions) -> dict[str, Listing]:
    """Add the instruments of some files to the table; return them by their names in the files.

    Volumes of bars are rounded to the lot, and so are prices with the noise of binary floats.
    """
    rounds_prices = shape.has_noise and options.tick is None
    rounds_quantities = shape.kind is TableKind.BARS
    return {
        name: Listing.of(
            instruments,
            _instrument(name, shape, options),
            rounds_prices=rounds_prices,
            rounds_quantities=rounds_quantities,
        )
        for name in shape.names
    }


def _instrument(name: str, shape: Shape, options: CsvOptions) -> Instrument:
    slug = name.removesuffix(_NO_SUFFIX)
    other = slug if name != slug else f"{name}{_NO_SUFFIX}"
    is_paired = options.outcome_pairs
    if is_paired is None:
        is_paired = other in shape.names
    if is_paired:
        return Instrument(
            id=InstrumentId(name),
            venue=options.venue,
            symbol=name,
            tick=options.tick or min(shape.tick, _OUTCOME_TICK),
            order_tick=options.order_tick or _OUTCOME_ORDER_TICK,
            lot=options.lot or shape.lot,
            currency=options.currency or "USDC",
            can_short=False,
            outcome=Outcome.YES if name == slug else Outcome.NO,
            complement=InstrumentId(other) if other in shape.names else None,
            market=slug,
        )
    tick = options.tick or shape.tick
    return Instrument(
        id=InstrumentId(name),
        venue=options.venue,
        symbol=name,
        tick=tick,
        order_tick=options.order_tick or tick,
        lot=options.lot or shape.lot,
        currency=options.currency or "USD",
    )
