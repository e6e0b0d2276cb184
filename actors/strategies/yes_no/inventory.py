"""Inventory: pairs that are put together one side at a time."""

from decimal import Decimal

from actors.model.instrument import Outcome
from actors.model.money import ONE, ZERO, plain
from actors.strategies.yes_no.parameters import YesNoParameters
from actors.strategies.yes_no.sizing import cost, room, sized
from actors.strategies.yes_no.state import (
    NO,
    OTHER,
    YES,
    MarketSnapshot,
    PairPosition,
    Rank,
    Top,
    TradeSignal,
)


def inventory(
    snapshot: MarketSnapshot, position: PairPosition, parameters: YesNoParameters
) -> list[TradeSignal]:
    """Return the first of bootstrap, hedge and average down that has something to say."""
    if not parameters.inventory:
        return []
    for rule in (bootstrap, hedge, average_down):
        signals = rule(snapshot, position, parameters)
        if signals:
            return signals
    return []


def bootstrap(
    snapshot: MarketSnapshot, position: PairPosition, parameters: YesNoParameters
) -> list[TradeSignal]:
    """Buy a first side where none is held: alternatives, the cheaper first."""
    if position.Qy or position.Qn or position.pending_yes or position.pending_no:
        return []
    asks = [(ask, side) for side in (YES, NO) if (ask := snapshot.top(side).ask) is not None]
    return [
        signal
        for ask, side in sorted(asks, key=lambda each: each[0])
        if ask <= parameters.bootstrap_max_price
        for signal in _buy(snapshot.top(side), side, Rank.BOOTSTRAP, parameters)
    ]


def hedge(
    snapshot: MarketSnapshot, position: PairPosition, parameters: YesNoParameters
) -> list[TradeSignal]:
    """Buy the side that is missing, where the pairs then cost at most ``1 - hedge_margin``."""
    held = position.excess_side
    if held is None or position.is_pending(OTHER[held]):
        return []
    own, other = snapshot.top(held), snapshot.top(OTHER[held])
    if other.ask is None:
        return []
    average = position.average_cost(held)
    pair = cost(average, own, parameters) + cost(other.ask, other, parameters)
    if pair > ONE - parameters.hedge_margin:
        return []
    excess = abs(position.Qy - position.Qn)
    return _buy(other, OTHER[held], Rank.HEDGE, parameters, excess)


def average_down(
    snapshot: MarketSnapshot, position: PairPosition, parameters: YesNoParameters
) -> list[TradeSignal]:
    """Buy more of the side that is held, a step below its average cost.

    Of two sides held alike, the one that has fallen further.
    """
    falls: list[tuple[Decimal, Outcome]] = []
    for side in (YES, NO):
        ask = snapshot.top(side).ask
        is_larger = position.quantity(side) >= position.quantity(OTHER[side])
        if ask is not None and is_larger and not position.is_pending(side):
            falls.append((position.average_cost(side) - ask, side))
    fall, side = max(falls, key=lambda each: each[0], default=(ZERO, YES))
    if fall < parameters.average_down_step:
        return []
    most = room(side, position, parameters)
    return _buy(snapshot.top(side), side, Rank.AVERAGE_DOWN, parameters, most)


def _buy(
    top: Top,
    side: Outcome,
    rank: Rank,
    parameters: YesNoParameters,
    most: Decimal | None = None,
) -> list[TradeSignal]:
    """Return a purchase at the ask, of at most so much; or nothing, if it would be too small."""
    assert top.ask is not None
    limits = parameters.inventory_size, parameters.max_size, parameters.max_position, most
    size = sized((top,), top.ask_size, *limits)
    if not size:
        return []
    reason = f"{rank.rule}: {side} at {plain(top.ask)}"
    return [TradeSignal(side=side, price=top.ask, size=size, rank=rank, reason=reason)]
