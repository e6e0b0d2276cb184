"""Where a market maker quotes, and how much: pure functions of a quote and a position."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Literal, NamedTuple

import attrs
from attrs.validators import ge, gt, in_

from actors.messages.market import Quote
from actors.model.instrument import Instrument
from actors.model.money import NANOSECONDS, ONE, ZERO, round_down
from actors.strategies.checks import above_zero

_TWO = Decimal(2)
_FULL_BPS = Decimal(10_000)
_BOTH_SIDES_BPS = Decimal(20_000)


@attrs.frozen(kw_only=True)
class MakerParameters:
    """How a market maker quotes.

    Attributes:
        size: The quantity it quotes on each side, in units.
        max_position: The largest position, long or short, in units.
        spread_bps: From its bid to its ask, in basis points of the fair price.
        min_spread_ticks: The same in order ticks; the wider of both holds.
        skew_bps: How far both quotes move down at the largest long position (up at the largest
            short one), in basis points of the fair price; in proportion at smaller ones.
        fair: What it quotes around: the mid, or the microprice, which leans to the side with less
            size. Where a size is not known it is the mid.
        refresh_ticks: How many ticks the fair price moves before the quotes follow.
        refresh_ns: After this long they follow any move, and are made full again.
        max_quote_age_ns: Without a quote for so long, its own are taken out; None leaves them.
        retry_ns: How long it waits after a refusal.
        replace: Whether quotes are changed in their place, or cancelled and made anew.
    """

    size: Decimal = attrs.field(default=Decimal(10), validator=gt(ZERO))
    max_position: Decimal = attrs.field(default=Decimal(100), validator=gt(ZERO))
    spread_bps: Decimal = attrs.field(default=Decimal(20), validator=ge(ZERO))
    min_spread_ticks: int = attrs.field(default=2, validator=ge(1))
    skew_bps: Decimal = attrs.field(default=Decimal(10), validator=ge(ZERO))
    fair: Literal["mid", "microprice"] = attrs.field(
        default="mid", validator=in_(("mid", "microprice"))
    )
    refresh_ticks: int = attrs.field(default=1, validator=ge(1))
    refresh_ns: int = attrs.field(default=5 * NANOSECONDS, validator=gt(0))
    max_quote_age_ns: int | None = attrs.field(default=10 * NANOSECONDS, validator=above_zero)
    retry_ns: int = attrs.field(default=NANOSECONDS, validator=gt(0))
    replace: bool = True


class Prices(NamedTuple):
    """Where to quote; None where no price is possible."""

    bid: Decimal | None
    ask: Decimal | None


def twice_fair_ticks(quote: Quote, parameters: MakerParameters) -> int:
    """Return twice the fair price of a quote with two sides, in ticks of the instrument.

    Source of the microprice: Gatheral and Oomen (2010), "Zero-intelligence realized variance
    estimation": each price weighted by the size of the other side.
    """
    bid, ask = quote.bid_ticks, quote.ask_ticks
    bid_lots, ask_lots = quote.bid_lots, quote.ask_lots
    if parameters.fair == "mid" or bid_lots <= 0 or ask_lots <= 0:
        return bid + ask
    return 2 * (bid * ask_lots + ask * bid_lots) // (bid_lots + ask_lots)


def quoted_prices(quote: Quote, position: Decimal, parameters: MakerParameters) -> Prices:
    """Return the prices to quote, on the order grid, none of which would trade at once.

    Args:
        quote: A quote with two sides.
        position: What is held, signed.
        parameters: The spread around the fair price, and the skew.
    """
    instrument = quote.instrument
    step = instrument.order_tick
    fair = instrument.price(twice_fair_ticks(quote, parameters)) / _TWO
    half = fair * parameters.spread_bps / _BOTH_SIDES_BPS
    half = max(half, step * parameters.min_spread_ticks / _TWO)
    held = min(max(position / parameters.max_position, -ONE), ONE)
    centre = fair - fair * parameters.skew_bps / _FULL_BPS * held
    best_bid, best_ask = instrument.price(quote.bid_ticks), instrument.price(quote.ask_ticks)
    bid = min(_on_grid(centre - half, step, ROUND_FLOOR), best_ask - step)
    ask = max(_on_grid(centre + half, step, ROUND_CEILING), best_bid + step)
    lowest, highest = _bounds(instrument)
    return Prices(
        bid if bid >= lowest else None, ask if highest is None or ask <= highest else None
    )


def quoted_sizes(
    instrument: Instrument, held: tuple[Decimal, Decimal], parameters: MakerParameters
) -> tuple[Decimal, Decimal]:
    """Return how much to bid for and to offer; 0 where it would be too little for an order.

    Args:
        instrument: Says whether it may be sold short, and how small an order may be.
        held: The highest and the lowest that the position may be at this moment: fills are known
            before the positions that follow from them.
        parameters: The size, and the largest position.
    """
    highest, lowest = held
    bid = min(parameters.size, parameters.max_position - highest)
    ask = min(parameters.size, lowest + parameters.max_position if instrument.can_short else lowest)
    return _enough(bid, instrument), _enough(ask, instrument)


def _enough(size: Decimal, instrument: Instrument) -> Decimal:
    if size <= 0:
        return ZERO
    size = round_down(size, instrument.lot)
    return size if size >= instrument.min_quantity else ZERO


def _bounds(instrument: Instrument) -> tuple[Decimal, Decimal | None]:
    """Return the lowest and the highest price that an order may have."""
    step = instrument.order_tick
    lowest = step if instrument.min_price is None else max(instrument.min_price, step)
    highest = instrument.max_price
    if instrument.outcome is not None:
        highest = ONE - step if highest is None else min(highest, ONE - step)
    return lowest, highest


def _on_grid(price: Decimal, step: Decimal, rounding: str) -> Decimal:
    return (price / step).to_integral_value(rounding=rounding) * step
