"""What shares cost, and how many of them an order is for."""

from decimal import Decimal

from actors.model.instrument import Outcome
from actors.model.money import ZERO, round_down
from actors.model.order import Side
from actors.strategies.fees import fee_per_unit
from actors.strategies.yes_no.parameters import YesNoParameters
from actors.strategies.yes_no.state import MarketSnapshot, PairPosition, Rank, Top, TradeSignal


def cost(price: Decimal, top: Top, parameters: YesNoParameters) -> Decimal:
    """Return what a share costs at a price, fee paid."""
    return price + fee_per_unit(price, parameters.fee_rate, top.curve_fee_rate)


def room(side: Outcome, position: PairPosition, parameters: YesNoParameters) -> Decimal:
    """Return how much more of a side may be held; never below 0."""
    return max(parameters.max_position - position.quantity(side), ZERO)


def sized(tops: tuple[Top, ...], *limits: Decimal | None) -> Decimal:
    """Return the largest size within all limits, on the grid of all tops.

    Args:
        tops: The books in which the order, or each of the orders, is to be made.
        limits: None does not limit.

    Returns:
        0 if the size is too small for one of the books.
    """
    size = min(limit for limit in limits if limit is not None)
    for top in tops:
        size = round_down(size, top.lot)
    return size if size > 0 and all(size >= top.min_size for top in tops) else ZERO


def sale(
    snapshot: MarketSnapshot, side: Outcome, most: Decimal, rank: Rank, reason: str
) -> list[TradeSignal]:
    """Return a sale at the bid, of what is bid for; or nothing, if it would be too small."""
    top = snapshot.top(side)
    if top.bid is None:
        return []
    size = sized((top,), most, top.bid_size)
    if not size:
        return []
    return [
        TradeSignal(side=side, price=top.bid, size=size, rank=rank, reason=reason, action=Side.SELL)
    ]
